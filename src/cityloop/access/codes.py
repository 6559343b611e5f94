"""Secret codes that open one thing to whoever holds them, without an account. Only their hashes are stored."""

from __future__ import annotations

import hashlib
import hmac
import secrets

_SIGNS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""32 signs that nobody takes for one another."""
_LENGTH = 10


def new_code() -> str:
    """A code of 10 signs, 50 bits, in two groups: ``K7Q2M-9XPRT``."""
    code = "".join(secrets.choice(_SIGNS) for _ in range(_LENGTH))
    return f"{code[:5]}-{code[5:]}"


def hash_code(code: str) -> str:
    """What is kept of a code, however it was typed: 64 hexadecimal digits of SHA-256."""
    return hashlib.sha256("".join(sign for sign in code.upper() if sign in _SIGNS).encode()).hexdigest()


def opens(code: str, kept: str | None) -> bool:
    """Whether ``code`` is the one that was kept; takes as long where nothing was."""
    return hmac.compare_digest(hash_code(code), kept or "0" * 64) and kept is not None

"""Identifiers: sortable by time, unguessable at the end, safe in URLs."""

from __future__ import annotations

import secrets
import threading
import time

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_PAIRS = [high + low for high in _ALPHABET for low in _ALPHABET]
_lock = threading.Lock()
_last = 0


def new_id(prefix: str) -> str:
    """Return ``prefix_`` followed by 11 characters of time (strictly rising in a process) and 8 random ones."""
    global _last  # noqa: PLW0603 - one counter a process keeps ids strictly rising
    with _lock:
        _last = max(time.time_ns() // 1000, _last + 1)
        stamp = _last
    return f"{prefix}_{_base32(stamp, 11)}{_base32(secrets.randbits(40), 8)}"


def _base32(number: int, width: int) -> str:
    text = ""
    for _ in range(0, width, 2):
        number, pair = divmod(number, 1024)
        text = _PAIRS[pair] + text
    return text[-width:]

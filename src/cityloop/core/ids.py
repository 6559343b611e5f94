"""Identifiers: sortable by time, unguessable at the end, safe in URLs."""

from __future__ import annotations

import os
import threading
import time

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_PAIRS = [high + low for high in _ALPHABET for low in _ALPHABET]
_TRIPLES = [high + low for high in _PAIRS for low in _ALPHABET]
_lock = threading.Lock()
_last = 0


def new_id(prefix: str) -> str:
    """Return ``prefix_`` followed by 11 characters of time (strictly rising in a process) and 8 random ones."""
    global _last  # noqa: PLW0603 - one counter a process keeps ids strictly rising
    with _lock:
        _last = max(time.time_ns() // 1000, _last + 1)
        stamp = _last
    return f"{prefix}_{_TRIPLES[stamp >> 40]}{_base32(stamp)}{_base32(int.from_bytes(os.urandom(5)))}"


def _base32(number: int) -> str:
    """The lowest 40 bits as 8 characters."""
    return _TRIPLES[number >> 25 & 0x7FFF] + _TRIPLES[number >> 10 & 0x7FFF] + _PAIRS[number & 0x3FF]

"""Identifiers: sortable by time, unguessable at the end, safe in URLs."""

from __future__ import annotations

import os
import threading
import time

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_PAIRS = [high + low for high in _ALPHABET for low in _ALPHABET]
_QUADS = [high + low for high in _PAIRS for low in _PAIRS]
_MASK = 2**20 - 1
_lock = threading.Lock()
_last = 0


def new_id(prefix: str) -> str:
    """Return ``prefix_`` followed by 11 characters of time (strictly rising in a process) and 8 random ones."""
    global _last  # noqa: PLW0603 - one counter a process keeps ids strictly rising
    with _lock:
        _last = max(time.time_ns() // 1000, _last + 1)
        stamp = _last
    chance = int.from_bytes(os.urandom(5))
    time_text = _QUADS[stamp >> 40][1:] + _QUADS[stamp >> 20 & _MASK] + _QUADS[stamp & _MASK]
    return f"{prefix}_{time_text}{_QUADS[chance >> 20]}{_QUADS[chance & _MASK]}"

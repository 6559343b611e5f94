"""One spelling for one value: what is hashed must not depend on the order of keys or on who wrote it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import orjson

from cityloop.core.values import utc

_OPTIONS = orjson.OPT_SORT_KEYS | orjson.OPT_PASSTHROUGH_DATETIME


def digest(value: Mapping[str, Any]) -> str:
    """SHA-256 (64 hexadecimal digits) of ``value`` as JSON: UTF-8, sorted keys, no blanks, instants in UTC."""
    return hashlib.sha256(orjson.dumps(value, _instant, _OPTIONS)).hexdigest()


@lru_cache(4096)
def _instant(value: Any) -> str:
    """An instant's spelling, remembered: the rows of one act share theirs."""
    return utc(value).isoformat()

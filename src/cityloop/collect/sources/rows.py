"""Records without a number of their own: what they say is their place, so reading them again changes nothing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

from cityloop.collect.decode import decode_records
from cityloop.collect.sources.sink import Read


def places(records: Sequence[Any]) -> list[int]:
    """A place of 52 bits for each record, by its content; the second of two equal ones has another."""
    seen: dict[bytes, int] = {}
    found = []
    for record in records:
        text = json.dumps(record, ensure_ascii=False, sort_keys=True, default=str).encode()
        seen[text] = number = seen.get(text, 0) + 1
        digest = hashlib.blake2b(text + (b"" if number == 1 else str(number).encode()), digest_size=8).digest()
        found.append(int.from_bytes(digest) >> 12)
    return found


def reading(records: Sequence[Any], at: Sequence[int] | None = None) -> Read:
    """How a batch of records is decoded; ``at`` are their places where they are known already."""
    at = places(records) if at is None else at
    return lambda mapping: decode_records(records, mapping, at)


def plain(value: Any) -> Any:
    """A value of a database as text that loses nothing; numbers as they are written, instants as ISO 8601."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime | date | time):
        return value.isoformat()
    if isinstance(value, float | Decimal):
        return format(value, "f") if isinstance(value, Decimal) else repr(value)
    return bytes(value).hex() if isinstance(value, bytes | bytearray | memoryview) else str(value)

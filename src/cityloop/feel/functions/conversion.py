"""Functions that make a value of one kind from another."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta, timezone
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from cityloop.feel import temporal
from cityloop.feel.functions.registry import built_in
from cityloop.feel.values import NUMBERS, Months, Range, less

_NUMERAL = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?\Z", re.ASCII)
_SPACES = {" ", ",", ".", None}


@built_in("number", "from: string", "grouping separator", "decimal separator", nulls=True)
def _number_of(text: str | None, grouping: Any, point: Any) -> Decimal | None:
    if text is None or grouping not in _SPACES or point not in {",", ".", None} or (point and grouping == point):
        return None
    plain = text.replace(grouping, "") if grouping else text
    plain = plain.replace(point, ".") if point else plain
    return NUMBERS.create_decimal(plain) if _NUMERAL.match(plain) else None


@built_in("string", "from")
def text_of(value: Any) -> str | None:
    """A value as it is written in the language; a text is itself."""
    return value if isinstance(value, str) else _written(value)


def _written(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    if isinstance(value, list):
        return "[" + ", ".join(_written(item) for item in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_key(key)}: {_written(item)}" for key, item in value.items()) + "}"
    if isinstance(value, Range):
        ends = "[" if value.low_closed else "(", "]" if value.high_closed else ")"
        return f"{ends[0]}{_written(value.low)}..{_written(value.high)}{ends[1]}"
    return _written_time(value)


def _key(text: str) -> str:
    return text if re.fullmatch(r"[^\W\d][\w ]*", text) else _written(text)


def _written_time(value: Any) -> str:
    if isinstance(value, datetime):
        return temporal.write_instant(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, time):
        return temporal.write_time(value)
    if isinstance(value, timedelta):
        return temporal.write_days(value)
    return temporal.write_months(value) if isinstance(value, Months) else "function"


@built_in("date", "from", "month?", "day?", also=("year", "month", "day"))
def _date(first: Any, month: Any = None, day: Any = None) -> date | None:
    if isinstance(first, Decimal) and isinstance(month, Decimal) and isinstance(day, Decimal):
        return date(int(first), int(month), int(day))
    if month is not None or day is not None:
        return None
    if isinstance(first, datetime):
        return first.date()
    if isinstance(first, str):
        return temporal.read_date(first)
    return first if isinstance(first, date) else None


@built_in("time", "from", "minute?", "second?", "offset?", also=("hour", "minute", "second", "offset"))
def _time(first: Any, minute: Any = None, second: Any = None, offset: Any = None) -> time | None:
    if isinstance(first, Decimal) and isinstance(minute, Decimal) and isinstance(second, Decimal):
        micros = int((second - int(second)) * 1_000_000)
        zone = timezone(offset) if isinstance(offset, timedelta) else None
        return time(int(first), int(minute), int(second), micros, zone)
    if minute is not None or second is not None or offset is not None:
        return None
    if isinstance(first, datetime):
        return first.timetz()
    if isinstance(first, str):
        return temporal.read_time(first.removeprefix("T"))
    return time(tzinfo=UTC) if isinstance(first, date) else first if isinstance(first, time) else None


@built_in("date and time", "from", "time?", also=("date", "time"))
def _instant(first: Any, clock: Any = "") -> datetime | None:
    if isinstance(first, date) and isinstance(clock, time):
        return datetime.combine(first, clock)
    if isinstance(first, datetime) and isinstance(clock, str) and clock:
        return first.astimezone(ZoneInfo(clock)) if first.tzinfo else None
    if clock != "":
        return None
    if isinstance(first, str):
        return temporal.read_instant(first)
    if isinstance(first, datetime):
        return first
    return datetime.combine(first, time(), UTC) if isinstance(first, date) else None


@built_in("duration", "from")
def _duration(value: Any) -> timedelta | Months | None:
    if isinstance(value, timedelta | Months):
        return value
    return temporal.read_duration(value) if isinstance(value, str) else None


@built_in("years and months duration", "from", "to")
def _months(start: Any, end: Any) -> Months | None:
    if not isinstance(start, date) or not isinstance(end, date):
        return None
    return temporal.months_between(start, end)


_RANGE = re.compile(r"\s*([\[(\]])(.*?)\.\.(.*?)([\])\[])\s*\Z", re.DOTALL)


@built_in("range", "from: string")
def _range(text: str) -> Range | None:
    found = _RANGE.match(text)
    if not found:
        return None
    low, high = (_end(part.strip()) for part in found.groups()[1:3])
    closed = found.group(1) == "[", found.group(4) == "]"
    if (low is None and (high is None or closed[0])) or (high is None and closed[1]):
        return None
    if low is not None and high is not None and less(high, low) is not False:
        return None
    return Range(low, high, *closed)


def _end(text: str) -> Any:
    """The value of a literal end; raises ``ValueError`` for anything else."""
    if text in {"", "null"}:
        return None
    if _NUMERAL.match(text):
        return NUMBERS.create_decimal(text)
    quoted = re.match(r'@?\s*"([^"\\]*)"\Z', text)
    made = re.match(r'(?:date and time|date|time|duration)\(\s*"([^"\\]*)"\s*\)\Z', text)
    if made or (quoted and text.startswith("@")):
        return temporal.read_moment((made or quoted).group(1))  # type: ignore[union-attr]
    if quoted:
        return quoted.group(1)
    raise ValueError(text)

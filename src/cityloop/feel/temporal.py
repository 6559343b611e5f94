"""Dates, times and durations: read from text, written as text, and their parts."""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import UTC, date, datetime, time, timedelta, timezone, tzinfo
from decimal import Decimal
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from cityloop.feel.values import Months

_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})\Z", re.ASCII)
_TIME = re.compile(
    r"(\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?(Z|[+-]\d{2}:\d{2}(?::\d{2})?|@[A-Za-z_/+0-9-]{1,40})?\Z", re.ASCII
)
_DAYS = re.compile(
    r"(-?)P(?:(\d{1,9})D)?(?:T(?:(\d{1,9})H)?(?:(\d{1,9})M)?(?:(\d{1,9})(?:\.(\d{0,9}))?S)?)?\Z", re.ASCII
)
_MONTHS = re.compile(r"(-?)P(?:(\d{1,9})Y)?(?:(\d{1,9})M)?\Z", re.ASCII)
_UTC_OFFSET = re.compile(r"([+-])(\d{2}):(\d{2})(?::(\d{2}))?\Z", re.ASCII)


def read_date(text: str) -> date:
    """``2026-11-23``; raises ``ValueError``."""
    found = _DATE.match(text)
    if not found:
        raise ValueError(text)
    return date(*(int(part) for part in found.groups()))


def read_time(text: str) -> time:
    """``08:30:00``, with a fraction, an offset (``+08:00``, ``Z``) or a zone (``@Asia/Shanghai``)."""
    found = _TIME.match(text)
    if not found:
        raise ValueError(text)
    hour, minute, second, fraction, zone = found.groups()
    return time(int(hour), int(minute), int(second), _micro(fraction), read_zone(zone) if zone else None)


def read_instant(text: str) -> datetime:
    """``2026-11-23T08:30:00`` as a time has it; a date alone is its midnight."""
    day, mark, clock = text.partition("T")
    return datetime.combine(read_date(day), read_time(clock) if mark else time())


def read_duration(text: str) -> timedelta | Months:
    """``P1DT2H``, ``-PT30M``, ``P1Y2M``."""
    found = _MONTHS.match(text)
    if found and any(found.groups()[1:]):
        sign, years, months = found.groups()
        count = int(years or 0) * 12 + int(months or 0)
        return Months(-count if sign else count)
    found = _DAYS.match(text)
    if not found or not any(found.groups()[1:]) or text.endswith("T"):
        raise ValueError(text)
    sign, days, hours, minutes, seconds, fraction = found.groups()
    length = timedelta(
        days=int(days or 0), hours=int(hours or 0), minutes=int(minutes or 0), seconds=int(seconds or 0),
        microseconds=_micro(fraction),
    )  # fmt: skip
    return -length if sign else length


def read_moment(text: str) -> Any:
    """Whatever an ``@"…"`` literal may hold; raises ``ValueError``."""
    for read in (read_date, read_time, read_instant, read_duration):
        try:
            return read(text)
        except (ValueError, OverflowError):
            continue
    raise ValueError(text)


@lru_cache(256)
def read_zone(text: str) -> tzinfo:
    """``Z``, ``+08:00`` or ``@Asia/Shanghai``; offsets up to 18 hours."""
    if text == "Z":
        return UTC
    if text.startswith("@"):
        return _named_zone(text[1:])
    found = _UTC_OFFSET.match(text)
    if not found:
        raise ValueError(text)
    sign, hours, minutes, seconds = found.groups()
    offset = timedelta(hours=int(hours), minutes=int(minutes), seconds=int(seconds or 0))
    if offset > timedelta(hours=18) or int(minutes) > 59:
        raise ValueError(text)
    return timezone(-offset if sign == "-" else offset)


def _named_zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (KeyError, OSError, ValueError) as error:
        raise ValueError(name) from error


def _micro(fraction: str | None) -> int:
    return int(fraction.ljust(6, "0")[:6]) if fraction else 0


def write_time(value: time | datetime) -> str:
    """The clock's part, with offset or zone."""
    text = f"{value.hour:02}:{value.minute:02}:{value.second:02}"
    if value.microsecond:
        text += f".{value.microsecond:06}".rstrip("0")
    return text + _write_zone(value.tzinfo)


def _write_zone(zone: tzinfo | None) -> str:
    if zone is None:
        return ""
    if isinstance(zone, ZoneInfo):
        return f"@{zone.key}"
    offset = zone.utcoffset(None) or timedelta()
    if not offset:
        return "Z"
    seconds = int(abs(offset).total_seconds())
    text = f"{'-' if offset < timedelta() else '+'}{seconds // 3600:02}:{seconds // 60 % 60:02}"
    return text + (f":{seconds % 60:02}" if seconds % 60 else "")


def write_instant(value: datetime) -> str:
    """``2026-11-23T08:30:00+08:00``."""
    return f"{value.year:04}-{value.month:02}-{value.day:02}T{write_time(value)}"


def write_days(value: timedelta) -> str:
    """``P1DT2H``; the empty duration is ``PT0S``."""
    parts = day_parts(abs(value))
    seconds = format(
        parts["seconds"] + Decimal(value.microseconds if value >= timedelta() else (-value).microseconds).scaleb(-6),
        "f",
    )
    if "." in seconds:
        seconds = seconds.rstrip("0").rstrip(".")
    clock = "".join(f"{parts[name]}{name[0].upper()}" for name in ("hours", "minutes") if parts[name])
    clock += f"{seconds}S" if seconds != "0" else ""
    text = (f"{parts['days']}D" if parts["days"] else "") + (f"T{clock}" if clock else "")
    return ("-" if value < timedelta() else "") + "P" + (text or "T0S")


def write_months(value: Months) -> str:
    """``P1Y2M``; the empty duration is ``P0M``."""
    years, months = (abs(part) for part in value.parts)
    text = (f"{years}Y" if years else "") + (f"{months}M" if months else "")
    return ("-" if value.count < 0 else "") + "P" + (text or "0M")


def day_parts(value: timedelta) -> dict[str, Decimal]:
    """Days, hours, minutes and seconds, each with the sign of the whole."""
    sign = -1 if value < timedelta() else 1
    length = abs(value)
    numbers = {
        "days": length.days,
        "hours": length.seconds // 3600,
        "minutes": length.seconds // 60 % 60,
        "seconds": length.seconds % 60,
    }
    return {name: Decimal(sign * number) for name, number in numbers.items()}


def part(value: Any, name: str) -> Any:
    """A part of a date, time or duration by its name; null for one that it has not."""
    if isinstance(value, timedelta):
        return day_parts(value).get(name)
    if isinstance(value, Months):
        years, months = value.parts
        return {"years": Decimal(years), "months": Decimal(months)}.get(name)
    if name in _DAY_PARTS and isinstance(value, date):
        return Decimal(_DAY_PARTS[name](value))
    if isinstance(value, time | datetime):
        return _clock_part(value, name)
    return None


_DAY_PARTS: dict[str, Any] = {
    "year": lambda day: day.year,
    "month": lambda day: day.month,
    "day": lambda day: day.day,
    "weekday": lambda day: day.isoweekday(),
}


def _clock_part(value: time | datetime, name: str) -> Any:
    if name in {"hour", "minute", "second"}:
        return Decimal(getattr(value, name))
    if name == "time offset":
        return value.utcoffset()
    if name == "timezone":
        return value.tzinfo.key if isinstance(value.tzinfo, ZoneInfo) else None
    return None


def add_months(value: date, months: int) -> date:
    """The same day so many months on, or the last day of a shorter month; raises ``ValueError`` beyond year 9999."""
    year, month = divmod(value.year * 12 + value.month - 1 + months, 12)
    last = monthrange(year, month + 1)[1]
    return value.replace(year=year, month=month + 1, day=min(value.day, last))


def months_between(start: date, end: date) -> Months:
    """Whole months from ``start`` to ``end``, rounded toward zero."""
    count = (end.year - start.year) * 12 + end.month - start.month
    if count > 0 and end.day < start.day:
        count -= 1
    elif count < 0 and end.day > start.day:
        count += 1
    return Months(count)

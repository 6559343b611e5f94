"""Time in English: yesterday, last Friday, the last 7 days, Q4 2025, 3 January 2015, from 8 to 10 am."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from cityloop.ask.numerals import WHOLE, whole
from cityloop.ask.spans import DAY, Hours, Span, begin, months_on, one_day, rolling, unit_of, week_of
from cityloop.ask.time_grammar import Made, Maker, Matched

_MONTHS = {
    name[:length]: number
    for number, name in enumerate(
        ("january", "february", "march", "april", "may", "june", "july", "august", "september", "october", "november",
         "december"), 1)
    for length in (3, 4, len(name))
}  # fmt: skip
_DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_MOVES = {"last": -1, "previous": -1, "past": -1, "this": 0, "current": 0, "next": 1, "coming": 1}
_ORDINALS = {"first": 1, "1st": 1, "second": 2, "2nd": 2, "third": 3, "3rd": 3, "fourth": 4, "4th": 4}
_PARTS = {"early morning": (0, 6), "morning": (6, 12), "noon": (11, 13), "afternoon": (12, 18), "evening": (18, 24)}
_MONTH = rf"(?P<month>{'|'.join(sorted(_MONTHS, key=len, reverse=True))})\b\.?"
_UNIT = r"(?P<unit>hour|day|week|month|quarter|year)s?\b"
_YEAR = r"(?:,?\s*(?:of\s+|in\s+)?(?P<year>(?:19|20)\d{2}|last year|this year)\b)?"
_HOUR = r"\d{1,2}(?::\d{2})?"
_CLOCK = r"\d{1,2}:\d{2}"
_TO = r"\s*(?:-|to|and|until|till)\s*"
_HALF = r"\s?(?:a\.?m\b\.?|p\.?m\b\.?)|\s?o'?clock"


def _day(found: Matched, now: datetime) -> Made:
    said = found[0]
    moved = -2 if "before" in said else 2 if "after" in said else {"yesterday": -1, "tomorrow": 1}.get(said, 0)
    return one_day(now + moved * DAY)


def _night(found: Matched, now: datetime) -> Made:
    moved = 0 if found[0] in ("tonight", "this evening", "this morning", "this afternoon") else -1
    part = "morning" if "morning" in found[0] else "afternoon" if "afternoon" in found[0] else "evening"
    first, last = _PARTS[part]
    return Hours(first * 60, last * 60).of(now + moved * DAY)


def _rolling(found: Matched, now: datetime) -> Made:
    return rolling(now, whole(found["count"]), found["unit"])


def _moved(found: Matched, now: datetime) -> Made:
    unit: Any = found["unit"]
    return None if unit == "hour" else unit_of(now, unit, _MOVES[found["move"]])


def _weekend(found: Matched, now: datetime) -> Made:
    week = week_of(now, _MOVES[found["move"]])
    return Span(week.start + 5 * DAY, week.end)


def _weekday(found: Matched, now: datetime) -> Made:
    """``last Friday`` is the latest one before today; a bare one is the latest that has begun."""
    move, which = found["move"], _DAYS.index(found["day"])
    day = week_of(now).start + which * DAY
    if move in ("this", "next", "coming"):
        return one_day(day if move == "this" or day.date() > now.date() else day + 7 * DAY)
    today = now if not move else week_of(now).start + now.weekday() * DAY
    return one_day(day if day < today or (not move and day <= now) else day - 7 * DAY)


def _quarter(found: Matched, now: datetime) -> Made:
    said = found["number"]
    number = _ORDINALS.get(said) or int(said)
    start = begin(now, _year_of(found["year"], now), number * 3 - 2)
    return unit_of(start if found["year"] or start <= now else months_on(start, -12), "quarter")


def _month(found: Matched, now: datetime) -> Made:
    day = int(found["day"]) if found["day"] else None
    first = begin(now, _year_of(found["year"], now), _MONTHS[found["month"]])
    if not found["year"] and (first + ((day or 1) - 1) * DAY) > now:
        first = months_on(first, -12)
    if day is None:
        return unit_of(first, "month")
    at = first + (day - 1) * DAY
    return one_day(at) if at.month == first.month else None


def _year(found: Matched, now: datetime) -> Made:
    return unit_of(begin(now, int(found["year"])), "year")


def _hours(found: Matched, _now: datetime) -> Made:
    second = found["half2"] or ""
    half = found["half"] or second
    first = _minutes(found["first"], half)
    if not found["last"]:
        return Hours(first, first + 60) if first < 24 * 60 else None
    last = _minutes(found["last"], second or half)
    return Hours(first, last) if first < last <= 24 * 60 else None


def _part(found: Matched, _now: datetime) -> Made:
    first, last = _PARTS[found["part"]]
    return Hours(first * 60, last * 60)


_RULES: tuple[tuple[re.Pattern[str], Maker], ...] = tuple(
    (re.compile(rf"\b(?:(?:in|on|during|over|within|at|for|of)\s+)?(?:the\s+)?(?:{pattern})"), maker)
    for pattern, maker in (
        (r"day before yesterday\b|day after tomorrow\b|yesterday\b|today\b|tomorrow\b", _day),
        (r"last night\b|tonight\b|(?:yesterday|this) (?:evening|morning|afternoon)\b", _night),
        (rf"(?:last|past|previous)\s+(?P<count>{WHOLE})\s+{_UNIT}", _rolling),
        (rf"(?P<move>last|previous|this|current|next|coming)\s+{_UNIT}", _moved),
        (r"(?P<move>last|previous|this|next|coming)\s+weekend\b", _weekend),
        (rf"(?:(?P<move>last|this|next|coming)\s+)?(?P<day>{'|'.join(_DAYS)})\b", _weekday),
        (rf"(?P<number>first|second|third|fourth|1st|2nd|3rd|4th)\s+quarter\b{_YEAR}", _quarter),
        (rf"q(?P<number>[1-4])\b{_YEAR}", _quarter),
        (rf"(?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?:\s+of)?\s+{_MONTH}{_YEAR}", _month),
        (rf"{_MONTH}(?:\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\b(?!:))?{_YEAR}", _month),
        (r"(?:year\s+)?(?P<year>(?:19|20)\d{2})\b", _year),
        (rf"(?:from|between)\s+(?P<first>{_HOUR})(?P<half>{_HALF})?{_TO}(?P<last>{_HOUR})(?P<half2>{_HALF})", _hours),
        (rf"(?:from|between)\s+(?P<first>{_CLOCK})(?P<half>){_TO}(?P<last>{_CLOCK})(?P<half2>)", _hours),
        (rf"(?P<first>{_HOUR})(?P<half>{_HALF})(?P<last>)(?P<half2>)", _hours),
        (rf"(?P<part>{'|'.join(_PARTS)})\b(?! peak| rush)", _part),
    )
)  # fmt: skip


def matches(text: str, start: int, now: datetime) -> Iterator[tuple[int, Span | Hours]]:
    """English expressions of time that stand at ``start``, with where they end; ``now`` is local."""
    for pattern, maker in _RULES:
        found = pattern.match(text, start)
        if found and (made := maker(found, now)) is not None:
            yield found.end(), made


def _year_of(said: str | None, now: datetime) -> int:
    if not said:
        return now.year
    return int(said) if said.isdigit() else now.year - (said == "last year")


def _minutes(said: str, half: str) -> int:
    hour, _, minute = said.partition(":")
    afternoon = half.strip().startswith("p")
    return (int(hour) % 12 + 12 if afternoon else int(hour)) * 60 + int(minute or 0)

"""Time in a query: grains on the city's wall clock, the period to compare with, days and hours of the calendar."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlglot import exp

from cityloop.analyse.schemas import CalendarPart, Grain, QueryRequest
from cityloop.city.content import Peaks, slot_seconds
from cityloop.city.days import DayTable

_WIDTHS: dict[Grain, str] = {"quarter": "3 month", "year": "12 month"}
_EPOCH = date(1970, 1, 5)
"""A Monday, so that weeks are counted whole."""


@dataclass(frozen=True)
class Shift:
    """How far a compared period lies back: whole months on the wall clock, or seconds."""

    months: int = 0
    seconds: int = 0

    def __bool__(self) -> bool:
        return bool(self.months or self.seconds)

    def back(self, instant: datetime, zone: str) -> datetime:
        """The instant of the compared period that belongs to ``instant``."""
        if not self.months:
            return instant - timedelta(seconds=self.seconds)
        local = instant.astimezone(ZoneInfo(zone))
        count = local.year * 12 + local.month - 1 - self.months
        year, month = divmod(count, 12)
        return local.replace(year=year, month=month + 1, day=min(local.day, _days(year, month + 1)))


def shift_of(request: QueryRequest, zone: str) -> Shift:
    """How far back the compared period of a checked request lies; none without a comparison."""
    if request.compare == "none":
        return Shift()
    if request.compare == "year":
        # Weeks have no date of their own: 52 of them earlier begins on a Monday again.
        return Shift(seconds=364 * 86_400) if request.grain == "week" else Shift(months=12)
    assert request.start is not None and request.end is not None
    months = _whole_months(request.start.astimezone(ZoneInfo(zone)), request.end.astimezone(ZoneInfo(zone)))
    if months and request.grain != "week":
        return Shift(months=months)
    return Shift(seconds=int((request.end - request.start).total_seconds()))


def bucket(name: str, grain: Grain, shift: Shift, zone: str) -> exp.Expr:
    """Start of the grain in the city's zone; weeks begin on Monday. A compared period is laid over the present one."""
    moved: exp.Expr = exp.column(name, quoted=True)
    if shift.seconds:
        moved = exp.Add(this=moved, expression=interval(f"{shift.seconds} seconds"))
    elif shift.months:
        moved = _zoned(exp.Add(this=wall(moved, zone), expression=interval(f"{shift.months} months")), zone)
    width = interval(_WIDTHS.get(grain, f"1 {grain}"))
    return exp.Anonymous(this="time_bucket", expressions=[width, moved, exp.Literal.string(zone)])


def wall(instant: exp.Expr, zone: str) -> exp.Expr:
    """The wall clock of the city at an instant."""
    return _zoned(instant, zone)


def number_of(name: str, grain: Grain, zone: str) -> exp.Expr:
    """The number of the grain that begins at the instant in column ``name``: neighbours differ by one."""
    column = exp.column(name, quoted=True)
    if grain == "hour":
        return _whole(exp.Div(this=exp.TimeToUnix(this=column), expression=exp.Literal.number(3600)))
    local = wall(column, zone)
    if grain in ("day", "week"):
        days = exp.DateDiff(
            this=exp.cast(local, "DATE"), expression=exp.cast(exp.Literal.string(_EPOCH.isoformat()), "DATE"),
            unit=exp.var("DAY"),
        )  # fmt: skip
        return days if grain == "day" else _whole(exp.Div(this=days, expression=exp.Literal.number(7)))
    year, month = (exp.Extract(this=exp.var(part), expression=local.copy()) for part in ("YEAR", "MONTH"))
    months = exp.Add(this=exp.Mul(this=year, expression=exp.Literal.number(12)), expression=month)
    per = {"month": 1, "quarter": 3, "year": 12}[grain]
    before = exp.Sub(this=exp.paren(months), expression=exp.Literal.number(1))
    return exp.paren(months.copy()) if per == 1 else _whole(exp.Div(this=exp.paren(before), expression=_number(per)))


def hour(name: str, zone: str) -> exp.Expr:
    """The hour of the city's day, 0 to 23."""
    return exp.Extract(this=exp.var("HOUR"), expression=wall(exp.column(name, quoted=True), zone))


def weekday(name: str, zone: str) -> exp.Expr:
    """The day of the city's week, Monday is 1."""
    return exp.Extract(this=exp.var("ISODOW"), expression=wall(exp.column(name, quoted=True), zone))


def calendar(parts: Collection[CalendarPart], name: str, zone: str, table: DayTable, peaks: Peaks) -> list[exp.Expr]:
    """Conditions that leave the wished days and hours of the instant in column ``name``."""
    days = [_days_of(part, name, zone, table) for part in parts if part.endswith("days")]
    hours = [_within(name, zone, getattr(peaks, part.removesuffix("_peak"))) for part in parts if "peak" in part]
    return [exp.paren(exp.or_(*found)) for found in (days, hours) if found]


def _days_of(part: CalendarPart, name: str, zone: str, table: DayTable) -> exp.Expr:
    day = exp.cast(wall(exp.column(name, quoted=True), zone), "DATE")
    if part == "holidays":
        return _one_of(day, [at for at, kind in table.days.items() if kind == "holiday"])
    rest = [at for at in table.days if at.weekday() < 5 and not table.works(at)]
    extra = [at for at in table.days if at.weekday() >= 5 and table.works(at)]
    plain = exp.LTE(this=weekday(name, zone), expression=_number(5))
    works = exp.or_(exp.and_(plain, exp.not_(_one_of(day, rest))), _one_of(day, extra))
    return exp.paren(works) if part == "working_days" else exp.not_(exp.paren(works))


def _within(name: str, zone: str, slot: str) -> exp.Expr:
    """Whether the wall clock lies in the slot; its end is not part of it."""
    local = wall(exp.column(name, quoted=True), zone)
    hours, minutes = (exp.Extract(this=exp.var(part), expression=local.copy()) for part in ("HOUR", "MINUTE"))
    minute = exp.Add(this=exp.Mul(this=hours, expression=_number(60)), expression=minutes)
    first, last = (seconds // 60 for seconds in slot_seconds(slot))
    return exp.paren(exp.and_(exp.GTE(this=exp.paren(minute), expression=_number(first)),
                              exp.LT(this=exp.paren(minute.copy()), expression=_number(last))))  # fmt: skip


def _one_of(day: exp.Expr, days: Sequence[date]) -> exp.Expr:
    if not days:
        return exp.false()
    values = [exp.cast(exp.Literal.string(at.isoformat()), "DATE") for at in sorted(days)]
    return exp.In(this=day.copy(), expressions=values)


def _whole_months(start: datetime, end: datetime) -> int:
    """How many whole months lie between two midnights of the same day of a month; else 0."""
    midnight = not (start.hour or start.minute or start.second or end.hour or end.minute or end.second)
    if not midnight or start.day != end.day or start.day > 28:
        return 0
    return (end.year - start.year) * 12 + end.month - start.month


def _days(year: int, month: int) -> int:
    following = date(year + month // 12, month % 12 + 1, 1)
    return (following - timedelta(days=1)).day


def _zoned(value: exp.Expr, zone: str) -> exp.Expr:
    """``timezone`` turns an instant into the zone's wall clock, and a wall clock into its instant."""
    return exp.Anonymous(this="timezone", expressions=[exp.Literal.string(zone), value])


def _whole(value: exp.Expr) -> exp.Expr:
    return exp.cast(exp.Floor(this=value), "BIGINT")


def _number(value: int) -> exp.Expr:
    return exp.Literal.number(value)


def instant(at: datetime) -> exp.Expr:
    """An instant as a literal of the tree."""
    return exp.cast(exp.Literal.string(at.astimezone(UTC).isoformat()), "TIMESTAMPTZ")


def interval(text: str) -> exp.Expr:
    """A span as a literal of the tree, for example ``1 day``."""
    return exp.cast(exp.Literal.string(text), "INTERVAL")

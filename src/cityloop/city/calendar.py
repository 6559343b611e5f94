"""Working calendars: which seconds count. Day table, office hours and exceptions become sorted open spans.

Precedence of a day: exception of the calendar (a department's before the city's), the imported table, the weekday rule.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, timedelta
from fractions import Fraction
from typing import TypeVar
from zoneinfo import ZoneInfo

from cityloop.city.content import CalendarPart, slot_seconds, window_days
from cityloop.city.days import SECOND, DayTable, instant_of, ticks
from cityloop.city.spans import Spans
from cityloop.core.errors import Invalid

V = TypeVar("V")
_ONE_DAY = timedelta(days=1)
_FIRST_YEAR, _LAST_YEAR = 1971, 2100


class Calendar:
    """One calendar of a city. Its index of open spans grows by years as it is asked; the answers never change.

    Instants and amounts are microseconds (:mod:`cityloop.city.days`).
    """

    def __init__(self, id: str, part: CalendarPart, zone: ZoneInfo, table: DayTable) -> None:
        self.id = id
        self.title = part.title
        self.zone = zone
        self._part = part
        self._table = table
        self._exceptions = {day.date: day for day in part.exceptions}
        self._rest = _slots(part, None)
        self._seasons = [(*window_days(t.season), _slots(part, t.season)) for t in part.timetables if t.season]
        years = {day.year for day in table.days} | set(table.confirmed_years)
        self._years = (min(years, default=2026), max(years, default=2026) + 2)
        self._spans = self._build(*self._years)
        self.version = self._version()

    @property
    def table(self) -> DayTable:
        """The announced days that break the weekday rule."""
        return self._table

    def between(self, start: int, end: int) -> int:
        """Counted time of [start, end)."""
        spans = self._covering(start, end)
        return spans.counted(end) - spans.counted(start)

    def advance(self, start: int, amount: int) -> int:
        """The first instant at which ``amount`` of counted time since ``start`` is used up."""
        if amount <= 0:
            return start
        return self._seek(start, lambda spans: spans.used_up(spans.counted(start) + amount))

    def opening(self, at: int) -> int:
        """The first counted instant at or after ``at``: when counting begins."""
        return self._seek(at, lambda spans: spans.opening(at))

    def days_between(self, start: int, end: int) -> Fraction:
        """Office days of [start, end): each day's own hours are one day, fractions are carried."""
        spans = self._covering(start, end)
        return spans.office_days(end) - spans.office_days(start)

    def advance_days(self, start: int, days: Fraction) -> int:
        """The first instant at which ``days`` office days since ``start`` are used up."""
        if days <= 0:
            return start

        def find(spans: Spans) -> int | None:
            wanted = spans.counted_at_day(spans.office_days(start) + days)
            return None if wanted is None else spans.used_up(wanted)

        return self._seek(start, find)

    def close_after(self, start: int, days: int, start_day_counts: bool = False) -> int:
        """The close of the ``days``-th working day after the local day of ``start`` (or from that day on)."""
        midnight = self._midnight(self.local_day(start) + (timedelta() if start_day_counts else _ONE_DAY))
        return self._seek(midnight, lambda spans: spans.close_after(midnight, days))

    def close_from(self, at: int) -> int:
        """The first close of a working day at or after ``at``."""
        return self._seek(at, lambda spans: spans.close_from(at))

    def provisional(self, start: int, end: int) -> bool:
        """Whether [start, end) touches a date of a year that has not been announced."""
        return self._covering(start, end).unconfirmed(start, end)

    def season_opening(self, at: int, windows: Iterable[str]) -> int:
        """``at`` when it lies in one of the yearly ``windows``, else the midnight on which the next one opens."""
        today = self.local_day(at)
        opens = []
        for first, last in map(window_days, windows):
            if first <= (today.month, today.day) <= last:
                return at
            opens.append(date(today.year + ((today.month, today.day) > first), *first))
        return self._midnight(min(opens))

    def before(self, at: int, seconds: int) -> bool:
        """Whether ``at`` is earlier on its local day than ``seconds`` after midnight."""
        return at < self._midnight(self.local_day(at)) + seconds * SECOND

    def local_day(self, at: int) -> date:
        """The date of an instant in the calendar's zone."""
        return instant_of(at).astimezone(self.zone).date()

    def hours_of(self, day: date) -> str:
        """The hours of one local date, for example ``08:00-12:00 14:00-18:00``; empty when it is closed."""
        return " ".join(f"{_clock(start)}-{_clock(stop)}" for start, stop in self._hours(day))

    def works(self, day: date) -> bool:
        """Whether the calendar is open on a local date at all."""
        return bool(self._hours(day))

    def hours(self) -> str:
        """Office hours for people, for example ``08:00-12:00 14:00-18:00``."""
        return "; ".join(" ".join((t.season or "", *t.slots)).strip() for t in self._part.timetables)

    def _seek(self, start: int, find: Callable[[Spans], V | None]) -> V:
        """Ask the index; grow it while the answer lies beyond its end."""
        while (found := find(self._covering(start, start))) is None:
            first, last = self._years
            self._grow(first, last + max(4, last - first))
        return found

    def _covering(self, first: int, last: int) -> Spans:
        """An index that holds both instants; one answer uses one index, as each has its own zero."""
        spans = self._spans
        if not spans.covers(first, last):
            years = [*self._years, self.local_day(first).year, self.local_day(last).year]
            spans = self._grow(min(years) - 1, max(years) + 1)
        return spans

    def _grow(self, first: int, last: int) -> Spans:
        """Cover more years. Two threads that grow at once only work twice."""
        if not _FIRST_YEAR <= first <= last <= _LAST_YEAR:
            raise Invalid(f"calendar '{self.id}' cannot count from {first} to {last}", "check the instants given to it")
        spans = self._build(first, last)
        self._spans, self._years = spans, (first, last)
        return spans

    def _build(self, first: int, last: int) -> Spans:
        day, end = date(first, 1, 1), date(last + 1, 1, 1)
        spans = Spans(self._midnight(day), self._midnight(end))
        while day < end:
            hours = self._hours(day)
            if hours:
                spans.add_day([(self._wall(day, start), self._wall(day, stop)) for start, stop in hours])
            if self._part.days == "table" and day.year not in self._table.confirmed_years:
                spans.add_unconfirmed(self._midnight(day), self._midnight(day + _ONE_DAY))
            day += _ONE_DAY
        return spans

    def _hours(self, day: date) -> list[tuple[int, int]]:
        exception = self._exceptions.get(day)
        if exception is not None:
            return [slot_seconds(slot) for slot in exception.slots]
        if self._part.days == "table" and not self._table.works(day):
            return []
        for first, last, hours in self._seasons:
            if first <= (day.month, day.day) <= last:
                return hours
        return self._rest

    def _midnight(self, day: date) -> int:
        return ticks(datetime(day.year, day.month, day.day, tzinfo=self.zone))

    def _wall(self, day: date, seconds: int) -> int:
        """The instant of a wall-clock time; the zone decides, so daylight saving is right."""
        if seconds == 86_400:
            return self._midnight(day + _ONE_DAY)
        hour, minute = divmod(seconds // 60, 60)
        return ticks(datetime(day.year, day.month, day.day, hour, minute, tzinfo=self.zone))

    def _version(self) -> str:
        table = sorted((day.isoformat(), kind) for day, kind in self._table.days.items())
        facts = f"{self.zone.key}|{self._part!r}|{table}|{sorted(self._table.confirmed_years)}"
        return hashlib.sha256(facts.encode()).hexdigest()[:12]


class Calendars:
    """The calendars of a city by id, and which one a department works by."""

    def __init__(self, calendars: Iterable[Calendar], default: str, departments: Mapping[str, str]) -> None:
        self._calendars = {calendar.id: calendar for calendar in calendars}
        self._departments = dict(departments)
        self.default = default

    def get(self, id: str) -> Calendar:
        """The calendar with this id; raises :class:`Invalid` naming the known ones."""
        calendar = self._calendars.get(id)
        if calendar is None:
            raise Invalid(f"there is no calendar '{id}'", f"calendars of this city: {', '.join(self._calendars)}")
        return calendar

    def of(self, department: str | None) -> Calendar:
        """The calendar a department works by; the city's default for ``None`` or one without its own."""
        return self._calendars[self._departments.get(department or "", self.default)]

    def adopt(self, other: Calendars) -> None:
        """Answer like ``other`` from now on, for everybody who holds this value."""
        self._calendars, self._departments, self.default = other._calendars, other._departments, other.default

    def snapshot(self) -> Calendars:
        """What they are now, whatever is adopted later."""
        return Calendars(self._calendars.values(), self.default, self._departments)

    def version(self) -> str:
        """A digest of all calendars: another one means that a due instant may have moved."""
        facts = "|".join(f"{id}={calendar.version}" for id, calendar in sorted(self._calendars.items()))
        return hashlib.sha256(facts.encode()).hexdigest()[:12]

    def ids(self) -> list[str]:
        """The ids of all calendars, in the order of the file."""
        return list(self._calendars)


def _clock(seconds: int) -> str:
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}"


def _slots(part: CalendarPart, season: str | None) -> list[tuple[int, int]]:
    """The hours of the timetable with this season; a calendar has exactly one without."""
    return [slot_seconds(slot) for table in part.timetables if table.season == season for slot in table.slots]

"""What the calendars of a city are made of, and how a change is laid over it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from zoneinfo import ZoneInfo

from pydantic import Field

from cityloop.city.calendar import Calendar, Calendars
from cityloop.city.content import CalendarPart, DepartmentPart, ExceptionDay, Timetable
from cityloop.city.days import DayKind, DayTable
from cityloop.core.errors import Fault, Invalid
from cityloop.core.values import Frozen


class DayChange(Frozen):
    """One date of the table; without ``kind`` the weekday rule holds again."""

    date: date
    kind: DayKind | None = None
    name: str = Field(default="", max_length=60)


class CalendarEdit(Frozen):
    """What is put in the place of a calendar's office hours or of its exceptions; ``None`` leaves them."""

    timetables: tuple[Timetable, ...] | None = None
    exceptions: tuple[ExceptionDay, ...] | None = None


class CalendarChange(Frozen):
    """Changes laid over the calendars of the city's files: dates of the table, its announced years, hours."""

    days: tuple[DayChange, ...] = Field(default=(), max_length=800)
    confirmed_years: tuple[int, ...] | None = None
    calendars: dict[str, CalendarEdit] = Field(default_factory=dict)

    def then(self, later: CalendarChange) -> CalendarChange:
        """This change with a later one on top: the later word on a date or on a calendar's hours holds."""
        days = {day.date: day for day in (*self.days, *later.days)}
        calendars = dict(self.calendars)
        for id, edit in later.calendars.items():
            given = edit.model_dump(exclude_none=True, include={"timetables", "exceptions"})
            known = calendars.get(id, CalendarEdit())
            calendars[id] = known.model_copy(update={name: getattr(edit, name) for name in given})
        years = self.confirmed_years if later.confirmed_years is None else later.confirmed_years
        return CalendarChange(
            days=tuple(days[at] for at in sorted(days)),
            confirmed_years=years,
            calendars=dict(sorted(calendars.items())),
        )


@dataclass(frozen=True)
class Almanac:
    """Zone, day table, calendars and departments' own days, as the files of the city say them."""

    zone: ZoneInfo
    table: DayTable
    parts: Mapping[str, CalendarPart]
    default: str
    departments: Sequence[DepartmentPart]
    """Those whose calendar is known."""

    def calendars(self) -> Calendars:
        """The calendars, and one more for each department that has exceptions of its own."""
        calendars = [Calendar(id, part, self.zone, self.table) for id, part in self.parts.items()]
        used: dict[str, str] = {}
        for item in self.departments:
            base = used[item.id] = item.calendar or self.default
            if item.exceptions:
                used[item.id] = f"{base}.{item.id}"
                own = {day.date: day for day in (*self.parts[base].exceptions, *item.exceptions)}
                part = self.parts[base].model_copy(update={"exceptions": tuple(own.values())})
                calendars.append(Calendar(used[item.id], part, self.zone, self.table))
        return Calendars(calendars, self.default, used)

    def having(self, change: CalendarChange) -> Almanac:
        """The almanac with a change laid over it; raises :class:`Invalid` with every fault of the change."""
        _check(change, self.parts)
        days, names = dict(self.table.days), dict(self.table.names)
        for item in change.days:
            names.pop(item.date, None)
            if item.kind is None:
                days.pop(item.date, None)
            else:
                days[item.date] = item.kind
                names |= {item.date: item.name} if item.name else {}
        years = self.table.confirmed_years if change.confirmed_years is None else frozenset(change.confirmed_years)
        parts = {id: _edited(id, part, change.calendars.get(id)) for id, part in self.parts.items()}
        return replace(self, table=DayTable(days, years, names), parts=parts)


def _check(change: CalendarChange, parts: Mapping[str, CalendarPart]) -> None:
    faults = []
    known = f"calendars of this city: {', '.join(parts)}"
    for id in change.calendars:
        if id not in parts:
            faults.append(Fault(f"change.calendars.{id}", f"there is no calendar '{id}'", known))
    seen: set[date] = set()
    for number, day in enumerate(change.days):
        if day.date in seen:
            where = f"change.days.{number}.date"
            faults.append(Fault(where, f"{day.date} is written twice", "keep one of the two"))
        seen.add(day.date)
    years = [day.date.year for day in change.days] + list(change.confirmed_years or ())
    wrong = sorted({year for year in years if not 2000 <= year <= 2090})
    if wrong:
        faults.append(Fault("change", f"{wrong[0]} is no year of a calendar", "years from 2000 to 2090"))
    if faults:
        raise Invalid("the change of the calendar has faults", "correct the fields that are named", faults)


def _edited(id: str, part: CalendarPart, edit: CalendarEdit | None) -> CalendarPart:
    if edit is None:
        return part
    given = {name: value for name in ("timetables", "exceptions") if (value := getattr(edit, name)) is not None}
    try:
        return CalendarPart.model_validate({**dict(part), **given})
    except ValueError as error:
        fault = Fault(f"change.calendars.{id}", str(error), "see calendars in docs/city-folder.md")
        raise Invalid("the change of the calendar has faults", "correct the fields that are named", [fault]) from error

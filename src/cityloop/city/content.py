"""The shapes of a city folder's files: ``city.yaml``, ``departments.yaml``, ``limits.yaml``, ``catalogues.yaml``.

Every key is described in ``docs/city-folder.md``; a test keeps the two together.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import date
from itertools import pairwise
from typing import Annotated, Literal, TypeVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, model_validator

from cityloop.city.schemas import Department, MapView, SeriesLabel
from cityloop.core.values import Frozen, Title

C = TypeVar("C", bound=Collection[object])
_SLOT = re.compile(r"(\d{2}):(\d{2})-(\d{2}):(\d{2})")
_WINDOW = re.compile(r"(\d{2})-(\d{2})\.\.(\d{2})-(\d{2})")


def slot_seconds(text: str) -> tuple[int, int]:
    """``08:00-12:00`` as seconds of the day; raises ``ValueError`` for anything else."""
    found = _SLOT.fullmatch(text)
    if not found:
        raise ValueError(f"'{text}' is not a slot of office hours; write it as 08:00-12:00")
    hour, minute, to_hour, to_minute = map(int, found.groups())
    start, end = hour * 3600 + minute * 60, to_hour * 3600 + to_minute * 60
    if not 0 <= start < end <= 86_400 or minute > 59 or to_minute > 59:
        raise ValueError(f"'{text}' does not end after it starts, within one day")
    return start, end


def window_days(text: str) -> tuple[tuple[int, int], tuple[int, int]]:
    """``05-01..09-30`` as (month, day) of its first and last day; raises ``ValueError`` for anything else."""
    found = _WINDOW.fullmatch(text)
    if not found:
        raise ValueError(f"'{text}' is not a window of the year; write it as 05-01..09-30")
    month, day, to_month, to_day = map(int, found.groups())
    first, last = date(2024, month, day), date(2024, to_month, to_day)
    if first > last:
        raise ValueError(f"'{text}' ends before it begins; write two windows across the turn of the year")
    return (month, day), (to_month, to_day)


def _checked_slot(text: str) -> str:
    slot_seconds(text)
    return text


def _checked_window(text: str) -> str:
    window_days(text)
    return text


def _checked_slots(slots: tuple[str, ...]) -> tuple[str, ...]:
    spans = [slot_seconds(slot) for slot in slots]
    if any(later[0] < earlier[1] for earlier, later in pairwise(spans)):
        raise ValueError("slots overlap or are out of order; write them one after the other")
    return slots


def _some(items: C) -> C:
    """At least one; after the items themselves, so that a wrong item is not reported as a missing one as well."""
    if not items:
        raise ValueError("the list is empty; write at least one item")
    return items


def _checked_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError(f"'{name}' is not a time zone; write an IANA name such as Asia/Shanghai") from error
    return name


Slots = Annotated[tuple[Annotated[str, AfterValidator(_checked_slot)], ...], AfterValidator(_checked_slots)]
Window = Annotated[str, AfterValidator(_checked_window)]


class Timetable(Frozen):
    """Office hours of one part of the year; without ``season`` they hold for the rest of it."""

    slots: Slots
    season: Window | None = None


class ExceptionDay(Frozen):
    """One day that differs from the rule: closed when ``slots`` is empty."""

    date: date
    slots: Slots = ()
    name: str = ""


class CalendarPart(Frozen):
    """A calendar: which days are worked, and the hours of such a day."""

    title: Title
    days: Literal["table", "every_day"] = "table"
    timetables: tuple[Timetable, ...]
    exceptions: tuple[ExceptionDay, ...] = ()

    @model_validator(mode="after")
    def _one_rule_for_the_rest(self) -> CalendarPart:
        if sum(table.season is None for table in self.timetables) != 1:
            raise ValueError("exactly one timetable must be without a season: it holds for the rest of the year")
        if not any(table.slots for table in self.timetables):
            raise ValueError("no timetable has a slot, the calendar would never open")
        return self


class DaysPart(Frozen):
    """The table of holidays and make-up working days."""

    file: str
    confirmed_years: tuple[int, ...] = ()
    """Years whose table has been announced; results that touch another year are provisional."""


class Peaks(Frozen):
    """The rush hours of the city's day, by its wall clock."""

    morning: Annotated[str, AfterValidator(_checked_slot)] = "07:00-09:00"
    evening: Annotated[str, AfterValidator(_checked_slot)] = "17:00-19:00"


class SeasonPart(Frozen):
    """A named season that limits may speak of."""

    words: Annotated[tuple[str, ...], AfterValidator(_some)]
    """The words that stand for it in a limit text."""
    windows: Annotated[tuple[Window, ...], AfterValidator(_some)]


class DeadlinesPart(Frozen):
    """How this city reads a time limit."""

    profile: str
    calendar: str
    limits: str | None = None
    """File with the limit of each matter."""


class AreasPart(Frozen):
    """The area tree: the root and the files of the levels below it."""

    root: str
    title: Title
    files: tuple[str, ...] = ()
    outside_metres: float = Field(default=0.0, ge=0, le=10_000)
    """A point up to so many metres outside all areas still goes to the nearest."""


class CataloguePart(Frozen):
    """The catalogue in force, and others that are still readable."""

    in_force: str
    kept: tuple[str, ...] = ()
    local: tuple[str, ...] = ()
    """Catalogues of codes that the national one lacks, of the city's own or of its packs; in force beside it."""


class CityFile(Frozen):
    """``city.yaml``."""

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]*$")]
    title: Title
    timezone: Annotated[str, AfterValidator(_checked_zone)]
    language: Literal["zh", "en"] = "zh"
    packs: tuple[str, ...] = ()
    map: MapView
    areas: AreasPart
    catalogue: CataloguePart
    days: DaysPart
    calendars: Annotated[dict[str, CalendarPart], AfterValidator(_some)]
    seasons: tuple[SeasonPart, ...] = ()
    deadlines: DeadlinesPart
    addresses: str | None = None
    """File of standard addresses, where the city has such a register."""
    editions: dict[str, str] = Field(default_factory=dict)
    """Which edition of an index serves here, by the index: ``{aqi: hj633-2026}``; else the one that the pack names."""
    series: tuple[SeriesLabel, ...] = ()
    peaks: Peaks = Field(default_factory=Peaks)


class DepartmentPart(Department):
    """A department as ``departments.yaml`` writes it: with the calendar it works by."""

    calendar: str | None = None
    exceptions: tuple[ExceptionDay, ...] = ()


class DepartmentsFile(Frozen):
    """``departments.yaml``."""

    departments: Annotated[tuple[DepartmentPart, ...], AfterValidator(_some)]


class ConditionLine(Frozen):
    """One line of a city's filing and closing rules: what makes it a case, how long it may take, what ends it."""

    filing: str
    limit: str
    closing: str = ""


class LimitsFile(Frozen):
    """``limits.yaml``: the limit text of each matter, else of its class, else of any."""

    origin: Title
    matters: dict[str, str] = Field(default_factory=dict)
    classes: dict[str, str] = Field(default_factory=dict)
    fallback: str | None = None
    conditions: dict[str, tuple[ConditionLine, ...]] = Field(default_factory=dict)
    """The lines of a matter, for the person who files; ``matters`` holds the limit of the ordinary one."""


class CatalogueMeta(Frozen):
    """What a catalogue is, and whether its components' anomalies are matters too."""

    title: Title
    in_force_from: date | None = None
    replaces: str | None = None
    anomalies: bool = False
    """Each component gives a matter with the same digits: its name and 异常."""


class CataloguesFile(Frozen):
    """``catalogue/catalogues.yaml`` of a pack or a city; the entries of each stand in ``catalogue/<id>.csv``."""

    catalogues: dict[str, CatalogueMeta]


class PackMeta(Frozen):
    """``pack.yaml``."""

    id: str
    title: Title
    version: str
    description: Title

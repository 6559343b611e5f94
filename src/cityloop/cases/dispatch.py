"""Which department is responsible: a declared table, first match wins, and the matching row is the reason.

Pure once loaded. ``responsibility.yaml`` of a city is checked on load against its departments, matters and areas.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator

from cityloop.city.schemas import Department
from cityloop.core.content import Lines, checked, fault_at, raise_faults, read_yaml
from cityloop.core.errors import Fault
from cityloop.core.values import Frozen, Title

AS_NAMED = "as_named"
"""Instead of a department: whichever the source itself names (a warning's rule, a record of another system)."""


class Hours(Frozen):
    """A daily window in city time; ``to`` before ``from`` spans midnight."""

    start: time = Field(alias="from")
    end: time = Field(alias="to")

    @field_validator("start", "end", mode="before")
    @classmethod
    def _from_yaml(cls, value: Any) -> Any:
        # YAML 1.1 reads an unquoted 8:30 as the sexagesimal number 510.
        return time(value // 60 % 24, value % 60) if isinstance(value, int) else value

    def holds(self, at: time) -> bool:
        """Whether ``at`` lies in the window (start counts, end does not)."""
        if self.start <= self.end:
            return self.start <= at < self.end
        return at >= self.start or at < self.end


class Row(Frozen):
    """One line of the table. An absent condition is met by everything."""

    id: str
    title: Title
    matters: tuple[str, ...] = ()
    """Keys of matters, or prefixes of keys that end with ``*``: a class, a kind, a whole standard."""
    areas: tuple[str, ...] = ()
    """Area codes; everything below them counts."""
    channels: tuple[str, ...] = ()
    weekdays: tuple[int, ...] = ()
    """ISO days of the week, Monday is 1."""
    hours: Hours | None = None
    department: str

    def fits(self, matter: str, area: str, channel: str, local: datetime) -> bool:
        """Whether a case of this matter, place, channel and local time meets every condition."""
        return (
            (not self.matters or any(_same(pattern, matter) for pattern in self.matters))
            and (not self.areas or area.startswith(self.areas))
            and (not self.channels or channel in self.channels)
            and (not self.weekdays or local.isoweekday() in self.weekdays)
            and (self.hours is None or self.hours.holds(local.time()))
        )


class ResponsibilityFile(Frozen):
    """The whole file."""

    version: str
    rows: tuple[Row, ...] = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class Match:
    """The row that decided, the department it names, and why, for people."""

    row: str
    department: str
    reason: Title


class Responsibility:
    """A city's table, indexed by matter, so that a match looks at a handful of rows only."""

    def __init__(self, table: ResponsibilityFile, zone: ZoneInfo) -> None:
        self.version = table.version
        self.rows = table.rows
        self._zone = zone
        self._by_matter: dict[str, tuple[Row, ...]] = {}
        self._reasons = {row.id: _reason(row, number) for number, row in enumerate(table.rows, 1)}

    def match(self, matter: str, area: str | None, channel: str, named: str | None, at: datetime) -> Match | None:
        """The first row that fits; ``named`` is the department that the source itself names, if any."""
        local = at.astimezone(self._zone)
        for row in self._candidates(matter):
            department = named if row.department == AS_NAMED else row.department
            if department and row.fits(matter, area or "", channel, local):
                return Match(row.id, department, self._reasons[row.id])
        return None

    def _candidates(self, matter: str) -> tuple[Row, ...]:
        found = self._by_matter.get(matter)
        if found is None:
            found = tuple(r for r in self.rows if not r.matters or any(_same(p, matter) for p in r.matters))
            self._by_matter[matter] = found
        return found


def load_responsibility(
    path: Path,
    departments: Mapping[str, Department],
    matters: Collection[str],
    areas: Collection[str],
    zone: ZoneInfo,
) -> Responsibility:
    """Read and check a table; raises :class:`ContentError` naming file, line and key of every fault."""
    value, lines = read_yaml(path)
    table = checked(path, ResponsibilityFile, value, lines)
    faults = [
        fault
        for number, row in enumerate(table.rows)
        for fault in _row_faults(path, lines, number, row, departments, matters, areas)
    ]
    raise_faults(str(path), [*faults, *_repeats(path, lines, table)])
    return Responsibility(table, zone)


def _row_faults(
    path: Path,
    lines: Lines,
    number: int,
    row: Row,
    departments: Mapping[str, Department],
    matters: Collection[str],
    areas: Collection[str],
) -> list[Fault]:
    def fault(key: tuple[str | int, ...], what: str, mend: str) -> Fault:
        return fault_at(path, lines, ("rows", number, *key), what, mend)

    found = []
    body = departments.get(row.department)
    if row.department != AS_NAMED and body is None:
        mend = f"one of: {', '.join(departments)}, or {AS_NAMED}"
        found.append(fault(("department",), f"there is no department '{row.department}'", mend))
    elif body is not None and body.kind == "centre":
        found.append(fault(("department",), f"'{row.department}' is a centre", "a centre judges and never handles"))
    for index, pattern in enumerate(row.matters):
        if not any(_same(pattern, matter) for matter in matters):
            found.append(
                fault(("matters", index), f"no matter '{pattern}'", "a key of the catalogue, or a prefix with *")
            )
    for index, area in enumerate(row.areas):
        if area not in areas:
            found.append(fault(("areas", index), f"there is no area '{area}'", "a code of the city's area tree"))
    return found


def _repeats(path: Path, lines: Lines, table: ResponsibilityFile) -> list[Fault]:
    first: dict[str, int] = {}
    found = []
    for number, row in enumerate(table.rows):
        if first.setdefault(row.id, number) != number:
            found.append(
                fault_at(path, lines, ("rows", number, "id"), f"id '{row.id}' twice", "give every row its own")
            )
    return found


def _same(pattern: str, matter: str) -> bool:
    return matter.startswith(pattern[:-1]) if pattern.endswith("*") else matter == pattern


def _reason(row: Row, number: int) -> Title:
    return Title(
        zh=f"责任表第 {number} 行（{row.id}）：{row.title.zh}",
        en=f"row {number} of the responsibility table ({row.id}): {row.title.en}",
    )

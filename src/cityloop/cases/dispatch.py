"""Which department is responsible: a declared table, first match wins, and the matching row is the reason.

Pure once loaded. ``responsibility.yaml`` of a city is checked on load against its departments, matters and areas.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from cityloop.cases.dispatch_table import (
    AS_NAMED,
    CoHandler,
    Known,
    ResponsibilityFile,
    ResponsibilityRow,
    same,
    table_faults,
)
from cityloop.city.schemas import Department
from cityloop.core.content import checked, fault_at, raise_faults, read_yaml
from cityloop.core.values import Title


@dataclass(frozen=True, slots=True)
class Match:
    """The row that decided, the department it names, and why, for people.

    ``equals`` are the departments that the row finds equally responsible, more than one only among candidates; the
    first stands in ``department`` until load and speed have been looked at, which ``choice`` then tells.
    """

    row: str
    department: str
    reason: Title
    equals: tuple[str, ...]
    co_handlers: tuple[CoHandler, ...] = ()
    choice: Title | None = None

    @property
    def why(self) -> Title:
        """The row and the choice, in a sentence."""
        if self.choice is None:
            return self.reason
        return Title(zh=f"{self.reason.zh}；{self.choice.zh}", en=f"{self.reason.en}; {self.choice.en}")


class Responsibility:
    """A city's table, indexed by matter, so that a match looks at a handful of rows only."""

    def __init__(self, table: ResponsibilityFile, zone: ZoneInfo, known: Known) -> None:
        self.table = table
        self.known = known
        self._zone = zone
        self._by_matter: dict[str, tuple[ResponsibilityRow, ...]] = {}
        self._reasons = {row.id: _reason(row, number) for number, row in enumerate(table.rows, 1)}

    def having(self, table: ResponsibilityFile) -> Responsibility:
        """Another table of the same city; it has been checked."""
        return Responsibility(table, self._zone, self.known)

    def match(
        self, matter: str, area: str | None, channel: str, named: str | None, at: datetime, owner: str | None = None
    ) -> Match | None:
        """The first row that fits; ``named`` is the department that the source itself names, if any."""
        local = at.astimezone(self._zone)
        for row in self._candidates(matter):
            equals = (named or "",) if row.department == AS_NAMED else row.departments
            if equals[0] and row.fits(matter, area or "", channel, owner, local):
                return Match(row.id, equals[0], self._reasons[row.id], equals, row.co_handlers)
        return None

    def _candidates(self, matter: str) -> tuple[ResponsibilityRow, ...]:
        found = self._by_matter.get(matter)
        if found is None:
            rows = self.table.rows
            found = tuple(r for r in rows if not r.matters or any(same(p, matter) for p in r.matters))
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
    known = Known(departments, matters, areas)
    raise_faults(str(path), table_faults(table, known, lambda key: fault_at(path, lines, key, "").where))
    return Responsibility(table, zone, known)


def _reason(row: ResponsibilityRow, number: int) -> Title:
    return Title(
        zh=f"责任表第 {number} 行（{row.id}）：{row.title.zh}",
        en=f"row {number} of the responsibility table ({row.id}): {row.title.en}",
    )

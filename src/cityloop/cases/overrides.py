"""What is learned from dispatchers who chose otherwise: a proposed row, never a changed table. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cityloop.cases.dispatch_table import ResponsibilityFile, ResponsibilityRow, beside
from cityloop.core import canonical
from cityloop.core.values import Title


@dataclass(frozen=True, slots=True)
class Override:
    """One case that a person sent elsewhere than the table would have."""

    case: str
    matter: str
    district: str | None
    row: str | None
    chosen: str


@dataclass(frozen=True, slots=True)
class Lesson:
    """Equal overrides: so many cases of one matter in one district, past one row, to one department."""

    matter: str
    district: str | None
    row: str | None
    chosen: str
    cases: tuple[str, ...]

    @property
    def key(self) -> str:
        """Names the lesson as long as the same choice is meant."""
        parts = {"matter": self.matter, "district": self.district, "row": self.row, "chosen": self.chosen}
        return f"lesson_{canonical.digest(parts)[:16]}"


def lessons(overrides: Sequence[Override], least: int) -> list[Lesson]:
    """Those that were made at least ``least`` times, the most frequent first."""
    found: dict[tuple[str, str | None, str | None, str], list[str]] = {}
    for each in overrides:
        found.setdefault((each.matter, each.district, each.row, each.chosen), []).append(each.case)
    enough = [Lesson(*key, tuple(cases)) for key, cases in found.items() if len(cases) >= least]
    return sorted(enough, key=lambda lesson: (-len(lesson.cases), lesson.matter, lesson.chosen))


def proposed(table: ResponsibilityFile, lesson: Lesson, title: Title) -> ResponsibilityFile:
    """The table with a row for what was learned, above the one that was passed over, under the same conditions.

    A row that had been learned before for this matter and district is replaced.
    """
    row = _row(next((row for row in table.rows if row.id == lesson.row), None), lesson, title)
    place = next((number for number, other in enumerate(table.rows) if other.id == lesson.row), len(table.rows))
    before, after = ([o for o in part if o.id != row.id] for part in (table.rows[:place], table.rows[place:]))
    return table.model_copy(update={"rows": (*before, row, *after)})


def _row(passed: ResponsibilityRow | None, lesson: Lesson, title: Title) -> ResponsibilityRow:
    district = lesson.district
    below = [area for area in passed.areas if district and area.startswith(district)] if passed else []
    own = {
        "id": f"learned-{lesson.matter.replace(':', '-')}-{district or 'city'}"[:80],
        "title": title,
        "matters": (lesson.matter,),
        "areas": tuple(below) or ((district,) if district else ()),
        "department": lesson.chosen,
        "candidates": (),
    }
    if passed is None:
        return ResponsibilityRow.model_validate(own)
    return passed.model_copy(update={**own, "co_handlers": beside(passed.co_handlers, lesson.chosen)})

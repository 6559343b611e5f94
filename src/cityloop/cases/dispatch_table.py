"""The table of responsibility as it is declared, and everything about it that types cannot see."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time
from typing import Any

from pydantic import Field, PositiveInt, field_validator, model_validator

from cityloop.cases.phrases import PHRASES
from cityloop.city.schemas import Department
from cityloop.core.content import Key
from cityloop.core.errors import Fault
from cityloop.core.values import Frozen, Title

AS_NAMED = "as_named"
"""Instead of a department: whichever the source itself names (a warning's rule, a record of another system)."""


class DailyHours(Frozen):
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


class CoHandler(Frozen):
    """A department that does a part beside the lead."""

    department: str
    required: bool = True
    """Whether the case waits for the part."""
    demand: str = Field(default="", max_length=2000)
    after: tuple[str, ...] = ()
    """Co-handlers whose parts come first."""


class ResponsibilityRow(Frozen):
    """One line of the table. An absent condition is met by everything."""

    id: str = Field(min_length=1, max_length=80)
    title: Title
    matters: tuple[str, ...] = ()
    """Keys of matters, or prefixes of keys that end with ``*``: a class, a kind, a whole standard."""
    areas: tuple[str, ...] = ()
    """Area codes; everything below them counts."""
    owners: tuple[str, ...] = ()
    """Owners of the thing that the case is about, as ``owner`` of the entity directory names them."""
    channels: tuple[str, ...] = ()
    weekdays: tuple[int, ...] = ()
    """ISO days of the week, Monday is 1."""
    hours: DailyHours | None = None
    department: str | None = None
    candidates: tuple[str, ...] = ()
    """Instead of one department: equals, among whom load and past speed decide."""
    co_handlers: tuple[CoHandler, ...] = ()

    @model_validator(mode="after")
    def _one_or_equals(self) -> ResponsibilityRow:
        if (self.department is None) == (not self.candidates):
            raise ValueError("name either 'department' or 'candidates'")
        return self

    @property
    def departments(self) -> tuple[str, ...]:
        """Who may lead by this row, ``as_named`` as it is written."""
        return self.candidates or (self.department or "",)

    def fits(self, matter: str, area: str, channel: str, owner: str | None, local: datetime) -> bool:
        """Whether a case of this matter, place, channel, owner and local time meets every condition."""
        return (
            (not self.matters or any(same(pattern, matter) for pattern in self.matters))
            and (not self.areas or area.startswith(self.areas))
            and (not self.owners or owner in self.owners)
            and (not self.channels or channel in self.channels)
            and (not self.weekdays or local.isoweekday() in self.weekdays)
            and (self.hours is None or self.hours.holds(local.time()))
        )


class ResponsibilityFile(Frozen):
    """The whole file."""

    version: str = Field(max_length=60)
    learn_after: int = Field(default=5, ge=2, le=1000)
    """So many equal overrides of one matter in one district make a proposal."""
    handlers: dict[str, PositiveInt] = {}
    """People who can handle at once, by department; absent: its accounts that may submit a result."""
    rows: tuple[ResponsibilityRow, ...] = Field(min_length=1)


@dataclass(frozen=True, slots=True)
class Known:
    """The names that a table may use."""

    departments: Mapping[str, Department]
    matters: Collection[str]
    areas: Collection[str]


At = Callable[[Key], str]


def table_faults(table: ResponsibilityFile, known: Known, at: At) -> list[Fault]:
    """Names that lead nowhere, a lead that helps itself, ids used twice; ``at`` tells where a key of it stands."""
    found = [_unknown(("handlers", name), name, known) for name in table.handlers if name not in known.departments]
    first: dict[str, int] = {}
    for number, row in enumerate(table.rows):
        if first.setdefault(row.id, number) != number:
            found.append(_Finding(("rows", number, "id"), "row-twice", {"name": row.id}))
        found += [replace(one, key=("rows", number, *one.key)) for one in _row(row, known)]
    return [PHRASES.fault(at(one.key), one.phrase, **one.parts) for one in found]


@dataclass(frozen=True, slots=True)
class _Finding:
    """What is wrong at a key, as a phrase of this room and what stands in it."""

    key: Key
    phrase: str
    parts: Mapping[str, object]


def _row(row: ResponsibilityRow, known: Known) -> Iterable[_Finding]:
    if row.department is not None and row.department != AS_NAMED:
        yield from _body(("department",), row.department, known)
    for index, name in enumerate(row.candidates):
        yield from _body(("candidates", index), name, known)
        if name in row.candidates[:index]:
            yield _Finding(("candidates", index), "twice", {"name": name})
    for index, pattern in enumerate(row.matters):
        if not any(same(pattern, matter) for matter in known.matters):
            yield _Finding(("matters", index), "no-matter", {"name": pattern})
    for index, area in enumerate(row.areas):
        if area not in known.areas:
            yield _Finding(("areas", index), "no-area", {"name": area})
    for index, day in enumerate(row.weekdays):
        if not 1 <= day <= 7:
            yield _Finding(("weekdays", index), "no-weekday", {"name": day})
    yield from _helpers(row, known)


def _helpers(row: ResponsibilityRow, known: Known) -> Iterable[_Finding]:
    names = [helper.department for helper in row.co_handlers]
    for index, helper in enumerate(row.co_handlers):
        key: Key = ("co_handlers", index)
        yield from _body((*key, "department"), helper.department, known)
        if helper.department == row.department:
            yield _Finding((*key, "department"), "leads", {"name": helper.department})
        if helper.department in names[:index]:
            yield _Finding((*key, "department"), "twice", {"name": helper.department})
        for before, name in enumerate(helper.after):
            if name not in names[:index]:
                yield _Finding((*key, "after", before), "not-above", {"name": name})


def _body(key: Key, name: str, known: Known) -> Iterable[_Finding]:
    body = known.departments.get(name)
    if body is None:
        yield _unknown(key, name, known)
    elif body.kind == "centre":
        yield _Finding(key, "centre", {"name": name})


def _unknown(key: Key, name: str, known: Known) -> _Finding:
    return _Finding(key, "no-department", {"name": name, "known": ", ".join(known.departments), "as_named": AS_NAMED})


def beside(helpers: Sequence[CoHandler], lead: str) -> tuple[CoHandler, ...]:
    """The co-handlers beside a lead; none waits for the lead."""
    others = (helper for helper in helpers if helper.department != lead)
    return tuple(
        helper.model_copy(update={"after": tuple(name for name in helper.after if name != lead)}) for helper in others
    )


def same(pattern: str, matter: str) -> bool:
    """Whether a matter is meant by a key, or by a prefix that ends with ``*``."""
    return matter.startswith(pattern[:-1]) if pattern.endswith("*") else matter == pattern

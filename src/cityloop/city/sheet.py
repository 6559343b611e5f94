"""What the sheets of a city share: their columns in both languages, their lines, and what an import would change."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Literal

from cityloop.core.errors import Fault
from cityloop.core.values import Frozen, Title

_BRACKETS = re.compile(r"[(\[【{][^()\[\]【】{}]*[)\]】}]")
_FILLING = re.compile(r"[\s_*]+")


@dataclass(frozen=True)
class SheetLine:
    """One row; ``texts`` by the keys of the columns, ``places`` of their cells."""

    texts: Mapping[str, str]
    places: Mapping[str, str]


@dataclass(frozen=True)
class Column:
    """A column of a sheet: how it is headed, what else heads it, how it is filled."""

    key: str
    title: Title
    note: Title
    words: tuple[str, ...] = ()
    example: str = ""
    needed: bool = False

    @property
    def headings(self) -> tuple[str, ...]:
        """Every heading that stands for the column."""
        return (self.key, self.title.zh, self.title.en, *self.words)


@dataclass(frozen=True)
class SheetKind:
    """A kind of sheet: what ``cityloop import`` calls it, and its columns in the order of the template."""

    name: str
    title: Title
    columns: tuple[Column, ...]

    @property
    def headings(self) -> Mapping[str, tuple[str, ...]]:
        """The headings of each column."""
        return {column.key: column.headings for column in self.columns}


class SheetChange(Frozen):
    """One thing that a sheet brings or changes; what did not change is left out of ``before`` and ``after``."""

    key: str
    change: Literal["new", "changed", "removed"]
    before: dict[str, str] = {}
    after: dict[str, str] = {}


class SheetFault(Frozen):
    """A cell or a row that was not understood, and how to mend it; with a code in both languages."""

    where: str
    what: str
    mend: str
    code: str = ""
    said: Title | None = None
    remedy: Title | None = None

    @classmethod
    def of(cls, fault: Fault) -> SheetFault:
        """The fault of a cell as the wire has it."""
        return cls(**{item.name: getattr(fault, item.name) for item in fields(fault)})


class SheetPlan(Frozen):
    """What a sheet would change; nothing is written by reading it."""

    kind: str
    rows: int
    understood: int
    same: int
    """Rows that say what stands already."""
    kept: int
    """Things that stand and that the sheet does not name; they stay."""
    changes: list[SheetChange]
    first: list[dict[str, str]]
    """The first rows as they were understood."""
    faults: list[SheetFault]
    notes: list[Title]


def plain_heading(text: str) -> str:
    """A heading as headings are compared: the last of several rows, without width, case, blanks, brackets and stars."""
    last = unicodedata.normalize("NFKC", text).rpartition("/")[2]
    return _FILLING.sub("", _BRACKETS.sub("", last)).casefold()


def headed(names: Sequence[str], headings: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    """Which column of a table holds what; those that are not there are left out."""
    bare = {name: plain_heading(name) for name in names}
    wanted = {key: {plain_heading(word) for word in words} for key, words in headings.items()}
    found = {key: next((name for name in names if bare[name] in words), None) for key, words in wanted.items()}
    return {key: name for key, name in found.items() if name is not None}

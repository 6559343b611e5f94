"""What the catalogue says on the wire."""

from __future__ import annotations

from typing import Literal

from cityloop.core.values import Frozen, Instant, Title
from cityloop.steward.uses import Use

DatasetKind = Literal["table", "events", "feed", "source"]
Level = Literal["open", "internal", "sensitive"]
LEVELS: tuple[Level, ...] = ("open", "internal", "sensitive")
Cell = str | float | int | bool | None


class DatasetLine(Frozen):
    """One dataset. Counts are given to who may see every row of it, to others they are null."""

    id: str
    kind: DatasetKind
    title: Title
    departments: list[str]
    sensitivity: Level
    tags: list[str]
    fresh_at: Instant | None
    received_at: Instant | None
    fresh: bool | None
    rows: int | None
    bytes: int | None
    files: int | None
    partitions: int | None
    quality: float | None
    link: str | None


class ColumnView(Frozen):
    """A column. Share of empty values, least and greatest value only where the asker may see all of it."""

    id: str
    title: Title
    unit: str
    kind: str
    code_list: str | None
    required: bool
    sensitivity: Level
    masked: bool
    nulls: float | None
    min: Cell
    max: Cell
    used_by: list[Use]


class DatasetDetail(DatasetLine):
    """A dataset with its columns and everything that uses it."""

    columns: list[ColumnView]
    used_by: list[Use]


class SampleView(Frozen):
    """The newest rows, as the asker may see them."""

    columns: list[str]
    rows: list[list[Cell]]
    scope: str


class DatasetFilter(Frozen):
    """Which datasets are wanted; ``text`` looks in ids, titles and tags."""

    kind: DatasetKind | None = None
    type: str | None = None
    department: str | None = None
    sensitivity: Level | None = None
    text: str | None = None

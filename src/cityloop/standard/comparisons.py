"""Properties made when rows arrive, of what other rows told: how far a value lies from those of the others, and how
long until a level is reached at the pace of before.

They become columns of the lake like any other, so rules, charts and questions read them as they were known at the time.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import polars as pl
from pydantic import Field

from cityloop.core.content import Key
from cityloop.core.values import Frozen
from cityloop.standard.check_rules import Span

if TYPE_CHECKING:
    from cityloop.standard.types import EntityType

Found = tuple[Key, str, str]
Held = Mapping[str, tuple[int, tuple[Any, ...]]]
"""Entity → instant (µs since 1970) and asked values of its newest row."""
Newest = Callable[[Sequence[str], Collection[str] | None], Held]
"""The newest row of each of these entities (``None``: of all), with the values of these properties."""
Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
_Past = tuple[int, float | None, float | None]
"""Of an entity's newest row: its instant, what it left, and the pace known then."""
SPREAD = 1.4826
"""Median absolute deviations of a normal distribution that make one standard deviation."""
_HOUR = 3_600_000_000
_NEVER = np.iinfo(np.int64).min


class Beside(Frozen):
    """How many spreads a value lies from the median of the other entities of its type.

    The others count with their newest value that is no older than ``within``. With fewer than ``least`` there is none,
    nor for a row that is older than the newest of its entity.
    """

    property: str
    within: Span
    least: int = Field(default=3, ge=2, le=1000)
    floor: float = Field(gt=0)
    """The smallest spread that is believed, in the property's unit: about the error of the instrument."""


class Pace(Frozen):
    """How fast a value rises between two rows, and when it will reach a level.

    Between two rows of an entity the value rose from what the earlier one left (``left``) to what the later one found
    (``found``), as the fill of a bin between two emptyings.
    """

    found: str
    left: str
    level: float
    weight: float = Field(default=0.3, gt=0, le=1)
    """How much the newest pace counts beside those before it."""
    pace: str
    """Property that takes the pace, in the unit of ``found`` per hour."""
    hours: str
    """Property that takes the hours from the row until ``level``."""


class Comparer:
    """Adds to rows what is made of other rows. Remembers the newest values; one thread adds, any may let it forget.

    ``newest`` tells what is stored, when the memory is empty.
    """

    def __init__(self, kind: EntityType, newest: Newest) -> None:
        self._kind, self._newest = kind, newest
        self._boards: dict[str, _Board] = {}

    def forget(self) -> None:
        """Ask for what is stored before the next rows: a commit has failed, or the lake has changed otherwise."""
        self._boards = {}

    def added(self, rows: pl.DataFrame) -> pl.DataFrame:
        """The rows with the properties of :attr:`Property.beside` and of the paces; those that they have, stay."""
        for item in self._kind.properties:
            if item.beside and item.beside.property in rows.columns and item.id not in rows.columns:
                rows = rows.with_columns(self._apart(rows, item.id, item.beside))
        for rule in self._kind.paces:
            if {rule.found, rule.left} <= set(rows.columns) and not {rule.pace, rule.hours} & set(rows.columns):
                held = self._newest([rule.left, rule.pace], rows["entity"].unique().to_list())
                rows = rows.hstack(_paced(rows, rule, held))
        return rows

    def _apart(self, rows: pl.DataFrame, name: str, rule: Beside) -> pl.Series:
        board = self._boards.get(name)
        if board is None:
            board = self._boards[name] = _Board(rule, self._newest([rule.property], None))
        values = rows[rule.property].cast(pl.Float64).fill_null(float("nan")).to_numpy()
        instants = rows["observed_at"].to_physical().to_numpy()
        scores = board.scores(rows["entity"].to_list(), instants, values)
        return pl.Series(name, scores).fill_nan(None)


def comparison_faults(kind: EntityType) -> Iterator[Found]:
    """Names of properties that do not exist or are no numbers."""
    for number, item in enumerate(kind.properties):
        if item.beside:
            yield from _number(kind, ("properties", number, "beside", "property"), item.beside.property)
            yield from _number(kind, ("properties", number, "kind"), item.id)
    for number, rule in enumerate(kind.paces):
        for key in ("found", "left", "pace", "hours"):
            yield from _number(kind, ("paces", number, key), getattr(rule, key))


def _number(kind: EntityType, key: Key, name: str) -> Iterator[Found]:
    item = kind.find(name)
    if item is None or item.kind != "number":
        known = ", ".join(one.id for one in kind.properties if one.kind == "number")
        yield key, f"{kind.id} has no property '{name}' of kind number", f"known: {known or 'none'}"


class _Board:
    """The newest value of every entity."""

    def __init__(self, rule: Beside, held: Held) -> None:
        self._rule = rule
        known = {entity: (at, values[0]) for entity, (at, values) in held.items() if values[0] is not None}
        self._slots = {entity: number for number, entity in enumerate(known)}
        self._at = np.array([at for at, _ in known.values()], np.int64)
        self._value = np.array([value for _, value in known.values()], np.float64)

    def scores(self, entities: Sequence[str], at: Ints, values: Floats) -> Floats:
        """The score of each row, instant by instant; NaN without a value, without enough others, or for a late row."""
        slots = self._numbers(entities)
        found = np.full(len(values), np.nan)
        there = np.isfinite(values)
        for instant in np.unique(at[there]):
            rows = np.flatnonzero(there & (at == instant) & (self._at[slots] <= instant))
            self._at[slots[rows]], self._value[slots[rows]] = instant, values[rows]
            fresh = np.flatnonzero((self._at <= instant) & (self._at >= instant - self._rule.within * 1_000_000))
            if len(fresh) > self._rule.least:
                middle, spread = _others(self._value[fresh])
                place = np.searchsorted(fresh, slots[rows])
                found[rows] = (values[rows] - middle[place]) / np.maximum(SPREAD * spread[place], self._rule.floor)
        return found

    def _numbers(self, entities: Sequence[str]) -> Ints:
        slots = np.array([self._slots.setdefault(entity, len(self._slots)) for entity in entities], np.int64)
        more = len(self._slots) - len(self._at)
        self._at = np.r_[self._at, np.full(more, _NEVER, np.int64)]
        self._value = np.r_[self._value, np.full(more, np.nan)]
        return slots


def _others(values: Floats) -> tuple[Floats, Floats]:
    """For each value the median of the others, and their median absolute deviation from it."""
    middle, spread = _median_of_others(values), np.empty(len(values))
    for one in np.unique(middle):
        chosen = middle == one
        spread[chosen] = _median_of_others(np.abs(values - one))[chosen]
    return middle, spread


def _median_of_others(values: Floats) -> Floats:
    """For each value the median of the others: the sorted values with one left out. The middles are at most three."""
    order = np.argsort(values, kind="stable")
    rank = np.empty(len(values), np.int64)
    rank[order] = np.arange(len(values))
    ordered, count = values[order], len(values) - 1
    low, high = (count - 1) // 2, count // 2
    return np.asarray((ordered[low + (rank <= low)] + ordered[high + (rank <= high)]) / 2)


def _paced(rows: pl.DataFrame, rule: Pace, held: Held) -> pl.DataFrame:
    """Pace and hours of each row, in the order of ``rows``; a row behind a newer one tells the pace known then."""
    past: dict[str, _Past] = {entity: (at, left, pace) for entity, (at, (left, pace)) in held.items()}
    made: list[tuple[float | None, float | None]] = [(None, None)] * rows.height
    columns = rows.select("entity", at=pl.col("observed_at").to_physical(), found=rule.found, left=rule.left)
    for number in columns["at"].arg_sort():
        entity, at, found, left = columns.row(number)
        since, before, pace = past.get(entity, (at, None, None))
        if at > since and found is not None and before is not None and found > before:
            fresh = (found - before) / (at - since) * _HOUR
            pace = fresh if pace is None else pace + rule.weight * (fresh - pace)
        if at >= since:
            past[entity] = (at, left, pace)
        made[number] = (pace, _hours(rule.level, left, pace))
    return pl.DataFrame(made, {rule.pace: pl.Float64(), rule.hours: pl.Float64()}, orient="row")


def _hours(level: float, left: float | None, pace: float | None) -> float | None:
    return None if left is None or not pace else max(0.0, (level - left) / pace)

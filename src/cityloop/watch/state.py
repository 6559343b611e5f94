"""What the evaluation remembers of one rule: ring buckets of many entities, as numpy arrays.

Event time is cut into buckets of ``rule.bucket`` seconds. Every entity has a ring of buckets that ends at its *head*,
the newest bucket it has a record in. A late record lands in its own bucket, so order of arrival does not matter within
the tolerance. Instants are microseconds since 1970 (UTC).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from cityloop.watch.rules import Aggregate, Rule

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Cells = npt.NDArray[Any]

NEVER = np.iinfo(np.int64).min // 4
"""An instant or bucket before all others."""
ALWAYS = -NEVER

CELLS: dict[Aggregate, dict[str, float]] = {
    "mean": {"count": 0, "total": 0.0},
    "sum": {"count": 0, "total": 0.0},
    "count": {"count": 0},
    "min": {"count": 0, "low": np.inf},
    "max": {"count": 0, "high": -np.inf},
    "last": {"count": 0, "newest": np.nan, "newest_at": NEVER},
    "change": {"count": 0, "newest": np.nan, "newest_at": NEVER, "oldest": np.nan},
    "rate": {"count": 0, "newest": np.nan, "newest_at": NEVER, "oldest": np.nan},
    "spread": {"count": 0, "low": np.inf, "high": -np.inf},
    "percentile": {"count": 0, "values": np.nan},
    "roam": {"count": 0, "low": np.inf, "high": -np.inf},
    "silence": {"count": 0},
    "anomaly": {"count": 0, "total": 0.0},
    "forecast": {"count": 0, "newest": np.nan, "newest_at": NEVER},
}
"""What each aggregate keeps for a bucket, with the value of an empty one."""
_WHOLE = {"count", "newest_at", "first"}
_DEPTH: dict[Aggregate, dict[str, int]] = {"percentile": {"values": 8}, "roam": {"low": 2, "high": 2}}
"""Cells that hold more than one number: room for the values themselves, longitude and latitude."""
_SINGLE: frozenset[Aggregate] = frozenset({"change", "rate", "percentile", "roam"})
MOST_VALUES = 1024
"""Values that a bucket of a percentile keeps; what comes beyond is an error of the rule."""


class Entities:
    """Numbers the entities of one type in the order in which they appear; shared by all rules of the type."""

    def __init__(self) -> None:
        self.names: list[str] = []
        self.index: dict[str, int] = {}
        self.renewed: list[int] = []
        """Numbers that changed their owner; whoever keeps a state of them empties it."""
        self._free: list[int] = []

    def numbers(self, names: Sequence[str]) -> Ints:
        """The numbers of these entities; unknown ones are added."""
        for name in names:
            if name not in self.index:
                self._add(name)
        return np.array([self.index[name] for name in names], np.int64)

    def release(self, name: str) -> None:
        """Forget an entity; its number goes to the next new one."""
        number = self.index.pop(name)
        self.names[number] = ""
        self._free.append(number)

    def _add(self, name: str) -> None:
        if not self._free:
            self.index[name] = len(self.names)
            self.names.append(name)
            return
        number = self.index[name] = self._free.pop()
        self.names[number] = name
        self.renewed.append(number)


class Rings:
    """Ring buckets by number, with the newest bucket (``head``), the newest instant and the level of each.

    The numbers are those of entities in a :class:`State`; a copy may number the moments of entities instead.
    """

    step: int
    span: int
    columns: int
    """How many buckets back the evaluation looks to see how long a condition has lasted."""
    size: int

    def __init__(
        self, like: Rings, cells: dict[str, Cells], head: Ints, last: Ints, level: npt.NDArray[np.int8]
    ) -> None:
        self.step, self.span, self.columns, self.size = like.step, like.span, like.columns, like.size
        self.cells, self.head, self.last, self.level = cells, head, last, level

    def recent(self, name: str, entity: Ints, length: int) -> Cells:
        """The newest ``length`` buckets of these entities, oldest first: shape (entities, length)."""
        slots = (self.head[entity][:, None] - np.arange(length - 1, -1, -1)) % self.size
        return np.asarray(self.cells[name][entity[:, None], slots])


class State(Rings):
    """Rings and levels of one rule. Call :meth:`fit` once entities have been added."""

    def __init__(self, rule: Rule, entities: Entities | None = None) -> None:
        self.entities = entities or Entities()
        bucket = rule.bucket or 1  # silence has no window
        self.step = bucket * 1_000_000
        self.span = max(1, rule.window // bucket)
        self.columns = 1 if rule.longest == 0 else -(-rule.longest // bucket) + 2
        self.size = self.span + self.columns - 1
        self.fills: dict[str, float] = {**CELLS[rule.aggregate], "first": ALWAYS}
        self.depth = dict(_DEPTH.get(rule.aggregate, {}))
        self.at_once = rule.aggregate not in _SINGLE
        """Whether the records of a run can be judged together."""
        self.cells = {name: self._new(name, (0, self.size)) for name in self.fills}
        self.head = np.empty(0, np.int64)
        self.last = np.empty(0, np.int64)
        self.level = np.empty(0, np.int8)
        self.outcome = np.empty(0, np.int8)
        self.stage = np.empty(0, np.int8)
        self.left = np.empty(0, np.float64)

    @property
    def names(self) -> list[str]:
        """Names of the entities, by number."""
        return self.entities.names

    @property
    def index(self) -> dict[str, int]:
        """Numbers of the entities, by name."""
        return self.entities.index

    def numbers(self, names: Sequence[str]) -> Ints:
        """The numbers of these entities; unknown ones are added."""
        found = self.entities.numbers(names)
        self.fit()
        return found

    def fit(self) -> None:
        """Make room for all entities there are, and begin anew for those that have another's number."""
        if len(self.names) > len(self.head):
            self._grow(max(64, 2 * len(self.names)))
        if self.entities.renewed:
            self._renew(np.array(self.entities.renewed))
            self.entities.renewed.clear()

    def restore(self, rows: Iterable[tuple[str, int, int, int]]) -> None:
        """Set what the database remembers: (entity, level as 1-based position in the ladder, stage, instant)."""
        for name, level, stage, at in rows:
            number = self.numbers([name])
            self.level[number], self.stage[number] = level, stage
            self.last[number] = np.maximum(self.last[number], at)
            ahead = self.last[number] // self.step > self.head[number]
            self.advance(number[ahead], self.last[number][ahead] // self.step)

    def newest(self, number: int) -> list[tuple[int, float]]:
        """The newest reading of every bucket of an entity and where it began, oldest first: :meth:`fill` takes it."""
        slots = np.flatnonzero(self.cells["count"][number] > 0)
        found = {
            (int(self.cells[name][number, slot]), float(self.cells["newest"][number, slot]))
            for slot in slots
            for name in ("first", "newest_at")
        }
        return sorted(found)

    def fill(self, entity: Ints, at: Ints, value: Floats) -> None:
        """Add many records at once; those that lie before a ring are left out."""
        bucket = at // self.step
        newest = np.full(len(self.head), NEVER, np.int64)
        np.maximum.at(newest, entity, bucket)
        ahead = np.flatnonzero(newest > self.head)
        self.advance(ahead, newest[ahead])
        np.maximum.at(self.last, entity, at)
        kept = bucket > self.head[entity] - self.size
        entity, at, value, slot = entity[kept], at[kept], value[kept], (bucket % self.size)[kept]
        if "values" in self.cells:
            place = _rank(entity * self.size + slot)
            self._store(entity, slot, place, value)
        ways = {"count": np.add, "total": np.add, "first": np.minimum, "low": np.minimum, "high": np.maximum}
        gains = {"count": np.ones(len(at), np.int64), "total": value, "first": at, "low": value, "high": value}
        for name in self.cells.keys() & ways.keys():
            ways[name].at(self.cells[name], (entity, slot), gains[name])
        if "newest" in self.cells:
            order = np.argsort(at, kind="stable")
            self.cells["newest"][entity[order], slot[order]] = value[order]
            self.cells["newest_at"][entity[order], slot[order]] = at[order]
        if "oldest" in self.cells:
            order = np.argsort(at, kind="stable")[::-1]
            self.cells["oldest"][entity[order], slot[order]] = value[order]

    def put(self, entity: Ints, at: Ints, value: Floats) -> None:
        """Add one record to each of these *different* entities."""
        bucket = at // self.step
        ahead = bucket > self.head[entity]
        self.advance(entity[ahead], bucket[ahead])
        slot = bucket % self.size
        cells = self.cells
        if "values" in cells:
            self._store(entity, slot, cells["count"][entity, slot], value)
        if "oldest" in cells:
            older = at < cells["first"][entity, slot]
            cells["oldest"][entity[older], slot[older]] = value[older]
        cells["count"][entity, slot] += 1
        cells["first"][entity, slot] = np.minimum(cells["first"][entity, slot], at)
        if "total" in cells:
            cells["total"][entity, slot] += value
        if "low" in cells:
            cells["low"][entity, slot] = np.minimum(cells["low"][entity, slot], value)
        if "high" in cells:
            cells["high"][entity, slot] = np.maximum(cells["high"][entity, slot], value)
        if "newest" in cells:
            newer = at >= cells["newest_at"][entity, slot]
            cells["newest"][entity[newer], slot[newer]] = value[newer]
            cells["newest_at"][entity[newer], slot[newer]] = at[newer]
        self.last[entity] = np.maximum(self.last[entity], at)

    def advance(self, entity: Ints, bucket: Ints) -> None:
        """Move heads forward to ``bucket`` and empty the buckets that come into the rings."""
        if not len(entity):
            return
        slots = np.arange(self.size)
        holds = bucket[:, None] - (bucket[:, None] - slots) % self.size
        row, slot = np.nonzero(holds > self.head[entity][:, None])
        for name, fill in self.fills.items():
            self.cells[name][entity[row], slot] = fill
        self.head[entity] = bucket

    def _renew(self, entity: Ints) -> None:
        for name, fill in self.fills.items():
            self.cells[name][entity] = fill
        self.head[entity] = self.last[entity] = NEVER
        for column in (self.level, self.outcome, self.stage, self.left):
            column[entity] = 0

    def _store(self, entity: Ints, slot: Ints, place: Ints, value: Floats) -> None:
        """Keep values at their places in their buckets, as far as there is room."""
        fits = place < MOST_VALUES
        wanted = int(place[fits].max(initial=-1)) + 1
        if wanted > self.depth["values"]:
            more = max(wanted, 2 * self.depth["values"]) - self.depth["values"]
            self.depth["values"] += more
            cells = self.cells["values"]
            self.cells["values"] = np.concatenate([cells, np.full((*cells.shape[:2], more), np.nan)], axis=2)
        self.cells["values"][entity[fits], slot[fits], place[fits]] = value[fits]

    def _grow(self, capacity: int) -> None:
        more = capacity - len(self.head)
        for name in self.cells:
            self.cells[name] = np.concatenate([self.cells[name], self._new(name, (more, self.size))])
        self.head = np.concatenate([self.head, np.full(more, NEVER, np.int64)])
        self.last = np.concatenate([self.last, np.full(more, NEVER, np.int64)])
        self.level = np.concatenate([self.level, np.zeros(more, np.int8)])
        self.outcome = np.concatenate([self.outcome, np.zeros(more, np.int8)])
        self.stage = np.concatenate([self.stage, np.zeros(more, np.int8)])
        self.left = np.concatenate([self.left, np.zeros(more)])

    def _new(self, name: str, shape: tuple[int, int]) -> Cells:
        whole = (*shape, self.depth[name]) if name in self.depth else shape
        return np.full(whole, self.fills[name], np.int64 if name in _WHOLE else np.float64)


def _rank(group: Ints) -> Ints:
    """The position of each item among those of its group, in their order."""
    order = np.argsort(group, kind="stable")
    begins = np.r_[True, group[order][1:] != group[order][:-1]] if len(group) else np.empty(0, np.bool_)
    place = np.arange(len(group))
    rank = np.empty(len(group), np.int64)
    rank[order] = place - np.maximum.accumulate(np.where(begins, place, 0))
    return rank

"""What the evaluation remembers of rules that are alike: ring buckets of many entities, and where each rule stands."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from cityloop.watch.cells import (
    ALWAYS,
    CELLS,
    DEPTH,
    MOST_VALUES,
    NEVER,
    WAYS,
    WHOLE,
    Bools,
    Cells,
    Floats,
    Ints,
)
from cityloop.watch.rings import Rings
from cityloop.watch.rules import Rule
from cityloop.watch.terms import Terms, bucket_of
from cityloop.watch.windows import Windows


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
        found = list(map(self.index.get, names))
        if None in found:
            found = [self._add(name) if number is None else number for name, number in zip(names, found, strict=True)]
        return np.array(found, np.int64)

    def release(self, name: str) -> None:
        """Forget an entity; its number goes to the next new one."""
        number = self.index.pop(name)
        self.names[number] = ""
        self._free.append(number)

    def _add(self, name: str) -> int:
        """The number of an entity that was unknown, or is named twice."""
        if name in self.index:
            return self.index[name]
        if self._free:
            number = self._free.pop()
            self.names[number] = name
            self.renewed.append(number)
        else:
            number = len(self.names)
            self.names.append(name)
        self.index[name] = number
        return number


class State(Rings):
    """Rings of rules that are alike, and where each rule stands with each entity.

    Standings have the shape (entities, rules); with one rule, :attr:`level` and the like are its column. They are
    written only where a rule is not at rest, so that a thousand rules over many entities take no room for most of
    them. Call :meth:`fit` once entities have been added.
    """

    def __init__(self, rules: Rule | Sequence[Rule], entities: Entities | None = None) -> None:
        self.terms = Terms([rules] if isinstance(rules, Rule) else rules)
        self.entities = entities or Entities()
        aggregates = [rule.aggregate for rule in self.terms.rules]
        self.fills = {name: fill for one in aggregates for name, fill in CELLS[one].items()} | {"first": ALWAYS}
        self.depth = {name: deep for one in aggregates for name, deep in DEPTH.get(one, {}).items()}
        none = np.empty(0, np.int64)
        super().__init__(bucket_of(self.terms.rules[0]) * 1_000_000, self.terms.size, {}, none, none)
        self.cells = {name: self._new(name, 0) for name in self.fills}
        spans = {group.span for group in self.terms.groups}
        self.windows = {span: Windows(span, self.fills.keys() - {"values"}) for span in spans}
        """What the cells of the newest window come to, for each width of window."""
        shape = (0, len(self.terms.rules))
        self.levels, self.stages = np.zeros(shape, np.int8), np.zeros(shape, np.int8)
        self.outcomes, self.lefts = np.zeros(shape, np.int8), np.zeros(shape)
        self.busy, self.apart = np.zeros(shape, np.bool_), np.zeros(shape, np.bool_)
        """Which pairs the last evaluation had to look at; which are judged elsewhere."""
        self.restless = np.empty(0, np.int64)
        """How many rules are busy with each entity."""
        self.resting = np.zeros((0, len(self.terms.groups)), np.int8)
        """The outcome of all pairs of an entity and a group's rules that are at rest."""

    @property
    def level(self) -> npt.NDArray[np.int8]:
        """Level of each entity by the one rule: 1-based position in its ladder, 0 for none."""
        return self.levels[:, 0]

    @property
    def stage(self) -> npt.NDArray[np.int8]:
        """Quiet, waiting or open, by the one rule."""
        return self.stages[:, 0]

    @property
    def outcome(self) -> npt.NDArray[np.int8]:
        """What the last evaluation of each entity found, by the one rule."""
        return self.outcomes[:, 0]

    @property
    def left(self) -> Floats:
        """Seconds until the next change, by the one rule; 0 where none is due."""
        return self.lefts[:, 0]

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
            self.forget(np.array(self.entities.renewed))
            self.entities.renewed.clear()

    def restore(self, rows: Iterable[tuple[str, int, int, int]], rule: int = 0) -> None:
        """Set what the database remembers of a rule: (entity, level as 1-based position, stage, instant)."""
        for name, level, stage, at in rows:
            number = self.numbers([name])
            self.levels[number, rule], self.stages[number, rule] = level, stage
            self.occupy(number, np.array([rule]), np.array([level > 0 or stage > 0]))
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
            self.store(entity, slot, place, value)
        gains = {"count": np.ones(len(at), np.int64), "total": value, "first": at, "low": value, "high": value}
        for name in self.cells.keys() & gains.keys():
            WAYS[name].at(self.cells[name], (entity, slot), gains[name])
        if "newest" in self.cells:
            order = np.argsort(at, kind="stable")
            self.cells["newest"][entity[order], slot[order]] = value[order]
            self.cells["newest_at"][entity[order], slot[order]] = at[order]
        if "oldest" in self.cells:
            order = np.argsort(at, kind="stable")[::-1]
            self.cells["oldest"][entity[order], slot[order]] = value[order]
        self._changed(entity)

    def put(self, entity: Ints, at: Ints, value: Floats) -> None:
        """Add one record to each of these *different* entities."""
        bucket = at // self.step
        ahead = bucket > self.head[entity]
        self.advance(entity[ahead], bucket[ahead])
        slot = bucket % self.size
        cells = self.cells
        if "values" in cells:
            self.store(entity, slot, cells["count"][entity, slot], value)
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
        self._changed(entity)

    def advance(self, entity: Ints, bucket: Ints) -> None:
        """Move heads forward to ``bucket`` and empty the buckets that come into the rings."""
        if not len(entity):
            return
        start = np.maximum(self.head[entity] + 1, bucket - self.size + 1)
        row, slot = each_of(bucket - start + 1)
        slot = (start[row] + slot) % self.size
        for name, fill in self.fills.items():
            self.cells[name][entity[row], slot] = fill
        self.head[entity] = bucket

    def note(self, entity: Ints, group: int, outcome: Ints) -> None:
        """What was found of entities whose pairs with the rules of a group are at rest."""
        outcome = outcome.astype(np.int8)
        if len(self.terms.rules) > 1:
            news = self.resting[entity, group] != outcome
            entity, outcome = entity[news], outcome[news]
        if len(entity):
            self.resting[entity, group] = outcome
            self.outcomes[entity[:, None], self.terms.groups[group].members] = outcome[:, None]

    def occupy(self, entity: Ints, rule: Ints, busy: Bools) -> None:
        """Whether pairs, each given once, have to be looked at again."""
        before = self.busy[entity, rule]
        np.add.at(self.restless, entity, busy.astype(np.int64) - before)
        self.busy[entity, rule] = busy

    def adopt(self, entity: Ints, rule: int, other: State, number: Ints, position: int) -> None:
        """Take over where another state's rule stands with entities that have other numbers there."""
        for mine, theirs in zip(self._standings(), other._standings(), strict=True):
            if mine is not self.busy:
                mine[entity, rule] = theirs[number, position]
        self.apart[entity, rule] = False
        self.occupy(entity, np.full(len(entity), rule), other.busy[number, position])

    def dismiss(self, entity: Ints, rule: int) -> None:
        """Leave these entities to another state."""
        self.occupy(entity, np.full(len(entity), rule), np.zeros(len(entity), np.bool_))
        for standing in self._standings():
            standing[entity, rule] = 0
        self.apart[entity, rule] = True

    def _changed(self, entity: Ints) -> None:
        for windows in self.windows.values():
            windows.forget(entity)

    def forget(self, entity: Ints) -> None:
        """Begin anew with these numbers."""
        for name, fill in self.fills.items():
            self.cells[name][entity] = fill
        self.head[entity] = self.last[entity] = NEVER
        for standing in (*self._standings(), self.restless, self.resting):
            standing[entity] = 0
        self._changed(entity)

    def _standings(self) -> tuple[Cells, ...]:
        return self.levels, self.stages, self.outcomes, self.lefts, self.busy, self.apart

    def store(self, entity: Ints, slot: Ints, place: Ints, value: Floats) -> None:
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
            self.cells[name] = np.concatenate([self.cells[name], self._new(name, more)])
        self.head = np.concatenate([self.head, np.full(more, NEVER, np.int64)])
        self.last = np.concatenate([self.last, np.full(more, NEVER, np.int64)])
        self.restless = np.concatenate([self.restless, np.zeros(more, np.int64)])
        self.resting = np.concatenate([self.resting, np.zeros((more, self.resting.shape[1]), np.int8)])
        wider = [_taller(standing, capacity) for standing in self._standings()]
        self.levels, self.stages, self.outcomes, self.lefts, self.busy, self.apart = wider

    def _new(self, name: str, rows: int) -> Cells:
        shape = (rows, self.size, self.depth[name]) if name in self.depth else (rows, self.size)
        return np.full(shape, self.fills[name], np.int64 if name in WHOLE else np.float64)


def each_of(count: Ints) -> tuple[Ints, Ints]:
    """For so many things of each of some rows: the row of each thing, and which of its row it is."""
    row = np.repeat(np.arange(len(count)), count)
    return row, np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)


def _taller(standing: Cells, rows: int) -> Cells:
    """The same with more rows. What nobody wrote to is not touched, and takes no memory."""
    found = np.zeros((rows, *standing.shape[1:]), standing.dtype)
    place = np.nonzero(standing)
    found[place] = standing[place]
    return found


def _rank(group: Ints) -> Ints:
    """The position of each item among those of its group, in their order."""
    order = np.argsort(group, kind="stable")
    begins = np.r_[True, group[order][1:] != group[order][:-1]] if len(group) else np.empty(0, np.bool_)
    place = np.arange(len(group))
    rank = np.empty(len(group), np.int64)
    rank[order] = place - np.maximum.accumulate(np.where(begins, place, 0))
    return rank

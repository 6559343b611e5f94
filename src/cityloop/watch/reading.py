"""Reads committed rows as rules want them: whose record it is, when, and which number. Rules that look alike share."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import reduce

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from shapely import intersects_xy

from cityloop.watch.aggregating import METRES_A_DEGREE
from cityloop.watch.cells import Bools, Floats, Ints
from cityloop.watch.locality import Locality
from cityloop.watch.places import Places, centre_of, within
from cityloop.watch.rules import Rule
from cityloop.watch.runs import Readings
from cityloop.watch.state import Entities


class Reader:
    """Readings of the rules of one entity type."""

    def __init__(self, rules: Sequence[Rule], locality: Locality) -> None:
        self._rules, self._locality = tuple(rules), locality
        self._ground = {rule.id: locality.ground(rule.fence) for rule in rules if rule.fence}
        self.forget()

    def forget(self) -> None:
        """Begin with no subjects."""
        self._entities: dict[str, Entities] = {}
        self._places = {
            rule.id: Places(rule.near, 2 * (rule.window + rule.late) * 1_000_000) for rule in self._rules if rule.near
        }

    def entities(self, rule: Rule) -> Entities:
        """The numbering of a rule's subjects."""
        return self._entities.setdefault(_grouping(rule), Entities())

    def forgotten(self, rule: Rule) -> list[str]:
        """Places that nobody spoke of for long, since the last call."""
        return self._places[rule.id].forgotten() if rule.id in self._places else []

    def know(self, rule: Rule, names: Iterable[str], at: int) -> None:
        """Subjects that are remembered from before."""
        if rule.id in self._places:
            self._places[rule.id].know(names, at)

    def read(self, rows: pa.Table, rules: Sequence[Rule]) -> Iterator[tuple[Rule, Readings]]:
        """The readings of some of the rules, in order of arrival."""
        at = np.asarray(rows["observed_at"].cast(pa.timestamp("us", tz="UTC")).cast(pa.int64()))
        numbers: dict[str, tuple[Ints, Bools]] = {}
        known: dict[str, Readings] = {}
        for rule in rules:
            if rule.near:
                yield rule, self._gathered(rule, rows, at)
                continue
            key, group = likeness(rule), _grouping(rule)
            if key not in known:
                if group not in numbers:
                    numbers[group] = self._numbers(rule, rows)
                known[key] = self._picked(rule, rows, *numbers[group], at)
            yield rule, known[key]

    def belongs(self, rule: Rule, rows: pa.Table, subject: str) -> pa.Array:
        """Which rows speak of a subject of the rule."""
        mask = np.asarray(_matched(rule, rows))
        if rule.near:
            points, kinds = _positions(rows), self._kinds(rule.near.same, rows)
            near = within(points, centre_of(subject), rule.near.metres)
            return pa.array(mask & near & (kinds == subject.rpartition("@")[0]))
        return pc.and_(pa.array(mask), pc.equal(self._subjects(rule, rows), subject))

    def values(self, rule: Rule, rows: pa.Table) -> Floats:
        """One number a row for people: the property, 1 or 0 of a fence, metres from the newest position."""
        found = self._values(rule, rows)
        if found.ndim == 1:
            return found
        newest = found[int(np.asarray(rows["observed_at"].cast(pa.int64())).argmax())] if len(found) else np.zeros(2)
        off = (found - newest) * np.array([np.cos(np.radians(newest[1])), 1.0])
        return np.asarray(np.hypot(off[:, 0], off[:, 1]) * METRES_A_DEGREE)

    def _numbers(self, rule: Rule, rows: pa.Table) -> tuple[Ints, Bools]:
        """The number of each row's subject, and which rows have one."""
        names = self._subjects(rule, rows).dictionary_encode()
        there = np.asarray(pc.is_valid(names))
        known = self.entities(rule).numbers(names.dictionary.to_pylist())
        place = np.asarray(names.indices.fill_null(0), np.int64)
        return (known[place] if len(known) else np.zeros(len(place), np.int64)), there

    def _picked(self, rule: Rule, rows: pa.Table, entity: Ints, there: Bools, at: Ints) -> Readings:
        mask = there & self._wanted(rule, rows, at)
        return Readings(entity[mask], at[mask], self._values(rule, rows)[mask])

    def _gathered(self, rule: Rule, rows: pa.Table, at: Ints) -> Readings:
        """Readings of a rule about places: a record counts for every place that it lies near."""
        assert rule.near is not None
        mask = self._wanted(rule, rows, at)
        points, kinds = _positions(rows)[mask], self._kinds(rule.near.same, rows)[mask]
        owner, names = self._places[rule.id].assign(kinds.tolist(), points[:, 0], points[:, 1], at[mask])
        entity = self.entities(rule).numbers(names)
        return Readings(entity, at[mask][owner], self._values(rule, rows)[mask][owner])

    def _subjects(self, rule: Rule, rows: pa.Table) -> pa.Array:
        """Whose record each row is; null where a column that groups is empty."""
        parts = [self._part(name, rows) for name in rule.by]
        return parts[0] if len(parts) == 1 else pc.binary_join_element_wise(*parts, "|")

    def _kinds(self, columns: Sequence[str], rows: pa.Table) -> npt.NDArray[np.object_]:
        """The values of these columns, joined."""
        parts = [["" if value is None else str(value) for value in self._part(n, rows).to_pylist()] for n in columns]
        joined = ["|".join(values) for values in zip(*parts, strict=True)] if parts else [""] * rows.num_rows
        return np.array(joined, np.object_)

    def _part(self, name: str, rows: pa.Table) -> pa.Array:
        if name != "district":
            return rows[name].combine_chunks()
        areas = rows["area"].combine_chunks().dictionary_encode()
        found = [self._locality.district(code) for code in areas.dictionary.to_pylist()]
        return pa.array(found, pa.string()).take(areas.indices)

    def _wanted(self, rule: Rule, rows: pa.Table, at: Ints) -> Bools:
        keep = np.asarray(_matched(rule, rows))
        return keep & self._locality.open(rule.active, at) if rule.active else keep

    def _values(self, rule: Rule, rows: pa.Table) -> Floats:
        if rule.fence:
            points = _positions(rows)
            inside = intersects_xy(self._ground[rule.id], points[:, 0], points[:, 1])
            return np.asarray((inside == (rule.fence.side == "inside")).astype(np.float64))
        if rule.aggregate == "roam":
            return _positions(rows)
        return _column(rows, rule.property) if rule.property else np.zeros(rows.num_rows)


def _grouping(rule: Rule) -> str:
    """Rules with the same subjects share their numbers."""
    return f"near {rule.id}" if rule.near else " ".join(rule.by)


def likeness(rule: Rule) -> str:
    """Rules that take the same numbers of the same subjects share their readings."""
    place = rule.fence.model_dump_json() if rule.fence else rule.aggregate if rule.aggregate == "roam" else ""
    hours = [slot.model_dump_json() for slot in rule.active]
    return f"{_grouping(rule)} {rule.property} {sorted(rule.match.items())} {place} {hours}"


def _matched(rule: Rule, rows: pa.Table) -> pa.ChunkedArray:
    needed = [name for name in (rule.property, *(("lon", "lat") if rule.placed else ())) if name]
    masks = [pc.is_valid(rows[name]) for name in needed]
    masks += [pc.is_in(rows[name], pa.array(list(values), rows[name].type)) for name, values in rule.match.items()]
    return reduce(pc.and_, masks) if masks else pc.is_valid(rows["observed_at"])


def _positions(rows: pa.Table) -> Floats:
    return np.column_stack([_column(rows, "lon"), _column(rows, "lat")])


def _column(rows: pa.Table, name: str) -> Floats:
    return np.asarray(rows[name].cast(pa.float64()), np.float64)

"""Loads ``metrics.yaml`` of every pack into one model; each fault names file, line, key, and what to do."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any, TypeVar

from cityloop.analyse import expression
from cityloop.analyse.labels import SOURCES, known_labels
from cityloop.analyse.model import TIME, Dimension, Metric, Model
from cityloop.core.content import Key, Lines, checked, fault_at, raise_faults, read_yaml
from cityloop.core.errors import ContentError, Fault
from cityloop.lake.events import SCHEMAS as EVENTS
from cityloop.standard.service import Standard

_RENAME = "rename one of them"
Columns = Mapping[str, Collection[str]]
Shape = TypeVar("Shape", Metric, Dimension)
_KEYS = {"metrics", "dimensions"}


def load_model(packs: Sequence[Path], standard: Standard | None = None) -> Model:
    """The metrics and dimensions of all packs; tables and columns are checked where a ``standard`` is given.

    Raises :class:`ContentError` with every fault of every file.
    """
    columns = columns_of(standard) if standard is not None else None
    faults: list[Fault] = []
    metrics: dict[str, Metric] = {}
    dimensions: dict[str, Dimension] = {}
    places: list[tuple[Path, Key, Lines, Metric]] = []
    for path in (pack / "metrics.yaml" for pack in packs):
        if path.exists():
            value, lines = _file(path, faults)
            for key, dimension in _items(path, lines, value, "dimensions", Dimension, faults):
                if dimension.id in dimensions:
                    faults.append(fault_at(path, lines, (*key, "id"), f"'{dimension.id}' is declared twice", _RENAME))
                if not known_labels(dimension.labels):
                    what = f"unknown label source '{dimension.labels}'"
                    faults.append(fault_at(path, lines, (*key, "labels"), what, near(dimension.labels or "", SOURCES)))
                dimensions[dimension.id] = dimension
            for key, metric in _items(path, lines, value, "metrics", Metric, faults):
                places.append((path, key, lines, metric))
                if metric.id in metrics:
                    faults.append(fault_at(path, lines, (*key, "id"), f"'{metric.id}' is declared twice", _RENAME))
                metrics[metric.id] = metric
    for path, key, lines, metric in places:
        found = check(metric, dimensions, columns)
        faults += [fault_at(path, lines, (*key, *where), what, mend) for where, what, mend in found]
    raise_faults("the metrics of the packs", faults)
    return Model(metrics=metrics, dimensions=dimensions)


def check(
    metric: Metric, dimensions: Mapping[str, Dimension], columns: Columns | None
) -> Iterator[tuple[Key, str, str]]:
    """What the types cannot say: the table, the columns, the expression, the dimensions."""
    known = columns.get(metric.table) if columns is not None else None
    if columns is not None and known is None:
        yield ("table",), f"unknown table '{metric.table}'", near(metric.table, columns)
    yield from _tree(("expression",), metric.expression, known, True)
    if metric.filter is not None:
        yield from _tree(("filter",), metric.filter, known, False)
    named = [("time",), ("as_of", "key"), ("as_of", "order")] if metric.as_of else [("time",)]
    values = [metric.time, metric.as_of.key, metric.as_of.order] if metric.as_of else [metric.time]
    for key, name in zip(named, values, strict=True):
        if known is not None and name not in known:
            yield key, f"unknown column '{name}' of {metric.table}", near(name, known)
    for index, name in enumerate(metric.dimensions):
        yield from _dimension(("dimensions", index), name, dimensions, known, metric)


def near(name: str, names: Collection[str]) -> str:
    """The sentence that offers the nearest names."""
    found = get_close_matches(name, sorted(names), n=3, cutoff=0.4)
    return f"did you mean {' or '.join(found)}?" if found else f"known: {', '.join(sorted(names)[:20])}"


def _dimension(
    key: Key, name: str, dimensions: Mapping[str, Dimension], known: Collection[str] | None, metric: Metric
) -> Iterator[tuple[Key, str, str]]:
    if name not in dimensions:
        yield key, f"unknown dimension '{name}'", near(name, dimensions)
    elif name == TIME and metric.as_of:
        yield key, "a stock has no time dimension", "leave 'time' out; it is asked as of the end of a period"
    elif name != TIME and known is not None and dimensions[name].column not in known:
        yield key, f"{metric.table} has no column '{dimensions[name].column}'", "leave the dimension out"


def _tree(key: Key, text: str, known: Collection[str] | None, aggregates: bool) -> Iterator[tuple[Key, str, str]]:
    try:
        tree = expression.parse(text)
    except ValueError as error:
        yield key, str(error), "see docs/rules.md"
        return
    for what in dict.fromkeys(expression.faults(tree, known, aggregates)):
        yield key, what, "see docs/rules.md"


def columns_of(standard: Standard) -> Columns:
    """The columns of every lake table under ``standard``."""
    schemas = {**EVENTS, **{kind.id: kind.schema for kind in standard.entity_types.values()}}
    return {name: list(schema.names) for name, schema in schemas.items()}


def _file(path: Path, faults: list[Fault]) -> tuple[dict[str, Any], Lines]:
    value, lines = read_yaml(path)
    if not isinstance(value, dict) or not set(value) <= _KEYS:
        faults.append(fault_at(path, lines, (), "a metrics file has the keys 'dimensions' and 'metrics'", "see docs"))
        return {}, lines
    return value, lines


def _items(
    path: Path, lines: Lines, value: dict[str, Any], name: str, kind: type[Shape], faults: list[Fault]
) -> Iterator[tuple[Key, Shape]]:
    for number, item in enumerate(value.get(name) or []):
        try:
            yield (name, number), checked(path, kind, item, lines, (name, number))
        except ContentError as error:
            faults += error.faults

"""Indices: a figure that a table makes of several measured properties, such as the air quality index.

Each property has a *scale*: points of its value and of the sub-index, joined by straight lines. The index is the
greatest sub-index. A standard that was revised has several *editions*; the city says which one serves.
"""

from __future__ import annotations

import builtins
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt
import polars as pl
from pydantic import Field, model_validator

from cityloop.core.content import Key
from cityloop.core.values import Frozen, Title
from cityloop.standard.units import Conversion, unit

if TYPE_CHECKING:
    from cityloop.standard.types import EntityType, Property

Found = tuple[Key, str, str]
_EXACT = 9
"""Decimals that a sub-index keeps before it is rounded, so that 50 is not rounded up to 51 by a binary fraction."""


class Scale(Frozen):
    """The sub-index of one property: ``points`` of (value, sub-index), both rising, joined by straight lines."""

    unit: str = ""
    """The unit of the values; by default the property's own."""
    points: tuple[tuple[float, float], ...] = Field(min_length=2)
    beyond: Literal["last", "none"] = "last"
    """What a value above the last point gives: the last sub-index, or none."""

    @model_validator(mode="after")
    def _rising(self) -> Scale:
        for (value, index), (next_value, next_index) in pairwise(self.points):
            if next_value <= value or next_index <= index:
                raise ValueError(f"the points {value:g}, {index:g} and {next_value:g}, {next_index:g} do not rise")
        return self


class Edition(Frozen):
    """One edition of the table: a scale for each property."""

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=60)
    title: Title
    scales: dict[str, Scale] = Field(min_length=1)


class Index(Frozen):
    """How an index is made: the property that takes it, and the editions of its table."""

    id: str = Field(pattern=r"^[a-z][a-z0-9-]*$", max_length=60)
    """By this name the city chooses the edition."""
    property: str
    leading: str | None = None
    """Text property that takes the ids of the properties with the greatest sub-index, with commas between them."""
    leading_above: float = 0
    """Only an index above this has leading properties."""
    told: str | None = None
    """Text property that takes the id of the edition that served."""
    rounding: Literal["up", "nearest", "none"] = "none"
    edition: str
    """The edition that serves where the city chooses none."""
    editions: tuple[Edition, ...] = Field(min_length=1)

    @builtins.property
    def filled(self) -> tuple[str, ...]:
        """The properties that it fills."""
        return tuple(name for name in (self.property, self.leading, self.told) if name)

    @builtins.property
    def serving(self) -> Edition:
        """The edition in use."""
        return next(one for one in self.editions if one.id == self.edition)


def indexed(rows: pl.DataFrame, kind: EntityType) -> pl.DataFrame:
    """The rows with the indices of their type; null where none of its properties has a value.

    Nothing is made where an index is filled from outside, or the rows have none of its properties.
    """
    for index in kind.indices:
        if index.property not in rows.columns:
            rows = _with_index(rows, index, kind)
    return rows


def _with_index(rows: pl.DataFrame, index: Index, kind: EntityType) -> pl.DataFrame:
    scales = {name: scale for name, scale in index.serving.scales.items() if name in rows.columns}
    if not scales:
        return rows
    subs = np.column_stack([_sub(rows[name], index, scale, kind) for name, scale in scales.items()])
    greatest = np.fmax.reduce(subs, axis=1)
    item = kind.find(index.property)
    made = pl.Series(index.property, greatest).fill_nan(None)
    columns = [made.cast(pl.Int64) if item and item.kind == "integer" else made]
    if index.leading:
        led = (subs == greatest[:, None]) & (greatest > index.leading_above)[:, None]
        columns.append(pl.Series(index.leading, _joined(led, list(scales)), dtype=pl.String))
    if index.told:
        columns.append(pl.select(pl.when(made.is_not_null()).then(pl.lit(index.edition)).alias(index.told)).to_series())
    return rows.with_columns(columns)


def _joined(marks: npt.NDArray[np.bool_], names: Sequence[str]) -> list[str | None]:
    """The marked names of each row, with commas between them."""
    known = {row: ",".join(n for n, mark in zip(names, row, strict=True) if mark) for row in set(map(tuple, marks))}
    return [known[tuple(row)] or None for row in marks]


def index_faults(index: Index, kind: EntityType) -> Iterator[Found]:
    """What does not fit between an index and the properties of its type."""
    known = ", ".join(item.id for item in kind.properties)
    for key, name, kinds in (
        ("property", index.property, ("number", "integer")),
        ("leading", index.leading, ("text",)),
        ("told", index.told, ("text",)),
    ):
        item = kind.find(name) if name else None
        if name and item is None:
            yield (key,), f"{kind.id} has no property '{name}'", f"known: {known}"
        elif item is not None and item.kind not in kinds:
            yield (key,), f"'{name}' is a {item.kind}", f"choose a property of kind {' or '.join(kinds)}"
    if index.edition not in {one.id for one in index.editions}:
        mend = f"editions: {', '.join(one.id for one in index.editions)}"
        yield ("edition",), f"the index '{index.id}' has no edition '{index.edition}'", mend
    for number, edition in enumerate(index.editions):
        for name, scale in edition.scales.items():
            for where, what, mend in _scale_faults(scale, kind.find(name), name, kind):
                yield ("editions", number, "scales", name, *where), what, mend


def chosen(kind: EntityType, editions: Mapping[str, str]) -> EntityType:
    """The type with the editions that a city has chosen."""
    if not any(index.id in editions for index in kind.indices):
        return kind
    indices = tuple(i.model_copy(update={"edition": editions.get(i.id, i.edition)}) for i in kind.indices)
    return kind.model_copy(update={"indices": indices})


def _scale_faults(scale: Scale, item: Property | None, name: str, kind: EntityType) -> Iterator[Found]:
    if item is None or item.kind not in ("number", "integer"):
        yield (), f"{kind.id} has no numeric property '{name}'", "name a measured property of the type"
    elif scale.unit and unit(scale.unit) is None:
        yield ("unit",), f"unknown unit '{scale.unit}'", "see the table of units in docs/packs.md"
    elif scale.unit and _way(scale, item) is None:
        yield ("unit",), f"'{scale.unit}' is no unit of '{name}'", f"the standard measures it in '{item.unit}'"


def _way(scale: Scale, item: Property) -> Conversion | None:
    source = unit(scale.unit) if scale.unit else item.measure
    return item.way_from(source) if source else None


def _sub(values: pl.Series, index: Index, scale: Scale, kind: EntityType) -> npt.NDArray[np.float64]:
    """The sub-index of one property: straight lines between the points; NaN without a value."""
    item = kind.find(values.name)
    way = (_way(scale, item) if item else None) or Conversion(1, 1, 0)
    points = np.array([(way.apply(value), sub) for value, sub in scale.points])
    numbers = values.cast(pl.Float64).fill_null(float("nan")).to_numpy()
    beyond = points[-1, 1] if scale.beyond == "last" else np.nan
    made: npt.NDArray[np.float64] = np.interp(numbers, points[:, 0], points[:, 1], right=beyond).round(_EXACT)
    made[~np.isfinite(numbers)] = np.nan
    if index.rounding == "none":
        return made
    return np.asarray(np.ceil(made) if index.rounding == "up" else np.round(made))

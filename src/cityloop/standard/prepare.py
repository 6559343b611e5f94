"""The first steps of a mapping: wide signs made plain, fields split, joined and derived, positions in WGS 84."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
import polars as pl

from cityloop.city.datum import convert_many
from cityloop.city.projection import zone
from cityloop.standard.declarations import FeedDeclaration, FieldStep, PositionFields
from cityloop.standard.expressions import parse
from cityloop.standard.world import World

LON, LAT, AREA, DISTRICT = "value:lon", "value:lat", "value:area", "value:district"
_WIDE = [*(chr(n) for n in range(0xFF01, 0xFF5F)), "\u3000"]
_PLAIN = [*(chr(n) for n in range(0x21, 0x7F)), " "]


def narrowed(text: pl.Expr) -> pl.Expr:
    """Full-width digits, letters, signs and blanks as plain ones."""
    return text.str.replace_many(_WIDE, _PLAIN)


def step_inputs(step: FieldStep) -> Sequence[str]:
    """The fields that a step reads."""
    if step.split is not None:
        return (step.split,)
    return step.join or sorted(parse(step.expression or "").names)


def raw_fields(declaration: FeedDeclaration, others: Iterable[str]) -> list[str]:
    """The fields that must come with the record: those that are read before a step makes them."""
    made: set[str] = set()
    needed: list[str] = []
    for step in declaration.fields:
        needed += [name for name in step_inputs(step) if name not in made]
        made |= set(step.into)
    return list(dict.fromkeys([*needed, *[name for name in others if name not in made]]))


def stepped(work: pl.DataFrame, steps: Sequence[FieldStep]) -> pl.DataFrame:
    """Make the new fields, in order; what cannot be split whole gives nulls."""
    for step in steps:
        work = work.with_columns_seq(_made(work, step))
    return work


def _made(work: pl.DataFrame, step: FieldStep) -> list[pl.Expr]:
    if step.split is not None:
        return _split(step)
    if step.join:
        parts = [pl.col(name).str.strip_chars() for name in step.join]
        joined = pl.concat_str(parts, separator=step.separator or "", ignore_nulls=True)
        return [pl.when(pl.any_horizontal([part.is_not_null() for part in parts])).then(joined).alias(step.into[0])]
    found = parse(step.expression or "")
    types = {name: "any" for name in work.columns if work.schema[name] == pl.String}
    return [found.compiled(types, wanted="text").alias(step.into[0])]  # type: ignore[arg-type]


def _split(step: FieldStep) -> list[pl.Expr]:
    text = pl.col(step.split or "").str.strip_chars()
    if step.pattern is not None:
        whole = f"^(?:{step.pattern})$"
        return [text.str.extract(whole, n + 1).alias(name) for n, name in enumerate(step.into)]
    parts = text.str.split(step.separator or "")
    fits = parts.list.len() == len(step.into)
    return [
        pl.when(fits).then(parts.list.get(n, null_on_oob=True).str.strip_chars()).alias(name)
        for n, name in enumerate(step.into)
    ]


def placed(work: pl.DataFrame, rule: PositionFields, world: World, areas: bool) -> pl.DataFrame:
    """Add :data:`LON` and :data:`LAT` (WGS 84 degrees, null where none) and with ``areas`` the area that holds them."""
    first, second = (_numbers(work[name]) for name in rule.fields)
    if rule.crs is not None:
        lons, lats = zone(rule.crs).degrees(first, second)
    else:
        sane = (np.abs(first) <= 180) & (np.abs(second) <= 90)
        lons, lats = np.where(sane, first, np.nan), np.where(sane, second, np.nan)
        lons, lats = convert_many(lons, lats, rule.datum, "wgs84")
    columns = [pl.Series(LON, lons).fill_nan(None), pl.Series(LAT, lats).fill_nan(None)]
    return work.with_columns_seq(*columns, *(_areas(lons, lats, world) if areas else []))


def _areas(lons: np.ndarray, lats: np.ndarray, world: World) -> list[pl.Series]:
    cells: list[str | None] = [None] * len(lons)
    districts = list(cells)
    asked = np.flatnonzero(np.isfinite(lons) & np.isfinite(lats))
    if world.locate is not None and len(asked):
        found = world.locate(lons[asked].tolist(), lats[asked].tolist())
        for at, place in zip(asked.tolist(), found, strict=True):
            if place is not None:
                cells[at], districts[at] = place.area, place.district
    return [pl.Series(AREA, cells, dtype=pl.String), pl.Series(DISTRICT, districts, dtype=pl.String)]


def _numbers(raw: pl.Series) -> np.ndarray:
    number = raw.cast(pl.String).str.strip_chars().cast(pl.Float64, strict=False)
    return number.fill_null(float("nan")).to_numpy()

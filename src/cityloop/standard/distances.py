"""Metres from a record's position to shapes of the entity directory: an approved route, a closed area.

A shape is WKT in WGS 84, the column ``shape`` of an entity's file. Distances are those of a plane through the shape's
middle, which is right to a thousandth over a city.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache

import numpy as np
import numpy.typing as npt
import polars as pl
import shapely
from shapely.geometry.base import BaseGeometry

from cityloop.city.areas import METRES_A_DEGREE
from cityloop.core.phrases import Saying
from cityloop.standard.batch import EntityCard
from cityloop.standard.checks import Check, Row, value_name
from cityloop.standard.declarations import Distance
from cityloop.standard.phrases import PHRASES
from cityloop.standard.prepare import LAT, LON
from cityloop.standard.types import Property
from cityloop.standard.world import World

Floats = npt.NDArray[np.float64]


def read_shape(text: str) -> BaseGeometry:
    """A shape from WKT; raises ``ValueError`` for anything else, for an empty one and for places off the globe."""
    try:
        shape = shapely.from_wkt(text)
    except shapely.errors.ShapelyError as error:
        raise ValueError(str(error)) from error
    west, south, east, north = shape.bounds
    if shape.is_empty or not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        raise ValueError("it is empty or lies beyond the degrees of the globe")
    return shape


def metres_to(work: pl.DataFrame, rule: Distance, world: World) -> pl.Series:
    """Metres from each row's position to the shape it names, or to the nearest of all; null without either."""
    cards = world.of(rule.to) if world.of else {}
    points = work.select(LON, LAT).to_numpy()
    if rule.by is None:
        return pl.Series(_nearest(points, cards)).fill_nan(None)
    names = work[rule.by].cast(pl.String).str.strip_chars()
    found = np.full(len(points), np.nan)
    for name in names.drop_nulls().unique():
        rows = (names == name).fill_null(value=False).to_numpy()
        found[rows] = _metres(points[rows], _shape(cards, name))
    return pl.Series(found).fill_nan(None)


def shape_check(item: Property, rule: Distance) -> Check:
    """Marks rows that name something without a shape, whose distance nobody can tell."""
    by = rule.by or ""
    broken = pl.col(by).is_not_null() & pl.col(LON).is_not_null() & pl.col(value_name(item.id)).is_null()

    def shapeless(row: Row) -> Saying:
        return PHRASES.say("no-shape", type=rule.to, entity=row[by])

    return Check(by, "shape", broken, shapeless, "flag", f"shape:{item.id}")


def _nearest(points: Floats, cards: Mapping[str, EntityCard]) -> Floats:
    found = np.full(len(points), np.nan)
    for card in cards.values():
        found = np.fmin(found, _metres(points, card.shape))
    return found


def _shape(cards: Mapping[str, EntityCard], name: str) -> str | None:
    card = cards.get(name)
    return card.shape if card else None


def _metres(points: Floats, text: str | None) -> Floats:
    if text is None:
        return np.full(len(points), np.nan)
    shape, across = _plane(text)
    there = np.isfinite(points).all(axis=1)
    found = np.full(len(points), np.nan)
    plane = shapely.points(points[there] * [across * METRES_A_DEGREE, METRES_A_DEGREE])
    found[there] = shapely.distance(shape, plane)
    return found


@lru_cache(maxsize=4096)
def _plane(text: str) -> tuple[BaseGeometry, float]:
    """The shape in metres, and how much shorter a degree of longitude is than one of latitude at its middle."""
    shape = read_shape(text)
    across = float(np.cos(np.radians((shape.bounds[1] + shape.bounds[3]) / 2)))
    scale = np.array([across * METRES_A_DEGREE, METRES_A_DEGREE])
    plane = shapely.transform(shape, lambda points: points * scale)
    shapely.prepare(plane)
    return plane, across


def distance_columns(work: pl.DataFrame, sources: Sequence[tuple[Property, Distance]], world: World) -> pl.DataFrame:
    """The working frame with the metres of every property that is a distance, under :func:`metres_name`."""
    return work.with_columns(metres_to(work, rule, world).alias(metres_name(item)) for item, rule in sources)


def metres_name(item: Property) -> str:
    """The working column that holds a distance in metres."""
    return f"metres:{item.id}"

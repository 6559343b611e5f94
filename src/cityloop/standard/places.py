"""Which datum or grid a table's positions are in: the one in which they fall where the city and its entities are."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cityloop.city.areas import METRES_A_DEGREE
from cityloop.city.datum import convert_many
from cityloop.city.projection import zone
from cityloop.standard.world import Cards, World

DATUMS = ("wgs84", "gcj02", "bd09")
_HINTS = ((re.compile(r"gcj|火星|高德|腾讯|amap|tencent", re.I), "gcj02"),
          (re.compile(r"bd-?09|百度|baidu", re.I), "bd09"),
          (re.compile(r"wgs|gps|cgcs|国家?2000", re.I), "wgs84"))  # fmt: skip
_NEAR = 2000.0
"""Metres within which known entities tell the datum; further off they are others of the same name."""
Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Placing:
    """The datum (or grid) with a confidence of 0 to 1 and the reason."""

    datum: str | None
    crs: str | None
    confidence: float
    reason: str


def datum_of(
    lons: Numbers, lats: Numbers, entities: Sequence[str | None], known: Cards, world: World, words: str
) -> Placing:
    """The likeliest datum of points; ``entities`` are the ids beside them, ``words`` names that may tell."""
    hint = next((datum for pattern, datum in _HINTS if pattern.search(words)), None)
    offs = {datum: _off(*convert_many(lons, lats, datum, "wgs84"), entities, known) for datum in DATUMS}
    measured = {datum: off for datum, off in offs.items() if off is not None}
    if measured and min(measured.values()) < _NEAR:
        best, second = sorted(measured, key=lambda datum: measured[datum])[:2]
        sure = 1.0 - measured[best] / max(measured[second], 1e-9)
        told = f"known entities lie {measured[best]:.0f} m off in {best}, {measured[second]:.0f} m in {second}"
        return Placing(best, None, round(max(0.3, min(1.0, sure)), 2), told)
    shares = {datum: _inside(*convert_many(lons, lats, datum, "wgs84"), world) for datum in DATUMS}
    if hint:
        return Placing(hint, None, 0.8, f"the names speak of {hint}")
    best = max(DATUMS, key=lambda datum: shares[datum])
    if shares[best] > min(shares.values()) + 0.02:
        told = ", ".join(f"{share:.0%} in {datum}" for datum, share in shares.items())
        return Placing(best, None, round(0.4 + 0.5 * (shares[best] - min(shares.values())), 2), f"in the city: {told}")
    return Placing("wgs84", None, 0.3, "the points fall as well in any datum; ask the source")


def grid_of(east: Numbers, north: Numbers, known: Cards, world: World) -> Placing:
    """The 3-degree zone of projected points: by the zone number before east, else the one that falls on the city."""
    numbered = float(np.nanmedian(east)) > 10_000_000
    if numbered:
        crs = f"EPSG:{4513 + int(np.nanmedian(east) // 1_000_000) - 25}"
        return Placing(None, crs, 0.9, "the zone number stands before east")
    centres = [card.lon for card in known.values() if card.lon is not None]
    shares = {code: _inside(*zone(f"EPSG:{code}").degrees(east, north), world) for code in range(4534, 4555)}
    best = max(shares, key=lambda code: shares[code])
    if shares[best] > 0.5:
        return Placing(None, f"EPSG:{best}", 0.9, f"{shares[best]:.0%} of the points fall in the city")
    if centres:
        code = 4534 + round((float(np.mean(centres)) - 75) / 3)
        return Placing(None, f"EPSG:{code}", 0.4, "the zone of the city; no point falls in it: a local grid?")
    return Placing(None, None, 0.0, "the grid is unknown; a local system cannot be converted without parameters")


def _off(lons: Numbers, lats: Numbers, entities: Sequence[str | None], known: Cards) -> float | None:
    """Median metres between the points and where the directory has their entities."""
    pairs = [(n, card) for n, name in enumerate(entities) if name is not None and (card := known.get(name))]
    placed = [(n, card.lon, card.lat) for n, card in pairs if card.lon is not None and card.lat is not None]
    if not placed:
        return None
    at, ours = [n for n, _, _ in placed], np.array([(lon, lat) for _, lon, lat in placed])
    squeeze = np.cos(np.radians(ours[:, 1]))
    away = np.hypot((lons[at] - ours[:, 0]) * squeeze, lats[at] - ours[:, 1]) * METRES_A_DEGREE
    return float(np.nanmedian(away)) if np.isfinite(away).any() else None


def _inside(lons: Numbers, lats: Numbers, world: World) -> float:
    good = np.isfinite(lons) & np.isfinite(lats)
    if world.locate is None or not good.any():
        return 0.0
    found = world.locate(lons[good].tolist(), lats[good].tolist())
    return sum(place is not None for place in found) / len(found)

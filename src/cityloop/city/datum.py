"""The three datums of coordinates in China, and the ways between them.

WGS 84 (equal to CGCS2000 for cases), GCJ-02 (AMap, Tencent) and BD-09 (Baidu). The shift is the published one of the
open implementations; the inverse has no closed form and is iterated. Nothing is shifted outside the country's bounds.
"""

from __future__ import annotations

from collections.abc import Callable
from math import atan2, cos, pi, sin, sqrt
from typing import Literal

import numpy as np
from numpy.typing import NDArray

Degrees = NDArray[np.float64]
Datum = Literal["wgs84", "gcj02", "bd09"]
Point = tuple[float, float]
"""Longitude and latitude in degrees."""

_AXIS = 6378245.0
"""Semi-major axis of the Krasovsky ellipsoid in metres, which the shift is defined on."""
_FLAT = 0.00669342162296594323
"""Its squared eccentricity."""
_BAIDU = pi * 3000.0 / 180.0
_CLOSE = 1e-9
"""Degrees within which an inverse must land: a tenth of a millimetre."""


def convert(lon: float, lat: float, source: Datum, target: Datum) -> Point:
    """A point of ``source`` in ``target``, degrees; the round trip closes within 1e-6 degree."""
    if source == target:
        return lon, lat
    middle = _TO_GCJ[source](lon, lat)
    return _FROM_GCJ[target](*middle)


def wgs84_to_gcj02(lon: float, lat: float) -> Point:
    """WGS 84 to GCJ-02."""
    if not _inside(lon, lat):
        return lon, lat
    east, north = _shift(lon, lat)
    return lon + east, lat + north


def gcj02_to_wgs84(lon: float, lat: float) -> Point:
    """GCJ-02 to WGS 84 by iteration."""
    return _inverse(wgs84_to_gcj02, lon, lat)


def gcj02_to_bd09(lon: float, lat: float) -> Point:
    """GCJ-02 to BD-09."""
    if not _inside(lon, lat):
        return lon, lat
    radius = sqrt(lon * lon + lat * lat) + 0.00002 * sin(lat * _BAIDU)
    angle = atan2(lat, lon) + 0.000003 * cos(lon * _BAIDU)
    return radius * cos(angle) + 0.0065, radius * sin(angle) + 0.006


def bd09_to_gcj02(lon: float, lat: float) -> Point:
    """BD-09 to GCJ-02 by iteration."""
    return _inverse(gcj02_to_bd09, lon, lat)


def _same(lon: float, lat: float) -> Point:
    return lon, lat


_TO_GCJ: dict[Datum, Callable[[float, float], Point]] = {
    "wgs84": wgs84_to_gcj02,
    "gcj02": _same,
    "bd09": bd09_to_gcj02,
}
_FROM_GCJ: dict[Datum, Callable[[float, float], Point]] = {
    "wgs84": gcj02_to_wgs84,
    "gcj02": _same,
    "bd09": gcj02_to_bd09,
}


def _inverse(forward: Callable[[float, float], Point], lon: float, lat: float) -> Point:
    """The point that ``forward`` moves to (lon, lat). The shift changes slowly, so each round gains two digits."""
    if not _inside(lon, lat):
        return lon, lat
    guess = (lon, lat)
    for _ in range(20):
        reached = forward(*guess)
        off = (lon - reached[0], lat - reached[1])
        guess = (guess[0] + off[0], guess[1] + off[1])
        if max(abs(off[0]), abs(off[1])) < _CLOSE:
            break
    return guess


def _inside(lon: float, lat: float) -> bool:
    return 72.004 <= lon <= 137.8347 and 0.8293 <= lat <= 55.8271


def _shift(lon: float, lat: float) -> Point:
    """The offset of GCJ-02 at a point, in degrees."""
    x, y = lon - 105.0, lat - 35.0
    root = sqrt(abs(x))
    common = (20.0 * sin(6.0 * x * pi) + 20.0 * sin(2.0 * x * pi)) * 2.0 / 3.0
    north = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root + common
    north += (20.0 * sin(y * pi) + 40.0 * sin(y / 3.0 * pi)) * 2.0 / 3.0
    north += (160.0 * sin(y / 12.0 * pi) + 320.0 * sin(y * pi / 30.0)) * 2.0 / 3.0
    east = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root + common
    east += (20.0 * sin(x * pi) + 40.0 * sin(x / 3.0 * pi)) * 2.0 / 3.0
    east += (150.0 * sin(x / 12.0 * pi) + 300.0 * sin(x / 30.0 * pi)) * 2.0 / 3.0
    sine = sin(lat / 180.0 * pi)
    squeeze = 1.0 - _FLAT * sine * sine
    root = sqrt(squeeze)
    return (
        east * 180.0 / (_AXIS / root * cos(lat / 180.0 * pi) * pi),
        north * 180.0 / ((_AXIS * (1.0 - _FLAT)) / (squeeze * root) * pi),
    )


def convert_many(lons: Degrees, lats: Degrees, source: str, target: str) -> tuple[Degrees, Degrees]:
    """:func:`convert` for many points at once, about a microsecond a point; missing ones (NaN) stay missing.

    CGCS2000 counts as WGS 84: they differ by less than a metre.
    """
    source, target = _as_wgs84(source), _as_wgs84(target)
    if source == target:
        return lons, lats
    if source != "gcj02":
        lons, lats = _inverse_many(_baidu_many, lons, lats) if source == "bd09" else _mars_many(lons, lats)
    if target == "gcj02":
        return lons, lats
    return _baidu_many(lons, lats) if target == "bd09" else _inverse_many(_mars_many, lons, lats)


def _as_wgs84(datum: str) -> str:
    return "wgs84" if datum == "cgcs2000" else datum


def _within(lons: Degrees, lats: Degrees) -> NDArray[np.bool_]:
    return (lons >= 72.004) & (lons <= 137.8347) & (lats >= 0.8293) & (lats <= 55.8271)


def _mars_many(lons: Degrees, lats: Degrees) -> tuple[Degrees, Degrees]:
    x, y = lons - 105.0, lats - 35.0
    root = np.sqrt(np.abs(x))
    common = (20.0 * np.sin(6.0 * x * pi) + 20.0 * np.sin(2.0 * x * pi)) * 2.0 / 3.0
    north = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root + common
    north += (20.0 * np.sin(y * pi) + 40.0 * np.sin(y / 3.0 * pi)) * 2.0 / 3.0
    north += (160.0 * np.sin(y / 12.0 * pi) + 320.0 * np.sin(y * pi / 30.0)) * 2.0 / 3.0
    east = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root + common
    east += (20.0 * np.sin(x * pi) + 40.0 * np.sin(x / 3.0 * pi)) * 2.0 / 3.0
    east += (150.0 * np.sin(x / 12.0 * pi) + 300.0 * np.sin(x / 30.0 * pi)) * 2.0 / 3.0
    squeeze = 1.0 - _FLAT * np.sin(np.radians(lats)) ** 2
    east = east * 180.0 / (_AXIS / np.sqrt(squeeze) * np.cos(np.radians(lats)) * pi)
    north = north * 180.0 / ((_AXIS * (1.0 - _FLAT)) / (squeeze * np.sqrt(squeeze)) * pi)
    inside = _within(lons, lats)
    return np.where(inside, lons + east, lons), np.where(inside, lats + north, lats)


def _baidu_many(lons: Degrees, lats: Degrees) -> tuple[Degrees, Degrees]:
    radius = np.sqrt(lons * lons + lats * lats) + 0.00002 * np.sin(lats * _BAIDU)
    angle = np.arctan2(lats, lons) + 0.000003 * np.cos(lons * _BAIDU)
    inside = _within(lons, lats)
    east, north = radius * np.cos(angle) + 0.0065, radius * np.sin(angle) + 0.006
    return np.where(inside, east, lons), np.where(inside, north, lats)


def _inverse_many(
    forward: Callable[[Degrees, Degrees], tuple[Degrees, Degrees]], lons: Degrees, lats: Degrees
) -> tuple[Degrees, Degrees]:
    east, north = lons.copy(), lats.copy()
    for _ in range(20):
        reached = forward(east, north)
        off = (lons - reached[0], lats - reached[1])
        east, north = east + off[0], north + off[1]
        if not len(lons) or max(np.nanmax(np.abs(off[0]), initial=0), np.nanmax(np.abs(off[1]), initial=0)) < _CLOSE:
            break
    inside = _within(lons, lats)
    return np.where(inside, east, lons), np.where(inside, north, lats)

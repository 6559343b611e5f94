"""The national 3-degree Gauss-Krüger zones on CGCS2000 (EPSG:4513–4554), metres to degrees and back.

Formulas: Krüger's series in the third flattening, as given by C. F. F. Karney, Transverse Mercator
with an accuracy of a few nanometres, Journal of Geodesy 85 (2011); here to the fourth order, well below a millimetre.
City grids of their own cannot be converted without their parameters and are refused.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cityloop.core.errors import Invalid

Numbers = NDArray[np.float64]
_AXIS = 6378137.0
_FLAT = 1 / 298.257222101
_N = _FLAT / (2 - _FLAT)
_ECC = float(np.sqrt(_FLAT * (2 - _FLAT)))
_RADIUS = _AXIS / (1 + _N) * (1 + _N**2 / 4 + _N**4 / 64)
_TO_METRES = (
    _N / 2 - 2 * _N**2 / 3 + 5 * _N**3 / 16 + 41 * _N**4 / 180,
    13 * _N**2 / 48 - 3 * _N**3 / 5 + 557 * _N**4 / 1440,
    61 * _N**3 / 240 - 103 * _N**4 / 140,
    49561 * _N**4 / 161280,
)
_TO_DEGREES = (
    _N / 2 - 2 * _N**2 / 3 + 37 * _N**3 / 96 - _N**4 / 360,
    _N**2 / 48 + _N**3 / 15 - 437 * _N**4 / 1440,
    17 * _N**3 / 480 - 37 * _N**4 / 840,
    4397 * _N**4 / 161280,
)


@dataclass(frozen=True)
class Zone:
    """One zone: its central meridian in degrees, and what is added to the east coordinate in metres."""

    meridian: float
    false_east: float

    def degrees(self, east: Numbers, north: Numbers) -> tuple[Numbers, Numbers]:
        """Longitude and latitude (CGCS2000) of metres; what lies far outside of the zone becomes NaN."""
        near = (np.abs(east - self.false_east) < 500_000) & (north > 0) & (north < 10_000_000)
        east, north = np.where(near, east, np.nan), np.where(near, north, np.nan)
        xi, eta = north / _RADIUS, (east - self.false_east) / _RADIUS
        xi1, eta1 = xi.copy(), eta.copy()
        for k, beta in enumerate(_TO_DEGREES, 1):
            xi1 = xi1 - beta * np.sin(2 * k * xi) * np.cosh(2 * k * eta)
            eta1 = eta1 - beta * np.cos(2 * k * xi) * np.sinh(2 * k * eta)
        tau1 = np.sin(xi1) / np.hypot(np.sinh(eta1), np.cos(xi1))
        lats = np.degrees(np.arctan(_geodetic(tau1)))
        lons = self.meridian + np.degrees(np.arctan2(np.sinh(eta1), np.cos(xi1)))
        return lons, lats

    def metres(self, lons: Numbers, lats: Numbers) -> tuple[Numbers, Numbers]:
        """East and north in metres of CGCS2000 degrees."""
        tau = _conformal(np.tan(np.radians(lats)))
        away = np.radians(lons - self.meridian)
        xi1, eta1 = np.arctan2(tau, np.cos(away)), np.arcsinh(np.sin(away) / np.hypot(tau, np.cos(away)))
        xi, eta = xi1.copy(), eta1.copy()
        for k, alpha in enumerate(_TO_METRES, 1):
            xi = xi + alpha * np.sin(2 * k * xi1) * np.cosh(2 * k * eta1)
            eta = eta + alpha * np.cos(2 * k * xi1) * np.sinh(2 * k * eta1)
        return self.false_east + _RADIUS * eta, _RADIUS * xi


def zone(crs: str) -> Zone:
    """The zone of an EPSG code; raises :class:`Invalid` for every other system."""
    text = crs.strip().upper().removeprefix("EPSG:").strip()
    number = int(text) if text.isdigit() else 0
    if 4534 <= number <= 4554:
        return Zone(75.0 + 3 * (number - 4534), 500_000.0)
    if 4513 <= number <= 4533:
        band = 25 + number - 4513
        return Zone(3.0 * band, band * 1_000_000.0 + 500_000.0)
    raise Invalid(
        f"'{crs}' is no 3-degree Gauss-Krüger zone of CGCS2000; a local system cannot be converted without parameters",
        "use EPSG:4534 to 4554 (EPSG:4547 for 114° E), or EPSG:4513 to 4533 where the zone number stands before east",
    )


def _conformal(tau: Numbers) -> Numbers:
    sigma = np.sinh(_ECC * np.arctanh(_ECC * tau / np.hypot(1, tau)))
    result: Numbers = tau * np.hypot(1, sigma) - sigma * np.hypot(1, tau)
    return result


def _geodetic(tau1: Numbers) -> Numbers:
    """Newton's way back from the conformal latitude; three rounds reach the last digit."""
    tau = tau1 / (1 - _ECC**2)
    for _ in range(4):
        guess = _conformal(tau)
        slope = (1 - _ECC**2) * np.hypot(1, tau) * np.hypot(1, guess) / (1 + (1 - _ECC**2) * tau**2)
        tau = tau + (tau1 - guess) / slope
    return tau

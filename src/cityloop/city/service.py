"""stub"""

from __future__ import annotations

from typing import Any

from cityloop.city.schemas import Area, AreaLevel, CityView, ClockView, Matter


class Areas:
    def list(self, level: AreaLevel | None = None) -> list[Area]:
        raise NotImplementedError

    def geojson(self, level: AreaLevel) -> dict[str, Any]:
        raise NotImplementedError


class Catalogue:
    def list(self) -> list[Matter]:
        raise NotImplementedError


class City:
    areas: Areas
    catalogue: Catalogue

    def view(self) -> CityView:
        raise NotImplementedError

    def clock_view(self) -> ClockView:
        raise NotImplementedError

    def set_speed(self, speed: float) -> ClockView:
        raise NotImplementedError

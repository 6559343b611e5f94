"""An unmanned vehicle at work inside its fence: it moves, its battery drains, and things come in its way.

Without a link, with an obstacle ahead or at its fence it stops by itself; with a low battery it goes home.
"""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import Any, Literal

from pydantic import Field

from cityloop.core.values import Frozen

Incident = Literal["lost_link", "low_battery", "obstacle", "geofence"]
_METRES_A_DEGREE = 111_195.0
_HOUR = timedelta(hours=1)


class Driving(Frozen):
    """How a vehicle drives. Its fence is a circle around where it stands at the beginning."""

    fence_metres: float = Field(default=400, gt=0)
    speed: float = Field(default=8, gt=0)
    """km/h at work."""
    drain: float = Field(default=15, ge=0)
    """Percent of the battery an hour."""
    charge: float = Field(default=60, ge=0)
    """Percent an hour while it stands at home."""
    least_battery: float = Field(default=20, ge=0, le=100)
    stops_after_seconds: float = Field(default=30, ge=0)
    """So long after it lost its link it stops."""


class Vehicle:
    """Moves the state it is given; ``devices.yaml`` shows what a state holds."""

    def __init__(self, driving: Driving, state: dict[str, Any]) -> None:
        self._driving, self._state = driving, state
        self._home = (float(state["lon"]), float(state["lat"]))
        self._at: datetime | None = None
        self._metres = 0.0
        self._unlinked: datetime | None = None
        self.linked = True

    def meet(self, incident: Incident, now: datetime) -> None:
        """Something happens to it."""
        if incident == "lost_link":
            self.linked, self._unlinked = False, now
        elif incident == "low_battery":
            self._state["battery"] = self._driving.least_battery - 1
        elif incident == "obstacle":
            self._state["obstacle"] = True
        else:
            self._state["inside_fence"] = False

    def clear(self, incident: Incident) -> None:
        """What happened is over; a vehicle that stopped stays where it is until it is ordered on."""
        if incident == "lost_link":
            self.linked, self._unlinked = True, None
        elif incident == "obstacle":
            self._state["obstacle"] = False
        elif incident == "geofence":
            self._state["inside_fence"] = True

    def step(self, now: datetime) -> bool:
        """Drive up to ``now``; returns whether its state (not only its place) changed."""
        passed = now - self._at if self._at is not None else timedelta()
        self._at = now
        before = self._state["state"]
        if before in ("working", "returning"):
            self._drive(passed)
        elif before == "idle":
            self._state["battery"] = min(
                100.0, round(self._state["battery"] + self._driving.charge * (passed / _HOUR), 2)
            )
        if self._state["state"] in ("working", "returning"):
            self._watch(now)
        self._state["speed"] = self._driving.speed if self._state["state"] in ("working", "returning") else 0
        return bool(self._state["state"] != before)

    def _drive(self, passed: timedelta) -> None:
        """Rounds on a circle of half the fence; ``returning`` ends at home."""
        hours = passed / _HOUR
        self._state["battery"] = max(0.0, round(self._state["battery"] - self._driving.drain * hours, 2))
        if self._state["state"] == "returning":
            self._state["lon"], self._state["lat"], self._state["state"] = *self._home, "idle"
            return
        self._metres += self._driving.speed * 1000 * hours
        radius = self._driving.fence_metres / 2
        angle = self._metres / radius
        north, east = radius * math.sin(angle), radius * (math.cos(angle) - 1)
        across = _METRES_A_DEGREE * math.cos(math.radians(self._home[1]))
        self._state["lon"] = round(self._home[0] + east / across, 6)
        self._state["lat"] = round(self._home[1] + north / _METRES_A_DEGREE, 6)

    def _watch(self, now: datetime) -> None:
        """What it does by itself."""
        lost = (
            self._unlinked is not None and (now - self._unlinked).total_seconds() >= self._driving.stops_after_seconds
        )
        if lost or self._state["obstacle"] or not self._state["inside_fence"]:
            self._state["state"] = "stopped"
        elif self._state["battery"] < self._driving.least_battery:
            self._state["state"] = "returning"

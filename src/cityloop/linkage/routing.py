"""Crews and routes: which crew empties which stops in which order, with capacity, shifts and time windows.

Pure: the same stops and crews give the same rounds, for the search counts its steps and not the time it took. Distances
are those of the straight line times a detour, so that a city needs no road graph.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import cast

from pydantic import Field, model_validator
from pyvrp import Model, Solution
from pyvrp import Route as Driven
from pyvrp.stop import MaxIterations

from cityloop.core.errors import Invalid
from cityloop.core.values import Frozen
from cityloop.watch.places import metres_between

MOST_STOPS = 400
"""More in one call would hold up a plan; cut the city into districts."""
_LEFT_OUT = 1_000_000
"""What leaving out a stop costs, in metres: more than any round, so that it happens only where no crew can reach it."""


class Stop(Frozen):
    """A place to be served. ``load`` in litres, ``service`` and the window in seconds since the day's work began."""

    id: str
    lon: float = Field(ge=-180, le=180)
    lat: float = Field(ge=-90, le=90)
    load: float = Field(default=0, ge=0, le=1e9)
    service: int = Field(default=120, ge=0, le=86_400)
    opens: int = Field(default=0, ge=0, le=604_800)
    closes: int = Field(default=86_400, ge=0, le=604_800)

    @model_validator(mode="after")
    def _ordered(self) -> Stop:
        if self.closes < self.opens:
            raise ValueError(f"stop '{self.id}' closes before it opens")
        return self


class Crew(Frozen):
    """A vehicle with its people: where it stands, litres it holds, its shift in seconds, how often it may unload."""

    id: str
    lon: float = Field(ge=-180, le=180)
    lat: float = Field(ge=-90, le=90)
    capacity: float = Field(gt=0, le=1e9)
    begins: int = Field(default=0, ge=0, le=604_800)
    ends: int = Field(default=28_800, ge=0, le=604_800)
    unloads: int = Field(default=0, ge=0, le=20)


class Roads(Frozen):
    """How distances become metres and seconds: kilometres an hour, and metres driven for one of the straight line."""

    speed: float = Field(default=25, gt=0, le=200)
    detour: float = Field(default=1.3, ge=1, le=5)
    unload: int = Field(default=900, ge=0, le=14_400)
    """Seconds that unloading at the depot takes."""


class Visit(Frozen):
    """One stop of a round: the second at which work begins there, and how often the crew has unloaded before."""

    stop: str
    at: int
    trip: int
    load: float


class Round(Frozen):
    """What one crew drives."""

    crew: str
    visits: tuple[Visit, ...]
    metres: int
    load: float
    begins: int
    ends: int


class Rounds(Frozen):
    """All rounds; ``left_out`` are stops that no crew can reach within its shift, capacity and the stop's window."""

    rounds: tuple[Round, ...]
    metres: int
    left_out: tuple[str, ...]


def plan_rounds(stops: Sequence[Stop], crews: Sequence[Crew], roads: Roads | None = None, effort: int = 300) -> Rounds:
    """The shortest rounds found within ``effort`` steps of the search.

    Raises :class:`Invalid` for more than :data:`MOST_STOPS` stops, no crew, or an id that is there twice.
    """
    _check(stops, crews)
    if not stops:
        return Rounds(rounds=(), metres=0, left_out=())
    return _told(_best(stops, crews, roads or Roads(), effort), stops, crews)


def _best(stops: Sequence[Stop], crews: Sequence[Crew], roads: Roads, effort: int) -> Solution:
    """Rounds that serve all stops; where none are found, those that leave out what they must."""
    for everything in (True, False):
        model = _model(stops, crews, roads, everything)
        best = model.solve(MaxIterations(effort), seed=0, collect_stats=False, display=False).best
        if best.is_feasible():
            return best
    nothing_yet = Solution(model.data(), cast("list[Driven]", []))
    search = MaxIterations(effort)
    return model.solve(search, seed=0, collect_stats=False, display=False, initial_solution=nothing_yet).best


def _check(stops: Sequence[Stop], crews: Sequence[Crew]) -> None:
    if len(stops) > MOST_STOPS:
        raise Invalid(f"{len(stops)} stops are more than {MOST_STOPS}", "plan each district by itself")
    if not crews:
        raise Invalid("there is no crew", "name at least one crew with its place and capacity")
    for kind, ids in (("stop", [stop.id for stop in stops]), ("crew", [crew.id for crew in crews])):
        twice = sorted({found for found in ids if ids.count(found) > 1})
        if twice:
            raise Invalid(f"the {kind} '{twice[0]}' is there twice", f"name each {kind} once")


def _model(stops: Sequence[Stop], crews: Sequence[Crew], roads: Roads, everything: bool) -> Model:
    model = Model()
    yards = [model.add_location(crew.lon, crew.lat) for crew in crews]
    places = [model.add_location(stop.lon, stop.lat) for stop in stops]
    for crew, yard in zip(crews, yards, strict=True):
        depot = model.add_depot(yard, service_duration=roads.unload, name=crew.id)
        model.add_vehicle_type(
            capacity=math.floor(crew.capacity),
            start_depot=depot,
            end_depot=depot,
            tw_early=crew.begins,
            tw_late=crew.ends,
            reload_depots=[depot] if crew.unloads else [],
            max_reloads=crew.unloads,
            name=crew.id,
        )
    for stop, place in zip(stops, places, strict=True):
        model.add_client(
            place,
            pickup=math.ceil(stop.load),
            service_duration=stop.service,
            tw_early=stop.opens,
            tw_late=stop.closes,
            prize=_LEFT_OUT,
            required=everything,
            name=stop.id,
        )
    points = [(crew.lon, crew.lat) for crew in crews] + [(stop.lon, stop.lat) for stop in stops]
    _connect(model, points, roads)
    return model


def _connect(model: Model, points: Sequence[tuple[float, float]], roads: Roads) -> None:
    metres_a_second = roads.speed / 3.6
    for one, start in zip(model.locations, points, strict=True):
        for other, end in zip(model.locations, points, strict=True):
            if one is not other:
                metres = round(metres_between(start, end) * roads.detour)
                model.add_edge(one, other, metres, math.ceil(metres / metres_a_second))


def _told(best: Solution, stops: Sequence[Stop], crews: Sequence[Crew]) -> Rounds:
    rounds = sorted((_round(route, stops, crews) for route in best.routes()), key=lambda found: found.crew)
    reached = {visit.stop for found in rounds for visit in found.visits}
    left_out = tuple(stop.id for stop in stops if stop.id not in reached)
    return Rounds(rounds=tuple(rounds), metres=best.distance(), left_out=left_out)


def _round(route: Driven, stops: Sequence[Stop], crews: Sequence[Crew]) -> Round:
    visits = tuple(
        Visit(stop=stops[done.idx].id, at=done.start_time, trip=done.trip, load=stops[done.idx].load)
        for done in route.schedule()
        if done.is_client()
    )
    return Round(
        crew=crews[route.vehicle_type()].id,
        visits=visits,
        metres=route.distance(),
        load=sum(visit.load for visit in visits),
        begins=route.start_time(),
        ends=route.end_time(),
    )

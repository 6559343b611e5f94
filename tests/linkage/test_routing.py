"""Crews and routes: what is planned can be driven, and is shorter than fixed rounds at equal overflow."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cityloop.core.errors import Invalid
from cityloop.linkage.routing import MOST_STOPS, Crew, Roads, Rounds, Stop, plan_rounds
from cityloop.watch.places import metres_between
from tests.linkage.bin_rounds import bins, crews, fixed, foretold, play, resting

DEPOT = Crew(id="north", lon=114.05, lat=22.55, capacity=1000, unloads=2)
ROADS = Roads()


def stop(name: str, east: float = 0.0, load: float = 100, **more: int) -> Stop:
    return Stop(id=name, lon=114.05 + east, lat=22.56, load=load, **more)


@st.composite
def places(draw: st.DrawFn) -> list[Stop]:
    found = []
    for number in range(draw(st.integers(0, 12))):
        opens = draw(st.integers(0, 20_000))
        found.append(
            Stop(
                id=f"s{number}",
                lon=114 + draw(st.floats(0, 0.2)),
                lat=22.5 + draw(st.floats(0, 0.1)),
                load=draw(st.floats(0, 700)),
                opens=opens,
                closes=opens + draw(st.integers(0, 9000)),
            )
        )
    return found


def assert_can_be_driven(stops: list[Stop], fleet: list[Crew], rounds: Rounds) -> None:
    """Every stop once or left out; windows, shifts and capacities kept; nobody drives faster than the roads allow."""
    by_id = {found.id: found for found in stops}
    crew_of = {crew.id: crew for crew in fleet}
    served = [visit.stop for found in rounds.rounds for visit in found.visits]
    assert sorted([*served, *rounds.left_out]) == sorted(by_id)
    for found in rounds.rounds:
        crew = crew_of[found.crew]
        at, place = float(found.begins), (crew.lon, crew.lat)
        assert crew.begins <= found.begins
        assert found.ends <= crew.ends
        for before, visit in zip((None, *found.visits), found.visits, strict=False):
            here = by_id[visit.stop]
            if before is None or before.trip == visit.trip:
                drive = metres_between(place, (here.lon, here.lat)) * ROADS.detour / (ROADS.speed / 3.6)
                assert visit.at >= at + drive - 2
            assert here.opens <= visit.at <= here.closes
            at, place = visit.at + here.service, (here.lon, here.lat)
        for trip in {visit.trip for visit in found.visits}:
            assert trip <= crew.unloads
            assert sum(visit.load for visit in found.visits if visit.trip == trip) <= crew.capacity + 1


@settings(max_examples=40, deadline=None)
@given(places())
def test_rounds_keep_windows_shifts_and_capacity(stops: list[Stop]) -> None:
    fleet = [DEPOT, Crew(id="south", lon=114.1, lat=22.51, capacity=600, begins=3600, ends=20_000)]
    assert_can_be_driven(stops, fleet, plan_rounds(stops, fleet, effort=20))


def test_the_same_stops_give_the_same_rounds() -> None:
    stops = [stop(f"s{n}", east=n * 0.004 * (-1) ** n) for n in range(25)]
    assert plan_rounds(stops, [DEPOT]) == plan_rounds(stops, [DEPOT])


def test_what_nobody_can_reach_is_left_out_by_name_and_the_rest_is_served() -> None:
    stops = [stop("near"), stop("too-heavy", load=5000), stop("closed", opens=80_000, closes=80_001)]
    plan = plan_rounds(stops, [DEPOT])
    assert plan.left_out == ("too-heavy", "closed")
    assert [visit.stop for found in plan.rounds for visit in found.visits] == ["near"]


def test_a_full_crew_unloads_and_goes_out_again() -> None:
    plan = plan_rounds([stop(f"s{n}", load=400) for n in range(5)], [DEPOT])
    assert {visit.trip for found in plan.rounds for visit in found.visits} == {0, 1, 2}


def test_no_stops_are_no_rounds() -> None:
    assert plan_rounds([], [DEPOT]) == Rounds(rounds=(), metres=0, left_out=())


def test_what_cannot_be_planned_says_why() -> None:
    with pytest.raises(Invalid, match="no crew"):
        plan_rounds([stop("a")], [])
    with pytest.raises(Invalid, match="stop 'a' is there twice"):
        plan_rounds([stop("a"), stop("a")], [DEPOT])
    with pytest.raises(Invalid, match="more than"):
        plan_rounds([stop(f"s{n}") for n in range(MOST_STOPS + 1)], [DEPOT])
    with pytest.raises(ValueError, match="closes before it opens"):
        stop("a", opens=10, closes=5)


def test_measured_bins_overflow_no_more_on_shorter_rounds_than_on_fixed_days() -> None:
    """Half of the bins; the figures of all of them stand in docs/plans.md."""
    of = bins(most=53)
    fleet = crews(of, 3)
    ours, rested = play(of, fleet, foretold(100), effort=20), play(of, fleet, resting(6), effort=20)
    assert ours.left_out == rested.left_out == 0
    assert ours.overflow <= rested.overflow
    assert ours.kilometres < 0.93 * rested.kilometres
    assert play(of, fleet, fixed(2), effort=20).overflow > 2 * ours.overflow

"""Every sample plan, from the warning that starts it over its tasks and orders to its end, on the real engine."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from cityloop.linkage.lint import lint
from cityloop.linkage.lint_known import PlanNames
from tests.linkage.scenes import (
    BY_PLAN,
    ENVIRONMENT,
    FILES,
    SANITATION,
    SCENES,
    TRANSPORT,
    Scene,
    answer,
    approve,
    begin,
    clear,
    ordered,
    prepare,
    thing,
    yes,
)
from tests.linkage.support import POLICE, WATER, Room, demo

Rooms = Callable[..., Room]


def staged(room_of: Rooms, plan: str) -> Room:
    room = room_of(FILES[plan].read_text(encoding="utf-8"))
    prepare(room, BY_PLAN[plan])
    return room


@pytest.mark.parametrize("plan", FILES)
def test_no_sample_plan_has_a_fault(plan: str) -> None:
    city = demo()
    names = PlanNames(departments=set(city.departments), posts=set(city.policy.posts))
    assert lint(FILES[plan].read_text(encoding="utf-8"), names) == []


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.plan)
def test_a_sample_plan_is_played_to_its_end(room_of: Rooms, scene: Scene) -> None:
    room = staged(room_of, scene.plan)
    run = begin(room, scene)
    for given in scene.before:
        answer(room, given)
    assert room.run(run.run.id).run.state == ("running" if scene.waits else "done")
    clear(room)
    for given in scene.after:
        answer(room, given)
    done = room.run(run.run.id)
    assert (done.run.state, done.run.failure, done.run.open_tasks) == ("done", None, 0)
    assert sorted(ordered(room)) == sorted(scene.orders)


def test_one_district_has_one_air_plan_however_many_stations_warn(room_of: Rooms) -> None:
    room = staged(room_of, "air-traffic")
    scene = BY_PLAN["air-traffic"]
    run = begin(room, scene)
    again = begin(room, scene)
    assert again.run.id == run.run.id


def test_trucks_are_not_restricted_when_the_police_refuse(room_of: Rooms) -> None:
    room = staged(room_of, "air-traffic")
    run = begin(room, BY_PLAN["air-traffic"])
    answer(room, yes(ENVIRONMENT, "judge", confirmed=True))
    answer(room, approve(POLICE, "allow", given=False))
    answer(room, yes(TRANSPORT, "reinforce", lines="M1", vehicles=4))
    answer(room, yes(SANITATION, "flush", kilometres=3))
    clear(room)
    assert [entity for entity, _ in ordered(room)] == ["E1", "E1"]
    assert room.run(run.run.id).run.state == "running"


def test_an_episode_that_is_not_confirmed_orders_nothing(room_of: Rooms) -> None:
    room = staged(room_of, "air-traffic")
    run = begin(room, BY_PLAN["air-traffic"])
    answer(room, yes(ENVIRONMENT, "judge", confirmed=False))
    assert (room.run(run.run.id).run.state, ordered(room)) == ("done", [])


def test_a_road_is_closed_by_hand_where_no_barrier_stands(room_of: Rooms) -> None:
    room = staged(room_of, "waterlogging")
    scene = BY_PLAN["waterlogging"]
    bare = Scene(scene.plan, scene.starts, {"Pump": [thing("P1")]}, ())
    prepare(room, bare)
    begin(room, bare)
    answer(room, yes(WATER, "look", depth=0.5, closure=True, trapped=False))
    answer(room, approve(POLICE, "allow"))
    assert [task.element for task in room.tasks(POLICE)] == ["guard"]
    assert ordered(room) == [("P1", "start")]

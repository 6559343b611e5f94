"""A verdict names every check; what is unknown, outside its limits, unsafe or undecided stands against the order."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import pytest

from cityloop.command.schemas import Verdict
from cityloop.command.verdict import Asker, Facts, Seen, verdict
from cityloop.core.values import Title
from tests.command.field import NOON, declared, order

SIGNAL = {"plan": "day", "green": "north_south", "held": False, "cycle": 90, "mode": "automatic"}
SOURCE = {"running": True, "output": 92, "nox": 240, "dust": 10, "safety_process": False}
LEADER = Asker(("leader",), permitted=True, sees=True)
POLICE = Asker(("department",), permitted=True, sees=True)


def seen(entity: str, state: dict[str, Any] | None, pending: tuple[str, ...] = ()) -> Seen:
    at = NOON - timedelta(minutes=1) if state is not None else None
    return Seen(entity, Title(zh=entity, en=entity), "any", state=state or {}, at=at, pending=pending)


def judged(
    entity_type: str,
    command: str,
    state: dict[str, Any] | None,
    asker: Asker = POLICE,
    related: Mapping[str, tuple[Seen, ...]] | None = None,
    past: tuple[datetime, ...] = (),
    wired: bool = True,
    **parameters: Any,
) -> Verdict:
    facts = Facts(asker, seen("X", state), related or {}, past, wired)
    return verdict(declared().get(entity_type), order(entity_type, "X", command, **parameters), facts, NOON)


def against(found: Verdict) -> set[str]:
    return {reason.check for reason in found.against}


def test_an_order_that_fits_is_allowed_and_says_why() -> None:
    found = judged("TrafficSignal", "set_plan", SIGNAL, plan="night")
    assert found.allowed
    assert {reason.check for reason in found.reasons} == {
        "entity", "parameters", "authority", "sight", "wire", "expiry", "rate", "fresh", "interlock"
    }  # fmt: skip
    assert (found.level, found.second_person, found.parameters) == (1, False, {"plan": "night"})


@pytest.mark.parametrize(
    ("parameters", "what"),
    [
        ({}, "missing"),
        ({"plan": "disco"}, "one of"),
        ({"plan": 3}, "a text"),
        ({"plan": True}, "a text"),
        ({"plan": "night", "speed": 3}, "no parameter"),
        ({"plan": None}, "missing"),
    ],
)
def test_parameters_outside_of_what_is_declared_are_refused(parameters: dict[str, Any], what: str) -> None:
    found = judged("TrafficSignal", "set_plan", SIGNAL, **parameters)
    assert not found.allowed
    assert any(what in reason.said.en for reason in found.against if reason.check == "parameters")


@pytest.mark.parametrize("seconds", [9, 301, 12.5, float("nan"), float("inf"), -1, "60", False])
def test_a_number_out_of_its_range_is_refused(seconds: Any) -> None:
    found = judged("TrafficSignal", "hold_green", SIGNAL, direction="east_west", seconds=seconds)
    assert "parameters" in against(found)


def test_a_default_stands_in_for_what_is_left_out() -> None:
    assert judged("TrafficSignal", "hold_green", SIGNAL, direction="east_west").parameters["seconds"] == 60


def test_an_unknown_entity_or_command_stands_against_it_alone() -> None:
    facts = Facts(LEADER, None)
    found = verdict(declared()["Pump"], order("Pump", "nobody", "fly"), facts, NOON)
    assert against(found) == {"entity", "command"} and not found.allowed
    assert not verdict(None, order("Moon", "X", "fly"), facts, NOON).allowed


@pytest.mark.parametrize(
    ("output", "post", "level", "allowed", "second"),
    [
        (80, "department", 1, True, False),
        (70, "shift_leader", 1, True, False),
        (69, "shift_leader", 2, True, False),
        (40, "leader", 2, True, False),
        (39, "shift_leader", 3, False, True),
        (39, "leader", 3, True, True),
        (80, "handler", 1, False, False),
        (80, "leader", 1, True, False),
        (80, "system", 1, True, False),
        (39, "system", 3, False, True),
    ],
)
def test_what_is_ordered_decides_the_level_and_who_may(
    output: float, post: str, level: int, allowed: bool, second: bool
) -> None:
    found = judged("EmissionSource", "curtail", SOURCE, Asker((post,), permitted=True, sees=True), output=output)
    assert (found.level, found.allowed, found.second_person) == (level, allowed, second)


def test_an_order_may_ask_for_a_higher_level_but_for_none_that_nobody_holds() -> None:
    assert judged("EmissionSource", "curtail", SOURCE, output=80, _level=3).level == 3
    assert "authority" in against(judged("EmissionSource", "curtail", SOURCE, output=80, _level=4))


def test_no_posts_no_permission_no_sight_no_order() -> None:
    assert "authority" in against(judged("Pump", "start", {"mode": "remote"}, Asker((), permitted=True, sees=True)))
    for asker in (
        Asker(("department",), permitted=False, sees=True),
        Asker(("department",), permitted=True, sees=False),
    ):
        assert not judged("Pump", "start", {"mode": "remote"}, asker).allowed


@pytest.mark.parametrize(
    ("nox", "dust", "pm2_5", "allowed"),
    [(240, 10, 90, True), (240, 10, 60, False), (150, 10, 90, False), (150, 35, 75, True), (None, 35, 75, True),
     (None, None, 90, False), (240, 10, None, False)],
)  # fmt: skip
def test_a_source_is_shut_off_only_when_two_instruments_agree(nox: Any, dust: Any, pm2_5: Any, allowed: bool) -> None:
    monitor = (seen("S1", {"pm2_5": pm2_5}),)
    state = {**SOURCE, "nox": nox, "dust": dust}
    found = judged("EmissionSource", "shut_off", state, LEADER, {"monitor": monitor})
    assert found.allowed is allowed
    assert allowed or against(found) == {"double_condition"}
    assert found.second_person


@pytest.mark.parametrize("process", [True, None])
def test_a_source_under_a_safety_process_or_without_word_of_it_is_never_touched(process: bool | None) -> None:
    monitor = {"monitor": (seen("S1", {"pm2_5": 200}),)}
    state = {**SOURCE, "safety_process": process}
    assert "interlock" in against(judged("EmissionSource", "shut_off", state, LEADER, monitor))
    assert "interlock" in against(judged("EmissionSource", "curtail", state, output=80))


@pytest.mark.parametrize(
    ("held", "pending", "allowed"),
    [
        (False, (), True),
        (True, (), False),
        (None, (), False),
        (False, ("hold_green",), False),
        (False, ("set_plan",), True),
    ],
)
def test_two_conflicting_greens_are_never_given(held: bool | None, pending: tuple[str, ...], allowed: bool) -> None:
    other = {"conflicts": (seen("Y", {"held": held}, pending),)}
    found = judged("TrafficSignal", "hold_green", SIGNAL, related=other, direction="east_west")
    assert found.allowed is allowed


def test_a_neighbour_that_was_never_seen_counts_as_a_conflict() -> None:
    found = judged(
        "TrafficSignal", "hold_green", SIGNAL, related={"conflicts": (seen("Y", None),)}, direction="east_west"
    )
    assert against(found) == {"interlock"}


def test_stale_or_missing_data_decide_nothing() -> None:
    assert "fresh" in against(judged("TrafficSignal", "set_plan", None, plan="night"))
    late = Facts(POLICE, Seen("X", Title(zh="X", en="X"), "any", state=SIGNAL, at=NOON - timedelta(hours=2)))
    found = verdict(declared()["TrafficSignal"], order("TrafficSignal", "X", "set_plan", plan="night"), late, NOON)
    assert against(found) == {"fresh"}


def test_expiry_rate_and_a_missing_wire_stand_against_it() -> None:
    asks: dict[str, Any] = {"plan": "night"}
    assert against(judged("TrafficSignal", "set_plan", SIGNAL, **asks, _expires=NOON)) == {"expiry"}
    six = tuple(NOON - timedelta(minutes=n) for n in range(6))
    assert against(judged("TrafficSignal", "set_plan", SIGNAL, past=six, **asks)) == {"rate"}
    old = tuple(NOON - timedelta(minutes=61 + n) for n in range(6))
    assert judged("TrafficSignal", "set_plan", SIGNAL, past=old, **asks).allowed
    assert against(judged("TrafficSignal", "set_plan", SIGNAL, wired=False, **asks)) == {"wire"}
    assert judged("TrafficSignal", "set_plan", SIGNAL, wired=False, **asks, _exercise=True).allowed


def test_the_hostile_texts_of_a_parameter_stay_texts() -> None:
    text = '") or true or ("'
    found = judged("MessageSign", "show", {"text": "a"}, text=text)
    assert found.allowed and found.parameters == {"text": text}
    assert "parameters" in against(judged("MessageSign", "show", {"text": "a"}, text="长" * 41))

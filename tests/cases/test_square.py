"""The whole square of state × move × post: what is listed happens, everything else is refused with its reason.

The table below is written out by hand from the facts of the workflow, not derived from the file under test.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import cache
from itertools import product
from typing import Any

import pytest

from cityloop.access.actor import SYSTEM, Actor
from cityloop.access.door import Door
from cityloop.cases.ask import Ask, Facts
from cityloop.cases.definitions import unheld
from cityloop.cases.dispatch import Match
from cityloop.cases.handling import HandlingRules
from cityloop.cases.moves import MoveOutcome, Refusal, decide
from cityloop.cases.refusals import refused
from cityloop.cases.values import Case
from cityloop.city.service import City
from cityloop.core.clock import ManualClock
from cityloop.core.errors import AccessDenied, Conflict, Invalid
from cityloop.core.values import Title
from tests.cases.support import LITTER, MONDAY, SWEEPER, by_hand, demo_city, person

OPEN = {"draft", "reported", "verifying", "to_file", "to_dispatch", "to_handle", "handling", "to_review"}
OPEN |= {"to_inspect", "inspecting", "to_close"}
FINAL = {"declined", "merged", "closed"}
REPORTERS = {"collector", "acceptor", "shift_leader", "dispatcher", "department", "handler", "leader", "feed"}
NOTERS = {*REPORTERS, "supervisor"} - {"feed"}
# move: (from, to, posts); `to_handle+return` is to_handle with a request to return open
TABLE: dict[str, tuple[set[str], str, set[str]]] = {
    "submit": ({"draft"}, "reported", REPORTERS),
    "verify_send": ({"reported"}, "verifying", {"acceptor"}),
    "verify_answer": ({"verifying"}, "reported", {"collector"}),
    "accept": ({"reported"}, "to_file", {"acceptor", "shift_leader"}),
    "decline_accept": ({"reported"}, "declined", {"acceptor", "shift_leader"}),
    "merge": ({"reported"}, "merged", {"acceptor", "shift_leader"}),
    "file": ({"to_file"}, "to_dispatch", {"shift_leader"}),
    "decline_file": ({"to_file"}, "declined", {"shift_leader"}),
    "return_report": ({"to_file"}, "reported", {"shift_leader"}),
    "dispatch": ({"to_dispatch"}, "to_handle", {"dispatcher"}),
    "return_to_filing": ({"to_dispatch"}, "to_file", {"dispatcher"}),
    "assign": ({"to_handle"}, "handling", {"department"}),
    "return_ask": ({"to_handle"}, "to_handle", {"department"}),
    "return_approve": ({"to_handle+return"}, "to_dispatch", {"dispatcher"}),
    "return_refuse": ({"to_handle+return"}, "to_handle", {"dispatcher"}),
    "give_back": ({"handling", "handling+extension"}, "to_handle", {"handler"}),
    "submit_result": ({"handling", "handling+extension"}, "to_review", {"handler"}),
    "send_back": ({"to_review"}, "handling", {"department"}),
    "confirm": ({"to_review"}, "to_inspect", {"department"}),
    "extend_ask": ({"to_handle", "handling"}, "same", {"department", "handler"}),
    "extend_grant": ({"to_handle+extension", "handling+extension"}, "same", {"shift_leader", "dispatcher"}),
    "extend_refuse": ({"to_handle+extension", "handling+extension"}, "same", {"department", "dispatcher"}),
    "inspect_send": ({"to_inspect"}, "inspecting", {"acceptor", "shift_leader"}),
    "accept_without_visit": ({"to_inspect"}, "to_close", {"acceptor", "shift_leader"}),
    "rework_inspect": ({"to_inspect"}, "to_handle", {"acceptor", "shift_leader", "dispatcher"}),
    "inspect_done": ({"inspecting"}, "to_close", {"collector"}),
    "inspect_not_done": ({"inspecting"}, "to_handle", {"collector"}),
    "close": ({"to_close"}, "closed", {"shift_leader"}),
    "rework_close": ({"to_close"}, "to_handle", {"shift_leader"}),
    "supervise": ({*OPEN}, "same", {"supervisor", "leader"}),
    "note": ({*OPEN}, "same", NOTERS),
}
PENDING = {"to_handle+return", "to_handle+extension", "handling+extension"}
STATES = sorted(OPEN | FINAL | PENDING)
FIELDS: dict[str, dict[str, str]] = {
    "decline_accept": {"reason": "not_there"},
    "decline_file": {"reason": "not_ours"},
    "merge": {"target": "another"},
    "verify_answer": {"answer": "true"},
    "submit_result": {"result": "done"},
}
NOW = MONDAY + timedelta(minutes=20)


@cache
def city() -> City:
    return demo_city(ManualClock(MONDAY))


@cache
def door() -> Door:
    return Door(city().policy)


@cache
def rules() -> HandlingRules:
    return HandlingRules(city(), optional=False)


@cache
def standing_in(place: str) -> Case:
    """A case that stands in a state, perhaps with a request open, as it would have come there."""
    state, _, request = place.partition("+")
    case = Case(
        id="case_1",
        number="2026030900001",
        title="路边暴露垃圾",
        description="",
        state=state,
        stage=by_hand().state_by_id[state].stage,
        matter=LITTER,
        area="440304",
        district="440304",
        lon=114.05,
        lat=22.53,
        address="",
        channel="hotline",
        opened_at=MONDAY,
        updated_at=MONDAY,
        updated_by="somebody",
        last_move="submit",
        workflow=by_hand().key,
        open=state not in FINAL,
        limit_text="4小时",
        department="sanitation",
        request=request or None,
        request_by="another" if request else None,
        request_number=1 if request else 0,
        version=3,
    )
    return replace(case, handling=rules().start(case, "sanitation", MONDAY))


def at_post(post: str) -> Actor:
    return person(f"a.{post}", post, department="sanitation" if post in ("department", "handler") else "centre")


def wish(place: str, move: str, actor: Actor, **changes: Any) -> Ask:
    case = standing_in(place)
    other = replace(case, id="case_2", number="another", state="to_file", open=True)
    match = Match("refuse", "sanitation", Title(zh="行", en="row"))
    facts = Facts(city().departments, frozenset([LITTER]), match, SWEEPER, other)
    values: dict[str, Any] = {"opinion": "有理由", "fields": FIELDS.get(move, {}), **changes}
    return Ask(case, by_hand().move_by_id[move], by_hand(), actor, NOW, rules(), facts, **values)


def answer(ask: Ask) -> MoveOutcome | Refusal:
    return decide(ask, lambda permission: door().may(ask.actor, permission))


def listed(place: str, move: str) -> bool:
    origins = TABLE[move][0]
    aside = move in ("supervise", "note")
    return place in origins or (aside and place.partition("+")[0] in origins)


def test_the_table_names_every_move_of_the_file_and_no_other() -> None:
    assert set(TABLE) == set(by_hand().move_by_id)
    assert set(by_hand().state_by_id) == OPEN | FINAL


@pytest.mark.parametrize("post", sorted(city().policy.posts))
def test_what_is_listed_happens_and_nothing_else(post: str) -> None:
    actor = at_post(post)
    for place, move in product(STATES, TABLE):
        result = answer(wish(place, move, actor))
        may = post in TABLE[move][2]
        if listed(place, move) and may:
            assert isinstance(result, MoveOutcome), (place, move, post, result)
            wanted = place.partition("+")[0] if TABLE[move][1] == "same" else TABLE[move][1]
            assert result.case.state == wanted and result.case.version == 4
        else:
            assert isinstance(result, Refusal), (place, move, post)
            assert result.kind == ("state" if not listed(place, move) else "permission"), (place, move, post)


def test_every_refusal_names_the_state_or_the_missing_permission_and_who_could() -> None:
    for place, move, post in product(STATES, TABLE, city().policy.posts):
        ask = wish(place, move, at_post(post))
        result = answer(ask)
        if not isinstance(result, Refusal):
            continue
        problem = refused(ask, result, city().policy, "en")
        assert ask.case.state in problem.detail and move in problem.detail
        assert set(problem.more["able"]) == TABLE[move][2]
        if result.kind == "permission":
            assert isinstance(problem, AccessDenied) and f"'{ask.move.needs}'" in problem.detail
        else:
            assert isinstance(problem, Conflict)
        assert all(title["zh"] and title["en"] for title in problem.more["reasons"])


def test_no_move_leaves_a_final_state_even_for_the_system() -> None:
    for place, move in product(sorted(FINAL), TABLE):
        assert isinstance(answer(wish(place, move, SYSTEM)), Refusal)


def test_moves_that_send_back_stop_or_overrule_need_a_reason() -> None:
    reasoned = {move.id for move in by_hand().moves if move.reason_needed}
    sending = {"decline_accept", "merge", "decline_file", "return_report", "return_to_filing", "return_ask"}
    sending |= {"return_approve", "return_refuse", "give_back", "send_back", "extend_ask", "extend_grant"}
    sending |= {"extend_refuse", "rework_inspect", "inspect_not_done", "rework_close", "supervise", "note"}
    assert reasoned == sending
    for move in sorted(reasoned):
        place = sorted(TABLE[move][0])[0]
        ask = wish(place, move, at_post(sorted(TABLE[move][2])[0]), opinion="  ")
        result = answer(ask)
        assert isinstance(result, Refusal) and result.kind == "input", (move, result)
        assert [item.field for item in result.reasons] == ["opinion"]
        assert isinstance(refused(ask, result, city().policy, "zh"), Invalid)


def test_every_permission_of_the_workflow_is_held_by_some_post() -> None:
    assert unheld(by_hand(), city().policy) == []

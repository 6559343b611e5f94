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
from cityloop.cases.ask import Ask, Facts, PartWish
from cityloop.cases.definitions import unheld
from cityloop.cases.dispatch import Match
from cityloop.cases.handling import HandlingRules
from cityloop.cases.moves import MoveOutcome, decide
from cityloop.cases.refusal import Refusal
from cityloop.cases.refusals import refused
from cityloop.cases.values import Case
from cityloop.cases.workflow import Workflow
from cityloop.city.service import City
from cityloop.core.clock import ManualClock
from cityloop.core.errors import AccessDenied, Conflict, Invalid
from cityloop.core.values import Title
from tests.cases.support import LITTER, MONDAY, SWEEPER, changed_workflow, demo_city, person

BEGUN = {"reported", "self_review", "verifying", "to_file"}
DISPATCHED = {"to_dispatch", "void_pending", "to_handle", "handling", "suspended", "to_review", "to_inspect"}
DISPATCHED |= {"inspecting", "to_close"}
OPEN = {"draft", *BEGUN, *DISPATCHED}
FINAL = {"declined", "merged", "self_closed", "self_invalid", "void", "closed", "force_closed"}
SENDERS = {"feed", "intake", "public"}
"""They report and see nothing of cases."""
REPORTERS = {"collector", "acceptor", "shift_leader", "dispatcher", "department", "handler", "leader", *SENDERS}
NOTERS = {*REPORTERS, "supervisor"} - SENDERS
FILERS = {"acceptor", "shift_leader"}
ASKED = {"to_handle+extension", "handling+extension"}
SUSPENDING = {"to_handle+suspension", "handling+suspension"}
# A place is a state, perhaps with a request that waits (`+`) or something that stands beside it (`*`).
ASIDE = {"to_handle*deferred", "handling*supervised", "to_dispatch*force", "closed*filed", "closed*passed"}
PENDING = {"to_handle+return", *ASKED, *SUSPENDING, "inspecting+rework"}
PLACES = {*OPEN - {"void_pending"}, "void_pending+void", *FINAL, *PENDING, *ASIDE}
EVERY_OPEN = {place for place in PLACES if place.partition("+")[0].partition("*")[0] in OPEN}


def at(*states: str) -> set[str]:
    """Every place in these states."""
    return {place for place in PLACES if place.partition("+")[0].partition("*")[0] in states}


# move: (places that it leaves, state that it leads to, posts that may)
TABLE: dict[str, tuple[set[str], str, set[str]]] = {
    "submit": ({"draft"}, "reported", REPORTERS),
    "submit_self": ({"draft"}, "self_review", {"collector"}),
    "accept_self": ({"self_review"}, "self_closed", FILERS),
    "reject_self": ({"self_review"}, "self_invalid", FILERS),
    "verify_send": ({"reported"}, "verifying", {"acceptor"}),
    "verify_answer": ({"verifying"}, "reported", {"collector"}),
    "accept": ({"reported"}, "to_file", FILERS),
    "decline_accept": ({"reported"}, "declined", FILERS),
    "merge": ({"reported"}, "merged", FILERS),
    "file": ({"to_file"}, "to_dispatch", {"shift_leader"}),
    "decline_file": ({"to_file"}, "declined", {"shift_leader"}),
    "return_report": ({"to_file"}, "reported", {"shift_leader"}),
    "dispatch": (at("to_dispatch"), "to_handle", {"dispatcher"}),
    "return_to_filing": (at("to_dispatch"), "to_file", {"dispatcher"}),
    "void_ask": (at("to_dispatch"), "void_pending", {"dispatcher"}),
    "void_approve": ({"void_pending+void"}, "void", {"shift_leader"}),
    "void_refuse": ({"void_pending+void"}, "to_dispatch", {"shift_leader"}),
    "assign": ({"to_handle", "to_handle*deferred"}, "handling", {"department"}),
    "return_ask": ({"to_handle", "to_handle*deferred"}, "same", {"department"}),
    "return_approve": ({"to_handle+return"}, "to_dispatch", {"dispatcher"}),
    "return_refuse": ({"to_handle+return"}, "same", {"dispatcher"}),
    "give_back": (at("handling"), "to_handle", {"handler"}),
    "submit_result": (at("handling"), "to_review", {"handler"}),
    "send_back": ({"to_review"}, "handling", {"department"}),
    "confirm": ({"to_review"}, "to_inspect", {"department"}),
    "extend_ask": (at("to_handle", "handling") - PENDING, "same", {"department", "handler"}),
    "extend_grant": (ASKED, "same", {"shift_leader", "dispatcher"}),
    "extend_refuse": (ASKED, "same", {"department", "dispatcher"}),
    "suspend_ask": (at("to_handle", "handling") - PENDING, "same", {"department", "handler"}),
    "suspend_grant": (SUSPENDING, "suspended", {"shift_leader", "dispatcher"}),
    "suspend_refuse": (SUSPENDING, "same", {"department", "dispatcher", "shift_leader"}),
    "resume": ({"suspended"}, "handling", {"dispatcher"}),
    "inspect_send": ({"to_inspect"}, "inspecting", FILERS),
    "accept_without_visit": ({"to_inspect"}, "to_close", FILERS),
    "rework_inspect": ({"to_inspect"}, "to_handle", {"acceptor", "shift_leader", "dispatcher"}),
    "inspect_done": ({"inspecting"}, "to_close", {"collector"}),
    "inspect_fail": ({"inspecting"}, "same", {"collector"}),
    "inspect_not_done": ({"inspecting+rework"}, "to_handle", FILERS),
    "inspect_again": ({"inspecting+rework"}, "same", FILERS),
    "close": ({"to_close"}, "closed", {"shift_leader"}),
    "rework_close": ({"to_close"}, "to_handle", {"shift_leader"}),
    "supervise": (EVERY_OPEN - {"handling*supervised"}, "same", {"supervisor", "leader"}),
    "answer_supervision": ({"handling*supervised"}, "same", {"department"}),
    "defer": (at(*DISPATCHED) - {"to_handle*deferred"}, "same", {"shift_leader", "leader"}),
    "undefer": ({"to_handle*deferred"}, "same", {"shift_leader", "leader"}),
    "force_ask": (EVERY_OPEN - {"to_dispatch*force"}, "same", {"leader"}),
    "force_close": ({"to_dispatch*force"}, "force_closed", {"leader", "shift_leader"}),
    "force_refuse": ({"to_dispatch*force"}, "same", {"leader", "shift_leader"}),
    "appeal": ({"closed"}, "same", {"department"}),
    "appeal_pass": ({"closed*filed"}, "same", {"dispatcher"}),
    "appeal_reject": ({"closed*filed"}, "same", {"dispatcher"}),
    "appeal_grant": ({"closed*passed"}, "same", FILERS),
    "appeal_refuse": ({"closed*passed"}, "same", FILERS),
    "callback_new": (at("closed"), "same", {"shift_leader"}),
    "callback_reopen": (set(), "to_dispatch", {"shift_leader"}),
    "add_part": (at("to_handle", "handling", "to_review"), "same", {"dispatcher"}),
    "note": (EVERY_OPEN, "same", NOTERS),
}
STATES = sorted(PLACES)
FIELDS: dict[str, dict[str, str]] = {
    "decline_accept": {"reason": "not_there"},
    "decline_file": {"reason": "not_ours"},
    "merge": {"target": "another"},
    "verify_answer": {"answer": "true"},
    "submit_result": {"result": "done"},
    "suspend_ask": {"until": "2026-05-01"},
    "add_part": {"parts": "one"},
    "supervise": {"reply_by": "2026-03-10"},
    "answer_supervision": {"reply": "正在处理"},
}
DATES = {"until": MONDAY + timedelta(days=30), "reply_by": MONDAY + timedelta(days=1)}
PARTS = (PartWish(department="water"),)
TOMORROW = MONDAY + timedelta(days=1)
BESIDE: dict[str, dict[str, Any]] = {
    "deferred": {"deferred": True},
    "supervised": {"supervised": True, "reply_due_at": TOMORROW, "supervision": {"demand": "x"}},
    "force": {"force_by": "another"},
    "filed": {"appeal": "filed"},
    "passed": {"appeal": "passed", "appeal_reviewer": "another"},
}
NOW = MONDAY + timedelta(minutes=20)


@cache
def city() -> City:
    return demo_city(ManualClock(MONDAY))


@cache
def door() -> Door:
    return Door(city().policy)


@cache
def flow() -> Workflow:
    """The workflow of people, in a city where collectors may put this matter right."""
    return changed_workflow(version="square", automation=(), self_handling={"matters": [LITTER]})


@cache
def rules() -> HandlingRules:
    return HandlingRules(city(), optional=False)


@cache
def standing_in(place: str) -> Case:
    """A case that stands in a state, perhaps with a request open, as it would have come there."""
    bare, _, beside = place.partition("*")
    state, _, request = bare.partition("+")
    case = Case(
        id="case_1",
        number="2026030900001",
        title="路边暴露垃圾",
        description="",
        state=state,
        stage=flow().state_by_id[state].stage,
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
        workflow=flow().key,
        open=state not in FINAL,
        limit_text="4小时",
        department="sanitation",
        request=request or None,
        request_by="another" if request else None,
        request_number=1 if request else 0,
        request_detail={"until": "2026-05-01T00:00:00+08:00"} if request == "suspension" else None,
        suspended_from="handling" if state == "suspended" else None,
        suspended_until=TOMORROW if state == "suspended" else None,
        photos={"before": 1, "after": 1, "fresh": 1, "evidence": 1},
        on_time=False if state == "closed" else None,
        closed_at=MONDAY if state in FINAL else None,
        version=3,
        **BESIDE.get(beside, {}),
    )
    return replace(case, handling=rules().start(case, "sanitation", MONDAY))


def at_post(post: str) -> Actor:
    return person(f"a.{post}", post, department="sanitation" if post in ("department", "handler") else "centre")


def wish(place: str, move: str, actor: Actor, **changes: Any) -> Ask:
    case = standing_in(place)
    other = replace(case, id="case_2", number="another", state="to_file", open=True)
    match = Match("refuse", "sanitation", Title(zh="行", en="row"), ("sanitation",))
    facts = Facts(
        city().departments,
        frozenset([LITTER]),
        match,
        SWEEPER,
        other,
        dates=DATES,
        parts=PARTS if move == "add_part" else (),
    )
    values: dict[str, Any] = {"opinion": "有理由", "fields": FIELDS.get(move, {}), **changes}
    return Ask(case, flow().move_by_id[move], flow(), actor, NOW, rules(), facts, **values)


def answer(ask: Ask) -> MoveOutcome | Refusal:
    return decide(ask, lambda permission: door().may(ask.actor, permission))


def origins(move: str) -> set[str]:
    """States that the move leaves at all: in another place of such a state it is a guard that refuses."""
    if move in ("supervise", "answer_supervision", "force_ask", "force_close", "force_refuse", "note"):
        return OPEN
    if move.startswith(("appeal", "callback")):
        return {"closed"}
    if move in ("defer", "undefer"):
        return DISPATCHED
    return {place.partition("+")[0].partition("*")[0] for place in TABLE[move][0]}


ASKING = {"return_ask", "extend_ask", "suspend_ask", "void_ask", "inspect_fail"}
DECIDING = {"void_approve", "void_refuse", "return_approve", "return_refuse", "extend_grant", "extend_refuse"}
DECIDING |= {"suspend_grant", "suspend_refuse", "inspect_again"}
UNLESS_PENDING = {"assign", "inspect_done", *ASKING}


def expected(place: str, move: str, post: str) -> str:
    """``allowed``, or the kind of refusal: state before permission before guard."""
    state, request = place.partition("+")[0].partition("*")[0], place.partition("+")[2]
    waits = bool(request)
    if state not in origins(move) or (move in UNLESS_PENDING and waits):
        return "state"
    if move in DECIDING and place not in TABLE[move][0]:
        return "state"
    if post not in TABLE[move][2]:
        return "permission"
    return "allowed" if place in TABLE[move][0] else "guard"


def test_the_table_names_every_move_of_the_file_and_no_other() -> None:
    assert set(TABLE) == set(flow().move_by_id)
    assert set(flow().state_by_id) == OPEN | FINAL


@pytest.mark.parametrize("post", sorted(city().policy.posts))
def test_what_is_listed_happens_and_nothing_else(post: str) -> None:
    actor = at_post(post)
    for place, move in product(STATES, TABLE):
        result, wanted = answer(wish(place, move, actor)), expected(place, move, post)
        if wanted == "allowed":
            assert isinstance(result, MoveOutcome), (place, move, post, result)
            state = place.partition("+")[0].partition("*")[0] if TABLE[move][1] == "same" else TABLE[move][1]
            assert result.case.state == state and result.case.version == 4, (place, move, post)
        else:
            assert isinstance(result, Refusal), (place, move, post, wanted)
            assert result.kind == wanted, (place, move, post, result)


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


def test_nothing_carries_a_finished_case_on_even_for_the_system() -> None:
    for place, move in product(sorted(FINAL), TABLE):
        result = answer(wish(place, move, SYSTEM))
        if isinstance(result, MoveOutcome):
            assert place == "closed" and move in ("appeal", "callback_new") and not result.case.open


def test_moves_that_send_back_stop_or_overrule_need_a_reason() -> None:
    reasoned = {move.id for move in flow().moves if move.reason_needed}
    free = {
        "add_part",
        "submit",
        "submit_self",
        "accept_self",
        "verify_send",
        "verify_answer",
        "accept",
        "file",
        "dispatch",
    }
    free |= {"assign", "submit_result", "confirm", "inspect_send", "accept_without_visit", "inspect_done", "close"}
    sending = set(TABLE) - free - {"answer_supervision"}
    assert reasoned == sending
    for move in sorted(reasoned):
        if not TABLE[move][0]:
            continue
        place = sorted(TABLE[move][0])[0]
        ask = wish(place, move, at_post(sorted(TABLE[move][2])[0]), opinion="  ")
        result = answer(ask)
        assert isinstance(result, Refusal) and result.kind == "input", (move, result)
        assert [item.field for item in result.reasons] == ["opinion"]
        assert isinstance(refused(ask, result, city().policy, "zh"), Invalid)


def test_every_permission_of_the_workflow_is_held_by_some_post() -> None:
    assert unheld(flow(), city().policy) == []

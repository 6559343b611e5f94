"""What a player does is drawn from the case's number and from nothing else."""

from __future__ import annotations

import statistics
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from cityloop.cases.schemas import CaseDetail, CaseReport, CaseView, FieldAsked, MoveOffer
from cityloop.city.schemas import Position
from cityloop.core.values import Title
from cityloop.drill.choose import chance, fill, pick, ready_at, wishes
from cityloop.drill.citizens import CitizenRecord
from cityloop.drill.plan import DrillPlan, MovePlan, TurnPlan

NOW = datetime(2026, 3, 9, 1, tzinfo=UTC)
NAME = Title(zh="甲", en="A")
HANDLING = TurnPlan.model_validate(
    {
        "state": "handling",
        "post": "handler",
        "wait": {"record": True, "between": [600, 1200], "otherwise": {"median": 5400, "sigma": 0.8}},
        "moves": [{"move": "submit_result"}],
    }
)
REVIEW = TurnPlan.model_validate(
    {
        "state": "to_review",
        "post": "department",
        "wait": [60, 600],
        "moves": [{"move": "send_back", "share": 0.25, "most_rework": 0}, {"move": "confirm"}],
    }
)


def case(number: str = "2026030900001", **values: Any) -> CaseDetail:
    base: dict[str, Any] = dict.fromkeys(CaseDetail.model_fields)
    base |= {
        "id": f"case_{number}",
        "number": number,
        "title": "路灯不亮",
        "state": "handling",
        "state_title": NAME,
        "stage": 4,
        "flags": [],
        "matter": "gb47678:matter:01037",
        "matter_title": NAME,
        "matter_class": NAME,
        "lon": 114.0,
        "lat": 22.5,
        "address": "",
        "channel": "hotline",
        "opened_at": NOW - timedelta(hours=1),
        "updated_at": NOW,
        "light": "green",
        "rework": 0,
        "extensions": 0,
        "petitioners": 0,
        "parts_open": 0,
        "photos": {},
        "petitioners_list": [],
        "attachments": [],
        "tasks": [],
        **dict.fromkeys(("deferred", "exempt", "forced", "self_handled"), False),
        "version": 3,
        "description": "",
        "timeline": [],
        "moves": [],
        "nearby": [],
    }
    return CaseDetail.model_validate(base | values)


def record(handling: timedelta | None) -> CitizenRecord:
    report = CaseReport(title="路灯不亮", matter="gb47678:matter:01037", position=Position(lon=114, lat=22.5))
    return CitizenRecord("1", NOW, report, handling)


def offer(move: str, allowed: bool = True, *fields: FieldAsked) -> MoveOffer:
    return MoveOffer(
        move=move, title=NAME, to="x", allowed=allowed, reasons=[], reason_needed=False, fields=list(fields)
    )


def ask(name: str, kind: Any, required: bool = False, choices: tuple[str, ...] = ()) -> FieldAsked:
    return FieldAsked(name=name, title=NAME, kind=kind, required=required, choices=[(c, NAME) for c in choices])


@given(st.text(), st.integers())
def test_a_chance_is_always_above_zero_and_below_one(text: str, number: int) -> None:
    assert 0 < chance(text, number) < 1


def test_handling_takes_exactly_what_the_real_record_took() -> None:
    assert ready_at(HANDLING, case(), record(timedelta(hours=5))) == NOW + timedelta(hours=4)


def test_a_record_that_was_closed_long_ago_is_handled_at_once() -> None:
    assert ready_at(HANDLING, case(), record(timedelta(minutes=5))) == NOW


def test_a_record_that_was_never_closed_is_never_handled() -> None:
    assert ready_at(HANDLING, case(), record(None)) is None


def test_rework_takes_the_planned_wait_and_not_the_record_again() -> None:
    again = ready_at(HANDLING, case(rework=1), record(None))
    assert again and timedelta(seconds=600) <= again - NOW <= timedelta(seconds=1200)


def test_cases_without_a_record_spread_around_the_stated_median() -> None:
    spans = [ready_at(HANDLING, case(str(i)), None) for i in range(2000)]
    seconds = [(at - NOW).total_seconds() for at in spans if at]
    assert 4900 < statistics.median(seconds) < 5900
    assert sum(s > 5400 * 2.718**1.6 for s in seconds) / len(seconds) < 0.05


def test_the_stated_share_of_cases_is_sent_back_and_reworked_ones_never() -> None:
    first = [wishes(REVIEW, case(str(i)))[0].move for i in range(2000)]
    assert 0.22 < first.count("send_back") / 2000 < 0.28
    assert {wishes(REVIEW, case(str(i), rework=1))[0].move for i in range(200)} == {"confirm"}


def test_the_same_case_always_meets_the_same_fate() -> None:
    assert wishes(REVIEW, case("7")) == wishes(REVIEW, case("7"))
    assert ready_at(REVIEW, case("7"), None) == ready_at(REVIEW, case("7"), None)


def test_what_is_not_on_offer_gives_way_to_the_usual_move() -> None:
    wanted = (MovePlan(move="send_back", share=0.5), MovePlan(move="confirm"))
    chosen = pick(case(moves=[offer("send_back", allowed=False), offer("confirm")]), wanted, [])
    assert chosen and chosen.offer.move == "confirm"
    assert pick(case(moves=[offer("note")]), wanted, []) is None


def test_a_case_is_merged_only_where_a_like_case_is_near() -> None:
    merge = offer("merge", True, ask("target", "line", required=True))
    wanted = (MovePlan(move="merge", fields={"target": "$nearby"}), MovePlan(move="accept"))
    lonely = pick(case(moves=[merge, offer("accept")]), wanted, [])
    assert lonely and lonely.offer.move == "accept"
    other = CaseView.model_validate({k: getattr(case("9"), k) for k in CaseView.model_fields})
    near = pick(case(moves=[merge, offer("accept")], nearby=[other]), wanted, [])
    assert near and near.fields == {"target": "9"}


def test_fields_come_from_the_plan_then_from_the_hands_at_work_then_from_the_first_choice() -> None:
    fields = (
        ask("result", "text", True),
        ask("handler", "person", False, ("li", "wu")),
        ask("ground", "choice", True, ("x",)),
    )
    wish = MovePlan(move="m", fields={"result": "好"})
    assert fill(offer("m", True, *fields), wish, ["zhao", "wu"]) == {"result": "好", "handler": "wu", "ground": "x"}
    assert fill(offer("m", True, fields[0]), MovePlan(move="m"), []) is None


def test_a_pending_request_is_answered_before_anything_else() -> None:
    pending = TurnPlan.model_validate({**HANDLING.model_dump(), "flag": "extension_pending", "post": "dispatcher"})
    plan = DrillPlan(turns=(pending, HANDLING))
    assert plan.turn("handler", "handling", frozenset({"urgent"})) is HANDLING
    assert plan.turn("handler", "handling", frozenset({"extension_pending"})) is None
    assert plan.turn("dispatcher", "handling", frozenset({"extension_pending"})) is pending

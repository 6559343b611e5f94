"""What people do: decide, check afterwards, revoke, answer an appeal; and what the counters say of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest

from cityloop.approve.content import ItemBook
from cityloop.approve.judging import sampled
from cityloop.approve.schemas import Appeal, ApplicationMove, ApplicationWish
from cityloop.core.errors import AccessDenied, Conflict, Invalid
from tests.approve.support import (
    LEADER,
    OFFICER,
    SECOND,
    URBAN,
    ApprovalRoom,
    demo_items,
    elderly,
    occupation,
    open_approval_room,
)
from tests.cases.support import MONDAY


@pytest.fixture
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApprovalRoom]:
    found = open_approval_room(tmp_path_factory.mktemp("officers"), _all_checked())
    yield found
    found.database.close()


def _all_checked() -> ItemBook:
    """The items of the pack, with every grant of a machine checked afterwards."""
    book = demo_items()
    items = {
        name: item.model_copy(update={"check": item.check.model_copy(update={"share": 1.0})})
        for name, item in book.items.items()
    }
    return ItemBook(items, book.digests, book.registers, book.tables)


def test_a_person_decides_within_the_limit_and_the_applicant_reads_why(room: ApprovalRoom) -> None:
    told = room.apply("elderly-allowance", elderly("样例丁"))
    seen = room.seen(told.number)
    assert seen.moves == ["grant", "refuse"] and seen.due_at == MONDAY + timedelta(days=7), "five working days"
    assert room.seen(told.number, LEADER).moves == []
    with pytest.raises(Invalid):
        room.move(OFFICER, told.number, "refuse")
    with pytest.raises(AccessDenied):
        room.desk.move(SECOND.model_copy(update={"kind": "machine"}), told.number, ApplicationMove(move="grant"))
    room.clock.advance(timedelta(hours=2))
    refused = room.move(OFFICER, told.number, "refuse", "未满 80 周岁")
    assert (refused.state, refused.late, refused.decided_by) == ("refused", False, "minzheng")
    public = room.public.follow(told.number, told.code, "192.0.2.8")
    assert [step.reason for step in public.steps] == ["", "未满 80 周岁"] and public.can_appeal
    assert "minzheng" not in public.model_dump_json()


def test_an_appeal_is_judged_by_somebody_else_and_only_once(room: ApprovalRoom) -> None:
    told = room.apply("elderly-allowance", elderly("样例丁"))
    appeal = Appeal(code=told.code, words="登记的出生日期有误，请核对档案")
    with pytest.raises(Conflict):
        room.public.appeal(told.number, appeal, "192.0.2.8")
    room.move(OFFICER, told.number, "refuse", "未满 80 周岁")
    assert room.public.appeal(told.number, appeal, "192.0.2.8").state == "appealed"
    assert room.seen(told.number).moves == [] and room.seen(told.number, SECOND).moves == ["grant", "refuse"]
    with pytest.raises(AccessDenied):
        room.move(OFFICER, told.number, "grant")
    assert room.move(SECOND, told.number, "grant").state == "granted"
    with pytest.raises(Conflict):
        room.public.appeal(told.number, appeal, "192.0.2.8")
    rates = room.supervision.rates(OFFICER, MONDAY - timedelta(days=1), MONDAY + timedelta(days=1))
    one = next(line for line in rates if line.item == "elderly-allowance")
    assert (one.applied, one.instant, one.handed, one.granted, one.appealed, one.overturned) == (1, 0, 1, 1, 1, 1)


def test_an_appeal_comes_too_late(room: ApprovalRoom) -> None:
    told = room.apply("elderly-allowance", elderly("样例丁"))
    room.move(OFFICER, told.number, "refuse", "未满 80 周岁")
    room.clock.advance(timedelta(days=61))
    with pytest.raises(Conflict):
        room.public.appeal(told.number, Appeal(code=told.code, words="太晚了"), "192.0.2.8")


def test_a_check_that_fails_leads_to_a_revocation_that_says_why(room: ApprovalRoom) -> None:
    told = room.apply("road-occupation", occupation())
    seen = room.seen(told.number, URBAN)
    assert seen.check == "due" and seen.moves == ["revoke", "check_pass", "check_fail"]
    failed = room.move(URBAN, told.number, "check_fail", "现场占用五米")
    assert (failed.state, failed.check, failed.moves) == ("granted", "failed", ["revoke"])
    revoked = room.move(URBAN, told.number, "revoke", "实际占用超过批准宽度")
    assert revoked.state == "revoked" and revoked.moves == []
    public = room.public.follow(told.number, told.code, "192.0.2.8")
    assert public.state_title.zh == "已撤销" and public.steps[-1].reason == "实际占用超过批准宽度"
    assert public.results == [] and "现场" not in public.model_dump_json(), "checks are the office's own matter"
    moves = [event.data["move"] for event in room.events("cityloop.application.moved")]
    assert moves == ["apply", "check_fail", "revoke"]
    rates = room.supervision.rates(URBAN, MONDAY, MONDAY + timedelta(hours=1))
    one = next(line for line in rates if line.item == "road-occupation")
    assert (one.instant_share, one.checked, one.check_failed_share, one.revoked) == (1.0, 1, 1.0, 1)


def test_what_cannot_be_revoked_stays(tmp_path_factory: pytest.TempPathFactory) -> None:
    book = demo_items()
    item = book.items["road-occupation"].model_copy(update={"revocable": False})
    fixed = ItemBook({**book.items, item.id: item}, book.digests, book.registers, book.tables)
    room = open_approval_room(tmp_path_factory.mktemp("fixed"), fixed)
    told = room.apply("road-occupation", occupation())
    with pytest.raises(Conflict):
        room.move(URBAN, told.number, "revoke", "后悔了")
    room.database.close()


def test_the_post_is_reminded_near_the_limit_and_when_it_is_over(room: ApprovalRoom) -> None:
    told = room.apply("elderly-allowance", elderly("样例丁"))
    due = room.seen(told.number).due_at
    assert due is not None and room.desk.tick(room.clock.now()) == 0
    room.clock.set(due - timedelta(hours=2))
    assert (room.desk.tick(room.clock.now()), room.desk.tick(room.clock.now())) == (1, 0)
    room.clock.set(due)
    assert room.desk.tick(room.clock.now()) == 0, "done at the due instant is on time"
    room.clock.advance(timedelta(seconds=1))
    assert (room.desk.tick(room.clock.now()), room.desk.tick(room.clock.now())) == (1, 0)
    steps = [(event.data["step"], event.data["posts"]) for event in room.events("cityloop.application.reminder")]
    assert steps == [("near", ["approver"]), ("due", ["approver"])]
    assert room.move(OFFICER, told.number, "grant").late


def test_what_changed_meanwhile_is_not_overwritten(room: ApprovalRoom) -> None:
    told = room.apply("elderly-allowance", elderly("样例丁"))
    version = room.seen(told.number).version
    room.desk.move(OFFICER, told.number, ApplicationMove(move="grant", version=version))
    with pytest.raises(Conflict):
        room.desk.move(SECOND, told.number, ApplicationMove(move="refuse", reason="迟了", version=version))


@pytest.mark.parametrize(
    ("item", "values"), [("elderly-allowance", elderly("样例乙")), ("road-occupation", occupation())]
)
def test_a_stored_decision_comes_out_the_same_again(room: ApprovalRoom, item: str, values: dict[str, Any]) -> None:
    told = room.apply(item, values)
    actor = OFFICER if item == "elderly-allowance" else URBAN
    room.clock.advance(timedelta(days=400))
    again = room.supervision.reproduce(actor, told.number)
    assert again.same and again.facts_same and again.answer_same, "by the day of the application, not by today's"


def test_the_same_applications_are_checked_for_the_same_seed() -> None:
    names = [f"app_{number}" for number in range(4000)]
    chosen = [name for name in names if sampled("2026", name, 0.1)]
    assert chosen == [name for name in names if sampled("2026", name, 0.1)]
    assert 320 < len(chosen) < 480
    assert set(chosen) <= {name for name in names if sampled("2026", name, 0.2)}
    assert not any(sampled("2026", name, 0.0) for name in names) and all(sampled("2026", n, 1.0) for n in names)


def test_an_officer_files_for_somebody_who_came_in_person(room: ApprovalRoom) -> None:
    told = room.desk.file(OFFICER, ApplicationWish(item="elderly-allowance", values=elderly("样例甲")))
    assert told.instant and room.seen(told.number).channel == "desk"
    with pytest.raises(AccessDenied):
        room.desk.file(LEADER, ApplicationWish(item="elderly-allowance", values=elderly("样例乙")))

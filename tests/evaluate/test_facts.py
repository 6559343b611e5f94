"""From timelines to steps: who had a case, when it came and went, what was late, and what was sent back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import delete

from cityloop.core.errors import Problem
from cityloop.evaluate.models import StepRow
from tests.cases.support import (
    ACCEPTOR,
    COLLECTOR,
    DISPATCHER,
    LEADER,
    SANITATION,
    SUPERVISOR,
    SWEEPER,
    TO_CLOSED,
    TO_DISPATCH,
    TO_HANDLE,
    TO_INSPECT,
)
from tests.evaluate.support import Town, open_town


@pytest.fixture
def town(tmp_path: Path) -> Any:
    found = open_town(tmp_path)
    yield found
    found.room.database.close()


AGAIN = (
    (SANITATION, "assign", "", {"handler": "sweeper.su"}),
    (SWEEPER, "submit_result", "", {"result": "再次清理"}),
    (SANITATION, "confirm"),
    (ACCEPTOR, "accept_without_visit"),
    (LEADER, "close"),
)


def walked(town: Town, *steps: tuple[Any, ...], minutes: float = 2) -> str:
    """A case that makes these steps, some minutes apart."""
    case = town.room.report()
    for one in steps:
        town.room.later(minutes=minutes)
        town.room.walk(case, one)
    return case.id


def test_every_step_of_a_closed_case_has_its_row(town: Town) -> None:
    walked(town, *TO_CLOSED)
    town.relay.drain()
    found = {row.step: row for name in town.book.steps for row in town.rows(name)}
    assert set(found) == {"report", "accept", "file", "dispatch", "handle", "close", "case"}
    assert {name: row.post for name, row in found.items() if name in ("accept", "file", "dispatch", "close")} == {
        "accept": "acceptor",
        "file": "shift_leader",
        "dispatch": "dispatcher",
        "close": "shift_leader",
    }
    assert (found["handle"].department, found["handle"].actor) == ("sanitation", "sweeper.su")
    assert (found["dispatch"].department, found["accept"].department) == ("sanitation", None)
    assert (found["case"].outcome, found["case"].late, found["case"].filed) == ("closed", False, True)
    assert (found["accept"].used_seconds, found["accept"].limit_seconds, found["accept"].late) == (120, 900, False)


def test_a_post_that_takes_too_long_is_late(town: Town) -> None:
    walked(town, *TO_DISPATCH, minutes=16)
    assert [row.late for row in (*town.rows("accept"), *town.rows("file"))] == [True, True]


def test_a_verification_pauses_the_clock_of_acceptance(town: Town) -> None:
    case = town.room.report()
    town.room.later(minutes=5)
    town.room.walk(case, (ACCEPTOR, "verify_send"))
    town.room.later(minutes=29)
    town.room.walk(case, (COLLECTOR, "verify_answer", "", {"answer": "true"}))
    town.room.later(minutes=5)
    town.room.walk(case, (ACCEPTOR, "accept"))
    [accept], [verify] = town.rows("accept"), town.rows("verify")
    assert (accept.used_seconds, accept.late, accept.elapsed_seconds) == (600, False, 39 * 60)
    assert (verify.used_seconds, verify.late, verify.actor) == (29 * 60, False, "collector.chen")


def test_rework_is_noted_on_the_handling_that_was_poor(town: Town) -> None:
    walked(town, *TO_INSPECT, (ACCEPTOR, "rework_inspect", "没有清理干净"), *AGAIN)
    first, second = town.rows("handle")
    assert (first.rework, second.rework, first.number, second.number) == (1, 0, 1, 2)
    assert [row.rework for row in town.rows("case")] == [1]
    assert first.outcome == second.outcome == "confirm"


def test_a_return_closes_the_old_handling_and_dispatch_was_not_right(town: Town) -> None:
    walked(
        town,
        *TO_HANDLE,
        (SANITATION, "return_ask", "不属于本部门"),
        (DISPATCHER, "return_approve", "同意"),
        (DISPATCHER, "dispatch", "改派", {"department": "transport"}),
    )
    first, second = town.rows("handle")
    assert (first.department, first.returned, first.late, first.outcome) == ("sanitation", 1, None, "dispatch")
    assert (second.department, second.ended_at, second.returned) == ("transport", None, 0)
    assert [row.returned for row in town.rows("dispatch")] == [1, 0]
    assert [row.department for row in town.rows("case")] == ["transport"]


def test_the_same_department_again_goes_on_with_what_was_left(town: Town) -> None:
    walked(
        town,
        *TO_HANDLE,
        (SANITATION, "return_ask", "不属于本部门"),
        (DISPATCHER, "return_approve", "同意"),
        (DISPATCHER, "dispatch", "仍由环卫", {"department": "sanitation"}),
    )
    [only] = town.rows("handle")
    assert (only.department, only.ended_at, only.returned) == ("sanitation", None, 1)


def test_supervision_is_noted_on_the_handling(town: Town) -> None:
    walked(town, *TO_HANDLE, (SUPERVISOR, "supervise", "尽快处理", {"reply_by": "2026-12-31"}))
    assert [row.supervised for row in town.rows("handle")] == [1]


def rebuilt(town: Town) -> list[tuple[Any, ...]]:
    with town.room.database.transaction() as tx:
        tx.session.execute(delete(StepRow))
    town.evaluator.rebuild()
    return town.steps()


def test_steps_from_events_equal_steps_from_timelines(town: Town) -> None:
    walked(town, *TO_CLOSED)
    walked(town, *TO_INSPECT, (ACCEPTOR, "rework_inspect", "没有清理干净"), *AGAIN)
    walked(town, *TO_HANDLE, (SANITATION, "extend_ask", "需要工具"), (DISPATCHER, "extend_grant", "同意"))
    walked(town, (ACCEPTOR, "decline_accept", "重复", {"reason": "not_ours"}))
    while town.relay.step("evaluate", limit=3):
        pass
    kept = town.steps()
    assert len(kept) > 20
    assert rebuilt(town) == kept
    town.relay.drain()
    assert town.steps() == kept


MOVES = (*(step for step in TO_CLOSED), (ACCEPTOR, "rework_inspect", "差"), (SANITATION, "return_ask", "不是"),
    (DISPATCHER, "return_approve", "好"), (DISPATCHER, "return_refuse", "不"), (LEADER, "rework_close", "差"),
    (SANITATION, "extend_ask", "慢"), (DISPATCHER, "extend_grant", "好"), (LEADER, "return_report", "补"),
    (DISPATCHER, "return_to_filing", "错"), (SANITATION, "send_back", "再做"))  # fmt: skip


@settings(max_examples=4)
@given(st.lists(st.tuples(st.sampled_from(range(len(MOVES))), st.integers(0, 90)), min_size=20, max_size=40))
def test_any_course_of_events_gives_the_same_steps_both_ways(
    tmp_path_factory: pytest.TempPathFactory, course: list[tuple[int, int]]
) -> None:
    town = open_town(tmp_path_factory.mktemp("course"))
    case = town.room.report()
    for choice, minutes in course:
        town.room.later(minutes=minutes)
        try:
            town.room.walk(case, MOVES[choice])
        except Problem:
            continue
        if minutes % 3 == 0:
            town.relay.drain()
    town.relay.drain()
    kept = town.steps()
    assert rebuilt(town) == kept
    open_runs = [row for row in kept if row[1] == "handle" and row[13] is None]
    assert len(open_runs) <= 1
    town.room.database.close()

"""The order of a desk: what is late first, then deadlines drawn forward by the risk of missing them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import text

from cityloop.cases.models import CaseRow
from cityloop.cases.queries import URGENCY
from cityloop.cases.schemas import CaseDetail
from cityloop.cases.urgency import urgent_at
from cityloop.core.web import Paging
from tests.cases.support import DISPATCHER, MONDAY, SANITATION, TO_DISPATCH, Room, open_room

DUE = MONDAY + timedelta(hours=10)
BY_URGENCY = Paging(page=1, size=50, sort=URGENCY)


@pytest.mark.parametrize(("risk", "hours"), [(None, 10), (0.0, 10), (0.25, 7.5), (1.0, 0)])
def test_a_deadline_is_drawn_forward_by_its_risk_as_far_as_the_report(risk: float | None, hours: float) -> None:
    assert urgent_at(MONDAY, DUE, risk) == MONDAY + timedelta(hours=hours)


def test_a_deadline_before_the_report_stays_where_it_is() -> None:
    assert urgent_at(DUE, MONDAY, 0.9) == MONDAY and urgent_at(MONDAY, None, 0.9) is None


def filed(room: Room, limit: str) -> CaseDetail:
    case = room.report()
    accept, (leader, file) = TO_DISPATCH
    return room.walk(case, accept, (leader, file, "", {"limit": limit}), (DISPATCHER, "dispatch"))


def order(room: Room) -> list[str]:
    return [case.id for case in room.listed(SANITATION, BY_URGENCY, open=True).items]


def estimate(room: Room, case: CaseDetail, risk: float) -> None:
    """As the models do: outside the moves, together with the place in the order."""
    assert case.due_at is not None
    values = {"risk": risk, "urgent_at": urgent_at(case.opened_at, case.due_at, risk), "id": case.id}
    with room.database.transaction() as tx:
        tx.update_now(CaseRow, [values])


def test_late_ones_stand_first_then_risk_and_deadline_together(room: Room) -> None:
    soon, long, short = filed(room, "4紧急工作时"), filed(room, "20紧急工作时"), filed(room, "1紧急工作时")
    assert order(room) == [short.id, soon.id, long.id]
    estimate(room, long, 0.9)
    assert order(room) == [short.id, long.id, soon.id]
    room.desk.tick(room.later(hours=5))
    assert order(room) == [short.id, soon.id, long.id]


def test_a_move_keeps_the_estimate_in_the_order(room: Room) -> None:
    soon, long = filed(room, "4紧急工作时"), filed(room, "20紧急工作时")
    estimate(room, long, 0.95)
    room.walk(long, (SANITATION, "assign"))
    assert order(room) == [long.id, soon.id]


def test_a_pause_has_no_deadline_and_comes_last(room: Room) -> None:
    paused, other = filed(room, "1紧急工作时"), filed(room, "20紧急工作时")
    until = (MONDAY + timedelta(days=3)).isoformat()
    room.walk(paused, (SANITATION, "suspend_ask", "等管材", {"until": until}), (DISPATCHER, "suspend_grant", "同意"))
    listed = room.listed(DISPATCHER, BY_URGENCY, open=True).items
    assert [case.id for case in listed] == [other.id, paused.id]


def test_cases_of_an_older_version_get_their_place_at_the_start(room: Room) -> None:
    soon, long = filed(room, "4紧急工作时"), filed(room, "20紧急工作时")
    with room.database.transaction() as tx:
        tx.session.execute(text("UPDATE case_file SET urgent_at = NULL, late = 0"))
    again = open_room(room.data)
    assert order(again) == [soon.id, long.id]
    again.database.close()

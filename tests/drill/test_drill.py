"""The players work the demo city over HTTP: they report, accept, assign, handle, inspect and close like people."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from sqlalchemy import select

from cityloop.cases.models import CaseRow, TimelineRow
from cityloop.core.clock import PacedClock
from cityloop.core.errors import NotFound
from tests.drill.conftest import START, Town
from tests.parts import Store

FAST = 600.0
MORNING = START + timedelta(minutes=40)
"""By then thirteen reports have come in."""
Towns = Callable[..., Town]


def cases(town: Town, **wanted: Any) -> list[CaseRow]:
    with town.database.reading() as session:
        return list(session.scalars(select(CaseRow).filter_by(**wanted)))


def closed(town: Town) -> list[CaseRow]:
    return [case for case in cases(town, open=False) if case.state == "closed"]


def test_citizens_report_and_players_bring_cases_to_their_close(towns: Towns) -> None:
    town = towns(PacedClock(MORNING, FAST))
    town.drill.start(town.url)
    town.until(lambda: len(closed(town)) >= 2)
    town.drill.stop()
    for case in closed(town):
        with town.database.reading() as session:
            moves = list(session.scalars(select(TimelineRow).filter_by(case=case.id).order_by(TimelineRow.seq)))
        assert {"submit", "assign", "submit_result", "confirm", "close"} <= {move.move for move in moves}
        handled = next(move for move in moves if move.move == "submit_result")
        assert handled.actor == f"drill-{case.department}-handler"
        assert case.reporter_name is None
        assert case.series == "boston-311"
        assert town.desk.verify_timeline(case.id) is None


def test_nothing_is_posted_twice_over_a_restart(towns: Towns) -> None:
    clock = PacedClock(MORNING, FAST)
    first = towns(clock)
    first.drill.start(first.url)
    first.until(lambda: len(cases(first)) >= 12)
    first.drill.stop()
    second = towns(clock)
    second.drill.start(second.url)
    known = len(cases(second))
    second.until(lambda: len(cases(second)) >= known + 3)
    second.drill.stop()
    with second.database.reading() as session:
        numbers = list(session.scalars(select(CaseRow.external_number).order_by(CaseRow.opened_at, CaseRow.number)))
    posted = [record.number for record in second.drill._citizens.records[: len(numbers)]]
    assert sorted(n for n in numbers if n) == sorted(posted)


def test_a_player_that_is_switched_off_leaves_its_cases_to_the_visitor_and_stays_off(towns: Towns) -> None:
    clock = PacedClock(MORNING, FAST)
    town = towns(clock)
    for player in town.drill.actors():
        if "handler" in player.posts:
            town.drill.switch(player.account, False)
    town.drill.start(town.url)
    town.until(lambda: any(case.state == "handling" for case in cases(town)))
    case = next(case for case in cases(town) if case.state == "handling")
    town.until(lambda: clock.now() > MORNING + timedelta(minutes=65))
    assert not closed(town)
    assert case.handler == f"{case.department}-handler"
    town.drill.stop()
    again = towns(clock)
    again.drill.restore()
    off = {player.account for player in again.drill.actors() if not player.playing}
    assert off == {player.account for player in again.drill.actors() if "handler" in player.posts}


def test_players_work_and_stay_switched_off_on_postgresql(towns: Towns, postgres: Store) -> None:
    with psycopg.connect(postgres.url.replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute("CREATE DATABASE drill")
    clock, url = PacedClock(MORNING, FAST), postgres.url.replace("+psycopg", "").removesuffix("city") + "drill"
    town = towns(clock, url)
    town.drill.switch("drill-dispatcher", False)
    town.drill.start(town.url)
    town.until(lambda: any(case.handler for case in cases(town)))
    town.drill.stop()
    assert {case.series for case in cases(town)} == {"boston-311"}
    again = towns(clock, url)
    again.drill.restore()
    assert [player.account for player in again.drill.actors() if not player.playing] == ["drill-dispatcher"]


def test_only_those_who_may_switch_players(towns: Towns) -> None:
    town = towns(PacedClock(START, 0))
    with town.client("zhiban") as leader, town.client("urban-handler") as handler:
        path = "/api/v1/drill/actors/drill-dispatcher"
        assert handler.patch(path, json={"playing": False}).status_code == 403
        assert leader.patch(path, json={"playing": False}).json()["playing"] is False
        off = [p["account"] for p in handler.get("/api/v1/drill/actors").json() if not p["playing"]]
        assert off == ["drill-dispatcher"]
    with pytest.raises(NotFound):
        town.drill.switch("nobody", True)


def test_the_players_wait_for_a_server_that_is_away_and_then_go_on(towns: Towns) -> None:
    town = towns(PacedClock(MORNING, FAST))
    town.drill.start("http://127.0.0.1:9")
    town.until(lambda: "Connect" in town.drill.problem)
    town.drill.stop()
    town.drill.start(town.url)
    town.until(lambda: len(cases(town)) >= 1)


def test_a_standing_clock_lets_nothing_happen_and_a_city_without_a_drill_has_no_players(towns: Towns) -> None:
    town = towns(PacedClock(START, 0))
    town.drill.start(town.url)
    assert type(town.drill).absent(town.database, town.clock).actors() == []
    assert cases(town) == [], "the clock stands, so nobody has reported anything"

"""Boards over a working desk: figures, their cases, rights, what-if, versions, and results that stay as published."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from cityloop.core.errors import AccessDenied, Conflict, ContentError, Invalid, NotFound
from cityloop.core.web import Paging
from cityloop.evaluate.schemas import NewVersion, Publish, SchemeChange, Wanted, WhatIf
from tests.cases.support import (
    ACCEPTOR,
    DISPATCHER,
    LEADER,
    ROAD,
    SANITATION,
    SWEEPER,
    TO_CLOSED,
    TO_HANDLE,
    TO_INSPECT,
    TRANSPORT,
    person,
)
from tests.evaluate.support import HEAD, MARCH, Town, changed_book, open_town

ROAD_MAN = person("road.lu", "handler", department="transport")
ALL = Paging(page=1, size=200, sort="")
AGAIN = (
    (ACCEPTOR, "rework_inspect", "没有清理干净"),
    (SANITATION, "assign", "", {"handler": "sweeper.su"}),
    (SWEEPER, "submit_result", "", {"result": "再次清理"}),
    (SANITATION, "confirm"),
    (ACCEPTOR, "accept_without_visit"),
    (LEADER, "close"),
)
ROADS = (
    *TO_HANDLE[:2],
    (DISPATCHER, "dispatch", "道路归交通", {"department": "transport"}),
    (TRANSPORT, "assign"),
    (ROAD_MAN, "submit_result", "", {"result": "已修补"}),
    (TRANSPORT, "confirm"),
    (ACCEPTOR, "accept_without_visit"),
    (LEADER, "close"),
)
SMALL = changed_book(minimum_sample=1)


@pytest.fixture(scope="module")
def _month(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """March 2026: four cases of sanitation (one reworked, one late, one waiting too long), two of transport."""
    town = open_town(tmp_path_factory.mktemp("month"), book=SMALL)
    room = town.room
    room.walk(room.report(), *TO_CLOSED)
    room.walk(room.report(), *TO_INSPECT, *AGAIN)
    late = room.report()
    room.walk(late, *TO_HANDLE)
    waiting = room.report()
    room.walk(waiting, *TO_HANDLE)
    for _ in range(2):
        handled = room.report(matter=ROAD)
        room.walk(handled, *ROADS)
    room.later(days=9)
    room.walk(late, *TO_CLOSED[3:])
    town.relay.drain()
    yield town
    room.database.close()


@pytest.fixture
def month(_month: Town) -> Town:
    return _month


def row(board: Any, name: str) -> Any:
    return next(row for row in board.rows if row.id == name)


def item(found: Any, name: str) -> Any:
    return next(item for item in found.items if item.id == name)


def test_a_board_shows_every_figure_with_numerator_and_denominator(month: Town) -> None:
    sanitation = row(month.board(), "sanitation")
    shown = {i.id: (i.numerator, i.denominator) for i in sanitation.items}
    assert shown["handle_rate"] == (4, 5)
    assert shown["handle_on_time_rate"] == (3, 5)
    assert shown["overdue_rate"] == (1, 5)
    assert shown["rework_rate"] == (1, 4)
    assert shown["close_on_time_rate"] == (2, 4)
    assert sanitation.score == round(sum(i.score for i in sanitation.items), 2)
    assert item(sanitation, "handle_rate").how == "30 × 80.00%"


def test_the_better_department_is_first_and_one_without_cases_has_a_dash(month: Town) -> None:
    board = month.board()
    assert [(r.id, r.rank) for r in board.rows if r.rank] == [("transport", 1), ("sanitation", 2)]
    water = row(board, "water")
    assert (water.score, water.rank, water.items[0].shown) == (None, None, "—")
    assert water.why_unranked.zh == "本期没有可评价的案件"


def test_the_whole_is_sum_over_sum(month: Town) -> None:
    board = month.board()
    for column in board.columns:
        parts = [item(found, column.id) for found in board.rows]
        whole = item(board.total, column.id)
        assert whole.numerator == sum(part.numerator for part in parts)
        assert whole.denominator == sum(part.denominator for part in parts)


@pytest.mark.parametrize("side", ["numerator", "denominator"])
def test_every_figure_opens_its_cases(month: Town, side: Any) -> None:
    board = month.board()
    for found in [*board.rows, board.total]:
        for figure in found.items:
            page = month.evaluator.cases(HEAD, "handling", MARCH, figure.id, side, found.id, ALL)
            number = getattr(figure, side) or 0
            assert sum(case.times for case in page.items) == number
            assert len({case.id for case in page.items}) == page.total == len(page.items)


def test_the_lists_behind_areas_add_up_to_the_list_behind_the_city(month: Town) -> None:
    wanted = MARCH.model_copy(update={"object": "area", "level": "cell"})
    board = month.board(wanted=wanted)
    found = [r.id for r in board.rows if r.score is not None]
    lists = [
        month.evaluator.cases(HEAD, "handling", wanted, "close_on_time_rate", "denominator", a, ALL).items
        for a in found
    ]
    cell = [case.id for page in lists for case in page]
    whole = month.evaluator.cases(HEAD, "handling", wanted, "close_on_time_rate", "denominator", "", ALL).items
    assert sorted(cell) == sorted(case.id for case in whole)
    districts = month.board(wanted=wanted, level="district")
    assert [r.id for r in districts.rows if r.score is not None] == ["440304"]


def test_lists_are_paged_and_exported(month: Town) -> None:
    first = month.evaluator.cases(
        HEAD, "handling", MARCH, "handle_rate", "denominator", "", Paging(page=1, size=2, sort="")
    )
    third = month.evaluator.cases(
        HEAD, "handling", MARCH, "handle_rate", "denominator", "", Paging(page=3, size=2, sort="")
    )
    assert (first.total, len(first.items), len(third.items)) == (6, 2, 2)
    file = month.evaluator.case_export(HEAD, "handling", MARCH, "handle_rate", "denominator", "", "csv")
    assert bytes(file.body).decode("utf-8-sig").count("\n") == 7
    table = bytes(month.evaluator.export(HEAD, "handling", MARCH, "csv").body).decode("utf-8-sig")
    assert "环境卫生管理中心" in table


def test_posts_and_persons_are_judged_by_who_acted(month: Town) -> None:
    posts = month.board(scheme="posts", wanted=Wanted(object="post", at=date(2026, 3, 1)))
    assert {"acceptor", "shift_leader", "dispatcher"} <= {r.id for r in posts.rows}
    people = month.board(scheme="posts", wanted=Wanted(object="person", at=date(2026, 3, 1)))
    dispatcher = row(people, "dispatcher.deng")
    assert item(dispatcher, "dispatch_on_time_rate").numerator == 6
    assert item(dispatcher, "accept_on_time_rate").shown == "—"


def test_a_department_sees_its_own_row_with_its_rank_and_no_total(month: Town) -> None:
    board = month.board(SANITATION)
    assert [(r.id, r.rank) for r in board.rows] == [("sanitation", 2)]
    assert (board.partial, board.total.items, board.total.score) == (False, [], None)
    theirs = month.evaluator.cases(SANITATION, "handling", MARCH, "handle_rate", "denominator", "transport", ALL)
    assert theirs.total == 0
    own = month.evaluator.cases(SANITATION, "handling", MARCH, "handle_rate", "denominator", "", ALL)
    assert {case.department for case in own.items} == {"sanitation"}


def test_a_board_that_cuts_through_a_departments_rows_counts_only_them(month: Town) -> None:
    board = month.board(TRANSPORT, wanted=MARCH.model_copy(update={"object": "area"}))
    assert board.partial
    assert item(row(board, "440304"), "handle_rate").denominator == 2
    assert board.total.items[0].denominator == 2


def test_without_the_permission_nothing_is_shown(month: Town) -> None:
    collector = person("collector.chen", "collector", areas=["440304"])
    for act in (
        lambda: month.evaluator.board(collector, "handling", MARCH),
        lambda: month.evaluator.indicators(collector),
        lambda: month.evaluator.schemes(collector),
        lambda: month.evaluator.cases(collector, "handling", MARCH, "handle_rate", "numerator", "", ALL),
        lambda: month.evaluator.publish(SANITATION, "handling", Publish(at=date(2026, 2, 1))),
        lambda: month.evaluator.what_if(SANITATION, "handling", wish()),
    ):
        with pytest.raises(AccessDenied):
            act()


@pytest.mark.parametrize(
    ("act", "error", "said"),
    [
        (lambda e: e.board(HEAD, "nothing", MARCH), NotFound, "no scheme 'nothing'"),
        (lambda e: e.board(HEAD, "handling", Wanted(object="post")), NotFound, "does not judge"),
        (lambda e: e.board(HEAD, "handling", Wanted(version="9")), NotFound, "no version '9'"),
        (lambda e: e.board(HEAD, "handling", Wanted(at=date(1, 1, 1))), Invalid, "no such period"),
        (lambda e: e.board(HEAD, "handling", MARCH, Paging(page=1, size=9, sort="x")), Invalid, "not sorted by 'x'"),
        (lambda e: e.cases(HEAD, "handling", MARCH, "x", "numerator", "", ALL), NotFound, "no item 'x'"),
        (lambda e: e.publish(HEAD, "handling", Publish(at=date(2026, 3, 1))), Conflict, "not over before 2026-04-01"),
        (lambda e: e.what_if(HEAD, "handling", wish(points={})), Invalid, "changes nothing"),
        (lambda e: e.what_if(HEAD, "handling", wish(points={"x": 1})), Invalid, "has faults"),
        (lambda e: e.what_if(HEAD, "handling", wish(points={"handle_rate": 40})), Invalid, "has faults"),
        (lambda e: e.what_if(HEAD, "handling", wish(first="2026-03-02", last="2026-03-01")), Invalid, "lies after"),
        (lambda e: e.what_if(HEAD, "handling", wish(first="2020-01-01")), Invalid, "more than 24"),
    ],
)
def test_a_wrong_request_is_answered_with_what_is_wrong(month: Town, act: Any, error: Any, said: str) -> None:
    with pytest.raises(error, match=said):
        act(month.evaluator)


def test_boards_are_sorted_and_paged(month: Town) -> None:
    found = month.evaluator.board(HEAD, "handling", MARCH, Paging(page=1, size=1, sort="handle_on_time_rate"))
    assert ([r.id for r in found.rows], found.count) == (["sanitation"], 9)
    worst = month.evaluator.board(HEAD, "handling", MARCH, Paging(page=1, size=2, sort="score"))
    assert [r.id for r in worst.rows] == ["sanitation", "transport"]


SWAP = {"handle_rate": 20, "rework_rate": 20}


def wish(points: Any = SWAP, first: str = "2026-03-01", last: str = "2026-03-31", **change: Any) -> WhatIf:
    return WhatIf.model_validate({"change": {"points": points, **change}, "from": first, "to": last})


def test_a_what_if_shows_both_rankings_and_writes_nothing(month: Town) -> None:
    before = month.board()
    found = month.evaluator.what_if(HEAD, "handling", wish())
    [period] = found.periods
    sanitation = next(r for r in period.rows if r.id == "sanitation")
    assert sanitation.before.score == row(before, "sanitation").score
    assert sanitation.after.score != sanitation.before.score
    assert {reason.item for reason in sanitation.why} == {"handle_rate", "rework_rate"}
    assert found.summary == {"up": 0, "down": 0, "same": 2, "none": 7}
    assert month.board() == before
    assert len(month.evaluator.schemes(HEAD)[0].versions) == 1


def test_a_what_if_may_change_a_formula(month: Town) -> None:
    variant = {
        "id": "handle_rate",
        "version": "all",
        "title": {"zh": "处置率", "en": "Handled"},
        "numerator": "handled + handle_overdue",
        "denominator": "handle_due",
    }
    found = month.evaluator.what_if(HEAD, "handling", wish(points={}, indicators=[variant]))
    [sanitation] = [r for r in found.periods[0].rows if r.id == "sanitation"]
    assert [(w.item, w.before, w.after) for w in sanitation.why] == [("handle_rate", 0.8, 1)]
    with pytest.raises(Invalid, match="have faults"):
        month.evaluator.what_if(HEAD, "handling", wish(points={}, indicators=[{**variant, "numerator": "handeld"}]))
    with pytest.raises(Invalid, match="have faults"):
        month.evaluator.what_if(HEAD, "handling", wish(points={}, indicators=[{**variant, "version": "1"}]))


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    found = open_town(tmp_path, book=SMALL)
    yield found
    found.room.database.close()


def test_an_explained_change_comes_into_force_and_old_versions_keep_their_figures(town: Town) -> None:
    town.room.walk(town.room.report(), *TO_INSPECT, *AGAIN)
    before = row(town.board(), "sanitation").score
    plan = town.evaluator.what_if(HEAD, "handling", wish()).plan
    new = NewVersion(plan=plan, base="1", version="2", change=SchemeChange(points=SWAP), reason="更重视返工")
    found = town.evaluator.change(HEAD, "handling", new)
    assert ([v.version for v in found.versions], found.version) == (["2", "1"], "2")
    assert (found.versions[0].created_by, found.versions[0].reason) == ("head.gao", "更重视返工")
    assert row(town.board(), "sanitation").score == before - 5
    assert row(town.board(version="1"), "sanitation").score == before
    assert [e.data["version"] for e in town.room.events("cityloop.scheme.versioned")] == ["2"]
    with pytest.raises(Conflict, match="version 2 of 'handling' is in force"):
        town.evaluator.change(HEAD, "handling", new)
    with pytest.raises(Conflict, match="has a version '1'"):
        town.evaluator.change(HEAD, "handling", new.model_copy(update={"base": "2", "version": "1"}))


def test_a_change_that_was_not_explained_is_not_applied(town: Town) -> None:
    plan = town.evaluator.what_if(HEAD, "handling", wish()).plan
    other = SchemeChange(points={"handle_rate": 10, "rework_rate": 30})
    new = NewVersion(plan=plan, base="1", version="2", change=other, reason="别的改动")
    with pytest.raises(Invalid, match="does not belong"):
        town.evaluator.change(HEAD, "handling", new)
    assert len(town.evaluator.schemes(HEAD)[0].versions) == 1


def test_a_published_result_stays_as_it_was(town: Town) -> None:
    town.room.walk(town.room.report(), *TO_INSPECT)
    town.room.later(days=25)
    town.relay.drain()
    frozen = town.evaluator.publish(HEAD, "handling", Publish(at=date(2026, 3, 1)))
    assert frozen.published
    with pytest.raises(Conflict, match="published already"):
        town.evaluator.publish(HEAD, "handling", Publish(at=date(2026, 3, 31)))
    case = town.rows("case")[0].case
    town.room.walk(case, *AGAIN)
    assert item(row(town.board(), "sanitation"), "rework_rate").numerator == 0
    assert item(row(town.board(live=True), "sanitation"), "rework_rate").raw_numerator == 1
    april = town.board(at=date(2026, 4, 10))
    assert row(april, "sanitation").before.score == row(frozen, "sanitation").score
    assert [r.id for r in town.board(SANITATION).rows] == ["sanitation"]
    assert [e.data["version"] for e in town.room.events("cityloop.scheme.published")] == ["1"]


def test_content_may_not_change_under_an_old_version(tmp_path: Path) -> None:
    open_town(tmp_path, book=SMALL).room.database.close()
    with pytest.raises(ContentError, match="raise the version"):
        open_town(tmp_path, book=changed_book(minimum_sample=2))
    open_town(tmp_path, book=changed_book(minimum_sample=2, version="2")).room.database.close()


def test_steps_are_made_anew_when_their_declaration_has_changed(tmp_path: Path) -> None:
    town = open_town(tmp_path)
    town.room.walk(town.room.report(), *TO_CLOSED)
    town.evaluator.catch_up()
    assert {r.actor for r in town.rows("handle")} == {"sweeper.su"}
    steps = {**town.book.steps, "handle": town.book.steps["handle"].model_copy(update={"by": ()})}
    town.room.database.close()
    again = open_town(tmp_path, book=type(town.book)(**{**vars(town.book), "steps": steps}))
    again.evaluator.catch_up()
    assert {r.actor for r in again.rows("handle")} == {"sanitation"}
    again.room.database.close()


def test_a_change_of_something_unknown_is_refused() -> None:
    with pytest.raises(ValidationError):
        WhatIf.model_validate({"change": {"colour": "red"}, "from": "2026-03-01", "to": "2026-03-02"})

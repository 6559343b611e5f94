"""A year of cases through the real desk equals the sheet that the clerk kept beside it."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from itertools import groupby
from typing import Any

import pytest
from PIL import Image

from cityloop.access.actor import Actor
from cityloop.cases.models import CaseRow
from cityloop.cases.schemas import AttachmentKind, CaseReport, MoveRequest
from cityloop.cases.store import CaseStore
from cityloop.cases.values import Case
from cityloop.core.database import Transaction
from cityloop.evaluate.content import Book, load_evaluation
from cityloop.evaluate.declarations import SchemeDef
from cityloop.evaluate.schemas import ItemView, Row, Wanted
from tests.cases.support import Room, changed_workflow
from tests.evaluate.support import HEAD, URBAN, T, Town, open_town
from tests.evaluate.year import FIRST, write_year
from tests.evaluate.year_book import Act
from tests.evaluate.year_people import BODIES
from tests.evaluate.year_sheet import OBJECTS, Figures, Key, counted, periods, read_sheet
from tests.evaluate.year_telling import Telling

WHOLE = "whole-year"
LEVELS = ("city", "district", "cell")
"""The levels of the demo city's tree of areas."""
FEW = ("2026-03", "2026-09", "2026")
"""A board of all grid cells is long: these periods stand for all."""
_BOTH: tuple[AttachmentKind, ...] = ("before", "after")


@pytest.fixture(scope="module")
def stories() -> list[Telling]:
    return write_year()


@pytest.fixture(scope="module")
def sheet(stories: list[Telling]) -> dict[Key, Figures]:
    return counted([line for story in stories for line in story.lines])


class Players:
    """Make every act of the year at the desk, in the order of time, a week in one transaction."""

    def __init__(self, room: Room) -> None:
        self.room, self.desk = room, room.desk
        self.ids: dict[int, str] = {}
        self.numbers: dict[int, str] = {}
        picture = io.BytesIO()
        Image.new("RGB", (8, 8)).save(picture, "PNG")
        self.picture = picture.getvalue()

    def play(self, acts: list[Act]) -> None:
        for (_, own), found in groupby(acts, _week_and_kind):
            if own:
                for act in found:
                    self.alone(act)
                continue
            with self.room.database.transaction() as tx:
                for act in found:
                    getattr(self, act.do)(tx, act)

    def report(self, tx: Transaction, act: Act) -> None:
        case, _ = self.desk.report_in(tx, act.by, CaseReport.model_validate(act.fields), act.at)
        self.know(act.case, case)

    def know(self, number: int, case: Case) -> None:
        self.ids[number], self.numbers[number] = case.id, case.number

    def move(self, tx: Transaction, act: Act) -> None:
        case = CaseStore.of(tx).find(self.ids[act.case])
        assert case is not None
        fields = {name: self.numbers[value] if name == "target" else value for name, value in act.fields.items()}
        wish = MoveRequest(move=act.move, version=case.version, opinion=act.opinion, fields=fields)
        self.desk.move_in(tx, act.by, case.id, wish, act.at)
        if act.move == "callback_new":
            [taken_up] = CaseStore.of(tx).select(CaseRow.linked_from == case.id, limit=2)
            self.know(-act.case, taken_up)

    def rate(self, tx: Transaction, act: Act) -> None:
        self.desk.rate_in(tx, act.by, self.ids[act.case], act.fields["stars"], "", act.at)

    def alone(self, act: Act) -> None:
        """What the desk does in a transaction of its own, at the time of its clock."""
        self.room.clock.set(act.at)
        if act.do == "tick":
            self.desk.tick(act.at)
        elif act.do == "proof":
            self.desk.attachments.add(act.by, self.ids[act.case], "proof.png", "evidence", self.picture)
        elif act.do == "put_right":
            self.put_right(act)
        else:
            self.part(act.by, self.ids[act.case], act)

    def put_right(self, act: Act) -> None:
        """The photos belong to the person until the report takes them."""
        files = [(kind, self.desk.attachments.stage(act.by, f"{kind}.png", kind, self.picture)) for kind in _BOTH]
        refs = [{"hash": file.hash, "kind": kind} for kind, file in files]
        told = CaseReport.model_validate({**act.fields, "self_handled": True, "attachments": refs})
        self.ids[act.case] = self.desk.report(act.by, told)[0].id

    def part(self, by: Actor, case: str, act: Act) -> None:
        [task] = self.desk.get(HEAD, case).tasks
        self.desk.tasks.move(by, task.id, MoveRequest(move=act.move, version=task.version, fields=act.fields))


def _week_and_kind(act: Act) -> tuple[int, bool]:
    return act.at.isocalendar().week, act.do in ("part", "proof", "put_right", "tick")


def everything() -> Book:
    """The pack's declarations, and a scheme of all its indicators for all kinds of objects."""
    book = load_evaluation([URBAN])
    items = [{"indicator": name, "points": 0, "formula": "0"} for name in book.indicators]
    value = {
        "id": WHOLE,
        "title": T,
        "objects": ["department", "area", "post", "person"],
        "items": [*items],
        "total": 1,
    }
    return Book(**{**vars(book), "schemes": {**book.schemes, WHOLE: SchemeDef.model_validate(value)}})


@pytest.fixture(scope="module")
def town(stories: list[Telling], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    flow = changed_workflow(version="year", automation=(), self_handling={"matters": [body.matter for body in BODIES]})
    found = open_town(tmp_path_factory.mktemp("year"), flow, book=everything(), start=FIRST)
    acts = sorted((act for story in stories for act in story.acts), key=lambda act: act.at)
    Players(found.room).play(acts)
    found.room.clock.set(acts[-1].at + timedelta(days=1))
    found.evaluator.rebuild()
    yield found
    found.room.database.close()


def test_the_sheet_is_what_the_clerk_wrote(sheet: dict[Key, Figures]) -> None:
    kept = read_sheet()
    assert kept.keys() == sheet.keys()
    for key, found in sheet.items():
        assert rounded(kept[key]) == rounded(found), key


def test_the_year_has_every_kind_of_ending(stories: list[Telling], town: Town) -> None:
    with town.room.database.reading() as session:
        states = Counter(state for (state,) in session.query(CaseRow.state))
    assert states.keys() == {
        *("closed", "force_closed", "declined", "void", "handling", "merged", "self_closed", "self_invalid")
    }
    again = sum(len({line.case.number for line in story.lines}) == 2 for story in stories)
    assert again > 20 and states.total() == len(stories) + again and states["closed"] > 0.8 * len(stories)
    lines = [line for story in stories for line in story.lines]
    for seen in ("rework", "returned", "extended", "suspended", "rating"):
        assert sum(getattr(line, seen) > 0 for line in lines) > 10, seen


def rounded(found: Figures) -> dict[str, tuple[float, float]]:
    return {name: (round(float(top), 3), round(float(bottom), 3)) for name, (top, bottom) in found.items()}


def shown(row: Row, raw: str = "") -> dict[str, tuple[float, float]]:
    return {item.id: (side(item, f"{raw}numerator"), side(item, f"{raw}denominator")) for item in row.items}


def side(item: ItemView, name: str) -> float:
    return round(float(getattr(item, name) or 0), 3)


@pytest.mark.parametrize("kind", OBJECTS)
def test_every_indicator_of_every_month_equals_the_sheet(town: Town, sheet: dict[Key, Figures], kind: Any) -> None:
    for name, period in periods():
        if kind == "cell" and name not in FEW:
            continue
        wanted = Wanted(
            object="area" if kind in LEVELS else kind,
            level=kind if kind in LEVELS else "district",
            period="year" if name == "2026" else "month",
            at=period.start.date(),
        )
        board = town.evaluator.board(HEAD, WHOLE, wanted)
        rows = {row.id: row for row in [*board.rows, board.total]}
        known = {id_ for period_, object_, id_, _ in sheet if (period_, object_) == (name, kind)}
        assert known <= rows.keys()
        for id_, row in rows.items():
            for view, raw in (("counted", ""), ("raw", "raw_")):
                right = sheet.get((name, kind, id_, view))
                found = shown(row, raw)
                assert found == (rounded(right) if right else dict.fromkeys(found, (0.0, 0.0))), (name, id_, view)


def test_the_scores_of_the_standard_scheme_add_up(town: Town, sheet: dict[Key, Figures]) -> None:
    points = {"handle_rate": 30, "handle_on_time_rate": 20, "close_on_time_rate": 20,
              "rework_rate": -10, "overdue_rate": -10, "extension_rate": -10}  # fmt: skip
    board = town.evaluator.board(HEAD, "handling", Wanted(object="department", period="year", at=date(2026, 6, 1)))
    for row in [row for row in board.rows if row.score is not None]:
        rates = {
            name: top / bottom
            for name, (top, bottom) in sheet["2026", "department", row.id, "counted"].items()
            if bottom
        }
        score = sum(
            weight * rates[name] if weight > 0 else -weight * (1 - rates[name]) for name, weight in points.items()
        )
        assert row.score == pytest.approx(float(score), abs=0.0051)


@pytest.mark.parametrize("level", ["street", "community"])
def test_a_level_that_the_city_does_not_have_is_an_empty_board_with_the_whole_city(town: Town, level: Any) -> None:
    board = town.evaluator.board(HEAD, WHOLE, Wanted(object="area", level=level, period="year", at=date(2026, 6, 1)))
    whole = town.evaluator.board(HEAD, WHOLE, Wanted(object="area", level="city", period="year", at=date(2026, 6, 1)))
    assert board.rows == [] and shown(board.total) == shown(whole.rows[0]) == shown(whole.total)

"""Steps without cases, schemes in a few words, and a working room with evaluation beside its case desk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

from cityloop.access.actor import Actor
from cityloop.cases.workflow import Workflow
from cityloop.core.database import Database
from cityloop.core.outbox import Relay
from cityloop.core.values import Title
from cityloop.evaluate import expression, keeper
from cityloop.evaluate.content import Book, load_evaluation
from cityloop.evaluate.declarations import COUNTERS, FLAGS, SchemeDef, SchemeDocument
from cityloop.evaluate.models import StepRow
from cityloop.evaluate.schemas import Board, Wanted
from cityloop.evaluate.service import Evaluator
from cityloop.evaluate.tally import Figure
from tests.cases.support import DEMO, MONDAY, Room, by_hand, open_room, person

URBAN = DEMO.parents[1] / "packs" / "urban"
HEAD = person("head.gao", "leader")
ANALYST = person("analyst.ai", "analyst")
T = Title(zh="标题", en="Title")
NOON = datetime(2026, 3, 9, 4, tzinfo=UTC)
MARCH = Wanted(period="month", at=date(2026, 3, 15))


def figures(**counts: Any) -> dict[str, Figure]:
    """Counts without exemptions, by name."""
    return {name: Figure(Fraction(str(value)), Fraction(str(value))) for name, value in counts.items()}


def scheme(
    items: list[dict[str, Any]], indicators: Mapping[str, tuple[str, str | None]], **more: Any
) -> SchemeDocument:
    """A scheme over formulas; indicators are (numerator, denominator)."""
    points = sum(item.get("points", 0) for item in items) or 100
    names = {name for pair in indicators.values() for text in pair if text for name in _names(text)}
    value = {
        "scheme": {"id": "s", "title": T, "objects": ["department"], "items": items, "total": points, **more},
        "indicators": {
            name: {"id": name, "title": T, "numerator": top, "denominator": bottom, "unit": "%" if bottom else "1"}
            for name, (top, bottom) in indicators.items()
        },
        "counts": {name: {"id": name, "title": T, "step": "handle", "at": "ended"} for name in names},
        "exemptions": {},
    }
    return SchemeDocument.model_validate(value)


def step(number: int, **values: Any) -> dict[str, Any]:
    """One row of the steps: a handling that ended at noon, in time."""
    row: dict[str, Any] = {
        "case": f"case_{number}",
        "step": "handle",
        "number": 1,
        "actor": None,
        "post": None,
        "department": "sanitation",
        "area": None,
        "district": None,
        "matter": "m",
        "channel": "hotline",
        "series": None,
        "began_at": NOON - timedelta(hours=1),
        "ended_at": NOON,
        "due_at": NOON,
        "limit_seconds": None,
        "used_seconds": 3600,
        "elapsed_seconds": 3600,
        "late": False,
        "outcome": "confirm",
        "rating": None,
        **dict.fromkeys(COUNTERS, 0),
        **dict.fromkeys(FLAGS, False),
    }
    return {**row, **values}


def put(database: Database, rows: list[dict[str, Any]]) -> None:
    """Store steps as they are."""
    with database.transaction() as tx:
        for row in rows:
            tx.insert(StepRow, row)


@dataclass
class Town:
    """A case desk with evaluation behind its relay."""

    room: Room
    evaluator: Evaluator
    relay: Relay
    book: Book

    def steps(self) -> list[tuple[Any, ...]]:
        """All stored steps, in a fixed order."""
        with self.room.database.reading() as session:
            rows = session.query(StepRow).order_by(StepRow.case, StepRow.step, StepRow.number).all()
            return [tuple(getattr(row, column.name) for column in StepRow.__table__.columns) for row in rows]

    def rows(self, name: str) -> list[StepRow]:
        """The rows of one step, oldest first."""
        self.relay.drain()
        with self.room.database.reading() as session:
            query = session.query(StepRow).filter(StepRow.step == name)
            return query.order_by(StepRow.began_at, StepRow.case, StepRow.number).all()

    def board(self, actor: Actor = HEAD, scheme: str = "handling", wanted: Wanted = MARCH, **more: Any) -> Board:
        """A board after everything that happened was counted."""
        self.relay.drain()
        return self.evaluator.board(actor, scheme, wanted.model_copy(update=more))


def open_town(
    tmp_path: Path, workflow: Workflow | None = None, book: Book | None = None, start: datetime = MONDAY
) -> Town:
    """The demo city's desk where people make every move, and its evaluation."""
    room = open_room(tmp_path, workflow or by_hand(), start)
    book = book or load_evaluation([URBAN], DEMO)
    evaluator = Evaluator(
        database=room.database, outbox=room.outbox, door=room.door, audit=room.audit, city=room.city, book=book
    )
    relay = Relay(room.database, room.outbox)
    relay.consume(keeper.CONSUMER, evaluator.take, keeper.MOVED)
    return Town(room, evaluator, relay, book)


def changed_book(**changes: Any) -> Book:
    """The demo city's book with parts of one scheme replaced."""
    book = load_evaluation([URBAN], DEMO)
    found = book.schemes["handling"]
    value = SchemeDef.model_validate({**found.model_dump(), **changes})
    return Book(**{**vars(book), "schemes": {**book.schemes, "handling": value}})


def _names(text: str) -> tuple[str, ...]:
    return expression.names(expression.parse(text))

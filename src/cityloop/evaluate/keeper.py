"""Keeps the table of steps: from events as cases move, or anew from all timelines; both give the same rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields
from itertools import groupby
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from cityloop.cases.models import CaseRow, TimelineRow, WorkflowRow
from cityloop.cases.workflow import Workflow
from cityloop.core.database import Database, Transaction
from cityloop.core.outbox import Event, OutboxCursor, OutboxRow
from cityloop.evaluate.content import Book
from cityloop.evaluate.facts import Entry, derive
from cityloop.evaluate.models import StepRow, StepStateRow

CONSUMER = "evaluate"
"""Name of the durable cursor."""
MOVED = ("cityloop.case.moved",)
_PAGE = 400
"""Cases whose timelines are read at once."""
_CASE = CaseRow.__table__.c
_LINE = TimelineRow.__table__.c
_COPIED = (_CASE.id, _CASE.area, _CASE.district, _CASE.matter, _CASE.channel, _CASE.series)
_NAMES = tuple(item.name for item in fields(Entry))
_READ = tuple(_LINE[name] for name in _NAMES)


class StepKeeper:
    """Makes the steps of cases; called by the relay, or for everything by :meth:`rebuild`."""

    def __init__(self, database: Database, book: Book) -> None:
        self._database = database
        self._book = book
        self._workflows: dict[str, Workflow] = {}

    def take(self, tx: Transaction, events: Sequence[Event]) -> None:
        """Relay handler: the cases that moved are read again from their timelines, in this transaction."""
        self._make(tx, list(dict.fromkeys(event.subject for event in events)))

    def current(self) -> bool:
        """Whether the stored steps were made by the declaration in force."""
        with self._database.reading() as session:
            state = session.get(StepStateRow, CONSUMER)
            known = state.digest if state else None
            empty = session.scalar(select(CaseRow.id).limit(1)) is None
        return known == self._book.digest() or (known is None and empty)

    def rebuild(self) -> int:
        """Make the steps of every case anew, page by page; returns the number of cases. May be stopped and repeated.

        Events that were there before it began need not be taken any more: the cursor moves behind them.
        """
        with self._database.reading() as session:
            seen = session.scalar(select(func.max(OutboxRow.seq))) or 0
        last, made = "", 0
        while True:
            with self._database.transaction() as tx:
                query = select(_CASE.id).where(_CASE.id > last).order_by(_CASE.id).limit(_PAGE)
                cases = list(tx.session.scalars(query))
                self._make(tx, cases)
                if len(cases) < _PAGE:
                    tx.session.merge(StepStateRow(key=CONSUMER, digest=self._book.digest()))
                    cursor = tx.session.get(OutboxCursor, CONSUMER)
                    tx.session.merge(OutboxCursor(consumer=CONSUMER, seq=max(seen, cursor.seq if cursor else 0)))
                    return made + len(cases)
            last, made = cases[-1], made + len(cases)

    def _make(self, tx: Transaction, cases: Sequence[str]) -> None:
        for start in range(0, len(cases), _PAGE):
            page = cases[start : start + _PAGE]
            tx.session.execute(delete(StepRow).where(StepRow.case.in_(page)))
            for row in self._rows(tx.session, page):
                tx.insert(StepRow, row)

    def _rows(self, session: Session, cases: Sequence[str]) -> Iterable[dict[str, Any]]:
        known = {
            row["id"]: dict(row) for row in session.execute(select(*_COPIED).where(_CASE.id.in_(cases))).mappings()
        }
        query = select(_LINE.case, *_READ).where(_LINE.case.in_(cases)).order_by(_LINE.case, _LINE.seq)
        lines = session.execute(query).mappings().all()
        for case, found in groupby(lines, key=lambda line: line["case"]):
            if case in known:
                entries = [Entry(**{name: line[name] for name in _NAMES}) for line in found]
                yield from derive(known[case], entries, lambda key: self._workflow(session, key), self._book)

    def _workflow(self, session: Session, key: str) -> Workflow:
        """A workflow version as it was entered when cases began to run under it."""
        if key not in self._workflows:
            row = session.get_one(WorkflowRow, key)
            self._workflows[key] = Workflow.model_validate(row.document)
        return self._workflows[key]

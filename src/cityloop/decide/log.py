"""The log of decisions, read within the asker's sight."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Text, cast, func, select
from sqlalchemy.orm import Session

from cityloop.access.actor import Actor
from cityloop.access.door import Door, Protected, Scope
from cityloop.core.database import Database
from cityloop.core.errors import Invalid, NotFound
from cityloop.core.values import Page, Title
from cityloop.core.web import Paging
from cityloop.decide.models import DecisionRow
from cityloop.decide.phrases import PHRASES
from cityloop.decide.schemas import DecisionFilter, DecisionLine, DecisionView

ENTITY = "decision"
_TABLE = DecisionRow.__table__
_ORDERS: dict[str, ColumnElement[Any]] = {
    name: _TABLE.c[name] for name in ("at", "table", "outcome", "subject", "actor")
}
_COVERED = ("inputs", "outputs")


class DecisionLog:
    """Lists decisions and shows one of them."""

    def __init__(self, database: Database, door: Door, title_of: Callable[[str], Title]) -> None:
        self._database, self._door, self._title_of = database, door, title_of
        door.register(Protected(ENTITY, owners=("actor",), sensitive=frozenset(_COVERED)))

    def page(self, actor: Actor, wanted: DecisionFilter, paged: Paging) -> Page[DecisionLine]:
        """One page of the log, the newest first unless another order is asked for."""
        scope = self._door.scope(actor, ENTITY)
        where = [scope.where(dict(_TABLE.c)), *_conditions(wanted)]
        query = select(DecisionRow).where(*where).order_by(*_order(paged.sort)).offset(paged.offset).limit(paged.size)
        with self._database.reading() as session:
            total = session.scalar(select(func.count()).select_from(DecisionRow).where(*where)) or 0
            items = [self._line(scope, row) for row in session.scalars(query)]
        return Page(items=items, total=total, page=paged.page, size=paged.size)

    def get(self, actor: Actor, id: str) -> DecisionView:
        """One decision; raises :class:`NotFound` for one that is not there or not within sight."""
        scope = self._door.scope(actor, ENTITY)
        with self._database.reading() as session:
            row = session.get(DecisionRow, id)
        if row is None or not scope.lets(_columns(row)):
            raise PHRASES.problem(NotFound, "no-made", id=id[:40])
        shown = _shown(scope, row)
        return DecisionView.model_validate({**shown, "title": self._title_of(row.table)})

    def past(self, session: Session, table: str, since: datetime, most: int) -> Iterator[DecisionRow]:
        """The newest decisions of a table since then; for figures over all of them, not for showing."""
        query = select(DecisionRow).where(DecisionRow.table == table, DecisionRow.at >= since)
        return iter(session.scalars(query.order_by(DecisionRow.at.desc(), DecisionRow.id).limit(most)))

    def counts(self, session: Session) -> dict[str, Counter[str]]:
        """How many decisions each table has made, by outcome."""
        columns = (DecisionRow.table, DecisionRow.outcome)
        found: dict[str, Counter[str]] = {}
        for table, outcome, count in session.execute(select(*columns, func.count()).group_by(*columns)):
            found.setdefault(table, Counter())[outcome] = count
        return found

    def _line(self, scope: Scope, row: DecisionRow) -> DecisionLine:
        shown = _shown(scope, row)
        values = {name: shown[name] for name in DecisionLine.model_fields if name != "title"}
        return DecisionLine.model_validate({**values, "title": self._title_of(row.table)})


def _columns(row: DecisionRow) -> dict[str, Any]:
    return {column.name: getattr(row, column.name) for column in _TABLE.columns}


def _shown(scope: Scope, row: DecisionRow) -> dict[str, Any]:
    """The row as the asker sees it: covered columns are null, for a mask of texts has no meaning in them."""
    columns = _columns(row)
    covered = scope.cover(columns)
    return columns | {name: None for name in _COVERED if covered[name] != columns[name]}


def _conditions(wanted: DecisionFilter) -> Iterator[ColumnElement[bool]]:
    for name in ("table", "outcome", "subject", "actor"):
        value = getattr(wanted, name)
        if value is not None:
            yield _TABLE.c[name] == value
    if wanted.rule is not None:
        yield cast(_TABLE.c.rules, Text).contains(f'"{wanted.rule}"', autoescape=True)
    if wanted.start is not None:
        yield _TABLE.c.at >= wanted.start
    if wanted.end is not None:
        yield _TABLE.c.at < wanted.end


def _order(sort: str) -> list[ColumnElement[Any]]:
    name = sort.removeprefix("-") or "at"
    if name not in _ORDERS:
        raise Invalid(f"decisions cannot be sorted by '{name[:40]}'", f"one of: {', '.join(_ORDERS)}")
    column = _ORDERS[name]
    return [column.desc() if sort.startswith("-") or not sort else column.asc(), _TABLE.c.id.desc()]

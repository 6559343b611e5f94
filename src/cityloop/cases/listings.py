"""Lists of cases as they are asked of the store: built once for each asker and filter, then only sent."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from sqlalchemy import ColumnElement, Integer, bindparam, func, select, true

from cityloop.access.actor import Actor
from cityloop.access.door import Door
from cityloop.access.predicates import Predicate, where
from cityloop.cases import queries
from cityloop.cases.definitions import Book
from cityloop.cases.models import SHOWN, CaseRow
from cityloop.cases.schemas import CaseFilter
from cityloop.cases.values import Case, listed
from cityloop.core.prepared import Prepared, Source

ENTITY = "case"
_TABLE = CaseRow.__table__
_KEPT = 1024
"""So many askers with a filter each are remembered."""
_ONCE = ("text", "opened_from", "opened_to", "closed_from", "closed_to", "series", "warning")
"""Filters that hardly anybody asks for twice."""


@dataclass(frozen=True, slots=True)
class Listing:
    """One filter and order for one asker."""

    counts: tuple[Prepared, ...]
    """Their sum is the number of rows."""
    page: Prepared

    def total(self, source: Source, now: datetime) -> int:
        """How many cases there are."""
        return sum(count.scalar(source, now=now) for count in self.counts)

    def cases(self, source: Source, now: datetime, offset: int, size: int) -> list[Case]:
        """Some of them, in order."""
        return [listed(row) for row in self.page.rows(source, now=now, offset=offset, size=size)]


class Listings:
    """Makes them; whatever may change what an asker sees (rights, grants, workflow) is part of what one is kept by."""

    def __init__(self, book: Book, door: Door) -> None:
        self._book = book
        self._door = door
        self._mines = lru_cache(2 * _KEPT)(lambda _workflow, actor: queries.mine(book.current, door, actor))
        self._made = lru_cache(_KEPT)(self._make)

    def of(self, actor: Actor, wanted: CaseFilter, sort: str) -> Listing:
        """What the actor may see under a filter; raises :class:`AccessDenied` where that is nothing at all."""
        rows = self._door.scope(actor, ENTITY).all_rows
        make = self._made if all(getattr(wanted, name) is None for name in _ONCE) else self._make
        return make(self._book.current.key, actor, rows, wanted, sort)

    def _make(self, workflow: str, actor: Actor, rows: Predicate, wanted: CaseFilter, sort: str) -> Listing:
        conditions = [where(rows, queries.COLUMNS), *queries.conditions(wanted)]
        within: tuple[ColumnElement[bool], ...] = (true(),)
        if wanted.mine:
            mine = self._mines(workflow, actor)
            within = mine.within
            conditions.append(mine.where)
        counts = [select(func.count()).select_from(_TABLE).where(*conditions, part) for part in within]
        # Ids first: an index alone finds them, so that a page far down a long queue looks at its own rows only.
        order = queries.order(sort)
        ids = select(_TABLE.c.id).where(*conditions).order_by(*order).offset(_OFFSET).limit(_SIZE)
        page = select(*SHOWN).where(_TABLE.c.id.in_(ids)).order_by(*order)
        return Listing(tuple(map(Prepared, counts)), Prepared(page))


_OFFSET, _SIZE = bindparam("offset", type_=Integer), bindparam("size", type_=Integer)

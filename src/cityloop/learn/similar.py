"""Earlier cases near a case that say the same, whatever matter they were filed under: beside the duplicate guard."""

from __future__ import annotations

import math
from datetime import timedelta

from sqlalchemy import ColumnElement, or_, select

from cityloop.access.actor import Actor
from cityloop.access.door import Door
from cityloop.cases.models import CaseRow
from cityloop.cases.queries import COLUMNS
from cityloop.cases.reading import ENTITY, missing
from cityloop.cases.store import load
from cityloop.cases.values import Case, scoped
from cityloop.core.database import Database
from cityloop.learn.schemas import Similar

DAYS, METRES = 90, 2000
_MOST, _SHOWN, _LEAST = 500, 5, 0.1
_METRES_A_DEGREE = 111_195.0


def similar(database: Database, door: Door, actor: Actor, key: str) -> list[Similar]:
    """The likest cases that the actor may see, likest first; raises ``NotFound`` for a case beyond the actor's sight.

    Compared are the newest 500 within 2 km that were opened in the 90 days before the case.
    """
    scope = door.scope(actor, ENTITY)
    with database.reading() as session:
        case = load(session, or_(CaseRow.id == key, CaseRow.number == key))
        if case is None or not scope.lets(scoped(case)):
            raise missing(key)
        columns = (CaseRow.id, CaseRow.number, CaseRow.title, CaseRow.description, CaseRow.opened_at, CaseRow.open)
        query = select(*columns).where(scope.where(COLUMNS), *_around(case)).order_by(CaseRow.opened_at.desc())
        rows = session.execute(query.limit(_MOST)).all()
    if not rows:
        return []
    from cityloop.learn.duplicates import grams

    table = grams([case.title, *[row.title for row in rows]], [case.description, *[row.description for row in rows]])
    told = (table[1:] @ table[0].T).toarray().ravel().tolist()
    ranked = sorted(zip(told, rows, strict=True), key=lambda pair: -pair[0])[:_SHOWN]
    return [
        Similar(id=r.id, number=r.number, title=r.title, opened_at=r.opened_at, open=r.open, similarity=round(share, 4))
        for share, r in ranked
        if share >= _LEAST
    ]


def _around(case: Case) -> list[ColumnElement[bool]]:
    high = METRES / _METRES_A_DEGREE
    wide = high / max(0.01, math.cos(math.radians(case.lat)))
    return [
        CaseRow.id != case.id,
        CaseRow.opened_at.between(case.opened_at - timedelta(days=DAYS), case.opened_at),
        CaseRow.lon.between(case.lon - wide, case.lon + wide),
        CaseRow.lat.between(case.lat - high, case.lat + high),
    ]

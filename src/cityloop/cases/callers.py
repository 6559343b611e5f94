"""Who calls again: earlier cases of a telephone number, for those who speak with reporters."""

from __future__ import annotations

import re

from pydantic import Field
from sqlalchemy import select

from cityloop.access.actor import Actor
from cityloop.access.audit import Audit
from cityloop.access.door import Door
from cityloop.cases import queries
from cityloop.cases.listings import ENTITY
from cityloop.cases.models import CaseRow
from cityloop.cases.schemas import CaseView
from cityloop.cases.values import from_row
from cityloop.cases.views import Views
from cityloop.city.service import City
from cityloop.core.database import Database
from cityloop.core.errors import AccessDenied
from cityloop.core.values import Frozen

MOST = 20
"""Most earlier cases shown."""
PHONE = "reporter_phone"
_TABLE = CaseRow.__table__


class CallerWish(Frozen):
    """A number as it was dialled or typed; spaces, hyphens and brackets do not count."""

    phone: str = Field(min_length=5, max_length=30, pattern=r"^[\d +()\-]+$")


class Callers:
    """Finds the earlier cases of a caller."""

    def __init__(self, *, database: Database, door: Door, audit: Audit, city: City, views: Views) -> None:
        self._database, self._door, self._audit, self._city, self._views = database, door, audit, city, views

    def earlier(self, actor: Actor, wish: CallerWish) -> list[CaseView]:
        """The newest cases of the number within sight; refused to whom telephone numbers are covered."""
        scope = self._door.scope(actor, ENTITY)
        if PHONE in scope.masks:
            detail = f"telephone numbers are covered for {actor.id}"
            raise AccessDenied(detail, "ask a post that speaks with reporters")
        now = self._city.clock.now()
        where = (_TABLE.c.reporter_phone.in_(spellings(wish.phone)), scope.where(queries.COLUMNS))
        query = select(_TABLE).where(*where).order_by(_TABLE.c.opened_at.desc()).limit(MOST)
        with self._database.reading() as session:
            found = [self._views.view(from_row(dict(row)), now) for row in session.execute(query).mappings()]
        with self._database.transaction() as tx:
            self._audit.record(tx, now, actor.id, "case.caller", "cases", {"found": len(found)})
        return found


def spellings(phone: str) -> list[str]:
    """The number as typed, as bare digits, and without China's prefix."""
    digits = re.sub(r"\D", "", phone)
    plain = re.sub(r"^(00)?86(?=1\d{10}$)", "", digits)
    return sorted({phone.strip(), digits, plain})

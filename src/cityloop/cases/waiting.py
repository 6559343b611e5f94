"""What happens to cases by the hour alone. Everything waits in the store, so a restart loses nothing."""

from __future__ import annotations

from datetime import datetime

from cityloop.access.actor import SYSTEM
from cityloop.cases.models import CaseRow
from cityloop.cases.mover import Mover, Wish
from cityloop.cases.store import CaseStore
from cityloop.city.service import City
from cityloop.core.database import Database

_BATCH = 500
RESUME = "resume"


class Waiting:
    """Suspensions that end."""

    def __init__(self, *, database: Database, city: City, mover: Mover) -> None:
        self._database = database
        self._city = city
        self._mover = mover

    def resume_due(self, now: datetime) -> int:
        """End every suspension whose date has come; the clock goes on from that date. Returns their number."""
        told = "挂账到期，自动恢复" if self._city.language == "zh" else "the suspension has ended by itself"
        due = CaseRow.suspended_until.is_not(None) & (CaseRow.suspended_until <= now) & CaseRow.open.is_(True)
        made, last = 0, ""
        while True:
            with self._database.transaction() as tx:
                cases = CaseStore.of(tx).select(due & (CaseRow.id > last), limit=_BATCH, order=CaseRow.id)
                for case in cases:
                    self._mover.move(tx, SYSTEM, case, Wish(RESUME, told), now)
            made += len(cases)
            if len(cases) < _BATCH:
                return made
            last = cases[-1].id

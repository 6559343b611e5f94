"""What happens to cases by the hour alone. Everything waits in the store, so a restart loses nothing."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import BindParameter, ColumnElement, bindparam, select

from cityloop.access.actor import SYSTEM
from cityloop.cases.definitions import Book
from cityloop.cases.models import OPEN, CaseRow
from cityloop.cases.mover import Mover, Wish
from cityloop.cases.reminders import next_look, next_step
from cityloop.cases.store import CaseStore
from cityloop.cases.values import Case
from cityloop.cases.views import Views
from cityloop.city.service import City
from cityloop.core.database import Database, Transaction
from cityloop.core.outbox import Outbox
from cityloop.core.prepared import Prepared

_BATCH = 500
_Now = datetime | BindParameter[datetime]
RESUME = "resume"
REMINDER = "cityloop.case.reminder"


class Waiting:
    """Suspensions that end, reminders of limits, and demands that nobody has answered."""

    def __init__(
        self, *, database: Database, outbox: Outbox, city: City, book: Book, views: Views, mover: Mover
    ) -> None:
        self._outbox, self._book, self._views = outbox, book, views
        self._database = database
        self._city = city
        self._mover = mover

    def resume_due(self, now: datetime) -> int:
        """End every suspension whose date has come; the clock goes on from that date. Returns their number."""
        told = "挂账到期，自动恢复" if self._city.language == "zh" else "the suspension has ended by itself"
        if not self._some(_SUSPENDED, now):
            return 0
        due = _suspended(now)
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

    def remind(self, now: datetime) -> int:
        """Send every reminder that is due, each once, with its event in the transaction that notes it."""
        if not self._some(_REMINDED, now):
            return self._remind_replies(now)
        due, sent = _reminded(now), 0
        while True:
            with self._database.transaction() as tx:
                cases = CaseStore.of(tx).select(due, limit=_BATCH, order=CaseRow.remind_at)
                sent += sum(self._remind(tx, case, now) for case in cases)
            if len(cases) < _BATCH:
                return sent + self._remind_replies(now)

    def _some(self, any_due: Prepared, now: datetime) -> bool:
        """Whether anything waits at all: asked every tick, so that writers are held up only when there is something."""
        with self._database.asking() as connection:
            return any_due.first(connection, now=now) is not None

    def _remind(self, tx: Transaction, case: Case, now: datetime) -> int:
        rule = self._book.of(case.workflow, case.filed).reminders
        found = next_step(case, rule, now)
        if found is None:
            CaseStore.of(tx).put(case.having(remind_at=next_look(case, rule)))
            return 0
        step, following = found
        after = case.having(reminded=step, remind_at=following)
        CaseStore.of(tx).put(after)
        self._tell(tx, after, step, getattr(rule, step), now)
        return 1

    def _remind_replies(self, now: datetime) -> int:
        if not self._some(_UNANSWERED, now):
            return 0
        with self._database.transaction() as tx:
            cases = CaseStore.of(tx).select(_unanswered(now), limit=_BATCH, order=CaseRow.id)
            for case in cases:
                after = case.having(reply_reminded=True)
                CaseStore.of(tx).put(after)
                self._tell(tx, after, "reply", self._book.of(case.workflow, case.filed).reminders.reply, now)
        return len(cases)

    def _tell(self, tx: Transaction, case: Case, step: str, posts: tuple[str, ...], now: datetime) -> None:
        data = {"step": step, "posts": list(posts), "department": case.department, "at": now.isoformat()}
        self._outbox.record(tx, REMINDER, case.id, now, {"case": self._views.document(case, now), **data})


def _suspended(now: _Now) -> ColumnElement[bool]:
    return CaseRow.suspended_until.is_not(None) & (CaseRow.suspended_until <= now) & OPEN


def _reminded(now: _Now) -> ColumnElement[bool]:
    return CaseRow.remind_at.is_not(None) & (CaseRow.remind_at <= now) & OPEN


def _unanswered(now: _Now) -> ColumnElement[bool]:
    asked = CaseRow.reply_due_at.is_not(None) & (CaseRow.reply_due_at < now)
    return asked & CaseRow.reply_reminded.is_(False) & OPEN


_SUSPENDED, _REMINDED, _UNANSWERED = (
    Prepared(select(CaseRow.id).where(due(bindparam("now"))).limit(1)) for due in (_suspended, _reminded, _unanswered)
)

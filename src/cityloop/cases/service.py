"""The case desk: the verbs of the cases room. Each writes case, timeline, audit line and event in one transaction.

Every verb that changes something has a form that takes a running :class:`Transaction`, so that a replay can put
thousands of moves into one commit.
"""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from fastapi import Response
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from cityloop.access.actor import SYSTEM, Actor
from cityloop.access.audit import Audit
from cityloop.access.door import Door, Protected
from cityloop.cases import entries, rating, timeline
from cityloop.cases.answers import WarningAnswers
from cityloop.cases.attachments import Attachments
from cityloop.cases.calendar_desk import CalendarDesk
from cityloop.cases.callers import Callers
from cityloop.cases.definitions import Book
from cityloop.cases.dispatch import Responsibility
from cityloop.cases.dispatch_desk import DispatchDesk
from cityloop.cases.dispatcher import Dispatcher, OwnerOf
from cityloop.cases.files import Files
from cityloop.cases.intake import NOTHING, Brought, Intake, TitleOf
from cityloop.cases.joint import TASK
from cityloop.cases.learned import Classifier, Nobody
from cityloop.cases.limits_desk import LimitsDesk
from cityloop.cases.listings import ENTITY
from cityloop.cases.models import CaseRow, TimelineRow
from cityloop.cases.mover import Mover, Wish
from cityloop.cases.pictures import Pictures
from cityloop.cases.reading import SENSITIVE, Reading, missing
from cityloop.cases.schemas import CaseDetail, CaseFilter, CaseReport, CaseView, MoveRequest, StateView
from cityloop.cases.similar import Similar
from cityloop.cases.store import CaseStore, place_older
from cityloop.cases.tasks import Tasks
from cityloop.cases.values import Case, scoped
from cityloop.cases.views import Views
from cityloop.cases.waiting import Waiting
from cityloop.cases.workflow import Workflow
from cityloop.city.service import City
from cityloop.core.database import Database, Transaction
from cityloop.core.errors import AccessDenied, Conflict
from cityloop.core.outbox import Event, Outbox
from cityloop.core.values import Page
from cityloop.core.web import ExportFormat, Paging

_DUE_BATCH = 500
_LOOK = timedelta(minutes=1)


class CaseDesk:
    """All verbs on cases."""

    def __init__(
        self,
        *,
        database: Database,
        outbox: Outbox,
        door: Door,
        audit: Audit,
        city: City,
        workflow: Workflow,
        responsibility: Responsibility,
        files: Files,
        attachment_limit: int = 10 * 1024 * 1024,
        classifier: Classifier | None = None,
        owner_of: OwnerOf = lambda _: None,
        title_of: TitleOf = lambda _, __: None,
    ) -> None:
        door.register(Protected(TASK, department="department", owners=("handler",)))
        owners = ("handler", "reporter")
        door.register(Protected(ENTITY, department="department", area="area", owners=owners, sensitive=SENSITIVE))
        self._database, self._door, self._audit, self._city, self._outbox = database, door, audit, city, outbox
        self._book = Book(database, workflow)
        self._book.open()
        with database.transaction() as tx:
            place_older(tx)
        views = Views(city, self._book)
        common: dict[str, Any] = {"door": door, "audit": audit, "city": city}
        self._dispatcher = dispatcher = Dispatcher(
            database=database, city=city, policy=door.policy, table=responsibility, owner_of=owner_of
        )
        self._mover = Mover(**common, outbox=outbox, book=self._book, dispatcher=dispatcher, views=views)
        stored: dict[str, Any] = {**common, "database": database, "mover": self._mover}
        self.attachments = Attachments(**stored, files=files, limit=attachment_limit)
        self._intake = Intake(
            door=door,
            city=city,
            book=self._book,
            mover=self._mover,
            attachments=self.attachments,
            classifier=classifier or Nobody(),
            title_of=title_of,
        )
        self._reading = Reading(**stored, book=self._book, views=views, attachments=self.attachments, title_of=title_of)
        self.tasks = Tasks(**stored)
        self._waiting = Waiting(
            database=database, outbox=outbox, city=city, book=self._book, views=views, mover=self._mover
        )
        self._looked: tuple[tuple[str, int], datetime] | None = None
        self._answers = WarningAnswers(audit=audit, city=city, intake=self._intake, mover=self._mover)
        self._open_beside(common, views)
        self._open_settings({**stored, "outbox": outbox}, dispatcher)

    def _open_beside(self, common: Mapping[str, Any], views: Views) -> None:
        """What is looked at beside a case: cases like it, its pictures, who called."""
        shared: dict[str, Any] = {"database": self._database, "door": self._door}
        self.similar = Similar(**shared, city=self._city, book=self._book, views=views, reading=self._reading)
        self.pictures = Pictures(**shared, book=self._book, reading=self._reading)
        self.callers = Callers(**common, database=self._database, views=views)

    def _open_settings(self, shared: Mapping[str, Any], dispatcher: Dispatcher) -> None:
        """Calendars, limits and the table of responsibility, each by its version in force."""
        self.calendars = CalendarDesk(**shared, book=self._book)
        self.limits = LimitsDesk(**shared, book=self._book)
        self.dispatch = DispatchDesk(**{k: v for k, v in shared.items() if k != "mover"}, dispatcher=dispatcher)
        for settings in (self.calendars, self.limits, self.dispatch):
            settings.open(self._city.clock.now())

    @property
    def book(self) -> Book:
        """The workflow in force and those that older cases keep."""
        return self._book

    def list(self, actor: Actor, wanted: CaseFilter, paged: Paging) -> Page[CaseView]:
        """Cases that the actor may see, under a filter."""
        return self._reading.list(actor, wanted, paged)

    def export(self, actor: Actor, wanted: CaseFilter, form: ExportFormat) -> Response:
        """The same list as CSV or Excel."""
        return self._reading.export(actor, wanted, form)

    def geojson(self, actor: Actor, wanted: CaseFilter) -> dict[str, Any]:
        """The same list as points."""
        return self._reading.geojson(actor, wanted)

    def get(self, actor: Actor, case: str) -> CaseDetail:
        """One case by id or number."""
        return self._reading.get(actor, case)

    def states(self) -> builtins.list[StateView]:
        """The states of the workflow in force."""
        known = self._book.current.states
        return [StateView(id=s.id, title=s.title, stage=s.stage, final=s.final) for s in known]

    def report(self, actor: Actor, report: CaseReport) -> tuple[CaseDetail, bool]:
        """Report a case; returns it and whether it is new. A repeated outside number finds the first case."""
        for last in (False, True):
            try:
                with self._database.transaction() as tx:
                    case, created = self.report_in(tx, actor, report, self._city.clock.now())
                break
            except IntegrityError:
                # Two processes took the same outside number at once; the second now finds the first one's case.
                if last:
                    raise
        return self._reading.after_act(actor, case), created

    def report_in(
        self, tx: Transaction, actor: Actor, report: CaseReport, now: datetime, brought: Brought = NOTHING
    ) -> tuple[Case, bool]:
        """:meth:`report` inside a running transaction, with what a record brings of its own."""
        return self._intake.report(tx, actor, report, now, brought)

    def move(self, actor: Actor, case: str, request: MoveRequest) -> CaseDetail:
        """Make a move; raises with every reason when it is refused, and :class:`Conflict` on an old version."""
        try:
            with self._database.transaction() as tx:
                moved = self.move_in(tx, actor, case, request, self._city.clock.now())
        except AccessDenied as denied:
            self._refused(actor, case, request.move, denied.detail)
            raise
        return self._reading.after_act(actor, moved)

    def move_in(self, tx: Transaction, actor: Actor, case: str, request: MoveRequest, now: datetime) -> Case:
        """:meth:`move` inside a running transaction; automatic moves that follow are made too."""
        scope = self._door.scope(actor, ENTITY)
        found = CaseStore.of(tx).find(case)
        if found is None or not scope.lets(scoped(found)):
            raise missing(case)
        if request.version != found.version:
            raise self._overtaken(found, request)
        wish = Wish(request.move, request.opinion, request.fields)
        moved = self._mover.move(tx, actor, found, wish, now)
        return self._mover.automate(tx, moved, now)

    def rate_in(self, tx: Transaction, actor: Actor, case: str, stars: int, words: str, now: datetime) -> Case:
        """The reporter's rating, once after closing; raises :class:`Conflict` before that and the second time."""
        self._door.permit(actor, rating.RATE)
        found = CaseStore.of(tx).find(case)
        if found is None:
            raise missing(case)
        return rating.rate(tx, self._mover, self._outbox, actor, found, stars, words, now)

    def relay_in(self, tx: Transaction, case: str, facts: Mapping[str, Any], now: datetime) -> None:
        """Write onto a case what another system says of it; the case itself stays as it is."""
        found = CaseStore.of(tx).find(case)
        if found is not None:
            self._mover.enter(tx, SYSTEM, found, entries.RELAYED, now, facts=facts)

    def tick(self, now: datetime) -> int:
        """Everything that is due by the hour: automatic moves, suspensions that end, reminders; returns the count."""
        return self._automate_due(now) + self._waiting.resume_due(now) + self._waiting.remind(now)

    def _automate_due(self, now: datetime) -> int:
        """Rules that wait are asked every time; all others once a minute, or when workflow or table have changed.

        What such a rule lets go is let go as it comes: thousands that wait for a person are not read at every tick.
        """
        tables = (self._book.current.key, self._dispatcher.version)
        looked = self._looked
        if looked is None or looked[0] != tables or not timedelta() <= now - looked[1] < _LOOK:
            self._looked = (tables, now)
            return self.dispatch_due(now)
        rules = self._book.current.automation
        return self.dispatch_due(now, {rule.when.state for rule in rules if rule.when.after_seconds})

    def dispatch_due(self, now: datetime, states: Iterable[str] | None = None) -> int:
        """Make the automatic moves that are due in these states (all by default); returns their number."""
        asked = list(self._book.current.automation_from if states is None else states)
        made, last = 0, ""
        while asked:
            with self._database.transaction() as tx:
                where = CaseRow.state.in_(asked) & CaseRow.by_hand.is_(False) & (CaseRow.id > last)
                cases = CaseStore.of(tx).select(where, limit=_DUE_BATCH, order=CaseRow.id)
                for case in cases:
                    made += self._mover.automate(tx, case, now).version - case.version
            if len(cases) < _DUE_BATCH:
                break
            last = cases[-1].id
        return made

    def answer_warnings(self, tx: Transaction, events: Sequence[Event]) -> None:
        """Relay handler for ``cityloop.warning.raised``, ``.level`` and ``.cleared``."""
        self._answers.answer(tx, events)

    def verify_timeline(self, case: str) -> int | None:
        """Walk the hash chain of one case; returns the first entry that does not fit, or ``None``."""
        with self._database.reading() as session:
            row = session.get(CaseRow, case)
            if row is None:
                raise missing(case)
            names = [column.name for column in TimelineRow.__table__.columns]
            entries = session.scalars(select(TimelineRow).where(TimelineRow.case == case).order_by(TimelineRow.seq))
            rows = [{name: getattr(entry, name) for name in names} for entry in entries]
            return timeline.first_fault(rows, row.entries, row.head)

    def _overtaken(self, found: Case, request: MoveRequest) -> Conflict:
        when = found.updated_at.astimezone(self._city.zone)
        detail = (
            f"{found.number} was changed by {found.updated_by} at {when:%Y-%m-%d %H:%M:%S} ({found.last_move}); "
            f"you saw version {request.version}, it is {found.version}"
        )
        more = {
            "version": found.version,
            "changed_by": found.updated_by,
            "changed_at": found.updated_at.isoformat(),
            "last_move": found.last_move,
        }
        return Conflict(detail, "read the case again and decide anew", more=more)

    def _refused(self, actor: Actor, case: str, move: str, detail: str) -> None:
        with self._database.transaction() as tx:
            act = f"case.{move}"[:80]
            self._audit.record(tx, self._city.clock.now(), actor.id, act, case[:120], {"reason": detail}, "refused")

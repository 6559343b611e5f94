"""Carries inspections from plan to report. Every step is one transaction, so a crash repeats at most one measurement.

A finding opens one case: its number outside is the finding's id, and case and finding are written together. Once the
department has handed the case in, the finding is rechecked on data that arrived since. Mended: the case goes on to its
close. Not mended: it goes back; one that people closed meanwhile is final and is followed by a new case.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy import select

from cityloop.access.actor import SYSTEM, Actor
from cityloop.access.audit import Audit
from cityloop.cases.service import CaseDesk
from cityloop.city.service import City
from cityloop.core.database import Database, Transaction
from cityloop.core.errors import Conflict, Problem
from cityloop.core.ids import new_id
from cityloop.core.outbox import Event, Outbox
from cityloop.core.values import Title
from cityloop.quality import telemetry
from cityloop.quality.content import Plan, QualityContent, span
from cityloop.quality.examine import Examiner, Outcome
from cityloop.quality.findings import Findings
from cityloop.quality.meter import Meter
from cityloop.quality.models import FindingRow, InspectionRow, TaskRow
from cityloop.quality.schemas import Move, State
from cityloop.quality.stages import RUNNING, TITLES, after_work, moves, next_date, period
from cityloop.quality.store import (
    Definition,
    any_of_plan,
    findings_of,
    inspection_row,
    keep_outcome,
    locked_row,
    planned_row,
    tasks_of,
)

log = logging.getLogger(__name__)
MOVED, FOUND = "cityloop.inspection.moved", "cityloop.inspection.found"
_WAITS = 4
"""A recheck without enough new data is put off until so many times its wait have passed."""


def of_finding(event: Event) -> bool:
    """Whether an event of a case may tell of a finding."""
    return bool(event.data["case"]["channel"] == "inspection")


class Inspector:
    """The verbs of inspections, and the worker that :meth:`step` is."""

    def __init__(
        self,
        *,
        database: Database,
        outbox: Outbox,
        audit: Audit,
        city: City,
        desk: CaseDesk,
        meter: Meter,
        examiner: Examiner,
        content: QualityContent,
    ) -> None:
        self._database = database
        self._outbox = outbox
        self._audit = audit
        self._city = city
        self._meter = meter
        self._examiner = examiner
        self._content = content
        self._findings = Findings(city=city, desk=desk, meter=meter, examiner=examiner, content=content)

    def sync(self, now: datetime) -> None:
        """Every declared plan has one inspection ahead of it, with the plan as it is declared today."""
        with self._database.transaction() as tx:
            for plan in self._content.plans:
                waiting = planned_row(tx.session, plan.id)
                if waiting is not None:
                    waiting.definition = Definition(plan, self._content.scheme).document()
                elif plan.schedule != "once" or not any_of_plan(tx.session, plan.id):
                    self._plan_in(tx, plan, SYSTEM, self._next(plan, now), now, plan.schedule != "once")

    def plan(self, actor: Actor, plan: Plan, planned_for: datetime | None, now: datetime) -> str:
        """Enter an inspection made by hand; returns its id."""
        with self._database.transaction() as tx:
            return self._plan_in(tx, plan, actor, planned_for or now, now, planned_for is not None)

    def act(self, actor: Actor, inspection: str, move: Move, now: datetime) -> None:
        """Make a move by hand; raises :class:`Conflict` naming what the state allows."""
        with self._database.transaction() as tx:
            row = locked_row(tx.session, inspection)
            allowed = moves(row.state, row.halted)
            if move not in allowed:
                state = "stopped" if row.halted else row.state
                mend = f"possible now: {', '.join(allowed) or 'none'}"
                raise Conflict(f"'{move}' does not fit an inspection that is {state}", mend)
            self._audit.record(tx, now, actor.id, f"inspection.{move}", row.id)
            if move == "start":
                self._start(tx, row, actor, now)
            elif move in ("stop", "resume"):
                row.halted = move == "stop"
                self._note(row, now, actor.id, _TOLD[move])
                self._tell(tx, row, row.state, now)
            elif move == "close":
                self._close(tx, row, actor, now)
        if move == "recheck":
            self._recheck_all(actor, inspection, now)

    def step(self, now: datetime) -> bool:
        """Do one unit of work of one inspection; returns whether there was any."""
        with self._database.reading() as session:
            due = select(InspectionRow.id).where(
                InspectionRow.state == "planned",
                InspectionRow.planned_for <= now,
                InspectionRow.automatic.is_(True),
                InspectionRow.halted.is_(False),
            )
            running = select(InspectionRow.id).where(InspectionRow.state.in_(RUNNING), InspectionRow.halted.is_(False))
            started = list(session.scalars(due))
            working = list(session.scalars(running.order_by(InspectionRow.started_at, InspectionRow.id)))
        for inspection in started:
            self.act(SYSTEM, inspection, "start", now)
        return any([self._step(inspection, now) for inspection in working]) or bool(started)

    def run(self, inspection: str, now: Callable[[], datetime], tell: Callable[[str, int, int], None]) -> None:
        """Work in the foreground until only departments have something to do; ``tell`` hears state, done and total."""
        while True:
            with self._database.reading() as session:
                row = inspection_row(session, inspection)
                tasks = tasks_of(session, inspection)
            tell(row.state, sum(task.done for task in tasks), len(tasks))
            if row.halted or not self._step(inspection, now()):
                return

    def follow(self, tx: Transaction, events: Sequence[Event]) -> None:
        """Relay handler for ``cityloop.case.moved``: what has become of the cases of findings."""
        for event in events:
            case = event.data["case"]
            if of_finding(event):
                query = select(FindingRow).where(FindingRow.case == case["id"]).with_for_update()
                for finding in tx.session.scalars(query):
                    self._findings.followed(tx, finding, case, event.time)

    def _plan_in(self, tx: Transaction, plan: Plan, actor: Actor, at: datetime, now: datetime, automatic: bool) -> str:
        identity = new_id("ins")
        row = InspectionRow(
            id=identity,
            plan=plan.id,
            definition=Definition(plan, self._content.scheme).document(),
            state="planned",
            halted=False,
            automatic=automatic,
            planned_for=at,
            made_by=actor.id,
            log=[],
        )
        self._note(row, now, actor.id, TITLES["planned"])
        tx.session.add(row)
        tx.session.flush()
        self._audit.record(tx, now, actor.id, "inspection.plan", identity, {"plan": plan.id})
        return identity

    def _next(self, plan: Plan, now: datetime) -> datetime:
        calendar = self._city.calendars.of(None)
        return now if plan.schedule == "once" else next_date(plan.schedule, now, calendar)

    def _start(self, tx: Transaction, row: InspectionRow, actor: Actor, now: datetime) -> None:
        plan = Plan.model_validate(row.definition["plan"])
        feeds = [terms for terms in self._meter.feeds() if not plan.feeds or terms.feed in plan.feeds]
        row.first, row.last = period(plan.period, row.planned_for, now, self._city.zone)
        row.started_at = now
        row.definition = Definition(plan, self._content.scheme).document()
        pairs = [(terms, check) for terms in feeds for check in plan.checks if check in self._content.matters]
        for number, (terms, check) in enumerate(pairs):
            tx.session.add(
                TaskRow(
                    inspection=row.id,
                    number=number,
                    feed=terms.feed,
                    department=terms.department,
                    check=check,
                    done=False,
                    numerator=0,
                    denominator=0,
                    examples=[],
                )
            )
        tx.session.flush()
        self._to(tx, row, "sampling", actor.id, now)
        if plan.schedule != "once" and planned_row(tx.session, plan.id) is None:
            self._plan_in(tx, plan, SYSTEM, self._next(plan, max(now, row.planned_for)), now, True)

    def _close(self, tx: Transaction, row: InspectionRow, actor: Actor, now: datetime) -> None:
        for finding in findings_of(tx.session, row.id):
            if finding.state in ("open", "repaired"):
                finding.state = "failed"
        row.closed_at = now
        self._to(tx, row, "closed", actor.id, now)

    def _step(self, inspection: str, now: datetime) -> bool:
        with self._database.reading() as session:
            row = inspection_row(session, inspection)
            tasks, findings = tasks_of(session, inspection), findings_of(session, inspection)
        definition = Definition.of(row)
        if row.state == "sampling":
            return self._examine(row, definition, tasks, now)
        if row.state == "findings":
            return self._gather(row, tasks, now)
        unopened = [finding for finding in findings if finding.case is None]
        if unopened:
            return self._open_case(row, definition, unopened[0], now)
        due = [f for f in findings if f.state == "repaired" and f.recheck_at is not None and f.recheck_at <= now]
        if row.state == "recheck" and due:
            return self._recheck(row, definition, due[0], now)
        late = [f for f in findings if f.state == "open" and f.due_at is not None and f.due_at < now]
        return self._settle(row, late, len(due), now)

    def _examine(self, row: InspectionRow, definition: Definition, tasks: Sequence[TaskRow], now: datetime) -> bool:
        waiting = [task for task in tasks if not task.done]
        outcome = self._look(row, definition, waiting[0], now) if waiting else None
        with self._database.transaction() as tx:
            fresh = locked_row(tx.session, row.id)
            if fresh.halted:
                return False
            if outcome is not None:
                keep_outcome(tx.session.get_one(TaskRow, (row.id, waiting[0].number)), outcome)
            if len(waiting) <= 1:
                self._to(tx, fresh, "findings", SYSTEM.id, now)
        return True

    def _look(self, row: InspectionRow, definition: Definition, task: TaskRow, now: datetime) -> Outcome:
        assert row.first is not None
        assert row.last is not None
        sample = definition.plan.sample
        if task.feed not in self._meter.source.mappings:
            gone = Title(zh="数据接入已不存在", en="the feed is gone")
            return Outcome(0, 0, None, "not_declared", gone)
        return self._examiner.look(definition.scheme, task.feed, task.check, row.first, row.last, now, sample)

    def _gather(self, row: InspectionRow, tasks: Sequence[TaskRow], now: datetime) -> bool:
        with self._database.transaction() as tx:
            fresh = locked_row(tx.session, row.id)
            known = {(finding.feed, finding.check) for finding in findings_of(tx.session, row.id)}
            for task in tasks:
                if task.verdict == "finding" and (task.feed, task.check) not in known:
                    self._found(tx, row, task, now)
            self._to(tx, fresh, "cases", SYSTEM.id, now)
        return True

    def _found(self, tx: Transaction, row: InspectionRow, task: TaskRow, now: datetime) -> None:
        finding = FindingRow(
            id=new_id("fnd"),
            inspection=row.id,
            feed=task.feed,
            department=task.department,
            check=task.check,
            state="open",
            numerator=task.numerator,
            denominator=task.denominator,
            least=task.least or 0.0,
            reason=task.reason or {},
            examples=task.examples,
            attempts=0,
            rechecks=[],
        )
        tx.session.add(finding)
        tx.session.flush()
        telemetry.FINDINGS.labels(task.check).inc()
        names = ("id", "inspection", "feed", "department", "check", "numerator", "denominator", "least", "reason")
        data = {"finding": {name: getattr(finding, name) for name in names}}
        self._outbox.record(tx, FOUND, finding.id, now, data)

    def _open_case(self, row: InspectionRow, definition: Definition, finding: FindingRow, now: datetime) -> bool:
        try:
            with self._database.transaction() as tx:
                if locked_row(tx.session, row.id).halted:
                    return False
                self._findings.report(tx, definition, tx.session.get_one(FindingRow, finding.id), finding.id, now)
        except Problem as problem:
            self._give_up(row.id, problem, now)
            return False
        return True

    def _recheck(self, row: InspectionRow, definition: Definition, finding: FindingRow, now: datetime) -> bool:
        outcome = self._findings.again(definition, finding, now)
        assert finding.repaired_at is not None
        wait = span(definition.plan.recheck_after)
        early = outcome.verdict == "too_few" and now - finding.repaired_at < _WAITS * wait
        try:
            with self._database.transaction() as tx:
                if locked_row(tx.session, row.id).halted:
                    return False
                kept = tx.session.get_one(FindingRow, finding.id)
                if early:
                    kept.recheck_at = now + wait
                else:
                    self._findings.judged(tx, definition, kept, outcome, now)
        except Problem as problem:
            self._give_up(row.id, problem, now)
            return False
        return True

    def _settle(self, row: InspectionRow, late: Sequence[FindingRow], due: int, now: datetime) -> bool:
        """Count late findings as not mended, and move the inspection to where it stands; whether anything changed."""
        with self._database.transaction() as tx:
            fresh = locked_row(tx.session, row.id)
            if fresh.halted:
                return False
            for finding in late:
                tx.session.get_one(FindingRow, finding.id).state = "failed"
            tx.session.flush()
            findings = findings_of(tx.session, row.id)
            unopened = sum(finding.case is None for finding in findings)
            state = after_work(0, unopened, [finding.state for finding in findings], due)
            if state == fresh.state:
                return bool(late)
            self._to(tx, fresh, state, SYSTEM.id, now)
        return state in ("cases", "recheck")

    def _recheck_all(self, actor: Actor, inspection: str, now: datetime) -> None:
        """By hand: look again at everything that was handed in and has not passed, without waiting."""
        with self._database.reading() as session:
            row = inspection_row(session, inspection)
            findings = findings_of(session, inspection)
        definition = Definition.of(row)
        for finding in findings:
            if finding.state in ("repaired", "failed") and finding.repaired_at is not None:
                outcome = self._findings.again(definition, finding, now)
                if outcome.verdict in ("good", "finding"):
                    with self._database.transaction() as tx:
                        kept = tx.session.get_one(FindingRow, finding.id)
                        self._findings.judged(tx, definition, kept, outcome, now)
        with self._database.transaction() as tx:
            self._note(locked_row(tx.session, inspection), now, actor.id, _TOLD["recheck"])

    def _give_up(self, inspection: str, problem: Problem, now: datetime) -> None:
        """Stop with the reason instead of trying for ever; a person mends it and resumes."""
        log.warning("inspection %s stopped: %s", inspection, problem)
        with self._database.transaction() as tx:
            row = locked_row(tx.session, inspection)
            row.halted = True
            self._note(row, now, SYSTEM.id, Title(zh=f"已停止：{problem}", en=f"stopped: {problem}"))
            self._tell(tx, row, row.state, now)

    def _to(self, tx: Transaction, row: InspectionRow, state: State, by: str, now: datetime) -> None:
        before, row.state = row.state, state
        self._note(row, now, by, TITLES[state])
        self._tell(tx, row, before, now)

    def _tell(self, tx: Transaction, row: InspectionRow, before: str, now: datetime) -> None:
        names = ("id", "plan", "state", "halted", "made_by")
        data = {"inspection": {name: getattr(row, name) for name in names}, "from_state": before}
        self._outbox.record(tx, MOVED, row.id, now, data)

    def _note(self, row: InspectionRow, at: datetime, by: str, what: Title) -> None:
        row.log = [*(row.log or []), {"at": at.isoformat(), "by": by, "what": what.model_dump()}]


_TOLD = {
    "stop": Title(zh="暂停", en="Stopped"),
    "resume": Title(zh="继续", en="Resumed"),
    "recheck": Title(zh="人工要求复查", en="Rechecked by hand"),
}

"""Decision tables for people: what is in force, trials, checks, and changes that are explained before they apply."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from sqlalchemy.orm import Session

from cityloop.access.actor import Actor
from cityloop.access.audit import Audit
from cityloop.access.door import Door, Scope
from cityloop.core.clock import Clock
from cityloop.core.database import Database
from cityloop.core.errors import Conflict, Fault, Invalid, NotFound
from cityloop.core.outbox import Outbox
from cityloop.core.values import Title
from cityloop.decide.log import ENTITY, DecisionLog
from cityloop.decide.models import DecisionRow
from cityloop.decide.phrases import PHRASES
from cityloop.decide.ready import Ready, prepare
from cityloop.decide.schemas import (
    ChangeExplained,
    ChangeWish,
    DecisionTableLine,
    DecisionTableView,
    NewTable,
    OtherAnswer,
    RuleCount,
    TableCheck,
    TableTrial,
    TableVersionView,
    TrialWish,
)
from cityloop.decide.shelf import InForce, Shelf, rows_of, version_of

READ, EDIT = "decision.read", "decision.edit"
CHANGED = "cityloop.decision.changed"
_MOST, _SHOWN = 5_000, 100


class DecisionDesk:
    """All verbs of people on decision tables."""

    def __init__(
        self, *, database: Database, outbox: Outbox, door: Door, audit: Audit, clock: Clock, shelf: Shelf
    ) -> None:
        self._database, self._outbox, self._door, self._audit = database, outbox, door, audit
        self._clock, self._shelf = clock, shelf
        self.log = DecisionLog(database, door, self._title)

    def tables(self, actor: Actor) -> list[DecisionTableLine]:
        """Every table in force."""
        self._door.permit(actor, READ)
        with self._database.reading() as session:
            counts = self.log.counts(session)
            return [self._line(session, found, counts.get(found.id, Counter())) for found in self._shelf]

    def view(self, actor: Actor, id: str) -> DecisionTableView:
        """One table with its text; raises :class:`NotFound`."""
        self._door.permit(actor, READ)
        found = self._shelf.get(id)
        with self._database.reading() as session:
            versions = [version_of(row) for row in rows_of(session, id)]
        return DecisionTableView(
            id=id,
            title=found.ready.decision.title,
            pack=found.pack,
            version=found.version,
            xml=found.ready.xml,
            inputs=found.ready.inputs(),
            findings=found.ready.findings,
            versions=versions,
        )

    def versions(self, actor: Actor, id: str) -> list[TableVersionView]:
        """Every version with its text, the newest first."""
        self._door.permit(actor, READ)
        self._shelf.get(id)
        with self._database.reading() as session:
            return [TableVersionView(**dict(version_of(row)), xml=row.xml) for row in rows_of(session, id)]

    def trial(self, actor: Actor, id: str, wish: TrialWish) -> TableTrial:
        """The answer over inputs; nothing is written. Raises :class:`Invalid` for a text with faults."""
        self._door.permit(actor, READ)
        found = self._shelf.get(id)
        ready = found.ready if wish.xml is None else self._sound(id, wish.xml, findings=False)
        return ready.answer(wish.inputs)

    def check(self, actor: Actor, xml: str) -> TableCheck:
        """What is wrong with a text, and what its tables leave open."""
        self._door.permit(actor, READ)
        return prepare(xml).check()

    def explain(self, actor: Actor, id: str, wish: ChangeWish) -> ChangeExplained:
        """What a changed table would have decided; nothing is written. Raises :class:`Invalid` with the faults."""
        self._door.permit(actor, EDIT)
        found, ready = self._shelf.get(id), self._sound(id, wish.xml, findings=False)
        scope = self._door.scope(actor, ENTITY)
        since = self._clock.now() - timedelta(days=wish.days)
        with self._database.reading() as session:
            rows = list(self.log.past(session, id, since, _MOST))
        return _explained(found, ready, rows, scope)

    def apply(self, actor: Actor, id: str, wish: NewTable) -> DecisionTableView:
        """Put a changed table into force.

        Raises :class:`Conflict` when another version came into force, :class:`Invalid` with faults and findings.
        """
        self._door.permit(actor, EDIT)
        found, ready, now = self._shelf.get(id), self._sound(id, wish.xml), self._clock.now()
        if ready.xml == found.ready.xml:
            raise PHRASES.problem(Invalid, "unchanged")
        with self._database.transaction() as tx:
            version = rows_of(tx.session, id)[0].version
            if version != wish.base:
                raise PHRASES.problem(Conflict, "stale", version=version, base=wish.base)
            self._shelf.enter(tx, id, ready, version + 1, now, by=actor.id, reason=wish.reason)
            self._audit.record(tx, now, actor.id, EDIT, id, {"version": version + 1, "reason": wish.reason})
            told = {"table": id, "version": version + 1, "reason": wish.reason}
            self._outbox.record(tx, CHANGED, id, now, told)
        return self.view(actor, id)

    def _sound(self, id: str, xml: str, *, findings: bool = True) -> Ready:
        """A text for a table; raises :class:`Invalid` with its faults, and with the errors of its check."""
        ready = prepare(xml)
        faults = list(ready.faults)
        if not faults and ready.id != id:
            faults = [PHRASES.fault("xml", "other-table", found=ready.id, id=id)]
        if not faults and findings:
            faults = [
                Fault(", ".join(found.rules), found.said.en, found.remedy.en, found.code, found.said, found.remedy)
                for found in ready.findings
                if found.weight == "error"
            ]
        if faults:
            raise PHRASES.problem(Invalid, "faulty", faults, count=len(faults))
        return ready

    def _line(self, session: Session, found: InForce, counts: Counter[str]) -> DecisionTableLine:
        table = found.ready.table
        return DecisionTableLine(
            id=found.id,
            title=found.ready.decision.title,
            pack=found.pack,
            version=found.version,
            changed_at=rows_of(session, found.id)[0].at,
            rules=len(table.rules) if table else 0,
            policy=table.policy if table else "",
            counts=dict(counts),
            warnings=sum(finding.weight == "warning" for finding in found.ready.findings),
        )

    def _title(self, id: str) -> Title:
        """The title of a table; of one that is gone its id."""
        try:
            return self._shelf.get(id).ready.decision.title
        except NotFound:
            return Title(zh=id, en=id)


def _explained(found: InForce, ready: Ready, rows: list[DecisionRow], scope: Scope) -> ChangeExplained:
    """Both tables over the inputs of past decisions; what was decided then is asked of the version in force again."""
    before, after = Counter[str](), Counter[str]()
    outcomes_before, outcomes_after = Counter[str](), Counter[str]()
    different: list[tuple[DecisionRow, TableTrial, TableTrial]] = []
    for row in rows:
        old, new = found.ready.answer(row.inputs), ready.answer(row.inputs)
        before.update(old.rules)
        after.update(new.rules)
        outcomes_before[old.outcome] += 1
        outcomes_after[new.outcome] += 1
        if (old.outcome, old.outputs) != (new.outcome, new.outputs):
            different.append((row, old, new))
    seen = [entry for entry in different if _may_show(scope, entry[0])]
    return ChangeExplained(
        base=found.version,
        check=ready.check(),
        decisions=len(rows),
        different=len(different),
        errors_before=outcomes_before["error"],
        errors_after=outcomes_after["error"],
        unmatched_before=outcomes_before["none"],
        unmatched_after=outcomes_after["none"],
        rules=[RuleCount(rule=rule, before=before[rule], after=after[rule]) for rule in {**before, **after}],
        shown=[_other(*entry) for entry in seen[:_SHOWN]],
    )


def _may_show(scope: Scope, row: DecisionRow) -> bool:
    columns = {column.name: getattr(row, column.name) for column in DecisionRow.__table__.columns}
    return scope.lets(columns) and scope.cover(columns)["inputs"] == row.inputs


def _other(row: DecisionRow, old: TableTrial, new: TableTrial) -> OtherAnswer:
    return OtherAnswer(
        id=row.id,
        at=row.at,
        subject=row.subject,
        inputs=row.inputs,
        before=old.outputs,
        after=new.outputs,
        outcome_before=old.outcome,
        outcome_after=new.outcome,
        rules_before=old.rules,
        rules_after=new.rules,
    )

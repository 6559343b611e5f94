"""Open runs that go on by another version of their plan: previewed for each, with the reason where one may not."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from cityloop.access.actor import Actor
from cityloop.core.database import Database
from cityloop.core.errors import Problem
from cityloop.linkage.engine import Diagram, Instance
from cityloop.linkage.log import Log
from cityloop.linkage.models import RunRow
from cityloop.linkage.phrases import PHRASES
from cityloop.linkage.runner import Runner, said
from cityloop.linkage.schemas import OPEN_RUNS, MigrationVerdict


class RunMigrations:
    """A run may go on when all that it has passed or stands at is the same in both versions."""

    def __init__(self, database: Database, runner: Runner, log: Log) -> None:
        self._database, self._runner, self._log = database, runner, log

    def preview(self, plan: str, xml: str) -> list[MigrationVerdict]:
        """Of every open run, whether it may go on by this diagram; nothing is written."""
        diagram = self._runner.diagrams.engine.parse(xml)
        with self._database.reading() as session:
            return [self._verdict(row, diagram) for row in _open(session, plan)]

    def migrate(self, plan: str, actor: Actor, now: datetime, reason: str) -> list[MigrationVerdict]:
        """Let every open run that may go on by the version in force, each in a commit of its own."""
        source, diagram = self._runner.diagrams.current(plan)
        with self._database.reading() as session:
            rows = [row.id for row in _open(session, plan) if row.version != source.version]
        return [self._one(run, source.version, diagram, actor, now, reason) for run in rows]

    def _one(
        self, run: str, version: int, diagram: Diagram, actor: Actor, now: datetime, reason: str
    ) -> MigrationVerdict:
        with self._database.transaction() as tx:
            row = self._runner.locked(tx, run)
            verdict = self._verdict(row, diagram)
            if not verdict.may_migrate or row.state not in OPEN_RUNS:
                return verdict
            moved = self._runner.diagrams.engine.migrate(self._instance(row), diagram)
            before, row.version = row.version, version
            self._runner.settle(tx, row, diagram, moved, now)
            text = PHRASES.what("line-migrated", who=actor.name, version=version, why=reason)
            self._log.line(tx, run, now, "migrated", actor, text)
            detail = {"from": before, "to": version, "reason": reason}
            self._log.audit(tx, now, actor, "run.migrate", run, detail)
            return verdict

    def _verdict(self, row: RunRow, diagram: Diagram) -> MigrationVerdict:
        try:
            stands = self._runner.diagrams.engine.may_migrate(self._instance(row), diagram)
        except Problem as problem:
            return MigrationVerdict(run=row.id, version=row.version, may_migrate=False, why=said(problem))
        why = PHRASES.what("cannot-migrate", elements="、".join(stands)) if stands else PHRASES.what("may-migrate")
        return MigrationVerdict(run=row.id, version=row.version, may_migrate=not stands, why=why)

    def _instance(self, row: RunRow) -> Instance:
        return self._runner.diagrams.engine.load(self._runner.diagram(row), row.instance)


def _open(session: Session, plan: str) -> Sequence[RunRow]:
    where = (RunRow.plan == plan) & RunRow.state.in_(OPEN_RUNS)
    return session.scalars(select(RunRow).where(where).order_by(RunRow.started_at)).all()

"""Keeps warnings true to the lake: takes batches, makes their decisions durable, and catches up after a stop.

Every entity type has a cursor, the lake version up to which it was watched. A decision, the standing behind it and
the cursor are written in one transaction. A batch that decides nothing writes nothing: the cursor may lag, because
taking such a batch again decides nothing again. So a crash between a lake commit and the watch neither loses nor
doubles a warning.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import select

from cityloop.core.database import Database
from cityloop.core.values import Title
from cityloop.lake.service import Lake
from cityloop.standard.batch import EntityCard, ObservationBatch
from cityloop.watch.cards import Describe
from cityloop.watch.guard import Guard, Standing, Verdict
from cityloop.watch.judging import Decision
from cityloop.watch.models import RuleStateRow, WarningRow, WatchCursorRow
from cityloop.watch.recent import Point, pick, points
from cityloop.watch.rules import Rule
from cityloop.watch.store import Finding, Store
from cityloop.watch.telemetry import SECONDS, SKIPPED

log = logging.getLogger(__name__)


Now = Callable[[], datetime]

SAVE_EVERY = 100
"""Batches without a decision after which the cursor is saved all the same; :meth:`Keeper.tick` saves it too."""


@dataclass(frozen=True)
class Cursor:
    """How far an entity type was watched: lake version, and newest arrival among the watched rows."""

    version: int
    received_at: datetime | None


class _Post:
    """A guard, and how far it has come."""

    def __init__(self, guard: Guard) -> None:
        self.guard = guard
        self.version: int | None = None
        """Lake version watched; ``None``: unknown, catch up first."""
        self.saved = -2
        self.received_at: datetime | None = None


class Keeper:
    """Owns the states of all rules. Take its lock never while holding a database transaction."""

    def __init__(
        self, database: Database, lake: Lake, store: Store, rules: Sequence[Rule], describe: Describe, now: Now
    ) -> None:
        self._database, self._lake, self._store, self._describe, self._now = database, lake, store, describe, now
        self._rules = rules
        self._lock = threading.RLock()
        types = dict.fromkeys(rule.entity_type for rule in rules)
        self._posts = {t: _Post(Guard(t, [r for r in rules if r.entity_type == t])) for t in types}
        self.errors: dict[str, str] = {}
        """The last error of every rule, and of every entity type that could not be watched."""

    def observe(self, batch: ObservationBatch) -> None:
        """Take one committed batch. A failure is kept in ``errors`` and mended by the next batch or tick."""
        post = self._posts.get(batch.entity_type)
        if post is None:
            return
        with self._lock, SECONDS.time():
            if post.version is None:
                self._guarded(post, lambda: self._catch_up(post))
            elif batch.version > post.version + 1:
                self._guarded(post, lambda: self._skip_to_present(post))
            elif batch.version == post.version + 1:
                self._guarded(post, lambda: self._take(post, batch.rows, batch.version))

    def catch_up(self) -> None:
        """Warm all windows from the lake and take what was committed behind the cursors; raises what goes wrong."""
        with self._lock:
            self._withdraw()
            for post in self._posts.values():
                self._catch_up(post)

    def tick(self, now: datetime) -> None:
        """Let holds end and silence speak, mend what failed, save lagging cursors."""
        with self._lock:
            for post in self._posts.values():
                if post.version is None:
                    self._guarded(post, lambda post=post: self._catch_up(post))  # type: ignore[misc]
                else:
                    self._guarded(post, lambda post=post: self._tick(post, now))  # type: ignore[misc]

    def _guarded(self, post: _Post, work: Callable[[], None]) -> None:
        try:
            work()
            self.errors.pop(post.guard.entity_type, None)
        except Exception as error:
            # Rings may be ahead of the database now: forget them and start again from the cursor.
            log.exception("watching %s failed; it will catch up", post.guard.entity_type)
            self.errors[post.guard.entity_type] = str(error)
            post.version = None

    def _tick(self, post: _Post, now: datetime) -> None:
        verdicts = post.guard.tick(now)
        assert post.version is not None
        if _speaks(verdicts) or post.saved < post.version:
            self._write(post, verdicts, post.version)

    def _take(self, post: _Post, rows: pa.Table, version: int) -> None:
        verdicts = post.guard.take(rows, self._now()) if rows.num_rows else []
        if rows.num_rows:
            post.received_at = max(filter(None, (post.received_at, pc.max(rows["received_at"]).as_py())))
        if _speaks(verdicts) or version - post.saved >= SAVE_EVERY:
            self._write(post, verdicts, version)
        post.version = version
        self._count(verdicts)

    def _write(self, post: _Post, verdicts: Sequence[Verdict], version: int) -> None:
        findings = [self._finding(post, v.rule, d) for v in verdicts for d in v.decisions]
        evidence = [self._points(post, finding.rule, finding.decision) for finding in findings]
        with self._database.transaction() as tx:
            for finding, found in zip(findings, evidence, strict=True):
                self._store.apply(tx, finding, found, self._now())
            for verdict in verdicts:
                self._store.standing(tx, verdict.standings)
            self._store.cursor(tx, post.guard.entity_type, version, post.received_at)
        post.saved = version

    def _catch_up(self, post: _Post) -> None:
        guard = post.guard
        guard.forget()
        with self._database.reading() as session:
            found = session.get(WatchCursorRow, guard.entity_type)
            cursor = Cursor(found.version, found.received_at) if found else None
            ids = [rule.id for rule in guard.rules]
            rows = session.scalars(select(RuleStateRow).where(RuleStateRow.rule.in_(ids))).all()
            standings = [Standing(r.rule, r.entity, r.level, r.stage, r.left_seconds, r.judged_at) for r in rows]
        version, behind = self._behind(guard.entity_type, cursor)
        history = self._history(guard, behind)
        guard.warm(history)
        guard.restore(standings)
        post.received_at = cursor.received_at if cursor else pc.max(history["received_at"]).as_py()
        post.saved = cursor.version if cursor else -2
        self._take(post, behind, version)
        if cursor is None:
            self._write(post, [], version)

    def _skip_to_present(self, post: _Post) -> None:
        """Versions are missing: compactions and empty commits bring no rows, anything else is read from the lake."""
        assert post.version is not None
        version, rows = self._behind(post.guard.entity_type, Cursor(post.version, post.received_at))
        self._take(post, rows, version)

    def _behind(self, table: str, cursor: Cursor | None) -> tuple[int, pa.Table]:
        """The present version, and the rows that were committed behind the cursor; none where there is no cursor."""
        while True:
            version = self._lake.version(table)
            if version < 0 or cursor is None:
                return version, self._lake.schema(table).empty_table()
            rows = self._lake.since(table, cursor.version) if version > cursor.version else None
            if self._lake.version(table) == version:
                return version, self._unwatched(table, rows, cursor)

    def _unwatched(self, table: str, rows: pa.Table | None, cursor: Cursor) -> pa.Table:
        if rows is None:
            return self._lake.schema(table).empty_table()
        if cursor.received_at is None or rows.num_rows < _count_rows(self._lake, table):
            return rows
        # The log no longer reaches back to the cursor and the lake told everything: take what arrived since.
        return rows.filter(pc.greater(rows["received_at"], pa.scalar(cursor.received_at, rows["received_at"].type)))

    def _history(self, guard: Guard, behind: pa.Table) -> pa.Table:
        """Watched rows that the windows still reach, in order of arrival."""
        table = guard.entity_type
        known = set(self._lake.schema(table).names)
        if not known.issuperset(guard.columns):
            return behind.slice(0, 0)
        sql = f"""
            SELECT rows.* FROM "{table}" AS rows
            JOIN (SELECT entity, max(observed_at) AS newest FROM "{table}" GROUP BY entity) AS last USING (entity)
            WHERE rows.observed_at > last.newest - INTERVAL '{guard.span // timedelta(seconds=1)} seconds'
            ORDER BY rows.received_at, rows.observed_at, rows.record
        """  # noqa: S608 - the name of a table that a checked rule speaks of
        rows = self._lake.query(sql, [table])
        return rows.filter(pc.invert(pc.is_in(rows["record"], behind["record"].combine_chunks())))

    def _finding(self, post: _Post, rule: Rule, decision: Decision) -> Finding:
        entity = decision.entity
        card = self._describe(rule.entity_type, entity)
        if card is None:
            area = post.guard.recent.area(entity)
            card = EntityCard(entity, rule.entity_type, Title(zh=entity, en=entity), area=area)
        return Finding(rule, decision, card)

    def _points(self, post: _Post, rule: Rule, decision: Decision) -> list[Point]:
        recent, start, end = post.guard.recent, decision.window_from, decision.window_to
        if recent.complete_from is None or recent.complete_from <= start:
            return recent.points(decision.entity, rule.property, start, end, rule.match)
        sql = f'SELECT * FROM "{rule.entity_type}" WHERE entity = $entity AND observed_at >= $start'  # noqa: S608
        rows = self._lake.query(sql, [rule.entity_type], {"entity": decision.entity, "start": start})
        return points(pick(rows, decision.entity, rule.property, start, end, rule.match), rule.property)

    def _withdraw(self) -> None:
        """Clear the warnings of rules that the packs no longer have."""
        with self._database.transaction() as tx:
            gone = WarningRow.rule.not_in([rule.id for rule in self._rules])
            for row in tx.session.scalars(select(WarningRow).where(WarningRow.status == "open", gone)).all():
                self._store.withdraw(tx, row, self._now())

    def _count(self, verdicts: Sequence[Verdict]) -> None:
        for verdict in verdicts:
            if verdict.tally.late:
                SKIPPED.labels(verdict.rule.id, "late").inc(verdict.tally.late)
            for reason, count in verdict.tally.errors.items():
                SKIPPED.labels(verdict.rule.id, reason).inc(count)
                self.errors[verdict.rule.id] = f"{count} × {reason}"


def _speaks(verdicts: Sequence[Verdict]) -> bool:
    return any(verdict.decisions or verdict.standings for verdict in verdicts)


def _count_rows(lake: Lake, table: str) -> int:
    return int(lake.query(f'SELECT count(*) AS n FROM "{table}"', [table])["n"][0].as_py())  # noqa: S608

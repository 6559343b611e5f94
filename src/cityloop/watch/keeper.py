"""Keeps warnings true to the lake: takes batches, makes their decisions durable, and catches up after a stop.

Every entity type has a cursor, the lake version up to which it was watched. A decision, the standing behind it and
the cursor are written in one transaction. A batch that decides nothing writes nothing: the cursor may lag, because
taking such a batch again decides nothing again. So a crash between a lake commit and the watch neither loses nor
doubles a warning.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import pyarrow as pa
import pyarrow.compute as pc
from sqlalchemy import Delete, delete, select
from sqlalchemy.orm import Session

from cityloop.core.database import Database
from cityloop.core.values import Title
from cityloop.lake.service import Lake
from cityloop.standard.batch import ObservationBatch
from cityloop.watch.cards import Describe, card_of
from cityloop.watch.evaluate import FUTURE
from cityloop.watch.guard import Guard, Standing, Verdict
from cityloop.watch.joining import Joiner
from cityloop.watch.judging import Decision
from cityloop.watch.locality import Locality
from cityloop.watch.models import CAP_RULE, RuleStateRow, WarningRow, WatchCursorRow
from cityloop.watch.recent import Point, pick, points
from cityloop.watch.rules import Rule
from cityloop.watch.store import Finding, Store
from cityloop.watch.telemetry import SECONDS, SKIPPED

log = logging.getLogger(__name__)


Now = Callable[[], datetime]

_FUTURE = FUTURE // timedelta(seconds=1)
LEAP = timedelta(hours=6)
"""A clock that goes further between two ticks has leapt."""
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
        self,
        database: Database,
        lake: Lake,
        store: Store,
        rules: Sequence[Rule],
        describe: Describe,
        now: Now,
        locality: Locality = Locality(),
    ) -> None:
        self._database, self._lake, self._store, self._describe, self._now = database, lake, store, describe, now
        self._locality = locality
        self._lock = threading.RLock()
        self._ticked: datetime | None = None
        self.errors: dict[str, str] = {}
        """The last error of every rule, of every entity type that could not be watched, and of the clock."""
        self._take_up(rules)

    def _take_up(self, rules: Sequence[Rule]) -> None:
        self._rules = tuple(rules)
        observed = [rule for rule in rules if not rule.conditions]
        types = dict.fromkeys(rule.entity_type for rule in observed)
        guards = (Guard(t, [r for r in observed if r.entity_type == t], self._locality) for t in types)
        self._posts = {guard.entity_type: _Post(guard) for guard in guards}
        self._joiner = Joiner(rules, self._describe)

    def adopt(self, rules: Sequence[Rule]) -> None:
        """Watch by these rules from now on; a rule that is gone clears its warnings, the others keep theirs."""
        with self._lock:
            self._take_up(rules)
            self.errors.clear()
            self.catch_up()

    @property
    def wanting(self) -> dict[str, Title]:
        """Rules that can judge nothing now for want of a model, and why."""
        return {rule: reason for post in self._posts.values() for rule, reason in list(post.guard.wanting.items())}

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
        """Let holds end and silence speak, mend what failed, save lagging cursors.

        A clock that jumps passes no judgement: see :meth:`_steady`.
        """
        with self._lock:
            if not self._steady(now):
                return
            for post in self._posts.values():
                if post.version is None:
                    self._guarded(post, lambda post=post: self._catch_up(post))  # type: ignore[misc]
                else:
                    self._guarded(post, lambda post=post: self._tick(post, now))  # type: ignore[misc]
            self._tick_joined(now)

    def _tick_joined(self, now: datetime) -> None:
        """Let the holds of joint rules end; where the database refuses, they are as it remembers them."""
        try:
            if joined := self._joiner.tick(now):
                self._write(None, joined)
            self.errors.pop("conditions", None)
        except Exception as error:
            log.exception("watching rules over rules failed; they are read again")
            self.errors["conditions"] = str(error)
            self._restore_joined()

    def _restore_joined(self) -> None:
        with self._database.reading() as session:
            standings = _standings(session, {*self._joiner.rules, *self._joiner.members})
        self._joiner.forget()
        self._joiner.restore(standings)

    def _steady(self, now: datetime) -> bool:
        """Whether the clock went on as clocks do. A leap forward waits for one tick, so that records can arrive."""
        before, self._ticked = self._ticked, now
        if before is None or timedelta(0) <= now - before <= LEAP:
            self.errors.pop("clock", None)
            return True
        if now < before:
            self._ticked = before
            self.errors["clock"] = f"the clock went back from {before.isoformat()} to {now.isoformat()}"
        else:
            self.errors["clock"] = f"the clock leapt from {before.isoformat()} to {now.isoformat()}"
        log.warning("%s", self.errors["clock"])
        return False

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
        self._count(verdicts)

    def _take(self, post: _Post, rows: pa.Table, version: int) -> None:
        verdicts = post.guard.take(rows, self._now()) if rows.num_rows else []
        if rows.num_rows:
            post.received_at = max(filter(None, (post.received_at, pc.max(rows["received_at"]).as_py())))
        if _speaks(verdicts) or version - post.saved >= SAVE_EVERY:
            self._write(post, verdicts, version)
        post.version = version
        self._count(verdicts)

    def _write(self, post: _Post | None, verdicts: Sequence[Verdict], version: int = -1) -> None:
        """Make decisions durable, with those of the joint rules that follow from them."""
        verdicts = [*verdicts, *(self._joiner.follow(verdicts) if post else ())]
        spoken = [(v.rule, d) for v in verdicts if v.rule.respond != "part" for d in v.decisions]
        findings = [self._finding(post, rule, decision) for rule, decision in spoken]
        evidence = [self._points(post, finding.rule, finding.decision) for finding in findings]
        with self._database.transaction() as tx:
            for finding, found in zip(findings, evidence, strict=True):
                self._store.apply(tx, finding, found, self._now())
            self._store.standing(tx, [standing for verdict in verdicts for standing in verdict.standings])
            if post:
                self._store.cursor(tx, post.guard.entity_type, version, post.received_at)
        if post:
            post.saved = version

    def _catch_up(self, post: _Post) -> None:
        guard = post.guard
        guard.forget()
        with self._database.reading() as session:
            found = session.get(WatchCursorRow, guard.entity_type)
            cursor = Cursor(found.version, found.received_at) if found else None
            standings = _standings(session, {rule.id for rule in guard.rules})
        self._restore_joined()
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
            WITH rows AS (SELECT * FROM "{table}" WHERE observed_at <= received_at + INTERVAL '{_FUTURE} seconds')
            SELECT rows.* FROM rows
            JOIN (SELECT entity, max(observed_at) AS newest FROM rows GROUP BY entity) AS last USING (entity)
            WHERE rows.observed_at > last.newest - INTERVAL '{guard.span // timedelta(seconds=1)} seconds'
            ORDER BY rows.received_at, rows.observed_at, rows.record
        """  # noqa: S608 - the name of a table that a checked rule speaks of
        rows = self._lake.query(sql, [table])
        return rows.filter(pc.invert(pc.is_in(rows["record"], behind["record"].combine_chunks())))

    def _finding(self, post: _Post | None, rule: Rule, decision: Decision) -> Finding:
        area = post.guard.recent.area(decision.entity) if post else None
        card = card_of(self._describe, rule.entity_type, decision.entity, area)
        return Finding(rule, decision, card, post.guard.evidence(rule, decision) if post else None)

    def _points(self, post: _Post | None, rule: Rule, decision: Decision) -> list[Point]:
        """The records that a decision rests on; a joint rule rests on others, which keep theirs."""
        if post is None or rule.conditions:
            return []
        recent, reader, subject = post.guard.recent, post.guard.reader, decision.entity
        start, end = decision.window_from, decision.window_to

        def belongs(rows: pa.Table) -> pa.Array:
            return reader.belongs(rule, rows, subject)

        if recent.complete_from is None or recent.complete_from <= start:
            rows = recent.pick(belongs, start, end)
        else:
            sql = f'SELECT * FROM "{rule.entity_type}" WHERE observed_at >= $start AND observed_at < $end'  # noqa: S608
            found = self._lake.query(sql, [rule.entity_type], {"start": start, "end": end})
            rows = pick(found, belongs, start, end)
        return [] if rows is None else points(rows, post.guard.values(rule, rows).tolist())

    def _withdraw(self) -> None:
        """Clear the warnings of rules that the packs no longer have."""
        with self._database.transaction() as tx:
            gone = WarningRow.rule.not_in([CAP_RULE, *(rule.id for rule in self._rules if rule.respond != "part")])
            for row in tx.session.scalars(select(WarningRow).where(WarningRow.status == "open", gone)).all():
                self._store.withdraw(tx, row, self._now())
            tx.flush()
            tx.session.execute(_orphans(self._rules))

    def _count(self, verdicts: Sequence[Verdict]) -> None:
        for verdict in verdicts:
            if verdict.tally.late:
                SKIPPED.labels(verdict.rule.id, "late").inc(verdict.tally.late)
            for reason, count in verdict.tally.errors.items():
                SKIPPED.labels(verdict.rule.id, reason).inc(count)
                self.errors[verdict.rule.id] = f"{count} × {reason}"


def _orphans(rules: Sequence[Rule]) -> Delete:
    """Standings of rules that are gone, and levels without a warning: of rules that were only parts before."""
    mine = (WarningRow.rule == RuleStateRow.rule) & (WarningRow.entity == RuleStateRow.entity)
    warned = select(WarningRow.id).where(mine, WarningRow.status == "open").exists()
    parts = [rule.id for rule in rules if rule.respond == "part"]
    silent = RuleStateRow.level.is_not(None) & RuleStateRow.rule.not_in(parts) & ~warned
    return delete(RuleStateRow).where(RuleStateRow.rule.not_in([rule.id for rule in rules]) | silent)


def _standings(session: Session, rules: Collection[str]) -> list[Standing]:
    rows = session.scalars(select(RuleStateRow).where(RuleStateRow.rule.in_(rules))).all()
    return [Standing(r.rule, r.entity, r.level, r.stage, r.left_seconds, r.judged_at, r.memo) for r in rows]


def _speaks(verdicts: Sequence[Verdict]) -> bool:
    return any(verdict.decisions or verdict.standings for verdict in verdicts)


def _count_rows(lake: Lake, table: str) -> int:
    return int(lake.query(f'SELECT count(*) AS n FROM "{table}"', [table])["n"][0].as_py())  # noqa: S608

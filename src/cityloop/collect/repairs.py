"""What is done to records in quarantine: corrected, discarded, or tried again through the present mapping.

A replay is a job in the database. It holds its records until each has been tried, goes on after a crash where it was,
and a record that it brings into the lake has there the id it would have had at first: ``<batch>:<position>``. A record
whose id is already in the lake is settled without another commit; that is why a crash between the lake's commit and
the database's doubles nothing.
"""

from __future__ import annotations

import logging
import threading
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from prometheus_client import Counter
from sqlalchemy import ColumnElement, select, true, update

from cityloop.access.actor import Actor
from cityloop.access.audit import Audit
from cityloop.access.door import Door, Scope
from cityloop.access.predicates import Everything
from cityloop.collect.committer import Again, Job
from cityloop.collect.decode import decode_kept
from cityloop.collect.duplicates import records_of
from cityloop.collect.models import QuarantineActRow, QuarantineReplayRow, QuarantineRow
from cityloop.collect.phrases import PHRASES
from cityloop.collect.quarantine import FindMapping, Quarantine, conditions, found, joined, rejection, sent
from cityloop.collect.quarantine_schemas import (
    Correction,
    CorrectionOrder,
    QuarantineDetail,
    ReplayOrder,
    ReplayView,
)
from cityloop.collect.schemas import Receipt, Rejection
from cityloop.core.clock import Clock
from cityloop.core.database import Database, Transaction
from cityloop.core.errors import Conflict, Fault, Invalid, NotFound
from cityloop.core.ids import new_id
from cityloop.core.outbox import Outbox
from cityloop.lake.service import Lake
from cityloop.standard.mapping import FeedMapping

log = logging.getLogger(__name__)
CORRECT = "quarantine.correct"
CHUNK = 500
"""Records that are tried, and told of, together."""
RETRIED = Counter("cityloop_quarantine_retried_total", "Records of quarantine tried again", ["feed", "result"])


@dataclass
class _Result:
    """What became of one record: ``record`` names it in the lake, ``reasons`` say why it is not there."""

    row: QuarantineRow
    record: str | None = None
    reasons: list[Rejection] = field(default_factory=list)

    @property
    def own(self) -> str:
        return f"{self.row.batch}:{self.row.position}"

    @property
    def word(self) -> str:
        if self.record is None:
            return "failed"
        return "settled" if self.record == self.own else "duplicate"


class Repairs:
    """The verbs on quarantined records. ``find`` gives the present mapping of a feed, ``submit`` commits a job."""

    def __init__(
        self,
        *,
        database: Database,
        outbox: Outbox,
        audit: Audit,
        door: Door,
        lake: Lake,
        clock: Clock,
        quarantine: Quarantine,
        find: FindMapping,
        submit: Callable[[Job], Future[Receipt]],
    ) -> None:
        self._database, self._outbox, self._audit, self._door = database, outbox, audit, door
        self._lake, self._clock, self._quarantine = lake, clock, quarantine
        self._find, self._submit = find, submit
        self._turn = threading.Lock()
        self._wake, self._stopped = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Go on with replays that were cut short, and wait for new ones."""
        self._stopped.clear()
        self._wake.set()
        self._thread = threading.Thread(target=self._run, name="quarantine-replay", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End after the chunk under way; the rest is tried after the next start."""
        self._stopped.set()
        self._wake.set()
        if self._thread:
            self._thread.join(timeout=60)

    def correct(self, actor: Actor, identity: str, order: CorrectionOrder) -> QuarantineDetail:
        """Keep corrected fields beside the record; with ``order.replay`` try it at once."""
        scope = self._allowed(actor)
        with self._database.transaction() as tx:
            row = self._changeable(tx, scope, identity, ("open", "corrected"))
            self._check_fields(row, order)
            now = self._clock.now()
            kept = Correction(fields=order.fields, by=actor.id, at=now, why=order.why).model_dump(mode="json")
            row.correction, row.state = kept, "corrected"
            self._note(tx, row, "corrected", actor.id, {"fields": order.fields, "why": order.why})
            self._tell(tx, actor.id, "quarantine.correct", row, {"fields": sorted(order.fields), "why": order.why})
            self._event(tx, "cityloop.quarantine.corrected", row, {"by": actor.id, "fields": sorted(order.fields)})
        if order.replay:
            self.finish(self.replay(actor, ReplayOrder(ids=(identity,))).id)
        return self._quarantine.detail(scope, identity, self._find)

    def discard(self, actor: Actor, identity: str, why: str) -> QuarantineDetail:
        """Give a record up; it is kept with the reason."""
        scope = self._allowed(actor)
        with self._database.transaction() as tx:
            row = self._changeable(tx, scope, identity, ("open", "corrected", "discarded"))
            row.state = "discarded"
            self._note(tx, row, "discarded", actor.id, {"why": why})
            self._tell(tx, actor.id, "quarantine.discard", row, {"why": why})
            self._event(tx, "cityloop.quarantine.discarded", row, {"by": actor.id, "why": why})
        return self._quarantine.detail(scope, identity, self._find)

    def replay(self, actor: Actor, order: ReplayOrder) -> ReplayView:
        """Begin to try the open and corrected records of a selection again; they are held until each was tried."""
        scope, identity = self._allowed(actor), new_id("rep")
        where = [*conditions(scope, order.selection()), QuarantineRow.replay.is_(None)]
        with self._database.transaction() as tx:
            held = tx.session.execute(update(QuarantineRow).where(*where).values(replay=identity))
            total = int(held.rowcount)  # type: ignore[attr-defined]
            if not total:
                raise Conflict("no open record fits this selection", "settled and discarded ones are not tried again")
            selection = order.model_dump(mode="json", exclude_defaults=True)
            counts = dict.fromkeys(("done", "settled", "failed", "duplicate"), 0)
            row = QuarantineReplayRow(
                id=identity, state="running", by=actor.id, started_at=self._clock.now(),
                selection=selection, total=total, **counts,
            )  # fmt: skip
            tx.session.add(row)
            detail = {"selection": selection, "total": total}
            self._audit.record(tx, self._clock.now(), actor.id, "quarantine.replay", identity, detail)
            answer = _replay_view(row)
        self._wake.set()
        return answer

    def replays(self, actor: Actor) -> list[ReplayView]:
        """The newest fifty replays: the actor's own, or everybody's for one who sees all of quarantine."""
        query = select(QuarantineReplayRow).where(self._mine(actor)).order_by(QuarantineReplayRow.id.desc()).limit(50)
        with self._database.reading() as session:
            return [_replay_view(row) for row in session.scalars(query)]

    def replay_of(self, actor: Actor, identity: str) -> ReplayView:
        """One replay."""
        query = select(QuarantineReplayRow).where(QuarantineReplayRow.id == identity, self._mine(actor))
        with self._database.reading() as session:
            row = session.scalar(query)
        if row is None:
            raise NotFound(f"no replay '{identity}'", "GET /api/v1/quarantine/replays lists them")
        return _replay_view(row)

    def stop_replay(self, actor: Actor, identity: str) -> ReplayView:
        """End a replay: what was tried stays as it is, the rest is let go. One that has ended stays as it is."""
        self._allowed(actor)
        self.replay_of(actor, identity)
        with self._turn, self._database.transaction() as tx:
            replay = tx.session.get_one(QuarantineReplayRow, identity)
            if replay.state == "running":
                self._end(tx, replay, "stopped")
                self._audit.record(tx, self._clock.now(), actor.id, "quarantine.replay_stop", identity)
        return self.replay_of(actor, identity)

    def finish(self, replay: str) -> None:
        """Carry one replay to its end in this thread."""
        while self.step(replay):
            pass

    def step(self, replay: str | None = None) -> bool:
        """Try the next chunk of ``replay`` (else of the oldest that runs); ``False`` when there is nothing to do."""
        with self._turn:
            running = select(QuarantineReplayRow).where(QuarantineReplayRow.state == "running")
            chosen = running.where(QuarantineReplayRow.id == replay) if replay else running
            with self._database.reading() as session:
                job = session.scalar(chosen.order_by(QuarantineReplayRow.id).limit(1))
                if job is None:
                    return False
                held = select(QuarantineRow).where(QuarantineRow.replay == job.id)
                order = (QuarantineRow.received_at, QuarantineRow.batch, QuarantineRow.position)
                rows = list(session.scalars(held.order_by(*order).limit(CHUNK)))
            self._chunk(job, rows)
            return True

    def _run(self) -> None:
        while not self._stopped.is_set():
            self._wake.clear()
            try:
                if not self.step():
                    self._wake.wait()
            except Exception:
                log.exception("a replay of quarantine failed")
                self._stopped.wait(1.0)

    def _chunk(self, job: QuarantineReplayRow, rows: Sequence[QuarantineRow]) -> None:
        try:
            results = self._tried(job, rows)
        except Conflict as change:
            # Another standard was adopted meanwhile. What is in the lake by now is found there at the next attempt.
            log.info("replay %s begins its chunk again: %s", job.id, change.detail)
            return
        except Exception as error:
            with self._database.transaction() as tx:
                self._end(tx, tx.session.get_one(QuarantineReplayRow, job.id), "failed", str(error))
            raise
        with self._database.transaction() as tx:
            replay = tx.session.get_one(QuarantineReplayRow, job.id)
            for result in results:
                self._settle(tx, replay, result)
            if not results:
                self._end(tx, replay, "done")
        for result in results:
            RETRIED.labels(result.row.feed, result.word).inc()

    def _tried(self, job: QuarantineReplayRow, rows: Sequence[QuarantineRow]) -> list[_Result]:
        by_feed: dict[str, list[_Result]] = defaultdict(list)
        for row in rows:
            by_feed[row.feed].append(_Result(row))
        for feed, results in by_feed.items():
            mapping = self._find(feed)
            if mapping is None:
                for result in results:
                    result.reasons = [_gone(result.row)]
            else:
                self._try(job, mapping, results)
        return [result for results in by_feed.values() for result in results]

    def _try(self, job: QuarantineReplayRow, mapping: FeedMapping, results: Sequence[_Result]) -> None:
        """Commit the records of one feed that the lake does not hold yet, and find out what became of each."""
        table = mapping.entity_type.id
        self._find_own(table, results)
        left = [result for result in results if result.record is None]
        again = Again()
        waiting = [self._submit(self._job(job.by, mapping, part, again)) for part in _by_batch(left)]
        for future in waiting:
            future.result()
        for result in left:
            result.reasons = again.reasons.get(result.row.id, [])
        self._find_own(table, [result for result in left if not result.reasons])
        others = records_of(self._lake, table, list(again.duplicates.values()))
        for result in left:
            if result.record is None and (key := again.duplicates.get(result.own)):
                result.record = others.get(key)
        lost = [result.row.id for result in left if result.record is None and not result.reasons]
        if lost:
            raise RuntimeError(f"{lost[0]} was neither committed nor refused")

    def _find_own(self, table: str, results: Sequence[_Result]) -> None:
        kept = set(self._lake.records(table, [result.own for result in results])["record"].to_pylist())
        for result in results:
            result.record = result.own if result.own in kept else None

    def _job(self, actor: str, mapping: FeedMapping, part: Sequence[_Result], again: Again) -> Job:
        records = {r.row.position: (r.row.raw, (r.row.correction or {}).get("fields") or {}) for r in part}
        decoded = decode_kept(records, mapping)
        return Job(actor, mapping, part[0].row.batch, decoded, self._clock.now(), again=again)

    def _settle(self, tx: Transaction, replay: QuarantineReplayRow, result: _Result) -> None:
        row = tx.session.get_one(QuarantineRow, result.row.id)
        row.replay = None
        replay.done += 1
        if result.record is not None:
            row.record, row.state = result.record, "settled"
            replay.settled += 1
            replay.duplicate += result.word == "duplicate"
            self._note(tx, row, "settled", replay.by, {"replay": replay.id, "record": result.record})
            return
        reasons = [reason.model_dump() for reason in result.reasons]
        if not row.attempts:
            self._note(tx, row, "refused", "system", {"reasons": list(row.reasons)})
        row.attempts += 1
        row.reasons, row.rules = reasons, joined([reason.rule for reason in result.reasons])
        replay.failed += 1
        self._note(tx, row, "failed", replay.by, {"replay": replay.id, "reasons": reasons})

    def _end(self, tx: Transaction, replay: QuarantineReplayRow, state: str, error: str | None = None) -> None:
        now = self._clock.now()
        replay.state, replay.ended_at, replay.error = state, now, error
        tx.session.execute(update(QuarantineRow).where(QuarantineRow.replay == replay.id).values(replay=None))
        data = _replay_view(replay).model_dump(mode="json")
        self._outbox.record(tx, "cityloop.quarantine.replayed", replay.id, now, {"replay": data})

    def _allowed(self, actor: Actor) -> Scope:
        self._door.permit(actor, CORRECT)
        return self._door.scope(actor, "quarantine")

    def _mine(self, actor: Actor) -> ColumnElement[bool]:
        everything = isinstance(self._door.scope(actor, "quarantine").rows, Everything)
        return true() if everything else QuarantineReplayRow.by == actor.id

    def _changeable(self, tx: Transaction, scope: Scope, identity: str, states: Sequence[str]) -> QuarantineRow:
        row = found(tx.session, scope, identity)
        if row.replay:
            raise Conflict(f"'{identity}' is held by replay {row.replay}", "wait for its end, or stop it")
        if row.state not in states:
            raise Conflict(f"'{identity}' is {row.state}", f"it would have to be {' or '.join(states)}")
        return row

    def _check_fields(self, row: QuarantineRow, order: CorrectionOrder) -> None:
        mapping = self._find(row.feed)
        known = {*(mapping.text if mapping else ()), *(sent(row.raw) or {})}
        faults = [
            Fault(f"fields.{name}", f"feed {row.feed} reads no field '{name}'", f"known: {', '.join(sorted(known))}")
            for name in order.fields
            if name not in known
        ]
        if faults:
            raise Invalid("the correction names unknown fields", "correct the fields that the feed reads", faults)

    def _note(self, tx: Transaction, row: QuarantineRow, act: str, by: str, data: Mapping[str, Any]) -> None:
        at = row.received_at if act == "refused" else self._clock.now()
        line = {"quarantine": row.id, "act": act, "at": at, "by": by, "data": dict(data)}
        tx.insert(QuarantineActRow, line)

    def _tell(self, tx: Transaction, actor: str, act: str, row: QuarantineRow, detail: Mapping[str, Any]) -> None:
        self._audit.record(tx, self._clock.now(), actor, act, row.id, {"feed": row.feed, **detail})

    def _event(self, tx: Transaction, kind: str, row: QuarantineRow, data: Mapping[str, Any]) -> None:
        told = {"id": row.id, "feed": row.feed, "department": row.department, **data}
        self._outbox.record(tx, kind, row.id, self._clock.now(), told)


def _by_batch(results: Sequence[_Result]) -> list[list[_Result]]:
    """A job has one batch, which names its records."""
    batches: dict[str, list[_Result]] = defaultdict(list)
    for result in results:
        batches[result.row.batch].append(result)
    return list(batches.values())


def _gone(row: QuarantineRow) -> Rejection:
    return rejection(row.position, "", "feed", PHRASES.say("no-feed", feed=row.feed), row.id)


def _replay_view(row: QuarantineReplayRow) -> ReplayView:
    return ReplayView.model_validate({name: getattr(row, name) for name in ReplayView.model_fields})

"""Group commit: concurrent pushes of one entity type wait a moment for each other and share one durable commit."""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime

from cityloop.collect.decode import Decoded
from cityloop.collect.duplicates import Key
from cityloop.collect.schemas import Receipt, Rejection
from cityloop.standard.mapping import FeedMapping

log = logging.getLogger(__name__)
MOST_ROWS = 20_000
"""Rows of one commit; a single larger push is committed as a whole."""


@dataclass
class Again:
    """What became of records that lie in quarantine already and are tried once more, by all jobs that share this."""

    reasons: dict[str, list[Rejection]] = field(default_factory=dict)
    """Why, by the record's id in quarantine."""
    duplicates: dict[str, Key] = field(default_factory=dict)
    """Record id → the key under which another record is stored."""


@dataclass
class Job:
    """One push, or one stretch of a replayed file, on its way to the lake."""

    actor: str
    mapping: FeedMapping
    batch: str
    decoded: Decoded
    now: datetime
    """City time at which the records arrived."""
    txn: tuple[str, int] | None = None
    """Writer and number for sources that number their rows; such a job has a commit of its own."""
    after: int | None = None
    """The writer's number that the lake must hold: where the job before failed, this one is refused too."""
    hurry: bool = False
    """Whether the job is committed without waiting for company: its source waits for the acknowledgement."""
    again: Again | None = None
    """Set for records that lie in quarantine already: they are not put there again, but told here."""
    arrived: float = field(default_factory=time.monotonic)
    done: Future[Receipt] = field(default_factory=Future)


class Committer:
    """The committing thread of one entity type. While it is not running, jobs run in the caller's thread."""

    def __init__(self, name: str, work: Callable[[Sequence[Job]], None], linger_seconds: float) -> None:
        self._name = name
        self._work = work
        self._linger = linger_seconds
        self._waiting: deque[Job] = deque()
        self._changed = threading.Condition()
        self._inline = threading.Lock()
        self._running = False
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Start the thread."""
        self._running = True
        self._thread = threading.Thread(target=self._run, name=f"commit-{self._name}", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Commit what is waiting, then end."""
        with self._changed:
            self._running = False
            self._changed.notify_all()
        if self._thread:
            self._thread.join(timeout=60)

    def submit(self, job: Job) -> Future[Receipt]:
        """Hand over one job; its future is done once its rows are durable, or fails with the reason."""
        with self._changed:
            if self._running:
                self._waiting.append(job)
                self._changed.notify_all()
                return job.done
        with self._inline:
            self._commit([job])
        return job.done

    def _run(self) -> None:
        while group := self._next():
            self._commit(group)

    def _next(self) -> list[Job]:
        """Wait for the next group; an empty one means the end."""
        with self._changed:
            while not self._waiting:
                if not self._running:
                    return []
                self._changed.wait()
            until = self._waiting[0].arrived + self._linger
            while self._running and not self._full() and (left := until - time.monotonic()) > 0:
                self._changed.wait(left)
            return self._take()

    def _full(self) -> bool:
        return (
            any(job.txn or job.hurry for job in self._waiting)
            or sum(job.decoded.received for job in self._waiting) >= MOST_ROWS
        )

    def _take(self) -> list[Job]:
        group = [self._waiting.popleft()]
        rows = group[0].decoded.received
        while self._waiting and not group[0].txn and not self._waiting[0].txn:
            rows += self._waiting[0].decoded.received
            if rows > MOST_ROWS:
                break
            group.append(self._waiting.popleft())
        return group

    def _commit(self, group: Sequence[Job]) -> None:
        try:
            self._work(group)
        except Exception as error:
            log.exception("a batch of %s was not committed", self._name)
            for job in group:
                if not job.done.done():
                    job.done.set_exception(error)

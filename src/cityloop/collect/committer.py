"""Group commit: concurrent pushes of one entity type wait a moment for each other and share one durable commit.

Two threads carry the groups on: while one group is made durable, the next is read.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime
from typing import Generic, Protocol, TypeVar

from cityloop.collect.decode import Decoded
from cityloop.collect.duplicates import Key
from cityloop.collect.schemas import Receipt, Rejection
from cityloop.standard.mapping import FeedMapping

log = logging.getLogger(__name__)
Read = TypeVar("Read")
MOST_ROWS = 20_000
"""Rows of one commit; a single larger push is committed as a whole."""
_AHEAD = 1
"""Groups that may be on their way when the next is read."""


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


class Work(Protocol[Read]):
    """What is done with a group, in two steps. Groups are read in turn and settled in the same turn."""

    def read(self, group: Sequence[Job]) -> Read:
        """Map and check; may rest on what the groups before left in memory, though they are not settled yet."""
        ...

    def settle(self, read: Read) -> None:
        """Make durable and answer every job."""
        ...

    def apart(self, group: Sequence[Job]) -> bool:
        """Whether reading needs everything before to be settled."""
        ...

    def forget(self) -> None:
        """A group failed: nothing that was read since the last one settled may be relied upon."""
        ...


class Committer(Generic[Read]):
    """The committing threads of one entity type. While they are not running, jobs run in the caller's thread."""

    def __init__(self, name: str, work: Work[Read], linger_seconds: float) -> None:
        self._name = name
        self._work = work
        self._linger = linger_seconds
        self._waiting: deque[Job] = deque()
        self._changed = threading.Condition()
        self._inline = threading.Lock()
        self._running = False
        self._under_way: deque[tuple[Sequence[Job], Read]] = deque()
        """Groups that are read, the first one being settled. Whoever reads a group holds ``_reading``."""
        self._reading = threading.Lock()
        self._no_more = False
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Start the threads."""
        self._running, self._no_more = True, False
        steps = {"read": self._run_reading, "commit": self._run_settling}
        self._threads = [
            threading.Thread(target=step, name=f"{name}-{self._name}", daemon=True) for name, step in steps.items()
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Commit what is waiting, then end."""
        with self._changed:
            self._running = False
            self._changed.notify_all()
        for thread in self._threads:
            thread.join(timeout=60)

    def submit(self, job: Job) -> Future[Receipt]:
        """Hand over one job; its future is done once its rows are durable, or fails with the reason.

        Nobody can cancel it any more: a sender who goes away must not take those along who share the commit.
        """
        job.done.set_running_or_notify_cancel()
        with self._changed:
            if self._running:
                self._waiting.append(job)
                self._changed.notify_all()
                return job.done
        with self._inline:
            self._at_once([job])
        return job.done

    def _at_once(self, group: Sequence[Job]) -> None:
        try:
            self._work.settle(self._work.read(group))
        except Exception as error:
            self._work.forget()
            self._fail(group, error)

    def _run_reading(self) -> None:
        while True:
            self._await_settled(_AHEAD)
            group = self._next()
            if not group:
                break
            if self._work.apart(group):
                self._await_settled(0)
            self._read_next(group)
        with self._changed:
            self._no_more = True
            self._changed.notify_all()

    def _read_next(self, group: Sequence[Job]) -> None:
        try:
            with self._reading:
                read = self._work.read(group)
                with self._changed:
                    self._under_way.append((group, read))
                    self._changed.notify_all()
        except Exception as error:
            self._await_settled(0)
            self._work.forget()
            self._fail(group, error)

    def _run_settling(self) -> None:
        while True:
            with self._changed:
                while not self._under_way and not self._no_more:
                    self._changed.wait()
                if not self._under_way:
                    return
                group, read = self._under_way[0]
            try:
                self._work.settle(read)
            except Exception as error:
                self._fail(group, error)
                self._read_anew()
            with self._changed:
                self._under_way.popleft()
                self._changed.notify_all()

    def _read_anew(self) -> None:
        """Read again what rests on the group that failed."""
        with self._reading:
            self._work.forget()
            failed, *behind = self._under_way
            kept = [failed]
            for group, _ in behind:
                try:
                    kept.append((group, self._work.read(group)))
                except Exception as error:
                    self._fail(group, error)
            with self._changed:
                self._under_way = deque(kept)

    def _await_settled(self, most: int) -> None:
        """Wait until at most so many groups are on their way."""
        with self._changed:
            while len(self._under_way) > most:
                self._changed.wait()

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

    def _fail(self, group: Sequence[Job], error: Exception) -> None:
        log.error("a batch of %s was not committed", self._name, exc_info=error)
        for job in group:
            if not job.done.done():
                job.done.set_exception(error)

"""Groups are read ahead, settled in turn, and read anew when what they rest on has failed."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any, cast

import polars as pl
import pytest

from cityloop.collect.committer import Committer, Job
from cityloop.collect.decode import Decoded
from cityloop.collect.schemas import Receipt
from cityloop.standard.mapping import FeedMapping

WAIT = 30.0


class Notes:
    """Work that notes what it does: reading counts up a memory, which a failure resets to what is settled."""

    def __init__(self) -> None:
        self.acts: list[str] = []
        self.settled = 0
        self.memory = 0
        self.go = threading.Semaphore(0)
        self.bad: set[str] = set()
        self.alone: set[str] = set()

    def read(self, group: Sequence[Job]) -> tuple[str, int]:
        (job,) = group
        self.acts.append(f"read {job.batch}")
        self.memory += 1
        if f"read {job.batch}" in self.bad:
            raise ValueError("unreadable")
        return job.batch, self.memory

    def settle(self, read: tuple[str, int]) -> None:
        batch, memory = read
        assert self.go.acquire(timeout=WAIT)
        self.acts.append(f"settle {batch} as {memory}")
        if batch in self.bad:
            self.bad.discard(batch)
            raise OSError("the disk is full")
        self.settled += 1
        self.jobs[batch].done.set_result(cast(Receipt, batch))

    def apart(self, group: Sequence[Job]) -> bool:
        return group[0].batch in self.alone

    def forget(self) -> None:
        self.memory = self.settled

    jobs: dict[str, Job]


def job(batch: str) -> Job:
    decoded = Decoded(pl.DataFrame(), (), (), lambda wanted: {})
    mapping = cast(FeedMapping, SimpleNamespace(id="f"))
    # Numbered, so that every job is a group of its own.
    return Job("a", mapping, batch, decoded, datetime(2026, 3, 9, tzinfo=UTC), txn=("w", 1))


@pytest.fixture
def notes() -> Notes:
    return Notes()


@pytest.fixture
def committer(notes: Notes) -> Iterator[Committer[Any]]:
    committer = Committer("T", notes, 0.0)
    committer.start()
    yield committer
    notes.go.release(50)
    committer.stop()


def submit(committer: Committer[Any], notes: Notes, *batches: str) -> list[Job]:
    jobs = [job(batch) for batch in batches]
    notes.jobs = {one.batch: one for one in jobs}
    for one in jobs:
        committer.submit(one)
    return jobs


def ended(*jobs: Job) -> list[Any]:
    return [one.done.result(WAIT) for one in jobs]


def until(notes: Notes, act: str) -> None:
    pause, patience = threading.Event(), WAIT
    while act not in notes.acts:
        assert patience > 0, notes.acts
        pause.wait(0.005)
        patience -= 0.005


def test_the_next_group_is_read_while_one_is_settled(committer: Committer[Any], notes: Notes) -> None:
    jobs = submit(committer, notes, "a", "b", "c")
    until(notes, "read b")
    assert not any(act.startswith("settle") for act in notes.acts), "the first is not settled yet"
    notes.go.release(3)
    assert ended(*jobs) == ["a", "b", "c"]
    settled = [act for act in notes.acts if act.startswith("settle")]
    assert settled == ["settle a as 1", "settle b as 2", "settle c as 3"]


def test_what_rests_on_a_group_that_failed_is_read_anew(committer: Committer[Any], notes: Notes) -> None:
    notes.bad = {"a"}
    first, *others = submit(committer, notes, "a", "b", "c")
    until(notes, "read b")
    notes.go.release(3)
    assert isinstance(first.done.exception(WAIT), OSError)
    assert ended(*others) == ["b", "c"]
    assert notes.acts.count("read b") == 2, "once on what never became durable, once on what is"
    assert "settle b as 1" in notes.acts
    assert "settle c as 2" in notes.acts


def test_a_group_that_cannot_be_read_fails_alone(committer: Committer[Any], notes: Notes) -> None:
    notes.bad = {"read b"}
    a, b, c = submit(committer, notes, "a", "b", "c")
    notes.go.release(3)
    assert isinstance(b.done.exception(WAIT), ValueError)
    assert ended(a, c) == ["a", "c"]
    assert "settle c as 2" in notes.acts, "what the unreadable group left in memory is gone"


def test_a_group_that_asks_what_is_stored_waits_for_those_before(committer: Committer[Any], notes: Notes) -> None:
    notes.alone = {"b"}
    jobs = submit(committer, notes, "a", "b")
    notes.go.release(2)
    assert ended(*jobs) == ["a", "b"]
    assert notes.acts == ["read a", "settle a as 1", "read b", "settle b as 2"]


def test_a_sender_who_goes_away_takes_nobody_along(committer: Committer[Any], notes: Notes) -> None:
    gone, other = submit(committer, notes, "a", "b")
    assert not gone.done.cancel()
    notes.go.release(2)
    assert ended(gone, other) == ["a", "b"]


def test_stopping_settles_what_waits(notes: Notes) -> None:
    committer = Committer("T", notes, 0.0)
    committer.start()
    jobs = submit(committer, notes, "a", "b", "c")
    notes.go.release(3)
    committer.stop()
    assert all(one.done.done() for one in jobs)

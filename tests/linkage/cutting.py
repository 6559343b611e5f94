"""Cuts a program off at each of its commits in turn, and looks whether what it does comes out the same.

``play`` must be able to go on from wherever it finds the database, as people and the program do after a crash.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Literal, Protocol, TypeVar

from cityloop.core.database import Transaction

When = Literal["before", "after"]
"""Whether the commit is lost, or has landed and all that should follow it is lost."""


class Cut(BaseException):
    """The program ends here: nothing may catch it."""


class Commits:
    """Counts commits, and dies at one of them."""

    def __init__(self, number: int | None, when: When, die: Callable[[], None]) -> None:
        self.count, self._number, self._when, self._die = 0, number, when, die

    def finish(self, tx: Transaction, real: Callable[[Transaction], Any]) -> Any:
        self.count += 1
        if self.count == self._number and self._when == "before":
            self._die()
        after = real(tx)
        if self.count == self._number:
            self._die()
        return after


def cut() -> None:
    """End the play, not the test."""
    raise Cut


def kill() -> None:
    """End this process as ``kill -9`` does."""
    os.kill(os.getpid(), signal.SIGKILL)


@contextmanager
def cut_at(number: int | None, when: When = "before", die: Callable[[], None] = cut) -> Iterator[Commits]:
    """Die at the given commit of what happens inside; without a number only count them."""
    commits, real = Commits(number, when, die), Transaction.finish
    Transaction.finish = lambda tx: commits.finish(tx, real)  # type: ignore[method-assign]
    try:
        yield commits
    finally:
        Transaction.finish = real  # type: ignore[method-assign]


class Closable(Protocol):
    """A program that can be left."""

    @property
    def database(self) -> Any: ...


R = TypeVar("R", bound=Closable)


def every_cut(
    opened: Callable[[str], R], play: Callable[[R], None], outcome: Callable[[R], Any], *, stride: int = 1
) -> int:
    """Play once whole, then cut at every commit (each ``stride``-th), before and after it; assert equal outcomes.

    ``opened`` opens the program over the database of a name. Returns the number of cuts.
    """
    room = opened("whole")
    with cut_at(None) as commits:
        play(room)
    whole, total = outcome(room), commits.count
    room.database.close()
    cuts = 0
    for number in range(1, total + 1, stride):
        for when in ("before", "after"):
            name = f"cut-{number}-{when}"
            room = opened(name)
            try:
                with cut_at(number, when):  # type: ignore[arg-type]
                    play(room)
            except Cut:
                room.database.close()
                room = opened(name)
                play(room)
            found = outcome(room)
            assert found == whole, f"cut {when} commit {number}: {found} instead of {whole}"
            room.database.close()
            cuts += 1
    return cuts

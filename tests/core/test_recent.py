"""Who follows the newest events reads them from memory; who lags behind is told to ask the store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from cityloop.core.recent import KEPT, Recent


@dataclass(frozen=True)
class Said:
    seq: int


class Row:
    """An ever growing row that counts how often it is read."""

    def __init__(self) -> None:
        self.said: list[Said] = []
        self.reads = 0

    def grow(self, count: int) -> None:
        first = len(self.said) + 1
        self.said += [Said(seq) for seq in range(first, first + count)]

    def last(self) -> int:
        return len(self.said)

    def read(self, seq: int) -> Sequence[Said]:
        self.reads += 1
        return self.said[seq : seq + KEPT]


def opened(row: Row) -> Recent[Said]:
    recent = Recent(row.last, row.read)
    recent.after(0, 1)
    return recent


def numbers(found: list[Said] | None) -> list[int] | None:
    return [said.seq for said in found] if found is not None else None


def test_many_followers_cost_one_reading() -> None:
    row = Row()
    recent = opened(row)
    row.grow(3)
    assert [numbers(recent.after(seq, 100)) for seq in (0, 1, 2, 3)] == [[1, 2, 3], [2, 3], [3], []]
    assert row.reads == 1
    assert numbers(recent.after(0, 2)) == [1, 2]


def test_what_was_there_before_is_not_held() -> None:
    row = Row()
    row.grow(10)
    recent = opened(row)
    row.grow(2)
    assert recent.after(9, 100) is None and numbers(recent.after(10, 100)) == [11, 12]


def test_the_oldest_leave_and_a_leap_starts_anew() -> None:
    row = Row()
    recent = opened(row)
    for _ in range(3):
        row.grow(KEPT - 100)
        newest = row.last()
        assert numbers(recent.after(newest - 1, 100)) == [newest]
    assert recent.after(newest - KEPT - 1, 100) is None
    found = numbers(recent.after(newest - KEPT, 2 * KEPT))
    assert found is not None and len(found) == KEPT
    reads = row.reads
    row.grow(KEPT + 1)
    assert recent.after(newest, 100) is None and numbers(recent.after(row.last(), 100)) == []
    assert row.reads == reads

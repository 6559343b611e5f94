"""A process that feeds and watches until it is done or killed; run by ``test_crash.py``. Argument: data folder."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.watch.house import House
from tests.watch.naive import rule_of
from tests.watch.things import Record

BATCHES = 70
RULES = [
    rule_of(id="test.quick", window=20, bucket=10, clear={"margin": 2, "hold": 10}),
    rule_of(id="test.held", window=20, bucket=10, hold=30, aggregate="max", levels={"yellow": 8}),
]


def records(number: int) -> list[Record]:
    """The records of one batch: the same for the same number."""
    chance = np.random.default_rng(number)
    return [(f"e{chance.integers(6)}", number * 3.0 + k * 0.1, float(chance.integers(0, 25))) for k in range(5)]


def go_on(folder: Path, tell: Callable[[int], None]) -> None:
    """Start on this folder and go on behind the last commit; tell every watched batch."""
    house = House(folder, RULES)
    done = house.things.lake.txn_version("Thing", "test") or 0
    for number in range(done + 1, BATCHES + 1):
        house.watch.observe(house.things.commit(*records(number), number=number))
        tell(number)


if __name__ == "__main__":
    go_on(Path(sys.argv[1]), lambda number: print(number, flush=True))  # noqa: T201 - the parent reads it

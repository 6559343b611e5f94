"""A process that replays quarantine, telling of every commit, until it is killed; run by test_repairs.py."""

from __future__ import annotations

import sys
from pathlib import Path

from cityloop.collect import repairs
from cityloop.collect.quarantine_schemas import ReplayOrder
from cityloop.core.clock import ManualClock
from cityloop.core.settings import Settings
from cityloop.standard.batch import ObservationBatch
from tests.collect.small_town import NOON, PACKS, STEWARD, Town


def main(folder: str) -> None:
    repairs.CHUNK = 7
    town = Town(Path(folder), ManualClock(NOON), Settings(linger_ms=2, sync=False), list(PACKS)).open()

    def tell(batch: ObservationBatch) -> None:
        sys.stdout.write(f"{batch.version}\n")
        sys.stdout.flush()

    town.collector.on_committed.append(tell)
    repair = town.collector.repairs
    repair.finish(repair.replay(STEWARD, ReplayOrder(feed="air-hourly")).id)


if __name__ == "__main__":
    main(sys.argv[1])

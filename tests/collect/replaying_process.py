"""A process that replays the small city minute by minute until it is killed; run by test_replay.py."""

from __future__ import annotations

import sys
from datetime import timedelta
from pathlib import Path

from cityloop.core.clock import ManualClock
from cityloop.core.settings import Settings
from tests.collect.small_town import NOON, PACKS, Town


def main(folder: Path) -> None:
    town = Town(folder, ManualClock(NOON), Settings(linger_ms=0, sync=True), PACKS).open()
    town.clock.advance(timedelta(hours=12))
    for minute in range(600):
        town.collector.replay_step(NOON - timedelta(hours=3) + timedelta(minutes=minute))
        sys.stdout.write(f"{minute}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]))

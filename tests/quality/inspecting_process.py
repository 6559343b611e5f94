"""Works at the inspection of a data folder until it is done or killed; says a word after each step."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.quality.inspected import ALL, HOUR, HOURS, START, STEWARD, Inspected


def main(folder: Path, city: Path) -> None:
    """Start the inspection unless an earlier process has, and take step after step."""
    inspected = Inspected(folder, city, START + HOURS * HOUR)
    known = inspected.quality.inspections(STEWARD, ALL, None, "five").items
    if all(line.state == "planned" for line in known):
        inspected.quality.act(STEWARD, known[0].id, "start")
    while inspected.quality.inspector.step(inspected.clock.now()):
        _say("step")
    inspected.house.relay.drain()
    inspected.close()
    _say("done")


def _say(word: str) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))

"""A process that takes what its sources bring until it is killed; run by the kill tests."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from tests.collect.sources.wired import Wired


def main(folder: Path) -> None:
    Wired(folder, sync=True).open()
    sys.stdout.write("running\n")
    sys.stdout.flush()
    time.sleep(60)


if __name__ == "__main__":
    main(Path(sys.argv[1]))

"""A process that appends numbered rows until it is killed; run by test_kill.py with the lake's folder."""

from __future__ import annotations

import sys
from pathlib import Path

from cityloop.lake.compactor import Compactor
from cityloop.lake.service import Lake
from tests.lake.lake_rows import SCHEMA, TABLE, rows


def main(folder: str) -> None:
    lake = Lake(Path(folder))
    lake.ensure(TABLE, SCHEMA)
    Compactor(lake, 0.1).start()
    position = lake.txn_version(TABLE, "source") or 0
    while True:
        lake.append(TABLE, rows(position, 25), ("source", position + 25))
        position += 25
        sys.stdout.write(f"{position}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1])

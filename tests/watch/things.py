"""A real lake with one table of things, each commit one batch."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pyarrow as pa

from cityloop.lake.service import Lake
from cityloop.standard.batch import BASE_COLUMNS, ObservationBatch
from tests.watch.naive import at

SCHEMA = pa.schema([*BASE_COLUMNS, pa.field("x", pa.float64()), pa.field("kind", pa.string())])
Record = tuple[str, float, float]
"""Entity, second after the start, value."""


class Things:
    """Commits records into the table ``Thing`` of a lake folder."""

    def __init__(self, folder: Path) -> None:
        self.lake = Lake(folder / "lake", sync=False)
        self.lake.ensure("Thing", SCHEMA)

    def commit(self, *records: Record, kind: str = "k", number: int | None = None) -> ObservationBatch:
        """One commit. ``number`` makes a repeated one harmless, as the replay of a series does."""
        table = rows(*records, kind=kind, batch=number if number is not None else self.lake.version("Thing") + 1)
        return self.commit_rows(table, ("test", number) if number is not None else None)

    def commit_rows(self, table: pa.Table, txn: tuple[str, int] | None = None) -> ObservationBatch:
        """One commit of rows as they are."""
        return ObservationBatch("Thing", table, self.lake.append("Thing", table, txn))


def rows(*records: Record, kind: str = "k", batch: int = 0) -> pa.Table:
    """Records as a committed batch has them."""
    found = [
        {
            "entity": entity,
            "observed_at": at(second),
            "received_at": at(second) + timedelta(milliseconds=batch),
            "feed": "f",
            "record": f"b{batch}:{number}",
            "area": "440304",
            "date": at(second).date(),
            "x": value,
            "kind": kind,
        }
        for number, (entity, second, value) in enumerate(records)
    ]
    return pa.Table.from_pylist(found, SCHEMA)

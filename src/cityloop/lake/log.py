"""Reading a Delta log incrementally: active files, last transaction of every writer, schema.

Only new log entries are read, so knowing the active files costs the same at the first and at the ten-thousandth
commit. Protocol: https://github.com/delta-io/delta/blob/master/PROTOCOL.md
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from deltalake import Schema

Action = Mapping[str, Any]
_CHECKPOINT = ["add", "txn", "metaData"]


@dataclass(frozen=True)
class DataFile:
    """One active Parquet file; ``width`` is how many columns its table had when it was written (0: unknown)."""

    path: str
    size: int
    partition: str
    width: int


class TableLog:
    """What one table's log says, as far as it has been read. Not locked: its owner takes turns."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "_delta_log"
        self.version = -1
        self.schema: pa.Schema = pa.schema([])
        self.partition = "date"
        self.files: dict[str, DataFile] = {}
        self.transactions: dict[str, int] = {}

    def entry(self, version: int) -> Path:
        """The file of one log entry."""
        return self.log / f"{version:020}.json"

    def refresh(self) -> TableLog:
        """Read what has been committed since, by whomever."""
        if self.version < 0:
            self._load_checkpoint()
        while (actions := self._read(self.version + 1)) is not None:
            self.apply(self.version + 1, actions)
        return self

    def apply(self, version: int, actions: Iterable[Action]) -> None:
        """Take over the actions of log entry ``version``."""
        for action in actions:
            if add := action.get("add"):
                self._add(add)
            elif remove := action.get("remove"):
                self.files.pop(remove["path"], None)
            elif txn := action.get("txn"):
                self.transactions[txn["appId"]] = txn["version"]
            elif meta := action.get("metaData"):
                self._describe(meta)
        self.version = version

    def added(self, after: int) -> list[str] | None:
        """Paths of files that brought new rows behind version ``after``; ``None`` when the log no longer tells."""
        paths: list[str] = []
        for version in range(after + 1, self.version + 1):
            actions = self._read(version)
            if actions is None:
                return None
            paths += [add["path"] for action in actions if (add := action.get("add")) and add["dataChange"]]
        return paths

    def _read(self, version: int) -> list[Action] | None:
        try:
            text = self.entry(version).read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        return [json.loads(line) for line in text.splitlines() if line]

    def _load_checkpoint(self) -> None:
        try:
            last = json.loads((self.log / "_last_checkpoint").read_text(encoding="utf-8"))
            tables = [pq.read_table(path, columns=_CHECKPOINT) for path in self._checkpoint_files(last)]
        except (OSError, ValueError):
            # None yet, or torn by a loss of power: the single entries are still there and are read from the first on.
            return
        for table in tables:
            self.apply(last["version"], _actions(table))

    def _checkpoint_files(self, last: Mapping[str, Any]) -> Iterator[Path]:
        parts = last.get("parts")
        for part in range(1, (parts or 1) + 1):
            middle = f".{part:010}.{parts:010}" if parts else ""
            yield self.log / f"{last['version']:020}.checkpoint{middle}.parquet"

    def _add(self, add: Mapping[str, Any]) -> None:
        tags, values = dict(add.get("tags") or {}), dict(add.get("partitionValues") or {})
        partition = str(values.get(self.partition) or "")
        self.files[add["path"]] = DataFile(add["path"], add["size"], partition, int(tags.get("columns", 0)))

    def _describe(self, meta: Mapping[str, Any]) -> None:
        self.schema = pa.schema(Schema.from_json(meta["schemaString"]).to_arrow())
        self.partition = (list(meta["partitionColumns"]) or ["date"])[0]


def _actions(table: pa.Table) -> list[Action]:
    """Rows of a checkpoint as actions, the description first: adding a file needs the name of the partition column."""
    rows = [{key: value for key, value in row.items() if value is not None} for row in table.to_pylist()]
    return sorted(rows, key=lambda row: "metaData" not in row)

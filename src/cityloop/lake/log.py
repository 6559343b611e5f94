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
    """One active Parquet file.

    ``width`` is how many columns its table had when it was written (0: unknown), ``rows`` how many rows it holds (-1:
    unknown), ``written`` when, in milliseconds since 1970, and ``records`` the first and last record id in it by the
    order of text (``None``: unknown).
    """

    path: str
    size: int
    partition: str
    width: int
    rows: int = -1
    written: int = 0
    records: tuple[str, str] | None = None

    def may_hold(self, record: str) -> bool:
        """Whether this record id can be in the file."""
        return self.records is None or self.records[0] <= record <= self.records[1]


class TableLog:
    """What one table's log says, as far as it has been read. Not locked: its owner takes turns."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "_delta_log"
        self.version = -1
        self.schema: pa.Schema = pa.schema([])
        self.partition = "date"
        self.configuration: dict[str, str] = {}
        self.files: dict[str, DataFile] = {}
        self.transactions: dict[str, int] = {}

    def entry(self, version: int) -> Path:
        """The file of one log entry."""
        return self.log / f"{version:020}.json"

    def refresh(self, most: int | None = None) -> TableLog:
        """Read what has been committed since, by whomever; with ``most`` up to that version."""
        if self.version < 0:
            self._load_checkpoint(most)
        while (most is None or self.version < most) and (actions := self._read(self.version + 1)) is not None:
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

    def oldest_entry(self) -> int:
        """The oldest version whose log entry is still there; -1 when there is none."""
        names = (path.stem for path in self.log.glob("*.json"))
        return min((int(name) for name in names if name.isdigit()), default=-1)

    def committed_at(self, version: int) -> int | None:
        """When ``version`` was committed, in milliseconds since 1970; ``None`` when its entry is gone."""
        for action in self._read(version) or ():
            if info := action.get("commitInfo"):
                return int(info.get("timestamp") or 0)
        path = self.entry(version)
        return int(path.stat().st_mtime * 1000) if path.is_file() else None

    def entries(self, first: int) -> Iterator[tuple[int, list[Action]]]:
        """The log's entries from ``first`` on."""
        version = first
        while (actions := self._read(version)) is not None:
            yield version, actions
            version += 1

    def _read(self, version: int) -> list[Action] | None:
        try:
            text = self.entry(version).read_text(encoding="utf-8")
        except FileNotFoundError:
            return None
        return [json.loads(line) for line in text.splitlines() if line]

    def _load_checkpoint(self, most: int | None = None) -> None:
        try:
            last = json.loads((self.log / "_last_checkpoint").read_text(encoding="utf-8"))
            if most is not None and last["version"] > most:
                last = {"version": self._checkpoint_before(most)}
            tables = [pq.read_table(path, columns=_CHECKPOINT) for path in self._checkpoint_files(last)]
        except (OSError, ValueError):
            # None yet, or torn by a loss of power: the single entries are still there and are read from the first on.
            return
        for table in tables:
            self.apply(last["version"], _actions(table))

    def _checkpoint_before(self, most: int) -> int:
        """The newest checkpoint in one part up to version ``most``; raises ``OSError`` when there is none."""
        found = [int(path.name.split(".")[0]) for path in self.log.glob("*.checkpoint.parquet")]
        fitting = [version for version in found if version <= most]
        if not fitting:
            raise FileNotFoundError(f"no checkpoint up to version {most}")
        return max(fitting)

    def _checkpoint_files(self, last: Mapping[str, Any]) -> Iterator[Path]:
        parts = last.get("parts")
        for part in range(1, (parts or 1) + 1):
            middle = f".{part:010}.{parts:010}" if parts else ""
            yield self.log / f"{last['version']:020}.checkpoint{middle}.parquet"

    def _add(self, add: Mapping[str, Any]) -> None:
        tags, values = dict(add.get("tags") or {}), dict(add.get("partitionValues") or {})
        partition = str(values.get(self.partition) or "")
        first, last = tags.get("first_record"), tags.get("last_record")
        self.files[add["path"]] = DataFile(
            path=add["path"],
            size=add["size"],
            partition=partition,
            width=int(tags.get("columns", 0)),
            rows=int(json.loads(add.get("stats") or "{}").get("numRecords", -1)),
            written=int(add.get("modificationTime") or 0),
            records=(first, last) if first is not None and last is not None else None,
        )

    def _describe(self, meta: Mapping[str, Any]) -> None:
        self.schema = pa.schema(Schema.from_json(meta["schemaString"]).to_arrow())
        self.configuration = dict(meta.get("configuration") or {})
        self.partition = (list(meta["partitionColumns"]) or ["date"])[0]


def _actions(table: pa.Table) -> list[Action]:
    """Rows of a checkpoint as actions, the description first: adding a file needs the name of the partition column."""
    rows = [{key: value for key, value in row.items() if value is not None} for row in table.to_pylist()]
    return sorted(rows, key=lambda row: "metaData" not in row)

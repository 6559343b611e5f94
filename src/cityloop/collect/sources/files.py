"""A folder that files are dropped into. Its content names a file: the same one is read once, whatever it is called.

Rows that are durable are counted after each commit, so a file that was cut short by a crash goes on there; rows of the
one commit in between are known by entity, time and feed, and their refused ones by their place in the file. Read files
are moved to ``done/``, those that cannot be read to ``failed/``, each with a report beside it.
"""

from __future__ import annotations

import fnmatch
import hashlib
import json
import logging
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl

from cityloop.collect.decode import decode_table
from cityloop.collect.models import SourceFileRow
from cityloop.collect.schemas import Receipt
from cityloop.collect.sources.declarations import FilesConnection
from cityloop.collect.sources.ledger import OUTCOMES
from cityloop.collect.sources.loading import DATA, Source
from cityloop.collect.sources.sink import SAMPLE, Read, Sink
from cityloop.collect.sources.trouble import SourceTrouble
from cityloop.core.errors import Invalid
from cityloop.standard.tables import RawTable, TableOptions, read_table

log = logging.getLogger(__name__)
CHUNK = 10_000
"""Rows of one commit."""
UNFINISHED = ("~$*", ".*", "*.tmp", "*.part", "*.crdownload", "*.filepart")
"""Files that somebody is still writing, or that a program keeps for itself."""


class FilesWire:
    """One folder."""

    def __init__(self, source: Source, connection: FilesConnection) -> None:
        self._source = source
        self._connection = connection
        self._folder = source.path(connection.folder)

    def address(self) -> str:
        """The folder and which of its files."""
        return f"{self._folder}/{self._connection.pattern}"

    def run(self, sink: Sink, halt: threading.Event) -> None:
        """Read every file that is complete, oldest first."""
        found = self._files()
        for number, path in enumerate(found):
            sink.waiting = len(found) - number
            if halt.is_set():
                return
            self._take(path, sink, halt)
        sink.waiting = 0

    def sample(self, sink: Sink) -> Read:
        """The first rows of the file that a run would read first."""
        path = next(iter(self._files()), None)
        if path is None:
            return lambda mapping: decode_table(RawTable(pl.DataFrame(schema=mapping.text), ()), mapping)
        table = self._table(path.name, path.read_bytes(), sink)
        return lambda mapping: decode_table(table, mapping, 0, SAMPLE)

    def _files(self) -> list[Path]:
        limit = time.time() - self._connection.settle_seconds
        if self._connection.folder.startswith(DATA):
            self._folder.mkdir(parents=True, exist_ok=True)
        if not self._folder.is_dir():
            raise SourceTrouble(f"there is no folder {self._folder}", "create it, or correct the declaration")
        found = []
        for path in self._folder.iterdir():
            wanted = fnmatch.fnmatch(path.name, self._connection.pattern)
            if wanted and path.is_file() and not any(fnmatch.fnmatch(path.name, sign) for sign in UNFINISHED):
                changed = path.stat().st_mtime
                found += [(changed, path.name, path)] if changed <= limit else []
        return [path for _, _, path in sorted(found)]

    def _take(self, path: Path, sink: Sink, halt: threading.Event) -> None:
        body = path.read_bytes()
        row = _Progress(sink, self._source.id, hashlib.sha256(body).hexdigest(), path.name)
        if row.ended and not row.problem:
            self._put_away(path, row, sink, again=True)
            return
        try:
            table = self._table(path.name, body, sink)
            for start in row.chunks(table):
                if halt.is_set():
                    return
                end = min(start + CHUNK, table.frame.height)
                row.took(self._commit(sink, row, table, start, end), end)
            row.end(None)
        except Invalid as error:
            row.end(f"{error.detail} — {error.mend}")
        self._put_away(path, row, sink)

    def _table(self, name: str, body: bytes, sink: Sink) -> RawTable:
        options = self._connection.table or sink.mapping().declaration.table or TableOptions()
        try:
            return read_table(name, body, options)
        except Invalid:
            raise
        except Exception as error:  # a broken file may break its reader in any way; it must not stop the folder
            log.exception("%s cannot be read", name)
            raise Invalid(f"{name} cannot be read: {error}", "open it in its program and save it anew") from error

    def _commit(self, sink: Sink, row: _Progress, table: RawTable, start: int, end: int) -> Receipt:
        return sink.send(lambda mapping: decode_table(table, mapping, start, end), batch=row.batch, hurry=True).result()

    def _put_away(self, path: Path, row: _Progress, sink: Sink, *, again: bool = False) -> None:
        """Write the report, then move the file: after a crash in between it is put away anew."""
        folder = self._folder / ("failed" if row.problem else "done")
        folder.mkdir(exist_ok=True)
        target = _free(folder / path.name)
        report = {**row.report(), "read_before": again, "refused": [_told(item) for item in sink.refused(row.batch)]}
        target.with_name(target.name + ".report.json").write_text(
            json.dumps(report, ensure_ascii=False, indent=1), encoding="utf-8"
        )
        path.replace(target)


class _Progress:
    """The row of one file in the operational store."""

    def __init__(self, sink: Sink, source: str, digest: str, name: str) -> None:
        self._sink = sink
        self.batch = f"file.{source}.{digest[:16]}"
        with sink.database.reading() as session:
            found = session.get(SourceFileRow, (source, digest))
        now = sink.clock.now()
        self._row = found or SourceFileRow(
            source=source, digest=digest, name=name[:255], rows=0, accepted=0, quarantined=0, duplicate=0,
            began_at=now, ended_at=None, problem=None,
        )  # fmt: skip

    @property
    def ended(self) -> bool:
        """Whether this content was read to its end before."""
        return self._row.ended_at is not None

    @property
    def problem(self) -> str | None:
        """Why the file could not be read."""
        return self._row.problem

    def chunks(self, table: RawTable) -> Iterator[int]:
        """Where the chunks begin that are not durable yet; a file without rows has one, so that its heading is read."""
        return iter(range(self._row.rows, max(1, table.frame.height), CHUNK))

    def took(self, receipt: Receipt, rows: int) -> None:
        """Rows up to ``rows`` are durable."""
        self._row.rows = rows
        for name in OUTCOMES:
            setattr(self._row, name, getattr(self._row, name) + getattr(receipt, name))
        self._save()
        self._sink.settled(receipt)

    def end(self, problem: str | None) -> None:
        """The file was read to its end, or cannot be read."""
        self._row.ended_at, self._row.problem = self._sink.clock.now(), problem
        self._save()
        if problem:
            self._sink.ledger.failed(f"{self._row.name}: {problem}", self._sink.clock.now())

    def report(self) -> dict[str, Any]:
        """What became of the file."""
        row = self._row
        return {
            "file": row.name,
            "sha256": row.digest,
            "source": row.source,
            "feed": self._sink.source.feed,
            "began_at": row.began_at.isoformat(),
            "ended_at": row.ended_at.isoformat() if row.ended_at else None,
            "problem": row.problem,
            "rows": row.rows,
            **{name: getattr(row, name) for name in OUTCOMES},
        }

    def _save(self) -> None:
        with self._sink.database.transaction() as tx:
            self._row = tx.session.merge(self._row)


def _told(item: Any) -> dict[str, Any]:
    reasons = [{"column": r.column, "rule": r.rule, "reason": r.reason} for r in item.reasons]
    return {"row": item.index + 1, "quarantine": item.id, "reasons": reasons, "raw": item.raw}


def _free(path: Path) -> Path:
    """A path that is not taken: ``a.csv``, ``a.2.csv``, ``a.3.csv`` …"""
    candidate, number = path, 1
    while candidate.exists():
        number += 1
        candidate = path.with_name(f"{path.stem}.{number}{path.suffix}")
    return candidate

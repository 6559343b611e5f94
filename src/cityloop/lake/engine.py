"""What an engine is: something that runs one SELECT over lists of active files. The files are the same for all.

``duckdb`` runs here, in this process; ``spark://host:7077`` names the master of a Spark cluster whose workers see the
lake's folder under the same path.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa

from cityloop.core.errors import Invalid
from cityloop.lake.log import DataFile

Parameters = Sequence[Any] | Mapping[str, Any]


@dataclass(frozen=True)
class TableFiles:
    """A table as a query sees it: its name and which files make it up. Columns that a file lacks read as null."""

    name: str
    folder: Path
    files: tuple[DataFile, ...]
    schema: pa.Schema
    partition: str


class Engine(Protocol):
    """Runs queries. ``dialect`` is the name under which sqlglot writes for it."""

    dialect: str

    def run(
        self, sql: str, tables: Sequence[TableFiles], parameters: Parameters = (), seconds: float | None = None
    ) -> pa.Table:
        """The rows of one SELECT in this engine's dialect; times are UTC.

        With ``seconds`` it is people's own SQL: it ends after that time, and its faults raise :class:`Invalid`.
        """
        ...

    def close(self) -> None:
        """Let go of everything."""
        ...


def open_engine(url: str, folder: Path) -> Engine:
    """The engine of a settings URL over the lake in ``folder``; raises :class:`Invalid` for an unknown one."""
    if url == "duckdb":
        from cityloop.lake.query import DuckEngine

        return DuckEngine(folder)
    if url.startswith("spark://"):
        from cityloop.lake.spark import SparkEngine

        return SparkEngine(url)
    raise Invalid(f"unknown lake engine '{url}'", "CITYLOOP_LAKE_ENGINE is 'duckdb' or 'spark://host:7077'")

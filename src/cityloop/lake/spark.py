"""Reading with Apache Spark over lists of active files: the same lake, on as many machines as it needs.

``spark://host:7077?spark.executor.memory=4g`` names the master of a standalone cluster and, behind the question mark,
anything that Spark lets one configure. Its workers must see the lake's folder under the same path. Needs Java and the
extra ``cityloop[spark]``.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qsl

import pyarrow as pa

from cityloop.core.errors import Conflict, Invalid
from cityloop.lake.dialects import NAME
from cityloop.lake.engine import Parameters, TableFiles

_DEFAULTS = {
    "spark.app.name": "cityloop",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
    "spark.sql.parquet.inferTimestampNTZ.enabled": "false",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
}
_TYPES = {
    pa.string(): "STRING",
    pa.float64(): "DOUBLE",
    pa.float32(): "FLOAT",
    pa.int64(): "BIGINT",
    pa.int32(): "INT",
    pa.bool_(): "BOOLEAN",
    pa.date32(): "DATE",
    pa.timestamp("us", tz="UTC"): "TIMESTAMP",
}


class SparkEngine:
    """One driver in this process; every query has a session of its own, so that names of tables do not meet."""

    dialect = NAME

    def __init__(self, url: str) -> None:
        """The cluster is asked for at the first query."""
        self._master, _, options = url.partition("?")
        self._options = {**_DEFAULTS, **dict(parse_qsl(options))}
        self._session: Any = None
        self._turn = threading.Lock()

    def run(
        self, sql: str, tables: Sequence[TableFiles], parameters: Parameters = (), seconds: float | None = None
    ) -> pa.Table:
        """Run one SELECT in Spark's words; times are UTC. ``parameters`` and ``seconds`` are not for this engine."""
        if parameters:
            raise ValueError("queries for Spark carry their values in their tree")
        session = self._open().newSession()
        session.conf.set("spark.sql.session.timeZone", "UTC")
        for table in tables:
            _frame(session, table).createOrReplaceTempView(table.name)
        try:
            found: pa.Table = session.sql(sql).toArrow()
        finally:
            for table in tables:
                session.catalog.dropTempView(table.name)
        return found

    def close(self) -> None:
        """Leave the cluster."""
        with self._turn:
            if self._session is not None:
                self._session.stop()
                self._session = None

    def _open(self) -> Any:
        with self._turn:
            if self._session is None:
                self._session = _session(self._master, self._options)
            return self._session


def _session(master: str, options: dict[str, str]) -> Any:
    try:
        from pyspark.errors import PySparkException
        from pyspark.sql import SparkSession
    except ImportError as error:
        raise Invalid("the lake's engine is Spark, but PySpark is not installed", "install cityloop[spark]") from error
    builder = SparkSession.builder.master(master)
    for key, value in options.items():
        builder = builder.config(key, value)
    try:
        return builder.getOrCreate()
    except (PySparkException, RuntimeError) as error:
        raise Conflict(f"Spark at {master} does not answer: {error}", "start its master; install Java here") from error


def _frame(session: Any, table: TableFiles) -> Any:
    if not table.files:
        nothing = ", ".join(f"CAST(NULL AS {_TYPES[field.type]}) AS `{field.name}`" for field in table.schema)
        return session.sql(f"SELECT {nothing} WHERE false")
    shape = ", ".join(f"`{field.name}` {_TYPES[field.type]}" for field in table.schema)
    paths = [str(table.folder / file.path) for file in table.files]
    reader = session.read.schema(shape).option("basePath", str(table.folder)).option("mergeSchema", "false")
    return reader.parquet(*paths).select(*[f"`{field.name}`" for field in table.schema])

"""Answers as files: CSV and Excel for people, Parquet for programs."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import datetime, tzinfo
from typing import Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq

from cityloop.analyse.schemas import Column, QueryResult
from cityloop.core.values import Title

FileFormat = Literal["csv", "xlsx", "parquet"]
Language = Literal["zh", "en"]


def heading(result: QueryResult, language: Language) -> list[str]:
    """Titles of the columns with their units, as the first line of a file for people."""
    return [_title(column, language) for column in result.columns]


def lines(result: QueryResult, language: Language, zone: tzinfo) -> list[list[Any]]:
    """The rows for people: names for codes, instants on the city's clock."""
    return [
        [_shown(value, column, result, language, zone) for value, column in zip(row, result.columns, strict=True)]
        for row in result.rows
    ]


def parquet(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> bytes:
    """Rows as a Parquet file; columns that hold no value are texts."""
    columns = [pa.array([row[number] for row in rows]) for number in range(len(names))]
    typed = [column.cast(pa.string()) if pa.types.is_null(column.type) else column for column in columns]
    out = io.BytesIO()
    pq.write_table(pa.table(typed, names=_distinct(names)), out)
    return out.getvalue()


def _title(column: Column, language: Language) -> str:
    title = column.title.zh if language == "zh" else column.title.en
    return f"{title} ({column.unit})" if column.unit else title


def _shown(value: Any, column: Column, result: QueryResult, language: Language, zone: tzinfo) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(zone).strftime("%Y-%m-%d %H:%M")
    if column.role != "dimension" or value is None:
        return value
    key = str(value).lower() if isinstance(value, bool) else str(value)
    found: Title | None = result.labels.get(column.id, {}).get(key)
    return (found.zh if language == "zh" else found.en) if found else value


def _distinct(names: Sequence[str]) -> list[str]:
    """Names that differ: the second of two gets a number."""
    return [name if name not in names[:n] else f"{name}_{n + 1}" for n, name in enumerate(names)]

"""Trying a mapping: the first records before and after it, with every refusal, and nothing written anywhere."""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from datetime import datetime
from typing import Any

import polars as pl

from cityloop.core.values import Frozen, Instant, Title
from cityloop.standard.checks import Refusal
from cityloop.standard.mapped import INDEX, Mapped
from cityloop.standard.mapping import FeedMapping
from cityloop.standard.memory import Memory
from cityloop.standard.phrases import PHRASES
from cityloop.standard.tables import RawTable
from cityloop.standard.world import NOWHERE, World

LIMIT = 100
_BASE = ("entity", "observed_at", "quality", INDEX)


class RawRow(Frozen):
    """One record as it was sent."""

    index: int
    place: str
    values: dict[str, str | None]


class MappedRow(Frozen):
    """One record in the standard."""

    index: int
    entity: str
    observed_at: Instant
    lon: float | None
    lat: float | None
    area: str | None
    quality: str | None
    values: dict[str, Any]


class Reason(Frozen):
    """Why a record was refused or flagged; ``place`` is its line or sheet row."""

    index: int
    place: str
    column: str
    rule: str
    reason: str
    said: Title


class Trial(Frozen):
    """What became of the first records: counts, both sides, and every reason."""

    feed: str
    received: int
    accepted: int
    refused: int
    flagged: int
    columns: list[str]
    raw: list[RawRow]
    rows: list[MappedRow]
    refusals: list[Reason]
    flags: list[Reason]
    notes: list[Title] = []


def try_mapping(
    mapping: FeedMapping,
    raw: RawTable | pl.DataFrame,
    now: datetime,
    known: Container[str],
    world: World = NOWHERE,
    limit: int = LIMIT,
) -> Trial:
    """Map and check the first ``limit`` records. Checks against the past see only the records of the trial itself."""
    table = raw if isinstance(raw, RawTable) else RawTable(raw, [f"record {n + 1}" for n in range(raw.height)])
    sample = table.frame.head(limit)
    mapped = Memory(mapping).judge(mapping.apply(mapping.fit(sample), now, known, world))
    lacking = [name for name in mapping.text if name not in sample.columns]
    notes = [*table.notes, *([PHRASES.what("no-columns", names=", ".join(lacking))] if lacking else [])]
    return Trial(
        feed=mapping.id,
        received=sample.height,
        accepted=mapped.rows.height,
        refused=len(mapped.refusals),
        flagged=len(mapped.flags),
        columns=sample.columns,
        raw=[
            RawRow(index=n, place=table.rows[n], values={k: None if v is None else str(v) for k, v in row.items()})
            for n, row in enumerate(sample.iter_rows(named=True))
        ],
        rows=_rows(mapped),
        refusals=_reasons(mapped.refusals, table.rows),
        flags=_reasons(mapped.flags, table.rows),
        notes=notes,
    )


def _rows(mapped: Mapped) -> list[MappedRow]:
    heads: Sequence[Mapping[str, Any]] = mapped.head.to_dicts() or [{}] * mapped.rows.height
    return [
        MappedRow(
            index=row[INDEX],
            entity=row["entity"],
            observed_at=row["observed_at"],
            lon=head.get("lon"),
            lat=head.get("lat"),
            area=head.get("area"),
            quality=row["quality"],
            values={name: value for name, value in row.items() if name not in _BASE},
        )
        for row, head in zip(mapped.rows.iter_rows(named=True), heads, strict=True)
    ]


def _reasons(found: Mapping[int, Sequence[Refusal]], places: Sequence[str]) -> list[Reason]:
    return [
        Reason(
            index=index, place=places[index], column=one.column, rule=one.rule, reason=one.reason, said=one.said.title
        )
        for index in sorted(found)
        for one in found[index]
    ]

"""The dry run: what a source would bring, before and after the mapping."""

from __future__ import annotations

from collections.abc import Container
from datetime import datetime
from typing import Any

from cityloop.collect.decode import Decoded
from cityloop.collect.sources.schemas import DryRunView, RefusalView
from cityloop.collect.sources.sink import SAMPLE
from cityloop.standard.checks import Refusal
from cityloop.standard.mapping import INDEX, FeedMapping


def dry_run(source: str, mapping: FeedMapping, decoded: Decoded, now: datetime, known: Container[str]) -> DryRunView:
    """Map a sample without writing anything. Unreadable records come last in ``raw``, as their text."""
    frame = decoded.frame.head(SAMPLE)
    mapped = mapping.apply(frame, now, known)
    unreadable = list(decoded.refusals)[: SAMPLE - frame.height]
    texts = decoded.raws([refusal.index for refusal in unreadable]) if unreadable else {}
    refusals = [_view(at, refusal) for at in sorted(mapped.refusals) for refusal in mapped.refusals[at]]
    refusals += [_view(frame.height + n, refusal) for n, refusal in enumerate(unreadable)]
    raw: list[dict[str, Any]] = frame.to_dicts() + [{"": texts[refusal.index]} for refusal in unreadable]
    return DryRunView(
        source=source,
        feed=mapping.id,
        taken_at=now,
        columns=frame.columns,
        raw=raw,
        mapped=mapped.rows.rename({INDEX: "index"}).to_dicts(),
        refusals=refusals,
        notes=_notes(len(raw), frame.columns, frame.null_count().row(0) if frame.height else (), frame.height),
    )


def _notes(sampled: int, columns: list[str], empty: tuple[Any, ...], height: int) -> list[str]:
    if not sampled:
        return ["the source has nothing new to show"]
    always = [name for name, count in zip(columns, empty, strict=True) if count == height] if height else []
    return [f"{sampled} records sampled", *[f"'{name}' is empty in every record" for name in always]]


def _view(at: int, refusal: Refusal) -> RefusalView:
    return RefusalView(index=at, column=refusal.column, rule=refusal.rule, reason=refusal.reason)

"""The dry run: what a source would bring, before and after the mapping."""

from __future__ import annotations

from collections.abc import Container
from datetime import datetime
from typing import Any

from cityloop.collect.decode import Decoded
from cityloop.collect.phrases import PHRASES
from cityloop.collect.sources.schemas import DryRunView, RefusalView
from cityloop.collect.sources.sink import SAMPLE
from cityloop.core.values import Title
from cityloop.standard.mapping import FeedMapping
from cityloop.standard.trial import MappedRow, Reason, try_mapping
from cityloop.standard.world import World


def dry_run(
    source: str, mapping: FeedMapping, decoded: Decoded, now: datetime, known: Container[str], world: World
) -> DryRunView:
    """Map a sample without writing anything. Unreadable records come last in ``raw``, as their text."""
    trial = try_mapping(mapping, decoded.frame, now, known, world, SAMPLE)
    unreadable = list(decoded.refusals)[: SAMPLE - trial.received]
    texts = decoded.raws([refusal.index for refusal in unreadable]) if unreadable else {}
    broken = [
        RefusalView(
            index=trial.received + n,
            column=refusal.column,
            rule=refusal.rule,
            reason=refusal.reason,
            said=refusal.said.title,
        )
        for n, refusal in enumerate(unreadable)
    ]
    return DryRunView(
        source=source,
        feed=mapping.id,
        taken_at=now,
        columns=trial.columns,
        raw=[dict(row.values) for row in trial.raw] + [{"": texts[refusal.index]} for refusal in unreadable],
        mapped=[_row(row) for row in trial.rows],
        refusals=[_told(reason) for reason in trial.refusals] + broken,
        flags=[_told(reason) for reason in trial.flags],
        notes=_notes(trial.received + len(unreadable), decoded),
    )


def _row(row: MappedRow) -> dict[str, Any]:
    values = row.model_dump(exclude={"values"})
    return {name: value for name, value in values.items() if value is not None} | row.values


def _told(reason: Reason) -> RefusalView:
    return RefusalView(**reason.model_dump(exclude={"place", "said"}), said=reason.said)


def _notes(sampled: int, decoded: Decoded) -> list[Title]:
    frame = decoded.frame
    if not sampled:
        return [PHRASES.what("nothing-new")]
    empty = [name for name in frame.columns if frame.height and frame[name].null_count() == frame.height]
    return [PHRASES.what("sampled", count=sampled), *[PHRASES.what("empty-column", name=name) for name in empty]]

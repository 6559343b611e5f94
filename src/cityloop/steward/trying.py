"""Tries a changed standard on the newest records: which open quarantine would pass, which stored rows would not."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterable, Sequence
from datetime import datetime

import polars as pl
from sqlalchemy import func, select

from cityloop.collect.decode import decode_kept
from cityloop.collect.models import QuarantineRow
from cityloop.core.database import Database
from cityloop.core.values import Title
from cityloop.lake.service import Lake
from cityloop.standard.checks import Refusal
from cityloop.standard.declarations import EntityField, FeedDeclaration, PropertyField, TimeField
from cityloop.standard.mapping import FeedMapping
from cityloop.standard.service import Standard
from cityloop.standard.world import NOWHERE, World
from cityloop.steward.plans import FeedTrial, TrialExample

EXAMPLES = 5
_NOTE = Title(
    zh="已入湖记录的原文不再保留：只按类型、范围、代码与必填试算；字段与换算的改变请看隔离区试算",
    en="texts of stored rows are not kept: they are tried for types, ranges, codes and required values only; "
    "changes of fields and conversions show in the quarantined records",
)


Known = Callable[[str], Container[str]]
"""Ids of the entity directory by entity type."""


class Trier:
    """Reads records and tries them; nothing is written. ``world`` is what a mapping may ask of the city."""

    def __init__(self, database: Database, lake: Lake, known: Known, world: World = NOWHERE) -> None:
        self._database, self._lake, self._known, self._world = database, lake, known, world

    def try_feed(self, old: FeedMapping, new: FeedMapping, standard: Standard, most: int, now: datetime) -> FeedTrial:
        """The newest ``most`` open records in quarantine, and as many stored rows, under the new mapping."""
        kept = self._quarantined(old.id, most)
        passed = self._pass(kept, new, now)
        stored, refused = self._stored(old, new, standard, most, now)
        examples = [
            TrialExample(source="quarantined", id=row.id, before=_reasons(row), after=[])
            for row in kept
            if row.id in passed
        ][:EXAMPLES]
        examples += [
            TrialExample(source="accepted", id=record, before=[], after=[reason.reason for reason in reasons])
            for record, reasons in list(refused.items())[:EXAMPLES]
        ]
        return FeedTrial(
            feed=old.id,
            title=old.declaration.title,
            tried_accepted=stored,
            now_refused=len(refused),
            tried_quarantined=len(kept),
            now_accepted=len(passed),
            examples=examples,
            note=_NOTE if old.declaration != new.declaration else None,
        )

    def open_records(self, feed: str) -> int:
        """Open records of a feed in quarantine."""
        query = select(func.count()).select_from(QuarantineRow)
        query = query.where(QuarantineRow.feed == feed, QuarantineRow.state == "open")
        with self._database.reading() as session:
            return session.scalar(query) or 0

    def _quarantined(self, feed: str, most: int) -> list[QuarantineRow]:
        query = select(QuarantineRow).where(QuarantineRow.feed == feed, QuarantineRow.state == "open")
        with self._database.reading() as session:
            return list(session.scalars(query.order_by(QuarantineRow.received_at.desc()).limit(most)))

    def _pass(self, rows: Sequence[QuarantineRow], mapping: FeedMapping, now: datetime) -> set[str]:
        """Ids of the records that the mapping takes."""
        if not rows:
            return set()
        records = {n: (row.raw, (row.correction or {}).get("fields") or {}) for n, row in enumerate(rows)}
        decoded = decode_kept(records, mapping)
        mapped = mapping.apply(decoded.frame, now, self._known(mapping.entity_type.id), self._world)
        unread = {refusal.index for refusal in decoded.refusals}
        lost = {decoded.positions[index] for index in mapped.refusals}
        return {row.id for n, row in enumerate(rows) if n not in unread and n not in lost}

    def _stored(
        self, old: FeedMapping, new: FeedMapping, standard: Standard, most: int, now: datetime
    ) -> tuple[int, dict[str, list[Refusal]]]:
        """How many stored rows of the feed were tried, and those that the new types would refuse, by record."""
        table = old.entity_type.id
        if table not in self._lake.tables():
            return 0, {}
        sql = f'SELECT * FROM "{table}" WHERE feed = ? ORDER BY received_at DESC, record LIMIT {most}'  # noqa: S608
        rows = pl.DataFrame(self._lake.query(sql, [table], [old.id]))
        if rows.is_empty() or new.entity_type.id != table:
            return rows.height, {}
        same = stored_mapping(old, new, standard, rows.columns)
        if same is None:
            return rows.height, {}
        raw = same.fit(_as_sent(rows))
        mapped = same.apply(raw, now, set(rows["entity"].to_list()), self._world)
        records = rows["record"].to_list()
        return rows.height, {records[index]: found for index, found in mapped.refusals.items()}


def stored_mapping(
    old: FeedMapping, new: FeedMapping, standard: Standard, columns: Iterable[str]
) -> FeedMapping | None:
    """A mapping that reads stored columns as the new type declares them; ``None`` where no property is left."""
    there = set(columns)
    units = {item.id: item.unit for item in old.entity_type.properties}
    properties = {
        name: PropertyField(field=name, required=source.required or item.required, unit=units.get(name) or None)
        for name, source in new.declaration.properties.items()
        if name in there and (item := new.entity_type.find(name)) is not None
    }
    if not properties:
        return None
    feed = FeedDeclaration(
        id=new.id,
        title=new.declaration.title,
        entity_type=new.entity_type.id,
        department=new.declaration.department,
        entity=EntityField(field="entity"),
        time=TimeField(field="observed_at"),
        properties=properties,
    )
    return FeedMapping(feed, new.entity_type, standard.lists_of(new.entity_type))


def _as_sent(rows: pl.DataFrame) -> pl.DataFrame:
    """Stored columns as texts, times in ISO 8601."""
    times = [pl.col(name).dt.strftime("%Y-%m-%dT%H:%M:%S%.f+00:00") for name, kind in rows.schema.items()
             if kind.base_type() is pl.Datetime]  # fmt: skip
    return rows.with_columns(*times).with_columns(pl.all().cast(pl.String, strict=False))


def _reasons(row: QuarantineRow) -> list[str]:
    return [str(reason.get("reason", "")) for reason in row.reasons]

"""Quarantine: records that broke the standard, kept whole with their reasons, in the same store as the cases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cityloop.access.door import Scope
from cityloop.collect.models import QuarantineRow
from cityloop.collect.schemas import QuarantineView, Rejection
from cityloop.core.database import Database
from cityloop.core.outbox import Outbox
from cityloop.core.values import Page
from cityloop.core.web import Paging
from cityloop.standard.checks import Refusal
from cityloop.standard.mapping import FeedMapping


@dataclass(frozen=True)
class Setback:
    """One refused record: whose feed, which batch, where in it, its text and every reason."""

    mapping: FeedMapping
    batch: str
    position: int
    raw: str
    refusals: Sequence[Refusal]

    @property
    def id(self) -> str:
        """The record's place in quarantine; the same record of the same batch always has the same."""
        return f"qua.{self.batch}.{self.position}"

    def rejections(self) -> list[Rejection]:
        """The reasons as they cross the wire."""
        return [
            Rejection(index=self.position, column=r.column, rule=r.rule, reason=r.reason, quarantine=self.id)
            for r in self.refusals
        ]


class Quarantine:
    """Puts records in, and lists them."""

    def __init__(self, database: Database, outbox: Outbox) -> None:
        self._database = database
        self._outbox = outbox

    def put(self, setbacks: Sequence[Setback], now: datetime) -> None:
        """Keep the records durably and tell of them: one event for each feed and group. Records kept before stay."""
        if not setbacks:
            return
        with self._database.transaction() as tx:
            for feed, group in _by_feed(self._unknown(tx.session, setbacks)).items():
                for setback in group:
                    tx.insert(QuarantineRow, _row(setback, now))
                data = {"feed": feed, "count": len(group), "rules": _rules(group)}
                self._outbox.record(tx, "cityloop.feed.quarantined", feed, now, data)

    def page(self, scope: Scope, paged: Paging, feed: str | None) -> Page[QuarantineView]:
        """Records within ``scope``, newest first."""
        where = [scope.where({"department": QuarantineRow.__table__.c.department})]
        where += [QuarantineRow.feed == feed] if feed else []
        newest = (QuarantineRow.received_at.desc(), QuarantineRow.batch.desc(), QuarantineRow.position)
        with self._database.reading() as session:
            total = session.scalar(select(func.count()).select_from(QuarantineRow).where(*where)) or 0
            query = select(QuarantineRow).where(*where).order_by(*newest).offset(paged.offset).limit(paged.size)
            items = [_view(row) for row in session.scalars(query)]
        return Page(items=items, total=total, page=paged.page, size=paged.size)

    def of_batch(self, batch: str) -> list[QuarantineView]:
        """All records of one batch, in the order they were sent."""
        with self._database.reading() as session:
            query = select(QuarantineRow).where(QuarantineRow.batch == batch).order_by(QuarantineRow.position)
            return [_view(row) for row in session.scalars(query)]

    def counts(self) -> dict[str, int]:
        """How many records of each feed are in quarantine."""
        with self._database.reading() as session:
            query = select(QuarantineRow.feed, func.count()).group_by(QuarantineRow.feed)
            return {str(feed): int(count) for feed, count in session.execute(query)}

    def _unknown(self, session: Session, setbacks: Sequence[Setback]) -> list[Setback]:
        """A stretch of a file that is replayed after a crash meets its own records here."""
        numbered, positions = sorted({s.batch for s in setbacks}), [s.position for s in setbacks]
        between = QuarantineRow.position.between(min(positions), max(positions))
        query = select(QuarantineRow.id).where(QuarantineRow.batch.in_(numbered), between)
        known = set(session.scalars(query))
        return [setback for setback in setbacks if setback.id not in known]


def _by_feed(setbacks: Sequence[Setback]) -> Mapping[str, Sequence[Setback]]:
    feeds: dict[str, list[Setback]] = {}
    for setback in setbacks:
        feeds.setdefault(setback.mapping.id, []).append(setback)
    return feeds


def _rules(group: Sequence[Setback]) -> dict[str, int]:
    counts: dict[str, int] = {}
    for setback in group:
        for rule in {refusal.rule for refusal in setback.refusals}:
            counts[rule] = counts.get(rule, 0) + 1
    return counts


def _row(setback: Setback, now: datetime) -> dict[str, object]:
    return {
        "id": setback.id,
        "feed": setback.mapping.id,
        "department": setback.mapping.declaration.department,
        "batch": setback.batch,
        "position": setback.position,
        "received_at": now,
        "raw": setback.raw,
        "reasons": [rejection.model_dump() for rejection in setback.rejections()],
    }


def _view(row: QuarantineRow) -> QuarantineView:
    return QuarantineView(
        id=row.id,
        feed=row.feed,
        batch=row.batch,
        index=row.position,
        received_at=row.received_at,
        raw=row.raw,
        reasons=[Rejection.model_validate(reason) for reason in row.reasons],
    )

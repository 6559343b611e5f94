"""The standing watch on feeds: stale or incomplete feeds, durable, one open breach for each feed and check."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import func, select

from cityloop.access.door import Scope
from cityloop.core.database import Database, Transaction
from cityloop.core.ids import new_id
from cityloop.core.outbox import Outbox
from cityloop.core.values import Page, Title
from cityloop.core.web import Paging
from cityloop.quality import telemetry
from cityloop.quality.content import Terms
from cityloop.quality.meter import Meter
from cityloop.quality.models import BreachRow
from cityloop.quality.schemas import BreachView
from cityloop.quality.scheme import Check, Scheme
from cityloop.quality.slots import age

BREACHED, RECOVERED = "cityloop.quality.breached", "cityloop.quality.recovered"
_LOOK_BACK = 3
"""Stretches behind now among which the last whole one is looked for."""


class Breaches:
    """Opens and closes breaches. A feed that never brought anything is not stale: it is not connected yet."""

    def __init__(self, database: Database, outbox: Outbox, meter: Meter, scheme: Scheme) -> None:
        self._database = database
        self._outbox = outbox
        self._meter = meter
        self._scheme = scheme
        self._judged: dict[str, int] = {}
        """The last stretch of each feed whose completeness was judged by this process."""

    def watch(self, now: datetime) -> int:
        """Judge every feed as of ``now``; return how many breaches opened or closed."""
        changed = 0
        for terms in self._meter.feeds():
            newest = self._meter.source.newest(terms.feed)
            if newest is not None:
                changed += self._freshness(terms, newest, now) + self._completeness(terms, now)
        return changed

    def open_counts(self) -> dict[str, int]:
        """Open breaches by feed."""
        with self._database.reading() as session:
            query = select(BreachRow.feed, func.count()).where(BreachRow.closed_at.is_(None)).group_by(BreachRow.feed)
            return {str(feed): int(count) for feed, count in session.execute(query)}

    def page(self, scope: Scope, paged: Paging, is_open: bool | None, feed: str | None) -> Page[BreachView]:
        """Breaches within ``scope``, newest first."""
        where: list[Any] = [scope.where({"department": BreachRow.__table__.c.department})]
        if is_open is not None:
            where.append(BreachRow.closed_at.is_(None) if is_open else BreachRow.closed_at.is_not(None))
        where += [BreachRow.feed == feed] if feed else []
        query = select(BreachRow).where(*where).order_by(BreachRow.opened_at.desc(), BreachRow.id.desc())
        with self._database.reading() as session:
            total = session.scalar(select(func.count()).select_from(BreachRow).where(*where)) or 0
            rows = list(session.scalars(query.offset(paged.offset).limit(paged.size)))
        return Page(items=[self._view(row) for row in rows], total=total, page=paged.page, size=paged.size)

    def _freshness(self, terms: Terms, newest: datetime, now: datetime) -> int:
        old = age(newest, now, terms.hours)
        telemetry.AGE.labels(terms.feed).set(old.total_seconds())
        minutes, most = old.total_seconds() / 60, terms.fresh.total_seconds() / 60
        detail = Title(
            zh=f"最新记录距今 {minutes:.0f} 分钟，约定不超过 {most:.0f} 分钟",
            en=f"the newest record is {minutes:.0f} minutes old; promised: {most:.0f} at most",
        )
        return self._judge(terms, "freshness", old > terms.fresh, minutes, most, detail, now)

    def _completeness(self, terms: Terms, now: datetime) -> int:
        if terms.rhythm is None:
            return 0
        grid = self._meter.grid(terms)
        wait = max(terms.rhythm.grid.every, terms.fresh)
        last = grid.index(now - wait)
        # The last stretch whose every slot is due; outside the hours of operation there is none to judge.
        if self._judged.get(terms.feed) == last:
            return 0
        cells = self._meter.cells(terms.feed, grid.at(last - _LOOK_BACK), grid.at(last), now)
        self._judged[terms.feed] = last
        counted = [counts for cell, counts in cells.items() if counts.expected]
        if not counted:
            return 0
        share, least = (
            counted[-1].received / counted[-1].expected,
            self._scheme.least("completeness", terms.completeness),
        )
        telemetry.COMPLETE.labels(terms.feed).set(share)
        figures = f"{counted[-1].received}/{counted[-1].expected}"
        detail = Title(
            zh=f"最近一个时段到达 {figures}，要求 {least:.0%}",
            en=f"{figures} of the last stretch have arrived; required: {least:.0%}",
        )
        return self._judge(terms, "completeness", share < least, share, least, detail, now)

    def _judge(
        self, terms: Terms, check: Check, bad: bool, value: float, least: float, detail: Title, now: datetime
    ) -> int:
        key = f"{terms.feed}:{check}"
        with self._database.reading() as session:
            known = session.scalar(select(BreachRow.id).where(BreachRow.open_key == key))
        if bad == (known is not None):
            return 0
        with self._database.transaction() as tx:
            row = tx.session.scalar(select(BreachRow).where(BreachRow.open_key == key).with_for_update())
            if row is None and bad:
                row = BreachRow(
                    id=new_id("brc"),
                    feed=terms.feed,
                    department=terms.department,
                    check=check,
                    value=value,
                    least=least,
                    opened_at=now,
                    open_key=key,
                    detail=detail.model_dump(),
                )
                tx.session.add(row)
                self._tell(tx, BREACHED, row, now)
                telemetry.BREACHES.labels(terms.feed, check).inc()
            elif row is not None and not bad:
                row.closed_at, row.open_key = now, None
                self._tell(tx, RECOVERED, row, now)
        self.count()
        return 1

    def count(self) -> None:
        """Set the gauge of open breaches to what the store holds."""
        with self._database.reading() as session:
            query = select(BreachRow.check, func.count()).where(BreachRow.closed_at.is_(None)).group_by(BreachRow.check)
            held = {str(check): int(count) for check, count in session.execute(query)}
        for check in ("freshness", "completeness"):
            telemetry.OPEN.labels(check).set(held.get(check, 0))

    def _tell(self, tx: Transaction, kind: str, row: BreachRow, now: datetime) -> None:
        self._outbox.record(tx, kind, row.feed, now, {"breach": self._view(row).model_dump(mode="json")})

    def _view(self, row: BreachRow) -> BreachView:
        mapping = self._meter.source.mappings.get(row.feed)
        title = mapping.declaration.title if mapping else Title(zh=row.feed, en=row.feed)
        return BreachView.model_validate(
            {
                "id": row.id,
                "feed": row.feed,
                "title": title,
                "department": row.department,
                "check": row.check,
                "value": row.value,
                "least": row.least,
                "opened_at": row.opened_at,
                "closed_at": row.closed_at,
                "detail": row.detail,
            }
        )

"""Quarantine: records that broke the standard, kept whole with their reasons, in the same store as the cases."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from cityloop.access.door import Scope
from cityloop.collect.models import QuarantineActRow, QuarantineRow
from cityloop.collect.quarantine_schemas import (
    STATES,
    Correction,
    Counts,
    FeedCounts,
    QuarantineAct,
    QuarantineDetail,
    QuarantineSummary,
    QuarantineView,
    RuleCounts,
    Selection,
)
from cityloop.collect.schemas import Rejection
from cityloop.core.database import Database
from cityloop.core.errors import Invalid, NotFound
from cityloop.core.outbox import Outbox
from cityloop.core.phrases import Saying
from cityloop.core.values import Page, Title
from cityloop.core.web import EXPORT_LIMIT, Paging
from cityloop.standard.checks import Refusal
from cityloop.standard.mapping import FeedMapping

FindMapping = Callable[[str], FeedMapping | None]
SORTS = ("received_at", "feed", "department", "state")


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
            rejection(self.position, refusal.column, refusal.rule, refusal.said, self.id) for refusal in self.refusals
        ]


def rejection(position: int, column: str, rule: str, said: Saying, quarantine: str) -> Rejection:
    """A reason as it crosses the wire, in both languages."""
    title = said.title
    return Rejection(index=position, column=column, rule=rule, reason=title.en, said=title, quarantine=quarantine)


class Quarantine:
    """Puts records in, lists and counts them. What is done to them afterwards is the matter of ``repairs.py``."""

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

    def page(self, scope: Scope, paged: Paging, wanted: Selection) -> Page[QuarantineView]:
        """Records within ``scope``, newest first unless ``paged`` says otherwise."""
        where, order = conditions(scope, wanted), _order(paged.sort)
        with self._database.reading() as session:
            total = session.scalar(select(func.count()).select_from(QuarantineRow).where(*where)) or 0
            query = select(QuarantineRow).where(*where).order_by(*order).offset(paged.offset).limit(paged.size)
            items = [view(row) for row in session.scalars(query)]
        return Page(items=items, total=total, page=paged.page, size=paged.size)

    def of_batch(self, batch: str) -> list[QuarantineView]:
        """All records of one batch, in the order they were sent."""
        with self._database.reading() as session:
            query = select(QuarantineRow).where(QuarantineRow.batch == batch).order_by(QuarantineRow.position)
            return [view(row) for row in session.scalars(query)]

    def export(self, scope: Scope, sort: str, wanted: Selection) -> Iterator[Mapping[str, Any]]:
        """The same records as flat rows, at most :data:`EXPORT_LIMIT`."""
        query = select(QuarantineRow).where(*conditions(scope, wanted)).order_by(*_order(sort)).limit(EXPORT_LIMIT)
        with self._database.reading() as session:
            for row in session.scalars(query.execution_options(yield_per=1000)):
                yield _flat(row)

    def detail(self, scope: Scope, identity: str, find: FindMapping) -> QuarantineDetail:
        """One record with its history; one out of sight is answered like one that does not exist."""
        with self._database.reading() as session:
            row = found(session, scope, identity)
            history = select(QuarantineActRow).where(QuarantineActRow.quarantine == identity)
            acts = [_act(item) for item in session.scalars(history.order_by(QuarantineActRow.seq))]
        mapping = find(row.feed)
        return QuarantineDetail(
            **view(row).model_dump(),
            fields=list(mapping.text) if mapping else [],
            sent=sent(row.raw),
            present=present(row),
            history=acts,
        )

    def summary(self, scope: Scope, wanted: Selection, find: FindMapping) -> QuarantineSummary:
        """Counts by feed and rule, most first."""
        columns = (QuarantineRow.feed, QuarantineRow.department, QuarantineRow.rules, QuarantineRow.state)
        query = select(*columns, func.count()).where(*conditions(scope, wanted)).group_by(*columns)
        with self._database.reading() as session:
            groups = [(str(f), str(d), split(r), str(s), int(n)) for f, d, r, s, n in session.execute(query)]
        feeds = [
            _feed_counts(feed, department, [g[2:] for g in groups if g[:2] == (feed, department)], find)
            for feed, department in dict.fromkeys(group[:2] for group in groups)
        ]
        by_state = {state: sum(n for *_, held, n in groups if held == state) for state in STATES}
        ordered = sorted(feeds, key=lambda item: (-item.total, item.feed))
        return QuarantineSummary(total=sum(by_state.values()), by_state=by_state, feeds=ordered)

    def counts(self) -> dict[str, int]:
        """How many records each feed has ever sent into quarantine."""
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


def found(session: Session, scope: Scope, identity: str) -> QuarantineRow:
    """One row within ``scope``; raises :class:`NotFound`."""
    query = select(QuarantineRow).where(QuarantineRow.id == identity, *conditions(scope, Selection()))
    row = session.scalar(query)
    if row is None:
        raise NotFound(f"no record '{identity}' in quarantine", "GET /api/v1/quarantine lists those you may see")
    return row


def conditions(scope: Scope, wanted: Selection) -> list[ColumnElement[bool]]:
    """The rows of a selection that ``scope`` lets through."""
    row = QuarantineRow
    parts = [scope.where({"department": row.__table__.c.department})]
    parts += [row.id.in_(wanted.ids)] if wanted.ids else []
    parts += [row.feed == wanted.feed] if wanted.feed else []
    parts += [row.department == wanted.department] if wanted.department else []
    parts += [row.rules.contains(f",{wanted.rule},", autoescape=True)] if wanted.rule else []
    parts += [or_(*[row.state == state for state in wanted.state])] if wanted.state else []
    parts += [row.received_at >= wanted.start] if wanted.start else []
    parts += [row.received_at < wanted.end] if wanted.end else []
    parts += [row.raw.contains(wanted.text, autoescape=True)] if wanted.text else []
    return parts


def view(row: QuarantineRow) -> QuarantineView:
    """A row as it crosses the wire."""
    return QuarantineView(
        id=row.id,
        feed=row.feed,
        department=row.department,
        batch=row.batch,
        index=row.position,
        received_at=row.received_at,
        raw=row.raw,
        rules=split(row.rules),
        reasons=[Rejection.model_validate(reason) for reason in row.reasons],
        state=row.state,
        record=row.record,
        replay=row.replay,
        correction=Correction.model_validate(row.correction) if row.correction else None,
    )


def sent(raw: str) -> dict[str, Any] | None:
    """The fields of a record's text; ``None`` when it is no JSON object."""
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def present(row: QuarantineRow) -> dict[str, Any]:
    """What would be tried now: the record as sent, with the newest correction laid over it."""
    return {**(sent(row.raw) or {}), **((row.correction or {}).get("fields") or {})}


def joined(rules: Sequence[str]) -> str:
    """Rules as the column ``rules`` keeps them."""
    return f",{','.join(dict.fromkeys(rules))}," if rules else ""


def split(rules: str) -> list[str]:
    """The reverse of :func:`joined`."""
    return [rule for rule in rules.split(",") if rule]


def _order(sort: str) -> list[ColumnElement[Any]]:
    name = sort.removeprefix("-") or "received_at"
    if name not in SORTS:
        raise Invalid(f"quarantine cannot be sorted by '{name}'", f"sort by {', '.join(SORTS)}")
    column = getattr(QuarantineRow, name)
    first = column.desc() if sort.startswith("-") or not sort else column.asc()
    rest = (QuarantineRow.received_at.desc(), QuarantineRow.batch.desc(), QuarantineRow.position.asc())
    return [first, *rest]


def _feed_counts(
    feed: str, department: str, groups: Sequence[tuple[list[str], str, int]], find: FindMapping
) -> FeedCounts:
    mapping = find(feed)
    rules: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for names, state, count in groups:
        for name in names:
            rules[name].append((state, count))
    counted = [RuleCounts(rule=rule, **_counts(parts)) for rule, parts in rules.items()]
    return FeedCounts(
        feed=feed,
        title=mapping.declaration.title if mapping else Title(zh=feed, en=feed),
        department=department,
        rules=sorted(counted, key=lambda item: (-item.total, item.rule)),
        **_counts([(state, count) for _, state, count in groups]),
    )


def _counts(parts: Sequence[tuple[str, int]]) -> dict[str, int]:
    by_state = {state: sum(count for held, count in parts if held == state) for state in STATES}
    return Counts(total=sum(by_state.values()), **by_state).model_dump()


def _act(row: QuarantineActRow) -> QuarantineAct:
    return QuarantineAct.model_validate({"act": row.act, "at": row.at, "by": row.by, **row.data})


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
        "rules": joined([refusal.rule for refusal in setback.refusals]),
    }


def _flat(row: QuarantineRow) -> Mapping[str, Any]:
    correction = row.correction or {}
    return {
        "id": row.id,
        "feed": row.feed,
        "department": row.department,
        "received_at": row.received_at,
        "state": row.state,
        "rules": ", ".join(split(row.rules)),
        "reasons": "; ".join(str(reason["reason"]) for reason in row.reasons),
        "raw": row.raw,
        "correction": json.dumps(correction["fields"], ensure_ascii=False) if correction else "",
        "why": correction.get("why", ""),
        "record": row.record,
    }

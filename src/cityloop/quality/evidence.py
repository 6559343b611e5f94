"""The way from a figure to its rows: gaps, late rows, flagged rows, records in quarantine, empty values, drawn rows."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

import numpy as np
from sqlalchemy import func, or_, select

from cityloop.collect.models import QuarantineRow
from cityloop.core.database import Database
from cityloop.core.values import Title
from cityloop.quality.content import Sample, Terms
from cityloop.quality.meter import ARRIVED, CONSISTENCY_RULES, FLAGS, OBSERVED, Meter
from cityloop.quality.schemas import Example
from cityloop.quality.scheme import Check
from cityloop.quality.slots import HOUR
from cityloop.standard.code_lists import CodeList
from cityloop.standard.types import EntityType, Property

Found = tuple[list[Example], int]
"""One page, and how many there are."""


@dataclass(frozen=True)
class Window:
    """A period [first, last) as seen at ``now``, and which page of it is wanted."""

    first: datetime
    last: datetime
    now: datetime
    offset: int = 0
    size: int = 20


class Witness:
    """Finds evidence for any check of any feed."""

    def __init__(self, meter: Meter, database: Database) -> None:
        self._meter = meter
        self._database = database

    def of(self, feed: str, check: Check, window: Window, sample: Sample, least: float) -> Found:
        """Evidence against a feed under one check, worst or oldest first."""
        terms = self._meter.terms(feed)
        if check == "completeness":
            return _paged(self._gaps(terms, window), window)
        if check == "validity":
            return self._refused(terms, window, None)
        if check == "timeliness":
            return self._late(terms, window)
        if check == "consistency":
            return self._inconsistent(terms, window)
        if check == "uniqueness":
            return _paged(self._repeated(terms, window), window)
        if check == "values":
            return _paged([w.evidence for w in self.empty(terms, window) if w.present < least * w.rows], window)
        if check == "sample":
            return _paged(self.unfit(terms, window, sample)[0], window)
        return [], 0

    def _gaps(self, terms: Terms, window: Window) -> list[Example]:
        missing = self._meter.missing(terms.feed, window.first, window.last, window.now)
        if missing is None:
            return []
        cards, found = self._meter.source.known(terms.entity_type), []
        for number, entity in enumerate(missing.entities):
            for begin, end in _runs(missing.wanted[number] & ~missing.there[number], missing.slots):
                count = end - begin + 1
                at, until = missing.grid.at(missing.slots[begin]), missing.grid.at(missing.slots[end] + 1)
                reason = Title(zh=f"缺 {count} 个时段", en=f"{count} slot(s) missing")
                card = cards.get(entity)
                found.append(
                    Example(
                        kind="gap",
                        entity=entity,
                        entity_title=card.title if card else None,
                        at=at,
                        until=until,
                        reason=reason,
                        count=count,
                    )
                )
        return sorted(found, key=lambda gap: (-gap.count, gap.at, gap.entity or ""))

    def _refused(self, terms: Terms, window: Window, rules: frozenset[str] | None) -> Found:
        where = [
            QuarantineRow.feed == terms.feed,
            QuarantineRow.received_at >= window.first,
            QuarantineRow.received_at < window.last,
        ]
        if rules is not None:
            where.append(or_(*(QuarantineRow.rules.contains(f",{rule},", autoescape=True) for rule in sorted(rules))))
        newest = (QuarantineRow.received_at.desc(), QuarantineRow.batch.desc(), QuarantineRow.position)
        query = select(QuarantineRow).where(*where).order_by(*newest)
        with self._database.reading() as session:
            total = session.scalar(select(func.count()).select_from(QuarantineRow).where(*where)) or 0
            rows = list(session.scalars(query.offset(window.offset).limit(window.size)))
        return [_refusal(row) for row in rows], total

    def _late(self, terms: Terms, window: Window) -> Found:
        late = f"{ARRIVED} AND epoch_us(received_at) - epoch_us(observed_at) > $delay"
        given = {"delay": terms.fresh // timedelta(microseconds=1)}
        rows, total = self._rows(terms, window, late, "received_at - observed_at DESC", given)
        return [self._late_row(terms, row) for row in rows], total

    def _late_row(self, terms: Terms, row: Mapping[str, Any]) -> Example:
        minutes = round((row["received_at"] - row["observed_at"]).total_seconds() / 60)
        reason = Title(zh=f"迟到 {minutes} 分钟", en=f"arrived {minutes} minutes after observation")
        return self._record(terms, row, reason)

    def _inconsistent(self, terms: Terms, window: Window) -> Found:
        refused, total = self._refused(terms, window, CONSISTENCY_RULES)
        if not self._meter.flagged(terms):
            return refused, total
        rest = Window(window.first, window.last, window.now, max(0, window.offset - total), window.size - len(refused))
        rows, flagged = self._rows(terms, rest, f'{ARRIVED} AND "{FLAGS}" IS NOT NULL', "received_at DESC", {}, FLAGS)
        shown = [
            self._record(terms, row, Title(zh=f"标记：{row[FLAGS]}", en=f"flagged: {row[FLAGS]}"), rule=row[FLAGS])
            for row in rows
        ]
        return [*refused, *shown], total + flagged

    def _repeated(self, terms: Terms, window: Window) -> list[Example]:
        return [
            Example(
                kind="count",
                at=at,
                until=at + HOUR,
                rule="duplicate",
                count=count,
                reason=Title(zh=f"重复报送 {count} 条", en=f"{count} record(s) sent again"),
            )
            for at, count in self._meter.repeated(terms.feed, window.first, window.last)
        ]

    def empty(self, terms: Terms, window: Window) -> list[Present]:
        """How many rows of each entity have a value, property by property; the emptiest first."""
        names = terms.properties
        counted = ", ".join(f'count("{name}") AS "{name}"' for name in names)
        sql = f"""
            SELECT entity, count(*) AS rows_all, {counted} FROM "{terms.entity_type}"
            WHERE {OBSERVED} GROUP BY entity ORDER BY entity
        """  # noqa: S608 - names are the standard's own
        rows = self._meter.rows(terms, sql, window.first, window.last)
        cards, found = self._meter.source.known(terms.entity_type), []
        titles = {item.id: item.title for item in self._type(terms).properties}
        for row in rows:
            for name in names:
                total, present = int(row["rows_all"]), int(row[name])
                lack, title = total - present, titles.get(name, Title(zh=name, en=name))
                reason = Title(
                    zh=f"{title.zh}：{total} 条记录中 {lack} 条无值", en=f"{title.en}: {lack} of {total} rows are empty"
                )
                card = cards.get(row["entity"])
                found.append(
                    Present(
                        total,
                        present,
                        Example(
                            kind="count",
                            entity=row["entity"],
                            entity_title=card.title if card else None,
                            at=window.first,
                            until=window.last,
                            column=name,
                            rule="empty",
                            reason=reason,
                            count=lack,
                        ),
                    )
                )
        return sorted(found, key=lambda item: item.present / item.rows if item.rows else 1.0)

    def unfit(self, terms: Terms, window: Window, sample: Sample) -> tuple[list[Example], int, int]:
        """Draw rows by seed and hold them against the standard in force: what does not fit, in how many of how many."""
        names = ", ".join(f'"{name}"' for name in terms.properties)
        sql = f"""
            SELECT entity, observed_at, record, {names} FROM "{terms.entity_type}"
            WHERE {OBSERVED} ORDER BY md5(concat($seed, '|', record)), record LIMIT $size
        """  # noqa: S608 - names are the standard's own
        given = {"seed": str(sample.seed), "size": sample.size}
        rows = self._meter.rows(terms, sql, window.first, window.last, given)
        lists = self._meter.source.mappings[terms.feed].code_lists
        wanted = [item for item in self._type(terms).properties if item.id in terms.properties]
        found = []
        for row in rows:
            for item in wanted:
                if (rule := broken(item, row[item.id], lists, row["observed_at"].date())) is not None:
                    reason = Title(
                        zh=f"{item.title.zh} 不符合现行标准（{rule}）",
                        en=f"{item.title.en} breaks the standard in force ({rule})",
                    )
                    found.append(self._record(terms, row, reason, rule, item.id, str(row[item.id])))
        return found, len({item.record for item in found}), len(rows)

    def _type(self, terms: Terms) -> EntityType:
        return self._meter.source.mappings[terms.feed].entity_type

    def _rows(
        self,
        terms: Terms,
        window: Window,
        where: str,
        order: str,
        given: Mapping[str, Any],
        more: str = "",
    ) -> tuple[list[dict[str, Any]], int]:
        table = f'FROM "{terms.entity_type}" WHERE {where}'
        counted = self._meter.rows(terms, f"SELECT count(*) AS n {table}", window.first, window.last, given)
        column = f', "{more}"' if more else ""
        sql = f"SELECT entity, observed_at, received_at, record{column} {table} ORDER BY {order}, record"
        paged = {**given, "size": window.size, "skip": window.offset}
        rows = self._meter.rows(terms, f"{sql} LIMIT $size OFFSET $skip", window.first, window.last, paged)
        return rows, int(counted[0]["n"])

    def _record(
        self,
        terms: Terms,
        row: Mapping[str, Any],
        reason: Title,
        rule: str | None = None,
        column: str | None = None,
        value: str | None = None,
    ) -> Example:
        card = self._meter.source.known(terms.entity_type).get(row["entity"])
        return Example(
            kind="record",
            entity=row["entity"],
            entity_title=card.title if card else None,
            at=row["observed_at"],
            column=column,
            rule=rule,
            value=value,
            reason=reason,
            record=row["record"],
        )


@dataclass(frozen=True)
class Present:
    """How often one property of one entity has a value."""

    rows: int
    present: int
    evidence: Example


def broken(item: Property, value: Any, lists: Mapping[str, CodeList], day: date) -> str | None:
    """The rule of the standard in force that a value of ``day`` breaks, if any; an empty value breaks none."""
    if value is None:
        return None
    if item.kind in ("number", "integer"):
        low = item.min is not None and value < item.min
        high = item.max is not None and value > item.max
        return "range" if low or high else None
    if item.enum and value not in item.enum:
        return "enum"
    if item.pattern is not None and re.fullmatch(item.pattern, value) is None:
        return "pattern"
    return "code" if item.code_list and not _is_code(item, value, lists.get(item.code_list), day) else None


def _is_code(item: Property, value: str, codes: CodeList | None, day: date) -> bool:
    if codes is None or (item.code_under and value not in codes.under(item.code_under)):
        return False
    return any(code.code == value and code.valid(day) for code in codes.codes)


def _refusal(row: QuarantineRow) -> Example:
    first = row.reasons[0] if row.reasons else {"rule": "", "column": "", "reason": ""}
    return Example(
        kind="quarantine",
        at=row.received_at,
        column=first["column"] or None,
        rule=", ".join(sorted({reason["rule"] for reason in row.reasons})),
        reason=Title.model_validate(first.get("said") or first["reason"]),
        quarantine=row.id,
    )


def _runs(marks: np.ndarray[Any, np.dtype[np.bool_]], slots: Sequence[int]) -> Iterator[tuple[int, int]]:
    """First and last position of each run of marks on slots that follow one another."""
    begin = None
    for position, mark in enumerate(marks.tolist()):
        follows = begin is not None and slots[position] == slots[position - 1] + 1
        if begin is not None and not (mark and follows):
            yield begin, position - 1
            begin = None
        if mark and begin is None:
            begin = position
    if begin is not None:
        yield begin, len(marks) - 1


def _paged(found: Sequence[Example], window: Window) -> Found:
    return list(found[window.offset : window.offset + window.size]), len(found)

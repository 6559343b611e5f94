"""The limits of a city: listed, and changed by plan, explanation and version, as the calendars are.

The city's file is the ground and is never written by the program. Whatever was applied stays in force over restarts
until the file itself is changed: then the file is the next version.
"""

from __future__ import annotations

import builtins
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fastapi import Response
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cityloop.access.actor import SYSTEM, Actor
from cityloop.access.audit import Audit
from cityloop.access.door import Door
from cityloop.cases import entries
from cityloop.cases.definitions import Book
from cityloop.cases.limits_schemas import (
    LimitFilter,
    LimitLine,
    LimitsEffect,
    LimitsVersion,
    LimitsView,
    LimitsWish,
    MatterLimit,
    NewLimits,
)
from cityloop.cases.models import OPEN, CaseRow, LimitsVersionRow
from cityloop.cases.mover import Mover
from cityloop.cases.recounting import Line, Recount, explained, still
from cityloop.cases.values import Case
from cityloop.city.content import LimitsFile
from cityloop.city.deadlines import Limits
from cityloop.city.grammar import Limit
from cityloop.city.limit_change import Finding, limit_findings
from cityloop.city.limit_sheet import told
from cityloop.city.schemas import Matter
from cityloop.city.service import City
from cityloop.core import canonical
from cityloop.core.database import Database, Transaction
from cityloop.core.errors import ContentError, Fault, Invalid, NotFound
from cityloop.core.outbox import Outbox
from cityloop.core.values import Page, Title
from cityloop.core.web import ExportFormat, Paging, export

CHANGE = "limits.change"
CHANGED = "cityloop.limits.changed"
_ENTITY = "case"
_FILE = "城市文件中的时限 / the limits of the city's file"
_NONE = LimitsFile(origin=Title(zh="", en=""))
_MOST = 500
_TABLE = CaseRow.__table__
_HEADINGS = {
    "code": ("代码", "code"),
    "title": ("名称", "name"),
    "class_title": ("大类", "class"),
    "filing": ("立案条件", "filing"),
    "limit": ("处置时限", "limit"),
    "closing": ("结案条件", "closing"),
    "source": ("时限来自", "written for"),
}
"""The same words that an import understands, so that the file can be changed and read back."""
_SOURCES = {"matter": "本事项", "class": "大类", "fallback": "其余", "none": "无"}


@dataclass(frozen=True, slots=True)
class _Shift:
    """Limits before and after a change, and the texts of every matter whose limit differs."""

    after: LimitsFile
    matters: dict[str, tuple[str | None, str | None]]


class LimitsDesk:
    """All verbs on the limits in force."""

    def __init__(
        self, *, database: Database, outbox: Outbox, door: Door, audit: Audit, city: City, book: Book, mover: Mover
    ) -> None:
        self._database, self._outbox, self._door, self._audit = database, outbox, door, audit
        self._city, self._book, self._mover = city, book, mover
        self._file = city.limits.file or _NONE

    def open(self, now: datetime) -> None:
        """Put the last version into force, or the city's file where it is new or has changed."""
        with self._database.transaction() as tx:
            rows = _rows(tx.session)
            if not rows or rows[0].file_digest != _digest(self._file):
                self._enter(tx, SYSTEM, self._file, "content", _FILE, len(rows) + 1, 0, now)
                return
        self._city.adopt_limits(self._stored(rows[0]))

    def list(self, wanted: LimitFilter, paged: Paging) -> Page[LimitLine]:
        """The matters of the catalogue with their limits; sort by ``code`` (default), ``title``, ``limit``, ``source``.

        Raises :class:`Invalid` for another order.
        """
        lines = self._lines(wanted, paged.sort)
        items = lines[paged.offset : paged.offset + paged.size]
        return Page(items=items, total=len(lines), page=paged.page, size=paged.size)

    def export(self, actor: Actor, wanted: LimitFilter, form: ExportFormat) -> Response:
        """The same list as a file, a row for each filing condition; an import reads it back."""
        chinese = self._city.language == "zh"
        rows = [row for line in self._lines(wanted, "") for row in _cells(line, chinese)]
        with self._database.transaction() as tx:
            detail = {"format": form, "rows": len(rows), "filter": wanted.model_dump(exclude_defaults=True)}
            self._audit.record(tx, self._city.clock.now(), actor.id, "limits.export", "limits", detail)
        heads = [(key, zh if chinese else en) for key, (zh, en) in _HEADINGS.items()]
        return export("limits", form, heads, rows)

    def view(self) -> LimitsView:
        """Which version is in force, and all of them."""
        with self._database.reading() as session:
            rows = _rows(session)
        file = self._city.limits.file or _NONE
        return LimitsView(
            version=rows[0].version,
            origin=file.origin if file.origin.zh else None,
            fallback=file.fallback,
            versions=[_version(row) for row in rows],
        )

    def plan(self, actor: Actor, wish: LimitsWish) -> LimitsEffect:
        """Which matters change and which open cases could move; nothing is written. Raises :class:`Invalid`."""
        self._door.permit(actor, CHANGE)
        scope, now = self._door.scope(actor, _ENTITY), self._city.clock.now()
        with self._database.reading() as session:
            rows = _rows(session)
            shift = self._wished(rows, wish)
            found = self._recount(shift, now).told(session)
            unfiled = session.scalar(select(func.count()).select_from(_TABLE).where(*_unfiled(shift)))
        changes = [change for matter in self._city.catalogue.list() if (change := self._changed(matter, shift.after))]
        return LimitsEffect(
            plan=_plan(rows[0], shift.after, wish),
            base=rows[0].version,
            matters=len(changes),
            changes=changes[:_MOST],
            unfiled=unfiled or 0,
            open_cases=found.seen,
            cases=len(found.moved),
            **found.figures(now),
            shown=found.shown(scope, self._book),
        )

    def apply(self, actor: Actor, wish: NewLimits) -> LimitsView:
        """Put an explained change into force; where it is wished, open cases move in the same transaction.

        Raises :class:`Conflict` when another version has come into force, :class:`Invalid` when the plan is of another
        change.
        """
        self._door.permit(actor, CHANGE)
        now = self._city.clock.now()
        with self._database.transaction() as tx:
            rows = _rows(tx.session)
            still(rows[0].version, wish.base, "the limits")
            shift = self._wished(rows, wish)
            explained(_plan(rows[0], shift.after, wish), wish.plan)
            number, count = rows[0].version + 1, 0
            if wish.open_cases:
                line = Line(self._mover, actor, entries.LIMIT_CHANGED, {"limits_version": number}, wish.reason)
                count = self._recount(shift, now).carry_out(tx, line, now)
            self._enter(tx, actor, shift.after, "changed", wish.reason, number, count, now)
        return self.view()

    def _lines(self, wanted: LimitFilter, sort: str) -> builtins.list[LimitLine]:
        found = [line for matter in self._city.catalogue.list() if _fits(line := self._line(matter), wanted)]
        name, descending = sort.removeprefix("-") or "code", sort.startswith("-")
        in_force = self._city.catalogue.in_force
        keys: dict[str, Any] = {
            "code": lambda line: (line.standard != in_force, line.standard, line.code),
            "title": lambda line: line.title.zh,
            "limit": lambda line: (line.limit is None, line.limit or "", line.code),
            "source": lambda line: (line.source, line.code),
        }
        if name not in keys:
            raise Invalid(f"limits cannot be sorted by '{name}'", f"one of: {', '.join(keys)}, with - for descending")
        return sorted(found, key=keys[name], reverse=descending)

    def _line(self, matter: Matter) -> LimitLine:
        text, source = self._city.limits.found(matter)
        read = self._city.deadlines.parse(text) if text else None
        return LimitLine(
            matter=matter.key,
            code=matter.code,
            title=matter.title,
            standard=matter.standard,
            class_code=matter.class_code,
            class_title=matter.class_title,
            limit=text,
            source=source,
            read_as=told(read) if isinstance(read, Limit) else None,
            conditions=builtins.list(self._city.limits.conditions(matter.key)),
        )

    def _changed(self, matter: Matter, after: LimitsFile) -> MatterLimit | None:
        before, new = self._city.limits, Limits(after)
        texts = before.text_for(matter), new.text_for(matter)
        lines = before.conditions(matter.key), new.conditions(matter.key)
        if texts[0] == texts[1] and lines[0] == lines[1]:
            return None
        return MatterLimit(
            matter=matter.key,
            title=matter.title,
            before=texts[0],
            after=texts[1],
            lines_before=len(lines[0]),
            lines_after=len(lines[1]),
        )

    def _wished(self, rows: builtins.list[LimitsVersionRow], wish: LimitsWish) -> _Shift:
        current = self._city.limits.file or _NONE
        if (wish.change is None) == (wish.revert_to is None):
            raise Invalid("say one thing", "give either 'change' or 'revert_to'")
        if wish.change is not None:
            self._refuse(limit_findings(wish.change, self._city.catalogue, self._city.deadlines.parse))
            after = wish.change.over(current)
        else:
            row = next((row for row in rows if row.version == wish.revert_to), None)
            if row is None:
                raise NotFound(f"there is no version {wish.revert_to} of the limits", f"1 to {rows[0].version}")
            after = self._stored(row)
        if _digest(after) == rows[0].digest:
            raise Invalid("the change changes nothing", "compare it with GET /api/v1/limits")
        old, new = self._city.limits, Limits(after)
        texts = {matter.key: (old.text_for(matter), new.text_for(matter)) for matter in self._city.catalogue.list()}
        return _Shift(after, {key: both for key, both in texts.items() if both[0] != both[1]})

    def _refuse(self, findings: Iterable[Finding]) -> None:
        faults = [Fault(".".join(["change", *map(str, key)]), what, mend) for key, what, mend in findings]
        if faults:
            raise Invalid("the limits cannot come into force", "correct what is named", faults)

    def _recount(self, shift: _Shift, now: datetime) -> Recount:
        """Filed cases that stand under the old limit of their matter; a target or a limit of their own stays."""
        rules = self._mover.rules

        def moved(case: Case) -> dict[str, Any]:
            before, after = shift.matters[case.matter]
            return rules.relimited(case, after, now) if case.limit_text == before else {}

        where = CaseRow.filed.is_(True) & CaseRow.target_at.is_(None) & CaseRow.matter.in_(shift.matters)
        return Recount(where, moved)

    def _stored(self, row: LimitsVersionRow) -> LimitsFile:
        """A version that was applied; raises :class:`ContentError` when the city has changed from under it."""
        file = LimitsFile.model_validate(row.document)
        found = limit_findings(file, self._city.catalogue, self._city.deadlines.parse)
        faults = [Fault(".".join(map(str, key)), what, mend) for key, what, mend in found]
        if faults:
            mend = "put the limits that the city now needs into its file of limits: a changed file comes into force"
            raise ContentError(f"version {row.version} of the limits fits no longer", mend, faults)
        return file

    def _enter(
        self,
        tx: Transaction,
        actor: Actor,
        file: LimitsFile,
        origin: str,
        reason: str,
        version: int,
        cases: int,
        now: datetime,
    ) -> None:
        row = LimitsVersionRow(
            version=version,
            document=file.model_dump(mode="json"),
            digest=_digest(file),
            file_digest=_digest(self._file),
            origin=origin,
            at=now,
            by=actor.id,
            reason=reason,
            cases=cases,
        )
        tx.session.add(row)
        detail = {"version": version, "reason": reason, "cases": cases}
        self._audit.record(tx, now, actor.id, CHANGE, str(version), detail)
        if version > 1:
            self._outbox.record(tx, CHANGED, str(version), now, detail)
        tx.after_commit(lambda: self._city.adopt_limits(file))


def _unfiled(shift: _Shift) -> tuple[Any, ...]:
    return OPEN, CaseRow.filed.is_(False), CaseRow.matter.in_(shift.matters)


def _fits(line: LimitLine, wanted: LimitFilter) -> bool:
    words = (line.code, line.title.zh, line.title.en, line.class_title.zh, line.class_title.en, line.limit or "")
    return (
        (not wanted.text or any(wanted.text.strip().lower() in word.lower() for word in words))
        and wanted.standard in (None, line.standard)
        and wanted.class_code in (None, line.class_code)
        and wanted.source in (None, line.source)
    )


def _cells(line: LimitLine, chinese: bool) -> Iterable[dict[str, Any]]:
    said = {
        "code": line.code,
        "title": line.title.zh if chinese else line.title.en,
        "class_title": line.class_title.zh if chinese else line.class_title.en,
        "limit": line.limit,
        "source": _SOURCES[line.source] if chinese else line.source,
    }
    if not line.conditions:
        yield said
    for one in line.conditions:
        yield {**said, "filing": one.filing, "limit": one.limit, "closing": one.closing}


def _rows(session: Session) -> list[LimitsVersionRow]:
    return list(session.scalars(select(LimitsVersionRow).order_by(LimitsVersionRow.version.desc())))


def _version(row: LimitsVersionRow) -> LimitsVersion:
    names = ("version", "origin", "at", "by", "reason", "cases")
    return LimitsVersion.model_validate({name: getattr(row, name) for name in names})


def _digest(file: LimitsFile) -> str:
    return canonical.digest(file.model_dump(mode="json"))


def _plan(base: LimitsVersionRow, after: LimitsFile, wish: LimitsWish) -> str:
    """What ties an application to its explanation: what was in force, what would be, and for whom."""
    to = {"base": base.version, "from": base.digest, "to": _digest(after), "open_cases": wish.open_cases}
    return canonical.digest(to)

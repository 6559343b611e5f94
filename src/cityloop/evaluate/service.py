"""The verbs of evaluate: indicators, schemes, boards, the cases behind a figure, what-if, new versions, publication."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from fastapi import Response
from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from cityloop.access.actor import Actor
from cityloop.access.audit import Audit
from cityloop.access.door import Door, Protected
from cityloop.city.schemas import AreaLevel
from cityloop.city.service import City
from cityloop.core.database import Database, Transaction
from cityloop.core.errors import Conflict, Invalid, NotFound
from cityloop.core.ids import new_id
from cityloop.core.outbox import Event, Outbox
from cityloop.core.values import Page
from cityloop.core.web import EXPORT_LIMIT, ExportFormat, Paging, export
from cityloop.evaluate import behind, shown, whatif
from cityloop.evaluate.behind import Behind, counts_of
from cityloop.evaluate.board import (
    WHOLE,
    Earlier,
    Sheets,
    check_object,
    columns_of,
    earlier_of,
    grade_view,
    period_view,
    rows_of,
    tidy,
    whole_of,
)
from cityloop.evaluate.content import Book, counted
from cityloop.evaluate.declarations import ObjectKind, SchemeDocument
from cityloop.evaluate.keeper import StepKeeper
from cityloop.evaluate.models import PublishedRow
from cityloop.evaluate.periods import Period, period_of, previous
from cityloop.evaluate.schemas import (
    Board,
    EvaluationSchemeView,
    FigureCase,
    IndicatorList,
    IndicatorView,
    NewVersion,
    Publish,
    PublishedView,
    Side,
    StepView,
    Wanted,
    WhatIf,
    WhatIfView,
)
from cityloop.evaluate.sight import ENTITY, Sight
from cityloop.evaluate.tally import COLUMNS, OBJECT_COLUMN, Window
from cityloop.evaluate.versions import Versions

READ, CHANGE = "evaluate.read", "evaluate.change"
VERSIONED, PUBLISHED = "cityloop.scheme.versioned", "cityloop.scheme.published"
ALL_ROWS = Paging(page=1, size=1_000_000, sort="")


@dataclass(frozen=True)
class Asked:
    """A board that was asked for, resolved."""

    document: SchemeDocument
    kind: ObjectKind
    level: AreaLevel
    period: Period
    now: datetime

    @property
    def stored_level(self) -> str:
        """The level in the key of what is published; only areas have one."""
        return self.level if self.kind == "area" else ""


class Evaluator:
    """All verbs of the room."""

    def __init__(
        self,
        *,
        database: Database,
        outbox: Outbox,
        door: Door,
        audit: Audit,
        city: City,
        book: Book,
        font: Path | None = None,
    ) -> None:
        door.register(Protected(ENTITY, department="department", area="area", owners=("actor",)))
        self._database, self._outbox, self._door, self._audit, self.city = database, outbox, door, audit, city
        self.font = font
        self._book = book
        self._keeper = StepKeeper(database, book)
        self._versions = Versions(database, book)
        self._versions.open(city.clock.now())
        self._sheets = Sheets(city, book, door.policy)
        self._behind = Behind(city)

    def take(self, tx: Transaction, events: Sequence[Event]) -> None:
        """Relay handler for :data:`cityloop.evaluate.keeper.MOVED`: keeps the steps of the cases that moved."""
        self._keeper.take(tx, events)

    def rebuild(self) -> int:
        """Make all steps anew from the timelines; returns the number of cases."""
        return self._keeper.rebuild()

    def catch_up(self) -> None:
        """Make the steps anew when their declaration has changed since, or was never used on the cases there are."""
        if not self._keeper.current():
            self._keeper.rebuild()

    def indicators(self, actor: Actor) -> IndicatorList:
        """Indicators in force, and what they are made of."""
        self._door.permit(actor, READ)
        book = self._book
        return IndicatorList(
            indicators=[
                IndicatorView(**dict(found), counts=counted(found), origin=book.origins[found.key])
                for found in book.indicators.values()
            ],
            counts=list(book.counts.values()),
            exemptions=list(book.exemptions.values()),
            steps=[StepView(id=step.id, title=step.title) for step in book.steps.values()],
        )

    def schemes(self, actor: Actor) -> list[EvaluationSchemeView]:
        """Schemes with their versions."""
        self._door.permit(actor, READ)
        return self._versions.all()

    def board(self, actor: Actor, scheme: str, wanted: Wanted, paged: Paging = ALL_ROWS) -> Board:
        """The board of a period as this actor may see it; a published one as it was frozen."""
        self._door.permit(actor, READ)
        with self._database.reading() as session:
            asked = self.asked(session, scheme, wanted)
            sight = Sight.of(self._door.scope(actor, ENTITY), asked.kind)
            stored = None if sight.partial else self._published(session, asked, asked.period)
            if stored is not None and not wanted.live and wanted.version in (None, stored.version):
                full = Board.model_validate(stored.document)
            else:
                full = self._count(session, asked, sight, stored)
        return shown.seen(full, sight, paged)

    def export(self, actor: Actor, scheme: str, wanted: Wanted, form: ExportFormat) -> Response:
        """The board as a table: score, rank, grade, and for each item value, numerator, denominator and points."""
        board = self.board(actor, scheme, wanted)
        headings, rows = shown.table(board, self.city.language == "zh")
        self._note(actor, "evaluate.export", scheme, {"format": form, "period": board.period.title.en})
        return export(f"{scheme}-{board.period.first}", form, headings, rows)

    def cases(
        self, actor: Actor, scheme: str, wanted: Wanted, item: str, side: Side, row: str, paged: Paging
    ) -> Page[FigureCase]:
        """The cases behind one figure, within the actor's sight of figures and of cases."""
        self._door.permit(actor, READ)
        with self._database.reading() as session:
            asked = self.asked(session, scheme, wanted)
            counts = counts_of(asked.document, item, side)
            return self._listed(session, actor, asked, counts, row, paged)

    def case_export(
        self, actor: Actor, scheme: str, wanted: Wanted, item: str, side: Side, row: str, form: ExportFormat
    ) -> Response:
        """The same list as a file; at most :data:`EXPORT_LIMIT` cases."""
        zh = self.city.language == "zh"
        page = self.cases(actor, scheme, wanted, item, side, row, Paging(page=1, size=EXPORT_LIMIT, sort=""))
        rows = [behind.plain(case, self.city.language, self.city.zone) for case in page.items]
        if page.total > len(rows):
            rows.append({"number": "列表在此截断" if zh else "the list is cut here"})
        columns = [(name, found[0] if zh else found[1]) for name, found in behind.HEADINGS.items()]
        self._note(actor, "evaluate.export", scheme, {"format": form, "item": item, "side": side, "rows": len(rows)})
        return export("cases", form, columns, rows)

    def listed(self, actor: Actor, scheme: str, wanted: Wanted, paged: Paging) -> Page[FigureCase]:
        """The cases that every report of the scheme lists, such as forced closings."""
        self._door.permit(actor, READ)
        with self._database.reading() as session:
            asked = self.asked(session, scheme, wanted)
            return self._listed(session, actor, asked, list(asked.document.scheme.listed), WHOLE, paged)

    def what_if(self, actor: Actor, scheme: str, wish: WhatIf) -> WhatIfView:
        """Recompute past periods with a changed scheme: who would move up or down, and by which addend."""
        self._door.permit(actor, CHANGE)
        with self._database.reading() as session:
            base = self._versions.document(session, scheme, wish.base)
            after = self._versions.changed(base, wish.change, f"{base.scheme.version}*")
            kind = check_object(base, wish.object)
            sight = Sight.of(self._door.scope(actor, ENTITY), kind)
            return whatif.explain(
                session, self._sheets, base, after, wish, kind, self.city.zone, self.city.clock.now(), sight
            )

    def change(self, actor: Actor, scheme: str, wish: NewVersion) -> EvaluationSchemeView:
        """Put an explained change into force as a new version; past results keep theirs."""
        self._door.permit(actor, CHANGE)
        now = self.city.clock.now()
        with self._database.transaction() as tx:
            self._versions.apply(tx, scheme, wish, actor.id, now)
            detail = {"version": wish.version, "base": wish.base, "reason": wish.reason}
            self._audit.record(tx, now, actor.id, "evaluate.change", scheme, detail)
            self._outbox.record(tx, VERSIONED, scheme, now, {"scheme": scheme, "actor": actor.id, **detail})
        with self._database.reading() as session:
            return self._versions.view(session, scheme)

    def publish(self, actor: Actor, scheme: str, wish: Publish) -> Board:
        """Freeze the result of a period that is over, with the version in force."""
        self._door.permit(actor, CHANGE)
        now = self.city.clock.now()
        wanted = Wanted(object=wish.object, level=wish.level, period=wish.period, at=wish.at)
        try:
            with self._database.transaction() as tx:
                asked = self.asked(tx.session, scheme, wanted)
                sight = Sight.of(self._door.scope(actor, ENTITY), asked.kind)
                board = self._freeze(tx, asked, sight, actor, now)
        except IntegrityError as error:
            raise Conflict("this result has been published already", "read it; it does not change any more") from error
        return board

    def asked(self, session: Session, scheme: str, wanted: Wanted) -> Asked:
        """What a request means in this city now; raises :class:`NotFound` for names that lead nowhere."""
        now = self.city.clock.now()
        document = self._versions.document(session, scheme, wanted.version)
        day = wanted.at or now.astimezone(self.city.zone).date()
        try:
            period = period_of(wanted.period, day, self.city.zone)
            previous(period, self.city.zone)
        except (OverflowError, ValueError) as error:
            raise Invalid(f"there is no such period around {day}", "choose another day with 'at'") from error
        return Asked(document, check_object(document, wanted.object), wanted.level, period, now)

    def _count(self, session: Session, asked: Asked, sight: Sight, stored: PublishedRow | None) -> Board:
        document, steps = asked.document, sight.steps()
        before = previous(asked.period, self.city.zone)
        earlier = self._earlier(session, asked, before, sight)
        sheet = self._sheets.sheet(session, document, asked.kind, asked.level, asked.period, asked.now, steps)
        rows = rows_of(document, sheet, earlier)
        scheme = document.scheme
        return Board(
            scheme=scheme.id,
            title=scheme.title,
            version=scheme.version,
            object=asked.kind,
            level=asked.level if asked.kind == "area" else None,
            period=period_view(asked.period),
            previous=period_view(before),
            as_of=asked.now,
            published=_view(stored) if stored else None,
            complete=asked.period.end <= asked.now,
            minimum_sample=scheme.minimum_sample,
            maximum=tidy(scheme.total),
            columns=columns_of(document),
            grades=[grade_view(found) for found in scheme.grades],
            rows=rows,
            total=whole_of(document, sheet, earlier),
            count=len(rows),
            page=1,
            size=max(1, len(rows)),
            scope="",
            partial=sight.partial,
        )

    def _earlier(self, session: Session, asked: Asked, before: Period, sight: Sight) -> Earlier:
        """The period before: as it was published, else counted with this version."""
        stored = None if sight.partial else self._published(session, asked, before)
        if stored is not None:
            board = Board.model_validate(stored.document)
            return earlier_of([*board.rows, board.total])
        document, steps = asked.document, sight.steps()
        sheet = self._sheets.sheet(session, document, asked.kind, asked.level, before, asked.now, steps)
        return earlier_of([*rows_of(document, sheet, None), whole_of(document, sheet, None)])

    def _published(self, session: Session, asked: Asked, period: Period) -> PublishedRow | None:
        row = PublishedRow
        where = (
            row.scheme == asked.document.scheme.id,
            row.object == asked.kind,
            row.level == asked.stored_level,
            row.period == period.kind,
            row.first == period.first.isoformat(),
        )
        return session.scalar(select(row).where(*where))

    def _freeze(self, tx: Transaction, asked: Asked, sight: Sight, actor: Actor, now: datetime) -> Board:
        if asked.period.end > now:
            local = asked.period.end.astimezone(self.city.zone)
            raise Conflict(f"the period is not over before {local:%Y-%m-%d %H:%M}", "publish it then")
        if not sight.everything:
            raise Conflict("you see only a part of this board", "somebody who sees all of it can publish it")
        if self._published(tx.session, asked, asked.period) is not None:
            raise Conflict("this result has been published already", "read it; it does not change any more")
        version = asked.document.scheme.version
        known = PublishedView(id=new_id("pub"), at=now, by=actor.id, version=version)
        board = self._count(tx.session, asked, sight, None).model_copy(update={"published": known})
        tx.session.add(
            PublishedRow(
                id=known.id,
                scheme=board.scheme,
                object=asked.kind,
                level=asked.stored_level,
                period=asked.period.kind,
                first=asked.period.first.isoformat(),
                version=version,
                at=now,
                by=actor.id,
                document=board.model_dump(mode="json"),
            )
        )
        tx.session.flush()
        period = {"kind": asked.period.kind, "first": asked.period.first.isoformat()}
        detail = {"published": known.id, "version": version, "object": asked.kind, "period": period}
        self._audit.record(tx, now, actor.id, "evaluate.publish", board.scheme, detail)
        self._outbox.record(tx, PUBLISHED, board.scheme, now, {"scheme": board.scheme, "actor": actor.id, **detail})
        return shown.seen(board, sight, ALL_ROWS)

    def _listed(
        self, session: Session, actor: Actor, asked: Asked, counts: list[str], row: str, paged: Paging
    ) -> Page[FigureCase]:
        if not counts:
            return Page(items=[], total=0, page=paged.page, size=paged.size)
        window = Window.of(asked.period, asked.now)
        where = and_(
            self._behind.condition(asked.document, counts, window, self._objects(asked, row)),
            self._door.scope(actor, ENTITY).where(COLUMNS),
            self._door.scope(actor, "case").where(behind.CASE_COLUMNS),
        )
        items = self._behind.page(session, asked.document, counts, window, where, paged)
        return Page(items=items, total=self._behind.total(session, where), page=paged.page, size=paged.size)

    def _objects(self, asked: Asked, row: str) -> ColumnElement[bool]:
        """Steps of one row of the board; the empty row is the whole."""
        column = COLUMNS[OBJECT_COLUMN[asked.kind]]
        if row == WHOLE:
            return and_(True)
        if asked.kind != "area":
            return column == row
        codes = self._sheets.areas_below(row, asked.level)
        if not codes:
            raise NotFound(f"there is no area '{row[:60]}' at the level '{asked.level}'", "see GET /api/v1/city/areas")
        return column.in_(codes)

    def note_report(self, actor: Actor, board: Board, form: str) -> None:
        """Leave an audit line for a report that was handed out."""
        detail = {"format": form, "object": board.object, "period": board.period.title.en, "version": board.version}
        self._note(actor, "evaluate.report", board.scheme, detail)

    def _note(self, actor: Actor, act: str, subject: str, detail: dict[str, Any]) -> None:
        with self._database.transaction() as tx:
            self._audit.record(tx, self.city.clock.now(), actor.id, act, subject, detail)


def _view(row: PublishedRow) -> PublishedView:
    return PublishedView(id=row.id, at=row.at, by=row.by, version=row.version)

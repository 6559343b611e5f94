"""Reading cases: lists, one case with everything on its page, files and map points. All through the door."""

from __future__ import annotations

import builtins
from datetime import datetime
from typing import Any

from fastapi import Response
from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from cityloop.access.actor import Actor
from cityloop.access.audit import Audit
from cityloop.access.door import Door, Scope
from cityloop.cases import entries, nearby
from cityloop.cases.attachments import Attachments
from cityloop.cases.definitions import Book
from cityloop.cases.intake import TitleOf
from cityloop.cases.listings import ENTITY, Listings
from cityloop.cases.models import CaseRow, TimelineRow
from cityloop.cases.mover import Mover, Wish
from cityloop.cases.offers import offers
from cityloop.cases.refusals import able
from cityloop.cases.schemas import CaseDetail, CaseFilter, CaseView, MoveOffer, Petitioner, Supervision, TimelineEntry
from cityloop.cases.store import load
from cityloop.cases.values import Case, scoped
from cityloop.cases.views import Views, light
from cityloop.city.service import City
from cityloop.core.database import Database
from cityloop.core.errors import AccessDenied, Conflict, NotFound
from cityloop.core.prepared import Prepared
from cityloop.core.values import Page, Title
from cityloop.core.web import EXPORT_LIMIT, ExportFormat, Paging, export

SENSITIVE = frozenset({"reporter_name", "reporter_phone"})
_PETITIONER = ("number", "channel", "opened_at", "reporter_name", "reporter_phone")
POINTS = 5000
"""Most points of one GeoJSON answer, the newest first."""
_TABLE = CaseRow.__table__
_LINE = TimelineRow.__table__.c
_LINES = (*(name for name in TimelineEntry.model_fields if name not in ("title", "actor_name")), "actor_zh", "actor_en")
_TIMELINE = Prepared(
    select(*[_LINE[name] for name in _LINES]).where(_LINE.case == bindparam("case")).order_by(_LINE.seq)
)
_HEADINGS = {
    "number": ("案件号", "Number"),
    "title": ("标题", "Title"),
    "state_title": ("状态", "State"),
    "matter": ("事项代码", "Matter key"),
    "matter_title": ("事项", "Matter"),
    "matter_class": ("大类", "Class"),
    "district_title": ("区", "District"),
    "area": ("辖区代码", "Area"),
    "address": ("地址", "Address"),
    "lon": ("经度", "Longitude"),
    "lat": ("纬度", "Latitude"),
    "channel": ("来源", "Channel"),
    "external_number": ("外部编号", "Outside number"),
    "department_title": ("承办部门", "Department"),
    "handler": ("处置人员", "Handler"),
    "opened_at": ("上报时间", "Opened"),
    "due_at": ("截止时间", "Due"),
    "light": ("灯色", "Light"),
    "closed_at": ("结案时间", "Closed"),
    "on_time": ("按时", "On time"),
    "rework": ("返工次数", "Reworks"),
    "series": ("回放数据", "Replayed series"),
}


class Reading:
    """Everything that only looks."""

    def __init__(
        self,
        *,
        database: Database,
        door: Door,
        audit: Audit,
        city: City,
        book: Book,
        views: Views,
        mover: Mover,
        attachments: Attachments,
        title_of: TitleOf,
    ) -> None:
        self._title_of = title_of
        self._database = database
        self._door = door
        self._audit = audit
        self._city = city
        self._book = book
        self._views = views
        self._mover = mover
        self._attachments = attachments
        self._listings = Listings(book, door)

    def list(self, actor: Actor, wanted: CaseFilter, paged: Paging) -> Page[CaseView]:
        """One page; ``total`` counts what the actor may see under the filter."""
        now, listing = self._city.clock.now(), self._listings.of(actor, wanted, paged.sort)
        with self._database.asking() as connection:
            total = listing.total(connection, now)
            items = [self._views.view(case, now) for case in listing.cases(connection, now, paged.offset, paged.size)]
        return Page(items=items, total=total, page=paged.page, size=paged.size)

    def export(self, actor: Actor, wanted: CaseFilter, form: ExportFormat) -> Response:
        """The list as a file, headed in the city's language; at most :data:`EXPORT_LIMIT` rows, and it says so."""
        language = self._city.language
        columns = [(name, zh if language == "zh" else en) for name, (zh, en) in _HEADINGS.items()]
        rows = [self._plain(view) for view in self._some(actor, wanted, EXPORT_LIMIT + 1)]
        if len(rows) > EXPORT_LIMIT:
            cut = "列表在此截断，请缩小筛选范围" if language == "zh" else "the list is cut here: narrow the filter"
            rows = [*rows[:EXPORT_LIMIT], {"number": cut}]
        with self._database.transaction() as tx:
            detail = {
                "format": form,
                "rows": len(rows),
                "filter": wanted.model_dump(mode="json", exclude_defaults=True),
            }
            self._audit.record(tx, self._city.clock.now(), actor.id, "case.export", "cases", detail)
        return export("cases", form, columns, rows)

    def geojson(self, actor: Actor, wanted: CaseFilter) -> dict[str, Any]:
        """The newest :data:`POINTS` cases as points, longitude first."""
        names = ("id", "number", "title", "state", "light", "department")
        features = [
            {
                "type": "Feature",
                "geometry": {"type": "Point", "coordinates": [view.lon, view.lat]},
                "properties": {name: getattr(view, name) for name in names},
            }
            for view in self._some(actor, wanted, POINTS)
        ]
        return {"type": "FeatureCollection", "features": features}

    def get(self, actor: Actor, key: str) -> CaseDetail:
        """One case by id or number; unmasked personal fields leave an audit line."""
        scope = self._door.scope(actor, ENTITY)
        with self._database.reading() as session:
            case = self.seen(session, scope, key)
            detail = self._detail(session, actor, scope, case)
        shown = [name for name in sorted(SENSITIVE - set(scope.masks)) if getattr(case, name)]
        if shown:
            with self._database.transaction() as tx:
                self._audit.record(tx, self._city.clock.now(), actor.id, "case.read", case.id, {"unmasked": shown})
        return detail

    def after_act(self, actor: Actor, case: Case) -> CaseDetail:
        """The case after the actor's own act, although it may just have left the actor's rows.

        Who may report but sees no cases (a machine) gets the bare case back, without people, timeline and moves.
        Raises :class:`Conflict` when a repeated report hit a case that somebody else reported, out of sight.
        """
        try:
            scope = self._door.scope(actor, ENTITY)
        except AccessDenied:
            scope = None
        with self._database.reading() as session:
            if scope is not None and (scope.lets(scoped(case)) or case.updated_by == actor.id):
                return self._detail(session, actor, scope, case)
            reporter = session.scalar(
                select(TimelineRow.actor).where(TimelineRow.case == case.id, TimelineRow.seq == 1)
            )
        if reporter != actor.id:
            raise Conflict("this outside number belongs to a case that you cannot see", "use a number of your own")
        return self._bare(case)

    def _bare(self, case: Case) -> CaseDetail:
        return CaseDetail.model_construct(
            **self._views.values(case, self._city.clock.now()),
            description=case.description,
            entity=case.entity,
            entity_title=None,
            reporter_name=None,
            reporter_phone=None,
            rating=None,
            deadline=None,
            dispatch_reason=None,
            supervision=None,
            petitioners_list=[],
            attachments=[],
            tasks=[],
            timeline=[],
            moves=[],
            nearby=[],
        )

    def seen(self, session: Session, scope: Scope, key: str) -> Case:
        """The case, if it exists and the actor may see it: the answer to both is the same."""
        case = load(session, key)
        if case is None or not scope.lets(scoped(case)):
            raise missing(key)
        return case

    def _detail(self, session: Session, actor: Actor, scope: Scope, case: Case) -> CaseDetail:
        now = self._city.clock.now()
        covered = scope.cover({"reporter_name": case.reporter_name, "reporter_phone": case.reporter_phone})
        return CaseDetail.model_construct(
            **self._views.values(case, now),
            **covered,
            rating=case.rating,
            description=case.description,
            entity=case.entity,
            entity_title=self._title_of(actor, case.entity) if case.entity else None,
            deadline=self._mover.rules.view(case, light(case, now), now),
            dispatch_reason=Title(**case.dispatch_reason) if case.dispatch_reason else None,
            supervision=Supervision.model_validate(case.supervision) if case.supervision else None,
            petitioners_list=self._petitioners(session, scope, case),
            attachments=self._attachments.of(session, case.id),
            tasks=self._mover.parts.views(session, actor, case, now),
            timeline=self._timeline(session, case),
            moves=self._offers(session, actor, case, now),
            nearby=self._nearby(session, scope, case, now),
        )

    def _offers(self, session: Session, actor: Actor, case: Case, now: datetime) -> builtins.list[MoveOffer]:
        workflow = self._book.of(case.workflow, case.filed)
        posts = self._door.policy.posts
        return offers(
            workflow.moves_from.get(case.state, ()),
            lambda move: self._mover.ask(session, actor, case, move, Wish(move.id), now),
            lambda permission: self._door.may(actor, permission),
            lambda move: [posts[name].title for name in able(self._door.policy, move)],
        )

    def _timeline(self, session: Session, case: Case) -> builtins.list[TimelineEntry]:
        workflow = self._book.of(case.workflow, case.filed)
        return [
            _entry(row, move.title if (move := workflow.move_by_id.get(row["move"])) else None)
            for row in _TIMELINE.mappings(session, case=case.id)
        ]

    def _petitioners(self, session: Session, scope: Scope, case: Case) -> builtins.list[Petitioner]:
        """Who else reported this: the cases merged into it, reporters covered as the actor's sight wants it."""
        if not case.petitioners:
            return []
        rows = session.execute(select(_TABLE).where(_TABLE.c.merged_into == case.id).order_by(_TABLE.c.opened_at))
        return [
            Petitioner(case=row["id"], **scope.cover({name: row[name] for name in _PETITIONER}))
            for row in rows.mappings()
        ]

    def _nearby(self, session: Session, scope: Scope, case: Case, now: datetime) -> builtins.list[CaseView]:
        """The duplicate guard around an open case, as far as the actor may see."""
        rule = self._book.current.duplicate
        if not case.open:
            return []
        found = [other for other in nearby.listed_near(session, case, rule, now) if scope.lets(scoped(other))]
        return [self._views.view(other, now) for other in nearby.nearest(case, found, rule)]

    def _some(self, actor: Actor, wanted: CaseFilter, most: int) -> builtins.list[CaseView]:
        now, listing = self._city.clock.now(), self._listings.of(actor, wanted, "")
        with self._database.asking() as connection:
            return [self._views.view(case, now) for case in listing.cases(connection, now, 0, most)]

    def _plain(self, view: CaseView) -> dict[str, Any]:
        """Titles in the city's language, times in the city's zone."""
        row: dict[str, Any] = {}
        for name in _HEADINGS:
            value = getattr(view, name)
            if isinstance(value, Title):
                value = value.zh if self._city.language == "zh" else value.en
            row[name] = value.astimezone(self._city.zone) if isinstance(value, datetime) else value
        return row


def missing(key: str) -> NotFound:
    """What everybody is told who asks for a case that is not there, or not for them."""
    return NotFound(
        f"there is no case '{key[:60]}' within your sight", "check the number; GET /api/v1/cases lists yours"
    )


def _entry(row: dict[str, Any], title: Title | None) -> TimelineEntry:
    """One line of a timeline; what is no move of the workflow has its title in :mod:`cityloop.cases.entries`."""
    move, name = row["move"], Title(zh=row.pop("actor_zh"), en=row.pop("actor_en"))
    found = title or entries.TITLES.get(move) or Title(zh=move, en=move)
    return TimelineEntry.trusted({**row, "title": found, "actor_name": name})

"""The verbs of the quality room. Every answer passes the door: ``quality`` by department, examples by more."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from fastapi import Response

from cityloop.access.actor import SYSTEM, Actor
from cityloop.access.audit import Audit
from cityloop.access.door import Door, Protected, Scope
from cityloop.cases.service import CaseDesk
from cityloop.city.service import City
from cityloop.core.database import Database, Transaction
from cityloop.core.errors import AccessDenied, Fault, Invalid, NotFound
from cityloop.core.ids import new_id
from cityloop.core.outbox import Event, Outbox
from cityloop.core.values import Page, Title, utc
from cityloop.core.web import EXPORT_LIMIT, ExportFormat, Paging, export, export_rows
from cityloop.lake.service import Lake
from cityloop.quality.board import Board, Period
from cityloop.quality.breaches import Breaches
from cityloop.quality.content import Plan, QualityContent, Sample, Terms, plan_faults
from cityloop.quality.evidence import Window, Witness
from cityloop.quality.examine import Examiner
from cityloop.quality.inspector import Inspector
from cityloop.quality.meter import FeedSource, Meter
from cityloop.quality.report import Language, Report
from cityloop.quality.schemas import (
    INSPECTION_HEADINGS,
    BandInfo,
    BreachView,
    By,
    DimensionInfo,
    Example,
    Finding,
    HoursView,
    InspectionDetail,
    InspectionDraft,
    InspectionLine,
    Move,
    SchemeView,
    ScorePage,
    State,
)
from cityloop.quality.scheme import CHECKS, DIMENSIONS, MEANINGS, TITLES, Check
from cityloop.quality.views import FindingFilter, Views

log = logging.getLogger(__name__)
ENTITY = "quality"
READ, RUN = "quality.read", "inspection.run"
_MOST_DAYS, _MOST_HOURS_DAYS = 92, 31
_WEEK, _STRIP = timedelta(days=7), timedelta(hours=48)
_STEPS_A_TICK = 5
_KEPT_SECONDS = 30.0
_WATCH_EVERY = timedelta(minutes=1)


class Quality:
    """Scores, breaches and inspections of one city."""

    def __init__(
        self,
        *,
        database: Database,
        outbox: Outbox,
        door: Door,
        audit: Audit,
        lake: Lake,
        city: City,
        desk: CaseDesk,
        source: FeedSource,
        content: QualityContent,
    ) -> None:
        door.register(Protected(ENTITY, department="department"))
        self._door, self._city, self._content = door, city, content
        self._database = database
        self._meter = Meter(lake, database, source, content.feeds, city.zone)
        self._witness = Witness(self._meter, database)
        self._breaches = Breaches(database, outbox, self._meter, content.scheme)
        departments = {department.id: department.title for department in city.departments.values()}
        self._board = Board(self._meter, content.scheme, self._breaches, departments)
        self._views = Views(database, source, departments)
        self.inspector = Inspector(
            database=database,
            outbox=outbox,
            audit=audit,
            city=city,
            desk=desk,
            meter=self._meter,
            examiner=Examiner(self._meter, self._witness),
            content=content,
        )
        self._watched: datetime | None = None
        self._scores: dict[str, tuple[float, float | None]] = {}
        self.inspector.sync(city.clock.now())
        self._breaches.count()

    def tick(self, now: datetime) -> int:
        """What must happen without anybody asking: watch the feeds, carry inspections on. Returns what was done."""
        done = 0
        if self._watched is None or now - self._watched >= _WATCH_EVERY or now < self._watched:
            done += self._breaches.watch(now)
            self._watched = now
        for _ in range(_STEPS_A_TICK):
            if not self.inspector.step(now):
                break
            done += 1
        return done

    def follow_cases(self, tx: Transaction, events: Sequence[Event]) -> None:
        """Relay handler for ``cityloop.case.moved``."""
        self.inspector.follow(tx, events)

    def score_of(self, feed: str) -> float | None:
        """One feed's score over the last week, for other rooms; ``None`` where nothing was measured on enough cases.

        Asked for every line of a list, it is kept for half a minute.
        """
        kept = self._scores.get(feed)
        if kept is not None and time.monotonic() - kept[0] < _KEPT_SECONDS:
            return kept[1]
        now = self._city.clock.now()
        value = self._board.score_of(feed, Period(now - _WEEK, now, now))
        self._scores[feed] = time.monotonic(), value
        return value

    def fresh(self, feed: str) -> bool | None:
        """Whether a feed is fresh now; ``None`` while it never brought anything."""
        return self._board.fresh(self._meter.terms(feed), self._city.clock.now())

    def scheme(self, actor: Actor) -> SchemeView:
        """How scores come about."""
        self._scope(actor)
        return self._scheme()

    def scores(
        self,
        actor: Actor,
        by: By,
        start: datetime | None,
        end: datetime | None,
        paged: Paging,
        department: str | None,
    ) -> ScorePage:
        """The scoreboard of a period, by default the last seven days."""
        period = self._period(start, end, _WEEK, _MOST_DAYS)
        return self._board.scores(self._scope(actor), by, period, paged, department)

    def export_scores(
        self,
        actor: Actor,
        by: By,
        start: datetime | None,
        end: datetime | None,
        department: str | None,
        form: ExportFormat,
    ) -> Response:
        """The whole scoreboard as a file, each dimension with its numerator and denominator."""
        everything = Paging(page=1, size=EXPORT_LIMIT, sort="")
        board = self.scores(actor, by, start, end, everything, department)
        fixed = self._heads(["对象", "名称", "部门", "得分", "等级"], ["id", "title", "department", "score", "grade"])
        columns = list(zip(("id", "title", "department", "score", "grade"), fixed, strict=True))
        for name in DIMENSIONS:
            title = self._text(TITLES[name])
            columns += [(name, title), (f"{name}_n", f"{title} ↑"), (f"{name}_d", f"{title} ↓")]
        rows = []
        for row in board.items:
            line: dict[str, Any] = row.model_dump(include={"id", "department", "score", "grade"})
            line["title"] = self._text(row.title)
            for part in row.dimensions:
                line |= {part.id: part.score, f"{part.id}_n": part.numerator, f"{part.id}_d": part.denominator}
            rows.append(line)
        return export("quality", form, columns, rows)

    def hours(self, actor: Actor, feed: str, start: datetime | None, end: datetime | None) -> HoursView:
        """A feed hour by hour, by default the last 48 hours."""
        terms, period = self._seen(actor, feed), self._period(start, end, _STRIP, _MOST_HOURS_DAYS)
        grid = self._meter.grid(terms)
        return self._board.hours(terms, replace(period, first=grid.at(grid.index(period.first))))

    def evidence(
        self, actor: Actor, feed: str, dimension: Check, start: datetime | None, end: datetime | None, paged: Paging
    ) -> Page[Example]:
        """The rows, gaps and records in quarantine behind a figure."""
        terms, period = self._seen(actor, feed), self._period(start, end, _WEEK, _MOST_DAYS)
        window = Window(period.first, period.last, period.now, paged.offset, paged.size)
        least = self._content.scheme.least(dimension, terms.completeness)
        items, total = self._witness.of(feed, dimension, window, Sample(), least)
        shown = [self._covered(actor, terms.department, feed, item) for item in items]
        return Page(items=shown, total=total, page=paged.page, size=paged.size)

    def breaches(self, actor: Actor, paged: Paging, is_open: bool | None, feed: str | None) -> Page[BreachView]:
        """Feeds that are or were stale or incomplete."""
        return self._breaches.page(self._scope(actor), paged, is_open, feed)

    def inspections(self, actor: Actor, paged: Paging, state: State | None, plan: str | None) -> Page[InspectionLine]:
        """All inspections, each with what the actor may see of it."""
        return self._views.page(self._scope(actor), self._door.may(actor, RUN), paged, state, plan)

    def export_inspections(self, actor: Actor, state: State | None, plan: str | None, form: ExportFormat) -> Response:
        """The same list as a file, headed in the city's language."""
        rows = self.inspections(actor, Paging(page=1, size=EXPORT_LIMIT, sort=""), state, plan).items
        chinese = self._city.language == "zh"
        return export_rows("inspections", form, INSPECTION_HEADINGS, rows, chinese=chinese, zone=self._city.zone)

    def inspection(self, actor: Actor, inspection: str) -> InspectionDetail:
        """One inspection."""
        return self._views.detail(self._scope(actor), self._door.may(actor, RUN), inspection)

    def plan(self, actor: Actor, draft: InspectionDraft) -> InspectionDetail:
        """Plan an inspection; raises :class:`Invalid` with every fault by field."""
        self._door.permit(actor, RUN)
        values = draft.model_dump(exclude={"planned_for", "owner", "checks"})
        given = tuple(check for check in CHECKS if check in self._content.matters) if not draft.checks else draft.checks
        owner = draft.owner or (actor.posts[0] if actor.posts else "")
        plan = Plan.model_validate({**values, "id": new_id("plan").replace("_", "-"), "checks": given, "owner": owner})
        feeds, matters = list(self._meter.source.mappings), self._content.matters
        faults = [
            Fault(".".join(map(str, key)), what, mend)
            for key, what, mend in plan_faults(plan, self._city, feeds, matters)
        ]
        if not given:
            faults.append(Fault("checks", "no check has a matter for its cases", "name matters in quality.yaml"))
        if faults:
            raise Invalid("the inspection cannot be planned", "correct the fields that are named", faults)
        at = utc(draft.planned_for) if draft.planned_for else None
        identity = self.inspector.plan(actor, plan, at, self._city.clock.now())
        return self.inspection(actor, identity)

    def act(self, actor: Actor, inspection: str, move: Move) -> InspectionDetail:
        """Start, stop, resume, recheck or close an inspection."""
        self._door.permit(actor, RUN)
        self.inspector.act(actor, inspection, move, self._city.clock.now())
        return self.inspection(actor, inspection)

    def findings(self, actor: Actor, inspection: str, wanted: FindingFilter, paged: Paging) -> Page[Finding]:
        """What an inspection found, as far as the actor may see; examples pass the door once more."""
        page = self._views.findings(self._scope(actor), inspection, wanted, paged, self._city.clock.now())
        return page.model_copy(update={"items": [self._shown(actor, item) for item in page.items]})

    def export_findings(self, actor: Actor, inspection: str, wanted: FindingFilter, form: ExportFormat) -> Response:
        """The same list as a file."""
        page = self.findings(actor, inspection, wanted, Paging(page=1, size=EXPORT_LIMIT, sort=""))
        names = ("id", "department", "feed", "check", "state", "share", "least", "reason", "case_number", "case_state",
                 "due_at", "overdue", "attempts")  # fmt: skip
        zh = [
            "编号",
            "部门",
            "数据接入",
            "检查项",
            "状态",
            "实测",
            "要求",
            "说明",
            "案件号",
            "案件状态",
            "截止",
            "超时",
            "复查",
        ]
        columns = list(zip(names, self._heads(zh, list(names)), strict=True))
        rows = [
            {
                **item.model_dump(include=set(names)),
                "department": self._text(item.department_title),
                "feed": self._text(item.feed_title),
                "check": self._text(item.check_title),
                "reason": self._text(item.reason),
                "due_at": item.due_at.astimezone(self._city.zone) if item.due_at else None,
            }
            for item in page.items
        ]
        return export("findings", form, columns, rows)

    def report(self, actor: Actor, inspection: str, form: str, language: Language | None) -> Response:
        """The report as HTML or Excel; a department gets its own part."""
        detail = self.inspection(actor, inspection)
        everything = Paging(page=1, size=EXPORT_LIMIT, sort="department")
        findings = self.findings(actor, inspection, FindingFilter(), everything).items
        tongue: Language = language or ("zh" if self._city.language == "zh" else "en")
        now = self._city.clock.now()
        made = Report(detail, findings, self._scheme(), tongue, self._city.zone, now)
        name = f"inspection-{detail.id}.{form}"
        if form == "html":
            headers = {
                "Content-Disposition": f'inline; filename="{name}"',
                "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'",
            }
            return Response(made.html(), media_type="text/html; charset=utf-8", headers=headers)
        kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
        return Response(made.xlsx(), media_type=kind, headers={"Content-Disposition": f'attachment; filename="{name}"'})

    def run(self, plan: str | None, tell: Callable[[str, int, int], None]) -> tuple[InspectionDetail, list[Finding]]:
        """Start the planned inspection of ``plan`` (or the only one) and work until departments have their cases."""
        known = self._views.page(self._scope(SYSTEM), True, _ALL, "planned", plan).items
        if len(known) != 1:
            ids = ", ".join(sorted({line.plan for line in known})) or "none"
            raise NotFound(f"{len(known)} planned inspections fit", f"name one with --plan; planned: {ids}")
        clock = self._city.clock
        self.inspector.act(SYSTEM, known[0].id, "start", clock.now())
        self.inspector.run(known[0].id, clock.now, tell)
        detail = self.inspection(SYSTEM, known[0].id)
        return detail, self.findings(SYSTEM, known[0].id, FindingFilter(), _ALL).items

    def _scope(self, actor: Actor) -> Scope:
        self._door.permit(actor, READ)
        return self._door.scope(actor, ENTITY)

    def _seen(self, actor: Actor, feed: str) -> Terms:
        scope, terms = self._scope(actor), self._meter.terms(feed)
        if not scope.lets({"department": terms.department}):
            raise NotFound(f"no feed '{feed}' that {actor.id} may see", "GET /api/v1/quality/scores lists them")
        return terms

    def _shown(self, actor: Actor, finding: Finding) -> Finding:
        examples = [self._covered(actor, finding.department, finding.feed, item) for item in finding.examples]
        return finding.model_copy(update={"examples": examples})

    def _covered(self, actor: Actor, department: str, feed: str, item: Example) -> Example:
        """An example as the actor may see it: a refusal's sentence quotes its value, a drawn row shows one."""
        if item.kind == "quarantine":
            scope = self._sight(actor, "quarantine")
            seen = scope is not None and scope.lets({"department": department})
            hidden = self._hidden(scope, feed, item.column)
            plain = Title(zh=f"违反规则 {item.rule}", en=f"breaks the rule {item.rule}")
            return item if seen and not hidden else item.model_copy(update={"reason": plain, "value": None})
        scope = self._sight(actor, "observation")
        if scope is None:
            return item.model_copy(update={"value": None, "record": None})
        covered = scope.cover({item.column: item.value})[item.column] if item.column and item.value else item.value
        return item.model_copy(update={"value": covered})

    def _hidden(self, scope: Scope | None, feed: str, field: str | None) -> bool:
        """Whether the property that a source's field fills is masked or sensitive."""
        mapping = self._meter.source.mappings.get(feed)
        if mapping is None:
            return True
        named = [p for p, source in mapping.declaration.properties.items() if source.field == field]
        masks = scope.masks if scope else {}
        sensitive = {item.id for item in mapping.entity_type.properties if item.sensitivity == "sensitive"}
        return any(name in masks or name in sensitive for name in named)

    def _sight(self, actor: Actor, entity: str) -> Scope | None:
        try:
            return self._door.scope(actor, entity)
        except AccessDenied:
            return None

    def _period(self, start: datetime | None, end: datetime | None, usual: timedelta, most_days: int) -> Period:
        now = self._city.clock.now()
        last = _aware(end, "to") or now
        first = _aware(start, "from") or last - usual
        if first >= last:
            raise Invalid(f"from {first.isoformat()} does not lie before to {last.isoformat()}", "exchange the two")
        if last - first > timedelta(days=most_days):
            raise Invalid(f"the period is longer than {most_days} days", "ask for a shorter one")
        return Period(first, last, now)

    def _scheme(self) -> SchemeView:
        scheme = self._content.scheme
        return SchemeView(
            dimensions=[
                DimensionInfo(
                    id=name,
                    title=TITLES[name],
                    meaning=MEANINGS[name],
                    weight=scheme.dimensions[name].weight,
                    least=scheme.dimensions[name].least,
                )
                for name in DIMENSIONS
            ],
            bands=[BandInfo.model_validate({"grade": band.grade, "from": band.start}) for band in scheme.bands],
            minimum_sample=scheme.minimum_sample,
        )

    def _heads(self, zh: list[str], en: list[str]) -> list[str]:
        return zh if self._city.language == "zh" else en

    def _text(self, title: Title) -> str:
        return title.zh if self._city.language == "zh" else title.en


_ALL = Paging(page=1, size=EXPORT_LIMIT, sort="")


def _aware(instant: datetime | None, name: str) -> datetime | None:
    if instant is not None and instant.tzinfo is None:
        raise Invalid(f"{name}={instant.isoformat()} has no offset", "write +08:00 or Z behind it")
    return utc(instant) if instant else None

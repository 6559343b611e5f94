"""The verbs of watch: take batches, let time pass, list, show and acknowledge warnings, list rules."""

from __future__ import annotations

import builtins
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from fastapi import Response
from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session

from cityloop.access.actor import Actor
from cityloop.access.audit import Audit
from cityloop.access.door import Door, Protected
from cityloop.core.clock import Clock
from cityloop.core.database import Database, Transaction
from cityloop.core.errors import Conflict, Invalid, NotFound
from cityloop.core.outbox import Event, Outbox
from cityloop.core.values import Page, Title
from cityloop.core.web import EXPORT_LIMIT, ExportFormat, Paging, export
from cityloop.lake.service import Lake
from cityloop.standard.batch import ObservationBatch
from cityloop.watch.alerts import Alerts
from cityloop.watch.assigning import PERMISSION, Assigner, People, nobody
from cityloop.watch.backtests import Backtests, Rehearser
from cityloop.watch.cap import Office, message, steps
from cityloop.watch.cap_cases import CapCase
from cityloop.watch.cards import Describe
from cityloop.watch.checking import Known
from cityloop.watch.drafts import Drafts
from cityloop.watch.following import Follower
from cityloop.watch.health import rule_health
from cityloop.watch.keeper import Keeper
from cityloop.watch.locality import Locality
from cityloop.watch.models import WarningChangeRow, WarningRow
from cityloop.watch.mutes import Mutes
from cityloop.watch.rule_schemas import NewRuleVersion, RuleBookEntry
from cityloop.watch.rulebook import Rulebook
from cityloop.watch.rules import Rule
from cityloop.watch.schemas import (
    CapReceipt,
    Level,
    MuteView,
    NewAssignment,
    NewMute,
    NewOutcome,
    RuleHealth,
    RuleView,
    SimilarWarnings,
    WarningDetail,
    WarningFilter,
    WarningView,
)
from cityloop.watch.shelf import Shelf
from cityloop.watch.similar import similar
from cityloop.watch.store import Store
from cityloop.watch.trace import Voice
from cityloop.watch.views import detail, rule_view, view

_SORTS = {"raised_at": WarningRow.raised_at, "updated_at": WarningRow.updated_at, "level": WarningRow.rank}
_COLUMNS: dict[str, ColumnElement[Any]] = {
    "department": WarningRow.department.expression,
    "area": WarningRow.area.expression,
}
_EXPORTED = (
    *("id", "rule", "title", "message", "entity", "entity_title", "level", "peak", "status", "value", "unit"),
    *("threshold", "raised_at", "cleared_at", "acknowledged_at", "acknowledged_by", "area", "department", "assignee"),
    *("case_number", "series"),
)


class Watch:
    """Watches the city by its rules. ``voice`` is the language of exports and the zone of traces."""

    def __init__(
        self,
        *,
        database: Database,
        outbox: Outbox,
        door: Door,
        audit: Audit,
        lake: Lake,
        rules: Sequence[Rule],
        describe: Describe,
        clock: Clock,
        voice: Voice | None = None,
        locality: Locality = Locality(),
        known: Known = Known(),
        office: Office | None = None,
        people: People = nobody,
        cap_cases: Sequence[CapCase] = (),
    ) -> None:
        self._database, self._outbox, self._door, self._audit, self._clock = database, outbox, door, audit, clock
        self._voice, self._locality = voice or Voice(), locality
        self._office = office or Office("cityloop", Title(zh="城市运行管理", en="City operations"), self._voice.zone)
        self.on_adopted: builtins.list[Callable[[Mapping[str, Rule]], None]] = []
        """Told of the rules in force whenever they have changed."""
        self.rulebook = Rulebook(
            database=database, outbox=outbox, door=door, audit=audit, packs=rules, known=known, adopt=self._adopt
        )
        rehearser = Rehearser(database, lake, describe, lambda: self._rules, locality)
        shelf = Shelf(database)
        self.backtests = Backtests(door=door, clock=clock, rulebook=self.rulebook, rehearser=rehearser, shelf=shelf)
        self.drafts = Drafts(
            door=door, clock=clock, rulebook=self.rulebook, rehearser=rehearser, describe=describe, known=known
        )
        self._mutes = Mutes(database, door, audit, lambda: self._rules)
        self._store = Store(outbox, audit, self._voice.zone, self._mutes.quiet)
        self._keeper = Keeper(database, lake, self._store, tuple(self._rules.values()), describe, clock.now, locality)
        self._follower = Follower(database, self._store, self._mutes, describe, lambda: self._rules)
        self._alerts = Alerts(database, door, self._store, describe, clock.now, cap_cases)
        self._assigner = Assigner(door, people, known.departments)
        door.register(Protected(entity="warning", department="department", area="area"))
        door.register(Protected(entity="rule"))

    @property
    def errors(self) -> dict[str, str]:
        """The last error of every rule, and of every entity type that cannot be watched; empty when all is well."""
        return dict(self._keeper.errors)

    def observe(self, batch: ObservationBatch) -> None:
        """Evaluate one committed batch. Call it outside any database transaction."""
        self._keeper.observe(batch)

    def catch_up(self) -> None:
        """On start, before feeds open: warm the windows and take what was committed while nobody watched."""
        self._keeper.catch_up()

    def tick(self, now: datetime) -> None:
        """Let holds end and silence speak, remind and escalate; call it every second or so."""
        self._keeper.tick(now)
        if self._follower.tick(now):
            self._alerts.step(now)

    def list(self, actor: Actor, wanted: WarningFilter, paged: Paging) -> Page[WarningView]:
        """Warnings within the actor's scope."""
        query = self._seen(actor).where(*_conditions(wanted))
        with self._database.reading() as session:
            total = session.scalar(select(func.count()).select_from(query.subquery())) or 0
            rows = session.scalars(query.order_by(*_order(paged.sort)).offset(paged.offset).limit(paged.size))
            items = [view(row) for row in rows]
        return Page(items=items, total=total, page=paged.page, size=paged.size)

    def export(self, actor: Actor, wanted: WarningFilter, form: ExportFormat) -> Response:
        """The same list as a file, newest first."""
        query = self._seen(actor).where(*_conditions(wanted)).order_by(*_order("")).limit(EXPORT_LIMIT)
        with self._database.reading() as session:
            rows = [_flat(view(row), self._voice) for row in session.scalars(query)]
        with self._database.transaction() as tx:
            told = {"rows": len(rows), "filter": wanted.model_dump(mode="json", exclude_defaults=True)}
            self._audit.record(tx, self._clock.now(), actor.id, "warning.export", "warning", told)
        return export("warnings", form, [(name, name) for name in _EXPORTED], rows)

    def get(self, actor: Actor, warning: str) -> WarningDetail:
        """One warning with evidence and history; raises :class:`NotFound` outside the actor's scope too."""
        query = self._seen(actor)
        with self._database.reading() as session:
            return self._detail(session, query, warning)

    def cap(self, actor: Actor, warning: str, number: int | None) -> bytes:
        """One message of a warning's chain as CAP 1.2, the newest by default; raises :class:`NotFound`."""
        detail = self.get(actor, warning)
        told = len(steps(detail))
        wanted = told - 1 if number is None else number
        if not 0 <= wanted < told:
            raise NotFound(f"'{warning}' has no message {wanted}", f"it has {told}; a muted warning has none")
        rule = self._rules.get(detail.rule)
        shape = self._locality.shape(detail.area) if detail.area else None
        return message(detail, wanted, self._office, shape, rule.category if rule else "Other")

    def take_cap(self, actor: Actor, body: bytes) -> CapReceipt:
        """Act on a CAP 1.2 message of somebody else; see :class:`Alerts`."""
        return self._alerts.take(actor, body)

    def acknowledge(self, actor: Actor, warning: str) -> WarningDetail:
        """Say that somebody has seen it; a second time changes nothing."""
        self._door.permit(actor, "warning.acknowledge")
        query = self._seen(actor)
        with self._database.transaction() as tx:
            row = _found(tx.session, query, warning)
            if row.acknowledged_at is None:
                self._store.acknowledge(tx, row, actor, self._clock.now())
            tx.flush()
            return self._detail(tx.session, query, warning)

    def rules(self, actor: Actor) -> builtins.list[RuleView]:
        """All rules; warnings are counted within the actor's scope."""
        if not self._door.scope(actor, "rule").lets({}):
            return []
        seen = self._seen(actor).subquery()
        query = select(seen.c.rule, seen.c.level, seen.c.status == "open", func.count())
        open_levels: dict[str, Counter[Level]] = defaultdict(Counter)
        fired: Counter[str] = Counter()
        with self._database.reading() as session:
            for rule, level, still, count in session.execute(query.group_by(*query.selected_columns[:3])):
                fired[rule] += count
                if still:
                    open_levels[rule][level] += count
        errors, wanting = self._keeper.errors, self._keeper.wanting
        return [
            rule_view(rule, open_levels[rule.id], fired[rule.id], errors.get(rule.id), wanting.get(rule.id))
            for rule in self._rules.values()
        ]

    def similar(self, actor: Actor, warning: str) -> SimilarWarnings:
        """Earlier warnings of the same rule and thing or area, and how they ended; raises :class:`NotFound`."""
        query = self._seen(actor)
        with self._database.reading() as session:
            return similar(session, query, _found(session, query, warning))

    def health(self, actor: Actor, days: int) -> builtins.list[RuleHealth]:
        """How every rule served in the last days, by the warnings within the actor's scope."""
        if not self._door.scope(actor, "rule").lets({}):
            return []
        with self._database.reading() as session:
            return rule_health(session, self._seen(actor), self._rules, self.errors, self._clock.now(), days)

    def label(self, actor: Actor, warning: str, wish: NewOutcome) -> WarningDetail:
        """Say what a warning turned out to be; said again, the last word counts."""
        self._door.permit(actor, "warning.label")
        query = self._seen(actor)
        with self._database.transaction() as tx:
            self._store.label(tx, _found(tx.session, query, warning), wish, actor, self._clock.now())
            tx.flush()
            return self._detail(tx.session, query, warning)

    def assign(self, actor: Actor, warning: str, wish: NewAssignment) -> WarningDetail:
        """Give a warning to a department or a person; who gives it away may not see it any more.

        Raises :class:`Conflict` for one that has cleared, :class:`Invalid` for somebody who cannot take it.
        """
        self._door.permit(actor, PERMISSION)
        query = self._seen(actor)
        with self._database.transaction() as tx:
            row = _found(tx.session, query, warning)
            if row.status != "open":
                raise Conflict(f"'{warning}' has cleared", "only an open warning is assigned")
            self._store.assign(tx, row, wish, self._assigner.taker(row, wish), actor, self._clock.now())
            tx.flush()
            return self._detail(tx.session, select(WarningRow), warning)

    def mutes(self, actor: Actor, every: bool) -> builtins.list[MuteView]:
        """Silences and maintenance windows; with ``every`` also the past ones."""
        return self._mutes.list(actor, self._clock.now(), every)

    def mute(self, actor: Actor, wish: NewMute) -> MuteView:
        """Keep warnings quiet for a reason and a time."""
        made = self._mutes.make(actor, wish, self._clock.now())
        self._follower.step(self._clock.now())
        return made

    def unmute(self, actor: Actor, mute: str) -> MuteView:
        """Let them speak again at once."""
        ended = self._mutes.end(actor, mute, self._clock.now())
        self._follower.step(self._clock.now())
        return ended

    @property
    def _rules(self) -> Mapping[str, Rule]:
        return self.rulebook.rules

    def change_rule(self, actor: Actor, wish: NewRuleVersion) -> RuleBookEntry:
        """Put an explained change of a rule into force; see :class:`Rulebook`."""
        return self.rulebook.apply(actor, wish, self._clock.now())

    def _adopt(self, rules: Mapping[str, Rule]) -> None:
        self._keeper.adopt(tuple(rules.values()))
        for told in self.on_adopted:
            told(rules)

    def link_cases(self, tx: Transaction, events: Sequence[Event]) -> None:
        """Relay handler of ``cityloop.case.moved``: note on a warning which case answers it.

        ``linked_warning`` of an event names a warning that joined a case opened by another one.
        """
        for event in events:
            case = event.data["case"]
            for warning in warnings_of(event):
                row = tx.session.get(WarningRow, warning)
                if row is not None and row.case != case["id"]:
                    self._store.link(tx, row, case["id"], case["number"], event.time)

    def _seen(self, actor: Actor) -> Select[WarningRow]:
        scope = self._door.scope(actor, "warning")
        return select(WarningRow).where(scope.where(_COLUMNS))

    def _detail(self, session: Session, query: Select[WarningRow], warning: str) -> WarningDetail:
        row = _found(session, query, warning)
        steps = select(WarningChangeRow).where(WarningChangeRow.warning == row.id).order_by(WarningChangeRow.seq)
        return detail(row, session.scalars(steps).all())


def warnings_of(event: Event) -> set[str]:
    """The warnings that an event of a case answers."""
    named = event.data["case"].get("warning"), event.data.get("linked_warning")
    return {warning for warning in named if warning}


def _conditions(wanted: WarningFilter) -> Sequence[ColumnElement[bool]]:
    equal = {
        WarningRow.status: wanted.status,
        WarningRow.rule: wanted.rule,
        WarningRow.entity: wanted.entity,
        WarningRow.series: wanted.series,
        WarningRow.outcome: wanted.outcome,
        WarningRow.assignee: wanted.assignee,
        WarningRow.department: wanted.department,
        WarningRow.entity_type: wanted.entity_type,
    }
    found: builtins.list[ColumnElement[bool]] = [column == value for column, value in equal.items() if value]
    if wanted.level:
        found.append(WarningRow.level.in_(wanted.level))
    if wanted.area:
        found.append(WarningRow.area.startswith(wanted.area, autoescape=True))
    if wanted.muted is not None:
        found.append(WarningRow.muted.is_not(None) if wanted.muted else WarningRow.muted.is_(None))
    if wanted.acknowledged is not None:
        seen = WarningRow.acknowledged_at
        found.append(seen.is_not(None) if wanted.acknowledged else seen.is_(None))
    if wanted.start:
        found.append(WarningRow.raised_at >= wanted.start)
    if wanted.end:
        found.append(WarningRow.raised_at < wanted.end)
    return found


def _order(sort: str) -> tuple[ColumnElement[Any], ColumnElement[Any]]:
    name, down = (sort[1:], True) if sort.startswith("-") else (sort or "raised_at", not sort)
    if name not in _SORTS:
        raise Invalid(f"warnings cannot be sorted by '{name}'", f"sort by {', '.join(_SORTS)}, with - for descending")
    column = _SORTS[name]
    return (column.desc(), WarningRow.id.desc()) if down else (column.asc(), WarningRow.id.asc())


def _found(session: Session, query: Select[WarningRow], warning: str) -> WarningRow:
    row = session.scalar(query.where(WarningRow.id == warning))
    if row is None:
        raise NotFound(f"there is no warning '{warning}'", "list warnings with GET /api/v1/warnings")
    return row


def _flat(warning: WarningView, voice: Voice) -> dict[str, Any]:
    values = dict(warning)
    titles = {name: voice.say(title.zh, title.en) for name, title in values.items() if isinstance(title, Title)}
    return values | titles

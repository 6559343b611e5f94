"""Writes decisions: warning, history, standing, event and audit line, all in the one transaction of the caller."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, tzinfo
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from cityloop.access.actor import SYSTEM, Actor
from cityloop.access.audit import Audit
from cityloop.core.database import Transaction
from cityloop.core.ids import new_id
from cityloop.core.outbox import Outbox
from cityloop.core.values import Title
from cityloop.standard.batch import EntityCard
from cityloop.watch import trace
from cityloop.watch.guard import Standing
from cityloop.watch.judging import Decision, Outcome
from cityloop.watch.models import RuleStateRow, WarningChangeRow, WarningRow, WatchCursorRow
from cityloop.watch.recent import Point
from cityloop.watch.rules import LEVELS, Escalation, Rule
from cityloop.watch.schemas import Evidence, Level, ModelEvidence, Muted, NewAssignment, NewOutcome
from cityloop.watch.telemetry import WARNINGS
from cityloop.watch.views import view

EVENTS = {
    "raised": "cityloop.warning.raised",
    "unmuted": "cityloop.warning.raised",
    "level": "cityloop.warning.level",
    "cleared": "cityloop.warning.cleared",
    "acknowledged": "cityloop.warning.acknowledged",
    "muted": "cityloop.warning.muted",
    "reminder": "cityloop.warning.reminder",
    "escalated": "cityloop.warning.escalated",
    "labelled": "cityloop.warning.labelled",
    "assigned": "cityloop.warning.assigned",
}
"""The event of each step. To the rest of the house a muted warning is raised when it begins to speak."""
MOST_POINTS = 200
"""Records kept as evidence of one warning: the newest of its window."""

_RANKS: list[str] = list(LEVELS)
_OUTCOMES = {"true": ("属实", "true"), "false": ("误报", "a false alarm"), "drill": ("演练", "a drill")}
Points = Callable[[Rule, Decision], Sequence[Point]]


@dataclass(frozen=True)
class Finding:
    """A decision with what it needs to become a warning."""

    rule: Rule
    decision: Decision
    card: EntityCard
    model: ModelEvidence | None = None


@dataclass(frozen=True)
class Step:
    """One step in a warning's life."""

    what: str
    level: str | None
    value: float
    reason: Title
    evidence: dict[str, Any]
    actor: str | None = None
    more: Mapping[str, Any] = field(default_factory=dict)
    """Further members of its event."""


Quieter = Callable[[Session, Rule, EntityCard, datetime], Muted | None]
"""Why a warning of a rule and of the thing on a card is to be kept quiet now, if it is."""


class Store:
    """Makes decisions durable. ``zone`` is that of the instants in traces."""

    def __init__(self, outbox: Outbox, audit: Audit, zone: tzinfo, quiet: Quieter) -> None:
        self._outbox, self._audit, self._zone, self._quiet = outbox, audit, zone, quiet

    def apply(self, tx: Transaction, finding: Finding, points: Sequence[Point], now: datetime) -> None:
        """Open, change or clear the one warning of a rule and an entity."""
        row = open_warning(tx, finding.rule.id, finding.decision.entity)
        if row is None and finding.decision.outcome is not Outcome.CLEAR:
            self._raise(tx, finding, points, now)
        elif row is not None and finding.decision.outcome is Outcome.CLEAR:
            self.clear(tx, row, finding.decision.value, _reason(finding), now, self._told(finding, points))
        elif row is not None:
            self._level(tx, row, finding, points, now)

    def clear(
        self, tx: Transaction, row: WarningRow, value: float, reason: Title, now: datetime, evidence: dict[str, Any]
    ) -> None:
        """Close an open warning."""
        row.status, row.cleared_at, row.updated_at = "cleared", now, now
        self._step(tx, row, Step("cleared", None, value, reason, evidence))

    def withdraw(self, tx: Transaction, row: WarningRow, now: datetime) -> None:
        """Close a warning whose rule is no longer in the packs."""
        reason = Title(zh="规则已停用，预警随之解除", en="the rule was withdrawn, and its warning with it")
        self.clear(tx, row, math.nan, reason, now, _said(reason))

    def acknowledge(self, tx: Transaction, row: WarningRow, actor: Actor, now: datetime) -> None:
        """Note who has seen it first."""
        row.acknowledged_at, row.acknowledged_by, row.updated_at = now, actor.id, now
        reason = Title(zh=f"{actor.name.zh}已确认", en=f"acknowledged by {actor.name.en}")
        step = Step("acknowledged", row.level, row.value, reason, _said(reason), actor.id)
        self._step(tx, row, step)

    def link(self, tx: Transaction, row: WarningRow, case: str, number: str, now: datetime) -> None:
        """Note the case that answers a warning."""
        row.case, row.case_number = case, number
        data = {"warning": view(row).model_dump(mode="json"), "evidence": _said()}
        self._outbox.record(tx, "cityloop.warning.linked", row.id, now, data)
        self._audit.record(tx, now, SYSTEM.id, "warning.linked", row.id, {"case": case})

    def open(
        self, tx: Transaction, row: WarningRow, reason: Title, evidence: dict[str, Any], muted: Muted | None = None
    ) -> None:
        """Add a new warning, which speaks unless it is muted."""
        row.muted = muted.model_dump(mode="json") if muted else None
        tx.session.add(row)
        tx.session.flush()
        what, why = ("muted", _kept(muted, reason)) if muted else ("raised", reason)
        self._step(tx, row, Step(what, row.level, row.value, why, evidence))
        tx.after_commit(WARNINGS.labels(row.rule, row.level).inc)

    def relevel(
        self, tx: Transaction, row: WarningRow, level: Level, reason: Title, now: datetime, evidence: dict[str, Any]
    ) -> None:
        """Give an open warning the level that others say it has."""
        row.updated_at = now
        self._lift(row, level)
        self._step(tx, row, Step("level", row.level, row.value, reason, evidence))

    def mute(self, tx: Transaction, row: WarningRow, muted: Muted | None, now: datetime) -> None:
        """Keep an open warning quiet, or let it speak again."""
        row.muted, row.updated_at = muted.model_dump(mode="json") if muted else None, now
        reason = _kept(muted) if muted else Title(zh="静默结束，预警仍在", en="no longer kept quiet, and still open")
        if muted is None:
            row.heard_at, row.reminded, row.reminded_at = now, None, None
        self._step(tx, row, Step("muted" if muted else "unmuted", row.level, row.value, reason, _said(reason)))

    def remind(self, tx: Transaction, row: WarningRow, now: datetime) -> None:
        """Say again what nobody has acknowledged."""
        row.reminded, row.reminded_at, row.updated_at = (row.reminded or 0) + 1, now, now
        reason = Title(zh=f"仍无人确认，第{row.reminded}次提醒", en=f"not acknowledged yet: reminder {row.reminded}")
        self._step(tx, row, Step("reminder", row.level, row.value, reason, _said(reason)))

    def escalate(self, tx: Transaction, row: WarningRow, step: Escalation, now: datetime) -> None:
        """Tell the next department, and raise the level where the step says so."""
        row.updated_at = now
        if step.level:
            row.floor = _higher(step.level, row.floor)
            self._lift(row, _higher(step.level, row.level))
        zh, en = (trace.span(step.after, language) for language in trace.LANGUAGES)
        reason = Title(zh=f"已持续{zh}，升级至{step.to}", en=f"open for {en}: escalated to {step.to}")
        self._step(tx, row, Step("escalated", row.level, row.value, reason, _said(reason), more={"to": step.to}))

    def label(self, tx: Transaction, row: WarningRow, wish: NewOutcome, actor: Actor, now: datetime) -> None:
        """Note what a warning turned out to be; the last word counts, all stay in its history."""
        row.outcome, row.outcome_at, row.outcome_by, row.outcome_note = wish.outcome, now, actor.id, wish.note
        row.updated_at = now
        zh, en = _OUTCOMES[wish.outcome]
        note = f"：{wish.note}" if wish.note else ""
        reason = Title(zh=f"{actor.name.zh}认定为{zh}{note}", en=f"{actor.name.en}: {en}{note.replace('：', ': ')}")
        self._step(tx, row, Step("labelled", row.level, row.value, reason, _said(reason), actor.id))

    def assign(
        self, tx: Transaction, row: WarningRow, wish: NewAssignment, person: Actor | None, actor: Actor, now: datetime
    ) -> None:
        """Give a warning to a department, a person, or both; a department alone decides anew who of it."""
        row.department = wish.department or row.department
        row.assignee, row.assignee_name = (person.id, person.name.model_dump()) if person else (None, None)
        row.assigned_at, row.assigned_by, row.updated_at = now, actor.id, now
        named = person.name if person else Title(zh=row.department or "", en=row.department or "")
        note = wish.note and f"：{wish.note}"
        reason = Title(
            zh=f"{actor.name.zh}指派给{named.zh}{note}",
            en=f"assigned to {named.en} by {actor.name.en}{note.replace('：', ': ', 1)}",
        )
        more = {"to": row.department, "person": row.assignee}
        self._step(tx, row, Step("assigned", row.level, row.value, reason, _said(reason), actor.id, more))

    def _lift(self, row: WarningRow, level: str) -> None:
        row.level, row.rank = level, _RANKS.index(level) + 1
        row.peak = _higher(level, row.peak)

    def standing(self, tx: Transaction, standings: Sequence[Standing]) -> None:
        """Remember where rules stand with entities."""
        tx.put_now(RuleStateRow, [asdict(one) for one in standings])

    def cursor(self, tx: Transaction, entity_type: str, version: int, received_at: datetime | None) -> None:
        """Remember up to where the lake was watched."""
        tx.session.merge(WatchCursorRow(entity_type=entity_type, version=version, received_at=received_at))

    def _raise(self, tx: Transaction, finding: Finding, points: Sequence[Point], now: datetime) -> None:
        row = self._row(finding, points, now)
        muted = self._quiet(tx.session, finding.rule, finding.card, now)
        self.open(tx, row, _reason(finding), self._told(finding, points), muted)

    def _level(
        self, tx: Transaction, row: WarningRow, finding: Finding, points: Sequence[Point], now: datetime
    ) -> None:
        decision = finding.decision
        assert decision.level is not None
        self._lift(row, _higher(decision.level, row.floor))
        row.value, row.threshold, row.updated_at = decision.value, decision.threshold, now
        row.message = trace.message(finding.rule, decision, finding.card).model_dump()
        self._step(tx, row, Step("level", row.level, row.value, _reason(finding), self._told(finding, points)))

    def _step(self, tx: Transaction, row: WarningRow, step: Step) -> None:
        value = None if math.isnan(step.value) else step.value
        change = {"warning": row.id, "at": row.updated_at, "what": step.what, "level": step.level, "value": value}
        tx.insert(WarningChangeRow, {**change, "reason": step.reason.model_dump(), "actor": step.actor})
        data = {"warning": view(row).model_dump(mode="json"), "evidence": step.evidence}
        self._outbox.record(tx, EVENTS[step.what], row.id, row.updated_at, {**data, **step.more})
        detail = {"rule": row.rule, "entity": row.entity, "level": step.level}
        self._audit.record(tx, row.updated_at, step.actor or SYSTEM.id, f"warning.{step.what}", row.id, detail)

    def _row(self, finding: Finding, points: Sequence[Point], now: datetime) -> WarningRow:
        rule, decision, card = finding.rule, finding.decision, finding.card
        assert decision.level is not None
        return WarningRow(
            id=new_id("wrn"),
            rule=rule.id,
            rule_version=rule.version,
            title=rule.title.model_dump(),
            message=trace.message(rule, decision, card).model_dump(),
            entity=decision.entity,
            entity_type=rule.entity_type,
            entity_title=card.title.model_dump(),
            property=rule.property,
            unit=rule.unit,
            level=decision.level,
            rank=LEVELS.index(decision.level) + 1,
            peak=decision.level,
            status="open",
            value=decision.value,
            threshold=decision.threshold,
            raised_at=now,
            updated_at=now,
            area=card.area,
            district=card.district,
            lon=card.lon,
            lat=card.lat,
            department=rule.department,
            matter=rule.matter if rule.respond == "case" else None,
            series=rule.series or card.series,
            evidence=self._evidence(finding, points).model_dump(mode="json"),
        )

    def _evidence(self, finding: Finding, points: Sequence[Point]) -> Evidence:
        rule, decision = finding.rule, finding.decision
        return Evidence(
            aggregate=rule.aggregate,
            window_from=decision.window_from,
            window_to=decision.window_to,
            thresholds=rule.levels,
            direction=rule.direction,
            margin=rule.clear.margin,
            hold_seconds=rule.hold,
            points=list(points[-MOST_POINTS:]),
            trace=trace.trace(rule, decision, len(points), self._zone, finding.model),
            model=finding.model,
        )

    def _told(self, finding: Finding, points: Sequence[Point]) -> dict[str, Any]:
        lines = trace.trace(finding.rule, finding.decision, len(points), self._zone, finding.model)
        return {**_said(*lines), "records": [record for _, _, record in points[-MOST_POINTS:]]}


def _higher(level: str, other: str | None) -> str:
    return max(level, other or level, key=_RANKS.index)


def _kept(muted: Muted, found: Title | None = None) -> Title:
    """Why a warning is quiet, behind what was found."""
    zh, en = (f"{found.zh}；", f"{found.en}; ") if found else ("", "")
    return Title(zh=f"{zh}静默：{muted.reason.zh}", en=f"{en}kept quiet: {muted.reason.en}")


def _reason(finding: Finding) -> Title:
    return trace.reason(finding.rule, finding.decision)


def _said(*lines: Title) -> dict[str, Any]:
    """Evidence of a step that rests on no records."""
    return {"records": [], "trace": [line.model_dump() for line in lines]}


def open_warning(tx: Transaction, rule: str, entity: str) -> WarningRow | None:
    """The one open warning of a rule and an entity."""
    wanted = (WarningRow.rule == rule, WarningRow.entity == entity, WarningRow.status == "open")
    return tx.session.scalar(select(WarningRow).where(*wanted))

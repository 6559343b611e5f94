"""Decides whether a warning speaks, and what is due of one that stays open. No I/O, no clock."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, Protocol

from cityloop.core.values import Title
from cityloop.watch.rules import Escalation, Rule
from cityloop.watch.schemas import Muted


class Quiet(Protocol):
    """A silence or maintenance window, as stored."""

    id: str
    kind: str
    rule: str | None
    entity: str | None
    area: str | None
    start: datetime
    end: datetime
    reason: str
    ended_at: datetime | None


class Open(Protocol):
    """An open warning, as stored."""

    rule: str
    entity: str
    area: str | None
    raised_at: datetime
    heard_at: datetime | None
    acknowledged_at: datetime | None
    reminded: int | None
    reminded_at: datetime | None
    escalated: int | None


def active(mute: Quiet, now: datetime) -> bool:
    """Whether a mute holds now."""
    return mute.ended_at is None and mute.start <= now < mute.end


def covers(mute: Quiet, rule: str, entity: str, area: str | None) -> bool:
    """Whether a mute speaks of a rule, an entity and an area: all that it names must fit."""
    place = mute.area is None or (area or "").startswith(mute.area)
    return mute.rule in (None, rule) and mute.entity in (None, entity) and place


def muted_by(mutes: Iterable[Quiet], rule: str, entity: str, area: str | None, now: datetime) -> Muted | None:
    """The mute that keeps a warning quiet now; of several the one that lasts longest."""
    found = [mute for mute in mutes if active(mute, now) and covers(mute, rule, entity, area)]
    if not found:
        return None
    mute = max(found, key=lambda mute: mute.end)
    kind: Literal["silence", "maintenance"] = "maintenance" if mute.kind == "maintenance" else "silence"
    return Muted(kind=kind, id=mute.id, reason=Title(zh=mute.reason, en=mute.reason), until=mute.end)


@dataclass(frozen=True)
class Due:
    """What has to be said of an open warning now."""

    remind: bool = False
    escalate: tuple[Escalation, ...] = ()
    steps: int = 0
    """Steps of escalation that are behind it afterwards, also those that an acknowledgement made needless."""


def due(rule: Rule, warning: Open, now: datetime) -> Due:
    """Reminder and escalation of a warning that speaks. However long nobody asked, one reminder is enough."""
    since = warning.heard_at or warning.raised_at
    behind = warning.escalated or 0
    reached = [step for step in rule.escalate if now >= since + timedelta(seconds=step.after)]
    fresh = [s for s in reached[behind:] if s.unless == "cleared" or warning.acknowledged_at is None]
    return Due(_remind(rule, warning, since, now), tuple(fresh), max(behind, len(reached)))


def _remind(rule: Rule, warning: Open, since: datetime, now: datetime) -> bool:
    if rule.remind is None or warning.acknowledged_at is not None or (warning.reminded or 0) >= rule.remind.most:
        return False
    return now >= (warning.reminded_at or since) + timedelta(seconds=rule.remind.every)

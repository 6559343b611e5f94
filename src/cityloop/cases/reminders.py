"""Which reminder of a case is due, without I/O: at 80 % of the limit, at 100 %, and then to the supervising post."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

from cityloop.cases.values import Case
from cityloop.cases.workflow import RemindersDef

Step = Literal["near", "due", "escalated"]


def next_step(case: Case, rule: RemindersDef, now: datetime) -> tuple[Step, datetime | None] | None:
    """The reminder that is due now and when the next one will be; steps that were slept through fall away.

    ``None`` while nothing is due: a clock that stands or has stopped reminds nobody.
    """
    if case.clock_state != "running" or case.red_at is None or case.yellow_at is None:
        return None
    after = case.red_at + timedelta(minutes=rule.escalate_minutes)
    if now >= after and case.reminded != "escalated":
        return "escalated", None
    if now > case.red_at and case.reminded not in ("due", "escalated"):
        return "due", after
    if case.yellow_at <= now <= case.red_at and not case.reminded:
        return "near", case.red_at + timedelta(microseconds=1)
    return None


def next_look(case: Case, rule: RemindersDef) -> datetime | None:
    """When to look at a case again whose reminder was not due after all."""
    if case.clock_state != "running" or case.red_at is None:
        return None
    waits = {
        "near": case.red_at + timedelta(microseconds=1),
        "due": case.red_at + timedelta(minutes=rule.escalate_minutes),
    }
    return waits.get(case.reminded)

"""Which move the system makes by itself on a case now. Pure: the tables are ``workflow.yaml``'s ``automation``."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

from cityloop.cases.values import Case
from cityloop.cases.workflow import AutomationDef, Workflow


def next_rule(workflow: Workflow, case: Case, now: datetime, nearby: Callable[[Case], bool]) -> AutomationDef | None:
    """The first rule that fits; ``nearby`` asks the duplicate guard, and only when a rule wants to know."""
    if case.by_hand:
        return None
    for rule in workflow.automation_from.get(case.state, ()):
        if _fits(rule, case, now) and not (rule.when.unless_nearby and nearby(case)):
            return rule
    return None


def _fits(rule: AutomationDef, case: Case, now: datetime) -> bool:
    when = rule.when
    return (
        (not when.channels or case.channel in when.channels)
        and (not when.matters or case.matter.startswith(when.matters))
        and case.updated_at + timedelta(seconds=when.after_seconds) <= now
    )

"""How well each rule serves, counted from its warnings: fire rate, false share, what it cost, whether it ever spoke."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Integer, Select, func, select
from sqlalchemy.orm import Session

from cityloop.watch.models import WarningRow
from cityloop.watch.rules import Rule
from cityloop.watch.schemas import RuleHealth

_OUTCOMES = ("true", "false", "drill")


def rule_health(
    session: Session,
    seen: Select[WarningRow],
    rules: Mapping[str, Rule],
    errors: Mapping[str, str],
    now: datetime,
    days: int,
) -> list[RuleHealth]:
    """One line for every rule that may raise warnings, over those of ``seen`` that were raised in the last ``days``."""
    rows = seen.where(WarningRow.raised_at >= now - timedelta(days=days)).subquery()
    counts: list[Any] = [func.sum((rows.c.outcome == outcome).cast(Integer)) for outcome in _OUTCOMES]
    counts += [func.count(rows.c.acknowledged_at), func.count(rows.c.case_id.distinct())]
    query = select(rows.c.rule, func.count(), func.max(rows.c.raised_at), *counts).group_by(rows.c.rule)
    found = {row[0]: row[1:] for row in session.execute(query)}
    quiet = (WarningRow.status == "open") & WarningRow.muted.is_not(None)
    counted = session.execute(select(WarningRow.rule, func.count()).where(quiet).group_by(WarningRow.rule))
    muted: dict[str, int] = {row[0]: row[1] for row in counted}
    return [
        _line(rule, found.get(rule.id), muted.get(rule.id, 0), errors.get(rule.id), days)
        for rule in rules.values()
        if rule.respond != "part"
    ]


def _line(rule: Rule, counts: Any, muted: int, error: str | None, days: int) -> RuleHealth:
    fired, last, *said = counts or (0, None, 0, 0, 0, 0, 0)
    true, false, drill, acknowledged, cases = (int(count or 0) for count in said)
    return RuleHealth(
        rule=rule.id,
        title=rule.title,
        department=rule.department,
        fired=fired,
        a_week=round(fired * 7 / days, 2),
        true=true,
        false=false,
        drill=drill,
        unlabelled=fired - true - false - drill,
        false_share=round(false / (true + false), 4) if true + false else None,
        acknowledged=acknowledged,
        cases=cases,
        last_fired=last,
        silent=fired == 0,
        muted=muted,
        last_error=error,
    )

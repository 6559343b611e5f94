"""Rows of the database as what crosses the wire."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from cityloop.core.values import Title
from cityloop.watch.models import WarningChangeRow, WarningRow
from cityloop.watch.rules import Rule
from cityloop.watch.schemas import Evidence, Level, LevelChange, RuleView, WarningDetail, WarningView

_FIELDS = tuple(WarningView.model_fields)


def view(row: WarningRow) -> WarningView:
    """A warning as a row of a list."""
    return WarningView.model_validate({name: getattr(row, name) for name in _FIELDS})


def detail(row: WarningRow, changes: Sequence[WarningChangeRow]) -> WarningDetail:
    """A warning with its evidence and history."""
    history = [
        LevelChange.model_validate({name: getattr(change, name) for name in LevelChange.model_fields})
        for change in changes
    ]
    evidence = Evidence.model_validate_json(json.dumps(row.evidence))
    return WarningDetail(**dict(view(row)), evidence=evidence, history=history)


def rule_view(
    rule: Rule,
    open_levels: Mapping[Level, int],
    fired_total: int,
    last_error: str | None,
    no_data: Title | None = None,
) -> RuleView:
    """A rule as declared, with how often it spoke."""
    return RuleView(
        id=rule.id,
        version=rule.version,
        title=rule.title,
        entity_type=rule.entity_type,
        property=rule.property,
        aggregate=rule.aggregate,
        window_seconds=rule.window,
        hold_seconds=rule.hold,
        thresholds=rule.levels,
        department=rule.department,
        respond=rule.respond,
        open_warnings=sum(open_levels.values()),
        open_levels=dict(open_levels),
        fired_total=fired_total,
        last_error=last_error,
        no_data=no_data,
    )

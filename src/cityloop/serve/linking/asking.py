"""The services that ask: a ``metric``, and whether a warning still stands (``wait_warning_clear``)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, select

from cityloop.access.actor import SYSTEM, Actor
from cityloop.analyse.schemas import Filter, QueryRequest
from cityloop.analyse.service import Analyst
from cityloop.core.database import Transaction
from cityloop.core.errors import Conflict, Invalid
from cityloop.core.values import Title
from cityloop.linkage.phrases import PHRASES
from cityloop.linkage.ports import Answered, Occasion
from cityloop.watch.models import WarningRow

HOURS = 24
MOST_HOURS = 24 * 366
_OWN = ("metric", "hours", "area", "area_dimension")


class Leaves:
    """A service that leaves nothing behind."""

    def undo(
        self, tx: Transaction, effect: Answered, inputs: Mapping[str, Any], actor: Actor, occasion: Occasion
    ) -> Title:
        """Nothing to take back."""
        raise PHRASES.problem(Conflict, "leaves-nothing")


class AskMetric(Leaves):
    """The value of a metric over the last hours; further inputs are filters by dimension."""

    def __init__(self, analyst: Analyst) -> None:
        self._analyst = analyst

    def do(self, tx: Transaction, inputs: Mapping[str, Any], occasion: Occasion) -> Answered:
        """One figure, or none where nothing was measured; raises :class:`Invalid` for what the model does not know."""
        hours = _hours(inputs.get("hours", HOURS))
        filters = [
            Filter(dimension=name, values=[str(one) for one in (value if isinstance(value, list) else [value])])
            for name, value in inputs.items()
            if name not in _OWN and value is not None
        ]
        if inputs.get("area"):
            filters.append(Filter(dimension=str(inputs.get("area_dimension", "area")), values=[str(inputs["area"])]))
        start = occasion.now - timedelta(hours=hours)
        wanted = QueryRequest(metrics=[str(inputs["metric"])], filters=filters, start=start, end=occasion.now)
        found = self._analyst.query(SYSTEM, wanted)
        value = found.rows[0][0] if found.rows else None
        fresh = found.freshness.isoformat() if found.freshness else None
        return Answered({"value": value, "unit": found.columns[0].unit, "freshness": fresh})


class WaitForClear(Leaves):
    """Waits until a warning has cleared, or all of a rule in an area."""

    def do(self, tx: Transaction, inputs: Mapping[str, Any], occasion: Occasion) -> Answered:
        """Over at once when nothing stands any more."""
        if still_open(tx, inputs, occasion.facts):
            return Answered(waits=True)
        return Answered({"cleared_at": occasion.now.isoformat()})


def still_open(tx: Transaction, inputs: Mapping[str, Any], facts: Mapping[str, Any]) -> bool:
    """Whether a warning stands that a step waits for: the named one, those of a rule, else the one that started it."""
    wanted: list[ColumnElement[bool]] = [WarningRow.status == "open"]
    named = inputs.get("warning") or (None if inputs.get("rule") else (facts.get("warning") or {}).get("id"))
    if named:
        wanted.append(WarningRow.id == str(named))
    elif inputs.get("rule"):
        wanted.append(WarningRow.rule == str(inputs["rule"]))
        if inputs.get("area"):
            wanted.append(WarningRow.area.startswith(str(inputs["area"]), autoescape=True))
    else:
        return False
    return tx.session.scalar(select(WarningRow.id).where(*wanted).limit(1)) is not None


def _hours(value: Any) -> float:
    try:
        hours = float(value)
    except (TypeError, ValueError):
        hours = 0.0
    if not 0 < hours <= MOST_HOURS:
        raise PHRASES.problem(Invalid, "bad-hours", hours=value, most=MOST_HOURS)
    return hours

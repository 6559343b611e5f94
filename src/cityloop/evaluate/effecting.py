"""The effect of an action on a metric, within the asker's sight: rows come from the one door, by the typed query."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from cityloop.access.actor import Actor
from cityloop.access.door import Door
from cityloop.analyse.schemas import Filter, MetricView, QueryRequest
from cityloop.analyse.service import Analyst
from cityloop.city.service import City
from cityloop.core.errors import NotFound
from cityloop.core.values import Title
from cityloop.evaluate.effect_schemas import EffectAsked, EffectPoint, MeasuredEffect, RunSpan
from cityloop.evaluate.effects import WISHED, Estimate, Panel, estimate
from cityloop.evaluate.service import READ

_HOUR = timedelta(hours=1)
_MOST_ROWS = 10_000
Cells = dict[tuple[str, datetime], float]
_SHOWN = 24 * 7
"""Hours before the action that the answer shows."""
Runs = Callable[[Actor, str], RunSpan]
"""What a run tells of itself to those who may see it; raises :class:`NotFound`."""

NO_CONTROL = Title(
    zh="没有对照对象：同期的共同影响（如天气）未能扣除",
    en="no control group: what changed for all at that time, such as the weather, is not taken off",
)
LOOSE = Title(
    zh="对照与受影响对象以往并不同步变化，对照作用有限",
    en="control and treated units did not use to move together; the control helps little",
)
RUNNING = Title(zh="行动尚未结束，估计随新数据变化", en="the action is not over: the estimate moves with new data")
SHORT = Title(
    zh="行动前没有足够多的同等时段，无法说明不确定性，因此不下结论",
    en="too few spans of this length before the action to state the uncertainty; nothing is claimed",
)


class Effects:
    """Estimates effects of actions on metrics."""

    def __init__(self, *, door: Door, analyst: Analyst, city: City, runs: Runs) -> None:
        self._door, self._analyst, self._city, self._runs = door, analyst, city, runs

    def of_run(self, actor: Actor, run: str) -> MeasuredEffect | None:
        """The effect of a run on the metric that its plan names (``cl:effect``), in the run's area.

        ``None`` where the plan names none, or the run has no area. Raises :class:`NotFound` outside of the actor's
        sight.
        """
        self._door.permit(actor, READ)
        span = self._runs(actor, run)
        if span.metric is None or span.by is None or span.area is None:
            return None
        end = span.end or self._city.clock.now()
        asked = EffectAsked(
            metric=span.metric, by=span.by, area=span.area, start=span.start, end=max(end, span.start + _HOUR)
        )
        return self.of(actor, asked)

    def of(self, actor: Actor, asked: EffectAsked) -> MeasuredEffect:
        """The effect of whatever happened in this area, or to these units, in this time."""
        self._door.permit(actor, READ)
        metric = self._metric(asked)
        start, end = _floor(asked.start), max(_floor(asked.end), _floor(asked.start) + _HOUR)
        first = start - timedelta(days=asked.before_days)
        cells = self._cells(actor, asked, first, end)
        first = min((hour for _, hour in cells if hour < start), default=start)
        units = sorted({unit for unit, _ in cells})
        treated = set(asked.treated) or self._inside(actor, asked, first, end)
        if not treated & set(units):
            raise NotFound("there are no figures of treated units in sight", "widen the area or name other units")
        hours = [first + _HOUR * number for number in range(round((end - first) / _HOUR))]
        panel = self._panel(cells, units, treated, hours, round((start - first) / _HOUR))
        running = asked.end > self._city.clock.now() - _HOUR
        return _view(asked, metric, panel, estimate(panel), units, hours, running)

    def _metric(self, asked: EffectAsked) -> MetricView:
        known = {metric.id: metric for metric in self._analyst.model().metrics}
        if asked.metric not in known:
            raise NotFound(f"there is no metric '{asked.metric}'", "see GET /api/v1/model")
        return known[asked.metric]

    def _cells(self, actor: Actor, asked: EffectAsked, first: datetime, end: datetime) -> Cells:
        """The metric by unit and hour; a span with too many rows is asked for in halves."""
        rows, truncated = self._query(actor, asked, ["time", asked.by], [], first, end)
        if truncated and end - first > _HOUR:
            middle = max(_floor(first + (end - first) / 2), first + _HOUR)
            return self._cells(actor, asked, first, middle) | self._cells(actor, asked, middle, end)
        return {
            (str(row[asked.by]), _instant(row["time"])): float(row[asked.metric])
            for row in rows
            if row[asked.metric] is not None and row[asked.by] is not None
        }

    def _inside(self, actor: Actor, asked: EffectAsked, first: datetime, end: datetime) -> set[str]:
        inside = Filter(dimension="area", values=[asked.area or ""])
        rows, _ = self._query(actor, asked, [asked.by], [inside], first, end)
        return {str(row[asked.by]) for row in rows}

    def _query(
        self,
        actor: Actor,
        asked: EffectAsked,
        dimensions: list[str],
        filters: list[Filter],
        first: datetime,
        end: datetime,
    ) -> tuple[list[dict[str, Any]], bool]:
        request = QueryRequest(
            metrics=[asked.metric],
            dimensions=dimensions,
            filters=filters,
            grain="hour" if "time" in dimensions else None,
            start=first,
            end=end,
            limit=_MOST_ROWS,
        )
        answer = self._analyst.query(actor, request)
        names = [column.id for column in answer.columns]
        return [dict(zip(names, row, strict=True)) for row in answer.rows], answer.truncated

    def _panel(
        self,
        cells: Cells,
        units: list[str],
        treated: set[str],
        hours: list[datetime],
        begin: int,
    ) -> Panel:
        nothing = float("nan")
        values = np.array([[cells.get((unit, hour), nothing) for unit in units] for hour in hours], np.float64)
        local = [hour.astimezone(self._city.zone) for hour in hours]
        works = self._city.calendars.of(None).works
        slots = np.array([hour.hour + 24 * (not works(hour.date())) for hour in local], np.int64)
        return Panel(values, np.array([unit in treated for unit in units]), slots, begin, len(hours))


def _view(
    asked: EffectAsked,
    metric: MetricView,
    panel: Panel,
    found: Estimate,
    units: Sequence[str],
    hours: Sequence[datetime],
    running: bool,
) -> MeasuredEffect:
    treated = [unit for unit, acted in zip(units, panel.treated.tolist(), strict=True) if acted]
    control = [unit for unit in units if unit not in set(treated)]
    shown = range(max(0, panel.begin - _SHOWN), panel.end)
    return MeasuredEffect(
        metric=asked.metric,
        title=metric.title,
        unit=metric.unit,
        higher_is_better=metric.higher_is_better,
        verdict=found.verdict,
        effect=found.effect,
        low=found.low,
        high=found.high,
        confidence=WISHED,
        observed=found.observed,
        expected=found.expected,
        start=hours[panel.begin],
        end=hours[-1] + _HOUR,
        before=hours[0],
        spans=found.spans,
        share=found.share,
        treated=treated,
        control=control,
        cautions=_cautions(found, control, running),
        points=[
            EffectPoint(at=hours[n], measured=_number(found.measured[n]), without=_number(found.without[n]))
            for n in shown
        ],
    )


def _cautions(found: Estimate, control: Sequence[str], running: bool) -> list[Title]:
    said = [
        (NO_CONTROL, not control),
        (LOOSE, bool(control) and found.share < 0.3),
        (RUNNING, running),
        (SHORT, found.verdict == "not_enough"),
    ]
    return [title for title, holds in said if holds]


def _number(value: float) -> float | None:
    return None if np.isnan(value) else round(float(value), 4)


def _floor(instant: datetime) -> datetime:
    return instant.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def _instant(value: datetime | str) -> datetime:
    found = datetime.fromisoformat(value) if isinstance(value, str) else value
    return found.astimezone(UTC)

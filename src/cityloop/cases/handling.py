"""The handling clock of a case: which limit it runs on, and what moves do to it. Counting is the city room's.

Everything that counts is :mod:`cityloop.city.deadline`; here a case's matter, target and department choose limit and
calendar, and the instants at which its light changes are worked out once, so that lists can filter by them.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from cityloop.cases.schemas import DeadlineView
from cityloop.cases.values import Case
from cityloop.city import deadline
from cityloop.city.calendar import Calendar
from cityloop.city.deadline import HandlingClock, Until
from cityloop.city.grammar import Limit, NeedsHuman
from cityloop.city.service import City
from cityloop.core.values import Title

ClockState = Literal["none", "running", "paused", "stopped"]


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a handling clock stands after a move. ``yellow_at`` and ``red_at``: when its light changes by itself."""

    state: ClockState = "none"
    due_at: datetime | None = None
    yellow_at: datetime | None = None
    red_at: datetime | None = None
    provisional: bool = False
    used_seconds: int | None = None


class HandlingRules:
    """How this city limits handling. ``optional``: a matter without a limit is no obstacle."""

    def __init__(self, city: City, optional: bool) -> None:
        self._city = city
        self.optional = optional

    def text(self, matter: str) -> str | None:
        """The catalogue's limit text of a matter, verbatim, or ``None``."""
        limit = self._city.limit_for(matter)
        return limit.text if limit else None

    def unreadable(self, matter: str, text: str | None) -> Title | None:
        """Why no due instant can be reached from the written limit, or from the matter's; ``None`` when one can."""
        limit = self._city.read_limit(text) if text else self._city.limit_for(matter)
        if limit is None:
            return Title(zh="该事项没有规定时限", en="the matter has no limit")
        return limit.reason if isinstance(limit, NeedsHuman) else None

    def start(self, case: Case, department: str | None, at: datetime) -> HandlingClock | None:
        """A new clock: the record's own target, else the limit fixed at filing; ``None`` where there is no limit."""
        limit: Limit | Until | None = Until(instant=case.target_at) if case.target_at else self._limit(case)
        if limit is None:
            return None
        return deadline.start(limit, self._city.calendars.of(department), at)

    def pause(self, clock: HandlingClock, at: datetime) -> HandlingClock:
        """Keep what was used; a clock that stands still stays as it is."""
        return deadline.pause(clock, at) if clock.running else clock

    def resume(self, clock: HandlingClock, at: datetime) -> HandlingClock:
        """Go on with what was left, after a pause or a stop."""
        return clock if clock.running else deadline.resume(clock, self.calendar(clock), at)

    def stop(self, clock: HandlingClock, at: datetime) -> HandlingClock:
        """End the clock; a stopped one stays as it is."""
        return clock if clock.stopped_at else deadline.stop(clock, at)

    def extend(self, clock: HandlingClock) -> HandlingClock:
        """One more original limit."""
        return deadline.extend(clock)

    def overdue(self, clock: HandlingClock, at: datetime) -> bool:
        """Whether the due instant has come (a paused clock has none)."""
        end = deadline.due(clock, self.calendar(clock)).at
        return end is not None and at >= end

    def in_time(self, clock: HandlingClock, at: datetime) -> bool:
        """The verdict if handling ended at ``at``: finished at the due instant is on time."""
        return deadline.on_time(self.stop(clock, at), self.calendar(clock)) is not False

    def used(self, clock: HandlingClock, at: datetime) -> int:
        """Counted seconds used until ``at``."""
        return deadline.used(clock, self.calendar(clock), at)

    def standing(self, clock: HandlingClock | None, at: datetime) -> Standing:
        """What lists need to know of a clock as it stands after a move at ``at``."""
        if clock is None:
            return Standing()
        calendar = self.calendar(clock)
        state: ClockState = "stopped" if clock.stopped_at else "running" if clock.running else "paused"
        due = deadline.due(clock, calendar)
        ends = [stage.at for stage in due.stages if stage.at is not None]
        red = min(ends) if ends and due.at is not None else None
        yellow = _yellow(clock, calendar, red) if red is not None else None
        return Standing(state, due.at, yellow, red, due.provisional, deadline.used(clock, calendar, at))

    def view(self, case: Case, light: deadline.Light, now: datetime) -> DeadlineView | None:
        """The clock for the case page, with a sentence that says how the instant was reached."""
        clock = case.handling
        if clock is None:
            return None
        calendar = self.calendar(clock)
        return DeadlineView(
            limit_text=clock.limit.text,
            due_at=case.due_at,
            provisional=case.provisional,
            light=light,
            used_seconds=deadline.used(clock, calendar, now),
            left_seconds=deadline.left(clock, calendar, now),
            calendar=clock.calendar,
            explanation=deadline.explain(clock, calendar),
        )

    def calendar(self, clock: HandlingClock) -> Calendar:
        """The calendar that a clock counts by."""
        return self._city.calendars.get(clock.calendar)

    def _limit(self, case: Case) -> Limit | None:
        limit = self._city.read_limit(case.limit_text) if case.limit_text else self._city.limit_for(case.matter)
        return limit if isinstance(limit, Limit) else None


def _yellow(clock: HandlingClock, calendar: Calendar, red: datetime) -> datetime:
    """The first instant at which 80 % of a stage is used: the due instant of the same clock with 80 % of its amounts.

    Limits in whole closes of days have no part: there the instant is found by halving, to the second.
    """
    stages = clock.limit.stages
    if all(stage.measure != "closes" for stage in stages):
        amounts = [math.ceil(stage.amount * deadline.YELLOW) for stage in stages]
        shorter = tuple(s.model_copy(update={"amount": a}) for s, a in zip(stages, amounts, strict=True))
        early = clock.model_copy(update={"limit": clock.limit.model_copy(update={"stages": shorter})})
        ends = [stage.at for stage in deadline.due(early, calendar).stages if stage.at is not None]
        if ends and clock.limit.profile.stages == "from_start":
            return min(ends)
    return _halved(clock, calendar, red)


def _halved(clock: HandlingClock, calendar: Calendar, red: datetime) -> datetime:
    open_clock = clock.model_copy(update={"stopped_at": None, "runs": (*clock.runs[:-1], _endless(clock))})
    low, high = clock.started_at, red
    while (high - low).total_seconds() > 1:
        middle = low + (high - low) / 2
        if deadline.light(open_clock, calendar, middle) == "green":
            low = middle
        else:
            high = middle
    return high.replace(microsecond=0)


def _endless(clock: HandlingClock) -> deadline.Run:
    return clock.runs[-1].model_copy(update={"end": None})

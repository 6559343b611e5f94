"""The handling clock of a case: which limit it runs on, and what moves do to it. Counting is the city room's.

Everything that counts is :mod:`cityloop.city.deadline`; here a case's matter, target and department choose limit and
calendar, and the instants at which its light changes are worked out once, so that lists can filter by them.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from cityloop.cases.schemas import DeadlineView
from cityloop.cases.values import Case
from cityloop.city import deadline
from cityloop.city.calendar import Calendars
from cityloop.city.deadline import HandlingClock, Light, Until
from cityloop.city.deadlines import Deadlines
from cityloop.city.grammar import Limit, NeedsHuman
from cityloop.city.service import City
from cityloop.core.values import Title, utc

ClockState = Literal["none", "running", "paused"]


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a clock that was not stopped stands after a move; ``yellow_at``, ``red_at``: when its light turns."""

    state: ClockState = "none"
    due_at: datetime | None = None
    yellow_at: datetime | None = None
    red_at: datetime | None = None
    provisional: bool = False
    used_seconds: int | None = None


def standing_values(case: Case, clock: HandlingClock | None, now: Standing) -> dict[str, Any]:
    """What a case keeps of a clock that has not stopped; where the due instant stays, no reminder is repeated."""
    same = clock is not None and case.due_at is not None and case.due_at == now.due_at
    return {
        "handling": clock,
        "clock_state": now.state,
        "due_at": now.due_at,
        "yellow_at": now.yellow_at,
        "red_at": now.red_at,
        "provisional": now.provisional,
        "remind_at": now.yellow_at,
        "reminded": case.reminded if same else "",
        "handled_at": None,
        "used_seconds": now.used_seconds,
    }


class HandlingRules:
    """How this city limits handling. ``optional``: a matter without a limit is no obstacle."""

    def __init__(self, city: City, optional: bool) -> None:
        self._city = city
        self._deadlines: Deadlines = city.deadlines
        self._read: dict[str, Limit | NeedsHuman] = {}
        self.optional = optional

    def on(self, calendars: Calendars) -> HandlingRules:
        """The same rules on other calendars."""
        rules = HandlingRules(self._city, self.optional)
        rules._deadlines = self._deadlines.on(calendars)
        return rules

    def text(self, matter: str) -> str | None:
        """The catalogue's limit text of a matter, verbatim, or ``None``."""
        return self._city.limit_for(matter)

    def unreadable(self, matter: str, text: str | None) -> Title | None:
        """Why no due instant can be reached from the written limit, or from the matter's; ``None`` when one can."""
        limit = self._limit(text or self.text(matter))
        if limit is None:
            return Title(zh="该事项没有规定时限", en="the matter has no limit")
        return limit.reason if isinstance(limit, NeedsHuman) else None

    def start(self, case: Case, department: str | None, at: datetime) -> HandlingClock | None:
        """A new clock: the record's own target, else the limit fixed at filing; ``None`` where there is no limit."""
        limit = Until(instant=case.target_at) if case.target_at else self._limit(case.limit_text)
        if limit is None or isinstance(limit, NeedsHuman):
            return None
        clock = self._deadlines.start(limit, at, department)
        return clock if isinstance(clock, HandlingClock) else None

    def begin(self, text: str | None, department: str, at: datetime) -> HandlingClock | None:
        """A new clock of a part on a limit text; ``None`` where there is none that can be read."""
        limit = self._limit(text)
        if limit is None or isinstance(limit, NeedsHuman):
            return None
        clock = self._deadlines.start(limit, at, department)
        return clock if isinstance(clock, HandlingClock) else None

    def pause(self, clock: HandlingClock, at: datetime) -> HandlingClock:
        """Keep what was used; a clock that stands still stays as it is."""
        return self._deadlines.pause(clock, at) if clock.running else clock

    def resume(self, clock: HandlingClock, at: datetime) -> HandlingClock:
        """Go on with what was left, after a pause or a stop."""
        return clock if clock.running else self._deadlines.resume(clock, at)

    def stop(self, clock: HandlingClock, at: datetime) -> HandlingClock:
        """End the clock; a stopped one stays as it is."""
        return clock if clock.stopped_at else self._deadlines.stop(clock, at)

    def extend(self, clock: HandlingClock) -> HandlingClock:
        """One more original limit."""
        return self._deadlines.extend(clock)

    def overdue(self, clock: HandlingClock, at: datetime) -> bool:
        """Whether the due instant has come (a paused clock has none)."""
        end = self._deadlines.due(clock).at
        return end is not None and at >= end

    def in_time(self, clock: HandlingClock, at: datetime) -> bool:
        """The verdict if handling ended at ``at``: finished at the due instant is on time."""
        return self._deadlines.on_time(self.stop(clock, at)) is not False

    def left(self, clock: HandlingClock, at: datetime) -> int | None:
        """Counted seconds left at ``at``, below 0 when late."""
        return self._deadlines.left(clock, at)

    def instant(self, text: str) -> datetime:
        """An instant as ISO text, or a day, which means its beginning in city time; raises :class:`ValueError`."""
        read = datetime.fromisoformat(text)
        return utc(read if read.tzinfo else read.replace(tzinfo=self._city.zone))

    def used(self, clock: HandlingClock, at: datetime) -> int:
        """Counted seconds used until ``at``."""
        return self._deadlines.used(clock, at)

    def standing(self, clock: HandlingClock | None, at: datetime) -> Standing:
        """What lists need to know of a clock as it stands after a move at ``at``."""
        if clock is None:
            return Standing()
        state: ClockState = "running" if clock.running else "paused"
        due = self._deadlines.due(clock)
        turns = deadline.turns(clock, self._deadlines.calendars.get(clock.calendar))
        used = self._deadlines.used(clock, at)
        return Standing(state, due.at, turns.yellow_at, turns.red_at, due.provisional, used)

    def recounted(self, case: Case, at: datetime) -> dict[str, Any]:
        """What another calendar changes on an open case; empty where its due instant and its certainty stay."""
        clock = case.handling
        if clock is None or (clock.paused and clock.stopped_at is None):
            return {}
        now = self.standing(clock, at)
        if (now.due_at, now.provisional, now.yellow_at) == (case.due_at, case.provisional, case.yellow_at):
            return {}
        version = self._deadlines.calendars.get(clock.calendar).version
        values = standing_values(case, clock.model_copy(update={"calendar_version": version}), now)
        if clock.stopped_at is None:
            return values
        kept = ("clock_state", "remind_at", "reminded", "handled_at")
        return {**values, **{name: getattr(case, name) for name in kept}}

    def relimited(self, case: Case, text: str | None, at: datetime) -> dict[str, Any]:
        """What another limit text changes on an open case whose clock has not stopped; its pauses and extensions stay.

        Empty where the case has the text already, where its handling is over, and where the text cannot be read.
        """
        limit = self._limit(text)
        if text == case.limit_text or not isinstance(limit, Limit) or (case.handling and case.handling.stopped_at):
            return {}
        if case.handling is None:
            return {"limit_text": text}
        clock = case.handling.model_copy(update={"limit": limit})
        return {**standing_values(case, clock, self.standing(clock, at)), "limit_text": text}

    def view(self, case: Case, light: Light, now: datetime) -> DeadlineView | None:
        """The clock for the case page, with a sentence that says how the instant was reached."""
        clock = case.handling
        if clock is None:
            return None
        return DeadlineView(
            limit_text=clock.limit.text,
            due_at=case.due_at,
            provisional=case.provisional,
            light=light,
            used_seconds=self._deadlines.used(clock, now),
            left_seconds=self._deadlines.left(clock, now),
            calendar=clock.calendar,
            explanation=self._deadlines.explain(clock),
        )

    def _limit(self, text: str | None) -> Limit | NeedsHuman | None:
        if text is None:
            return None
        read = self._read.get(text)
        if read is None:
            read = self._read[text] = self._deadlines.parse(text)
        return read

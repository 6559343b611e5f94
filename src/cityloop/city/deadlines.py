"""Time limits of one city: its reading of limit texts, its calendars, and the limit of each matter."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Literal

from cityloop.city import deadline
from cityloop.city.calendar import Calendars
from cityloop.city.content import ConditionLine, LimitsFile
from cityloop.city.deadline import Due, HandlingClock, Light, Until
from cityloop.city.grammar import Limit, NeedsHuman, parse_limit
from cityloop.city.profile import Profile
from cityloop.city.schemas import Matter
from cityloop.core.values import Title

LimitSource = Literal["matter", "class", "fallback", "none"]


class Deadlines:
    """The deadline engine bound to a city. Clocks carry the id of their calendar, so callers need none."""

    def __init__(self, calendars: Calendars, profile: Profile, seasons: Mapping[str, tuple[str, ...]]) -> None:
        self.calendars = calendars
        self.profile = profile
        self._seasons = dict(seasons)

    def on(self, calendars: Calendars) -> Deadlines:
        """The same reading of limits on other calendars."""
        return Deadlines(calendars, self.profile, self._seasons)

    def parse(self, text: str) -> Limit | NeedsHuman:
        """What a limit text means in this city."""
        return parse_limit(text, self.profile, self._seasons)

    def start(
        self, limit: str | Limit | Until, at: datetime, department: str | None = None, calendar: str | None = None
    ) -> HandlingClock | NeedsHuman:
        """A clock from ``at``, by the named calendar, else the department's, else the city's default."""
        read = self.parse(limit) if isinstance(limit, str) else limit
        if isinstance(read, NeedsHuman):
            return read
        works_by = self.calendars.get(calendar) if calendar else self.calendars.of(department)
        return deadline.start(read, works_by, at)

    def pause(self, clock: HandlingClock, at: datetime) -> HandlingClock:
        """Stand still from ``at``."""
        return deadline.pause(clock, at)

    def resume(self, clock: HandlingClock, at: datetime) -> HandlingClock:
        """Go on with what was left."""
        return deadline.resume(clock, self.calendars.get(clock.calendar), at)

    def extend(self, clock: HandlingClock) -> HandlingClock:
        """Add one original limit."""
        return deadline.extend(clock)

    def stop(self, clock: HandlingClock, at: datetime) -> HandlingClock:
        """End the clock; this instant decides on time or late."""
        return deadline.stop(clock, at)

    def due(self, clock: HandlingClock) -> Due:
        """When the limit is used up."""
        return deadline.due(clock, self.calendars.get(clock.calendar))

    def used(self, clock: HandlingClock, at: datetime) -> int:
        """Whole counted seconds used until ``at``."""
        return deadline.used(clock, self.calendars.get(clock.calendar), at)

    def left(self, clock: HandlingClock, at: datetime) -> int | None:
        """Counted seconds left at ``at``, below 0 when late."""
        return deadline.left(clock, self.calendars.get(clock.calendar), at)

    def on_time(self, clock: HandlingClock) -> bool | None:
        """Whether it was stopped by its due instant; ``None`` while it is not stopped."""
        return deadline.on_time(clock, self.calendars.get(clock.calendar))

    def light(self, clock: HandlingClock, at: datetime) -> Light:
        """Its light as seen at ``at``."""
        return deadline.light(clock, self.calendars.get(clock.calendar), at)

    def explain(self, clock: HandlingClock) -> Title:
        """How the due instant came about, in a sentence."""
        return deadline.explain(clock, self.calendars.get(clock.calendar))


class Limits:
    """Which limit text holds for a matter: its own, else its class's, else the fallback."""

    def __init__(self, file: LimitsFile | None) -> None:
        self.file = file
        self.origin = file.origin if file else None

    def conditions(self, matter: str) -> tuple[ConditionLine, ...]:
        """The filing and closing rules of a matter; empty where the city has none."""
        return self.file.conditions.get(matter, ()) if self.file else ()

    def text_for(self, matter: Matter) -> str | None:
        """The limit text of a matter, verbatim; ``None`` where the city has none."""
        return self.found(matter)[0]

    def found(self, matter: Matter) -> tuple[str | None, LimitSource]:
        """The limit text of a matter and what it is written for."""
        if self.file is None:
            return None, "none"
        by_class = self.file.classes.get(f"{matter.standard}:{matter.kind}:{matter.class_code}")
        ways: tuple[tuple[str | None, LimitSource], ...] = (
            (self.file.matters.get(matter.key), "matter"),
            (by_class, "class"),
            (self.file.fallback, "fallback"),
        )
        return next(((text, source) for text, source in ways if text), (None, "none"))

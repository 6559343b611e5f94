"""When a polled source runs next: every so long, or daily at a time of the city's day."""

from __future__ import annotations

import random
import re
from datetime import datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from pydantic import field_validator, model_validator

from cityloop.core.values import Frozen, utc

_SPAN = re.compile(r"(\d+)(s|m|h|d)")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


class Schedule(Frozen):
    """``every: 30s | 5m | 1h | 1d``, or ``daily: "02:30"`` in the city's time zone."""

    every: str | None = None
    daily: str | None = None

    @model_validator(mode="before")
    @classmethod
    def _as_text(cls, value: Any) -> Any:
        if isinstance(value, dict) and isinstance(value.get("daily"), int):
            raise ValueError('write the time in quotes: daily: "02:30"')
        return value

    @field_validator("every")
    @classmethod
    def _a_span(cls, value: str | None) -> str | None:
        if value is not None and (not (found := _SPAN.fullmatch(value)) or int(found.group(1)) == 0):
            raise ValueError(f"'{value}' is no span; write 30s, 5m, 1h or 1d")
        return value

    @field_validator("daily")
    @classmethod
    def _a_time(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", value):
            raise ValueError(f"'{value}' is no time of day; write \"02:30\"")
        return value

    @model_validator(mode="after")
    def _one(self) -> Schedule:
        if (self.every is None) == (self.daily is None):
            raise ValueError("give either 'every' or 'daily'")
        return self

    @property
    def seconds(self) -> int | None:
        """The interval, ``None`` for a daily schedule."""
        found = _SPAN.fullmatch(self.every or "")
        return int(found.group(1)) * _SECONDS[found.group(2)] if found else None


def next_run(schedule: Schedule, last: datetime | None, now: datetime, zone: ZoneInfo) -> datetime:
    """The next instant, in UTC, for a source that last began at ``last``; due when it is not after ``now``.

    An interval that never ran is due at once. A daily run that was missed, because the program was off, is made up for.
    """
    if schedule.seconds is not None:
        return utc(now) if last is None else utc(last) + timedelta(seconds=schedule.seconds)
    at = time.fromisoformat(schedule.daily or "00:00")
    since = (last or now).astimezone(zone)
    run = datetime.combine(since.date(), at, zone)
    if run <= since:
        run = datetime.combine(since.date() + timedelta(days=1), at, zone)
    return utc(run)


def back_off(failures: int, draw: random.Random) -> float:
    """Real seconds until the next attempt: 1, 2, 4 … at most 60, by up to half shorter, so that sources spread out."""
    longest = min(60.0, 2.0 ** min(failures - 1, 6))
    return float(longest * draw.uniform(0.5, 1.0))

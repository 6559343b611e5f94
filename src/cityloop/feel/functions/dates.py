"""Functions of days in their year and week."""

from __future__ import annotations

from calendar import day_name, month_name
from datetime import date
from typing import Any

from cityloop.feel.functions.registry import built_in


@built_in("day of year", "date")
def _day_of_year(day: Any) -> int | None:
    return day.timetuple().tm_yday if isinstance(day, date) else None


@built_in("day of week", "date")
def _day_of_week(day: Any) -> str | None:
    return day_name[day.weekday()] if isinstance(day, date) else None


@built_in("month of year", "date")
def _month_of_year(day: Any) -> str | None:
    return month_name[day.month] if isinstance(day, date) else None


@built_in("week of year", "date")
def _week_of_year(day: Any) -> int | None:
    """The week after ISO 8601."""
    return day.isocalendar().week if isinstance(day, date) else None

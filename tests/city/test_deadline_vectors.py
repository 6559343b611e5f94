"""The 63 worked deadlines: fixtures that were computed twice, by slot arithmetic and by stepping in half-minutes."""

from __future__ import annotations

import csv
from datetime import datetime
from functools import cache
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from cityloop.city import deadline
from cityloop.city.calendar import Calendar
from cityloop.city.content import CalendarPart
from cityloop.city.days import DayTable, read_days
from cityloop.city.deadline import HandlingClock
from cityloop.city.faults import Faults
from cityloop.city.grammar import Limit, NeedsHuman, parse_limit
from cityloop.core.values import Title

DATA = Path(__file__).parent / "data"
TABLE = Path(__file__).parents[2] / "cities" / "demo" / "calendar.csv"
ZONE = ZoneInfo("Asia/Shanghai")
SEASONS = {"种植季节": ("03-01..04-30", "10-15..11-30")}
TIMETABLES = {
    "std": [{"slots": ["08:00-12:00", "14:00-18:00"]}],
    "seven": [{"slots": ["08:30-12:00", "14:00-17:30"]}],
    "season": [
        {"slots": ["08:30-12:00", "15:00-18:00"], "season": "05-01..09-30"},
        {"slots": ["08:30-12:00", "14:00-17:30"]},
    ],
    "sanitation": [{"slots": ["06:00-22:00"]}],
    "std_2027_final": [{"slots": ["08:00-12:00", "14:00-18:00"]}],
}


def vectors() -> list[dict[str, str]]:
    with (DATA / "deadlines_vectors.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@cache
def calendar(name: str) -> Calendar:
    faults = Faults()
    table = read_days(TABLE, [2026], faults)
    assert faults.found == []
    if name == "std_2027_final":
        days = {**table.days, datetime(2027, 1, 3, tzinfo=ZONE).date(): "makeup_workday"}
        table = DayTable(days, frozenset({2026, 2027}))
    days_rule = "every_day" if name == "sanitation" else "table"
    part = {"title": Title(zh=name, en=name), "days": days_rule, "timetables": TIMETABLES[name]}
    return Calendar(name, CalendarPart.model_validate(part), ZONE, table)


def at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def play(clock: HandlingClock, limit: Limit, events: str, cal: Calendar) -> HandlingClock:
    for event in filter(None, (part.strip() for part in events.split(";"))):
        name, when = event.split(" ", 1)
        match name:
            case "pause" | "return":
                clock = deadline.pause(clock, at(when))
            case "resume" | "redispatch_same":
                clock = deadline.resume(clock, cal, at(when))
            case "redispatch_other":
                clock = deadline.start(limit, cal, at(when))
            case "extend":
                clock = deadline.extend(clock)
            case _:
                raise AssertionError(name)
    return clock


@pytest.mark.parametrize("row", vectors(), ids=lambda row: row["id"])
def test_a_worked_deadline_comes_out(row: dict[str, str]) -> None:
    limit = parse_limit(row["limit_text"], row["profile"], SEASONS)
    if row["status"] == "needs_human":
        assert isinstance(limit, NeedsHuman)
        return
    assert isinstance(limit, Limit), limit
    cal = calendar(row["calendar"])
    clock = play(deadline.start(limit, cal, at(row["start"])), limit, row["events"], cal)
    result = deadline.due(clock, cal)
    stage = next(s for s in result.stages if s.label == row["stage"])
    assert stage.at == at(row["due"]), row["explanation"]
    assert result.provisional == (row["status"] == "provisional")


def test_all_63_vectors_are_there() -> None:
    assert len(vectors()) == 63

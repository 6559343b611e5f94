"""The holidays of the city's calendar as periods: 春节期间, the national day."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import date, datetime

from cityloop.ask.spans import DAY, Span, begin

_ENGLISH = {
    "春节": "spring festival|chinese new year|lunar new year",
    "国庆": "national day|golden week",
    "元旦": "new year's day|new year",
    "清明": "qingming|tomb[- ]sweeping day|tomb sweeping",
    "劳动": "labou?r day|may day",
    "五一": "labou?r day|may day",
    "端午": "dragon boat(?: festival)?",
    "中秋": "mid-autumn(?: festival)?",
}
_OTHERS = {"劳动": "五一|劳动", "国庆": "国庆|十一"}
Run = tuple[date, date]
"""First and last day."""


class Holidays:
    """Named runs of days off, from the table that the city imports each year."""

    def __init__(self, named: Mapping[date, str]) -> None:
        """``named``: the days off with the name of their holiday."""
        days: dict[str, list[date]] = defaultdict(list)
        for day, name in named.items():
            days[name.removesuffix("节") if len(name) > 2 else name].append(day)
        self._rules = [(name, _pattern(name), _runs(found)) for name, found in days.items() if name]

    def matches(self, text: str, start: int, now: datetime) -> Iterator[tuple[int, Span | None, str]]:
        """A holiday that is named at ``start``: where it ends, its days, else its name when the calendar lacks them."""
        for name, pattern, runs in self._rules:
            found = pattern.match(text, start)
            if not found:
                continue
            year = _year(found["year"] or found["year_en"], now)
            meant = [run for run in runs if (run[0] <= now.date() if year is None else run[0].year == year)]
            yield found.end(), (_span(meant[-1], now) if meant else None), ("" if meant else name)


def _pattern(name: str) -> re.Pattern[str]:
    zh = _OTHERS.get(name, re.escape(name))
    en = _ENGLISH.get(name)
    english = (
        rf"|\b(?:(?:during|over|in|at) )?(?:the )?(?:{en})(?: holidays?| week)?\b"
        r"(?: (?:of )?(?P<year_en>\d{4}|last year|this year))?"
        if en
        else "|(?P<year_en>\b\\B)"
    )
    return re.compile(
        rf"(?P<year>\d{{4}}年|今年|去年|前年)?(?:的)?(?:{zh})(?:节)?(?:假期|长假|放假)?(?:期间|当中)?{english}"
    )


def _runs(days: list[date]) -> list[Run]:
    runs: list[Run] = []
    for day in sorted(days):
        if runs and runs[-1][1] + DAY == day:
            runs[-1] = (runs[-1][0], day)
        else:
            runs.append((day, day))
    return runs


def _span(run: Run, now: datetime) -> Span:
    first, last = run
    return Span(
        begin(now, first.year, first.month, first.day), begin(now, last.year, last.month, last.day) + DAY, "holiday"
    )


def _year(said: str | None, now: datetime) -> int | None:
    if not said:
        return None
    moved = {"今年": 0, "this year": 0, "去年": -1, "last year": -1, "前年": -2}
    return now.year + moved[said] if said in moved else int(said[:4])

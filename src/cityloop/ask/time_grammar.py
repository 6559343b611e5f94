"""Time in Chinese: 昨天, 上周三, 近7天, 去年第四季度, 3月1日, 早高峰, 2015年1月3日上午8点到10点."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

from cityloop.ask.numerals import whole
from cityloop.ask.spans import DAY, Hours, Span, begin, months_on, one_day, rolling, unit_of, week_of

Matched = re.Match[str]
Made = Span | Hours | None
Maker = Callable[[Matched, datetime], Made]
N = r"(?:\d{1,4}|[一二两三四五六七八九十百]+)"
_UNITS: dict[str, Any] = {
    "天": "day", "日": "day", "周": "week", "星期": "week", "礼拜": "week", "月": "month", "季度": "quarter",
    "季": "quarter",
    "年": "year", "小时": "hour", "钟头": "hour",
}  # fmt: skip
_DAYS = {"大前": -3, "前": -2, "昨": -1, "今": 0, "当": 0, "本": 0, "明": 1, "后": 2, "大后": 3}
_WEEKDAYS = {sign: number for number, sign in enumerate("一二三四五六日")} | {"天": 6, "七": 6}
_MOVED = {"上": -1, "上个": -1, "前一": -1, "上一": -1, "上一个": -1, "上上": -2, "上上个": -2, "本": 0,
"这": 0, "这个": 0,
          "这一": 0, "当": 0, "今": 0, "下": 1, "下个": 1, "下一": 1, "下一个": 1}  # fmt: skip
_YEARS = {"今年": 0, "本年": 0, "本年度": 0, "去年": -1, "上年": -1, "前年": -2, "明年": 1}
_PARTS = {"凌晨": (0, 6), "清晨": (6, 12), "早上": (6, 12), "早晨": (6, 12), "上午": (6, 12), "中午": (11, 13),
"下午": (12, 18),
          "傍晚": (17, 19), "晚上": (18, 24), "晚间": (18, 24), "夜里": (18, 24), "夜间": (18, 24)}  # fmt: skip
_YEAR = r"(?P<year>\d{4}年|今年|去年|前年|明年|本年度|本年|上年)?(?:的)?"
_MONTH = rf"(?P<month>{N})月(?:份)?"
_MOVES = "|".join(sorted(_MOVED, key=len, reverse=True))
_CLOCK = r"(?:{}(?:点|时(?!段))(?:(?:{}分?)|半|钟|整)?|\d{{1,2}}:\d{{2}})"
_HOUR = _CLOCK.format(N, N)
_LAST = "个?(?:小时|钟头|天|日|周|星期|礼拜|月|季度|年)"
_IN_MONTH = rf"(?:(?P<day>{N})[日号]|(?P<third>[上中下]旬|初|末|底))"
_PART = "|".join(_PARTS)


def _rolling(found: Matched, now: datetime) -> Made:
    if found["half"]:
        return Span(months_on(rolling(now, 1, "day").end, -6), rolling(now, 1, "day").end)
    return rolling(now, whole(found["count"] or "1"), _UNITS[found["unit"].removeprefix("个")])


def _day(found: Matched, now: datetime) -> Made:
    return one_day(now + _DAYS[found["day"]] * DAY)


def _evening(found: Matched, now: datetime) -> Made:
    hours = Hours(18 * 60, 24 * 60) if found["part"] == "晚" else Hours(6 * 60, 12 * 60)
    return hours.of(now + _DAYS[found["day"]] * DAY)


def _week(found: Matched, now: datetime) -> Made:
    week = week_of(now, _MOVED[found["move"]])
    which = found["which"]
    if which == "末":
        return Span(week.start + 5 * DAY, week.end)
    return one_day(week.start + _WEEKDAYS[which] * DAY) if which else week


def _weekday(found: Matched, now: datetime) -> Made:
    """The latest such weekday that has begun."""
    day = week_of(now).start + _WEEKDAYS[found["which"]] * DAY
    return one_day(day if day <= now else day - 7 * DAY)


def _moved(found: Matched, now: datetime) -> Made:
    span = unit_of(now, _UNITS[found["unit"]], _MOVED[found["move"]])
    if found["unit"] == "月" and found["day"]:
        return _dated(span.start, whole(found["day"]))
    return _third(span, found["third"]) if found["unit"] == "月" and found["third"] else span


def _year(found: Matched, now: datetime) -> Made:
    year = _year_of(found["year"], now)
    return unit_of(begin(now, year), "year") if 1900 <= year <= 2999 else None


def _half(found: Matched, now: datetime) -> Made:
    start = begin(now, _year_of(found["year"], now), 1 if found["half"] == "上" else 7)
    if not found["year"] and start > now:
        start = months_on(start, -12)
    return Span(start, months_on(start, 6))


def _quarter(found: Matched, now: datetime) -> Made:
    number = whole(found["number"])
    if not 1 <= number <= 4:
        return None
    start = begin(now, _year_of(found["year"], now), number * 3 - 2)
    return unit_of(start if found["year"] or start <= now else months_on(start, -12), "quarter")


def _month(found: Matched, now: datetime) -> Made:
    month, day = whole(found["month"]), whole(found["day"]) if found["day"] else None
    if not 1 <= month <= 12:
        return None
    first = begin(now, _year_of(found["year"], now), month)
    begun = first if day is None or day > 31 else first + (day - 1) * DAY
    if not found["year"] and begun > now:
        first = months_on(first, -12)
    if day is not None:
        return _dated(first, day)
    return _third(unit_of(first, "month"), found["third"]) if found["third"] else unit_of(first, "month")


def _iso(found: Matched, now: datetime) -> Made:
    year, month = int(found["y"]), int(found["m"])
    if not 1 <= month <= 12:
        return None
    return _dated(begin(now, year, month), int(found["d"])) if found["d"] else unit_of(begin(now, year, month), "month")


def _hours(found: Matched, _now: datetime) -> Made:
    part = found["part"]
    first = _minutes(found["first"], part) if found["first"] else None
    if first is None:
        return Hours(_PARTS[part][0] * 60, _PARTS[part][1] * 60)
    if not found["last"]:
        return Hours(first, first + 60) if first < 24 * 60 else None
    last = _minutes(found["last"], found["part2"] or part)
    return Hours(first, last) if last is not None and first < last <= 24 * 60 else None


RULES: tuple[tuple[re.Pattern[str], Maker], ...] = tuple(
    (re.compile(pattern), maker)
    for pattern, maker in (
        (rf"(?:最近|近|过去|过去的|最近的)(?:(?P<half>半年)|(?P<count>{N})?(?P<unit>{_LAST}))", _rolling),
        (r"(?P<day>昨|今|前|明|当|大前|大后|后)[天日]", _day),
        (r"(?P<day>昨|今|前|明)(?:天)?(?P<part>晚|早)", _evening),
        (rf"(?P<move>{_MOVES})(?:周|星期|礼拜)(?P<which>[一二三四五六日天末])?", _week),
        (r"(?:周|星期|礼拜)(?P<which>[一二三四五六日天])", _weekday),
        (rf"(?P<move>{_MOVES})(?P<unit>月|季度|年)(?:度)?(?:份)?{_IN_MONTH}?", _moved),
        (r"(?P<year>\d{4}年|今年|去年|前年|明年|本年度|本年|上年)(?:度|全年)?", _year),
        (rf"{_YEAR}(?P<half>[上下])半年", _half),
        (rf"{_YEAR}第?(?P<number>[一二三四1-4])季度", _quarter),
        (rf"{_YEAR}q(?P<number>[1-4])", _quarter),
        (rf"{_YEAR}{_MONTH}{_IN_MONTH}?", _month),
        (r"(?P<y>(?:19|20)\d{2})[-/.](?P<m>\d{1,2})(?:[-/.](?P<d>\d{1,2}))?", _iso),
        (rf"(?P<part>{_PART})(?:(?P<first>{_HOUR})(?:(?:到|至|-|~)(?P<part2>{_PART})?(?P<last>{_HOUR}))?)?", _hours),
        (rf"(?P<part>)(?P<first>{_HOUR})(?:(?:到|至|-|~)(?P<part2>{_PART})?(?P<last>{_HOUR}))?", _hours),
    )
)  # fmt: skip


def matches(text: str, start: int, now: datetime) -> Iterator[tuple[int, Span | Hours]]:
    """Chinese expressions of time that stand at ``start``, with where they end; ``now`` is local."""
    for pattern, maker in RULES:
        found = pattern.match(text, start)
        if found and (made := maker(found, now)) is not None:
            yield found.end(), made


def _year_of(said: str | None, now: datetime) -> int:
    if not said:
        return now.year
    return now.year + _YEARS[said] if said in _YEARS else int(said[:4])


def _dated(first: datetime, day: int) -> Span | None:
    at = first + timedelta(days=day - 1)
    return one_day(at) if at.month == first.month and day > 0 else None


def _third(month: Span, said: str) -> Span:
    tenth, twentieth = month.start + 10 * DAY, month.start + 20 * DAY
    if said in ("上旬", "初"):
        return Span(month.start, tenth)
    return Span(tenth, twentieth) if said == "中旬" else Span(twentieth, month.end)


def _minutes(said: str, part: str | None) -> int | None:
    """Minutes after midnight of 8点半, 下午3点, 15:20."""
    pieces = [piece for piece in re.split("[点时:]", said) if piece]
    hour = whole(pieces[0])
    rest = pieces[1].strip("分钟整") if len(pieces) > 1 else ""
    minute = 30 if rest == "半" else whole(rest) if rest else 0
    late = part in ("下午", "傍晚", "晚上", "晚间", "夜里", "夜间") or (part == "中午" and hour < 6)
    hour += 12 if late and hour < 12 else 0
    return hour * 60 + minute if hour <= 24 and minute < 60 else None

"""The language of time limits: a text such as ``1、停工:4个工作时 2、处罚:7个工作日`` and what it says.

A text that leaves a choice (no figure, a range, 及时) is answered with :class:`NeedsHuman`, never with a default.
The text itself is kept; parsing can be repeated, and ``GRAMMAR`` says with which edition of these rules it was done.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from fractions import Fraction
from itertools import pairwise
from typing import Literal

from cityloop.city.profile import Profile, parse_profile
from cityloop.core.values import Frozen, Title

GRAMMAR = 1
"""Edition of these rules; it rises when a text may be read differently."""

Measure = Literal["continuous", "office", "office_days", "closes"]


class Stage(Frozen):
    """One stage of a limit.

    ``amount`` is in microseconds for ``continuous`` and ``office``, in millionths of an office day for ``office_days``,
    in whole working days for ``closes``.
    """

    label: str = ""
    text: str
    measure: Measure
    amount: int


class Season(Frozen):
    """A named part of the year that a limit is bound to."""

    word: str
    windows: tuple[str, ...]


class Limit(Frozen):
    """A limit text and what it means under a profile."""

    text: str
    profile: Profile
    stages: tuple[Stage, ...]
    season: Season | None = None
    grammar: int = GRAMMAR


class NeedsHuman(Frozen):
    """A limit text that gives no due instant by itself; somebody must decide."""

    text: str
    reason: Title


class _Unclear(Exception):
    """Why a text needs a person."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(en)
        self.reason = Title(zh=zh, en=en)


_SECOND = 1_000_000
_HOUR = 3600 * _SECOND
_DAY = 24 * _HOUR
_UNITS = ("紧急工作时", "紧急工作日", "工作小时", "工作时", "工作日", "自然日", "分钟", "小时", "时", "天", "日")
_NUMERALS = {c: n for n, c in enumerate("零一二三四五六七八九")} | {"两": 2, "〇": 0}
_CIRCLED = {ord(chr(0x2460 + n)): f"{n + 1}、" for n in range(20)}
_FIGURE = r"(?:\d+(?:\.\d+)?|[零〇一二两三四五六七八九十百]+|半)"
_STAGE = re.compile(rf"([^\d]*?):?({_FIGURE})个?(半)?个?({'|'.join(_UNITS)})(.*)")
_NUMBERING = re.compile(r"(?<![\d.])\(?(\d{1,2}|[一二三四五六七八九十]{1,3})(?:、|\)、?|\.(?!\d))")
_RANGE = re.compile(r"[\d一二两三四五六七八九十](?:[-~—–]+|至|到)[\d一二两三四五六七八九十]")
_SEASON_LIKE = re.compile(r".*(?:季|季节|汛期|供暖期|采暖期)$")
_NO_LABEL = ("以内", "之内", "内", "限时", "限", "不超过", "最长")


def parse_limit(
    text: str, profile: Profile | str, seasons: Mapping[str, tuple[str, ...]] | None = None
) -> Limit | NeedsHuman:
    """Read a limit text under ``profile``; ``seasons`` maps a season word to its windows (``03-01..04-30``)."""
    known = parse_profile(profile) if isinstance(profile, str) else profile
    try:
        plain, season = _split_season(_normal(text), seasons or {})
        stages = _named([_stage(chunk, known) for chunk in _chunks(plain)])
    except _Unclear as unclear:
        return NeedsHuman(text=text, reason=unclear.reason)
    return Limit(text=text, profile=known, stages=stages, season=season)


def _normal(text: str) -> str:
    """Full-width to ASCII, blanks dropped, line breaks as separators; a wrapped line without figure joins the last."""
    lines = [re.sub(r"\s+", "", line) for line in unicodedata.normalize("NFKC", text.translate(_CIRCLED)).splitlines()]
    joined = ""
    for line in filter(None, lines):
        wrapped = joined and not _STAGE.search(line) and not _NUMBERING.match(line)
        joined += line if wrapped or not joined else f";{line}"
    return joined.strip(";,。.")


def _split_season(text: str, seasons: Mapping[str, tuple[str, ...]]) -> tuple[str, Season | None]:
    for word in sorted(seasons, key=len, reverse=True):
        if text.startswith(word):
            return text[len(word) :].lstrip(":,;"), Season(word=word, windows=tuple(seasons[word]))
    return text, None


def _chunks(text: str) -> list[str]:
    """The stages' texts: split at separators, and at numbering, which must count 1, 2, 3 …"""
    marks = [_number(mark[1]) for mark in _NUMBERING.finditer(text)]
    if marks and (marks[0] != 1 or any(b != a + 1 for a, b in pairwise(marks))):
        raise _Unclear("编号不连续，可能是并列的数字", "the numbering does not count from 1, it may be a choice")
    if _RANGE.search(text):
        raise _Unclear("时限是一个范围", "the limit is a range")
    parts = re.split(r"[;,、]|→|->", _NUMBERING.sub(";", text))
    chunks = [part for part in parts if part]
    if not chunks:
        raise _Unclear("时限为空", "the limit is empty")
    return chunks


def _stage(chunk: str, profile: Profile) -> Stage:
    found = _STAGE.fullmatch(chunk)
    if not found:
        raise _Unclear(f"“{chunk}”没有可计算的数字和单位", f"'{chunk}' has no figure with a unit of time")
    before, figure, half, unit, after = found.groups()
    if after == "半":
        half, after = "半", ""
    if re.search(r"\d", after) or _STAGE.search(after):
        raise _Unclear(f"“{chunk}”有不止一个数字", f"'{chunk}' has more than one figure and no separator")
    label = _label(before) or _label(after)
    if _SEASON_LIKE.fullmatch(label):
        raise _Unclear(f"本市没有定义季节“{label}”", f"the season '{label}' is not defined in city.yaml")
    number = _number(figure) + (Fraction(1, 2) if half else 0)
    if number <= 0:
        raise _Unclear("时限必须大于零", "the limit must be above zero")
    measure, amount = _meaning(number, unit, profile)
    return Stage(label=label, text=chunk, measure=measure, amount=amount)


def _named(stages: list[Stage]) -> tuple[Stage, ...]:
    """Several stages are told apart by label; one without, or with one that was used, takes its number."""
    if len(stages) == 1:
        return tuple(stages)
    labels: set[str] = set()
    for index, stage in enumerate(stages):
        if not stage.label or stage.label in labels:
            stages[index] = stage.model_copy(update={"label": f"{stage.label}{index + 1}"})
        labels.add(stages[index].label)
    return tuple(stages)


def _label(text: str) -> str:
    """The stage's name in the words around the figure, without words that only frame the figure."""
    for word in _NO_LABEL:
        text = text.removesuffix(word).removeprefix(word)
    return text.strip(":()")


def _meaning(number: Fraction, unit: str, profile: Profile) -> tuple[Measure, int]:
    """The clock and the amount of a figure with its unit (two clocks, three meanings of 工作日)."""
    work = profile.plain == "work"
    unit = {"小时": "工作时" if work else "自然时", "时": "工作时" if work else "自然时"}.get(unit, unit)
    unit = {"天": "工作日" if work else "自然日", "日": "工作日" if work else "自然日", "工作小时": "工作时"}.get(
        unit, unit
    )
    continuous = {"分钟": 60 * _SECOND, "紧急工作时": _HOUR, "自然时": _HOUR, "紧急工作日": _DAY, "自然日": _DAY}
    if unit in continuous:
        return "continuous", round(number * continuous[unit])
    if unit == "工作时":
        return "office", round(number * _HOUR)
    if profile.day == "8h":
        return "office", round(number * 8 * _HOUR)
    if profile.day == "office":
        return "office_days", round(number * 1_000_000)
    # A part of a day has no close of its own: it ends with the day it falls in.
    return "closes", -(-number.numerator // number.denominator)


def _number(text: str) -> Fraction:
    """ASCII or Chinese figures; 半 is a half."""
    if text == "半":
        return Fraction(1, 2)
    if text[0].isdigit() and text[0].isascii():
        return Fraction(text)
    total, digit = 0, 0
    for character in text:
        if character in "十百":
            total += (digit or 1) * (10 if character == "十" else 100)
            digit = 0
        else:
            digit = _NUMERALS[character]
    return Fraction(total + digit)

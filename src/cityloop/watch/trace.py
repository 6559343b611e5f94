"""Says in sentences what a rule saw and why it decided: for messages, history and evidence."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Literal

from cityloop.core.values import Title
from cityloop.standard.batch import EntityCard
from cityloop.watch.judging import Decision, Outcome
from cityloop.watch.rules import Rule

Language = Literal["zh", "en"]
_LANGUAGES: tuple[Language, Language] = ("zh", "en")
_LEVELS = {
    "blue": Title(zh="蓝色", en="blue"),
    "yellow": Title(zh="黄色", en="yellow"),
    "orange": Title(zh="橙色", en="orange"),
    "red": Title(zh="红色", en="red"),
}
_AGGREGATES = {
    "mean": Title(zh="均值", en="mean"),
    "max": Title(zh="最大值", en="maximum"),
    "min": Title(zh="最小值", en="minimum"),
    "sum": Title(zh="合计", en="sum"),
    "count": Title(zh="次数", en="count"),
    "last": Title(zh="最新值", en="latest value"),
}
_SPANS = ((86400, "天", "d"), (3600, "小时", "h"), (60, "分钟", "min"), (1, "秒", "s"))


@dataclass(frozen=True)
class Voice:
    """A language, and the time zone in which it names instants."""

    language: Language = "zh"
    zone: tzinfo = UTC

    def say(self, zh: str, en: str) -> str:
        """The text in the voice's language."""
        return zh if self.language == "zh" else en

    def clock(self, at: datetime) -> str:
        """A local instant to the second."""
        return f"{at.astimezone(self.zone):%Y-%m-%d %H:%M:%S}"


def number(value: float) -> str:
    """A value for people: at most two decimals, none that are zero."""
    return "—" if math.isnan(value) else f"{value:.2f}".rstrip("0").rstrip(".")


def span(seconds: float, language: Language) -> str:
    """A length of time in its largest whole unit."""
    whole = max(0, round(seconds))
    size, zh, en = next((unit for unit in _SPANS if whole and whole % unit[0] == 0), _SPANS[-1])
    return f"{whole // size}{zh}" if language == "zh" else f"{whole // size} {en}"


def message(rule: Rule, decision: Decision, card: EntityCard) -> Title:
    """The rule's template, filled; templates carry plain placeholders only (checked when they are loaded)."""
    return Title(zh=_filled(rule, decision, card, "zh"), en=_filled(rule, decision, card, "en"))


def _filled(rule: Rule, decision: Decision, card: EntityCard, language: Language) -> str:
    words: Mapping[str, str] = {
        "value": number(decision.value),
        "threshold": number(decision.threshold),
        "unit": rule.unit,
        "window": span(rule.window, language),
        "entity": getattr(card.title, language),
        "level": getattr(_LEVELS[decision.level or "blue"], language),
    }
    return str(getattr(rule.message, language)).format_map(words)


def reason(rule: Rule, decision: Decision) -> Title:
    """Why this step was taken, in one sentence."""
    return Title(zh=_reason(rule, decision, Voice("zh")), en=_reason(rule, decision, Voice("en")))


def trace(rule: Rule, decision: Decision, points: int, zone: tzinfo) -> list[Title]:
    """The whole reasoning of one step, one sentence a line; instants in ``zone``."""
    zh, en = (_trace(rule, decision, points, Voice(language, zone)) for language in _LANGUAGES)
    return [Title(zh=one, en=other) for one, other in zip(zh, en, strict=True)]


def _reason(rule: Rule, decision: Decision, voice: Voice) -> str:
    what = getattr(_AGGREGATES[rule.aggregate], voice.language)
    window, value = span(rule.window, voice.language), f"{number(decision.value)} {rule.unit}"
    if decision.outcome is Outcome.CLEAR and math.isnan(decision.value):
        return voice.say(f"{window}内再无记录，预警失效", f"no further record within {window}: the finding lapsed")
    if decision.outcome is Outcome.CLEAR:
        limit = decision.threshold - rule.sign * rule.clear.margin
        zh, en = (
            f"{window}{what}{value}，已回到{number(limit)}以{_side(rule, '下', '上')}",
            f"is back {_side(rule, 'below', 'above')}",
        )
        return voice.say(f"{zh}，解除", f"{what} over {window} {value} {en} {number(limit)}: cleared")
    level = getattr(_LEVELS[decision.level or "blue"], voice.language)
    limit_text = f"{number(decision.threshold)} {rule.unit}"
    return voice.say(
        f"{window}{what}{value}，{_side(rule, '达到或超过', '低至')}{level}阈值{limit_text}",
        f"{what} over {window} {value} is at or {_side(rule, 'above', 'below')} the {level} threshold {limit_text}",
    )


def _trace(rule: Rule, decision: Decision, points: int, voice: Voice) -> list[str]:
    begin, end = voice.clock(decision.window_from), voice.clock(decision.window_to)
    lasted = (decision.at - decision.since).total_seconds()
    lines = [
        voice.say(
            f"规则“{rule.title.zh}”第{rule.version}版，依据事件时间 {voice.clock(decision.at)} 判定",
            f"rule '{rule.title.en}', version {rule.version}, judged at event time {voice.clock(decision.at)}",
        ),
        voice.say(f"窗口 {begin} 至 {end}，共 {points} 条记录", f"window {begin} to {end} holds {points} record(s)"),
        _reason(rule, decision, voice),
    ]
    if rule.hold and decision.outcome is not Outcome.CLEAR:
        asked, was = span(rule.hold, voice.language), span(lasted, voice.language)
        lines.append(voice.say(f"条件已持续{was}，要求{asked}", f"the condition has lasted {was}, {asked} asked"))
    return lines


def _side(rule: Rule, above: str, below: str) -> str:
    return above if rule.sign > 0 else below

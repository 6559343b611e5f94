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
from cityloop.watch.schemas import ModelEvidence

Language = Literal["zh", "en"]
LANGUAGES: tuple[Language, Language] = ("zh", "en")
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
    "change": Title(zh="变化量", en="change"),
    "rate": Title(zh="变化率", en="rate of change"),
    "percentile": Title(zh="分位值", en="percentile"),
    "spread": Title(zh="极差", en="spread"),
    "roam": Title(zh="移动范围", en="range of movement"),
    "silence": Title(zh="无记录时长", en="silence"),
    "agree": Title(zh="成立的条件数", en="conditions that hold"),
    "anomaly": Title(zh="偏离常态的倍数", en="deviation from the usual, in usual spreads"),
    "forecast": Title(zh="预测值", en="forecast"),
}
_SERVERS = {
    "model": Title(zh="模型", en="the model"),
    "persistence": Title(zh="最新值（持续法）", en="the newest value (persistence)"),
    "seasonal": Title(zh="上一周期同时刻的值（季节法）", en="the value one season earlier (seasonal-naive)"),
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


def _lasting(seconds: float, language: Language) -> str:
    """A measured length of time: from ten minutes on to the minute."""
    return span(round(seconds / 60) * 60 if seconds >= 600 else seconds, language)


def message(rule: Rule, decision: Decision, card: EntityCard) -> Title:
    """The rule's template, filled; templates carry plain placeholders only (checked when they are loaded)."""
    return Title(zh=_filled(rule, decision, card, "zh"), en=_filled(rule, decision, card, "en"))


def _filled(rule: Rule, decision: Decision, card: EntityCard, language: Language) -> str:
    silent = rule.aggregate == "silence"
    words: Mapping[str, str] = {
        "value": _lasting(decision.value, language) if silent else number(decision.value),
        "threshold": _lasting(decision.threshold, language) if silent else number(decision.threshold),
        "unit": "" if silent else rule.unit,
        "window": span(rule.window, language),
        "horizon": span(rule.horizon, language),
        "entity": getattr(card.title, language),
        "level": getattr(_LEVELS[decision.level or "blue"], language),
    }
    return str(getattr(rule.message, language)).format_map(words)


def reason(rule: Rule, decision: Decision) -> Title:
    """Why this step was taken, in one sentence."""
    return Title(zh=_reason(rule, decision, Voice("zh")), en=_reason(rule, decision, Voice("en")))


def trace(rule: Rule, decision: Decision, points: int, zone: tzinfo, model: ModelEvidence | None = None) -> list[Title]:
    """The whole reasoning of one step, one sentence a line; instants in ``zone``."""
    zh, en = (_trace(rule, decision, points, model, Voice(language, zone)) for language in LANGUAGES)
    return [Title(zh=one, en=other) for one, other in zip(zh, en, strict=True)]


def _reason(rule: Rule, decision: Decision, voice: Voice) -> str:
    what, value = _measured(rule, voice), _amount(rule, decision.value, voice)
    if decision.outcome is Outcome.CLEAR and math.isnan(decision.value):
        window = span(rule.window, voice.language)
        return voice.say(f"{window}内再无记录，预警失效", f"no further record within {window}: the finding lapsed")
    if decision.outcome is Outcome.CLEAR:
        limit = _amount(rule, decision.threshold - rule.sign * rule.clear.margin, voice)
        return voice.say(
            f"{what}{value}，已回到{limit}以{_side(rule, '下', '上')}，解除",
            f"{what} {value} is back {_side(rule, 'below', 'above')} {limit}: cleared",
        )
    level, limit = getattr(_LEVELS[decision.level or "blue"], voice.language), _amount(rule, decision.threshold, voice)
    return voice.say(
        f"{what}{value}，{_side(rule, '达到或超过', '低至')}{level}阈值{limit}",
        f"{what} {value} is at or {_side(rule, 'above', 'below')} the {level} threshold {limit}",
    )


def _measured(rule: Rule, voice: Voice) -> str:
    """What the rule looks at, with its window where it has one."""
    what = str(getattr(_AGGREGATES[rule.aggregate], voice.language))
    if rule.percentile is not None:
        what = f"{number(rule.percentile)}%{what}" if voice.language == "zh" else f"{number(rule.percentile)} % {what}"
    if not rule.windowed:
        return what
    if rule.aggregate == "forecast":
        ahead = span(rule.horizon, voice.language)
        return voice.say(f"{ahead}内{what}", f"{what} within {ahead}")
    window = span(rule.window, voice.language)
    return voice.say(f"{window}{what}", f"{what} over {window}")


def _amount(rule: Rule, value: float, voice: Voice) -> str:
    """A value of the rule with its unit; silence is told as a length of time."""
    if rule.aggregate == "silence":
        return _lasting(value, voice.language)
    per = f"/{span(rule.per, voice.language)}" if rule.aggregate == "rate" else ""
    return f"{number(value)} {rule.unit}{per}".strip()


def _trace(rule: Rule, decision: Decision, points: int, model: ModelEvidence | None, voice: Voice) -> list[str]:
    begin, end = voice.clock(decision.window_from), voice.clock(decision.window_to)
    lasted = (decision.at - decision.since).total_seconds()
    lines = [
        voice.say(
            f"规则“{rule.title.zh}”第{rule.version}版，依据事件时间 {voice.clock(decision.at)} 判定",
            f"rule '{rule.title.en}', version {rule.version}, judged at event time {voice.clock(decision.at)}",
        ),
        voice.say(f"窗口 {begin} 至 {end}，共 {points} 条记录", f"window {begin} to {end} holds {points} record(s)"),
        _reason(rule, decision, voice),
        *([_said_by(model, voice)] if model else []),
    ]
    wait = rule.holds.get(decision.level, rule.hold) if decision.level else 0
    if wait:
        asked, was = span(wait, voice.language), span(lasted, voice.language)
        lines.append(voice.say(f"条件已持续{was}，要求{asked}", f"the condition has lasted {was}, {asked} asked"))
    return lines


def _said_by(model: ModelEvidence, voice: Voice) -> str:
    """What the model had to say, who spoke, and how wrong that was on data that it had not seen."""
    at, value = voice.clock(model.at), number(model.value)
    low, high = _figure(model.low), _figure(model.high)
    if model.kind == "usual":
        return voice.say(
            f"{model.version}：{at} 通常为 {value}，常见范围 {low} 至 {high}",
            f"{model.version}: usual at {at} is {value}, mostly {low} to {high}",
        )
    server = getattr(_SERVERS[model.server or "model"], voice.language)
    wished, reached = (_figure(None if share is None else 100 * share) for share in (model.wished, model.reached))
    error, naive = _figure(model.error), _figure(model.naive_error)
    return voice.say(
        f"{model.version} 由{server}给出：{at} 为 {value}，{wished}%区间 {low} 至 {high}"
        f"（留出数据上实际覆盖{reached}%），平均绝对误差 {error}，朴素方法 {naive}",
        f"{model.version}, served by {server}: {value} at {at}, {wished} % interval {low} to {high} "
        f"({reached} % held on unseen data), mean absolute error {error}, naive {naive}",
    )


def _figure(value: float | None) -> str:
    """A figure for people, a dash where nothing was measured."""
    return number(math.nan if value is None else value)


def _side(rule: Rule, above: str, below: str) -> str:
    return above if rule.sign > 0 else below

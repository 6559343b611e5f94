"""A change in words, Chinese and English, with figures as people write them."""

from __future__ import annotations

from typing import Literal

from cityloop.analyse.explain_schemas import ChangePart, SplitView
from cityloop.analyse.model import Metric
from cityloop.core.values import Title

Language = Literal["zh", "en"]
NAMED = 3
"""Parts that the sentences name."""


def sentences(
    metric: Metric, now: float | None, before: float | None, best: SplitView | None, *, decomposes: bool
) -> Title:
    """The change, its most telling split, and its largest parts."""
    return Title(
        zh="".join(_said("zh", metric, now, before, best, decomposes)),
        en=" ".join(_said("en", metric, now, before, best, decomposes)),
    )


def figure(value: float | None, metric: Metric, language: Language) -> str:
    """A figure with its unit, for example 82.5% or 3.2 小时."""
    if value is None:
        return "无定义" if language == "zh" else "undefined"
    if metric.format == "percent":
        return f"{value * 100:.1f}%"
    if metric.format == "duration":
        hours = value / 3600
        return f"{hours:.1f} 小时" if language == "zh" else f"{hours:.1f} h"
    text = f"{value:,.0f}" if metric.format == "integer" else f"{value:,.2f}"
    return f"{text} {metric.unit}".rstrip()


def difference(value: float, metric: Metric, language: Language) -> str:
    """A difference with its sign; of rates in percentage points."""
    sign = "−" if value < 0 else "+"
    if metric.format == "percent":
        return f"{sign}{abs(value) * 100:.1f}" + (" 个百分点" if language == "zh" else " percentage points")
    return sign + figure(abs(value), metric, language)


def _said(
    language: Language,
    metric: Metric,
    now: float | None,
    before: float | None,
    best: SplitView | None,
    decomposes: bool,
) -> list[str]:
    first = _change(language, metric, now, before)
    if not decomposes:
        more = {
            "zh": "这个指标不能拆成各部分之和（例如中位数、最大值、去重计数），所以不给出贡献。",
            "en": "This metric is no sum or quotient of sums (a median, a maximum, a distinct count).",
        }
        return [first, more[language]]
    if best is None or not best.parts:
        return [first, "没有可供拆分的数据。" if language == "zh" else "There is no data to take apart."]
    named = [_part(language, metric, part) for part in best.parts[:NAMED]]
    if language == "zh":
        return [first, f"按{best.title.zh}看，影响最大的是", "；".join(named), "。"]
    return [first, f"By {best.title.en}, what moved it most:", "; ".join(named) + "."]


def _change(language: Language, metric: Metric, now: float | None, before: float | None) -> str:
    title = metric.title.zh if language == "zh" else metric.title.en
    old, new = figure(before, metric, language), figure(now, metric, language)
    if now is None or before is None:
        gone = {
            "zh": f"{title}：之前 {old}，现在 {new}，无法比较。",
            "en": f"{title}: {old} before, {new} now; no comparison.",
        }
        return gone[language]
    if now == before:
        return f"{title}没有变化，仍是 {new}。" if language == "zh" else f"{title} did not change: {new}."
    step = difference(now - before, metric, language)
    if language == "zh":
        return f"{title}从 {old} {'升' if now > before else '降'}到 {new}（{step}）。"
    return f"{title} {'rose' if now > before else 'fell'} from {old} to {new} ({step})."


def _part(language: Language, metric: Metric, part: ChangePart) -> str:
    title = part.title.zh if language == "zh" else part.title.en
    total = difference(part.total, metric, language)
    if not part.mix:
        return f"{title}（{total}）" if language == "zh" else f"{title} ({total})"
    rate, mix = difference(part.rate, metric, language), difference(part.mix, metric, language)
    if language == "zh":
        return f"{title}（{total}，其中自身变化 {rate}，占比变化 {mix}）"
    return f"{title} ({total}: its own figure {rate}, its weight {mix})"

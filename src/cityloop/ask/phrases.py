"""What is said when a question is asked back: one sentence for each kind of doubt, in both languages."""

from __future__ import annotations

from cityloop.ask.draft import Doubt, Reason
from cityloop.ask.schemas import Because
from cityloop.core.values import Title

_SENTENCES: dict[Reason, Title] = {
    "metric": Title(zh="“{}”可能指几个指标，请选一个。", en="'{}' may mean several metrics; choose one."),
    "no_metric": Title(zh="没有说要看哪个指标，请选一个。", en="No metric is named; choose one."),
    "value": Title(zh="“{}”可能指几个对象，请选一个。", en="'{}' may mean several things; choose one."),
    "unknown": Title(zh="不认识“{}”；去掉它可以这样问。", en="'{}' is not known; without it the question reads so."),
    "misfit": Title(zh="这个指标不能按“{}”来看。", en="This metric cannot be seen by '{}'."),
    "no_key": Title(zh="要比较什么？请选一个分组。", en="What shall be compared? Choose how to cut the figure."),
    "compare_period": Title(zh="要比较哪个时段？请选一个。", en="Which period shall be compared? Choose one."),
    "why_period": Title(zh="要解释哪个时段的变化？请选一个。", en="The change of which period? Choose one."),
    "two_periods": Title(
        zh="“{}”是几个时段，请一次问一个，或说明与哪个比较。",
        en="'{}' are several periods; ask one, or say what to compare.",
    ),
    "hours": Title(zh="“{}”只能用在某一天。", en="'{}' can only be asked of one day."),
    "unit": Title(zh="“{}”的单位与这个指标不符。", en="The unit of '{}' does not fit this metric."),
    "unused": Title(zh="“{}”放在这里不知道是什么意思。", en="It is not clear what '{}' means here."),
    "stock": Title(zh="“{}”是时点数，不能按时间拆开。", en="'{}' is a count at one instant and cannot be cut by time."),
    "no_share": Title(zh="要看谁的占比？请选一个分组。", en="The share of what? Choose how to cut the figure."),
    "no_holiday": Title(zh="本市日历里没有那一年的“{}”。", en="The city's calendar does not hold '{}' of that year."),
}  # fmt: skip


def because(doubt: Doubt) -> Because:
    """A doubt for people."""
    sentence = _SENTENCES[doubt.reason]
    zh, en = "、".join(doubt.said), ", ".join(doubt.said)
    title = Title(zh=sentence.zh.replace("{}", zh), en=sentence.en.replace("{}", en))
    return Because(code=doubt.reason, said=list(doubt.said), title=title)

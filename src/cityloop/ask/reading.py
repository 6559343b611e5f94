"""A typed query as a sentence in both languages, with a chip for each part that can be taken out or changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from cityloop.analyse.model import Model
from cityloop.analyse.schemas import Derive, Filter, Having, Order, QueryRequest
from cityloop.ask.schemas import Chip, ChipKind, Reading
from cityloop.core.values import Title

Names = Callable[[str, str], Title | None]
"""The title of a value of a dimension, as far as the asker may know it."""
_GRAINS = {
    "hour": Title(zh="每小时", en="per hour"), "day": Title(zh="每天", en="per day"),
    "week": Title(zh="每周", en="per week"),
    "month": Title(zh="每月", en="per month"), "quarter": Title(zh="每季度", en="per quarter"),
    "year": Title(zh="每年", en="per year"),
}  # fmt: skip
_CALENDAR = {
    "working_days": Title(zh="工作日", en="on working days"), "rest_days": Title(zh="休息日", en="on days off"),
    "holidays": Title(zh="节假日", en="on holidays"), "morning_peak": Title(zh="早高峰", en="in the morning peak"),
    "evening_peak": Title(zh="晚高峰", en="in the evening peak"),
}  # fmt: skip
_COMPARE = {
    "previous": Title(zh="与上一期比较", en="compared with the period before"),
    "year": Title(zh="与去年同期比较", en="compared with the same period a year earlier"),
}
_DERIVED = {
    "share": Title(zh="占比", en="share"), "rank": Title(zh="名次", en="rank"),
    "cumulative": Title(zh="累计", en="running total"),
    "moving_average": Title(zh="移动平均", en="moving average"), "change": Title(zh="变化量", en="change"),
    "change_rate": Title(zh="变化率", en="rate of change"),
}  # fmt: skip
_SIGNS = {"gt": "> ", "gte": "≥ ", "lt": "< ", "lte": "≤ "}
_MEANS = {
    "above_mean": Title(zh="高于平均", en="above the mean"),
    "below_mean": Title(zh="低于平均", en="below the mean"),
}
_DEFAULT_LIMIT: int = QueryRequest.model_fields["limit"].default


class Reader:
    """Reads queries out; ``names`` gives titles of values as far as one asker may know them."""

    def __init__(self, model: Model, names: Names, zone: ZoneInfo) -> None:
        self._model, self._names, self._zone = model, names, zone

    def read(self, query: QueryRequest, *, why: bool = False) -> Reading:
        """The sentence and its chips."""
        chips = list(self._chips(query))
        return Reading(title=_sentence(chips, why), chips=chips)

    def _chips(self, query: QueryRequest) -> Iterator[Chip]:
        yield self._period(query)
        for part in query.calendar:
            yield _chip("calendar", part, _CALENDAR[part])
        for item in query.filters:
            yield _chip("filter", item.dimension, self._filter(item))
        for name in query.metrics:
            yield _chip("metric", name, self._title(name))
        for name in query.dimensions:
            title = self._model.dimensions[name].title
            yield _chip("dimension", name, Title(zh=f"按{title.zh}", en=f"by {title.en.lower()}"))
        if query.grain:
            yield _chip("grain", query.grain, _GRAINS[query.grain])
        for derived in query.derive:
            yield _chip("derive", derived.id, self._derived(derived))
        for having in query.having:
            yield _chip("having", having.metric, self._having(having))
        for order in query.order:
            yield _chip("order", order.by, self._order(order))
        if query.limit != _DEFAULT_LIMIT:
            yield _chip("limit", str(query.limit), Title(zh=f"前 {query.limit} 项", en=f"first {query.limit}"))
        if query.compare != "none":
            yield _chip("compare", query.compare, _COMPARE[query.compare])

    def _title(self, name: str) -> Title:
        """The title of a metric or of a figure derived from one."""
        metric, _, how = name.partition("__")
        title = self._model.metrics[metric].title
        return (
            Title(zh=f"{title.zh}{_DERIVED[how].zh}", en=f"{_DERIVED[how].en} of {title.en.lower()}") if how else title
        )

    def _period(self, query: QueryRequest) -> Chip:
        if not query.start and not query.end:
            return _chip("period", "all", Title(zh="全部时间", en="all the time"))
        start, end = (at.astimezone(self._zone) if at else None for at in (query.start, query.end))
        return _chip("period", "given", _span(start, end))

    def _filter(self, item: Filter) -> Title:
        dimension = self._model.dimensions[item.dimension].title
        titles = [self._names(item.dimension, code) or Title(zh=code, en=code) for code in item.values]
        zh, en = "、".join(title.zh for title in titles), ", ".join(title.en for title in titles)
        if item.op == "in":
            return Title(zh=f"{dimension.zh}为{zh}", en=f"{dimension.en.lower()} {en}")
        if item.op == "not_in":
            return Title(zh=f"{dimension.zh}不为{zh}", en=f"{dimension.en.lower()} not {en}")
        return Title(zh=f"{dimension.zh} {item.op} {zh}", en=f"{dimension.en.lower()} {item.op} {en}")

    def _derived(self, derived: Derive) -> Title:
        title = self._title(derived.id)
        window = f" ({derived.window})" if derived.window else ""
        return Title(zh=title.zh + window, en=title.en + window)

    def _having(self, having: Having) -> Title:
        title = self._title(having.metric)
        if having.op in _MEANS:
            means = _MEANS[having.op]
            return Title(zh=f"{title.zh}{means.zh}", en=f"{title.en.lower()} {means.en}")
        metric = self._model.metrics[having.metric.partition("__")[0]]
        rate = having.metric.endswith("__change_rate") or metric.format == "percent"
        values = [_figure(value, rate, metric.format, metric.unit) for value in having.values]
        zh = " – ".join(values) if having.op == "between" else _SIGNS[having.op] + values[0]
        return Title(zh=f"{title.zh} {zh}", en=f"{title.en.lower()} {zh}")

    def _order(self, order: Order) -> Title:
        name = order.by.partition("__")[0]
        title = self._title(order.by) if name in self._model.metrics else self._dimension(order.by)
        if order.descending:
            return Title(zh=f"{title.zh}从高到低", en=f"highest {title.en.lower()} first")
        return Title(zh=f"{title.zh}从低到高", en=f"lowest {title.en.lower()} first")

    def _dimension(self, name: str) -> Title:
        return self._model.dimensions[name].title


def _chip(kind: ChipKind, key: str, title: Title) -> Chip:
    return Chip(kind=kind, key=key, title=title)


def _sentence(chips: Sequence[Chip], why: bool) -> Title:
    figures = [chip.title for chip in chips if chip.kind == "metric"]
    before = [chip.title for chip in chips if chip.kind in ("period", "calendar", "filter")]
    after = [chip.title for chip in chips if chip.kind not in ("metric", "period", "calendar", "filter")]
    zh = "，".join([title.zh for title in before]) + "的" + "、".join(title.zh for title in figures)
    zh = "，".join([zh, *[title.zh for title in after]])
    en = ", ".join([" and ".join(title.en for title in figures), *[title.en for title in (*after, *before)]])
    return Title(zh=f"{zh}为什么变化", en=f"why this changed: {en}") if why else Title(zh=zh, en=en)


def _span(start: datetime | None, end: datetime | None) -> Title:
    if start is None or end is None:
        at = start or end
        assert at is not None
        said = _day_zh(at), _day_en(at)
        return (
            Title(zh=f"{said[0]}起", en=f"since {said[1]}")
            if start
            else Title(zh=f"截至{said[0]}", en=f"until {said[1]}")
        )
    if any((at.hour, at.minute) != (0, 0) for at in (start, end)) and (end - start) < timedelta(days=2):
        last = "24:00" if (end.hour, end.minute) == (0, 0) else f"{end:%H:%M}"
        same = (end - timedelta(seconds=1)).date() == start.date()
        zh, en = ("", "") if same else (_day_zh(end) + " ", _day_en(end) + " ")
        return Title(
            zh=f"{_day_zh(start)} {start:%H:%M} 至 {zh}{last}", en=f"{_day_en(start)} {start:%H:%M} to {en}{last}"
        )
    last_day = end - timedelta(seconds=1)
    if start.date() == last_day.date():
        return Title(zh=_day_zh(start), en=_day_en(start))
    if (start.month, start.day, end.month, end.day) == (1, 1, 1, 1) and end.year == start.year + 1:
        return Title(zh=f"{start.year} 年", en=f"{start.year}")
    if start.day == end.day == 1 and (end.year * 12 + end.month) - (start.year * 12 + start.month) == 1:
        return Title(zh=f"{start.year} 年 {start.month} 月", en=f"{start:%B %Y}")
    return Title(zh=f"{_day_zh(start)}至{_day_zh(last_day)}", en=f"{_day_en(start)} to {_day_en(last_day)}")


def _day_zh(at: datetime) -> str:
    return f"{at.year} 年 {at.month} 月 {at.day} 日"


def _day_en(at: datetime) -> str:
    return f"{at.day} {at:%B %Y}"


def _figure(value: float, share: bool, kind: str, unit: str) -> str:
    if share:
        return f"{value * 100:g} %"
    if kind == "duration":
        return f"{value / 86_400:g} d" if value >= 86_400 else f"{value / 3600:g} h"
    return f"{value:g} {unit}".strip()

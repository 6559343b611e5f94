"""How figures are ordered, limited, compared and worked on: order and limit, thresholds, shares, growth, trends."""

from __future__ import annotations

from typing import Literal

from cityloop.analyse.schemas import Derive, Grain, Having, Order
from cityloop.ask.draft import Choice, Draft
from cityloop.ask.numerals import whole
from cityloop.ask.periods import natural_grain
from cityloop.ask.quantities import Quantity, in_unit
from cityloop.ask.spans import rolling

_GRAINS: dict[str, Grain] = {
    "小时": "hour", "天": "day", "日": "day", "周": "week", "星期": "week", "月": "month", "个月": "month",
    "季": "quarter",
    "季度": "quarter", "年": "year", "hourly": "hour", "daily": "day", "weekly": "week", "monthly": "month",
    "quarterly": "quarter", "yearly": "year", "annual": "year", "hour": "hour", "day": "day", "week": "week",
    "month": "month", "quarter": "quarter", "year": "year",
}  # fmt: skip
_SUPERLATIVES = ("most", "least", "best", "worst", "fastest", "slowest")
_ORDERING = (*_SUPERLATIVES, "top", "bottom", "rank", "rank_up")
_SIGNS: dict[str, Literal["gt", "gte", "lt", "lte"]] = {"gt": "gt", "gte": "gte", "lt": "lt", "lte": "lte"}
_FLIPPED = {"gt": "lte", "gte": "lt", "lt": "gte", "lte": "gt"}
_TREND_DAYS = 30


def find_grain(draft: Draft) -> None:
    """The grain that is named, or that a trend, a running total or "on which day" needs."""
    for place in draft.places("grain"):
        draft.used.add(place)
        draft.grain = _GRAINS[next(group for group in draft.pieces[place].groups if group)]
    for tag, grain in _WHICH.items():
        if draft.grain is None and draft.has(tag):
            draft.grain = grain
    if draft.has("trend") and not (draft.compare != "none" and not draft.grain and draft.dimensions):
        draft.span = draft.span or rolling(draft.now, _TREND_DAYS, "day")
        draft.grain = draft.grain or natural_grain(draft.span)


_WHICH: dict[str, Grain] = {"which_day": "day", "which_week": "week", "which_month": "month", "which_hour": "hour"}


def find_thresholds(draft: Draft) -> None:
    """Conditions on figures: 超过150微克, between 10 and 20, 高于平均."""
    for place in draft.places("above_mean", "below_mean"):
        draft.used.add(place)
        op: Literal["above_mean", "below_mean"] = (
            "above_mean" if draft.pieces[place].tag == "above_mean" else "below_mean"
        )
        draft.having.append(Having(metric=draft.metric_near(place), op=op))
    _between(draft)
    for place in draft.places(*_SIGNS):
        at = _number_after(draft, place)
        if at is not None:
            _threshold(draft, place, at, draft.pieces[place].tag)
    for place in draft.places("gte_post", "lte_post"):
        if place and draft.pieces[place - 1].amount and place - 1 not in draft.used:
            _threshold(draft, place, place - 1, "gte" if draft.pieces[place].tag == "gte_post" else "lte")
    if draft.having and not draft.keyed:
        draft.doubt("no_key", (), _keys(draft))


def find_order(draft: Draft) -> None:
    """Order and limit; after words of growth by the change, else by the figure."""
    places = draft.places(*_ORDERING)
    if not places:
        return
    draft.used.update(places)
    tags = {draft.pieces[place].tag for place in places}
    place = next((at for at in places if draft.pieces[at].tag in _SUPERLATIVES), places[0])
    draft.limit = _limit(draft, places, tags)
    metric = draft.metric_near(place)
    growing = (
        _growth(draft, metric, rate="fastest" in tags or "slowest" in tags) if draft.places("grow", "fall") else None
    )
    by = growing or metric
    draft.order = [Order(by=by, descending=_descending(draft, tags, metric, growing is not None))]
    if not draft.keyed:
        draft.doubt("no_key", (), _keys(draft))


def find_worked_out(draft: Draft) -> None:
    """Shares, running totals, moving averages and growth without an order."""
    metric = draft.metrics[0]
    if draft.has("share"):
        _share(draft, metric)
    if draft.has("cumulative"):
        draft.grain = draft.grain or natural_grain(draft.span)
        draft.derive.append(Derive(metric=metric, how="cumulative", over="time"))
    for place in draft.places("moving"):
        draft.used.add(place)
        window = whole(next(group for group in draft.pieces[place].groups if group))
        draft.grain = draft.grain or "day"
        draft.derive.append(Derive(metric=metric, how="moving_average", over="time", window=window))
    changes = [item for item in draft.derive if item.how in ("change", "change_rate")]
    if draft.places("grow", "fall", "grow_rate") and not changes and not draft.why:
        _changed(draft, metric)
    if draft.compare != "none" and not draft.span and not draft.why:
        draft.doubt("compare_period", (), _compare_periods())


def _changed(draft: Draft, metric: str) -> None:
    """Growth that is asked for without an order: the change, and with a cut only what grew or fell."""
    falling = bool(draft.places("fall"))
    asked = bool(draft.places("which", "which_many"))
    change = _growth(draft, metric, rate=bool(draft.places("grow_rate")))
    if asked and draft.dimensions:
        draft.having.append(Having(metric=change, op="lt" if falling else "gt", values=[0]))


def _growth(draft: Draft, metric: str, *, rate: bool) -> str:
    """A derived column of change against the compared period; its name."""
    draft.used.update(draft.places("grow", "fall", "grow_rate"))
    if draft.compare == "none":
        draft.compare = "previous"
    derived = Derive(metric=metric, how="change_rate" if rate or draft.places("grow_rate") else "change")
    draft.derive.append(derived)
    return derived.id


def _share(draft: Draft, metric: str) -> None:
    """A share runs over the last cut; with a single value named instead, its dimension is the cut."""
    if not draft.dimensions and len(draft.included) == 1 and not draft.excluded:
        name = next(iter(draft.included))
        draft.dimensions.append(name)
        del draft.included[name]
    if not draft.dimensions:
        draft.doubt("no_share", (), _keys(draft))
        return
    draft.derive.append(Derive(metric=metric, how="share", over=draft.dimensions[-1]))


def _between(draft: Draft) -> None:
    for place, piece in enumerate(draft.pieces[:-2]):
        second = draft.pieces[place + 2]
        if not piece.amount or not second.amount or draft.pieces[place + 1].tag not in ("range", "and"):
            continue
        marked = [at for at in (place - 1, place + 3) if _tag(draft, at) in ("between", "between_post")]
        if not marked:
            continue
        first = piece.amount if piece.amount.unit else _with_unit(piece.amount, second.amount)
        metric = draft.metric_near(place)
        values = [_figure(draft, metric, first), _figure(draft, metric, second.amount)]
        draft.used.update([place, place + 1, place + 2, *draft.places("between", "between_post")])
        if None in values:
            draft.doubt("unit", [piece.said, second.said])
        else:
            draft.having.append(Having(metric=metric, op="between", values=sorted(v for v in values if v is not None)))


def _threshold(draft: Draft, place: int, at: int, sign: str) -> None:
    amount = draft.pieces[at].amount
    assert amount is not None
    draft.used.update((place, at))
    if _tag(draft, place - 1) == "not":
        sign = _FLIPPED[sign]
        draft.used.add(place - 1)
    metric = draft.metric_near(place)
    value = _figure(draft, metric, amount)
    if value is None:
        draft.doubt("unit", [draft.pieces[at].said])
    else:
        draft.having.append(Having(metric=metric, op=_SIGNS[sign], values=[value]))


def _number_after(draft: Draft, place: int) -> int | None:
    for at in (place + 1, place + 2):
        if at < len(draft.pieces) and draft.pieces[at].amount and at not in draft.used:
            return at
        if _tag(draft, at) != "filler":
            return None
    return None


def _figure(draft: Draft, metric: str, amount: Quantity) -> float | None:
    described = draft.metric(metric)
    return in_unit(amount, described.unit, described.format == "percent")


def measures(draft: Draft, metric: str) -> bool:
    """Whether every number with a unit can be a figure of this metric."""
    amounts = [piece.amount for piece in draft.pieces if piece.amount and piece.amount.unit]
    return all(_figure(draft, metric, amount) is not None for amount in amounts)


def _with_unit(amount: Quantity, like: Quantity) -> Quantity:
    return Quantity(amount.value, amount.end, like.unit, like.span)


def _limit(draft: Draft, places: list[int], tags: set[str]) -> int | None:
    for place in places:
        groups = draft.pieces[place].groups
        said = next((group for group in groups if group), None)
        if said and draft.pieces[place].tag in ("top", "bottom"):
            _grain_of_count(draft, place + 1)
            return whole(said)
    for place, piece in enumerate(draft.pieces):
        if piece.amount and place not in draft.used and piece.amount.value.is_integer() and piece.amount.value > 0:
            if piece.amount.span:
                draft.grain = draft.grain or piece.amount.span
            elif piece.amount.unit and not piece.amount.counted:
                continue
            draft.used.add(place)
            return int(piece.amount.value)
    many = draft.places("which_many", "rank", "rank_up")
    return None if many or not tags & set(_SUPERLATIVES) else 1


def _grain_of_count(draft: Draft, place: int) -> None:
    if _tag(draft, place) == "which_day":
        draft.grain = draft.grain or "day"


def _descending(draft: Draft, tags: set[str], metric: str, growing: bool) -> bool:
    described = draft.metric(metric)
    if growing:
        falling = bool(draft.places("fall"))
        return falling == bool(tags & {"slowest", "least"}) and "bottom" not in tags
    if "least" in tags or "bottom" in tags or "rank_up" in tags:
        return False
    if "best" in tags or "worst" in tags:
        return (described.higher_is_better is not False) == ("best" in tags)
    if "fastest" in tags or "slowest" in tags:
        return (described.format != "duration") == ("fastest" in tags)
    return True


def _keys(draft: Draft) -> list[Choice]:
    names = [name for name in draft.metric(draft.metrics[0]).dimensions if name != "time"]
    cuts = [Choice(change={"dimensions": [name]}) for name in names if name not in draft.included][:2]
    days = [Choice(change={"grain": "day"})] if not draft.metric(draft.metrics[0]).as_of else []
    return [*cuts, *days]


def _compare_periods() -> list[Choice]:
    return [Choice(change={"span": unit}) for unit in ("week", "month", "quarter")]


def _tag(draft: Draft, place: int) -> str:
    return draft.pieces[place].tag if 0 <= place < len(draft.pieces) else ""

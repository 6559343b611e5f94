"""From counts to values, points, ranks and grades. Pure, in exact fractions; rounding is for those who look.

Rules (practice of Chinese cities, stated in docs/evaluate.md): nothing divided by nothing is undefined, never 0 or 100;
a group's rate is sum over sum; a small sample is shown but not ranked; ties follow a declared order or share a rank.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

from cityloop.evaluate import expression
from cityloop.evaluate.declarations import (
    BandDef,
    DeductDef,
    GradeDef,
    IndicatorDef,
    ItemDef,
    SchemeDocument,
    ThresholdDef,
)
from cityloop.evaluate.tally import NONE, Figures

UNDEFINED = "—"


@dataclass(frozen=True, slots=True)
class Rate:
    """An indicator's value: numerator over denominator; ``value`` is ``None`` where it is undefined."""

    numerator: Fraction | None
    denominator: Fraction | None
    value: Fraction | None


@dataclass(frozen=True, slots=True)
class ItemScore:
    """One addend of a score and how it came about."""

    item: ItemDef
    indicator: IndicatorDef
    counted: Rate
    raw: Rate
    enough: bool
    score: Fraction | None
    how: str


@dataclass(frozen=True, slots=True)
class Scored:
    """The score of one object, before ranking."""

    items: tuple[ItemScore, ...]
    score: Fraction | None
    ranked: bool


@dataclass(frozen=True, slots=True)
class Place:
    """A rank; ``shared`` when another object has the same."""

    rank: int
    shared: bool


def rate(indicator: IndicatorDef, figures: Figures, raw: bool = False) -> Rate:
    """The value of an indicator over counts; a denominator of 0 leaves it undefined."""
    known = {name: getattr(figures.get(name, NONE), "raw" if raw else "counted") for name in _names(indicator)}
    numerator = expression.number(indicator.numerator, known)
    if indicator.denominator is None:
        return Rate(numerator, None, numerator)
    denominator = expression.number(indicator.denominator, known)
    if numerator is None or not denominator:
        return Rate(numerator, denominator, None)
    return Rate(numerator, denominator, numerator / denominator)


def score(document: SchemeDocument, figures: Figures, attributes: Mapping[str, float] | None = None) -> Scored:
    """All addends of one object and their sum."""
    scheme = document.scheme
    items = tuple(_item(document, item, figures, attributes or {}) for item in scheme.items)
    defined = [found for found in items if found.score is not None]
    base = [found for found in defined if not found.item.bonus]
    if not base:
        return Scored(items, None, False)
    total = sum((found.score for found in base if found.score is not None), Fraction(0))
    reachable = sum((exact(found.item.points) for found in base), Fraction(0))
    if scheme.undefined == "rescale" and 0 < reachable < exact(scheme.total):
        total = total * exact(scheme.total) / reachable
    total += sum((found.score for found in defined if found.item.bonus and found.score is not None), Fraction(0))
    return Scored(items, total, all(found.enough for found in base))


def points(item: ItemDef, better: str, rate: Rate, attributes: Mapping[str, float]) -> tuple[Fraction | None, str]:
    """The points of an item for an indicator's value, and the sum as people would write it."""
    if rate.value is None:
        return None, UNDEFINED
    found, how = _points(item, better, rate, attributes)
    if found is None:
        return None, how
    least = exact(item.floor) if item.floor is not None else (Fraction(0) if item.points else None)
    if item.cap is not None and found > exact(item.cap):
        found, how = exact(item.cap), f"{how} ≤ {item.cap:g}"
    if least is not None and found < least:
        found, how = least, f"{how} ≥ {plain(least)}"
    return found, how


def ranks(scored: Mapping[str, Scored], ties: Mapping[str, Sequence[Fraction]]) -> dict[str, Place]:
    """Competition ranks (1, 2, 2, 4) of the ranked objects; ``ties`` decide between equal scores, more is better."""
    keys = {
        name: (found.score, *ties.get(name, ()))
        for name, found in scored.items()
        if found.ranked and found.score is not None
    }
    ordered = sorted(keys.values(), reverse=True)
    first = {key: place for place, key in reversed(list(enumerate(ordered, 1)))}
    return {name: Place(first[key], ordered.count(key) > 1) for name, key in keys.items()}


def grade(grades: Sequence[GradeDef], found: Fraction | None) -> GradeDef | None:
    """The first grade whose bound the score reaches."""
    if found is None:
        return None
    return next((grade for grade in grades if found >= exact(grade.least)), None)


def exact(number: float) -> Fraction:
    """A declared number as it was written."""
    return Fraction(str(number))


def rounded(found: Fraction | None, decimals: int = 2) -> float | None:
    """Half up, for display only."""
    if found is None:
        return None
    return float(_half_up(found, decimals))


def shown(found: Fraction | None, unit: str, decimals: int = 2) -> str:
    """A value with its unit; undefined is a dash."""
    if found is None:
        return UNDEFINED
    if unit == "%":
        return f"{_half_up(found * 100, decimals)}%"
    return f"{_half_up(found, decimals)}" + ("" if unit == "1" else f" {unit}")


def plain(found: Fraction) -> str:
    """A number without needless zeros, at most four decimals."""
    text = f"{_half_up(found, 4):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _half_up(found: Fraction, decimals: int) -> Decimal:
    shifted = found * 10**decimals
    whole = math.floor(abs(shifted) + Fraction(1, 2)) * (-1 if shifted < 0 else 1)
    return Decimal(whole).scaleb(-decimals).quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)


def _item(document: SchemeDocument, item: ItemDef, figures: Figures, attributes: Mapping[str, float]) -> ItemScore:
    indicator = document.indicators[item.indicator]
    counted, raw = rate(indicator, figures), rate(indicator, figures, raw=True)
    least = indicator.minimum_sample if indicator.minimum_sample is not None else document.scheme.minimum_sample
    enough = counted.denominator is None or counted.value is None or counted.denominator >= least
    found, how = points(item, indicator.better, counted, attributes)
    return ItemScore(item, indicator, counted, raw, enough, found, how)


def _points(item: ItemDef, better: str, rate: Rate, attributes: Mapping[str, float]) -> tuple[Fraction | None, str]:
    value, full = rate.value or Fraction(0), exact(item.points)
    if item.formula is not None:
        return _formula(item.formula, rate, attributes)
    if item.threshold is not None:
        return _threshold(full, item.threshold, value)
    if item.bands:
        return _band(item.bands, value)
    if item.deduct is not None:
        return _deduct(full, item.deduct, value)
    share = min(Fraction(1), max(Fraction(0), value))
    if item.score == "inverse" or (item.score is None and better == "lower"):
        return full * (1 - share), f"{plain(full)} × (1 − {shown(share, '%')})"
    return full * share, f"{plain(full)} × {shown(share, '%')}"


def _formula(text: str, rate: Rate, attributes: Mapping[str, float]) -> tuple[Fraction | None, str]:
    names = expression.names(expression.parse(text))
    known: dict[str, Fraction | None] = dict.fromkeys(names)
    known |= {name: exact(number) for name, number in attributes.items()}
    known |= {"value": rate.value, "n": rate.numerator, "d": rate.denominator}
    filled = ", ".join(f"{name} = {UNDEFINED if (v := known[name]) is None else plain(v)}" for name in names)
    return expression.number(text, known), f"{text} ({filled})" if filled else text


def _threshold(full: Fraction, rule: ThresholdDef, value: Fraction) -> tuple[Fraction, str]:
    missing = max(Fraction(0), (exact(rule.full_at) - value) * 100)
    missing = Fraction(math.floor(missing)) if rule.whole else missing
    return full - exact(rule.per_point) * missing, f"{plain(full)} − {rule.per_point:g} × {plain(missing)}"


def _band(bands: Sequence[BandDef], value: Fraction) -> tuple[Fraction | None, str]:
    for band in bands:
        if _within(band, value):
            return exact(band.score), f"{_bound(band)} → {band.score:g}"
    return None, UNDEFINED


def _within(band: BandDef, value: Fraction) -> bool:
    if band.equal is not None:
        return value == exact(band.equal)
    if band.below is not None:
        return value < exact(band.below)
    return band.upto is None or value <= exact(band.upto)


def _bound(band: BandDef) -> str:
    if band.equal is not None:
        return f"= {band.equal:g}"
    if band.below is not None:
        return f"< {band.below:g}"
    return f"≤ {band.upto:g}" if band.upto is not None else "…"


def _deduct(full: Fraction, rule: DeductDef, value: Fraction) -> tuple[Fraction, str]:
    over = max(Fraction(0), value - exact(rule.free))
    times = Fraction(math.floor(over / exact(rule.step))) if rule.step is not None else over
    off = times * exact(rule.each)
    capped = min(off, exact(rule.cap)) if rule.cap is not None else off
    return full - capped, f"{plain(full)} − {plain(times)} × {rule.each:g}" + (
        f" ≤ {rule.cap:g}" if capped < off else ""
    )


def _names(indicator: IndicatorDef) -> list[str]:
    texts = [indicator.numerator, indicator.denominator]
    return [name for text in texts if text for name in expression.names(expression.parse(text))]

"""Why a figure changed: the share of each part in the change, split into mix (its weight) and rate (its own figure).

A quotient R = N / D of sums is the weighted mean of its parts, R = Σ wᵢ rᵢ with wᵢ = Dᵢ / D and rᵢ = Nᵢ / Dᵢ. It
changes by

    Σ (wᵢ′ − wᵢ) · ((rᵢ + rᵢ′) / 2 − (R + R′) / 2)  +  Σ (rᵢ′ − rᵢ) · (wᵢ + wᵢ′) / 2

exactly: the first sum is the mix, the second the rate. A part that only one period has changes the mix alone. A sum has
no mix: the contribution of a part is its own change.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlglot import exp

from cityloop.analyse import expression


@dataclass(frozen=True)
class Side:
    """Numerator and denominator of one part in one period; a sum has the denominator ``None``."""

    over: float
    under: float | None = None

    @property
    def figure(self) -> float | None:
        """The figure of this part."""
        if self.under is None:
            return self.over
        return self.over / self.under if self.under else None


@dataclass(frozen=True)
class Contribution:
    """What one part did to the change. ``mix + rate == total``; a sum has the rate alone."""

    key: str | None
    now: float | None
    before: float | None
    weight_now: float | None
    weight_before: float | None
    mix: float
    rate: float

    @property
    def total(self) -> float:
        """The part's share in the change, in the unit of the figure."""
        return self.mix + self.rate


Sides = Mapping[str | None, Side]


def components(text: str) -> tuple[str, str] | None:
    """Numerator and denominator of a checked expression that is a quotient of sums or a mean; else ``None``."""
    tree = _bare(expression.tree(text))
    if isinstance(tree, exp.Avg):
        inside = tree.this.sql("duckdb")
        return f"sum({inside})", f"count({inside})"
    if not isinstance(tree, exp.Div):
        return None
    under = tree.expression.this if isinstance(tree.expression, exp.Nullif) else tree.expression
    parts = tree.this.sql("duckdb"), under.sql("duckdb")
    has_columns = under.find(*expression.AGGREGATES) is not None
    return parts if has_columns and all(expression.additive(part) for part in parts) else None


def of_sums(now: Sides, before: Sides) -> list[Contribution]:
    """The contributions to the change of a sum, the largest first."""
    nothing = Side(0.0)
    found = []
    for key in {**before, **now}:
        after, earlier = now.get(key, nothing).over, before.get(key, nothing).over
        found.append(Contribution(key, after, earlier, None, None, 0.0, after - earlier))
    return sorted(found, key=_largest)


def of_quotients(now: Sides, before: Sides) -> list[Contribution]:
    """The contributions to the change of a quotient, the largest first; none where one period has no denominator."""
    all_now, all_before = whole(now), whole(before)
    if not all_now.under or not all_before.under:
        return []
    mean = ((all_now.figure or 0.0) + (all_before.figure or 0.0)) / 2
    found = []
    for key in {**before, **now}:
        after, earlier = now.get(key, Side(0.0, 0.0)), before.get(key, Side(0.0, 0.0))
        weights = (after.under or 0.0) / all_now.under, (earlier.under or 0.0) / all_before.under
        # A part without a figure in one period is taken as if it had kept the other's: it moved the mix alone.
        figures = [side.figure for side in (after, earlier) if side.figure is not None]
        if not figures:
            continue
        high, low = figures[0], figures[-1]
        mix = (weights[0] - weights[1]) * ((high + low) / 2 - mean)
        rate = (high - low) * (weights[0] + weights[1]) / 2
        found.append(Contribution(key, after.figure, earlier.figure, *weights, mix, rate))
    return sorted(found, key=_largest)


def whole(sides: Sides) -> Side:
    """All parts together."""
    unders = [side.under for side in sides.values() if side.under is not None]
    return Side(sum(side.over for side in sides.values()), sum(unders) if unders else None)


def focus(contributions: list[Contribution]) -> float:
    """How far the change lies with few parts, 0 to 1: the largest part of all that moved, beyond an even share."""
    moved = sum(abs(item.total) for item in contributions)
    if not moved or len(contributions) < 2:
        return 0.0
    even = 1 / len(contributions)
    return max(0.0, (abs(contributions[0].total) / moved - even) / (1 - even))


def _largest(item: Contribution) -> tuple[float, str]:
    return -abs(item.total), str(item.key)


def _bare(tree: exp.Expr) -> exp.Expr:
    while isinstance(tree, exp.Paren):
        tree = tree.this
    return tree

"""What a score is: five dimensions as numerator and denominator, weights, bands. Pure.

A dimension without enough cases does not count, and the others share its weight; nothing measured is no score, never 0.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from typing import Literal, get_args

from pydantic import Field, model_validator

from cityloop.core.values import Frozen, Title

Dimension = Literal["completeness", "validity", "timeliness", "consistency", "uniqueness"]
Check = Literal["completeness", "validity", "timeliness", "consistency", "uniqueness", "freshness", "values", "sample"]
DIMENSIONS: tuple[Dimension, ...] = get_args(Dimension)
CHECKS: tuple[Check, ...] = get_args(Check)

TITLES: Mapping[Check, Title] = {
    "completeness": Title(zh="完整性", en="Completeness"),
    "validity": Title(zh="有效性", en="Validity"),
    "timeliness": Title(zh="及时性", en="Timeliness"),
    "consistency": Title(zh="一致性", en="Consistency"),
    "uniqueness": Title(zh="唯一性", en="Uniqueness"),
    "freshness": Title(zh="新鲜度", en="Freshness"),
    "values": Title(zh="要素齐全", en="Values present"),
    "sample": Title(zh="抽样复核", en="Drawn sample"),
}
MEANINGS: Mapping[Check, Title] = {
    "completeness": Title(zh="实到时段 ÷ 应到时段（对象 × 周期）", en="slots received ÷ expected (entities × rhythm)"),
    "validity": Title(zh="入湖记录 ÷（入湖 + 隔离）", en="accepted ÷ (accepted + quarantined)"),
    "timeliness": Title(zh="按时到达 ÷ 入湖记录", en="arrived in time ÷ accepted"),
    "consistency": Title(zh="代码、引用、跨字段无误 ÷ 全部到达", en="codes and references right ÷ arrived"),
    "uniqueness": Title(zh="首次报送 ÷（首次 + 重复）", en="sent once ÷ (sent once + repeated)"),
    "freshness": Title(zh="最新记录在约定时间内", en="the newest record is younger than promised"),
    "values": Title(zh="每个对象每个要素的有值记录 ÷ 记录", en="rows with a value ÷ rows, by property and entity"),
    "sample": Title(zh="符合现行标准 ÷ 按种子抽取的记录", en="rows that fit the standard in force ÷ drawn"),
}  # fmt: skip


@dataclass(frozen=True)
class Counts:
    """What a feed brought in a stretch of time; counts of stretches add up."""

    expected: int = 0
    received: int = 0
    """Slots (entity × rhythm) with at least one accepted row, of those expected."""
    accepted: int = 0
    quarantined: int = 0
    duplicate: int = 0
    late: int = 0
    inconsistent: int = 0
    """Accepted rows that carry a flag, and records refused for a rule of consistency."""
    only_inconsistent: int = 0
    """Records refused for rules of consistency alone: a validity finding leaves them to the consistency finding."""

    def __add__(self, other: Counts) -> Counts:
        return Counts(**{f.name: getattr(self, f.name) + getattr(other, f.name) for f in fields(Counts)})

    def part(self, dimension: Dimension) -> tuple[int, int]:
        """Numerator and denominator of one dimension."""
        arrived = self.accepted + self.quarantined
        return {
            "completeness": (self.received, self.expected),
            "validity": (self.accepted, arrived),
            "timeliness": (self.accepted - self.late, self.accepted),
            "consistency": (arrived - self.inconsistent, arrived),
            "uniqueness": (self.accepted, self.accepted + self.duplicate),
        }[dimension]


class Weighted(Frozen):
    """A dimension in the scheme: its relative weight, and the share below which it is a finding."""

    weight: float = Field(ge=0)
    least: float = Field(ge=0, le=1)


class Band(Frozen):
    """Scores from ``from`` on get this grade."""

    grade: str = Field(min_length=1, max_length=4)
    start: float = Field(alias="from", ge=0, le=100)


_DIMENSIONS: dict[Dimension, Weighted] = {
    "completeness": Weighted(weight=30, least=0.9),
    "validity": Weighted(weight=25, least=0.98),
    "timeliness": Weighted(weight=20, least=0.9),
    "consistency": Weighted(weight=15, least=0.99),
    "uniqueness": Weighted(weight=10, least=0.99),
}
_BANDS = tuple(
    Band.model_validate({"grade": grade, "from": start}) for grade, start in zip("ABCD", (95, 85, 70, 0), strict=True)
)


class Bound(Frozen):
    """The share below which a check of an inspection is a finding."""

    least: float = Field(ge=0, le=1)


_VALUES, _SAMPLE = Bound(least=0.95), Bound(least=1.0)


class Scheme(Frozen):
    """Weights, bounds and bands. The defaults are the ones of the shipped governance pack."""

    minimum_sample: int = Field(default=20, ge=1)
    dimensions: dict[Dimension, Weighted] = _DIMENSIONS
    bands: tuple[Band, ...] = _BANDS
    checks: dict[Literal["values", "sample"], Bound] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _whole(self) -> Scheme:
        missing = [name for name in DIMENSIONS if name not in self.dimensions]
        if missing:
            raise ValueError(f"dimensions lack {', '.join(missing)}; all five are needed, weight 0 leaves one out")
        starts = [band.start for band in self.bands]
        if not starts or starts[-1] != 0 or starts != sorted(set(starts), reverse=True):
            raise ValueError("bands go from the highest to the lowest, and the last one starts at 0")
        return self

    def least(self, check: Check, declared: float | None = None) -> float:
        """The bound of a check; ``declared`` is the feed's own for completeness."""
        if check == "freshness":
            return 1.0
        if check == "values":
            return self.checks.get(check, _VALUES).least
        if check == "sample":
            return self.checks.get(check, _SAMPLE).least
        return declared if check == "completeness" and declared is not None else self.dimensions[check].least

    def grade(self, score: float | None) -> str | None:
        """The band of a score."""
        return None if score is None else next(band.grade for band in self.bands if score >= band.start)


@dataclass(frozen=True)
class Part:
    """One dimension of a score."""

    dimension: Dimension
    numerator: int
    denominator: int
    weight: float
    least: float
    enough: bool

    @property
    def share(self) -> float | None:
        """Between 0 and 1; ``None`` without any case."""
        return self.numerator / self.denominator if self.denominator else None

    @property
    def below(self) -> bool:
        """Whether it is under its bound, on enough cases."""
        return self.enough and self.share is not None and self.share < self.least


def parts(scheme: Scheme, counts: Counts, declared: float | None = None) -> tuple[Part, ...]:
    """The dimensions of ``counts`` under a scheme; ``declared`` is the feed's own bound for completeness."""
    found = []
    for dimension in DIMENSIONS:
        numerator, denominator = counts.part(dimension)
        weight, least = scheme.dimensions[dimension].weight, scheme.least(dimension, declared)
        enough = denominator >= scheme.minimum_sample
        found.append(Part(dimension, numerator, denominator, weight, least, enough))
    return tuple(found)


def score(found: Iterable[Part]) -> float | None:
    """0 to 100: the weighted mean of the shares that rest on enough cases; ``None`` when none does."""
    counted = [part for part in found if part.enough and part.weight > 0]
    weight = sum(part.weight for part in counted)
    return 100 * sum(part.weight * (part.share or 0.0) for part in counted) / weight if weight else None

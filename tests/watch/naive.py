"""A slow, plain reading of docs/rules.md, kept apart from the numpy evaluation that it checks."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np

from cityloop.core.values import Title
from cityloop.watch.rules import Clear, Rule

START = datetime(2026, 3, 9, 0, 0, tzinfo=UTC)


def rule_of(**changes: object) -> Rule:
    """A rule with short windows, for tests."""
    title = Title(zh="测试", en="Test")
    base: dict[str, object] = {
        "id": "test.rule", "version": "1", "title": title, "description": title, "message": title,
        "entity_type": "Thing", "property": "x", "unit": "1", "aggregate": "mean", "window": 60, "bucket": 10,
        "levels": {"blue": 10.0, "red": 20.0}, "hold": 0, "clear": Clear(), "late": 60, "department": "urban",
        "respond": "none", "no_case_because": title,
    }  # fmt: skip
    return Rule.model_validate(base | changes)


def at(seconds: float) -> datetime:
    """An instant so many seconds after the start."""
    return START + timedelta(seconds=seconds)


@dataclass
class Naive:
    """One rule and one entity; seconds are counted from START."""

    rule: Rule
    records: list[tuple[float, float]] = field(default_factory=list)
    last: float | None = None
    level: int = 0
    left: float = 0.0
    stage: int = 0

    def take(self, second: float, value: float) -> tuple[int, int] | None:
        """One record; returns (level before, level after) when the level changes."""
        if self.last is not None and second < self.last - self.rule.late:
            return None
        self.records.append((second, value))
        self.last = second if self.last is None else max(self.last, second)
        return self.decide()

    def tick(self, now: float) -> tuple[int, int] | None:
        """Time passes."""
        until = now - self.rule.late
        if self.stage == 0 or (self.last is not None and until <= self.last):
            return None
        self.last = until
        return self.decide()

    def aggregate(self, bucket: int) -> float | None:
        """The aggregate of the window that ends with this bucket."""
        width, span = self.rule.bucket, self.rule.window // self.rule.bucket
        inside = [(s, v) for s, v in self.records if bucket - span < s // width <= bucket]
        if not inside:
            return 0.0 if self.rule.empty == "zero" else None
        if len(inside) < self.rule.least:
            return None
        return self.value_of(inside)

    def value_of(self, inside: list[tuple[float, float]]) -> float | None:
        """The aggregate of some records, None where it cannot be told."""
        values = [v for _, v in inside]
        newest, oldest = max(s for s, _ in inside), min(s for s, _ in inside)
        change = [v for s, v in inside if s == newest][-1] - next(v for s, v in inside if s == oldest)
        match self.rule.aggregate:
            case "count":
                return float(len(values))
            case "sum":
                return sum(values)
            case "mean":
                return sum(values) / len(values)
            case "min":
                return min(values)
            case "max":
                return max(values)
            case "last" | "forecast":
                return [v for s, v in inside if s == newest][-1]
            case "change":
                return change
            case "rate":
                return change / (newest - oldest) * self.rule.per if newest > oldest else None
            case "spread":
                return max(values) - min(values)
            case "percentile":
                assert self.rule.percentile is not None
                return float(np.percentile(values, self.rule.percentile))
            case "anomaly":
                return abs(sum(values) / len(values)) if self.rule.direction == "either" else sum(values) / len(values)
            case "roam" | "silence" | "agree":
                raise AssertionError("not an aggregate of one number a record")

    def lasted(self, threshold: float, leaving: bool) -> float | None:
        """Seconds for which the condition has held without a break, or None; looks far enough back for any hold."""
        assert self.last is not None
        width, bucket, since = self.rule.bucket, int(self.last // self.rule.bucket), None
        for _ in range(self.rule.longest // width + 3):
            value = self.aggregate(bucket)
            if value is None:
                break
            signed, limit = self.rule.sign * value, self.rule.sign * threshold
            if not (signed < limit - self.rule.clear.margin if leaving else signed >= limit):
                break
            inside = [s for s, _ in self.records if s // width == bucket]
            since = min(inside) if inside else bucket * width
            bucket -= 1
        return None if since is None else self.last - since

    def decide(self) -> tuple[int, int] | None:
        """Move the level by docs/rules.md."""
        assert self.last is not None
        before, limits = self.level, [value for _, value in self.rule.ladder]
        waits = self.rule.waits
        met = [self.lasted(limit, False) for limit in limits]
        gone = [self.lasted(limit, True) for limit in limits]
        up = max([n + 1 for n, t in enumerate(met) if t is not None and t >= waits[n]], default=0)
        kept = [n + 1 for n, t in enumerate(gone) if n < before and (t is None or t < self.rule.clear.hold)]
        self.level = up if up > before else max(kept, default=0)
        if self.rule.empty == "lapse" and self.aggregate(int(self.last // self.rule.bucket)) is None:
            self.level = 0
        lefts = [waits[n] - t for n, t in enumerate(met) if t is not None and n >= self.level]
        if self.level and (t := gone[self.level - 1]) is not None:
            lefts.append(self.rule.clear.hold - t)
        self.left = min(lefts, default=0.0)
        self.stage = 1 if self.left > 0 and before == self.level else 2 if self.level else 0
        return (before, self.level) if before != self.level else None

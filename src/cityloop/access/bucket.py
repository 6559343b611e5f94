"""A token bucket, without I/O: so many at once, and one more each time a span has passed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from math import ceil


@dataclass(frozen=True)
class Rule:
    """At most ``most`` at once; a full bucket's worth comes back within ``seconds``."""

    most: int
    seconds: float


@dataclass(frozen=True)
class Bucket:
    """What is left, as of an instant."""

    tokens: float
    at: datetime


def take(rule: Rule, bucket: Bucket, now: datetime) -> tuple[Bucket, int]:
    """The bucket after one was asked for, and the seconds to wait before the next try: 0 when it was given.

    A clock that went back refills nothing.
    """
    each = rule.seconds / rule.most
    passed = max(0.0, (now - bucket.at).total_seconds())
    left = min(float(rule.most), bucket.tokens + passed / each)
    if left >= 1:
        return Bucket(left - 1, now), 0
    return Bucket(left, now), max(1, ceil((1 - left) * each))

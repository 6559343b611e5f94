"""Rules over rules: how many of a rule's conditions hold for one thing, and since when. No I/O, no clock.

A condition is another rule at a level. Its subjects are joined to one key, such as their district, and hold or do not.
The number that hold is the value of the joint rule, so that AND, OR and "two of three" are thresholds of one number.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cityloop.watch.cells import NEVER
from cityloop.watch.judging import Decision, Outcome, Stage, instant, micros
from cityloop.watch.rules import Rule

_SECOND = 1_000_000


@dataclass(frozen=True)
class Stand:
    """Where a joint rule stands with one key; instants are microseconds since 1970."""

    level: int = 0
    met: tuple[int | None, ...] = ()
    """Since when each threshold is reached; ``None`` where it is not."""
    gone: tuple[int | None, ...] = ()
    """Since when each threshold, less the margin, is not reached."""
    last: int = NEVER
    left: float = 0.0
    """Seconds until the next change of level, 0 when no hold runs."""

    @property
    def stage(self) -> Stage:
        """Quiet, waiting or open."""
        return Stage.WAITING if self.left > 0 else Stage.OPEN if self.level else Stage.QUIET

    def memo(self) -> dict[str, Any]:
        """What a restart needs beside level, stage and instant."""
        return {"met": list(self.met), "gone": list(self.gone)}

    @classmethod
    def remembered(cls, level: int, at: datetime, left: float, memo: Mapping[str, Any] | None) -> Stand:
        """The stand as it was written."""
        told = memo or {}
        return cls(level, tuple(told.get("met", ())), tuple(told.get("gone", ())), micros(at), left)


def judge(rule: Rule, key: str, stand: Stand, holding: int, at: datetime) -> tuple[Stand, Decision | None]:
    """Move the level of one key when ``holding`` conditions hold at ``at``; an earlier instant counts as the last."""
    now = max(micros(at), stand.last)
    limits = [value for _, value in rule.ladder]
    met = _since(stand.met, [holding >= limit for limit in limits], now)
    gone = _since(stand.gone, [holding < limit - rule.clear.margin for limit in limits], now)
    rising = [_left(since, now, wait) for since, wait in zip(met, rule.waits, strict=True)]
    falling = [_left(since, now, rule.clear.hold) for since in gone]
    up = max((rank for rank, left in enumerate(rising, 1) if left is not None and left <= 0), default=0)
    kept = [rank for rank, left in enumerate(falling, 1) if rank <= stand.level and (left is None or left > 0)]
    level = up if up > stand.level else max(kept, default=0)
    waits = [left for rank, left in enumerate(rising, 1) if rank > level and left is not None]
    waits += [left for left in falling[level - 1 : level] if left is not None]
    after = Stand(level, met, gone, now, max(0.0, min(waits, default=0.0)))
    if level == stand.level:
        return after, None
    since = met[level - 1] if level > stand.level else gone[stand.level - 1]
    return after, _decision(rule, key, stand.level, after, holding, since)


def _since(before: tuple[int | None, ...], holds: list[bool], now: int) -> tuple[int | None, ...]:
    known = before or (None,) * len(holds)
    return tuple((now if begun is None else begun) if true else None for begun, true in zip(known, holds, strict=False))


def _left(since: int | None, now: int, wait: int) -> float | None:
    return None if since is None else wait - (now - since) / _SECOND


def _decision(rule: Rule, key: str, before: int, after: Stand, holding: int, since: int | None) -> Decision:
    at = instant(after.last)
    level, threshold = rule.ladder[max(after.level, 1) - 1]
    begun = at if since is None else instant(since)
    return Decision(
        rule=rule.id,
        entity=key,
        outcome=Outcome.FIRE if before == 0 else Outcome.LEVEL if after.level else Outcome.CLEAR,
        level=level if after.level else None,
        before=rule.ladder[before - 1][0] if before else None,
        value=float(holding),
        threshold=threshold,
        at=at,
        window_from=begun,
        window_to=at,
        since=begun,
    )


class Holding:
    """Which conditions of one joint rule hold, by key: a condition holds while one of its subjects does."""

    def __init__(self) -> None:
        self._keys: dict[str, set[tuple[int, str]]] = {}

    def put(self, key: str, condition: int, subject: str, holds: bool) -> None:
        """Note a subject of a condition."""
        held = self._keys.setdefault(key, set())
        (held.add if holds else held.discard)((condition, subject))

    def count(self, key: str) -> int:
        """How many conditions hold."""
        return len({condition for condition, _ in self._keys.get(key, ())})

    def keys(self) -> Iterable[str]:
        """Keys of which something holds."""
        return [key for key, held in self._keys.items() if held]

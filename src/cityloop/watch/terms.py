"""The thresholds, holds and margins of rules that are judged together, as arrays over the rules.

Rules are *alike* when they take the same readings into the same buckets. They share one set of rings; what a window
gives is reckoned once for all that ask for the same number of it, and one search among their thresholds finds whom it
concerns.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from cityloop.watch.rules import Rule

_Numbers = npt.NDArray[np.float64]
_Places = npt.NDArray[np.int64]


ROOM = 256
"""Buckets that a ring may have for the sake of the tolerance alone; what is later than they reach is left out."""


@dataclass(frozen=True)
class Group:
    """Rules that ask for the same number of a window and for whom the same side of it is bad."""

    rule: Rule
    """One of them: what it says of aggregate and window holds for all."""
    members: _Places
    """Their positions among the rules, the easiest to reach first."""
    lowest: _Numbers
    """The signed lowest threshold of each member, ascending."""
    span: int
    """Buckets of the window."""
    columns: int
    """How many buckets back the longest hold among them looks."""


class Terms:
    """Shapes: (rules,), and (rules, levels) for what belongs to levels; shorter ladders are filled up."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        self.rules = tuple(rules)
        self.late = rules[0].late * 1_000_000
        """Microseconds; alike in all."""
        ladders = [[value for _, value in rule.ladder] for rule in rules]
        most = max(len(ladder) for ladder in ladders)
        self.sign = np.array([float(rule.sign) for rule in rules])
        self.limits = self.sign[:, None] * _filled(ladders, most, np.nan)
        """Signed thresholds; NaN, which nothing reaches or falls short of, where a ladder has no such level."""
        self.nexts = np.c_[np.where(np.isnan(self.limits), np.inf, self.limits), np.full(len(rules), np.inf)]
        """The threshold above each level, counted from none; infinite above the last."""
        self.waits = _filled([rule.waits for rule in rules], most, 0.0)
        self.margin = np.array([rule.clear.margin for rule in rules])
        self.patience = np.array([float(rule.clear.hold) for rule in rules])
        self.lapse = np.array([rule.empty == "lapse" for rule in rules])
        self.columns = np.array([columns_of(rule) for rule in rules])
        self.ranks = np.arange(1, most + 1)
        self.groups = _groups(self.rules, self.limits[:, 0])
        self.group = np.empty(len(rules), np.int64)
        """Which group each rule belongs to."""
        for number, group in enumerate(self.groups):
            self.group[group.members] = number

    @property
    def size(self) -> int:
        """Buckets of the rings: what the widest window and the longest hold together reach, and the tolerance."""
        return max(min(self.tolerated, ROOM), *(group.span + group.columns - 1 for group in self.groups))

    @property
    def tolerated(self) -> int:
        """Buckets in which a record that is in time may lie."""
        return self.late // (bucket_of(self.rules[0]) * 1_000_000) + 2


def bucket_of(rule: Rule) -> int:
    """Seconds of a bucket; silence has no window."""
    return rule.bucket or 1


def span_of(rule: Rule) -> int:
    """Buckets of the rule's window."""
    return max(1, rule.window // bucket_of(rule))


def columns_of(rule: Rule) -> int:
    """How many buckets back the evaluation looks to see how long a condition has lasted."""
    return 1 if rule.longest == 0 else -(-rule.longest // bucket_of(rule)) + 2


def _filled(rows: Sequence[Sequence[float]], width: int, filling: float) -> _Numbers:
    return np.array([[*row, *[filling] * (width - len(row))] for row in rows], np.float64)


def _groups(rules: Sequence[Rule], lowest: _Numbers) -> tuple[Group, ...]:
    found: dict[tuple[object, ...], list[int]] = {}
    for position, rule in enumerate(rules):
        asked = (rule.aggregate, rule.window, rule.percentile, rule.per, rule.empty == "zero", rule.least)
        found.setdefault((*asked, rule.direction), []).append(position)
    groups = []
    for positions in found.values():
        members = np.array(positions, np.int64)[np.argsort(lowest[positions], kind="stable")]
        columns = max(columns_of(rules[position]) for position in positions)
        rule = rules[positions[0]]
        groups.append(Group(rule, members, lowest[members], span_of(rule), columns))
    return tuple(groups)

"""Decision tables: which rules match, and what the hit policy makes of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import reduce
from typing import Any

from cityloop import feel
from cityloop.decide.frame import Frame, Hit, Notes
from cityloop.decide.model import SINGLE, Output, Rule, Table, Text
from cityloop.decide.types import Misfit, Types, plain
from cityloop.feel.arithmetic import calculated
from cityloop.feel.values import equal, less

Read = Callable[[Text], "feel.Expression | None"]
ReadTests = Callable[[Text], "feel.Tests | None"]


@dataclass(frozen=True)
class Ready:
    """A rule whose cells are read."""

    rule: Rule
    tests: tuple[feel.Tests | None, ...]
    outputs: tuple[feel.Expression | None, ...]


class TableStep:
    """A table that is ready to be asked."""

    def __init__(self, table: Table, read: Read, read_tests: ReadTests, types: Types) -> None:
        self._table, self._types = table, types
        self._columns = [read(column.expression) for column in table.columns]
        self._allowed = [read_tests(column.allowed) if column.allowed else None for column in table.columns]
        self._rules = [
            Ready(rule, tuple(map(read_tests, rule.tests)), tuple(map(read, rule.outputs))) for rule in table.rules
        ]
        self._defaults = [read(output.default) if output.default else None for output in table.outputs]
        self._ranks = [_ranked(output, read) for output in table.outputs]

    def __call__(self, frame: Frame) -> Any:
        values = [column.value(frame.values) if column else None for column in self._columns]
        if not self._allow(values, frame.notes):
            return None
        matched = self._matched(values, frame)
        if not matched:
            return self._without_match(frame)
        found = [(ready, self._output(ready, frame)) for ready in matched]
        kept = self._settled(found, frame.notes)
        rules = tuple(ready.rule.id for ready, _ in kept)
        reasons = tuple(reason for ready, _ in kept if (reason := ready.rule.reason))
        frame.notes.hits.append(Hit(self._table.id, rules, reasons))
        answers = [answer for _, answer in kept]
        if self._table.policy in SINGLE:
            return answers[0] if kept else None
        return self._aggregated(answers)

    def _allow(self, values: Sequence[Any], notes: Notes) -> bool:
        """Whether every input is one of its allowed values; what is not is noted."""
        wrong = False
        for column, allowed, value in zip(self._table.columns, self._allowed, values, strict=True):
            if allowed is not None and value is not None and allowed.holds(value) is not True:
                notes.wrong("input-value", name=column.title, value=plain(value), allowed=allowed.text)
                wrong = True
        return not wrong

    def _matched(self, values: Sequence[Any], frame: Frame) -> list[Ready]:
        matched = []
        for ready in self._rules:
            pairs = zip(ready.tests, values, strict=True)
            if all(test is not None and test.holds(value, frame.values) is True for test, value in pairs):
                matched.append(ready)
                if self._table.policy == "FIRST":
                    break
        return matched

    def _without_match(self, frame: Frame) -> Any:
        default = any(step is not None for step in self._defaults)
        frame.notes.hits.append(Hit(self._table.id, (), (), default))
        if not default:
            return Decimal(0) if self._table.aggregation == "COUNT" else None
        answer = self._shaped([step.value(frame.values) if step else None for step in self._defaults])
        return answer if self._table.policy in SINGLE else [answer]

    def _output(self, ready: Ready, frame: Frame) -> Any:
        return self._shaped([step.value(frame.values) if step else None for step in ready.outputs])

    def _shaped(self, values: list[Any]) -> Any:
        fitted = [self._typed(value, output) for value, output in zip(values, self._table.outputs, strict=True)]
        if len(fitted) == 1:
            return fitted[0]
        return {output.name: value for output, value in zip(self._table.outputs, fitted, strict=True)}

    def _typed(self, value: Any, output: Output) -> Any:
        try:
            return self._types.fitted(value, output.type)
        except Misfit:
            return None

    def _settled(self, found: list[tuple[Ready, Any]], notes: Notes) -> list[tuple[Ready, Any]]:
        """The matches that the hit policy keeps, in its order."""
        policy = self._table.policy
        rules = ", ".join(self._number(ready) for ready, _ in found)
        if policy == "UNIQUE" and len(found) > 1:
            notes.wrong("several", rules=rules)
            return []
        if policy == "ANY" and any(not _alike(answer, found[0][1]) for _, answer in found):
            notes.wrong("different", rules=rules)
            return []
        if policy in {"PRIORITY", "OUTPUT ORDER"}:
            found = sorted(found, key=lambda pair: self._rank(pair[1]))
        return found[:1] if policy in {"FIRST", "PRIORITY"} else found

    def _number(self, ready: Ready) -> str:
        return str(self._table.rules.index(ready.rule) + 1)

    def _rank(self, answer: Any) -> tuple[int, ...]:
        """The place of each output among its values; what is not listed comes last."""
        parts = list(answer.values()) if len(self._table.outputs) > 1 else [answer]
        return tuple(
            next((place for place, value in enumerate(ranks) if _alike(part, value)), len(ranks))
            for part, ranks in zip(parts, self._ranks, strict=True)
        )

    def _aggregated(self, answers: list[Any]) -> Any:
        match self._table.aggregation:
            case "COUNT":
                return Decimal(len(answers))
            case "SUM":
                return reduce(lambda left, right: calculated("+", left, right), answers)
            case "MIN":
                return reduce(lambda best, item: item if less(item, best) else best, answers)
            case "MAX":
                return reduce(lambda best, item: item if less(best, item) else best, answers)
            case _:
                return answers


def _ranked(output: Output, read: Read) -> list[Any]:
    """The values of an output, the most important first."""
    if output.allowed is None:
        return []
    listed = read(Text(f"[{output.allowed.text}]", output.allowed.where))
    values = listed.value({}) if listed else None
    return values if isinstance(values, list) else []


def _alike(left: Any, right: Any) -> bool:
    return equal(left, right) is True

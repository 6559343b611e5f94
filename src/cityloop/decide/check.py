"""A table looked at as a whole: combinations that no rule covers, rules that hold together, rules without a turn."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from cityloop import feel
from cityloop.core.errors import Fault
from cityloop.decide import model
from cityloop.decide.graph import Graph
from cityloop.decide.model import SINGLE, Decision, InputData, Knowledge, Service, Table, Text
from cityloop.decide.phrases import PHRASES
from cityloop.decide.regions import Region, region
from cityloop.decide.schemas import TableFinding
from cityloop.decide.types import plain
from cityloop.feel import FeelFault

_Named = InputData | Decision | Knowledge | Service
_MOST_STATES = 10_000
_MOST_SHOWN = 20


def findings(graph: Graph) -> list[TableFinding]:
    """What is to be said of every table of a file."""
    found: list[TableFinding] = []
    for decision in graph.model.decisions.values():
        if isinstance(decision.logic, Table):
            found += _Survey(graph, decision.id, decision.logic).findings()
    return found


def name_faults(graph: Graph) -> Iterator[Fault]:
    """Names that an expression of a decision reads and nobody gives, and types that do not exist."""
    source = graph.model
    for entry in source.valued:
        if not graph.types.has(entry.variable.type):
            yield PHRASES.fault(entry.title.en, "type", name=entry.variable.type)
    for decision in source.decisions.values():
        if decision.logic is None:
            yield PHRASES.fault(decision.title.en, "no-logic")
            continue
        known = {_variable(graph, id) for id in decision.requires}
        for text, names in _read(graph, decision):
            for name in sorted(names - known):
                yield PHRASES.fault(text.where, "unknown-name", name=name, known=", ".join(sorted(known)) or "–")


def _variable(graph: Graph, id: str) -> str:
    source = graph.model
    parts: tuple[Mapping[str, _Named], ...] = (source.inputs, source.decisions, source.knowledge, source.services)
    return next(part[id].variable.name for part in parts if id in part)


def _read(graph: Graph, decision: Decision) -> Iterator[tuple[Text, frozenset[str]]]:
    """The texts of a table or an expression, each with the names that it reads."""
    logic = decision.logic
    if isinstance(logic, model.Expression):
        yield from _names(graph, logic.text)
    if isinstance(logic, Table):
        for column in logic.columns:
            yield from _names(graph, column.expression)
        for rule in logic.rules:
            for text in rule.tests:
                yield from _names(graph, text, cell=True)
            for text in rule.outputs:
                yield from _names(graph, text)


def _names(graph: Graph, text: Text, cell: bool = False) -> Iterator[tuple[Text, frozenset[str]]]:
    try:
        read = feel.tests if cell else feel.expression
        yield text, read(text.text, graph.known).names
    except FeelFault:
        return


@dataclass
class _Survey:
    """One table's samples, column by column, walked through together."""

    graph: Graph
    decision: str
    table: Table
    regions: list[Region] = field(default_factory=list)
    found: list[TableFinding] = field(default_factory=list)
    turns: int = 0
    """Rules that come first for some sample, as bits."""
    pairs: set[tuple[int, int]] = field(default_factory=set)
    gaps: int = 0
    seen: set[tuple[int, int]] = field(default_factory=set)

    def findings(self) -> list[TableFinding]:
        """Everything that is to be said of the table."""
        self.found += self._outputs()
        if not self.table.rules or not self.table.columns or not self._sampled():
            return self.found
        self._walk(0, (1 << len(self.table.rules)) - 1, [])
        if len(self.seen) >= _MOST_STATES:
            self._say("not-complete", "warning")
        if self.table.policy == "FIRST":
            self._hidden()
        return self.found

    def _sampled(self) -> bool:
        try:
            for number in range(len(self.table.columns)):
                self.regions.append(self._region(number))
        except FeelFault:
            return False
        for number, one in enumerate(self.regions):
            column = self.table.columns[number]
            for rule in one.unjudged:
                self._say("unjudged", "note", (rule,), rule=rule + 1, column=column.title)
            covered = 0
            for sample in one.samples:
                covered |= sample.rules
            for rule in range(len(self.table.rules)):
                if not covered >> rule & 1:
                    self._say("never", "error", (rule,), rule=rule + 1, column=column.title)
        return True

    def _region(self, number: int) -> Region:
        column, known = self.table.columns[number], self.graph.known
        kind = column.type or self._type_of(column.expression.text)
        allowed = column.allowed.text if column.allowed else self.graph.types.allowed(kind)
        tests = [feel.tests(rule.tests[number].text, known) for rule in self.table.rules]
        return region(tests, feel.tests(allowed, known) if allowed else None, self.graph.types.base(kind))

    def _type_of(self, name: str) -> str:
        return next((entry.variable.type for entry in self.graph.model.valued if entry.variable.name == name), "")

    def _walk(self, column: int, rules: int, values: list[Any]) -> None:
        """Go on with the rules that still hold; each state of a column is looked at once, by its first example."""
        if (column, rules) in self.seen or len(self.seen) >= _MOST_STATES:
            return
        self.seen.add((column, rules))
        if not rules or column == len(self.regions):
            self._judge(rules, values)
            return
        for sample in self.regions[column].samples:
            self._walk(column + 1, rules & sample.rules, [*values, sample.value])

    def _judge(self, rules: int, values: list[Any]) -> None:
        if not rules:
            default = any(output.default for output in self.table.outputs)
            if self.table.policy in SINGLE and not default and self.gaps < _MOST_SHOWN:
                self.gaps += 1
                self._say("gap", "warning", values=values)
            return
        self.turns |= rules & -rules
        if self.table.policy in {"UNIQUE", "ANY"}:
            sure = [n for n in range(len(self.table.rules)) if rules >> n & 1 and not self._computed(n)]
            for second in sure[1:]:
                self._together(sure[0], second, values)

    def _computed(self, rule: int) -> bool:
        return any(rule in one.unjudged for one in self.regions)

    def _together(self, first: int, second: int, values: list[Any]) -> None:
        if (first, second) in self.pairs or len(self.pairs) >= _MOST_SHOWN:
            return
        one, two = self.table.rules[first], self.table.rules[second]
        if self.table.policy == "ANY" and [text.text for text in one.outputs] == [text.text for text in two.outputs]:
            return
        self.pairs.add((first, second))
        code = "overlap" if self.table.policy == "UNIQUE" else "conflict"
        self._say(code, "error", (first, second), values, first=first + 1, second=second + 1)

    def _hidden(self) -> None:
        for rule in range(len(self.table.rules)):
            if not self.turns >> rule & 1 and not self._computed(rule):
                self._say("hidden", "warning", (rule,), rule=rule + 1)

    def _outputs(self) -> Iterator[TableFinding]:
        """Constant outputs that are not among the allowed ones."""
        for number, output in enumerate(self.table.outputs):
            allowed = output.allowed.text if output.allowed else self.graph.types.allowed(output.type)
            for place, rule in enumerate(self.table.rules if allowed else ()):
                try:
                    read = feel.expression(rule.outputs[number].text, self.graph.known)
                    value = None if read.names else read.value({})
                    if value is None or feel.tests(allowed, self.graph.known).holds(value) is True:
                        continue
                except FeelFault:
                    continue
                yield self._finding("output-value", "error", (place,), value=plain(value))

    def _say(
        self, code: str, weight: str, rules: tuple[int, ...] = (), values: list[Any] | None = None, **parts: object
    ) -> None:
        self.found.append(self._finding(code, weight, rules, values, **parts))

    def _finding(
        self, code: str, weight: str, rules: tuple[int, ...] = (), values: list[Any] | None = None, **parts: object
    ) -> TableFinding:
        example = self._example(values or [])
        words = "，".join(f"{name} = {feel.text_of(feel.adopt(value))}" for name, value in example.items())
        return TableFinding.model_validate(
            {
                "code": code,
                "weight": weight,
                "decision": self.decision,
                "rules": [self.table.rules[rule].id for rule in rules],
                "example": example,
                "said": PHRASES.what(code, example=words, **parts),
                "remedy": PHRASES.mend(code, **parts),
            }
        )

    def _example(self, values: list[Any]) -> dict[str, Any]:
        """The values by the expression of their column; columns that do not matter any more are left out."""
        return {column.expression.text: plain(value) for column, value in zip(self.table.columns, values, strict=False)}

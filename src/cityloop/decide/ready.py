"""A file of a decision table that was read and checked, and is ready to answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from cityloop import feel
from cityloop.core.errors import Fault, Invalid
from cityloop.core.values import Title
from cityloop.decide.check import findings, name_faults
from cityloop.decide.frame import Hit, Notes
from cityloop.decide.graph import Graph, Outcome, final_decisions
from cityloop.decide.implied import with_implied_inputs
from cityloop.decide.model import SINGLE, Decision, InputData, Model, Table
from cityloop.decide.phrases import PHRASES
from cityloop.decide.reading import read
from cityloop.decide.schemas import FileFault, TableCheck, TableFinding, TableHit, TableInput, TableTrial
from cityloop.decide.types import Misfit, plain
from cityloop.feel import FeelFault
from cityloop.feel.constants import constants


@dataclass(frozen=True)
class Ready:
    """A file and its one final decision; ``faults`` keep it from being used."""

    xml: str
    graph: Graph
    faults: tuple[Fault, ...]

    @property
    def id(self) -> str | None:
        """The id of the final decision, where there is exactly one."""
        found = final_decisions(self.graph.model)
        return found[0] if len(found) == 1 else None

    @property
    def decision(self) -> Decision:
        """The final decision."""
        return self.graph.model.decisions[self.id or ""]

    @cached_property
    def findings(self) -> list[TableFinding]:
        """What the check of all tables says; a file with faults is not looked at."""
        return [] if self.faults else findings(self.graph)

    @property
    def sound(self) -> bool:
        """Whether nothing keeps it from coming into force."""
        return not self.faults and all(finding.weight != "error" for finding in self.findings)

    @property
    def table(self) -> Table | None:
        """The table of the final decision, where its logic is one."""
        return self.decision.logic if isinstance(self.decision.logic, Table) else None

    def check(self) -> TableCheck:
        """The check for the wire."""
        return TableCheck(
            sound=self.sound,
            table=self.id,
            faults=[file_fault(fault) for fault in self.faults],
            findings=self.findings,
            inputs=[] if self.faults else self.inputs(),
        )

    def inputs(self) -> list[TableInput]:
        """What it must be given."""
        return [self._input(entry) for entry in self.graph.inputs_of(self.id or "")]

    def _input(self, entry: InputData) -> TableInput:
        kind = entry.variable.type
        allowed = self.graph.types.allowed(kind) or self._column_values(entry.variable.name)
        return TableInput(
            name=entry.variable.name,
            title=entry.title,
            type=self.graph.types.base(kind) or kind,
            values=[plain(value) for value in _enumerated(allowed)],
            allowed=allowed,
        )

    def _column_values(self, name: str) -> str:
        for decision in self.graph.model.decisions.values():
            for column in decision.logic.columns if isinstance(decision.logic, Table) else ():
                if column.expression.text == name and column.allowed:
                    return column.allowed.text
        return ""

    def answer(self, inputs: Mapping[str, Any]) -> TableTrial:
        """The answer over inputs by name; the same inputs always give the same. What it does not take is left out."""
        notes, values = Notes(), self._taken(inputs)
        for code, parts in values.wrong:
            notes.wrong(code, **parts)
        outcome = self.graph.decide(self.id or "", values.values)
        outcome.notes.problems[:0] = notes.problems
        return self._told(outcome, {name: plain(value) for name, value in values.values.items()})

    def _taken(self, inputs: Mapping[str, Any]) -> _Taken:
        entries = {entry.variable.name: entry for entry in self.graph.inputs_of(self.id or "")}
        taken = _Taken({}, [])
        for name, entry in entries.items():
            if name not in inputs:
                taken.wrong.append(("missing-input", {"name": entry.title}))
            try:
                taken.values[name] = feel.adopt(self.graph.types.read(inputs.get(name), entry.variable.type))
            except Misfit:
                taken.values[name] = None
                parts = {"name": entry.title, "value": inputs.get(name), "type": entry.variable.type}
                taken.wrong.append(("input-type", parts))
        return taken

    def _told(self, outcome: Outcome, inputs: dict[str, Any]) -> TableTrial:
        table = self.table
        hits = [hit for hit in outcome.notes.hits if table and hit.table == table.id]
        own = hits[-1] if hits else Hit("", (), ())
        problems = outcome.notes.problems
        none = table is not None and not own.rules and not own.default
        kind = "error" if problems else "none" if none or outcome.value is None else "matched"
        told = [problem.title for problem in problems] or self._reasons(own, none, kind)
        return TableTrial.model_validate(
            {
                "inputs": inputs,
                "outputs": {} if kind != "matched" else self._outputs(plain(outcome.value)),
                "rules": [] if problems else own.rules,
                "outcome": kind,
                "reasons": told,
                "hits": [
                    TableHit(table=hit.table, rules=list(hit.rules), default=hit.default) for hit in outcome.notes.hits
                ],
            }
        )

    def _reasons(self, own: Hit, none: bool, kind: str) -> list[Title]:
        if none or kind == "none":
            return [PHRASES.what("no-rule" if none else "no-answer")]
        if own.default:
            return [PHRASES.what("default")]
        numbers = ", ".join(self._number(rule) for rule in own.rules)
        return [*own.reasons] or ([PHRASES.what("matched", rules=numbers)] if numbers else [])

    def _number(self, rule: str) -> str:
        rules = [entry.id for entry in self.table.rules] if self.table else []
        return str(rules.index(rule) + 1)

    def _outputs(self, value: Any) -> dict[str, Any] | list[Any]:
        """Outputs by name; a list where several rules answer."""
        table = self.table
        if table is not None and len(table.outputs) > 1:
            return value if isinstance(value, dict | list) else {}
        name = (table.outputs[0].name if table else "") or self.decision.variable.name
        if table is None and isinstance(value, dict | list):
            return value
        several = table is not None and table.policy not in SINGLE and not table.aggregation
        return [{name: item} for item in value] if several and isinstance(value, list) else {name: value}


@dataclass
class _Taken:
    values: dict[str, Any]
    wrong: list[tuple[str, dict[str, Any]]]


def _enumerated(allowed: str) -> list[Any]:
    """The values of ``"a", "b"``; nothing where ranges or conditions are among them."""
    try:
        read_tests = feel.tests(allowed) if allowed else None
    except FeelFault:
        return []
    values = constants(read_tests) if read_tests else []
    return [value for value in values or [] if isinstance(value, str)]


def file_fault(fault: Fault) -> FileFault:
    """A fault for the wire, in both languages."""
    said = fault.said or Title(zh=fault.what, en=fault.what)
    remedy = fault.remedy or Title(zh=fault.mend, en=fault.mend)
    return FileFault(where=fault.where, code=fault.code, said=said, remedy=remedy)


def prepare(xml: str, where: str = "xml") -> Ready:
    """Read and check a file; its faults are kept, not raised."""
    try:
        source, faults = read(xml, where)
    except Invalid as refused:
        return Ready(xml, Graph(Model("", Title(zh="", en="")), where), tuple(refused.faults))
    source = with_implied_inputs(source)
    graph = Graph(source, where)
    faults += graph.faults
    roots = final_decisions(source)
    if not roots:
        faults.append(PHRASES.fault(where, "no-decision"))
    if len(roots) > 1:
        faults.append(PHRASES.fault(where, "roots", names=", ".join(roots)))
    if not faults:
        faults += name_faults(graph)
    return Ready(xml, graph, tuple(faults))

"""A file that is ready to be asked: decisions with all that they require."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cityloop import feel
from cityloop.core.errors import Fault
from cityloop.decide import model
from cityloop.decide.frame import Frame, Notes, Step
from cityloop.decide.logic import Builder
from cityloop.decide.model import Decision, InputData, Knowledge, Logic, Model, Service
from cityloop.decide.phrases import PHRASES
from cityloop.decide.types import Misfit, Types, plain
from cityloop.feel import Function


@dataclass(frozen=True)
class Outcome:
    """The value of a decision, in values of the language, and what is to be known of it."""

    value: Any
    notes: Notes


class Graph:
    """One file, read once and asked often. ``faults`` are those of its texts and requirements."""

    def __init__(self, source: Model, where: str = "dmn") -> None:
        self.model = source
        self.known = tuple(sorted(set(_names(source)), key=lambda name: (-len(name), name)))
        self.types = Types(source.items, self.known)
        self._builder = Builder(self.known, self.types)
        self.faults = list(_broken_requirements(source, where))
        self._whole = not self.faults
        self._steps: dict[str, Step] = {}
        if self._whole:
            self._steps = dict(self._built())
            self.faults += self._builder.faults

    def _built(self) -> Iterator[tuple[str, Step]]:
        for decision in self.model.decisions.values():
            if decision.logic is not None:
                yield decision.id, self._builder.step(decision.logic)
        for knowledge in self.model.knowledge.values():
            if knowledge.function is not None:
                yield knowledge.id, self._builder.step(knowledge.function.body)

    def decide(self, decision: str, inputs: Mapping[str, Any]) -> Outcome:
        """Make a decision over input values by name; values that do not fit their types are noted and null."""
        run = _Run(self, inputs)
        return Outcome(run.decision(decision), run.notes)

    def serve(self, service: str, inputs: Mapping[str, Any]) -> Outcome:
        """Call a decision service with the values of its inputs by name."""
        run = _Run(self, inputs)
        function = run.service(self.model.services[service])
        return Outcome(function.run([feel.adopt(inputs.get(name)) for name in function.parameters]), run.notes)

    def inputs_of(self, decision: str) -> list[InputData]:
        """All input data that a decision needs, its own and those of what it requires."""
        found: dict[str, InputData] = {}
        waiting, seen = [decision], set[str]()
        while waiting:
            id = waiting.pop(0)
            if id in seen:
                continue
            seen.add(id)
            if id in self.model.inputs:
                found[id] = self.model.inputs[id]
            waiting += required_by(self.model, id)
        return [entry for id, entry in self.model.inputs.items() if id in found]


class _Run:
    """One making of decisions: every decision is made once."""

    def __init__(self, graph: Graph, inputs: Mapping[str, Any]) -> None:
        self._graph, self._model, self._inputs = graph, graph.model, inputs
        self._made: dict[str, Any] = {}
        self.notes = Notes()

    def decision(self, id: str) -> Any:
        """The answer of a decision."""
        if id not in self._made:
            decision = self._model.decisions[id]
            step = self._graph._steps.get(id)
            value = step(Frame(self._required(decision.requires), self.notes)) if step else None
            self._made[id] = self._fitted(value, decision)
        return self._made[id]

    def _fitted(self, value: Any, decision: Decision) -> Any:
        try:
            return self._graph.types.fitted(value, decision.variable.type)
        except Misfit:
            kind = decision.variable.type
            self.notes.wrong("output-type", name=decision.title, value=plain(value), type=kind)
            return None

    def _required(self, ids: tuple[str, ...]) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for id in ids:
            if id in self._model.decisions:
                values[self._model.decisions[id].variable.name] = self.decision(id)
            elif id in self._model.inputs:
                found = self._model.inputs[id]
                values[found.variable.name] = self._input(found)
            elif id in self._model.knowledge:
                knowledge = self._model.knowledge[id]
                values[knowledge.variable.name] = self._knowledge(knowledge)
            else:
                service = self._model.services[id]
                values[service.variable.name] = self.service(service)
        return values

    def _input(self, entry: InputData) -> Any:
        if entry.id not in self._made:
            value = feel.adopt(self._inputs.get(entry.variable.name))
            try:
                self._made[entry.id] = self._graph.types.fitted(value, entry.variable.type)
            except Misfit as misfit:
                self._made[entry.id] = None
                self._complain(entry, value, misfit)
        return self._made[entry.id]

    def _complain(self, entry: InputData, value: Any, misfit: Misfit) -> None:
        code = "input-value" if misfit.allowed else "input-type"
        kind = entry.variable.type
        self.notes.wrong(code, name=entry.title, value=plain(value), allowed=misfit.allowed, type=kind)

    def _knowledge(self, knowledge: Knowledge) -> Function | None:
        step, logic = self._graph._steps.get(knowledge.id), knowledge.function
        if step is None or logic is None:
            return None
        builder = self._graph._builder
        frame = Frame(self._required(knowledge.requires), self.notes)
        kept = _typed(step, knowledge, builder)
        return builder.function(knowledge.variable.name, logic, kept, frame)

    def service(self, service: Service) -> Function:
        """A service as a function of its input data and of the decisions that the caller makes."""
        entries: list[InputData | Decision] = [
            self._model.inputs[id] if id in self._model.inputs else self._model.decisions[id] for id in service.inputs
        ]
        names = tuple(entry.variable.name for entry in entries)

        def run(arguments: list[Any]) -> Any:
            inner = _Run(self._graph, self._inputs)
            inner.notes = self.notes
            for entry, value in zip(entries, arguments, strict=True):
                inner._made[entry.id] = self._graph._builder.kept(value, entry.variable)
                if inner._made[entry.id] is None and value is not None:
                    return None
            answers = {self._model.decisions[id].variable.name: inner.decision(id) for id in service.outputs}
            answer = next(iter(answers.values())) if len(answers) == 1 else answers
            return self._graph._builder.kept(answer, service.variable)

        return Function(service.variable.name, names, run, len(names))


def _typed(step: Step, knowledge: Knowledge, builder: Builder) -> Step:
    return lambda frame: builder.kept(step(frame), knowledge.variable)


def required_by(source: Model, id: str) -> list[str]:
    """The ids that an element requires directly."""
    if id in source.decisions:
        return list(source.decisions[id].requires)
    if id in source.knowledge:
        return list(source.knowledge[id].requires)
    return [*source.services[id].outputs, *source.services[id].inputs] if id in source.services else []


def final_decisions(source: Model) -> list[str]:
    """Ids of the decisions that no other requires."""
    required = {id for decision in source.decisions.values() for id in decision.requires}
    return [id for id in source.decisions if id not in required]


def _broken_requirements(source: Model, where: str) -> Iterator[Fault]:
    known = {*source.inputs, *source.decisions, *source.knowledge, *source.services}
    for id in known:
        for wanted in required_by(source, id):
            if wanted not in known:
                yield PHRASES.fault(f"{where} {id}", "unknown-reference", id=wanted)
    yield from _circles(source, where)


def _circles(source: Model, where: str) -> Iterator[Fault]:
    """A fault for a circle of requirements; a service's own inputs are given and lead nowhere."""
    done: set[str] = set()
    for start in (*source.decisions, *source.knowledge):
        path: list[str] = []
        waiting = [(start, 0)]
        while waiting:
            id, depth = waiting.pop()
            del path[depth:]
            if id in path:
                yield PHRASES.fault(f"{where} {id}", "circle", names=" → ".join([*path[path.index(id) :], id]))
                return
            if id in done:
                continue
            path.append(id)
            below = required_by(source, id) if id not in source.services else source.services[id].outputs
            waiting += [(wanted, depth + 1) for wanted in below]
        done |= set(path[:1])


def _names(source: Model) -> Iterator[str]:
    given: tuple[InputData | Decision | Knowledge | Service, ...] = (
        *source.inputs.values(),
        *source.decisions.values(),
        *source.knowledge.values(),
        *source.services.values(),
    )
    for entry in given:
        yield entry.variable.name
        if isinstance(entry, Decision):
            yield from _names_in(entry.logic)
        elif isinstance(entry, Knowledge):
            yield from _names_in(entry.function)
    for item in source.items.values():
        yield from _components(item)


def _components(item: model.Item) -> Iterator[str]:
    for part in item.components:
        yield part.name
        yield from _components(part)


def _names_in(logic: Logic | None) -> Iterator[str]:
    match logic:
        case model.Entries(entries):
            for entry in entries:
                yield from [entry.variable.name] if entry.variable else []
                yield from _names_in(entry.logic)
        case model.Lambda(parameters, body):
            yield from (parameter.name for parameter in parameters)
            yield from _names_in(body)
        case model.Iteration(_, name, over, body):
            yield name
            yield from (*_names_in(over), *_names_in(body))
        case model.Table():
            yield from (output.name for output in logic.outputs)
        case model.Relation(names, rows):
            yield from names
            yield from (name for row in rows for cell in row for name in _names_in(cell))
        case model.Items(parts):
            yield from (name for part in parts for name in _names_in(part))
        case model.Invocation(called, bindings):
            yield from _names_in(called)
            yield from (name for _, part in bindings for name in _names_in(part))
        case model.Choice(condition, then, other):
            yield from (name for part in (condition, then, other) for name in _names_in(part))
        case model.Sieve(of, condition):
            yield from (*_names_in(of), *_names_in(condition))

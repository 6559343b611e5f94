"""The one place that knows SpiffWorkflow: a narrow port over it, with FEEL in place of Python.

An instance is loaded, takes one event, and is saved again; nothing of it stays in memory. Its diagram is parsed once
and shared. Scripts are refused, services only say what they want, time is the ``now`` that each call is given, and a
diagram that runs in circles without waiting is stopped.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import UUID

from lxml import etree
from SpiffWorkflow.bpmn import BpmnEvent, BpmnWorkflow
from SpiffWorkflow.bpmn.parser.ValidationException import ValidationException
from SpiffWorkflow.bpmn.serializer.workflow import BpmnWorkflowSerializer
from SpiffWorkflow.bpmn.specs.event_definitions import MessageEventDefinition, MultipleEventDefinition
from SpiffWorkflow.exceptions import SpiffWorkflowException
from SpiffWorkflow.task import Task as Token
from SpiffWorkflow.util.task import TaskState

from cityloop.core.errors import Conflict, Invalid
from cityloop.linkage import drawing as drawn
from cityloop.linkage.elements import CONFIG, Due, DueOf, Errand, Parser, Words, plain
from cityloop.linkage.phrases import PHRASES
from cityloop.linkage.steps import Steps

MOST_STEPS = 300
"""Steps in one go: more is a loop that never waits."""
MOST_TOKENS = 950
"""Steps of a whole run, also of loops that wait. The library looks no deeper than 1,000, and says nothing about it."""
_COSMETIC = {"bpmn_name", "description", "documentation", "lane"}
WaitKind = Literal["task", "service", "timer", "message"]


class Stuck(Conflict):
    """The instance cannot go on: no way is open, or an expression gives nothing that could be used."""

    code = "run-stuck"
    title = "The plan cannot go on"


@dataclass(frozen=True)
class Wait:
    """Something an instance waits for. ``step`` is the id of this very pass through the element."""

    step: str
    element: str
    kind: WaitKind
    due: datetime | None = None
    inputs: Mapping[str, Any] | None = None
    name: str = ""
    """Of a message."""
    facts: Mapping[str, Any] | None = None
    """What is known at the step."""


class Diagram:
    """A plan, parsed: what is drawn, what our extension says, and the engine's own form of it."""

    def __init__(self, drawing: drawn.Drawing, spec: Any, parts: Mapping[str, Any]) -> None:
        self.drawing, self.steps = drawing, Steps(drawing)
        self.spec, self.parts = spec, dict(parts)
        self.registry = BpmnWorkflowSerializer.configure(CONFIG)
        self.registry.diagram = self

    @property
    def plan(self) -> str:
        """The plan's id."""
        return self.drawing.id


class Instance:
    """One execution, held for the length of one transaction."""

    def __init__(self, diagram: Diagram, workflow: Any, words: Words) -> None:
        self.diagram, self._workflow, self._words = diagram, workflow, words
        workflow.script_engine, workflow.diagram = words, diagram

    @property
    def ended(self) -> bool:
        """Whether nothing of it is left to do."""
        return bool(self._workflow.completed)

    @property
    def facts(self) -> dict[str, Any]:
        """What the instance knows: of the newest step of each name, the last that was done wins."""
        known = dict(self._workflow.data)
        if self._workflow.last_task is not None:
            known |= self._workflow.last_task.data
        for token in self._tokens(TaskState.READY | TaskState.STARTED | TaskState.WAITING):
            known |= token.data
        return {name: value for name, value in known.items() if name != "data_objects"}

    def step(self, now: datetime) -> None:
        """Go on as far as possible; raises :class:`Stuck`."""
        self._words.now, count = now, 0

        def counted(_token: Token) -> None:
            nonlocal count
            count += 1
            if count > MOST_STEPS:
                raise PHRASES.problem(Stuck, "runs-in-circles", most=MOST_STEPS)
            if len(self._workflow.tasks) > MOST_TOKENS:
                raise PHRASES.problem(Stuck, "too-many-steps", most=MOST_TOKENS)

        self._going(lambda: self._go_on(counted))

    def complete(self, step: str, values: Mapping[str, Any], now: datetime) -> None:
        """Finish a user or service step with its answer; raises :class:`Conflict` when it is not waiting."""
        token = self._token(step)
        self._words.now = now
        if not token.has_state(TaskState.READY | TaskState.STARTED):
            raise PHRASES.problem(Conflict, "step-not-open", element=_element(token))
        token.data.update(plain(dict(values)))
        self._going(token.run if token.has_state(TaskState.READY) else token.complete)
        self.step(now)

    def fire(self, name: str, payload: Mapping[str, Any], now: datetime) -> bool:
        """Give a message to whoever waits for it; whether anybody did."""
        self._words.now = now
        if not any(wait.kind == "message" and wait.name == name for wait in self.waiting()):
            return False
        event = BpmnEvent(MessageEventDefinition(name), plain(dict(payload)))
        self._going(lambda: self._workflow.send_event(event))
        self.step(now)
        return True

    def cancel(self) -> None:
        """End it here and now."""
        self._workflow.cancel()

    def resume(self, span: timedelta, now: datetime) -> None:
        """Go on after a pause of ``span``: every timer that runs fires so much later."""
        for token in list(self._workflow.event_manager.tasks.values()):
            due = token.internal_data.get("event_value")
            if isinstance(due, str):
                token.internal_data["event_value"] = (datetime.fromisoformat(due) + span).isoformat()
        self.step(now)

    def waiting(self) -> list[Wait]:
        """What it waits for, in the order of the drawing."""
        found = [*self._steps_open(), *self._events_open()]
        order = {name: place for place, name in enumerate(self.diagram.drawing.nodes)}
        return sorted(found, key=lambda wait: (order.get(wait.element, len(order)), wait.step))

    def marks(self) -> dict[str, str]:
        """``done`` or ``now`` of every element that it has come to."""
        found: dict[str, str] = {}
        for token in self._tokens(TaskState.COMPLETED | TaskState.STARTED | TaskState.READY | TaskState.WAITING):
            element = _element(token)
            if element in self.diagram.drawing.nodes:
                done = token.has_state(TaskState.COMPLETED)
                found[element] = "done" if done and found.get(element, "done") == "done" else "now"
        return found

    def dump(self) -> str:
        """Its state as JSON, without the diagram."""
        return json.dumps(self.diagram.registry.convert(self._workflow), ensure_ascii=False, separators=(",", ":"))

    def _steps_open(self) -> Iterator[Wait]:
        for token in self._tokens(TaskState.READY | TaskState.STARTED):
            element, kind = _element(token), _kind(token)
            if kind == "task":
                yield Wait(str(token.id), element, "task", facts=token.data)
            elif kind == "service":
                yield Wait(
                    str(token.id), element, "service", inputs=token.internal_data.get("inputs"), facts=token.data
                )

    def _events_open(self) -> Iterator[Wait]:
        for token in self._workflow.event_manager.tasks.values():
            if not token.has_state(TaskState.WAITING):
                continue
            event = token.task_spec.event_definition
            for one in event.event_definitions if isinstance(event, MultipleEventDefinition) else [event]:
                element = _element(token)
                if isinstance(one, Due):
                    yield Wait(str(token.id), element, "timer", due=one.due(token))
                elif isinstance(one, MessageEventDefinition):
                    yield Wait(str(token.id), element, "message", name=one.name)

    def _tokens(self, state: int) -> list[Token]:
        return list(self._workflow.get_tasks(state=state))

    def _token(self, step: str) -> Token:
        try:
            found: Token = self._workflow.get_task_from_id(UUID(step))
        except (SpiffWorkflowException, ValueError) as error:
            raise PHRASES.problem(Conflict, "step-not-open", element=step) from error
        return found

    def _go_on(self, counted: Callable[[Token], None]) -> None:
        """Timers first, then what they let go, until only waits are left."""
        self._workflow.refresh_timers()
        while any(not token.task_spec.manual for token in self._tokens(TaskState.READY)):
            self._workflow.do_engine_steps(will_complete_task=counted)

    def _going(self, act: Callable[[], object]) -> None:
        try:
            act()
        except (Stuck, MemoryError):
            raise
        except Exception as error:
            # Whatever the library or an expression stumbles over ends this step with its reason, never the program.
            raise PHRASES.problem(Stuck, "stuck", element=_where(error), why=_why(error)) from error


class Engine:
    """Parses diagrams and runs them. ``due_of`` reads durations that are written in the city's language of limits."""

    def __init__(self, due_of: DueOf) -> None:
        self._due_of = due_of

    def parse(self, xml: str | bytes) -> Diagram:
        """The diagram of a plan; raises :class:`Invalid` for one that the engine cannot follow."""
        drawing = drawn.read(xml)
        _refuse_scripts(drawing)
        parser = Parser()
        safe = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
        try:
            parser.add_bpmn_xml(etree.fromstring(drawing.xml.encode(), safe))
            spec = parser.get_spec(drawing.id)
            return Diagram(drawing, spec, parser.get_subprocess_specs(drawing.id))
        except (ValidationException, etree.LxmlError) as error:
            raise PHRASES.problem(Invalid, "cannot-follow", why=str(error)) from error

    def start(self, diagram: Diagram, facts: Mapping[str, Any], now: datetime) -> Instance:
        """A new instance that knows ``facts``, gone as far as it can; raises :class:`Stuck`."""
        workflow = BpmnWorkflow(diagram.spec, diagram.parts, script_engine=Words(self._due_of))
        workflow.task_tree.data.update(plain(dict(facts)))
        instance = Instance(diagram, workflow, workflow.script_engine)
        instance.step(now)
        return instance

    def load(self, diagram: Diagram, text: str) -> Instance:
        """The instance of :meth:`Instance.dump`."""
        return Instance(diagram, diagram.registry.restore(json.loads(text)), Words(self._due_of))

    def may_migrate(self, instance: Instance, diagram: Diagram) -> list[str]:
        """Elements for which an instance cannot go on by another version.

        Those are what it has passed or stands at and is not there any more, or is joined otherwise. Elements are the
        same when their ids are; titles and documentation may change.
        """
        workflow = instance._workflow
        touched: set[str] = set()
        for part in (workflow, *workflow.subprocesses.values()):
            spec = diagram.spec if part is workflow else diagram.parts.get(part.spec.name)
            if spec is None:
                touched.add(str(part.spec.name))
                continue
            touched |= {_element(token) for token in _come_to(part) if _bars(diagram, token, spec)}
        nodes = {**instance.diagram.drawing.nodes, **diagram.drawing.nodes}
        return sorted(name for name in touched if name in nodes)

    def migrate(self, instance: Instance, diagram: Diagram) -> Instance:
        """The instance going on by another version; raises :class:`Conflict` where it may not."""
        if stand := self.may_migrate(instance, diagram):
            raise PHRASES.problem(Conflict, "cannot-migrate", elements=", ".join(stand))
        workflow = instance._workflow
        workflow.subprocess_specs = diagram.parts
        for part in workflow.subprocesses.values():
            _follow(part, diagram.parts[part.spec.name])
        _follow(workflow, diagram.spec)
        return self.load(diagram, Instance(diagram, workflow, Words(self._due_of)).dump())


def _come_to(workflow: Any) -> list[Token]:
    """Steps that a workflow has passed or stands at; what it has been through inside of sub-processes is theirs."""
    mask = TaskState.FINISHED_MASK | TaskState.STARTED | TaskState.READY | TaskState.WAITING
    return list(workflow.get_tasks(state=mask, skip_subprocesses=True))


def _bars(diagram: Diagram, token: Token, spec: Any) -> bool:
    """Whether a step keeps its workflow from another specification; what only waits for a person may lead elsewhere."""
    found = spec.task_specs.get(token.task_spec.name)
    if found is None or token.has_state(TaskState.READY):
        return found is None
    old, new = (diagram.registry.convert(one) for one in (token.task_spec, found))
    return any(old.get(name) != new.get(name) for name in {*old, *new} - _COSMETIC)


def _follow(workflow: Any, spec: Any) -> None:
    """Put a workflow on another specification: what is passed or waits stays, what lies ahead is foretold anew."""
    workflow.spec = spec
    waiting = TaskState.READY | TaskState.WAITING | TaskState.STARTED
    ahead = list(workflow.get_tasks(state=waiting, skip_subprocesses=True))
    for token in ahead:
        token._drop_children()
    for token in workflow.tasks.values():
        token.task_spec = spec.task_specs[token.task_spec.name]
    for token in ahead:
        token.task_spec._predict(token, mask=TaskState.PREDICTED_MASK | TaskState.FUTURE | waiting)


def _kind(token: Token) -> WaitKind | None:
    if isinstance(token.task_spec, Errand):
        return "service" if token.has_state(TaskState.STARTED) else None
    return "task" if token.task_spec.manual and token.has_state(TaskState.READY) else None


def _element(token: Token) -> str:
    """The id in the drawing; one instance of several bears that of the element."""
    return str(token.task_spec.bpmn_id or token.task_spec.name).removesuffix(" [child]")


def _where(error: Exception) -> str:
    spec = getattr(error, "task_spec", None) or getattr(getattr(error, "task", None), "task_spec", None)
    return str(getattr(spec, "bpmn_id", None) or getattr(spec, "name", "?"))


def _why(error: Exception) -> str:
    return str(error) or type(error).__name__


def _refuse_scripts(drawing: drawn.Drawing) -> None:
    """Scripts are refused before anything else looks at them."""
    scripts = [node.id for node in drawing.nodes.values() if node.kind in ("scriptTask", "businessRuleTask")]
    faults = [PHRASES.fault(name, "no-scripts", element=name) for name in scripts]
    if faults:
        raise PHRASES.problem(Invalid, "cannot-follow", faults, why=", ".join(scripts))

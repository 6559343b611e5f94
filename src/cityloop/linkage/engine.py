"""The one place that knows SpiffWorkflow: a narrow port over it, with FEEL in place of Python.

An instance is loaded, takes one event, and is saved again; nothing of it stays in memory. Its diagram is parsed once
and shared. Scripts are refused, services only say what they want, time is the ``now`` that each call is given, and a
diagram that runs in circles without waiting is stopped.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal, cast
from uuid import UUID

from lxml import etree
from SpiffWorkflow.bpmn import BpmnEvent, BpmnWorkflow
from SpiffWorkflow.bpmn.exceptions import WorkflowTaskException
from SpiffWorkflow.bpmn.parser.BpmnParser import BpmnParser, full_tag
from SpiffWorkflow.bpmn.parser.event_parsers import (
    BoundaryEventParser,
    EventBasedGatewayParser,
    IntermediateCatchEventParser,
    StartEventParser,
)
from SpiffWorkflow.bpmn.parser.TaskParser import TaskParser
from SpiffWorkflow.bpmn.parser.ValidationException import ValidationException
from SpiffWorkflow.bpmn.script_engine.python_engine import PythonScriptEngine
from SpiffWorkflow.bpmn.serializer.config import DEFAULT_CONFIG
from SpiffWorkflow.bpmn.serializer.default.event_definition import TimerConditionalEventDefinitionConverter
from SpiffWorkflow.bpmn.serializer.default.task_spec import BpmnTaskSpecConverter
from SpiffWorkflow.bpmn.serializer.default.workflow import BpmnWorkflowConverter
from SpiffWorkflow.bpmn.serializer.workflow import BpmnWorkflowSerializer
from SpiffWorkflow.bpmn.specs.defaults import (
    BoundaryEvent,
    EventBasedGateway,
    IntermediateCatchEvent,
    ServiceTask,
    StartEvent,
)
from SpiffWorkflow.bpmn.specs.event_definitions import MessageEventDefinition, MultipleEventDefinition
from SpiffWorkflow.bpmn.specs.event_definitions.timer import TimerEventDefinition
from SpiffWorkflow.bpmn.util import PendingBpmnEvent
from SpiffWorkflow.exceptions import SpiffWorkflowException
from SpiffWorkflow.task import Task as Token
from SpiffWorkflow.util.task import TaskState

from cityloop.core.errors import Conflict, Invalid
from cityloop.feel import expression
from cityloop.linkage import drawing as drawn
from cityloop.linkage.joining import PARSED_AS, SAVED_AS
from cityloop.linkage.phrases import PHRASES
from cityloop.linkage.steps import Steps

MOST_STEPS = 300
"""Steps in one go: more is a loop that never waits."""
MOST_TOKENS = 950
"""Steps of a whole run, also of loops that wait. The library looks no deeper than 1,000, and says nothing about it."""
_COSMETIC = {"bpmn_name", "description", "documentation", "lane"}
WaitKind = Literal["task", "service", "timer", "message"]
DueOf = Callable[[str, datetime], datetime]
"""When a limit text of the city, begun at an instant, is used up; raises :class:`Invalid`."""


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
        self.registry = BpmnWorkflowSerializer.configure(_CONFIG)
        self.registry.diagram = self

    @property
    def plan(self) -> str:
        """The plan's id."""
        return self.drawing.id


class Instance:
    """One execution, held for the length of one transaction."""

    def __init__(self, diagram: Diagram, workflow: Any, words: _Words) -> None:
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
                if isinstance(one, _Due):
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
        parser = _Parser()
        safe = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False)
        try:
            parser.add_bpmn_xml(etree.fromstring(drawing.xml.encode(), safe))
            spec = parser.get_spec(drawing.id)
            return Diagram(drawing, spec, parser.get_subprocess_specs(drawing.id))
        except (ValidationException, etree.LxmlError) as error:
            raise PHRASES.problem(Invalid, "cannot-follow", why=str(error)) from error

    def start(self, diagram: Diagram, facts: Mapping[str, Any], now: datetime) -> Instance:
        """A new instance that knows ``facts``, gone as far as it can; raises :class:`Stuck`."""
        workflow = BpmnWorkflow(diagram.spec, diagram.parts, script_engine=_Words(self._due_of))
        workflow.task_tree.data.update(plain(dict(facts)))
        instance = Instance(diagram, workflow, workflow.script_engine)
        instance.step(now)
        return instance

    def load(self, diagram: Diagram, text: str) -> Instance:
        """The instance of :meth:`Instance.dump`."""
        return Instance(diagram, diagram.registry.restore(json.loads(text)), _Words(self._due_of))

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
        return self.load(diagram, Instance(diagram, workflow, _Words(self._due_of)).dump())


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


def plain(value: Any) -> Any:
    """A value of FEEL as JSON has it: numbers as ``int`` or ``float``, instants and durations as text."""
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, Mapping):
        return {str(name): plain(one) for name, one in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(one) for one in value]
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def feel_text(text: str) -> str:
    """An expression without the ``=`` that may stand before it."""
    return text.strip().removeprefix("=").strip()


class _Words(PythonScriptEngine):  # type: ignore[misc]
    """FEEL where the library would run Python; everything that is no expression is refused."""

    def __init__(self, due_of: DueOf) -> None:
        super().__init__(environment=_NoPython())
        self.due_of = due_of
        self.now = datetime.min.replace(tzinfo=UTC)

    def evaluate(self, task: Token, expression: str, external_context: object = None) -> Any:
        """The value of a FEEL text over the data of a step."""
        return feel(expression, task.data)

    def execute(self, task: Token, script: str, external_context: object = None) -> bool:
        """Never."""
        raise WorkflowTaskException("a plan runs no scripts", task=task)

    def call_service(self, task: Token, **_: object) -> str:
        """Never: a service only says what it wants."""
        raise WorkflowTaskException("a plan calls no services by itself", task=task)


class _NoPython:
    """An environment in which nothing can be run."""

    def evaluate(self, *_: object, **__: object) -> Any:
        raise SpiffWorkflowException("only FEEL is evaluated")

    execute = call_service = evaluate


def feel(text: str, context: Mapping[str, Any]) -> Any:
    """The value of a FEEL text; raises :class:`Problem` for a text that is none."""
    return plain(expression(feel_text(text)).value(context))


class _Errand(ServiceTask):  # type: ignore[misc]
    """A service task: it says what it wants and waits, through any number of savings, for its answer."""

    def _run_hook(self, my_task: Token) -> None:
        step = cast(Diagram, my_task.workflow.top_workflow.diagram).steps.service[self.bpmn_id]
        wanted = {name: _input(text, my_task.data) for name, text in step.inputs.items()}
        my_task._set_internal_data(inputs=wanted)


def _input(text: str, known: Mapping[str, Any]) -> Any:
    return feel(text, known) if text.startswith("=") else text


class _Due(TimerEventDefinition):  # type: ignore[misc]
    """A timer on the clock that the house gives: an ISO duration, an instant, a limit text, or FEEL after ``=``."""

    def has_fired(self, my_task: Token) -> bool:
        """Whether its instant has come; the instant is set when it is first asked."""
        words = my_task.workflow.top_workflow.script_engine
        due = my_task._get_internal_data("event_value")
        if due is None:
            text = self.expression.strip()
            found = str(feel(text, my_task.data)) if text.startswith("=") else text
            due = _instant(found, words.now, words.due_of).astimezone(UTC).isoformat()
            my_task._set_internal_data(event_value=due)
        if datetime.fromisoformat(due) <= words.now:
            my_task._set_internal_data(event_fired=True)
        return bool(my_task._get_internal_data("event_fired", False))

    def due(self, my_task: Token) -> datetime | None:
        """When it fires."""
        due = my_task._get_internal_data("event_value")
        return datetime.fromisoformat(due) if due else None

    def reset(self, my_task: Token) -> None:
        """A timer that is come to again is set anew."""
        super().reset(my_task)
        my_task.internal_data.pop("event_value", None)

    def details(self, my_task: Token) -> PendingBpmnEvent:
        """As the library wants it."""
        return PendingBpmnEvent(self.name, type(self).__name__, my_task._get_internal_data("event_value"))


def _instant(text: str, now: datetime, due_of: DueOf) -> datetime:
    text = text.strip().strip('"')
    if text[:1].upper() == "P":
        parts = TimerEventDefinition.parse_iso_duration(text)
        return now + cast(timedelta, TimerEventDefinition.get_timedelta_from_start(parts, now))
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return due_of(text, now)
    if found.tzinfo is None:
        raise SpiffWorkflowException(f"the instant '{text}' has no time zone")
    return found


class _TimerMixin:
    """Timers of diagrams become ours; cycles are drawn as loops."""

    node: Any

    def parse_timer_event(self, event: Any) -> _Due:
        """The timer of an event."""
        text = event.xpath("./*[local-name()='timeDuration' or local-name()='timeDate']/text()")
        if not text:
            raise ValidationException("a timer has a duration or an instant; draw repetition as a loop", self.node)
        return _Due(self.node.get("name", self.node.get("id")), str(text[0]))


class _StartParser(_TimerMixin, StartEventParser):  # type: ignore[misc]
    pass


class _CatchParser(_TimerMixin, IntermediateCatchEventParser):  # type: ignore[misc]
    pass


class _BoundaryParser(_TimerMixin, BoundaryEventParser):  # type: ignore[misc]
    pass


class _Parser(BpmnParser):  # type: ignore[misc]
    OVERRIDE_PARSER_CLASSES = {
        full_tag("serviceTask"): (TaskParser, _Errand),
        full_tag("inclusiveGateway"): PARSED_AS,
        full_tag("startEvent"): (_StartParser, StartEvent),
        full_tag("intermediateCatchEvent"): (_CatchParser, IntermediateCatchEvent),
        full_tag("boundaryEvent"): (_BoundaryParser, BoundaryEvent),
        full_tag("eventBasedGateway"): (EventBasedGatewayParser, EventBasedGateway),
    }


class _Shared(BpmnWorkflowConverter):  # type: ignore[misc]
    """Saves a workflow without its diagram and loads it with the shared one."""

    def to_dict(self, workflow: Any) -> dict[str, Any]:
        """The state alone."""
        saved = super(BpmnWorkflowConverter, self).to_dict(workflow)
        saved["subprocesses"] = self.mapping_to_dict(workflow.subprocesses)
        saved["bpmn_events"] = []
        return cast(dict[str, Any], saved)

    def from_dict(self, dct: dict[str, Any]) -> Any:
        """The state put on the diagram."""
        diagram = self.registry.diagram
        workflow = self.target_class(diagram.spec, diagram.parts, deserializing=True)
        workflow.tasks = self.mapping_from_dict(dct["tasks"], UUID, workflow=workflow)
        workflow.task_tree = workflow.tasks.get(UUID(dct["root"]))
        self.set_default_attributes(workflow, dct)
        self.subprocesses_from_dict(dct["subprocesses"], workflow)
        return workflow


_CONFIG = {
    **DEFAULT_CONFIG,
    **SAVED_AS,
    BpmnWorkflow: _Shared,
    _Errand: BpmnTaskSpecConverter,
    _Due: TimerConditionalEventDefinitionConverter,
}


def _kind(token: Token) -> WaitKind | None:
    if isinstance(token.task_spec, _Errand):
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

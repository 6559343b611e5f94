"""The library's elements as plans use them: FEEL instead of Python, services that wait for their answer, our clock."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, cast
from uuid import UUID

from SpiffWorkflow.bpmn import BpmnWorkflow
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
from SpiffWorkflow.bpmn.specs.defaults import (
    BoundaryEvent,
    EventBasedGateway,
    IntermediateCatchEvent,
    ServiceTask,
    StartEvent,
)
from SpiffWorkflow.bpmn.specs.event_definitions.timer import TimerEventDefinition
from SpiffWorkflow.bpmn.util import PendingBpmnEvent
from SpiffWorkflow.exceptions import SpiffWorkflowException
from SpiffWorkflow.task import Task as Token

from cityloop.feel import expression
from cityloop.linkage.joining import PARSED_AS, SAVED_AS

DueOf = Callable[[str, datetime], datetime]
"""When a limit text of the city, begun at an instant, is used up; raises :class:`Invalid`."""


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


class Words(PythonScriptEngine):  # type: ignore[misc]
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


class Errand(ServiceTask):  # type: ignore[misc]
    """A service task: it says what it wants and waits, through any number of savings, for its answer."""

    def _run_hook(self, my_task: Token) -> None:
        step = my_task.workflow.top_workflow.diagram.steps.service[self.bpmn_id]
        wanted = {name: _input(text, my_task.data) for name, text in step.inputs.items()}
        my_task._set_internal_data(inputs=wanted)


def _input(text: str, known: Mapping[str, Any]) -> Any:
    return feel(text, known) if text.startswith("=") else text


class Due(TimerEventDefinition):  # type: ignore[misc]
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

    def parse_timer_event(self, event: Any) -> Due:
        """The timer of an event."""
        text = event.xpath("./*[local-name()='timeDuration' or local-name()='timeDate']/text()")
        if not text:
            raise ValidationException("a timer has a duration or an instant; draw repetition as a loop", self.node)
        return Due(self.node.get("name", self.node.get("id")), str(text[0]))


class _StartParser(_TimerMixin, StartEventParser):  # type: ignore[misc]
    pass


class _CatchParser(_TimerMixin, IntermediateCatchEventParser):  # type: ignore[misc]
    pass


class _BoundaryParser(_TimerMixin, BoundaryEventParser):  # type: ignore[misc]
    pass


class Parser(BpmnParser):  # type: ignore[misc]
    OVERRIDE_PARSER_CLASSES = {
        full_tag("serviceTask"): (TaskParser, Errand),
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


CONFIG = {
    **DEFAULT_CONFIG,
    **SAVED_AS,
    BpmnWorkflow: _Shared,
    Errand: BpmnTaskSpecConverter,
    Due: TimerConditionalEventDefinitionConverter,
}

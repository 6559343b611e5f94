"""What our extension says of the elements of a diagram: who does them, by when, with which form, by which service."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, cast, get_args
from xml.etree.ElementTree import Element

from cityloop.core.values import Title
from cityloop.linkage.drawing import BPMN, Drawing, Node, extension, title_of
from cityloop.linkage.schemas import FieldKind, FormField, TriggerKind

Once = Literal["area", "entity", "none"]
MOST_LEVELS = 5


@dataclass(frozen=True)
class UserStep:
    """A user task: for whom, what it asks, how long it may take."""

    element: str
    title: Title
    description: str
    department: str | None
    post: str | None
    form: str | None
    fields: tuple[FormField, ...]
    limit: str | None
    levels: int
    """Approvals wanted, each by another person; 0 for a plain task."""
    four_eyes: bool
    """Whoever asked may not approve, which holds for approvals anyway; on a plain task: the starter may not do it."""
    remind: str | None
    escalate: str | None
    result: str


@dataclass(frozen=True)
class ServiceStep:
    """A service task: which service, with which inputs (a text, or FEEL after ``=``), its answer under which name."""

    element: str
    title: Title
    service: str
    inputs: Mapping[str, str]
    result: str


@dataclass(frozen=True)
class Trigger:
    """What starts a plan by itself."""

    kind: TriggerKind
    rule: str | None = None
    levels: tuple[str, ...] = ()
    type: str | None = None
    area: str | None = None
    when: str | None = None
    """FEEL, without its ``=``."""
    once: Once = "area"
    at: str | None = None
    """Of a schedule: ``06:30``, or ``Mon,Fri 06:30`` in the city's time."""
    move: str | None = None
    """Of a case: the move after which it starts."""


@dataclass(frozen=True)
class Steps:
    """All that our extension says of one drawing."""

    drawing: Drawing

    @cached_property
    def user(self) -> Mapping[str, UserStep]:
        """User and manual tasks by element."""
        wanted = ("userTask", "manualTask")
        return {n.id: _user(self.drawing, n) for n in self.drawing.nodes.values() if n.kind in wanted}

    @cached_property
    def service(self) -> Mapping[str, ServiceStep]:
        """Service tasks by element."""
        return {n.id: _service(n) for n in self.drawing.nodes.values() if n.kind == "serviceTask"}

    @cached_property
    def triggers(self) -> tuple[Trigger, ...]:
        """What starts it; a person may always start it who is allowed to."""
        return tuple(_trigger(element) for element in self.drawing.triggers)

    @cached_property
    def lead(self) -> str | None:
        """The department that leads: as the process says, else the first lane's."""
        for element in extension(self.drawing.process, "lead"):
            return element.get("department") or element.get("id")
        return next((lane.departments[0] for lane in self.drawing.lanes if lane.departments), None)


def _user(drawing: Drawing, node: Node) -> UserStep:
    told = next(iter(node.ours("task")), None)
    attributes = told.attrib if told is not None else {}
    lane = drawing.lane_of.get(node.id)
    levels = attributes.get("approval", "0")
    return UserStep(
        element=node.id,
        title=node.title,
        description=documentation(node.element),
        department=lane.departments[0] if lane and lane.departments else None,
        post=lane.posts[0] if lane and lane.posts else None,
        form=attributes.get("form"),
        fields=tuple(_field(one) for one in node.ours("field")),
        limit=attributes.get("limit"),
        levels=min(int(levels), MOST_LEVELS) if levels.isdigit() else 0,
        four_eyes=attributes.get("four_eyes") == "true",
        remind=attributes.get("remind"),
        escalate=attributes.get("escalate"),
        result=_result(node),
    )


def _service(node: Node) -> ServiceStep:
    told = next(iter(node.ours("service")), None)
    inputs = {one.get("name", ""): one.get("value", "") for one in node.ours("input")}
    return ServiceStep(node.id, node.title, told.get("name", "") if told is not None else "", inputs, _result(node))


def _result(node: Node) -> str:
    told = next(iter(node.ours("result")), None)
    return (told.get("name") if told is not None else None) or node.id


def _field(element: Element) -> FormField:
    kind = element.get("type", "text")
    name = element.get("id", "")
    values = [one.strip() for one in element.get("values", "").replace("|", ",").split(",")]
    return FormField(
        id=name,
        kind=cast(FieldKind, kind) if kind in get_args(FieldKind) else "text",
        title=title_of_field(element, name),
        required=element.get("required") == "true",
        values=tuple(one for one in values if one),
    )


def title_of_field(element: Element, name: str) -> Title:
    """A field's title: our own elements bear theirs without a namespace."""
    zh, en = element.get("title_zh"), element.get("title_en")
    return Title(zh=zh or en or name, en=en or zh or name) if zh or en else title_of(element, name)


def _trigger(element: Element) -> Trigger:
    get = element.get
    kind, once, when = get("kind", "person"), get("once", "area"), get("when")
    levels = tuple(one.strip() for one in get("level", "").split(",") if one.strip())
    return Trigger(
        kind=cast(TriggerKind, kind) if kind in get_args(TriggerKind) else "person",
        rule=get("rule"),
        levels=levels,
        type=get("type"),
        area=get("area"),
        when=when.lstrip("=").strip() if when else None,
        once=cast(Once, once) if once in get_args(Once) else "area",
        at=get("at"),
        move=get("move"),
    )


def documentation(element: Element) -> str:
    """What the element's documentation says."""
    return (element.findtext(f"{{{BPMN}}}documentation") or "").strip()

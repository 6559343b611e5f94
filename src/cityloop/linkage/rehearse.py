"""Dry runs: a plan goes through the engine on a clock of its own, with answers given beforehand; nothing is sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from cityloop.access.actor import Actor
from cityloop.access.door import Door
from cityloop.core.clock import Clock
from cityloop.core.errors import Problem
from cityloop.core.phrases import Phrases
from cityloop.core.values import Title
from cityloop.linkage.catalogue import SERVICES
from cityloop.linkage.drawing import Node
from cityloop.linkage.elements import plain
from cityloop.linkage.engine import Diagram, Engine, Instance, Wait
from cityloop.linkage.library import Library
from cityloop.linkage.plan_schemas import PlanTried, PlanTry, TriedStep
from cityloop.linkage.schemas import FormField

MOST_STEPS = 300
Names = Mapping[str, Title]
"""Names of departments and posts."""
_SAMPLES: dict[str, Any] = {"number": 0, "integer": 0, "yes_no": True, "text": "", "instant": None, "date": None}
_PHRASES = Phrases(
    {
        "start": "启动 | it starts",
        "end": "结束 | it ends",
        "choice": "走“{flow}” | takes '{flow}'",
        "task": "会请{who}办理 | would ask {who} to do it",
        "approval": "会请{who}审批，共 {levels} 级 | would ask {who} to approve, {levels} level(s)",
        "timer": "等到定时 | waits for its time",
        "message": "等消息“{name}” | waits for the message '{name}'",
        "nobody": "未指定的人 | nobody in particular",
        "ended": "预案走到了结束 | the plan came to its end",
        "waiting": "停在“{where}”：试运行不会有人发来这条消息"
        " | it stands at '{where}': nobody sends that message in a dry run",
        "too-many": "超过 {most} 步，停在这里 | it was stopped after {most} steps",
    }
)


class Rehearsal:
    """Plays plans of the library, and diagrams that are being drawn."""

    def __init__(self, library: Library, engine: Engine, door: Door, clock: Clock, names: Names) -> None:
        self._library, self._engine, self._door, self._clock, self._names = library, engine, door, clock, names

    def play(self, actor: Actor, plan: str, wish: PlanTry) -> PlanTried:
        """The steps in their order; raises :class:`Invalid` for a diagram that the engine cannot follow."""
        self._door.scope(actor, "plan")
        diagram = self._engine.parse(wish.xml or self._library.current(plan).xml)
        return _Play(self._engine, diagram, wish, self._clock.now(), self._names).through()


@dataclass
class _Play:
    engine: Engine
    diagram: Diagram
    wish: PlanTry
    begun: datetime
    names: Names
    now: datetime = field(init=False)
    steps: list[TriedStep] = field(default_factory=list)
    passed: set[str] = field(default_factory=set)

    def through(self) -> PlanTried:
        """Answer what waits, one after the other, until it ends or nothing more can be answered."""
        self.now = self.begun
        try:
            instance = self.engine.start(self.diagram, self.wish.facts, self.now)
            self._notice(instance)
            while not instance.ended:
                if len(self.steps) >= MOST_STEPS:
                    return self._told("stopped", _PHRASES.what("too-many", most=MOST_STEPS))
                stays = self._answer(instance)
                if stays is not None:
                    return self._told("waiting", stays)
                self._notice(instance)
        except Problem as problem:
            said = problem.more.get("said")
            why = Title.model_validate(said) if said else Title(zh=problem.detail, en=problem.detail)
            return self._told("stopped", why)
        return self._told("ended", _PHRASES.what("ended"))

    def _answer(self, instance: Instance) -> Title | None:
        """Answer one of the waits: what is there to do before any clock; why it stays where nothing can be."""
        waits = instance.waiting()
        timers = sorted((one for one in waits if one.kind == "timer" and one.due), key=lambda one: one.due or self.now)
        work = [one for one in waits if one.kind in ("task", "service")]
        late = {one.element for one in timers if self._late(one)}
        todo = next((one for one in work if not self._hosts(one.element) & late), None)
        if todo is not None:
            self._do(instance, todo)
        elif timers:
            self._wait(instance, timers[0])
        else:
            return _PHRASES.what(
                "waiting", where=self._title(waits[0].element) if waits else self.diagram.drawing.title
            )
        return None

    def _do(self, instance: Instance, wait: Wait) -> None:
        steps = self.diagram.steps
        given = dict(self.wish.answers.get(wait.element, {}))
        given.pop("late", None)
        if wait.kind == "service":
            service = steps.service[wait.element]
            kind = SERVICES.get(service.service)
            does = kind.does if kind else self._title(wait.element)
            self._add(wait.element, "service", does, inputs=plain(dict(wait.inputs or {})))
            instance.complete(wait.step, {service.result: given.get("result", given)}, self.now)
            return
        task = steps.user[wait.element]
        who = self._who(task.department or task.post)
        if task.levels:
            values: dict[str, Any] = {"approved": given.get("approve", True) is not False, "answers": []}
            does = _PHRASES.what("approval", who=who, levels=task.levels)
            self._add(wait.element, "approval", does, who=who)
        else:
            values = {one.id: given.get(one.id, _sample(one)) for one in task.fields}
            asks = [one.id for one in task.fields if one.required and one.id not in given]
            self._add(wait.element, "task", _PHRASES.what("task", who=who), who=who, asks=asks)
        instance.complete(wait.step, {task.result: values}, self.now)

    def _wait(self, instance: Instance, timer: Wait) -> None:
        self.now = max(self.now, timer.due or self.now)
        self._add(timer.element, "timer", _PHRASES.what("timer"))
        instance.step(self.now)

    def _late(self, timer: Wait) -> bool:
        """Whether a timer on a border is asked to fire before its activity is done, and has not yet."""
        node = self.diagram.drawing.nodes[timer.element]
        wanted = self.wish.answers.get(node.attached or "", {}).get("late") is True
        return wanted and timer.element not in {step.element for step in self.steps}

    def _hosts(self, element: str) -> set[str]:
        """The boundary events of an element."""
        return {node.id for node in self.diagram.drawing.nodes.values() if node.attached == element}

    def _notice(self, instance: Instance) -> None:
        """Starts, choices and ends that the engine has passed by itself, in the order of the drawing."""
        marks = instance.marks()
        for node in self.diagram.drawing.nodes.values():
            if marks.get(node.id) == "done" and node.id not in self.passed:
                self.passed.add(node.id)
                self._passing(node, marks)

    def _passing(self, node: Node, marks: Mapping[str, str]) -> None:
        if node.kind == "startEvent":
            self._add(node.id, "start", _PHRASES.what("start"))
        elif node.kind == "endEvent":
            self._add(node.id, "end", _PHRASES.what("end"))
        elif node.kind in {"exclusiveGateway", "inclusiveGateway"}:
            ways = self.diagram.drawing.outgoing[node.id]
            for flow in [flow for flow in ways if len(ways) > 1 and flow.target in marks]:
                self._add(node.id, "choice", _PHRASES.what("choice", flow=flow.name or self._title(flow.target)))

    def _add(self, element: str, kind: _Kind, does: Title, **more: Any) -> None:
        more = {"inputs": {}, "asks": [], **more}
        after = (self.now - self.begun).total_seconds()
        self.steps.append(
            TriedStep(element=element, kind=kind, title=self._title(element), does=does, after_seconds=after, **more)
        )

    def _title(self, element: str) -> Title:
        return self.diagram.drawing.nodes[element].title

    def _who(self, name: str | None) -> Title:
        if name is None:
            return _PHRASES.what("nobody")
        return self.names.get(name, Title(zh=name, en=name))

    def _told(self, end: Literal["ended", "waiting", "stopped"], why: Title) -> PlanTried:
        return PlanTried(steps=self.steps, end=end, why=why)


_Kind = Literal["start", "task", "approval", "service", "timer", "message", "choice", "end"]


def _sample(field: FormField) -> Any:
    """What stands in a field that was left empty: the first choice, nought, yes, or nothing."""
    return field.values[0] if field.values else _SAMPLES.get(field.kind)

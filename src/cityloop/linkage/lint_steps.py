"""Rules on single elements: who does a task, what a service is given, when a timer fires, what starts a plan."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from datetime import timedelta
from xml.etree.ElementTree import Element

from cityloop.core.errors import Fault
from cityloop.core.values import Title
from cityloop.feel import FeelFault, expression
from cityloop.linkage.drawing import BPMN, Drawing, Lane, Node, local
from cityloop.linkage.lint_known import APPROVALS, EVENTS_RUN, FIELD_KINDS, LEVELS, ONCE, TRIGGERS, PlanNames
from cityloop.linkage.lint_phrases import PHRASES

LONGEST = timedelta(days=366)
SHORTEST = timedelta(seconds=1)
_NAME = re.compile(r"[^\W\d]\w{0,59}")
_PERIOD = re.compile(r"P(?=.)(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?=.)(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")
_DAYS = (365, 30, 7, 1)
_TIMES = ("timeDuration", "timeDate", "timeCycle")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?(Z|[-+]\d\d:\d\d)")
_NOT_RUN = frozenset({"businessRuleTask", "callActivity", "sendTask", "receiveTask", "transaction"})


def step_faults(drawing: Drawing, names: PlanNames) -> list[Fault]:
    """All faults of single elements."""
    found = [*_triggers(drawing, names)]
    for lane in drawing.lanes:
        found += _lane(lane, names)
    for node in drawing.nodes.values():
        found += [*_kind(node), *_timers(node, names), *_loops(node)]
        if node.kind in {"userTask", "manualTask"}:
            found += _user_task(node, drawing.lane_of.get(node.id), names)
        elif node.kind == "serviceTask":
            found += _service(node, names)
    for flow in drawing.flows.values():
        found += _feel(flow.id, flow.condition) if flow.condition else []
    return [*found, *_results(drawing)]


def _kind(node: Node) -> Iterator[Fault]:
    if node.kind == "scriptTask":
        yield PHRASES.fault(node.id, "script")
    elif node.kind == "task":
        yield PHRASES.fault(node.id, "plain-task")
    elif node.kind in _NOT_RUN:
        yield PHRASES.fault(node.id, "not-run", kind=node.kind)
    known = EVENTS_RUN.get(node.kind)
    if known is not None and "+" not in node.event and node.event not in known:
        yield PHRASES.fault(
            node.id, "not-run-event", event=node.event or "—", known=", ".join(filter(None, known)) or "—"
        )


def _lane(lane: Lane, names: PlanNames) -> Iterator[Fault]:
    count = len(lane.departments) + len(lane.posts)
    if count == 0:
        yield PHRASES.fault(lane.id, "lane-of-nobody")
    elif count > 1:
        yield PHRASES.fault(lane.id, "lane-of-several", count=count)
    for one in lane.departments:
        yield from _among(lane.id, "unknown-department", one, names.departments)
    for one in lane.posts:
        yield from _among(lane.id, "unknown-post", one, names.posts)


def _among(where: str, code: str, one: str, known: Collection[str] | None) -> Iterator[Fault]:
    if known is not None and one not in known:
        yield PHRASES.fault(where, code, id=one)


def _user_task(node: Node, lane: Lane | None, names: PlanNames) -> Iterator[Fault]:
    if lane is None:
        yield PHRASES.fault(node.id, "no-lane")
    for task in node.ours("task"):
        yield from _chosen(node.id, "approval", task.get("approval"), APPROVALS)
        yield from _chosen(node.id, "four_eyes", task.get("four_eyes"), ("true", "false"))
        for key in ("limit", "remind"):
            text = task.get(key)
            why = names.unclear(text) if text and names.unclear else None
            if why is not None:
                yield PHRASES.fault(node.id, "limit-unclear", text=text, why=why)
        above = task.get("escalate")
        if above and names.departments is not None and names.posts is not None:
            yield from _among(node.id, "unknown-post", above, {*names.departments, *names.posts})
    yield from _fields(node.id, node.ours("field"))


def _fields(where: str, fields: Iterable[Element]) -> Iterator[Fault]:
    seen: set[str] = set()
    for field in fields:
        name, kind = field.get("id", ""), field.get("type", "text")
        if not _NAME.fullmatch(name):
            yield PHRASES.fault(where, "bad-name", name=name)
        if name in seen:
            yield PHRASES.fault(where, "field-twice", name=name)
        seen.add(name)
        if kind not in FIELD_KINDS:
            yield PHRASES.fault(where, "field-kind", name=name, kind=kind, known=", ".join(FIELD_KINDS))
        if kind == "choice" and not field.get("values", "").strip():
            yield PHRASES.fault(where, "field-choices", name=name)
        if not (field.get("title_zh") and field.get("title_en")):
            yield PHRASES.fault(where, "field-title", name=name)
        yield from _chosen(where, "required", field.get("required"), ("true", "false"))


def _service(node: Node, names: PlanNames) -> Iterator[Fault]:
    name = next((one.get("name", "") for one in node.ours("service")), "")
    if not name:
        yield PHRASES.fault(node.id, "no-service")
        return
    kind = names.services.get(name)
    if kind is None:
        yield PHRASES.fault(node.id, "unknown-service", name=name, known=", ".join(names.services))
        return
    given = {one.get("name", ""): one.get("value", "") for one in node.ours("input")}
    known = {one.name: one for one in kind.inputs}
    for one, times in Counter(one.get("name", "") for one in node.ours("input")).items():
        if times > 1:
            yield PHRASES.fault(node.id, "input-twice", name=one)
    for one in kind.inputs:
        if one.required and one.name not in given:
            yield PHRASES.fault(node.id, "no-input", service=kind.title, name=one.title)
    for key, value in given.items():
        if key not in known and not kind.more:
            yield PHRASES.fault(node.id, "unknown-input", service=kind.title, name=key, known=", ".join(known))
        if not value.strip():
            yield PHRASES.fault(node.id, "empty-input", name=key)
        elif value.startswith("="):
            yield from _feel(node.id, value)
        elif key in known and known[key].values:
            yield from _chosen(node.id, key, value, known[key].values)
        else:
            yield from _things(node.id, key, value, names)


def _things(where: str, key: str, value: str, names: PlanNames) -> Iterator[Fault]:
    """A thing of the city or of the packs that a text names."""
    if key == "department":
        yield from _among(where, "unknown-department", value, names.departments)
    elif key == "post":
        yield from _among(where, "unknown-post", value, names.posts)
    elif key == "area":
        yield from _thing(where, Title(zh="辖区", en="area"), value, names.areas)
    elif key == "table" and names.tables:
        yield from _thing(where, Title(zh="决策表", en="decision table"), value, names.tables())
    elif key == "command" and names.commands:
        yield from _thing(where, Title(zh="指令", en="command"), value, names.commands())


def _thing(where: str, kind: Title, value: str, known: Collection[str] | None) -> Iterator[Fault]:
    if known is not None and value not in known:
        yield PHRASES.fault(where, "unknown-thing", kind=kind, value=value)


def _results(drawing: Drawing) -> Iterator[Fault]:
    """One name for one result: of parallel branches the last would win."""
    owners: dict[str, Node] = {}
    for node in drawing.nodes.values():
        for result in node.ours("result"):
            name = result.get("name", "")
            if not _NAME.fullmatch(name):
                yield PHRASES.fault(node.id, "bad-name", name=name)
            elif owners.setdefault(name, node) is not node:
                yield PHRASES.fault(node.id, "result-twice", name=name, other=owners[name].title)


def _triggers(drawing: Drawing, names: PlanNames) -> Iterator[Fault]:
    for trigger in drawing.triggers:
        kind = trigger.get("kind", "")
        if kind not in TRIGGERS:
            yield PHRASES.fault(drawing.id, "no-trigger-kind", kind=kind, known=", ".join(TRIGGERS))
        for level in trigger.get("level", "").split(","):
            yield from _chosen(drawing.id, "level", level.strip() or None, LEVELS)
        yield from _chosen(drawing.id, "once", trigger.get("once"), ONCE)
        when, area, rule = (trigger.get(key) for key in ("when", "area", "rule"))
        if when:
            yield from _feel(drawing.id, when)
        if area:
            yield from _thing(drawing.id, Title(zh="辖区", en="area"), area, names.areas)
        if rule and names.rules:
            yield from _thing(drawing.id, Title(zh="规则", en="rule"), rule, names.rules())


def _chosen(where: str, name: str, value: str | None, known: Collection[str]) -> Iterator[Fault]:
    if value is not None and value not in known:
        yield PHRASES.fault(where, "bad-value", name=name, value=value, known=", ".join(known))


def _loops(node: Node) -> Iterator[Fault]:
    """Expressions of an activity that is done several times."""
    for name in ("loopCardinality", "completionCondition", "loopCondition"):
        for element in node.element.findall(f"{{{BPMN}}}*/{{{BPMN}}}{name}"):
            yield from _feel(node.id, element.text or "")


def _timers(node: Node, names: PlanNames) -> Iterator[Fault]:
    for event in node.element.findall(f"{{{BPMN}}}timerEventDefinition"):
        times = [(local(child), (child.text or "").strip()) for child in event if local(child) in _TIMES]
        kind, text = times[0] if times else ("", "")
        if kind == "timeCycle":
            yield PHRASES.fault(node.id, "timer-cycle", text=text)
        elif not text:
            yield PHRASES.fault(node.id, "timer-empty")
        elif text.startswith("="):
            yield from _feel(node.id, text)
        elif text.startswith("P"):
            yield from _duration(node.id, text)
        elif not _INSTANT.fullmatch(text) and names.unclear is not None:
            why = names.unclear(text)
            yield from [PHRASES.fault(node.id, "timer-unreadable", text=text, why=why)] if why else []


def _duration(where: str, text: str) -> Iterator[Fault]:
    found = _PERIOD.fullmatch(text)
    if found is None:
        yield PHRASES.fault(where, "timer-unreadable", text=text, why="ISO 8601")
        return
    parts = [int(part or 0) for part in found.groups()]
    days = sum(n * size for n, size in zip(parts[:4], _DAYS, strict=True))
    seconds = parts[4] * 3600 + parts[5] * 60 + parts[6]
    if days * 86_400 + seconds > LONGEST.total_seconds():
        yield PHRASES.fault(where, "timer-too-long", text=text, days=LONGEST.days)
    elif days * 86_400 + seconds < SHORTEST.total_seconds():
        yield PHRASES.fault(where, "timer-too-short", text=text, seconds=int(SHORTEST.total_seconds()))


def _feel(where: str, text: str) -> list[Fault]:
    """What is wrong with an expression; a leading ``=`` is no part of it."""
    plain = text.strip().removeprefix("=").strip()
    try:
        expression(plain)
    except FeelFault as fault:
        shown = plain if len(plain) <= 60 else plain[:59] + "…"
        told = next(iter(fault.faults), Fault(where, fault.detail, fault.mend))
        return [PHRASES.fault(where, "bad-feel", text=shown, why=told.said or told.what, mend=told.remedy or told.mend)]
    return []

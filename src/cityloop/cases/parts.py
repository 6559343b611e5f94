"""Parts of a case that co-handlers do: what may become of one, without I/O.

The lead department works on the case itself; every co-handler has one part with state, handler, limit and clock of its
own. The case passes to inspection when all required parts are done or waived.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from cityloop.access.actor import Actor
from cityloop.cases.ask import Ask, PartWish, Reason, reason
from cityloop.cases.change import Change
from cityloop.cases.refusal import Refusal
from cityloop.cases.workflow import FieldDef
from cityloop.city.deadline import HandlingClock
from cityloop.core.values import Title

OPEN = ("waiting", "to_handle", "handling", "to_review")
WORKING = ("to_handle", "handling", "to_review")
"""States of a part in which its clock runs, and states of a case in which its parts are worked on."""
ACTIVE = (*WORKING, "to_dispatch")
"""States of a case in which its parts can be moved by their departments."""
BY_HANDLER = ("part_submit", "part_give_back")
"""Moves of a part for whoever it is assigned to, where it is assigned to somebody."""
STATES: dict[str, Title] = {
    "waiting": Title(zh="等待前序", en="Waits for another part"),
    "to_handle": Title(zh="待协办", en="To be handled"),
    "handling": Title(zh="协办中", en="Being handled"),
    "to_review": Title(zh="协办部门待确认", en="Department to confirm"),
    "done": Title(zh="已完成", en="Done"),
    "waived": Title(zh="免办", en="Waived"),
    "ended": Title(zh="随案件结束", en="Ended with the case"),
}


@dataclass(frozen=True, slots=True)
class Part:
    """One part as it stands."""

    id: str
    case: str
    department: str
    required: bool
    demand: str
    after: tuple[str, ...]
    state: str
    limit_text: str | None
    opened_at: datetime
    handler: str | None = None
    result: str | None = None
    handling: HandlingClock | None = None
    clock_state: str = "none"
    due_at: datetime | None = None
    yellow_at: datetime | None = None
    red_at: datetime | None = None
    handled_at: datetime | None = None
    on_time: bool | None = None
    closed_at: datetime | None = None
    version: int = 1


@dataclass(frozen=True, slots=True)
class PartMove:
    """A guarded change of a part's state."""

    id: str
    title: Title
    origin: tuple[str, ...]
    to: str
    reason_needed: bool = False
    fields: tuple[FieldDef, ...] = ()
    own: bool = True
    """Only for the department that has the part."""

    @property
    def needs(self) -> str:
        """The permission."""
        return f"case.{self.id}"


def _field(name: str, zh: str, en: str, kind: Any, required: bool) -> tuple[FieldDef, ...]:
    return (FieldDef(name=name, title=Title(zh=zh, en=en), kind=kind, required=required),)


MOVES: dict[str, PartMove] = {
    move.id: move
    for move in (
        PartMove("part_sign", Title(zh="签收协办", en="Sign for the part"), ("to_handle",), "handling",
                 fields=_field("handler", "处置人员", "Handler", "person", False)),
        PartMove("part_give_back", Title(zh="退还部门", en="Give back"), ("handling",), "to_handle", True),
        PartMove("part_submit", Title(zh="提交协办结果", en="Submit the part's result"), ("handling",), "to_review",
                 fields=_field("result", "处置结果", "Result", "text", True)),
        PartMove("part_send_back", Title(zh="退回处置", en="Send back to handler"), ("to_review",), "handling", True),
        PartMove("part_confirm", Title(zh="确认完成", en="Confirm as done"), ("to_review",), "done"),
        PartMove("part_waive", Title(zh="免办", en="Waive"), OPEN, "waived", True, own=False),
    )
}  # fmt: skip


def weigh(part: Part, case_state: str, move: PartMove, actor: Actor, may: Callable[[str], bool]) -> Refusal | None:
    """Whether the move could be made now: state, permission, guards, as for the case."""
    if part.state not in move.origin:
        title = STATES[part.state]
        misfit = reason(
            f"协办任务处于“{title.zh}”，不能“{move.title.zh}”", f"'{move.id}' does not leave '{part.state}'"
        )
        return Refusal("state", (misfit,))
    if not may(move.needs):
        return Refusal("permission", (reason(f"缺少权限 {move.needs}", f"lacks the permission '{move.needs}'"),))
    found = [*_guards(part, case_state, move, actor)]
    return Refusal("guard", tuple(found)) if found else None


def _guards(part: Part, case_state: str, move: PartMove, actor: Actor) -> list[Reason]:
    found = []
    if move.own and case_state not in ACTIVE:
        found.append(reason("案件当前状态下不能办理协办任务", f"parts rest while the case is '{case_state}'"))
    if move.own and actor.kind != "system" and actor.department != part.department:
        found.append(reason("您不属于该协办部门", "you do not belong to the department of this part"))
    if move.id in BY_HANDLER and part.handler not in (None, actor.id):
        found.append(reason(f"任务已指派给 {part.handler}", f"the part is assigned to {part.handler}"))
    return found


def released(part: Part, others: Sequence[Part]) -> bool:
    """Whether every part that comes before a waiting one is done or waived."""
    before = [other for other in others if other.department in part.after and other.id != part.id]
    return part.state == "waiting" and all(other.state in ("done", "waived", "ended") for other in before)


def circle(after: Mapping[str, Sequence[str]]) -> list[str]:
    """A ring of departments that wait for each other, or nothing."""
    done: set[str] = set()

    def walk(name: str, path: tuple[str, ...]) -> list[str]:
        if name in path:
            return [*path[path.index(name) :], name]
        if name in done:
            return []
        for following in after.get(name, ()):
            if ring := walk(following, (*path, name)):
                return ring
        done.add(name)
        return []

    return next((ring for name in after if (ring := walk(name, ()))), [])


def parts_fit(ask: Ask, _: Any) -> Reason | None:
    """The wished parts: readable, of departments that are not in the case yet, waiting for each other in no circle."""
    if ask.facts.parts_fault is not None:
        return ask.facts.parts_fault
    there = dict.fromkeys(ask.facts.parts_there, ()) | {part.department: part.after for part in ask.facts.parts}
    lead = ask.text("department") or (ask.facts.match.department if ask.facts.match else ask.case.department)
    if lead in ask.facts.parts_there:
        return reason(
            f"“{lead}”已是协办部门，不能同时主办", f"'{lead}' has a part of this case and cannot lead it", "department"
        )
    seen = {*ask.facts.parts_there}
    for wish in ask.facts.parts:
        if fault := _unfit(ask, wish, lead, seen, there):
            return fault
        seen.add(wish.department)
    ring = circle(there)
    if ring:
        listed = " → ".join(ring)
        return reason(f"协办任务互相等待：{listed}", f"the parts wait for each other in a circle: {listed}", "parts")
    return None


def _unfit(ask: Ask, wish: PartWish, lead: str | None, seen: set[str], there: Mapping[str, Any]) -> Reason | None:
    name = wish.department
    body = ask.facts.departments.get(name)
    if body is None:
        return reason(f"没有部门“{name}”", f"there is no department '{name}'", "parts")
    if body.kind == "centre":
        return reason("中心只协调不处置，不能协办", "the centre judges and never handles", "parts")
    if name == lead:
        return reason(
            f"“{name}”是主办部门，不能再协办", f"'{name}' leads the case and cannot be its own co-handler", "parts"
        )
    if name in seen:
        return reason(f"“{name}”已有未完成的协办任务", f"'{name}' has an open part of this case already", "parts")
    if missing := [other for other in wish.after if other not in there]:
        listed = ", ".join(missing)
        return reason(
            f"“{name}”等待的部门没有协办任务：{listed}", f"'{name}' waits for {listed}, which has no part", "parts"
        )
    if wish.limit and (problem := ask.rules.unreadable(ask.case.matter, wish.limit)):
        return reason(f"协办时限无法识别：{problem.zh}", f"no readable limit of a part: {problem.en}", "parts")
    return None


def take_parts(ask: Ask, _: Any, change: Change) -> None:
    """Count the new parts; the timeline says whose they are and not what is asked of each."""
    wishes = ask.facts.parts
    if not wishes:
        return
    change.values |= {
        "parts": ask.case.parts + len(wishes),
        "parts_open": ask.case.parts_open + sum(wish.required for wish in wishes),
    }
    change.facts["parts"] = [{"department": wish.department, "required": wish.required} for wish in wishes]

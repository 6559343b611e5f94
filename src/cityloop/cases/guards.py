"""The guards that ``workflow.yaml`` may name: each looks at one wish and returns ``None`` or why not.

``STANDING`` guards look at case and actor, so they also decide whether a move is offered. ``INPUT`` guards look at
what was filled in, and speak only when somebody really tries.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from cityloop.cases import duties, parts
from cityloop.cases.ask import Ask, Reason, reason

Guard = Callable[[Ask, Any], Reason | None]


def of_department(ask: Ask, _: Any) -> Reason | None:
    """The actor belongs to the department that has the case."""
    if ask.actor.kind == "system" or (ask.case.department and ask.actor.department == ask.case.department):
        return None
    return reason(
        f"案件由部门“{ask.case.department or '（未派遣）'}”承办，您不属于该部门",
        f"the case is with the department '{ask.case.department or 'none'}', to which you do not belong",
    )


def is_handler(ask: Ask, _: Any) -> Reason | None:
    """The case is assigned to this actor, or to nobody in person."""
    if ask.actor.kind == "system" or ask.case.handler in (None, ask.actor.id):
        return None
    return reason(f"案件已指派给 {ask.case.handler}", f"the case is assigned to {ask.case.handler}")


def unassigned(ask: Ask, _: Any) -> Reason | None:
    """No handler has the case."""
    if ask.case.handler is None:
        return None
    return reason(
        f"已指派处置人员 {ask.case.handler}，请先撤回指派", f"{ask.case.handler} has the case; take it back first"
    )


def not_asker(ask: Ask, _: Any) -> Reason | None:
    """Whoever asked never decides."""
    if ask.case.request_by != ask.actor.id:
        return None
    return reason("申请人不得审批自己的申请", "the person who asked may not decide")


def before_due(ask: Ask, _: Any) -> Reason | None:
    """The handling clock has a due instant, and it is still ahead."""
    if ask.case.handling is None:
        return reason("案件没有处置时限", "the case has no handling limit")
    if ask.rules.overdue(ask.case.handling, ask.now):
        return reason("已超过处置截止时间", "the due instant has passed")
    return None


def extendable(ask: Ask, _: Any) -> Reason | None:
    """The limit is one that can be added once more; an absolute target is not."""
    if ask.case.handling is None or not ask.case.handling.absolute:
        return None
    return reason("记录自带的办结时点不能延期", "the record's own target cannot be extended")


def extensions_below(ask: Ask, most: Any) -> Reason | None:
    """Fewer than ``most`` extensions have been granted."""
    if ask.case.extensions < int(most):
        return None
    return reason(f"延期已达上限 {most} 次", f"{most} extensions have been granted already")


def channel_in(ask: Ask, channels: Any) -> Reason | None:
    """The case came over one of these channels."""
    if ask.case.channel in channels:
        return None
    listed = ", ".join(channels)
    return reason(f"仅适用于来源：{listed}", f"only for cases from: {listed}")


def channel_not_in(ask: Ask, channels: Any) -> Reason | None:
    """The case came over none of these channels."""
    if ask.case.channel not in channels:
        return None
    return reason(f"来源“{ask.case.channel}”不适用", f"not for cases from '{ask.case.channel}'")


def has_limit(ask: Ask, _: Any) -> Reason | None:
    """The matter's limit can be read, or the record brought its own, or a limit is written into the field."""
    if ask.case.target_at is not None or ask.rules.optional:
        return None
    text = ask.text("limit") or ask.brought_limit
    problem = ask.rules.unreadable(ask.text("matter") or ask.case.matter, text)
    if problem is None:
        return None
    return reason(f"处置时限无法识别：{problem.zh}；请填写时限", f"no readable limit: {problem.en}; write one", "limit")


def department_known(ask: Ask, _: Any) -> Reason | None:
    """Exactly one lead department, written down or found in the responsibility table."""
    name = ask.text("department")
    if not name:
        if ask.facts.match:
            return None
        return reason(
            "责任表中没有匹配行，请选择承办部门", "no row of the responsibility table fits: choose", "department"
        )
    known = ask.facts.departments.get(name)
    if known is None:
        return reason(f"没有部门“{name}”", f"there is no department '{name}'", "department")
    if known.kind == "centre":
        return reason("中心只协调不处置，不能作为承办部门", "the centre judges and never handles", "department")
    return None


def reason_if_overriding(ask: Ask, _: Any) -> Reason | None:
    """Sending a returned case back to the same department needs a reason."""
    wanted = ask.text("department") or (ask.facts.match.department if ask.facts.match else "")
    if ask.case.returned_from is None or wanted != ask.case.returned_from or ask.opinion.strip():
        return None
    return reason("再次派遣给同一部门须说明理由", "sending it to the same department again needs a reason", "opinion")


def handler_belongs(ask: Ask, _: Any) -> Reason | None:
    """The named handler is an account of the department that has the case."""
    name = ask.text("handler")
    if not name:
        return None
    if ask.facts.person is None:
        return reason(f"没有人员“{name}”", f"there is no account '{name}'", "handler")
    if ask.facts.person.department != ask.case.department:
        return reason(f"{name} 不属于承办部门", f"{name} does not belong to the department of the case", "handler")
    return None


def target_fits(ask: Ask, _: Any) -> Reason | None:
    """The case to merge into is another open case of the same matter."""
    target = ask.facts.target
    if target is None:
        return reason("没有找到目标案件", "there is no such case to merge into", "target")
    if target.id == ask.case.id:
        return reason("不能并入自身", "a case cannot be merged into itself", "target")
    if not target.open:
        return reason(f"目标案件 {target.number} 已结束", f"case {target.number} is no longer open", "target")
    if target.matter != ask.case.matter:
        return reason("目标案件的事项不同", "the other case is of another matter", "target")
    return None


def matter_known(ask: Ask, _: Any) -> Reason | None:
    """A corrected matter is in the catalogue."""
    name = ask.text("matter")
    if not name or name in ask.facts.matters:
        return None
    return reason(f"目录中没有“{name}”", f"the catalogue has no '{name}'", "matter")


STANDING: dict[str, Guard] = {
    guard.__name__: guard
    for guard in (
        of_department,
        is_handler,
        unassigned,
        not_asker,
        before_due,
        extendable,
        extensions_below,
        channel_in,
        channel_not_in,
        *duties.STANDING,
    )
}
INPUT: dict[str, Guard] = {
    guard.__name__: guard
    for guard in (
        has_limit,
        department_known,
        reason_if_overriding,
        handler_belongs,
        target_fits,
        matter_known,
        *duties.INPUT,
        parts.parts_fit,
    )
}

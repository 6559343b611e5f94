"""Guards of special ways: suspension, voiding, supervision, appeal, force, deferral, photos; and who may not judge.

Each looks at one wish and returns ``None`` or why not, like those of :mod:`cityloop.cases.guards`, which lists them.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from cityloop.cases.ask import Ask, Reason, reason
from cityloop.core.values import Title

KINDS = {
    "before": Title(zh="处置前照片", en="a photo from before"),
    "after": Title(zh="处置后照片", en="a photo from after"),
    "fresh": Title(zh="本次处置后的照片", en="a photo taken after this handling"),
    "evidence": Title(zh="证明材料", en="evidence"),
}


def not_own_work(ask: Ask, _: Any) -> Reason | None:
    """The body that handles does not judge its own work."""
    if ask.actor.kind == "system" or ask.case.department is None or ask.actor.department != ask.case.department:
        return None
    return reason("承办部门的人员不得核查或结案本部门的案件", "a department does not judge its own work")


def not_reporter(ask: Ask, _: Any) -> Reason | None:
    """Whoever put the problem right does not accept it."""
    if ask.case.reporter != ask.actor.id:
        return None
    return reason("上报人不得审核自己的自处理", "the person who reported it may not review it")


def request_open(ask: Ask, kind: Any) -> Reason | None:
    """A request of this kind waits; the system needs none."""
    if ask.actor.kind == "system" or ask.case.request == kind:
        return None
    return reason(f"没有待确认的申请（{kind}）", f"no request '{kind}' waits")


def suspensions_below(ask: Ask, most: Any) -> Reason | None:
    """The case has been suspended fewer than ``most`` times."""
    if ask.case.suspensions < int(most):
        return None
    return reason(f"每案挂账不超过 {most} 次", f"a case is suspended at most {most} time(s)")


def parts_done(ask: Ask, _: Any) -> Reason | None:
    """Every required part of a co-handler is done or waived."""
    if not ask.case.parts_open:
        return None
    return reason(
        f"还有 {ask.case.parts_open} 个必办的协办任务未完成",
        f"{ask.case.parts_open} required part(s) of co-handlers are not done",
    )


def deferred_is(ask: Ask, wanted: Any) -> Reason | None:
    """The case is deferred, or is not."""
    if ask.case.deferred is bool(wanted):
        return None
    if wanted:
        return reason("案件未缓办", "the case is not deferred")
    return reason("案件已缓办", "the case is deferred already")


def supervised_is(ask: Ask, wanted: Any) -> Reason | None:
    """A demand of a supervisor waits for its answer, or none does."""
    if (ask.case.reply_due_at is not None) is bool(wanted):
        return None
    if wanted:
        return reason("没有待答复的督办", "no demand of a supervisor waits for an answer")
    return reason("已有待答复的督办", "a demand of a supervisor waits for its answer already")


def force_asked_is(ask: Ask, wanted: Any) -> Reason | None:
    """Somebody asks to close by force, or nobody does."""
    if (ask.case.force_by is not None) is bool(wanted):
        return None
    if wanted:
        return reason("没有待审批的强制结案申请", "nobody asks to close this case by force")
    return reason("已有待审批的强制结案申请", "closing by force is asked for already")


def not_force_asker(ask: Ask, _: Any) -> Reason | None:
    """Closing by force needs a second person."""
    if ask.case.force_by != ask.actor.id:
        return None
    return reason("申请人不得审批自己的申请", "the person who asked may not decide")


def was_late(ask: Ask, _: Any) -> Reason | None:
    """Only a lateness of handling can be appealed."""
    if ask.case.on_time is False:
        return None
    return reason("案件并未超时", "the case was not late")


def appeal_is(ask: Ask, stage: Any) -> Reason | None:
    """The appeal stands at this stage; ``none``: it was never filed."""
    if (ask.case.appeal or "none") == stage:
        return None
    if stage == "none":
        return reason("每案只能申诉一次", "a case is appealed once only")
    return reason("没有处于该阶段的申诉", f"no appeal stands at '{stage}'")


def not_first_reviewer(ask: Ask, _: Any) -> Reason | None:
    """The second review is another person's."""
    if ask.case.appeal_reviewer != ask.actor.id:
        return None
    return reason("初审人不得复审", "the first reviewer may not decide in the second review")


def callback_then(ask: Ask, then: Any) -> Reason | None:
    """The city's way with an unsatisfied reporter."""
    if ask.workflow.callback.then == then:
        return None
    return reason("本市回访不满意采用另一种处理方式", "this city answers an unsatisfied call-back in the other way")


def within_callback(ask: Ask, _: Any) -> Reason | None:
    """The call-back window is open."""
    days, closed = ask.workflow.callback.days, ask.case.closed_at
    if closed is not None and ask.now <= closed + timedelta(days=days):
        return None
    return reason(f"已超过结案后 {days} 天的回访期", f"the call-back window of {days} days has passed")


def visit_waivable(ask: Ask, _: Any) -> Reason | None:
    """The city lets this matter be closed without a visit."""
    if not _listed(ask.case.matter, ask.workflow.inspection.visit_matters):
        return None
    return reason("该事项须现场核查", "this matter must be inspected on site")


def self_allowed(ask: Ask, _: Any) -> Reason | None:
    """The city lets collectors put this matter right themselves."""
    if _listed(ask.case.matter, ask.workflow.self_handling.matters):
        return None
    return reason("该事项不允许自行处置", "this matter may not be handled by its reporter")


def photos(ask: Ask, kinds: Any) -> Reason | None:
    """At least one attachment of each kind."""
    return _photos(ask, tuple(kinds))


def photo_with_report(ask: Ask, _: Any) -> Reason | None:
    """A photo, where the city wants one from this channel. What the system replays or measures needs none."""
    wanted = ask.case.channel in ask.workflow.photos.report_channels and ask.actor.kind != "system"
    return _photos(ask, ("before",)) if wanted else None


def photo_of_result(ask: Ask, _: Any) -> Reason | None:
    """A photo taken after this handling, where the city wants one for the matter."""
    wanted = _listed(ask.case.matter, ask.workflow.photos.result_matters) and ask.actor.kind != "system"
    return _photos(ask, ("fresh",)) if wanted else None


def until_allowed(ask: Ask, _: Any) -> Reason | None:
    """The end of a suspension lies ahead, and not too far."""
    until = ask.facts.dates.get("until")
    if until is None:
        return None
    most = ask.workflow.suspension_days
    if until <= ask.now:
        return reason("挂账结束时间须在将来", "the end of the suspension must lie ahead", "until")
    if until > ask.now + timedelta(days=most):
        return reason(f"挂账不得超过 {most} 天", f"a suspension lasts at most {most} days", "until")
    return None


def reply_ahead(ask: Ask, _: Any) -> Reason | None:
    """The demanded reply lies ahead."""
    at = ask.facts.dates.get("reply_by")
    if at is None or at > ask.now:
        return None
    return reason("答复期限须在将来", "the reply date must lie ahead", "reply_by")


def _photos(ask: Ask, kinds: tuple[str, ...]) -> Reason | None:
    have = ask.case.photos or {}
    missing = [KINDS[kind] for kind in kinds if not have.get(kind)]
    if not missing:
        return None
    zh, en = "、".join(title.zh for title in missing), ", ".join(title.en for title in missing)
    return reason(f"须先上传{zh}", f"upload first: {en}")


def _listed(matter: str, beginnings: tuple[str, ...]) -> bool:
    return bool(beginnings) and matter.startswith(beginnings)


STANDING = (
    not_own_work,
    not_reporter,
    request_open,
    suspensions_below,
    parts_done,
    deferred_is,
    supervised_is,
    force_asked_is,
    not_force_asker,
    was_late,
    appeal_is,
    not_first_reviewer,
    callback_then,
    within_callback,
    visit_waivable,
    self_allowed,
    photos,
    photo_with_report,
    photo_of_result,
)
INPUT = (until_allowed, reply_ahead)

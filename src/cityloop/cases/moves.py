"""What a move does, without I/O: ``(case, wish, actor, definitions, now) → MoveOutcome | Refusal``.

The same function decides for people, machines, timers, replays and drills.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from cityloop.cases import clocks as post_clocks
from cityloop.cases.ask import Ask, Reason, reason
from cityloop.cases.change import Change
from cityloop.cases.clocks import PostClock
from cityloop.cases.effects import EFFECTS
from cityloop.cases.guards import INPUT, STANDING
from cityloop.cases.handling import standing_values
from cityloop.cases.refusal import Refusal
from cityloop.cases.values import Case
from cityloop.cases.workflow import ALL, BEFORE, HANDLING, SAME, MoveDef, Workflow
from cityloop.city.deadline import HandlingClock
from cityloop.core.values import Title

May = Callable[[str], bool]


@dataclass(frozen=True, slots=True)
class Entry:
    """What the timeline will hold of a move."""

    move: str
    from_state: str | None
    to_state: str
    stage: int
    receiver: str | None
    used_seconds: int | None
    on_time: bool | None
    request: int | None
    facts: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class MoveOutcome:
    """The case after the move, and its timeline entry."""

    case: Case
    entry: Entry
    opens_linked: bool = False
    """A new case, linked to this one, is to be opened with it."""


def decide(ask: Ask, may: May) -> MoveOutcome | Refusal:
    """Weigh one wish. State comes first, then permission, then guards, then what was filled in."""
    refusal = standing(ask, may) or _inputs(ask)
    return refusal or outcome(ask)


def standing(ask: Ask, may: May) -> Refusal | None:
    """Whether the move could be made at all by this actor now, before anything is filled in."""
    misfit = _state_reason(ask.case, ask.move, ask.workflow)
    if misfit:
        return Refusal("state", (misfit,))
    if not may(ask.move.needs):
        return Refusal("permission", (_lacking(ask.move),))
    reasons = _reasons(ask, STANDING)
    return Refusal("guard", reasons) if reasons else None


def outcome(ask: Ask) -> MoveOutcome:
    """Carry the move out on the value of the case; guards have been asked before."""
    case, move = ask.case, ask.move
    change = Change()
    for effect in move.effects:
        EFFECTS[effect.name](ask, effect.value, change)
    _requests(ask, change)
    target = ask.workflow.state_by_id[_target(case, move)]
    used = _clocks(ask, change)
    change.values |= {"state": target.id, "stage": target.stage, "open": not target.final}
    if not move.aside:
        change.values["by_hand"] = move.person_next
    if target.final and case.open:
        change.values |= {"closed_at": ask.now, "reply_due_at": None, "suspended_until": None}
    after = case.having(**change.values, **_stamp(ask))
    entry = Entry(
        move=move.id,
        from_state=case.state if case.version else None,
        to_state=target.id,
        stage=target.stage,
        receiver=change.receiver,
        used_seconds=used,
        on_time=change.on_time,
        request=change.facts.pop("request", None),
        facts={**_filled(ask), **change.facts, **_due_change(case, after)},
    )
    return MoveOutcome(after, entry, change.opens_linked)


def _target(case: Case, move: MoveDef) -> str:
    if move.to == SAME:
        return case.state
    return case.suspended_from or case.state if move.to == BEFORE else move.to


def _state_reason(case: Case, move: MoveDef, workflow: Workflow) -> Reason | None:
    state = workflow.state_by_id.get(case.state)
    title = workflow.state_title(case.state)
    if state is None or not move.leaves(case.state, state.final):
        return reason(
            f"状态“{title.zh}”（{case.state}）下不能“{move.title.zh}”",
            f"'{move.title.en}' ({move.id}) does not leave the state '{title.en}' ({case.state})",
        )
    if move.decides and case.request != move.decides:
        return reason(f"没有待审批的申请（{move.decides}）", f"no request '{move.decides}' is open")
    if case.request and (move.unless_pending or move.asks):
        return reason(f"有待审批的申请（{case.request}）", f"a request '{case.request}' is waiting for its decision")
    return None


def _lacking(move: MoveDef) -> Reason:
    return reason(f"缺少权限 {move.needs}", f"lacks the permission '{move.needs}'")


def _reasons(ask: Ask, registry: dict[str, Callable[[Ask, Any], Reason | None]]) -> tuple[Reason, ...]:
    named = [(registry.get(guard.name), guard.value) for guard in ask.move.guards]
    return tuple(found for guard, value in named if guard and (found := guard(ask, value)))


def _inputs(ask: Ask) -> Refusal | None:
    reasons = [*_blanks(ask), *_reasons(ask, INPUT)]
    return Refusal("input", tuple(reasons)) if reasons else None


def _blanks(ask: Ask) -> Sequence[Reason]:
    move, found = ask.move, []
    if move.reason_needed and not ask.opinion.strip():
        found.append(reason("请填写理由", "a reason is needed", "opinion"))
    known = {item.name for item in move.fields}
    for name in ask.fields.keys() - known:
        found.append(reason(f"“{move.title.zh}”没有字段“{name}”", f"'{move.id}' has no field '{name}'", name))
    for item in move.fields:
        text = ask.text(item.name)
        if item.required and not text:
            found.append(reason(f"请填写“{item.title.zh}”", f"'{item.title.en}' is needed", item.name))
        elif text and item.choices and text not in {choice.id for choice in item.choices}:
            listed = ", ".join(choice.id for choice in item.choices)
            found.append(reason(f"“{text}”不在选项中：{listed}", f"'{text}' is not one of: {listed}", item.name))
        elif text and item.kind == "date" and item.name not in ask.facts.dates:
            found.append(_no_date(item.name, text))
        elif len(text) > 2000 and item.kind != "parts":
            found.append(reason(f"“{item.title.zh}”超过 2000 字", f"'{item.title.en}' is too long", item.name))
    return found


def _no_date(name: str, text: str) -> Reason:
    return reason(
        f"“{text[:40]}”不是日期，请写成 2026-05-01", f"'{text[:40]}' is no date: write it as 2026-05-01", name
    )


def _requests(ask: Ask, change: Change) -> None:
    """Two-step requests: open one, or settle the one that is open."""
    case, move = ask.case, ask.move
    if move.asks:
        change.values |= {"request": move.asks, "request_by": ask.actor.id, "request_number": case.request_number + 1}
        change.facts["request"] = case.request_number + 1
    elif move.decides:
        change.values |= {"request": None, "request_by": None, "request_detail": None}
        change.facts["request"] = case.request_number


def _clocks(ask: Ask, change: Change) -> int | None:
    """Move the clocks; return the seconds used at the post whose clock ends or pauses here."""
    wanted, now = ask.move.clocks, ask.now
    running: dict[str, PostClock] = dict(ask.case.clocks or {})
    used: int | None = None
    stopped = (
        [name for name, clock in running.items() if clock.stopped_at is None] if wanted.stop == ALL else wanted.stop
    )
    for name, act in [*((n, post_clocks.stop) for n in stopped), *((n, post_clocks.pause) for n in wanted.pause)]:
        if name in running and name != HANDLING:
            used = running[name].seconds(now)
            running[name] = act(running[name], now)
            _late_post(ask, name, used, change)
    for name in wanted.resume:
        if name in running:
            running[name] = post_clocks.resume(running[name], now)
    for name in wanted.start:
        if name != HANDLING:
            running[name] = post_clocks.start(now)
    change.values["clocks"] = running
    handled = _handling(ask, change)
    return handled if handled is not None else used


def _late_post(ask: Ask, name: str, used: int, change: Change) -> None:
    minutes = ask.workflow.clocks[name].minutes if name in ask.workflow.clocks else None
    limit = (minutes or 0) * 60
    if minutes is not None and used > limit:
        change.facts["post_late"] = {"clock": name, "limit_seconds": limit, "used_seconds": used}


def _handling(ask: Ask, change: Change) -> int | None:
    """Move the handling clock and the instants that lists filter by; return its used seconds when it halts."""
    before = ask.case.handling
    clock = _deferred(ask, change, _next_clock(ask, change))
    if clock is before:
        return None
    if clock is not None and clock.stopped_at is not None:
        # A stop moves nothing: what was due stays due, and the light stays as it is now.
        used = ask.rules.used(clock, ask.now)
        change.values |= {"handling": clock, "clock_state": "stopped", "handled_at": ask.now, "used_seconds": used}
        change.values["remind_at"] = None
        return used
    now = ask.rules.standing(clock, ask.now)
    change.values |= standing_values(ask.case, clock, now)
    return now.used_seconds if now.state == "paused" else None


def _next_clock(ask: Ask, change: Change) -> HandlingClock | None:
    wanted, rules, now = ask.move.clocks, ask.rules, ask.now
    clock: HandlingClock | None = change.values.get("handling", ask.case.handling)
    if clock is not None and HANDLING in wanted.pause:
        return rules.pause(clock, now)
    if clock is not None and (wanted.stop == ALL or HANDLING in wanted.stop):
        return rules.stop(clock, now)
    if clock is not None and HANDLING in wanted.resume:
        return rules.resume(clock, _resumed_at(ask))
    if wanted.start_or_resume and clock is not None and change.receiver == ask.case.returned_from:
        return rules.resume(clock, now)
    if wanted.start_or_resume or HANDLING in wanted.start:
        return _fresh(ask, change)
    if wanted.rework and clock is not None:
        return _fresh(ask, change) if ask.workflow.rework_clock == "fresh" else rules.resume(clock, now)
    return clock


def _resumed_at(ask: Ask) -> datetime:
    """A suspension that ends by itself ends at its date, however late the platform comes to it."""
    until = ask.case.suspended_until
    return min(ask.now, until) if until is not None and ask.actor.kind == "system" else ask.now


def _deferred(ask: Ask, change: Change, clock: HandlingClock | None) -> HandlingClock | None:
    """While a case is deferred its clock stands, where the city wants it so; afterwards it goes on."""
    if clock is None or clock.stopped_at is not None or ask.workflow.deferral_clock == "run":
        return clock
    after = bool(change.values.get("deferred", ask.case.deferred))
    if after:
        return ask.rules.pause(clock, ask.now)
    ended = ask.case.deferred and ask.workflow.state_by_id[ask.case.state].handles
    return ask.rules.resume(clock, ask.now) if ended else clock


def _fresh(ask: Ask, change: Change) -> HandlingClock | None:
    return ask.rules.start(ask.case, change.values.get("department", ask.case.department), ask.now)


def _filled(ask: Ask) -> dict[str, Any]:
    return {name: value for name, value in ask.fields.items() if value not in (None, "")}


def _due_change(before: Case, after: Case) -> dict[str, Any]:
    if before.due_at == after.due_at:
        return {}
    return {"due_at": {"before": _iso(before.due_at), "after": _iso(after.due_at)}}


def _iso(value: datetime | None) -> str | None:
    return value.isoformat() if value else None


def _stamp(ask: Ask) -> dict[str, Any]:
    return {
        "updated_at": ask.now,
        "updated_by": ask.actor.id,
        "last_move": ask.move.id,
        "version": ask.case.version + 1,
    }


def both_languages(reasons: Sequence[Reason]) -> list[Title]:
    """The reasons as titles, in order."""
    return [item.title for item in reasons]

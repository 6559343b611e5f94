"""Effects of special ways: suspension, deferral, supervision, appeal, force, self-handling, call-back.

Listed with the others in :mod:`cityloop.cases.effects`.
"""

from __future__ import annotations

from typing import Any

from cityloop.cases.ask import Ask
from cityloop.cases.change import Change


def note_left(ask: Ask, _: Any, change: Change) -> None:
    """What was left on the handling clock when the case was returned."""
    if ask.case.handling is not None:
        change.facts["left_seconds"] = ask.rules.left(ask.case.handling, ask.now)


def keep_until(ask: Ask, _: Any, change: Change) -> None:
    """The wished end of a suspension goes with the request."""
    change.values["request_detail"] = {"until": ask.facts.dates["until"].isoformat()}


def suspend(ask: Ask, _: Any, change: Change) -> None:
    """From here to the end date the case rests; its state comes back afterwards."""
    detail = ask.case.request_detail or {}
    change.values |= {
        "suspensions": ask.case.suspensions + 1,
        "suspended_from": ask.case.state,
        "suspended_until": ask.rules.instant(detail["until"]),
    }
    change.facts["until"] = detail["until"]


def end_suspension(ask: Ask, _: Any, change: Change) -> None:
    """The case goes on in the state in which it was suspended."""
    change.facts["suspended_until"] = ask.case.suspended_until.isoformat() if ask.case.suspended_until else None
    change.values |= {"suspended_from": None, "suspended_until": None}


def defer(_ask: Ask, _: Any, change: Change) -> None:
    """Nobody can act now: the case leaves the denominators."""
    change.values["deferred"] = True


def end_deferral(_ask: Ask, _: Any, change: Change) -> None:
    """The case is ordinary again."""
    change.values["deferred"] = False


def mark_supervised(ask: Ask, _: Any, change: Change) -> None:
    """The flag beside the state, the demand, and when its answer is due."""
    due = ask.facts.dates["reply_by"]
    demand = {"demand": ask.opinion.strip(), "by": ask.actor.id, "at": ask.now.isoformat()}
    change.values |= {
        "supervised": True,
        "supervision": {**demand, "reply_due_at": due.isoformat()},
        "reply_due_at": due,
        "reply_reminded": False,
    }
    change.receiver = ask.case.department


def answer_supervision(ask: Ask, _: Any, change: Change) -> None:
    """The answer stands beside the demand, with whether it came in time."""
    due = ask.case.reply_due_at
    in_time = due is None or ask.now <= due
    answer = {"reply": ask.text("reply"), "answered_by": ask.actor.id, "answered_at": ask.now.isoformat()}
    change.values |= {
        "supervision": {**(ask.case.supervision or {}), **answer, "in_time": in_time},
        "reply_due_at": None,
    }
    change.facts["reply_in_time"] = in_time


def set_appeal(ask: Ask, stage: Any, change: Change) -> None:
    """The stage that the appeal has come to; the first reviewer is remembered, a granted appeal exempts."""
    change.values["appeal"] = stage
    if ask.case.appeal == "filed":
        change.values["appeal_reviewer"] = ask.actor.id
    if stage == "granted":
        change.values["exempt"] = True
        change.facts["exempt"] = True


def ask_force(ask: Ask, _: Any, change: Change) -> None:
    """Somebody wants to close by force."""
    change.values["force_by"] = ask.actor.id


def drop_force(_ask: Ask, _: Any, change: Change) -> None:
    """The wish was refused."""
    change.values["force_by"] = None


def close_by_force(ask: Ask, _: Any, change: Change) -> None:
    """Closed by force is never on time: late where a limit ran, without verdict where none did."""
    change.facts |= {"forced": True, "asked_by": ask.case.force_by}
    change.values["force_by"] = None
    change.values["on_time"] = change.on_time = None if ask.case.handling is None else False


def mark_self_handled(_ask: Ask, _: Any, change: Change) -> None:
    """Its reporter has put the problem right."""
    change.values["self_handled"] = True


def reopen(ask: Ask, _: Any, change: Change) -> None:
    """The case goes on; its first closing stays on record."""
    first = ask.case.first_closed_at or ask.case.closed_at
    change.values |= {
        "closed_at": None,
        "first_closed_at": first,
        "reopened": ask.case.reopened + 1,
        "handler": None,
        "returned_from": None,
    }
    change.facts["closed_at"] = ask.case.closed_at.isoformat() if ask.case.closed_at else None


def open_linked(_ask: Ask, _: Any, change: Change) -> None:
    """A new case, linked to this one, takes the matter up again; the mover opens it."""
    change.opens_linked = True


def settle_answer(ask: Ask, _: Any, change: Change) -> None:
    """The collector's answer has been confirmed."""
    if ask.case.request:
        change.facts["request"] = ask.case.request_number
    change.values |= {"request": None, "request_by": None, "request_detail": None}


EFFECTS = (
    settle_answer,
    note_left,
    keep_until,
    suspend,
    end_suspension,
    defer,
    end_deferral,
    mark_supervised,
    answer_supervision,
    set_appeal,
    ask_force,
    drop_force,
    close_by_force,
    mark_self_handled,
    reopen,
    open_linked,
)

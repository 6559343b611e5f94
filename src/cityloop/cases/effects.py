"""The effects that ``workflow.yaml`` may name: what a move changes on the case, and what it notes on the timeline."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from cityloop.cases import parts, special
from cityloop.cases.ask import Ask
from cityloop.cases.change import Change
from cityloop.core.values import Title

Effect = Callable[[Ask, Any, Change], None]


def take_department(ask: Ask, _: Any, change: Change) -> None:
    """Dispatch: the written department, else the one of the responsibility table with its row as the reason."""
    match, wanted = ask.facts.match, ask.text("department")
    chosen = wanted or (match.department if match else "")
    change.values |= {"department": chosen, "handler": None, "returned_from": None}
    change.receiver = chosen
    by = ask.actor.name
    text = {"zh": f"由{by.zh}选择", "en": f"chosen by {by.en}"}
    if match and chosen in match.equals:
        picked = Title(**text) if chosen != match.department else match.choice
        told = replace(match, choice=picked).why
        change.values |= {"dispatch_row": match.row, "dispatch_reason": told.model_dump()}
        change.facts["row"] = match.row
        return
    if match:
        change.facts["overridden_row"] = match.row
        text = {
            "zh": f"{text['zh']}，未采用责任表第 {match.row} 行",
            "en": f"{text['en']} instead of row {match.row} of the responsibility table",
        }
    change.values |= {"dispatch_row": None, "dispatch_reason": text}


def release_department(ask: Ask, _: Any, change: Change) -> None:
    """A department gave the case back: it is remembered, so that the rest of its clock can go on."""
    change.values |= {"returned_from": ask.case.department, "department": None, "handler": None}


def take_handler(ask: Ask, _: Any, change: Change) -> None:
    """Assign to the named handler; without a name the department keeps the case as a body."""
    change.values["handler"] = ask.text("handler") or None
    change.receiver = change.values["handler"]


def release_handler(_ask: Ask, _: Any, change: Change) -> None:
    """The case goes back to the department's own list."""
    change.values["handler"] = None


def count_rework(ask: Ask, _: Any, change: Change) -> None:
    """The same department handles again."""
    change.values |= {"rework": ask.case.rework + 1, "handler": None}
    if ask.case.photos:
        change.values["photos"] = {**ask.case.photos, "fresh": 0}
    change.receiver = ask.case.department
    change.facts["rework"] = ask.case.rework + 1


def extend(ask: Ask, _: Any, change: Change) -> None:
    """One more original limit on top of the present due instant."""
    change.values["extensions"] = ask.case.extensions + 1
    if ask.case.handling is not None:
        change.values["handling"] = ask.rules.extend(ask.case.handling)
    change.facts["extensions"] = ask.case.extensions + 1


def correct_matter(ask: Ask, _: Any, change: Change) -> None:
    """A corrected matter; the old one stays on the timeline."""
    wanted = ask.text("matter")
    if wanted and wanted != ask.case.matter:
        change.facts["matter"] = {"before": ask.case.matter, "after": wanted}
        change.values["matter"] = wanted


def resolve_limit(ask: Ask, _: Any, change: Change) -> None:
    """Filing fixes the limit text: the written one, else the one that the report brought, else the matter's."""
    if ask.case.target_at is not None:
        change.facts["target_at"] = ask.case.target_at.isoformat()
        return
    matter = change.values.get("matter", ask.case.matter)
    text = ask.text("limit") or ask.brought_limit or ask.rules.text(matter)
    change.values["limit_text"] = text
    change.facts["limit"] = text


def fix_version(ask: Ask, _: Any, change: Change) -> None:
    """From here on the case keeps this version of the workflow."""
    change.values |= {"filed": True, "workflow": ask.workflow.key}


def link_target(ask: Ask, _: Any, change: Change) -> None:
    """Merging links, it never deletes."""
    if ask.facts.target:
        change.values["merged_into"] = ask.facts.target.id
        change.facts["target_number"] = ask.facts.target.number


def judge(ask: Ask, _: Any, change: Change) -> None:
    """On time or late, decided by the handling clock at this instant; a case that was late once stays late."""
    if ask.case.handling is None:
        return
    change.on_time = ask.rules.in_time(ask.case.handling, ask.now)
    change.values["on_time"] = change.on_time and ask.case.on_time is not False


def settle_requests(ask: Ask, _: Any, change: Change) -> None:
    """An open request lapses because the case has moved past it."""
    if ask.case.request:
        change.facts["lapsed_request"] = ask.case.request
        change.values |= {"request": None, "request_by": None, "request_detail": None}


def show_nearby(ask: Ask, _: Any, change: Change) -> None:
    """Proof that the duplicate check was shown: the numbers it found."""
    if ask.facts.nearby:
        change.facts["nearby"] = list(ask.facts.nearby)


EFFECTS: dict[str, Effect] = {
    effect.__name__: effect
    for effect in (
        take_department,
        release_department,
        take_handler,
        release_handler,
        count_rework,
        extend,
        correct_matter,
        resolve_limit,
        fix_version,
        link_target,
        judge,
        settle_requests,
        show_nearby,
        *special.EFFECTS,
        parts.take_parts,
    )
}

"""Timeline entries that are no moves of the workflow: what happens to a case from outside its own table."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from cityloop.access.actor import Actor
from cityloop.cases.moves import Entry, MoveOutcome
from cityloop.cases.values import Case
from cityloop.cases.workflow import SAME, MoveDef
from cityloop.core.values import Title

MERGED_IN = "merged_in"
LINKED = "linked"
DEADLINE_MOVED = "deadline_moved"
LIMIT_CHANGED = "limit_changed"
ATTACHED = "attached"
RATED = "rated"
RELAYED = "relayed"
PART_MOVED = "part_moved"
_QUIET = (PART_MOVED, RELAYED)
"""Overtake nobody who works on the case."""
TITLES = {
    MERGED_IN: Title(zh="并入其他上报", en="Another report joined"),
    LINKED: Title(zh="由回访不满意新建", en="Opened after an unsatisfied call-back"),
    DEADLINE_MOVED: Title(zh="日历变更，时限重算", en="Deadline moved by a change of the calendar"),
    LIMIT_CHANGED: Title(zh="时限规定变更", en="Limit changed by the city"),
    PART_MOVED: Title(zh="协办任务进展", en="A co-handler's part moved"),
    ATTACHED: Title(zh="上传附件", en="Attachment added"),
    RELAYED: Title(zh="外部系统进展", en="News of another system"),
    RATED: Title(zh="市民评价", en="Rated by the reporter"),
}


def is_part(name: str) -> bool:
    """Whether an entry tells of a part, so that the parts need not follow it."""
    return name == PART_MOVED


def definition(name: str) -> MoveDef:
    """The entry as a move that leaves the state as it is."""
    return MoveDef(id=name, title=TITLES[name], to=SAME, aside=True)


def outcome(
    case: Case, actor: Actor, name: str, values: Mapping[str, Any], facts: Mapping[str, Any], now: datetime
) -> MoveOutcome:
    """The case with ``values`` changed, and its entry. What is quiet overtakes nobody who works on the case."""
    version = case.version + (name not in _QUIET)
    after = case.having(**values, updated_at=now, updated_by=actor.id, last_move=name, version=version)
    entry = Entry(name, case.state, case.state, case.stage, None, None, None, None, dict(facts))
    return MoveOutcome(after, entry)

"""The picture of a case's process, without I/O: the states of its workflow, the ways between them, the way it took."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from cityloop.cases.workflow import ANY_OPEN, BEFORE, SAME, MoveDef, Workflow
from cityloop.core.values import Frozen, Instant, Title


class ProcessState(Frozen):
    """A state of the workflow. ``visits``: how often the case came into it; ``entered_at``: the last time."""

    id: str
    title: Title
    stage: int
    final: bool
    visits: int
    entered_at: Instant | None


class ProcessWay(Frozen):
    """A way from one state to another, the moves that lead along it, and how often the case went it."""

    origin: str
    to: str
    moves: list[Title]
    taken: int
    ahead: bool
    """Leaves the state in which the case is."""


class ProcessPicture(Frozen):
    """What the process picture is drawn from."""

    workflow: str
    state: str
    states: list[ProcessState]
    ways: list[ProcessWay]


@dataclass(frozen=True)
class Step:
    """One entry of a timeline, as far as the picture wants it."""

    at: datetime
    move: str
    origin: str | None
    to: str


def picture(workflow: Workflow, state: str, steps: Iterable[Step]) -> ProcessPicture:
    """The picture of one case. Moves that keep the state are no way; those from any open state only where taken."""
    walked = [step for step in steps if step.origin != step.to]
    visits: dict[str, list[datetime]] = {}
    taken: dict[tuple[str, str], int] = {}
    for step in walked:
        visits.setdefault(step.to, []).append(step.at)
        if step.origin is not None:
            taken[step.origin, step.to] = taken.get((step.origin, step.to), 0) + 1
    ways = _declared(workflow)
    for step in walked:
        if step.origin is not None and (step.origin, step.to) not in ways:
            ways[step.origin, step.to] = [_title(workflow, step.move)]
    return ProcessPicture(
        workflow=workflow.key,
        state=state,
        states=[
            ProcessState(
                id=known.id,
                title=known.title,
                stage=known.stage,
                final=known.final,
                visits=len(visits.get(known.id, ())),
                entered_at=max(visits[known.id]) if known.id in visits else None,
            )
            for known in workflow.states
        ],
        ways=[
            ProcessWay(origin=origin, to=to, moves=moves, taken=taken.get((origin, to), 0), ahead=origin == state)
            for (origin, to), moves in ways.items()
        ],
    )


def _declared(workflow: Workflow) -> dict[tuple[str, str], list[Title]]:
    found: dict[tuple[str, str], list[Title]] = {}
    for move in workflow.moves:
        if move.to in (SAME, BEFORE) or move.origin == ANY_OPEN:
            continue
        for origin in move.origin:
            found.setdefault((origin, move.to), []).append(move.title)
    return found


def _title(workflow: Workflow, move: str) -> Title:
    known: MoveDef | None = workflow.move_by_id.get(move)
    return known.title if known else Title(zh=move, en=move)

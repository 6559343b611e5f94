"""The order of a desk: deadline and risk together. Pure; every case keeps its place, so that an index has the order.

What is late comes first, by its deadline. Before its deadline a case stands where its risk puts it between its deadline
(no risk, or none known) and the time of its report (certain to run late). A case without a running limit comes last.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cityloop.cases.values import Case


@dataclass(frozen=True, slots=True)
class Place:
    """Where a case stands in the order of a desk."""

    late: bool
    urgent_at: datetime | None


def urgent_at(opened_at: datetime, due_at: datetime | None, risk: float | None) -> datetime | None:
    """The instant by which a case is ordered before it is late: its deadline, drawn forward by its risk (0 to 1)."""
    if due_at is None or not risk or due_at <= opened_at:
        return due_at
    return due_at - (due_at - opened_at) * min(risk, 1.0)


def place(case: Case) -> Place:
    """Late as its light was seen last: a running clock turns red with its reminder, a stopped one keeps its light."""
    counts = case.clock_state in ("running", "stopped") and case.red_at is not None
    stopped_late = case.handled_at is not None and case.red_at is not None and case.handled_at > case.red_at
    late = counts and (stopped_late or case.reminded in ("due", "escalated"))
    return Place(late, case.due_at if late else urgent_at(case.opened_at, case.due_at, case.risk))

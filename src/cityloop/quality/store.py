"""Inspections, their tasks and findings as they are stored, and how they are read back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from cityloop.core.errors import NotFound
from cityloop.quality.content import Plan
from cityloop.quality.examine import Outcome
from cityloop.quality.models import FindingRow, InspectionRow, TaskRow
from cityloop.quality.scheme import Scheme


@dataclass(frozen=True)
class Definition:
    """What an inspection goes by: its plan, and the scheme as it was when it started."""

    plan: Plan
    scheme: Scheme

    @classmethod
    def of(cls, row: InspectionRow) -> Definition:
        """Read back."""
        scheme = Scheme.model_validate(row.definition["scheme"])
        return cls(Plan.model_validate(row.definition["plan"]), scheme)

    def document(self) -> dict[str, Any]:
        """Plain JSON."""
        scheme = self.scheme.model_dump(mode="json", by_alias=True)
        return {"plan": self.plan.model_dump(mode="json"), "scheme": scheme}


def keep_outcome(task: TaskRow, outcome: Outcome) -> None:
    """Write on a task what its examination found."""
    task.done, task.verdict, task.least = True, outcome.verdict, outcome.least
    task.numerator, task.denominator = outcome.numerator, outcome.denominator
    task.reason = outcome.reason.model_dump()
    task.examples = [example.model_dump(mode="json") for example in outcome.examples]


def inspection_row(session: Session, inspection: str) -> InspectionRow:
    """One inspection; raises :class:`NotFound`."""
    row = session.get(InspectionRow, inspection)
    if row is None:
        raise NotFound(f"there is no inspection '{inspection[:60]}'", "GET /api/v1/inspections lists them")
    return row


def locked_row(session: Session, inspection: str) -> InspectionRow:
    """One inspection, locked until the transaction ends; raises :class:`NotFound`."""
    row = session.scalar(select(InspectionRow).where(InspectionRow.id == inspection).with_for_update())
    return row if row is not None else inspection_row(session, inspection)


def planned_row(session: Session, plan: str) -> InspectionRow | None:
    """The inspection that is ahead of a plan, if any."""
    return session.scalar(select(InspectionRow).where(InspectionRow.plan == plan, InspectionRow.state == "planned"))


def any_of_plan(session: Session, plan: str) -> bool:
    """Whether the plan ever had an inspection."""
    return session.scalar(select(InspectionRow.id).where(InspectionRow.plan == plan).limit(1)) is not None


def tasks_of(session: Session, inspection: str) -> list[TaskRow]:
    """The tasks of an inspection, in order."""
    return list(session.scalars(select(TaskRow).where(TaskRow.inspection == inspection).order_by(TaskRow.number)))


def findings_of(session: Session, inspection: str) -> list[FindingRow]:
    """The findings of an inspection, by id."""
    return list(session.scalars(select(FindingRow).where(FindingRow.inspection == inspection).order_by(FindingRow.id)))

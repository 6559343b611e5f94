"""Inspections as they cross the wire, within the asker's sight: rows of other departments are left out everywhere."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from cityloop.access.door import Scope
from cityloop.core.database import Database
from cityloop.core.errors import Invalid, NotFound
from cityloop.core.values import Page, Title
from cityloop.core.web import Paging
from cityloop.quality.board import part_view, rounded
from cityloop.quality.meter import FeedSource
from cityloop.quality.models import FindingRow, InspectionRow, TaskRow
from cityloop.quality.schemas import (
    DepartmentResult,
    Finding,
    InspectionDetail,
    InspectionLine,
    LogLine,
    Move,
    State,
    TaskView,
)
from cityloop.quality.scheme import DIMENSIONS, TITLES, Part, Scheme, score
from cityloop.quality.stages import TITLES as STATES
from cityloop.quality.stages import moves
from cityloop.quality.store import Definition

_ORDERS = {
    "planned_for": InspectionRow.planned_for,
    "state": InspectionRow.state,
    "started_at": InspectionRow.started_at,
}
_FINDING_ORDERS = {
    "id": FindingRow.id,
    "department": FindingRow.department,
    "feed": FindingRow.feed,
    "check": FindingRow.check,
    "state": FindingRow.state,
    "due_at": FindingRow.due_at,
}


@dataclass(frozen=True)
class FindingFilter:
    """Which findings are wanted."""

    department: str | None = None
    feed: str | None = None
    check: str | None = None
    state: str | None = None


class Views:
    """The reading side of inspections."""

    def __init__(self, database: Database, source: FeedSource, departments: Mapping[str, Title]) -> None:
        self._database = database
        self._source = source
        self._departments = departments

    def page(
        self, scope: Scope, may_run: bool, paged: Paging, state: State | None, plan: str | None
    ) -> Page[InspectionLine]:
        """Inspections, newest plan first."""
        where: list[ColumnElement[bool]] = []
        where += [InspectionRow.state == state] if state else []
        where += [InspectionRow.plan == plan] if plan else []
        order = _order(paged.sort or "-planned_for", _ORDERS, InspectionRow.id)
        with self._database.reading() as session:
            total = session.scalar(select(func.count()).select_from(InspectionRow).where(*where)) or 0
            query = select(InspectionRow).where(*where).order_by(*order).offset(paged.offset).limit(paged.size)
            items = [InspectionLine(**self._line(session, scope, may_run, row)) for row in session.scalars(query)]
        return Page(items=items, total=total, page=paged.page, size=paged.size)

    def detail(self, scope: Scope, may_run: bool, inspection: str) -> InspectionDetail:
        """One inspection; raises :class:`NotFound`."""
        with self._database.reading() as session:
            row = _found(session, inspection)
            before = _previous(session, row)
            results = self._results(session, scope, row, before)
            return InspectionDetail(
                **self._line(session, scope, may_run, row),
                sample=Definition.of(row).plan.sample,
                recheck_after=Definition.of(row).plan.recheck_after,
                previous=before.id if before else None,
                departments=results,
                tasks=[self._task(task) for task in _tasks(session, scope, row.id)],
                log=[LogLine.model_validate(line) for line in row.log],
            )

    def findings(
        self, scope: Scope, inspection: str, wanted: FindingFilter, paged: Paging, now: datetime
    ) -> Page[Finding]:
        """Findings of one inspection under a filter."""
        where = [FindingRow.inspection == inspection, *_seen(scope, FindingRow)]
        for name in ("department", "feed", "check", "state"):
            if (value := getattr(wanted, name)) is not None:
                where.append(getattr(FindingRow, name) == value)
        order = _order(paged.sort or "department", _FINDING_ORDERS, FindingRow.id)
        with self._database.reading() as session:
            _found(session, inspection)
            total = session.scalar(select(func.count()).select_from(FindingRow).where(*where)) or 0
            query = select(FindingRow).where(*where).order_by(*order).offset(paged.offset).limit(paged.size)
            items = [self._finding(row, now) for row in session.scalars(query)]
        return Page(items=items, total=total, page=paged.page, size=paged.size)

    def _line(self, session: Session, scope: Scope, may_run: bool, row: InspectionRow) -> dict[str, Any]:
        definition = Definition.of(row)
        tasks, findings = _tasks(session, scope, row.id), _findings(session, scope, row.id)
        value = _score(definition.scheme, tasks)
        allowed: list[Move] = moves(row.state, row.halted) if may_run else []
        return {
            "id": row.id,
            "plan": row.plan,
            "title": definition.plan.title,
            "state": row.state,
            "state_title": STATES[row.state],
            "halted": row.halted,
            "planned_for": row.planned_for,
            "started_at": row.started_at,
            "closed_at": row.closed_at,
            "from": row.first,
            "to": row.last,
            "feeds": sorted({task.feed for task in tasks}) or list(definition.plan.feeds),
            "checks": list(definition.plan.checks),
            "owner": definition.plan.owner,
            "limit": definition.plan.limit,
            "schedule": definition.plan.schedule,
            "done": sum(task.done for task in tasks),
            "total": len(tasks),
            "findings": len(findings),
            **{name: sum(f.state in states for f in findings) for name, states in _COUNTED.items()},
            "score": rounded(value),
            "grade": definition.scheme.grade(value),
            "made_by": row.made_by,
            "moves": allowed,
        }

    def _results(
        self, session: Session, scope: Scope, row: InspectionRow, before: InspectionRow | None
    ) -> list[DepartmentResult]:
        tasks, findings = _tasks(session, scope, row.id), _findings(session, scope, row.id)
        earlier = _tasks(session, scope, before.id) if before else []
        scheme = Definition.of(row).scheme
        return [
            self._result(
                department,
                scheme,
                [task for task in tasks if task.department == department],
                [finding for finding in findings if finding.department == department],
                _score(Definition.of(before).scheme, [t for t in earlier if t.department == department])
                if before
                else None,
            )
            for department in sorted({task.department for task in tasks})
        ]

    def _result(
        self,
        department: str,
        scheme: Scheme,
        tasks: Sequence[TaskRow],
        findings: Sequence[FindingRow],
        previous: float | None,
    ) -> DepartmentResult:
        value = _score(scheme, tasks)
        return DepartmentResult(
            id=department,
            title=self._department(department),
            score=rounded(value),
            grade=scheme.grade(value),
            previous_score=rounded(previous),
            change=rounded(value - previous) if value is not None and previous is not None else None,
            findings=len(findings),
            **{name: sum(f.state in states for f in findings) for name, states in _COUNTED.items()},
            overdue=sum(_overdue(finding) for finding in findings),
            dimensions=[part_view(part) for part in _parts(scheme, tasks)],
        )

    def _task(self, task: TaskRow) -> TaskView:
        return TaskView.model_validate(
            {
                "feed": task.feed,
                "title": self._feed(task.feed),
                "department": task.department,
                "check": task.check,
                "check_title": TITLES[task.check],
                "state": "done" if task.done else "waiting",
                "numerator": task.numerator,
                "denominator": task.denominator,
                "share": _share(task.numerator, task.denominator),
                "least": task.least,
                "verdict": task.verdict,
            }
        )

    def _finding(self, row: FindingRow, now: datetime) -> Finding:
        running = row.state == "open" and row.due_at is not None
        overdue = _overdue(row) or (running and row.due_at is not None and row.due_at < now)
        return Finding.model_validate(
            {
                "id": row.id,
                "inspection": row.inspection,
                "feed": row.feed,
                "feed_title": self._feed(row.feed),
                "department": row.department,
                "department_title": self._department(row.department),
                "check": row.check,
                "check_title": TITLES[row.check],
                "state": row.state,
                "numerator": row.numerator,
                "denominator": row.denominator,
                "share": _share(row.numerator, row.denominator),
                "least": row.least,
                "reason": row.reason,
                "examples": row.examples,
                "case": row.case,
                "case_number": row.case_number,
                "case_state": row.case_state,
                "due_at": row.due_at,
                "light": "red" if overdue else "green" if running else "none",
                "overdue": overdue,
                "attempts": row.attempts,
                "rechecks": row.rechecks,
            }
        )

    def _feed(self, feed: str) -> Title:
        mapping = self._source.mappings.get(feed)
        return mapping.declaration.title if mapping else Title(zh=feed, en=feed)

    def _department(self, department: str) -> Title:
        return self._departments.get(department, Title(zh=department, en=department))


_COUNTED = {"open": ("open", "repaired"), "passed": ("passed",), "failed": ("failed",)}


def _overdue(finding: FindingRow) -> bool:
    """A finding that was counted as not mended because nothing was handed in by its due instant."""
    return finding.state == "failed" and finding.repaired_at is None and finding.attempts == 0


def _parts(scheme: Scheme, tasks: Sequence[TaskRow]) -> list[Part]:
    found = []
    for dimension in DIMENSIONS:
        counted = [task for task in tasks if task.check == dimension and task.done]
        denominator = sum(task.denominator for task in counted)
        bounds = {task.least for task in counted if task.least is not None}
        weighted = scheme.dimensions[dimension]
        found.append(
            Part(
                dimension,
                sum(task.numerator for task in counted),
                denominator,
                weighted.weight,
                bounds.pop() if len(bounds) == 1 else weighted.least,
                denominator >= scheme.minimum_sample,
            )
        )
    return found


def _score(scheme: Scheme, tasks: Sequence[TaskRow]) -> float | None:
    return score(_parts(scheme, tasks))


def _share(numerator: int, denominator: int) -> float | None:
    return round(numerator / denominator, 6) if denominator else None


def _seen(scope: Scope, table: type[TaskRow] | type[FindingRow]) -> list[ColumnElement[bool]]:
    return [scope.where({"department": table.__table__.c.department})]


def _tasks(session: Session, scope: Scope, inspection: str) -> list[TaskRow]:
    where = [TaskRow.inspection == inspection, *_seen(scope, TaskRow)]
    return list(session.scalars(select(TaskRow).where(*where).order_by(TaskRow.number)))


def _findings(session: Session, scope: Scope, inspection: str) -> list[FindingRow]:
    where = [FindingRow.inspection == inspection, *_seen(scope, FindingRow)]
    return list(session.scalars(select(FindingRow).where(*where).order_by(FindingRow.id)))


def _found(session: Session, inspection: str) -> InspectionRow:
    row = session.get(InspectionRow, inspection)
    if row is None:
        raise NotFound(f"there is no inspection '{inspection[:60]}'", "GET /api/v1/inspections lists them")
    return row


def _previous(session: Session, row: InspectionRow) -> InspectionRow | None:
    """The last inspection of the same plan that came to a report before this one started."""
    if row.started_at is None:
        return None
    where = (
        InspectionRow.plan == row.plan,
        InspectionRow.state.in_(("report", "closed")),
        InspectionRow.started_at < row.started_at,
        InspectionRow.id != row.id,
    )
    return session.scalar(select(InspectionRow).where(*where).order_by(InspectionRow.started_at.desc()).limit(1))


def _order(sort: str, known: Mapping[str, Any], last: Any) -> list[Any]:
    column = known.get(sort.removeprefix("-"))
    if column is None:
        raise Invalid(f"this list cannot be sorted by '{sort}'", f"known: {', '.join(known)}")
    return [column.desc(), last.desc()] if sort.startswith("-") else [column.asc(), last.asc()]

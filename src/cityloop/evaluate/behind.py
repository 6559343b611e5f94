"""The cases behind a figure: every step that was counted, within the asker's sight of figures and of cases."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, RowMapping, and_, func, select
from sqlalchemy.orm import Session

from cityloop.cases import queries
from cityloop.cases.models import CaseRow
from cityloop.city.service import City
from cityloop.core.errors import NotFound
from cityloop.core.values import Title
from cityloop.core.web import Paging
from cityloop.evaluate import expression
from cityloop.evaluate.declarations import ExemptionDef, SchemeDocument
from cityloop.evaluate.models import StepRow
from cityloop.evaluate.schemas import FigureCase, Side
from cityloop.evaluate.tally import COLUMNS, Window, belongs, holds, listed

_CASE = CaseRow.__table__
_SHOWN = ("id", "number", "title", "state", "matter", "department", "area", "opened_at", "closed_at", "on_time")
HEADINGS = {
    "number": ("案件号", "Number"),
    "title": ("标题", "Title"),
    "state": ("状态", "State"),
    "department_title": ("承办部门", "Department"),
    "area_title": ("辖区", "Area"),
    "opened_at": ("上报时间", "Opened"),
    "began_at": ("环节开始", "Step began"),
    "due_at": ("截止时间", "Due"),
    "ended_at": ("环节结束", "Step ended"),
    "late": ("超期", "Late"),
    "counts": ("计入", "Counted as"),
    "exemptions": ("豁免", "Exemptions"),
}
"""Columns of an export, in Chinese and English."""


def counts_of(document: SchemeDocument, item: str, side: Side) -> list[str]:
    """The counts that one side of an item's fraction is made of; an indicator without denominator has one side."""
    found = next((known for known in document.scheme.items if known.id == item), None)
    if found is None:
        known = ", ".join(item.id for item in document.scheme.items)
        raise NotFound(f"scheme '{document.scheme.id}' has no item '{item[:60]}'", f"one of: {known}")
    indicator = document.indicators[found.indicator]
    text = indicator.numerator if side == "numerator" else indicator.denominator
    return list(expression.names(expression.parse(text))) if text else []


class Behind:
    """Lists cases behind counts."""

    def __init__(self, city: City) -> None:
        self._city = city

    def total(self, session: Session, where: ColumnElement[bool]) -> int:
        """How many cases there are, each once."""
        steps = StepRow.__table__
        query = select(func.count(steps.c.case.distinct())).select_from(steps.join(_CASE, _CASE.c.id == steps.c.case))
        return session.scalar(query.where(where)) or 0

    def page(
        self,
        session: Session,
        document: SchemeDocument,
        counts: Sequence[str],
        window: Window,
        where: ColumnElement[bool],
        paged: Paging,
    ) -> list[FigureCase]:
        """One page, the cases that were reported last first."""
        steps = StepRow.__table__
        ids = (
            select(_CASE.c.id)
            .select_from(steps.join(_CASE, _CASE.c.id == steps.c.case))
            .where(where)
            .group_by(_CASE.c.id, _CASE.c.opened_at)
            .order_by(_CASE.c.opened_at.desc(), _CASE.c.id)
            .offset(paged.offset)
            .limit(paged.size)
        )
        found = list(session.scalars(ids))
        shown = [_CASE.c[name].label(f"case_{name}") for name in _SHOWN]
        flags = [
            belongs(document.counts[name], document.exemptions, window, True).label(f"count_{name}") for name in counts
        ]
        flags += [holds(exemption, window).label(f"exempt_{name}") for name, exemption in document.exemptions.items()]
        names = ("number", "began_at", "ended_at", "due_at", "late")
        query = (
            select(*shown, *[COLUMNS[name].label(name) for name in names], *flags)
            .select_from(steps.join(_CASE, _CASE.c.id == steps.c.case))
            .where(where, _CASE.c.id.in_(found))
            .order_by(steps.c.began_at, steps.c.number)
        )
        by_case: dict[str, list[RowMapping]] = {name: [] for name in found}
        for row in session.execute(query).mappings():
            by_case[row["case_id"]].append(row)
        return [self._case(rows, counts, document.exemptions) for rows in by_case.values()]

    def condition(
        self, document: SchemeDocument, counts: Sequence[str], window: Window, objects: ColumnElement[bool]
    ) -> ColumnElement[bool]:
        """Steps behind the counts, of the wanted objects."""
        return and_(listed(document, counts, window), objects)

    def _case(
        self, rows: Sequence[RowMapping], counts: Sequence[str], exemptions: Mapping[str, ExemptionDef]
    ) -> FigureCase:
        last = rows[-1]
        department = self._city.departments.get(last["case_department"] or "")
        return FigureCase(
            **{name: last[f"case_{name}"] for name in _SHOWN},
            department_title=department.title if department else None,
            area_title=self._area(last["case_area"]),
            counts=[name for name in counts if any(row[f"count_{name}"] for row in rows)],
            times=len(rows),
            **{name: last[name] for name in ("began_at", "ended_at", "due_at", "late")},
            exemptions=[name for name in exemptions if any(row[f"exempt_{name}"] for row in rows)],
        )

    def _area(self, code: str | None) -> Title | None:
        if code is None:
            return None
        try:
            return self._city.areas.title(code)
        except NotFound:
            return Title(zh=code, en=code)


CASE_COLUMNS = queries.COLUMNS


def plain(case: FigureCase, language: str, zone: Any) -> dict[str, Any]:
    """A case as a line of an export."""
    row: dict[str, Any] = {}
    for name in FigureCase.model_fields:
        value = getattr(case, name)
        if isinstance(value, Title):
            value = value.zh if language == "zh" else value.en
        elif isinstance(value, list):
            value = ", ".join(value)
        row[name] = value.astimezone(zone) if isinstance(value, datetime) else value
    return row

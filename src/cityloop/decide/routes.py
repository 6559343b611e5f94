"""Routes of decision tables and of the log of decisions."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query

from cityloop.access.routes import Asker
from cityloop.core.values import Page
from cityloop.core.web import Paged, service
from cityloop.decide.desk import DecisionDesk
from cityloop.decide.schemas import (
    ChangeExplained,
    ChangeWish,
    DecisionFilter,
    DecisionLine,
    DecisionOutcome,
    DecisionTableLine,
    DecisionTableView,
    DecisionView,
    NewTable,
    TableCheck,
    TableText,
    TableTrial,
    TableVersionView,
    TrialWish,
)

router = APIRouter(prefix="/api/v1", tags=["decide"])
TheDesk = Annotated[DecisionDesk, Depends(service(DecisionDesk))]
TableId = Annotated[str, Path(max_length=80)]
_Word = Annotated[str | None, Query(max_length=120)]


@router.get("/decision-tables")
def decision_tables(desk: TheDesk, actor: Asker) -> list[DecisionTableLine]:
    """Every decision table in force."""
    return desk.tables(actor)


@router.post("/decision-tables/check")
def check_table(body: TableText, desk: TheDesk, actor: Asker) -> TableCheck:
    """Faults of a text, combinations without a rule, rules that hold together. Nothing is written."""
    return desk.check(actor, body.xml)


@router.get("/decision-tables/{table}")
def decision_table(table: TableId, desk: TheDesk, actor: Asker) -> DecisionTableView:
    """One table with its text, what it must be given, what the check says, and its versions."""
    return desk.view(actor, table)


@router.get("/decision-tables/{table}/versions")
def table_versions(table: TableId, desk: TheDesk, actor: Asker) -> list[TableVersionView]:
    """Every version with its text, the newest first."""
    return desk.versions(actor, table)


@router.post("/decision-tables/{table}/trial")
def try_table(table: TableId, body: TrialWish, desk: TheDesk, actor: Asker) -> TableTrial:
    """The answer over inputs, by the table in force or by a text. Nothing is written."""
    return desk.trial(actor, table, body)


@router.post("/decision-tables/{table}/explain")
def explain_table(table: TableId, body: ChangeWish, desk: TheDesk, actor: Asker) -> ChangeExplained:
    """Which past decisions a changed table would have made differently. Nothing is written."""
    return desk.explain(actor, table, body)


@router.post("/decision-tables/{table}/apply", status_code=201)
def apply_table(table: TableId, body: NewTable, desk: TheDesk, actor: Asker) -> DecisionTableView:
    """Put a changed table into force; decisions that were made stay as they are."""
    return desk.apply(actor, table, body)


async def decision_filter(
    table: _Word = None,
    outcome: DecisionOutcome | None = None,
    subject: _Word = None,
    rule: _Word = None,
    actor: _Word = None,
    start: Annotated[datetime | None, Query(description="made at or after")] = None,
    end: Annotated[datetime | None, Query(description="made before")] = None,
) -> DecisionFilter:
    """The filter parameters of a request."""
    return DecisionFilter(table=table, outcome=outcome, subject=subject, rule=rule, actor=actor, start=start, end=end)


@router.get("/decisions")
def decisions(
    desk: TheDesk, actor: Asker, paged: Paged, wanted: Annotated[DecisionFilter, Depends(decision_filter)]
) -> Page[DecisionLine]:
    """The log of decisions, a page at a time."""
    return desk.log.page(actor, wanted, paged)


@router.get("/decisions/{decision}")
def decision(decision: Annotated[str, Path(max_length=40)], desk: TheDesk, actor: Asker) -> DecisionView:
    """One decision with its inputs, the rules that matched and the reasons."""
    return desk.log.get(actor, decision)

"""Routes of evaluate: indicators, schemes, boards, the cases behind a figure, what-if, publication, report."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Response

from cityloop.access.routes import Asker
from cityloop.city.schemas import AreaLevel
from cityloop.core.paper import ReportForm
from cityloop.core.values import Page
from cityloop.core.web import ExportFormat, Paged, service
from cityloop.evaluate.declarations import ObjectKind
from cityloop.evaluate.periods import PeriodKind
from cityloop.evaluate.reporting import report
from cityloop.evaluate.schemas import (
    Board,
    EvaluationSchemeView,
    FigureCase,
    IndicatorList,
    NewVersion,
    Publish,
    Side,
    Wanted,
    WhatIf,
    WhatIfView,
)
from cityloop.evaluate.service import Evaluator

router = APIRouter(prefix="/api/v1", tags=["evaluate"])
TheEvaluator = Annotated[Evaluator, Depends(service(Evaluator))]


async def wanted(
    object: Annotated[ObjectKind | None, Query(description="default: the first object of the scheme")] = None,
    level: Annotated[AreaLevel, Query(description="level of areas, for the object area")] = "district",
    period: PeriodKind = "month",
    at: Annotated[date | None, Query(description="a day inside the period; default: today in the city")] = None,
    version: Annotated[str | None, Query(max_length=20, description="default: the version in force")] = None,
    live: Annotated[bool, Query(description="count anew although a result was published")] = False,
) -> Wanted:
    """Which board a request asks for."""
    return Wanted(object=object, level=level, period=period, at=at, version=version, live=live)


Asked = Annotated[Wanted, Depends(wanted)]
Item = Annotated[str, Query(max_length=60, description="id of an item of the scheme")]
RowId = Annotated[str, Query(max_length=60, description="id of a row; empty: the whole city")]


@router.get("/indicators")
def indicators(evaluator: TheEvaluator, actor: Asker) -> IndicatorList:
    """Indicators in force with their formulas, and the counts, exemptions and steps that they are made of."""
    return evaluator.indicators(actor)


@router.get("/schemes")
def schemes(evaluator: TheEvaluator, actor: Asker) -> list[EvaluationSchemeView]:
    """Schemes in force, with all their versions."""
    return evaluator.schemes(actor)


@router.get("/schemes/{scheme}/scoreboard")
def scoreboard(evaluator: TheEvaluator, actor: Asker, scheme: str, asked: Asked, paged: Paged) -> Board:
    """The board of a period; sort by ``rank`` (default), ``score``, ``title`` or an item, ``-`` for descending."""
    return evaluator.board(actor, scheme, asked, paged)


@router.get("/schemes/{scheme}/scoreboard/export")
def scoreboard_export(
    evaluator: TheEvaluator, actor: Asker, scheme: str, asked: Asked, format: ExportFormat = "xlsx"
) -> Response:
    """The same board as CSV or Excel."""
    return evaluator.export(actor, scheme, asked, format)


@router.get("/schemes/{scheme}/cases")
def figure_cases(
    evaluator: TheEvaluator,
    actor: Asker,
    scheme: str,
    asked: Asked,
    paged: Paged,
    item: Item,
    side: Side = "numerator",
    row: RowId = "",
) -> Page[FigureCase]:
    """The cases behind a figure, each once, the newest first, within the asker's sight."""
    return evaluator.cases(actor, scheme, asked, item, side, row, paged)


@router.get("/schemes/{scheme}/cases/export")
def figure_cases_export(
    evaluator: TheEvaluator,
    actor: Asker,
    scheme: str,
    asked: Asked,
    item: Item,
    side: Side = "numerator",
    row: RowId = "",
    format: ExportFormat = "xlsx",
) -> Response:
    """The same cases as CSV or Excel."""
    return evaluator.case_export(actor, scheme, asked, item, side, row, format)


@router.post("/schemes/{scheme}/what-if")
def what_if(evaluator: TheEvaluator, actor: Asker, scheme: str, wish: WhatIf) -> WhatIfView:
    """Recompute past periods with a changed scheme; nothing is written. ``plan`` is needed to apply it."""
    return evaluator.what_if(actor, scheme, wish)


@router.post("/schemes/{scheme}/versions", status_code=201)
def new_version(evaluator: TheEvaluator, actor: Asker, scheme: str, wish: NewVersion) -> EvaluationSchemeView:
    """Put an explained change into force as a new version."""
    return evaluator.change(actor, scheme, wish)


@router.post("/schemes/{scheme}/publish", status_code=201)
def publish(evaluator: TheEvaluator, actor: Asker, scheme: str, wish: Publish) -> Board:
    """Freeze the result of a period that is over."""
    return evaluator.publish(actor, scheme, wish)


@router.get("/schemes/{scheme}/report")
def scheme_report(
    evaluator: TheEvaluator,
    actor: Asker,
    scheme: str,
    asked: Asked,
    format: ReportForm = "html",
    language: Literal["zh", "en"] = "zh",
) -> Response:
    """The report of a period as a page to print, an Excel workbook or a PDF file, as far as the asker may see."""
    return report(evaluator, actor, scheme, asked, format, language)

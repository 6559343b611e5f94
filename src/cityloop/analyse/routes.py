"""Routes of analyse: the semantic model, the typed query with its chart and files, changes explained, written SQL."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from cityloop.access.routes import Asker
from cityloop.analyse.charts import Chart, ChartKind, choose
from cityloop.analyse.explain_schemas import ExplainRequest, ExplainResult
from cityloop.analyse.explaining import Explainer
from cityloop.analyse.exports import FileFormat, Language, heading, lines, parquet
from cityloop.analyse.schemas import ModelView, QueryRequest, QueryResult
from cityloop.analyse.service import Analyst
from cityloop.analyse.sql import SqlDesk, SqlRequest, SqlResult, SqlTable
from cityloop.core.values import Frozen
from cityloop.core.web import export, service

router = APIRouter(prefix="/api/v1", tags=["analyse"])
TheAnalyst = Annotated[Analyst, Depends(service(Analyst))]
TheExplainer = Annotated[Explainer, Depends(service(Explainer))]
TheSql = Annotated[SqlDesk, Depends(service(SqlDesk))]
Form = Annotated[FileFormat, Query(alias="format")]


class DrawRequest(Frozen):
    """A question, and the chart one would like where it can be drawn."""

    query: QueryRequest
    wish: ChartKind | None = None


class Drawn(Frozen):
    """An answer with its chart."""

    result: QueryResult
    chart: Chart


@router.get("/model")
def model(analyst: TheAnalyst, actor: Asker) -> ModelView:
    """Metrics and dimensions."""
    return analyst.model()


@router.post("/query")
def query(body: QueryRequest, analyst: TheAnalyst, actor: Asker) -> QueryResult:
    """Ask the semantic model, within the asker's scope."""
    return analyst.query(actor, body)


@router.post("/query/chart")
def draw(body: DrawRequest, analyst: TheAnalyst, actor: Asker) -> Drawn:
    """Ask the semantic model and get the chart that fits the answer, with the reason."""
    result = analyst.query(actor, body.query)
    return Drawn(result=result, chart=choose(result, body.query, wish=body.wish))


@router.post("/query/export", response_class=Response)
def export_query(
    body: QueryRequest, analyst: TheAnalyst, actor: Asker, form: Form = "csv", language: Language = "zh"
) -> Response:
    """The answer as a file: CSV and Excel with names and the city's clock, Parquet with codes and UTC."""
    result = analyst.query(actor, body)
    analyst.exported(actor, body, form)
    if form == "parquet":
        return _parquet("query", [column.id for column in result.columns], result.rows)
    return _table("query", form, heading(result, language), lines(result, language, analyst.city.zone))


@router.post("/explain")
def explain(body: ExplainRequest, explainer: TheExplainer, actor: Asker) -> ExplainResult:
    """Why a metric changed: its parts by mix and rate, what is behind them, in words and one chart."""
    return explainer.explain(actor, body)


@router.get("/sql/tables")
def sql_tables(desk: TheSql, actor: Asker) -> list[SqlTable]:
    """The tables that the asker may read with SQL, and their columns."""
    return desk.tables(actor)


@router.post("/sql")
def sql(body: SqlRequest, desk: TheSql, actor: Asker) -> SqlResult:
    """One SELECT, let through as a tree of listed parts, every table replaced by what the asker may see."""
    return desk.run(actor, body)


@router.post("/sql/export", response_class=Response)
def export_sql(body: SqlRequest, desk: TheSql, actor: Asker, form: Form = "csv") -> Response:
    """The answer of a statement as a file."""
    result = desk.run(actor, body)
    names = [column.id for column in result.columns]
    return _parquet("sql", names, result.rows) if form == "parquet" else _table("sql", form, names, result.rows)


def _table(name: str, form: FileFormat, titles: list[str], rows: list[list[object]]) -> Response:
    columns = [(str(number), title) for number, title in enumerate(titles)]
    keyed = ({str(number): value for number, value in enumerate(row)} for row in rows)
    return export(name, "xlsx" if form == "xlsx" else "csv", columns, keyed)


def _parquet(name: str, names: list[str], rows: list[list[object]]) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}.parquet"'}
    return Response(parquet(names, rows), media_type="application/vnd.apache.parquet", headers=headers)

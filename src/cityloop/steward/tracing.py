"""From a figure to the raw batches that hold its rows, and from a record or batch to what was made of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlglot import exp

from cityloop.access.actor import Actor
from cityloop.access.door import Door, Scope
from cityloop.access.models import AuditRow
from cityloop.analyse import expression
from cityloop.analyse.model import Model
from cityloop.analyse.schemas import QueryRequest
from cityloop.analyse.service import Analyst
from cityloop.core.database import Database
from cityloop.core.errors import AccessDenied, Invalid, NotFound
from cityloop.core.values import Page, Title
from cityloop.core.web import Paging
from cityloop.lake.events import PROTECTED
from cityloop.lake.events import SCHEMAS as EVENTS
from cityloop.lake.service import Lake
from cityloop.steward.boards import Board
from cityloop.steward.declared import Current
from cityloop.steward.graph import Direction, Graph, Node, Slice
from cityloop.steward.lineage import InspectionLine, SourceLine, build
from cityloop.steward.uses import BatchView, Use, UsedCase, UsedWarning, UsesView
from cityloop.watch.rules import Rule
from cityloop.watch.schemas import WarningDetail, WarningFilter
from cityloop.watch.service import Watch

MOST_WARNINGS = 200
"""Warnings of one rule whose evidence is looked through for a batch."""
"""Event tables, and the entity whose scope covers their rows; every other table holds observations."""
_COLUMNS = ("feed", "record", "observed_at", "received_at")
Period = tuple[datetime | None, datetime | None]
"""Start (included) and end (not included)."""
Sources = Callable[[], Sequence[SourceLine]]


class Lineage:
    """Answers where a figure comes from and where a record went."""

    def __init__(
        self,
        *,
        door: Door,
        database: Database,
        lake: Lake,
        current: Current,
        rules: Sequence[Rule],
        model: Model,
        boards: Sequence[Board],
        sources: Sources,
        inspections: Sequence[InspectionLine],
        analyst: Analyst,
        watch: Watch,
    ) -> None:
        self._door, self._database, self._lake, self._current = door, database, lake, current
        self._rules, self._model, self._boards, self._sources = rules, model, tuple(boards), sources
        self._analyst, self._watch, self._inspections = analyst, watch, tuple(inspections)

    def graph(self) -> Graph:
        """The graph of what is declared now."""
        return build(self._current.declared, self._rules, self._model, self._boards, self._sources(), self._inspections)

    def around(self, actor: Actor, node: str, direction: Direction, depth: int) -> Slice:
        """The part of the graph around one node; raises :class:`NotFound` for an unknown one."""
        self._door.scope(actor, "dataset")
        graph = self.graph()
        if node not in graph.nodes:
            raise NotFound(f"lineage knows no '{node[:80]}'", "GET /api/v1/lineage/nodes?text=… finds nodes")
        return graph.reach(node, direction, depth)

    def nodes(self, actor: Actor, text: str, kind: str | None, most: int = 50) -> list[Node]:
        """Nodes by a part of their id or title."""
        self._door.scope(actor, "dataset")
        wanted = text.casefold()
        found = (
            node
            for node in self.graph().nodes.values()
            if (kind is None or node.kind == kind)
            and any(wanted in name.casefold() for name in (node.id, node.title.zh, node.title.en))
        )
        return [node for node, _ in zip(found, range(most), strict=False)]

    def batches_of_figure(self, actor: Actor, request: QueryRequest, paged: Paging) -> Page[BatchView]:
        """Raw batches that hold the rows of a figure, newest first. One metric; filters and period as in the query."""
        if len(request.metrics) != 1 or request.dimensions or request.compare != "none":
            raise Invalid("ask for one metric, with filters and a period", "leave dimensions and comparison out")
        rows, table = self._analyst.rows(actor, request, _COLUMNS)
        return self._batches(rows, table, paged)

    def batches_of_column(
        self, actor: Actor, dataset: str, column: str | None, period: Period, paged: Paging
    ) -> Page[BatchView]:
        """Raw batches that brought values of a column (or rows of a dataset), newest first."""
        scope = self._scope(actor, dataset)
        known = self._lake.schema(dataset).names
        if column is not None and column not in known:
            raise NotFound(f"{dataset} has no column '{column}'", f"known: {', '.join(known)}")
        rows = exp.select(*[_column(name) for name in _COLUMNS]).from_(exp.table_(dataset, quoted=True))
        rows = rows.where(scope.tree())
        if column is not None:
            rows = rows.where(scope.column(column).is_(exp.null()).not_())
        for at, bound in zip(period, (exp.GTE, exp.LT), strict=True):
            if at is not None and at.tzinfo is None:
                raise Invalid(f"{at.isoformat()} has no offset", "write +08:00 or Z behind it")
            if at is not None:
                instant = exp.cast(exp.Literal.string(at.isoformat()), "TIMESTAMPTZ")
                rows = rows.where(bound(this=_column("observed_at"), expression=instant))
        return self._batches(rows, dataset, paged)

    def uses(self, actor: Actor, record: str | None, batch: str | None) -> UsesView:
        """What was made of a record, or of all rows of a batch that the actor may see."""
        if (record is None) == (batch is None):
            raise Invalid("name either a record or a batch", "record ids come with histories, warnings and batches")
        table, rows, scope = self._rows(actor, record, batch)
        filled = [name for name in rows[0] if any(row[name] is not None for row in rows)]
        used, truncated = self._warnings(actor, table, rows)
        warnings = [_used(warning, records) for warning, records in used]
        cases = {w.case: UsedCase(id=w.case, number=w.case_number, link=f"/cases/{w.case}") for w, _ in used if w.case}
        return UsesView(
            record=record,
            batch=batch,
            dataset=table,
            feed=rows[0]["feed"],
            feed_title=self._feed_title(rows[0]["feed"]),
            rows=len(rows),
            received_at=max(row["received_at"] for row in rows),
            by=self._senders(rows[0]["feed"], _batch(rows[0]["record"]), min(row["received_at"] for row in rows)),
            metrics=list(self._metrics(table, scope, [row["record"] for row in rows], filled)),
            warnings=warnings,
            cases=list(cases.values()),
            truncated=truncated,
        )

    def _batches(self, rows: exp.Select, table: str, paged: Paging) -> Page[BatchView]:
        sql = f"""
            SELECT regexp_replace(record, ':[^:]*$', '') AS batch, feed, count(*) AS rows,
                   min(observed_at) AS first_observed_at, max(observed_at) AS last_observed_at,
                   min(received_at) AS received_at, min(record) AS example, count(*) OVER () AS total
            FROM ({rows.sql("duckdb")}) GROUP BY batch, feed
            ORDER BY received_at DESC, batch DESC LIMIT {paged.size} OFFSET {paged.offset}
        """  # noqa: S608 - the inner query is a tree of checked names and literals
        found = self._lake.query(sql, [table]).to_pylist()
        items = [
            BatchView(
                **{name: row[name] for name in row if name != "total"},
                feed_title=self._feed_title(row["feed"]),
                dataset=table,
                by=self._senders(row["feed"], row["batch"], row["received_at"]),
            )
            for row in found
        ]
        return Page(items=items, total=found[0]["total"] if found else 0, page=paged.page, size=paged.size)

    def _rows(self, actor: Actor, record: str | None, batch: str | None) -> tuple[str, list[dict[str, Any]], Scope]:
        """The rows of a record or batch within the actor's scope, covered, and the table that holds them."""
        test = "record = $key" if record else "starts_with(record, $key || ':')"
        for table in self._lake.tables():
            try:
                scope = self._scope(actor, table)
            except (AccessDenied, NotFound):
                continue
            sql = f'SELECT * FROM "{table}" WHERE {test} AND {scope.tree().sql("duckdb")} ORDER BY record'  # noqa: S608
            rows = self._lake.query(sql, [table], {"key": record or batch}).to_pylist()
            if rows:
                return table, [scope.cover(row) for row in rows], scope
        what = f"record '{record}'" if record else f"batch '{batch}'"
        raise NotFound(f"no {what} that {actor.id} may see", "GET /api/v1/lineage/batches lists batches")

    def _metrics(self, table: str, scope: Scope, records: Sequence[str], filled: Sequence[str]) -> Iterable[Use]:
        """Metrics that count at least one of the rows."""
        for metric in self._model.metrics.values():
            read = set(expression.columns(metric.expression))
            if metric.table != table or (read and not read & set(filled)):
                continue
            condition = expression.tree(metric.filter).sql("duckdb") if metric.filter else "true"
            sql = f"""SELECT count(*) AS n FROM "{table}"
                      WHERE list_contains($records, record) AND ({condition}) AND {scope.tree().sql("duckdb")}"""  # noqa: S608
            if self._lake.query(sql, [table], {"records": list(records)}).column(0)[0].as_py():
                yield Use(kind="metric", id=metric.id, title=metric.title, link="/board")

    def _warnings(
        self, actor: Actor, table: str, rows: Sequence[dict[str, Any]]
    ) -> tuple[list[tuple[WarningDetail, list[str]]], bool]:
        """Warnings in sight whose evidence holds one of the rows, with those rows."""
        records = {row["record"] for row in rows}
        entities = {row["entity"] for row in rows}
        found: list[tuple[WarningDetail, list[str]]] = []
        truncated = False
        for rule in self._rules:
            if rule.entity_type != table:
                continue
            wanted = WarningFilter(rule=rule.id, start=min(row["observed_at"] for row in rows) - timedelta(days=1),
                                   entity=next(iter(entities)) if len(entities) == 1 else None)  # fmt: skip
            try:
                page = self._watch.list(actor, wanted, Paging(page=1, size=MOST_WARNINGS, sort="raised_at"))
            except AccessDenied:
                return [], False
            truncated = truncated or page.total > len(page.items)
            for line in page.items:
                detail = self._watch.get(actor, line.id) if line.entity in entities else None
                held = [name for _, _, name in detail.evidence.points if name in records] if detail else []
                if detail and held:
                    found.append((detail, held))
        return found, truncated

    def _scope(self, actor: Actor, table: str) -> Scope:
        if table not in EVENTS and table not in self._current.declared.standard.entity_types:
            raise NotFound(f"there is no dataset '{table[:60]}'", "GET /api/v1/datasets lists them")
        return self._door.scope(actor, PROTECTED.get(table, "observation"), table)

    def _feed_title(self, feed: str) -> Title:
        found = self._current.declared.feed(feed)
        if found is not None:
            return found.declaration.title
        return Title(zh="本系统事件", en="Events of this system") if feed == "outbox" else Title(zh=feed, en=feed)

    def _senders(self, feed: str, batch: str, received: datetime) -> list[str]:
        """Accounts whose audit line of that time spans the batch; none until the line is written (some seconds)."""
        query = (
            select(AuditRow.actor, AuditRow.detail)
            .where(AuditRow.act == "feed.push", AuditRow.object == feed, AuditRow.time >= received)
            .order_by(AuditRow.seq)
            .limit(20)
        )
        with self._database.reading() as session:
            lines = session.execute(query).all()
        spans = [(actor, detail.get("first"), detail.get("last")) for actor, detail in lines]
        return list(dict.fromkeys(actor for actor, first, last in spans if first and last and first <= batch <= last))


def _used(warning: WarningDetail, records: list[str]) -> UsedWarning:
    return UsedWarning(
        id=warning.id,
        title=warning.title,
        level=warning.level,
        status=warning.status,
        raised_at=warning.raised_at,
        link=f"/warnings/{warning.id}",
        records=records,
    )


def _batch(record: str) -> str:
    return record.rpartition(":")[0]


def _column(name: str) -> exp.Column:
    return exp.column(name, quoted=True)

"""The verbs of analyse: show the model, answer a typed query."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlglot import exp

from cityloop.access.actor import Actor
from cityloop.access.audit import Audit
from cityloop.access.door import Door, Scope
from cityloop.analyse.check import check
from cityloop.analyse.columns import cell, columns, view
from cityloop.analyse.compile import Clocks, Plan, compile, newest, rows
from cityloop.analyse.labels import Describe, Titles, labels, of_city, of_entities
from cityloop.analyse.model import TIME, Model
from cityloop.analyse.schemas import ModelView, QueryRequest, QueryResult
from cityloop.city.service import City
from cityloop.core.clock import Clock
from cityloop.core.values import Title
from cityloop.lake.service import Lake
from cityloop.lake.snapshots import Snapshot

CACHED = 256
"""Answers kept. An answer is found again only under the same query, the same data and the same sight."""


class Analyst:
    """Answers typed queries over the lake.

    ``describe`` (as the collect room has it) gives observed things their titles, ``rules`` gives them to rules.
    """

    def __init__(
        self,
        *,
        lake: Lake,
        model: Model,
        door: Door,
        city: City,
        clock: Clock,
        describe: Describe | None = None,
        rules: Mapping[str, Title] | None = None,
        audit: Audit | None = None,
    ) -> None:
        self._lake, self._model, self._door, self._city, self._clock = lake, model, door, city, clock
        self._audit = audit
        self._titles: dict[str, Titles] = {**of_city(city), "rules": (rules or {}).get}
        if describe is not None:
            self._titles |= of_entities(list(model.dimensions.values()), describe)
        self._answers: OrderedDict[Any, QueryResult] = OrderedDict()
        self._turn = threading.Lock()

    def model(self) -> ModelView:
        """Metrics and dimensions, in the order of the packs."""
        return view(self._model)

    @property
    def vocabulary(self) -> Model:
        """The semantic model itself."""
        return self._model

    @property
    def city(self) -> City:
        """The city whose clock and calendar it goes by."""
        return self._city

    def exported(self, actor: Actor, request: QueryRequest, form: str) -> None:
        """Leave an audit record of an answer that was taken away as a file."""
        if self._audit is not None:
            detail = {"metrics": request.metrics, "dimensions": request.dimensions, "format": form}
            with self._audit.database.transaction() as tx:
                self._audit.record(tx, self._clock.now(), actor.id, "query.export", "lake", detail)

    @property
    def door(self) -> Door:
        """The door that its answers pass."""
        return self._door

    def query(self, actor: Actor, request: QueryRequest, model: Model | None = None) -> QueryResult:
        """Answer within the actor's scope; raises :class:`Invalid` for what the model cannot answer.

        Another room of this program may ask in a wider ``model`` than clients see.
        """
        model = model or self._model
        check(request, model)
        scopes = self._scopes(actor, request, model)
        tables = {model.metrics[name].table for name in request.metrics}
        versions = tuple(sorted((table, self._lake.version(table)) for table in tables))
        days = self._city.calendars.version() if request.calendar else ""
        key = (request.model_dump_json(), versions, tuple(scope.key for scope in scopes.values()), days)
        with self._turn:
            if key in self._answers:
                self._answers.move_to_end(key)
                return self._answers[key]
        answer = self._answer(request, scopes, model)
        with self._turn:
            self._answers[key] = answer
            while len(self._answers) > CACHED:
                self._answers.popitem(last=False)
        return answer

    def rows(self, actor: Actor, request: QueryRequest, columns: Sequence[str]) -> tuple[exp.Select, str]:
        """The rows beneath the one metric of a request as a query within the actor's scope, and their table."""
        check(request, self._model)
        metric = self._model.metrics[request.metrics[0]]
        scope = self._door.scope(actor, metric.protected, metric.table)
        return rows(request, self._model, scope, columns, self._clocks()), metric.table

    def run(self, tree: exp.Select, table: str) -> list[dict[str, Any]]:
        """The rows of a query that :meth:`rows` gave, or of one over it."""
        found: list[dict[str, Any]] = self._lake.run(tree, [table]).to_pylist()
        return found

    def _scopes(self, actor: Actor, request: QueryRequest, model: Model) -> dict[str, Scope]:
        """The actor's scope of every table beneath the metrics; refuses when one of them is out of sight."""
        tables = {metric.table: metric.protected for name in request.metrics if (metric := model.metrics[name])}
        return {table: self._door.scope(actor, entity, table) for table, entity in tables.items()}

    def _answer(self, request: QueryRequest, scopes: Mapping[str, Scope], model: Model) -> QueryResult:
        plan = compile(request, model, scopes, self._clocks())
        source = self._lake.as_of(request.as_of) if request.as_of else self._lake
        rows = source.run(plan.tree, plan.tables).to_pylist()
        shown = rows[: request.limit]
        dimensions = [model.dimensions[name] for name in request.dimensions if name != TIME]
        return QueryResult(
            columns=(shape := columns(plan, request, model)),
            rows=[[cell(column, row[column.id]) for column in shape] for row in shown],
            labels=labels(dimensions, shown, self._titles),
            freshness=self._freshness(plan, scopes, source),
            truncated=len(rows) > request.limit,
            sql=plan.text(self._lake.dialect),
            scope=list(dict.fromkeys(scope.reason for scope in scopes.values())),
        )

    def _clocks(self) -> Clocks:
        calendars = self._city.calendars
        return Clocks(self._city.zone.key, calendars.get(calendars.default).table, self._city.peaks)

    def _freshness(self, plan: Plan, scopes: Mapping[str, Scope], source: Lake | Snapshot) -> datetime | None:
        tree = newest({table: scopes[table] for table in plan.tables})
        found = source.run(tree, plan.tables).column(0)[0].as_py()
        return found.astimezone(UTC) if found else None

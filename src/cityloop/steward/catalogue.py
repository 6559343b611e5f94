"""The catalogue: every table, feed and source with owner, freshness, size, quality, columns, uses and a sample."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from typing import Any

import pyarrow as pa
from fastapi import Response

from cityloop.access.actor import SYSTEM, Actor
from cityloop.access.audit import Audit
from cityloop.access.door import Door, Protected, Scope
from cityloop.analyse.model import Model
from cityloop.city.service import City
from cityloop.collect.schemas import FeedView
from cityloop.collect.service import Collector
from cityloop.core.database import Database
from cityloop.core.errors import AccessDenied, Invalid, NotFound
from cityloop.core.values import Page, Title
from cityloop.core.web import ExportFormat, Paging, export
from cityloop.lake.events import PROTECTED
from cityloop.lake.events import SCHEMAS as EVENTS
from cityloop.lake.service import Lake
from cityloop.standard.mapping import FeedMapping
from cityloop.standard.types import EntityType
from cityloop.steward.datasets import (
    LEVELS,
    Cell,
    ColumnView,
    DatasetDetail,
    DatasetFilter,
    DatasetLine,
    Level,
    SampleView,
)
from cityloop.steward.declared import Current
from cityloop.steward.facts import ColumnFacts, Facts, TableFacts
from cityloop.steward.graph import Graph
from cityloop.steward.lineage import BASE_TITLES, EVENT_TITLES, SourceLine, column_id
from cityloop.steward.tracing import Lineage, Sources
from cityloop.steward.uses import Use

SAMPLE_ROWS = 20
Quality = Callable[[], Mapping[str, float]]
"""Scores (0–100) by dataset id, as a room beside this one works them out."""
_USERS = ("source", "feed", "code_list", "rule", "metric", "dimension", "tile")
_KINDS = {"double": "number", "int64": "integer", "string": "text", "bool": "flag", "date32[day]": "date"}
_SORTS: Mapping[str, Callable[[DatasetLine], Any]] = {
    "id": lambda line: line.id,
    "title": lambda line: line.title.zh,
    "rows": lambda line: line.rows or 0,
    "size": lambda line: line.bytes or 0,
    "freshness": lambda line: line.fresh_at.timestamp() if line.fresh_at else 0.0,
    "quality": lambda line: -1.0 if line.quality is None else line.quality,
}
_HEADINGS = {
    "id": ("标识", "Id"),
    "kind": ("种类", "Kind"),
    "title": ("名称", "Title"),
    "departments": ("归口部门", "Owners"),
    "sensitivity": ("敏感级别", "Sensitivity"),
    "fresh_at": ("最新观测", "Newest observation"),
    "rows": ("行数", "Rows"),
    "bytes": ("字节", "Bytes"),
    "quality": ("质量得分", "Quality"),
    "tags": ("标签", "Tags"),
}


class Catalogue:
    """Lists and describes datasets. Whose they are is whose feeds fill them; events belong to the centre."""

    def __init__(
        self,
        *,
        door: Door,
        database: Database,
        audit: Audit,
        lake: Lake,
        city: City,
        current: Current,
        collector: Collector,
        model: Model,
        lineage: Lineage,
        sources: Sources,
        quality: Quality,
    ) -> None:
        self._door, self._database, self._audit, self._lake, self._city = door, database, audit, lake, city
        self._current, self._collector, self._model = current, collector, model
        self._lineage, self._sources, self._quality = lineage, sources, quality
        self._facts = Facts(lake)
        self._centre = [department.id for department in city.departments.values() if department.kind == "centre"]
        door.register(Protected("dataset", department="department"))

    def list(self, actor: Actor, wanted: DatasetFilter, paged: Paging) -> Page[DatasetLine]:
        """Datasets in sight; sort by id, title, rows, size, freshness or quality."""
        lines = _sorted([line for line in self._lines(actor) if _matches(line, wanted)], paged.sort)
        page = lines[paged.offset : paged.offset + paged.size]
        return Page(items=page, total=len(lines), page=paged.page, size=paged.size)

    def export(self, actor: Actor, wanted: DatasetFilter, form: ExportFormat) -> Response:
        """The same list as a file, headed in the city's language."""
        chinese = self._city.language == "zh"
        rows = [_flat(line, chinese) for line in self._lines(actor) if _matches(line, wanted)]
        with self._database.transaction() as tx:
            self._audit.record(tx, self._city.clock.now(), actor.id, "dataset.export", "datasets", {"rows": len(rows)})
        columns = [(name, zh if chinese else en) for name, (zh, en) in _HEADINGS.items()]
        return export("datasets", form, columns, rows)

    def get(self, actor: Actor, dataset: str) -> DatasetDetail:
        """One dataset; one out of sight is answered like one that does not exist."""
        line, graph = self._line(actor, dataset), self._lineage.graph()
        node = {"table": "dataset:", "events": "dataset:"}.get(line.kind, "") + dataset
        around = [*graph.all_above(node), *graph.all_below(node)]
        used = [
            Use(kind=n.kind, id=n.id.partition(":")[2], title=n.title, link=n.link) for n in around if n.kind in _USERS
        ]
        columns = list(self._columns(actor, line, graph))
        return DatasetDetail(**dict(line), columns=columns, used_by=used)

    def sample(self, actor: Actor, dataset: str) -> SampleView:
        """The newest rows of a dataset through the door; of a feed or source, the rows it brought."""
        line = self._line(actor, dataset)
        table, feed = self._table_of(line.id)
        if table not in self._lake.tables():
            return SampleView(columns=[], rows=[], scope="")
        scope = self._door.scope(actor, PROTECTED.get(table, "observation"), table)
        test = "feed = $feed" if feed else "true"
        sql = f"""SELECT * FROM "{table}" WHERE {test} AND {scope.tree().sql("duckdb")}
                  ORDER BY received_at DESC, record LIMIT {SAMPLE_ROWS}"""  # noqa: S608 - named by the standard
        found = self._lake.query(sql, [table], {"feed": feed} if feed else {})
        rows = [scope.cover(row) for row in found.to_pylist()]
        self._note(actor, line, scope, found.column_names)
        cells = [[_cell(row[name]) for name in found.column_names] for row in rows]
        return SampleView(columns=found.column_names, rows=cells, scope=scope.reason)

    def rows(self, table: str) -> int:
        """Rows of a table, for who works out what rests on it."""
        return self._facts.of(table).rows

    def _note(self, actor: Actor, line: DatasetLine, scope: Scope, columns: builtins.list[str]) -> None:
        """Sensitive columns that were shown leave an audit line."""
        table, _ = self._table_of(line.id)
        kind = self._current.declared.standard.entity_types.get(table)
        closed = [item.id for item in kind.properties if item.sensitivity == "sensitive"] if kind else []
        shown = [name for name in closed if name in columns and not _hidden(scope, name)]
        if shown:
            with self._database.transaction() as tx:
                now = self._city.clock.now()
                self._audit.record(tx, now, actor.id, "dataset.sample", line.id, {"unmasked": shown})

    def _lines(self, actor: Actor) -> builtins.list[DatasetLine]:
        scope = self._door.scope(actor, "dataset")
        return [line for line in self._all(actor) if scope.lets({"department": line.departments})]

    def _line(self, actor: Actor, dataset: str) -> DatasetLine:
        found = next((line for line in self._lines(actor) if line.id == dataset), None)
        if found is None:
            raise NotFound(f"there is no dataset '{dataset[:60]}' in sight", "GET /api/v1/datasets lists them")
        return found

    def _all(self, actor: Actor) -> Iterator[DatasetLine]:
        declared, scores = self._current.declared, self._quality()
        health = {feed.id: feed for feed in self._collector.feeds(SYSTEM)}
        for kind in declared.standard.entity_types.values():
            yield self._table(actor, kind, health, scores)
        for table in EVENTS:
            yield self._events(actor, table)
        for mapping in declared.feeds:
            yield self._feed(actor, mapping, health[mapping.id], scores)
        for source in self._sources():
            yield self._source(source, health.get(source.feed), scores)

    def _table(
        self, actor: Actor, kind: EntityType, health: Mapping[str, FeedView], scores: Mapping[str, float]
    ) -> DatasetLine:
        feeds = self._current.declared.feeds_of(kind.id)
        series = [mapping.declaration.series for mapping in feeds if mapping.declaration.series]
        return DatasetLine(
            id=kind.id,
            kind="table",
            title=kind.title,
            departments=self._current.declared.owners(kind.id),
            sensitivity=_highest(kind),
            tags=[*([kind.model] if kind.model else []), *dict.fromkeys(series)],
            fresh=all(health[mapping.id].fresh for mapping in feeds) if feeds else None,
            quality=scores.get(kind.id),
            link=f"/data/datasets/{kind.id}",
            **self._size(actor, kind.id),
        )

    def _events(self, actor: Actor, table: str) -> DatasetLine:
        return DatasetLine(
            id=table,
            kind="events",
            title=EVENT_TITLES[table],
            departments=self._centre,
            sensitivity="internal",
            tags=[],
            fresh=None,
            quality=None,
            link=f"/data/datasets/{table}",
            **self._size(actor, table),
        )

    def _size(self, actor: Actor, table: str) -> dict[str, Any]:
        """Freshness for everybody; counts for who may see every row."""
        facts = self._facts.of(table)
        told: dict[str, Any] = {
            "fresh_at": facts.columns.get("observed_at", ColumnFacts()).greatest,
            "received_at": facts.columns.get("received_at", ColumnFacts()).greatest,
        }
        names = ("rows", "bytes", "files", "partitions")
        open_to = self._sees_all(actor, table)
        return told | {name: getattr(facts, name) if open_to else None for name in names}

    def _sees_all(self, actor: Actor, table: str) -> bool:
        try:
            return self._door.posts_scope(actor, PROTECTED.get(table, "observation"), table).whole
        except AccessDenied:
            return False

    def _feed(self, actor: Actor, mapping: FeedMapping, health: FeedView, scores: Mapping[str, float]) -> DatasetLine:
        feed = mapping.declaration
        return DatasetLine(
            id=f"feed:{feed.id}",
            kind="feed",
            title=feed.title,
            departments=[feed.department],
            sensitivity=_highest(mapping.entity_type),
            tags=[mapping.entity_type.id, *([feed.series] if feed.series else [])],
            fresh_at=health.last_observed_at,
            received_at=health.last_received_at,
            fresh=health.fresh,
            rows=health.accepted if self._sees_all(actor, mapping.entity_type.id) else None,
            bytes=None,
            files=None,
            partitions=None,
            quality=scores.get(f"feed:{feed.id}"),
            link=f"/data/datasets/feed:{feed.id}",
        )

    def _source(self, source: SourceLine, health: FeedView | None, scores: Mapping[str, float]) -> DatasetLine:
        mapping = self._current.declared.feed(source.feed)
        return DatasetLine(
            id=f"source:{source.id}",
            kind="source",
            title=source.title,
            departments=[mapping.declaration.department] if mapping else [],
            sensitivity=_highest(mapping.entity_type) if mapping else "internal",
            tags=[source.feed, *([str(wire)] if (wire := getattr(source, "wire", None)) else [])],
            fresh_at=health.last_observed_at if health else None,
            received_at=health.last_received_at if health else None,
            fresh=health.fresh if health else None,
            rows=None,
            bytes=None,
            files=None,
            partitions=None,
            quality=scores.get(f"source:{source.id}"),
            link=f"/data/sources/{source.id}",
        )

    def _table_of(self, dataset: str) -> tuple[str, str | None]:
        """The lake table behind a dataset, and the feed it is narrowed to."""
        kind, _, name = dataset.partition(":")
        if kind == "source" and name:
            name = next((source.feed for source in self._sources() if source.id == name), "")
        mapping = self._current.declared.feed(name) if name else None
        return (mapping.entity_type.id, mapping.id) if mapping else (dataset, None)

    def _columns(self, actor: Actor, line: DatasetLine, graph: Graph) -> Iterator[ColumnView]:
        if line.kind == "feed":
            mapping = self._current.declared.feed(line.id.partition(":")[2])
            for name in mapping.text if mapping else ():
                yield _raw_field(graph, f"field:{mapping.id if mapping else ''}.{name}", name)
        elif line.kind in ("table", "events"):
            yield from self._table_columns(actor, line.id, graph)

    def _table_columns(self, actor: Actor, table: str, graph: Graph) -> Iterator[ColumnView]:
        kind = self._current.declared.standard.entity_types.get(table)
        schema = kind.schema if kind else EVENTS[table]
        facts = self._facts.of(table) if self._sees_all(actor, table) else TableFacts()
        try:
            scope = self._door.posts_scope(actor, PROTECTED.get(table, "observation"), table)
        except AccessDenied:
            scope = None
        for field in schema:
            known = scope is not None and scope.always(field.name)
            yield self._column(table, kind, field, facts if known else TableFacts(), known, graph)

    def _column(
        self, table: str, kind: EntityType | None, field: pa.Field, facts: TableFacts, known: bool, graph: Graph
    ) -> ColumnView:
        item = kind.find(field.name) if kind else None
        told = facts.columns.get(field.name, ColumnFacts())
        return ColumnView(
            id=field.name,
            title=item.title if item else self._base_title(field.name),
            unit=item.symbol if item else "",
            kind=item.kind if item else _KINDS.get(str(field.type), "time"),
            code_list=item.code_list if item else None,
            required=not field.nullable or (item is not None and item.required),
            sensitivity=item.sensitivity if item else "open",
            masked=not known,
            nulls=told.nulls / facts.rows if facts.rows else None,
            min=_cell(told.least),
            max=_cell(told.greatest),
            used_by=_uses(graph, column_id(table, field.name)),
        )

    def _base_title(self, column: str) -> Title:
        """Columns of every table have names of their own; those of events take the names of their dimensions."""
        cut = next((d.title for d in self._model.dimensions.values() if d.column == column), None)
        return BASE_TITLES.get(column) or cut or Title(zh=column, en=column)


def _raw_field(graph: Graph, node: str, name: str) -> ColumnView:
    return ColumnView(
        id=name,
        title=Title(zh=name, en=name),
        unit="",
        kind="text",
        code_list=None,
        required=False,
        sensitivity="open",
        masked=False,
        nulls=None,
        min=None,
        max=None,
        used_by=_uses(graph, node),
    )


def _uses(graph: Graph, node: str) -> list[Use]:
    """What a column comes from (feeds, sources, code lists) and what it goes to (rules, metrics, tiles)."""
    if node not in graph.nodes:
        return []
    around = [*graph.all_above(node), *graph.all_below(node)]
    return [Use(kind=n.kind, id=n.id.partition(":")[2], title=n.title, link=n.link) for n in around if n.kind in _USERS]


def _highest(kind: EntityType) -> Level:
    return max((item.sensitivity for item in kind.properties), key=LEVELS.index)


def _hidden(scope: Scope, column: str) -> bool:
    return not scope.wider and column in scope.masks


def _matches(line: DatasetLine, wanted: DatasetFilter) -> bool:
    names = (line.id, line.title.zh, line.title.en, *line.tags)
    return (
        (wanted.kind is None or line.kind == wanted.kind)
        and (wanted.type is None or line.id == wanted.type or wanted.type in line.tags)
        and (wanted.department is None or wanted.department in line.departments)
        and (wanted.sensitivity is None or line.sensitivity == wanted.sensitivity)
        and (not wanted.text or any(wanted.text.casefold() in name.casefold() for name in names))
    )


def _sorted(lines: list[DatasetLine], sort: str) -> list[DatasetLine]:
    name = sort.removeprefix("-")
    if not name:
        return lines
    if name not in _SORTS:
        raise Invalid(f"datasets cannot be sorted by '{name}'", f"known: {', '.join(_SORTS)}")
    return sorted(lines, key=_SORTS[name], reverse=sort.startswith("-"))


def _flat(line: DatasetLine, chinese: bool) -> dict[str, Any]:
    row = dict(line)
    return row | {
        "title": line.title.zh if chinese else line.title.en,
        "departments": ", ".join(line.departments),
        "tags": ", ".join(line.tags),
    }


def _cell(value: Any) -> Cell:
    return value.isoformat() if isinstance(value, (date, datetime)) else value

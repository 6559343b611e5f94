"""Builds the lineage graph of a city from what its packs declare."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from cityloop.analyse import expression
from cityloop.analyse.model import TIME, Metric, Model
from cityloop.core.values import Title
from cityloop.lake.events import SCHEMAS as EVENTS
from cityloop.standard.declarations import FeedDeclaration
from cityloop.standard.expressions import parse
from cityloop.standard.mapping import FeedMapping
from cityloop.standard.types import EntityType
from cityloop.steward.boards import Board
from cityloop.steward.declared import Declared
from cityloop.steward.graph import Graph, Node
from cityloop.watch.rules import Rule

BASE_TITLES = {
    "entity": Title(zh="对象", en="Entity"),
    "observed_at": Title(zh="观测时间", en="Observed at"),
    "received_at": Title(zh="接收时间", en="Received at"),
    "feed": Title(zh="数据接入", en="Feed"),
    "record": Title(zh="原始记录", en="Record"),
    "area": Title(zh="辖区", en="Area"),
    "date": Title(zh="日期", en="Date"),
    "quality": Title(zh="质量标记", en="Quality flags"),
}
EVENT_TITLES = {
    "ApplicationEvent": Title(zh="秒批事件", en="Events of applications"),
    "CaseEvent": Title(zh="案件事件", en="Case events"),
    "WarningEvent": Title(zh="预警事件", en="Warning events"),
}
_ROOTS = {
    "ApplicationEvent": ("event:application", Title(zh="秒批办理", en="Moves of applications")),
    "CaseEvent": ("event:case", Title(zh="案件流转", en="Moves of cases")),
    "WarningEvent": ("event:warning", Title(zh="预警变化", en="Changes of warnings")),
}


class SourceLine(Protocol):
    """What lineage and catalogue need of a source: the wire by which a feed's records arrive."""

    @property
    def id(self) -> str:
        """Its id."""
        ...

    @property
    def title(self) -> Title:
        """Its name for people."""
        ...

    @property
    def feed(self) -> str:
        """The feed it brings records to."""
        ...


class InspectionLine(Protocol):
    """What lineage needs of a planned inspection: the feeds it examines."""

    @property
    def id(self) -> str:
        """Its id."""
        ...

    @property
    def title(self) -> Title:
        """Its name for people."""
        ...

    @property
    def feeds(self) -> Sequence[str]:
        """The feeds it looks at; none: every feed."""
        ...


def build(
    declared: Declared,
    rules: Sequence[Rule],
    model: Model,
    boards: Sequence[Board],
    sources: Sequence[SourceLine],
    inspections: Sequence[InspectionLine] = (),
) -> Graph:
    """The graph: source → feed → field → column → rule → warning → case, column → metric → tile, code list → column.

    A planned inspection rests on the feeds that it examines.

    Event tables begin the graph anew at ``event:…``: what happens to a case comes from people, not from a column.
    """
    graph = Graph()
    _tables(graph, declared)
    _feeds(graph, declared, sources)
    _rules(graph, rules)
    _metrics(graph, model)
    _boards(graph, boards)
    _inspections(graph, declared, inspections)
    return graph


def column_id(table: str, column: str) -> str:
    """The node of a column."""
    return f"column:{table}.{column}"


def columns_of(metric: Metric, model: Model) -> list[str]:
    """Columns that a metric reads: for its figure, its filter, its time, and the ways it can be cut."""
    texts = [metric.expression, metric.filter or "true"]
    names = [metric.time, *[name for text in texts for name in expression.columns(text)]]
    names += [metric.as_of.key, metric.as_of.order] if metric.as_of else []
    names += [model.dimensions[name].column for name in metric.dimensions if name != TIME]
    return list(dict.fromkeys(names))


def _tables(graph: Graph, declared: Declared) -> None:
    for kind in declared.standard.entity_types.values():
        for column in kind.schema.names:
            _column(graph, kind.id, column, _column_title(kind, column))
        graph.add(Node(id=f"dataset:{kind.id}", kind="dataset", title=kind.title, link=f"/data/datasets/{kind.id}"))
        _into(graph, kind.id, kind.schema.names)
        _code_lists(graph, declared, kind)
        _made(graph, kind)
    for table, schema in EVENTS.items():
        root, title = _ROOTS[table]
        graph.add(Node(id=root, kind="event", title=title))
        for column in schema.names:
            _column(graph, table, column, BASE_TITLES.get(column, Title(zh=column, en=column)))
            graph.link(root, column_id(table, column))
        dataset = Node(id=f"dataset:{table}", kind="dataset", title=EVENT_TITLES[table], link=f"/data/datasets/{table}")
        graph.add(dataset)
        _into(graph, table, schema.names)


def _column(graph: Graph, table: str, column: str, title: Title) -> None:
    link = f"/data/datasets/{table}?column={column}"
    graph.add(Node(id=column_id(table, column), kind="column", title=title, link=link))


def _into(graph: Graph, table: str, columns: Sequence[str]) -> None:
    for column in columns:
        graph.link(column_id(table, column), f"dataset:{table}")


def _column_title(kind: EntityType, column: str) -> Title:
    item = kind.find(column)
    return item.title if item else BASE_TITLES.get(column, Title(zh=column, en=column))


def _code_lists(graph: Graph, declared: Declared, kind: EntityType) -> None:
    for identity, found in declared.standard.code_lists.items():
        link = f"/data/standard/code-lists/{identity}"
        graph.add(Node(id=f"code_list:{identity}", kind="code_list", title=found.title, link=link))
    for item in kind.properties:
        if item.code_list:
            graph.link(f"code_list:{item.code_list}", column_id(kind.id, item.id))


def _made(graph: Graph, kind: EntityType) -> None:
    """Columns that are made of others when a row arrives."""
    for name, sources in kind.made_from.items():
        for source in sources:
            graph.link(column_id(kind.id, source), column_id(kind.id, name))


def _feeds(graph: Graph, declared: Declared, sources: Sequence[SourceLine]) -> None:
    for mapping in declared.feeds:
        feed = mapping.declaration
        link = f"/data/datasets/feed:{feed.id}"
        graph.add(Node(id=f"feed:{feed.id}", kind="feed", title=feed.title, link=link, department=feed.department))
        for name in mapping.text:
            node = Node(
                id=f"field:{feed.id}.{name}", kind="field", title=Title(zh=name, en=name), department=feed.department
            )
            graph.link(f"feed:{feed.id}", graph.add(node))
        _mapped(graph, mapping)
    for source in sources:
        node = Node(id=f"source:{source.id}", kind="source", title=source.title, link=f"/data/sources/{source.id}")
        graph.link(graph.add(node), f"feed:{source.feed}")


def _mapped(graph: Graph, mapping: FeedMapping) -> None:
    feed, table = mapping.declaration, mapping.entity_type.id
    fields = set(mapping.text)
    for column, names in read_by(feed).items():
        known = [name for name in names if name in fields]
        for name in known:
            graph.link(f"field:{feed.id}.{name}", column_id(table, column))
        if not known:
            graph.link(f"feed:{feed.id}", column_id(table, column))
    for column in mapping.entity_type.schema.names:
        node = column_id(table, column)
        if column in BASE_TITLES and not any(above.startswith(f"field:{feed.id}.") for above in graph.above[node]):
            graph.link(f"feed:{feed.id}", node)


def read_by(feed: FeedDeclaration) -> dict[str, list[str]]:
    """The fields that each column of the feed's table is made from, down to the record's own; a constant has none."""
    steps = {name: _names(step) for step in feed.fields for name in step.into}
    position = _names(feed.position)
    place = [value for name, value in feed.entity if name in ("lon_field", "lat_field") and value] + position
    found = {"entity": _names(feed.entity), "observed_at": _names(feed.time)}
    for identity, source in feed.properties.items():
        named = [source.distance.by] if source.distance and source.distance.by else []
        found[identity] = _names(source) + named + (position if source.area or source.distance else [])
    if place:
        found["area"] = place
    return {column: list(dict.fromkeys(_sources(names, steps))) for column, names in found.items()}


_FIELD_KEYS = frozenset({"field", "lon", "lat", "east", "north", "split"})


def _names(value: Any) -> list[str]:
    """Every field that a part of a declaration names."""
    found: list[str] = []
    for key, item in value or ():
        if isinstance(item, str) and (key in _FIELD_KEYS or key.endswith("_field")):
            found += [item] if item else []
        elif isinstance(item, str) and key == "expression":
            found += sorted(parse(item).names)
        elif key == "join":
            found += list(item)
    return found


def _sources(names: Sequence[str], derived: Mapping[str, Sequence[str]], depth: int = 8) -> Iterator[str]:
    for name in names:
        yield name
        if name in derived and depth:
            yield from _sources(derived[name], derived, depth - 1)


def _rules(graph: Graph, rules: Sequence[Rule]) -> None:
    for rule in rules:
        link, about = f"/warnings?rule={rule.id}", {"title": rule.title, "department": rule.department}
        graph.add(Node(id=f"rule:{rule.id}", kind="rule", link=link, **about))
        graph.link(f"rule:{rule.id}", graph.add(Node(id=f"warning:{rule.id}", kind="warning", link=link, **about)))
        if rule.respond == "case":
            case = Node(id=f"case:{rule.id}", kind="case", link=f"/cases?matter={rule.matter}", **about)
            graph.link(f"warning:{rule.id}", graph.add(case))
        for column in rule.columns:
            graph.link(column_id(rule.entity_type, column), f"rule:{rule.id}")
    for rule in rules:
        for condition in rule.conditions:
            graph.link(f"rule:{condition.rule}", f"rule:{rule.id}")


def _metrics(graph: Graph, model: Model) -> None:
    for dimension in model.dimensions.values():
        graph.add(Node(id=f"dimension:{dimension.id}", kind="dimension", title=dimension.title))
    for metric in model.metrics.values():
        node = graph.add(Node(id=f"metric:{metric.id}", kind="metric", title=metric.title, link="/board"))
        for column in columns_of(metric, model):
            graph.link(column_id(metric.table, column), node)
        for name in metric.dimensions:
            if name != TIME:
                graph.link(column_id(metric.table, model.dimensions[name].column), f"dimension:{name}")


def _boards(graph: Graph, boards: Sequence[Board]) -> None:
    for board in boards:
        for tile in board.tiles:
            title = Title(zh=f"{board.title.zh} · {tile.title.zh}", en=f"{board.title.en} · {tile.title.en}")
            node = graph.add(Node(id=f"tile:{board.id}.{tile.id}", kind="tile", title=title, link=board.link))
            for metric in tile.metrics:
                graph.link(f"metric:{metric}", node)


def _inspections(graph: Graph, declared: Declared, inspections: Sequence[InspectionLine]) -> None:
    for plan in inspections:
        node = graph.add(
            Node(id=f"inspection:{plan.id}", kind="inspection", title=plan.title, link="/data/inspections")
        )
        for feed in plan.feeds or [mapping.id for mapping in declared.feeds]:
            graph.link(f"feed:{feed}", node)

"""Explains a change: everything that rests on each changed part, and what would not work any more and why."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from cityloop.analyse.content import check as check_metric
from cityloop.analyse.content import columns_of
from cityloop.analyse.model import Model
from cityloop.core.values import Title
from cityloop.standard.changes import Change
from cityloop.steward.boards import Board
from cityloop.steward.declared import Declared
from cityloop.steward.graph import Graph, Node
from cityloop.steward.lineage import SourceLine
from cityloop.steward.models import GrantRow
from cityloop.steward.overlay import Broken
from cityloop.steward.plans import ChangeView, Dependant, DependantKind
from cityloop.watch.checking import check as check_rule
from cityloop.watch.content import known_of
from cityloop.watch.rules import Rule

_RESTS = Title(zh="依赖此处", en="rests on it")
_LISTED = ("feed", "source", "rule", "metric", "dimension", "tile", "inspection")


@dataclass(frozen=True)
class Surroundings:
    """What a city has beside the standard. ``open_records`` counts open quarantine by feed, ``rows`` stored rows."""

    rules: Sequence[Rule]
    model: Model
    boards: Sequence[Board]
    sources: Sequence[SourceLine]
    grants: Callable[[str], Sequence[GrantRow]]
    open_records: Callable[[str], int]
    rows: Callable[[str], int]


@dataclass(frozen=True)
class Verdicts:
    """Why things break under the new standard, by node id; what is not in it goes on working."""

    why: Mapping[str, Title] = field(default_factory=dict)


def view(change: Change) -> ChangeView:
    """A difference as it crosses the wire."""
    return ChangeView(
        kind=change.part,
        id=change.subject,
        title=_title(change),
        what=change.action,
        keys=[change.key] if change.key else [],
        before=change.before,
        after=change.after,
        breaking=change.breaking,
        reason=change.reason,
    )


def explain(
    changes: Sequence[Change], old: Declared, new: Declared, broken: Sequence[Broken], graph: Graph, world: Surroundings
) -> list[Dependant]:
    """All dependants of the changes, those that break first."""
    verdicts = judge(new, broken, world)
    found: dict[tuple[str, str, str], Dependant] = {}
    for change in changes:
        for dependant in _dependants(change, old, new, verdicts, graph, world):
            key = (dependant.kind, dependant.id, dependant.on)
            if key not in found or dependant.breaks:
                found[key] = dependant
    return sorted(found.values(), key=lambda item: (not item.breaks, item.on, item.kind, item.id))


def judge(new: Declared, broken: Sequence[Broken], world: Surroundings) -> Verdicts:
    """What does not work under the new standard: feeds, sources without a feed, rules, metrics and their tiles."""
    why: dict[str, Title] = {}
    for feed in dict.fromkeys(fault.id for fault in broken):
        why[f"feed:{feed}"] = _same("; ".join(_told(fault) for fault in broken if fault.id == feed))
    feeds = {mapping.id for mapping in new.feeds}
    for source in world.sources:
        if source.feed not in feeds:
            zh, en = f"数据接入 {source.feed} 不再可用", f"its feed '{source.feed}' no longer works"
            why[f"source:{source.id}"] = Title(zh=zh, en=en)
    known = known_of(new.standard)
    for rule in world.rules:
        for key, what, _ in check_rule(rule, known):
            why.setdefault(f"rule:{rule.id}", _same(f"{'.'.join(str(part) for part in key)}: {what}"))
    columns = columns_of(new.standard)
    for metric in world.model.metrics.values():
        for key, what, _ in check_metric(metric, world.model.dimensions, columns):
            why.setdefault(f"metric:{metric.id}", _same(f"{'.'.join(str(part) for part in key)}: {what}"))
    for board in world.boards:
        for tile in board.tiles:
            lost = [name for name in tile.metrics if f"metric:{name}" in why]
            if lost:
                why[f"tile:{board.id}.{tile.id}"] = why[f"metric:{lost[0]}"]
    return Verdicts(why)


def _told(fault: Broken) -> str:
    dotted = ".".join(str(part) for part in fault.key)
    return f"{dotted}: {fault.what}" if dotted else fault.what


def _dependants(
    change: Change, old: Declared, new: Declared, verdicts: Verdicts, graph: Graph, world: Surroundings
) -> Iterator[Dependant]:
    for node in _around(change, old, graph):
        reason = verdicts.why.get(node.id)
        yield Dependant(
            kind=node.kind,
            id=node.id.partition(":")[2],
            title=node.title,
            on=change.subject,
            breaks=reason is not None,
            why=reason or _RESTS,
            link=node.link,
        )
    yield from _stored(change, old, world)
    yield from _granted(change, old, new, world)
    for feed in _feeds_on(change, old):
        count = world.open_records(feed)
        if count:
            title = next(m.declaration.title for m in old.feeds if m.id == feed)
            why = Title(zh="隔离区中待处理的记录会按新标准重放", en="open records are replayed by the new standard")
            link = f"/data/quarantine?feed={feed}"
            yield _dependant("quarantine", feed, title, change, why, count=count, link=link)


def _around(change: Change, old: Declared, graph: Graph) -> Iterator[Node]:
    """Declared things above and below the changed part; a part that is new has none, but for its feeds."""
    seen: dict[str, Node] = {}
    itself = f"feed:{change.subject.partition('.')[0]}" if change.part.startswith("feed") else ""
    for start in _starts(change, old, graph):
        for node in (graph.nodes[start], *graph.all_above(start), *graph.all_below(start)):
            if node.kind in _LISTED and node.id != itself:
                seen[node.id] = node
    yield from seen.values()


def _starts(change: Change, old: Declared, graph: Graph) -> Sequence[str]:
    """The nodes of the changed part."""
    names: list[str] = []
    for affected in change.affects:
        kind, _, identity = affected.partition(":")
        if affected.startswith("code-list:"):
            names.append(f"code_list:{identity}")
        elif affected.startswith("feed:"):
            names.append(f"feed:{identity}")
        elif "." in affected:
            names.append(f"column:{affected}")
            if change.action == "added":
                names += [f"feed:{m.id}" for m in old.feeds_of(affected.partition(".")[0])]
        elif change.part == "entity_type":
            item = old.standard.entity_types.get(kind)
            names += [f"column:{kind}.{column}" for column in (item.schema.names if item else ())]
        elif change.part in ("relation", "check"):
            names += [f"feed:{m.id}" for m in old.feeds_of(kind)]
    return [name for name in dict.fromkeys(names) if name in graph.nodes]


def _feeds_on(change: Change, old: Declared) -> list[str]:
    """Feeds whose records the change reaches."""
    found: list[str] = []
    for mapping in old.feeds:
        kind = mapping.entity_type
        lists = {f"code-list:{item.code_list}" for item in kind.properties if item.code_list}
        filled = {f"{kind.id}.{name}" for name in mapping.declaration.properties}
        if {f"feed:{mapping.id}", kind.id, *lists, *filled} & set(change.affects):
            found.append(mapping.id)
    return found


def _stored(change: Change, old: Declared, world: Surroundings) -> Iterator[Dependant]:
    """Rows in the lake that would be read wrongly: a column keeps its type and its unit for ever."""
    if change.part != "property" or change.key not in ("kind", "unit"):
        return
    table = change.subject.partition(".")[0]
    rows = world.rows(table)
    kind = old.standard.entity_types[table]
    if change.key == "kind" or rows:
        why = Title(
            zh=f"湖中已存的列（{rows} 行）类型与单位不变：请另立属性",
            en=f"the stored column ({rows} rows) keeps its type and unit: give the property a new id",
        )
        link = f"/data/datasets/{table}"
        yield _dependant("dataset", table, kind.title, change, why, breaks=True, count=rows, link=link)


def _granted(change: Change, old: Declared, new: Declared, world: Surroundings) -> Iterator[Dependant]:
    for table in dict.fromkeys(_tables(change, old)):
        kind, owners = new.standard.entity_types.get(table), new.owners(table)
        for row in world.grants(table):
            lost = [name for name in row.fields if kind is None or kind.find(name) is None]
            gone = row.owner not in owners
            field = change.subject.partition(".")[2]
            if not (lost or gone or field in row.fields):
                continue
            zh = "共享的字段不复存在，请先撤销授权" if lost else "归口部门改变，请先撤销授权"
            en = "its fields are gone: revoke it first" if lost else "its owner changes: revoke it first"
            why = Title(zh=zh, en=en) if lost or gone else _RESTS
            title = old.standard.entity_types[table].title if table in old.standard.entity_types else _same(table)
            link = f"/data/grants/{row.id}"
            yield _dependant("grant", row.id, title, change, why, breaks=bool(lost or gone), link=link)


def _tables(change: Change, old: Declared) -> Iterator[str]:
    for affected in change.affects:
        if affected.startswith("feed:"):
            mapping = old.feed(affected.removeprefix("feed:"))
            if mapping is not None:
                yield mapping.entity_type.id
        elif not affected.startswith("code-list:"):
            yield affected.partition(".")[0]


def _dependant(
    kind: DependantKind,
    identity: str,
    title: Title,
    change: Change,
    why: Title,
    *,
    breaks: bool = False,
    count: int | None = None,
    link: str | None = None,
) -> Dependant:
    return Dependant(
        kind=kind, id=identity, title=title, on=change.subject, breaks=breaks, why=why, count=count, link=link
    )


def _title(change: Change) -> Title:
    for value in (change.after, change.before):
        if isinstance(value, dict) and isinstance(value.get("title"), dict):
            return Title(**value["title"])
    return _same(change.subject)


def _same(text: str) -> Title:
    return Title(zh=text, en=text)

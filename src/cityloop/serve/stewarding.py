"""Opens the data steward's room: sharing, lineage, catalogue, and versions of the standard with who is told of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from cityloop.access.audit import Audit
from cityloop.access.door import Door
from cityloop.analyse.service import Analyst
from cityloop.city.service import City
from cityloop.collect.service import Collector
from cityloop.collect.sources.declarations import SourceDeclaration
from cityloop.core.database import Database
from cityloop.core.settings import Settings
from cityloop.core.values import Title
from cityloop.lake.service import Lake
from cityloop.quality.service import Quality
from cityloop.serve.content import Content, declaring
from cityloop.standard.desk import StandardDesk
from cityloop.steward.catalogue import Catalogue
from cityloop.steward.declared import Current
from cityloop.steward.explaining import Surroundings
from cityloop.steward.sharing import Sharing
from cityloop.steward.tracing import Lineage
from cityloop.steward.trying import Trier
from cityloop.steward.versions import Versions
from cityloop.watch.rulebook import InForce
from cityloop.watch.service import Watch


class Rooms(Protocol):
    """What the steward looks at."""

    settings: Settings
    content: Content
    database: Database
    audit: Audit
    door: Door
    lake: Lake
    city: City
    current: Current
    collector: Collector
    analyst: Analyst
    watch: Watch
    quality: Quality
    standard_desk: StandardDesk


def open_steward(
    shared: Mapping[str, Any], rooms: Rooms, names: Callable[[str], Title]
) -> tuple[Sharing, Lineage, Catalogue, Versions]:
    """The four parts, which know each other; ``names`` are those of accounts."""
    sharing = Sharing(
        **shared, city=rooms.city, current=rooms.current, names=names, most_days=rooms.settings.grant_days
    )
    lineage = _lineage(rooms)
    catalogue = Catalogue(
        door=rooms.door,
        database=rooms.database,
        audit=rooms.audit,
        lake=rooms.lake,
        city=rooms.city,
        current=rooms.current,
        collector=rooms.collector,
        model=rooms.content.model,
        lineage=lineage,
        sources=lambda: _sources(rooms.content),
        quality=lambda: _scores(rooms.current, rooms.quality),
    )
    versions = _versions(shared, rooms, names, sharing, lineage, catalogue)
    versions.on_adopted += [
        lambda _: sharing.reload(),
        lambda adopted: rooms.standard_desk.adopt(adopted.standard, adopted.feeds),
    ]
    return sharing, lineage, catalogue, versions


def _lineage(rooms: Rooms) -> Lineage:
    content = rooms.content
    return Lineage(
        door=rooms.door,
        database=rooms.database,
        lake=rooms.lake,
        current=rooms.current,
        rules=InForce(rooms.watch.rulebook),
        model=content.model,
        boards=content.boards,
        sources=lambda: _sources(content),
        inspections=content.quality.plans,
        analyst=rooms.analyst,
        watch=rooms.watch,
    )


def _versions(
    shared: Mapping[str, Any],
    rooms: Rooms,
    names: Callable[[str], Title],
    sharing: Sharing,
    lineage: Lineage,
    catalogue: Catalogue,
) -> Versions:
    content = rooms.content
    trier = Trier(rooms.database, rooms.lake, rooms.collector.known, rooms.collector.world)
    return Versions(
        **shared,
        city=rooms.city,
        folders=declaring(rooms.city),
        current=rooms.current,
        collector=rooms.collector,
        graph=lineage.graph,
        world=Surroundings(
            rules=InForce(rooms.watch.rulebook),
            model=content.model,
            boards=content.boards,
            sources=_sources(content),
            grants=sharing.held,
            open_records=trier.open_records,
            rows=catalogue.rows,
        ),
        trier=trier,
        names=names,
    )


def _sources(content: Content) -> list[SourceDeclaration]:
    return [declared for s in content.sources if isinstance(declared := s.declaration, SourceDeclaration)]


def _scores(current: Current, quality: Quality) -> Mapping[str, float]:
    """Quality by dataset: of each feed, and of each table the mean of its feeds."""
    feeds = {m.id: score for m in current.declared.feeds if (score := quality.score_of(m.id)) is not None}
    found = {f"feed:{feed}": score for feed, score in feeds.items()}
    for kind in current.declared.standard.entity_types:
        scores = [feeds[m.id] for m in current.declared.feeds_of(kind) if m.id in feeds]
        found |= {kind: sum(scores) / len(scores)} if scores else {}
    return found

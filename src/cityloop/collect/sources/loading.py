"""Loading a city's sources: every fault at its file, line and key."""

from __future__ import annotations

import importlib.util
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from cityloop.collect.entrance import RESERVED
from cityloop.collect.sources.declarations import (
    CONNECTIONS,
    Connection,
    DatabaseConnection,
    FilesConnection,
    MqttConnection,
    NatsConnection,
    PullConnection,
    SourceDeclaration,
    SourcesFile,
    StandingDeclaration,
)
from cityloop.core.content import Key, Lines, checked, fault_at, raise_faults, read_yaml
from cityloop.core.errors import ContentError, Fault
from cityloop.core.values import Title
from cityloop.standard.mapping import FeedMapping

FILE = "sources.yaml"
DATA = "data:"
"""Begins a path below the data folder."""
EXTRAS = {"oracledb": "oracle", "pymssql": "mssql"}
Found = tuple[Key, str, str]


@dataclass(frozen=True)
class Source:
    """A source with its connection; relative paths go from ``folder``, the city's, or with ``data:`` from ``data``."""

    declaration: SourceDeclaration | StandingDeclaration
    connection: Connection | None
    folder: Path
    data: Path | None = None

    @property
    def id(self) -> str:
        """The source's id."""
        return self.declaration.id

    @property
    def title(self) -> Title:
        """Its name for people."""
        return self.declaration.title

    @property
    def wire(self) -> str:
        """The kind of its connection."""
        return self.declaration.wire

    @property
    def feed(self) -> str:
        """The feed its records belong to."""
        return self.declaration.feed

    def path(self, name: str) -> Path:
        """A path of the declaration; a relative one goes from the city folder, ``data:…`` from the data folder."""
        below = name.removeprefix(DATA)
        return self.folder / name if below == name else (self.data or self.folder / "data") / below


def load_sources(folder: Path, feeds: Mapping[str, FeedMapping], data: Path | None = None) -> tuple[Source, ...]:
    """Read ``sources.yaml``; without it a city has none. Raises :class:`ContentError` with all faults."""
    path = folder / FILE
    if not path.is_file():
        return ()
    value, lines = read_yaml(path)
    found: dict[str, Source] = {}
    faults: list[Fault] = []
    for index, item in enumerate(checked(path, SourcesFile, value, lines).sources):
        try:
            source = Source(item, _connection(path, lines, index, item), folder, data)
        except ContentError as error:
            faults += error.faults
            continue
        wrong = [*_head_faults(item, found, feeds), *_wire_faults(source, feeds.get(item.feed))]
        faults += [fault_at(path, lines, ("sources", index, *key), what, mend) for key, what, mend in wrong]
        found[item.id] = source
    raise_faults(f"{path}", faults)
    return tuple(found.values())


def _connection(path: Path, lines: Lines, index: int, item: SourceDeclaration) -> Connection:
    model: type[Connection] = CONNECTIONS[item.wire]
    return checked(path, model, item.connection, lines, ("sources", index, "connection"))


def _head_faults(item: SourceDeclaration, others: Collection[str], feeds: Mapping[str, FeedMapping]) -> Iterator[Found]:
    if item.id in others:
        yield ("id",), f"source '{item.id}' is declared twice", "give one of them another id"
    if item.id.startswith(RESERVED):
        what = f"'{item.id}' is an id of what a city has by itself"
        yield ("id",), what, f"do not begin it with {' or '.join(RESERVED)}"
    if item.feed not in feeds:
        yield ("feed",), f"the city has no feed '{item.feed}'", f"known: {', '.join(sorted(feeds)) or 'none'}"


def _wire_faults(source: Source, mapping: FeedMapping | None) -> Iterator[Found]:
    connection = source.connection
    if isinstance(connection, MqttConnection | NatsConnection | PullConnection) and connection.ca:
        if not source.path(connection.ca).is_file():
            yield ("connection", "ca"), f"{source.path(connection.ca)} is missing", "put the authority's file there"
        if connection.url.split(":")[0] in ("mqtt", "nats", "http"):
            yield ("connection", "ca"), f"'{connection.url}' is not encrypted", "write mqtts, tls or https"
    if isinstance(connection, MqttConnection | NatsConnection) and connection.template and mapping:
        key = "topic" if isinstance(connection, MqttConnection) else "subject"
        for name in connection.template.fields:
            if name not in mapping.text:
                known = ", ".join(mapping.text)
                yield ("connection", key), f"feed '{mapping.id}' reads no field '{name}'", f"known: {known}"
    if isinstance(connection, DatabaseConnection):
        module = connection.driver.partition("+")[2]
        if module and importlib.util.find_spec(module) is None:
            mend = f"pip install 'cityloop[{EXTRAS.get(module, module)}]'"
            yield ("connection", "url"), f"the driver {module} is not installed", mend
    if isinstance(connection, FilesConnection) and "/" in connection.pattern:
        yield ("connection", "pattern"), "a pattern names files of the folder, not paths", "write *.csv"

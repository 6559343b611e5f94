"""HTTP pull: JSON from an interface, page by page; optionally only what is new since the last complete pull."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpx

from cityloop.collect.decode import flat
from cityloop.collect.sources.declarations import PullConnection
from cityloop.collect.sources.loading import Source
from cityloop.collect.sources.rows import reading
from cityloop.collect.sources.secrets import resolved
from cityloop.collect.sources.sink import SAMPLE, Read, Sink
from cityloop.collect.sources.trouble import SourceTrouble
from cityloop.core.errors import Invalid
from cityloop.standard.tables import text_of

Links = Mapping[str | None, Mapping[str, str]]
MOST_PAGES = 10_000
MOST_BYTES = 64 * 1024 * 1024
"""Largest answer."""


class PullWire:
    """One interface."""

    def __init__(self, source: Source, connection: PullConnection) -> None:
        self._source = source
        self._connection = connection

    def address(self) -> str:
        """The address, without parameters."""
        return self._connection.url.split("?")[0]

    def run(self, sink: Sink, halt: threading.Event) -> None:
        """Pull all pages; what was seen is kept only when the last page is durable. Raises :class:`SourceTrouble`."""
        newest = since = sink.ledger.position.get("since", self._start())
        for records in self._pages(since):
            if halt.is_set():
                return
            newest = self._newest(records, newest)
            batch = f"source.{self._source.id}"
            sink.settled(sink.send(reading(records), batch=batch, hurry=True).result())
        if newest != since:
            sink.ledger.move({"since": newest})

    def sample(self, sink: Sink) -> Read:
        """The first page that a run would read."""
        since = sink.ledger.position.get("since", self._start())
        return reading(next(self._pages(since), [])[:SAMPLE])

    def _start(self) -> Any:
        return self._connection.since.start if self._connection.since else None

    def _newest(self, records: list[Any], newest: Any) -> Any:
        if self._connection.since is None:
            return newest
        seen = [item.get(self._connection.since.field) for item in records if isinstance(item, dict)]
        values = [value for value in (newest, *seen) if value is not None]
        if len({isinstance(value, str) for value in values}) > 1:
            what = f"'{self._connection.since.field}' is a text here and a number there"
            raise SourceTrouble(what, "choose a field of one kind, and a start of that kind")
        highest = max(values, default=None)
        return float(highest) if isinstance(highest, float) else highest

    def _pages(self, since: Any) -> Iterator[list[Any]]:
        connection, paging = self._connection, self._connection.paging
        query: dict[str, Any] = dict(connection.query)
        if connection.since and since is not None:
            query[connection.since.parameter] = since
        if paging and paging.size_parameter and paging.size:
            query[paging.size_parameter] = paging.size
        number, address, before = paging.first if paging else 0, connection.url, b""
        with self._client() as client:
            for _ in range(MOST_PAGES):
                if paging and paging.kind == "page":
                    query[paging.parameter] = number
                body, links = self._get(client, address, query)
                if body == before and paging:
                    raise SourceTrouble(f"{self.address()} answers every page alike", "check the parameters of paging")
                document = self._document(body)
                records = self._records(document)
                if records:
                    yield records
                number, before = number + 1, body
                following = self._following(document, records, links)
                if following is None:
                    return
                if paging and paging.kind == "cursor":
                    query[paging.parameter] = following
                elif paging and paging.kind == "link":
                    address, query = self._same_origin(address, str(following)), {}
        raise SourceTrouble(
            f"{self.address()} has more than {MOST_PAGES} pages", "ask for larger pages, or use 'since'"
        )

    def _following(self, document: Any, records: list[Any], links: Links) -> Any:
        """What leads to the next page; ``None`` when there is none."""
        paging = self._connection.paging
        if paging is None:
            return None
        if paging.kind == "cursor":
            return _at(document, paging.field or "") or None
        if paging.kind == "link":
            return links.get("next", {}).get("url")
        return None if not records or len(records) < (paging.size or 1) else True

    def _same_origin(self, address: str, following: str) -> str:
        """The next page's address; another server would be given the secret."""
        found = urljoin(address, following)
        if urlsplit(found)[:2] != urlsplit(address)[:2]:
            raise SourceTrouble(f"the next page lies at another server, {urlsplit(found).netloc}", "check its links")
        return found

    def _client(self) -> httpx.Client:
        connection, headers = self._connection, dict(self._connection.headers)
        basic: httpx.BasicAuth | None = None
        if auth := connection.auth:
            if auth.value is not None:
                headers[auth.header] = f"{auth.prefix}{resolved(auth.value)}"
            else:
                basic = httpx.BasicAuth(resolved(auth.user) or "", resolved(auth.password) or "")
        verify: ssl.SSLContext | bool = True
        if connection.ca:
            verify = ssl.create_default_context(cafile=str(self._source.path(connection.ca)))
        return httpx.Client(headers=headers, auth=basic, timeout=connection.timeout_seconds, verify=verify)

    def _get(self, client: httpx.Client, address: str, query: Mapping[str, Any]) -> tuple[bytes, Links]:
        body = bytearray()
        try:
            with client.stream("GET", address, params=query or None) as answer:
                if answer.status_code != httpx.codes.OK:
                    what = f"{self.address()} answers {answer.status_code} {answer.reason_phrase}".strip()
                    raise SourceTrouble(what, "check address, parameters and secret")
                for part in answer.iter_bytes():
                    body += part
                    if len(body) > MOST_BYTES:
                        raise SourceTrouble(f"the answer has more than {MOST_BYTES} bytes", "ask for smaller pages")
                return bytes(body), answer.links
        except httpx.HTTPError as error:
            what = f"{self.address()}: {type(error).__name__} {error}".strip()
            raise SourceTrouble(what, "check address and network") from error

    def _document(self, body: bytes) -> Any:
        try:
            return json.loads(text_of(body)[0], parse_float=_written)
        except (Invalid, ValueError, RecursionError) as error:
            raise SourceTrouble(f"{self.address()} answers no JSON: {error}", "check the address") from error

    def _records(self, document: Any) -> list[Any]:
        found = _at(document, self._connection.records)
        if not isinstance(found, list):
            what = f"the answer of {self.address()} has no array at '{self._connection.records or '(top)'}'"
            known = f"; it has {', '.join(document)}" if isinstance(document, dict) else ""
            raise SourceTrouble(what + known, "correct 'records'")
        return [flat(item) for item in found]


class _Number(float):
    """A number that remembers how it was written."""

    text: str

    def __str__(self) -> str:
        return self.text

    __repr__ = __str__


def _written(text: str) -> _Number:
    number = _Number(text)
    number.text = text
    return number


def _at(document: Any, path: str) -> Any:
    """What stands at a dotted path; ``None`` when nothing does."""
    for name in filter(None, path.split(".")):
        document = document.get(name) if isinstance(document, dict) else None
    return document

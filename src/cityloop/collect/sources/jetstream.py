"""NATS JetStream, exactly once: the lake's commit carries the number of the last message that is in it.

On every start the consumer is made anew behind the lake's number, so what was acknowledged, or delivered and not
committed, does not matter: one acknowledgement speaks for a whole batch, and is there for whoever watches the stream
and for streams that keep messages until their consumers have them. A batch is refused when the lake does not hold the
one before it, and a gap between messages of the consumer ends the attempt. Quarantine is written before the commit, at
places that follow from the numbers.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import threading
from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import nats
import uvloop
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error
from nats.errors import TimeoutError as NatsTimeout
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy, StreamInfo
from nats.js.errors import NotFoundError

from cityloop.collect.committer import MOST_ROWS
from cityloop.collect.schemas import Receipt
from cityloop.collect.sources.declarations import NatsConnection
from cityloop.collect.sources.loading import Source
from cityloop.collect.sources.messages import Message, decode_messages
from cityloop.collect.sources.secrets import resolved
from cityloop.collect.sources.sink import SAMPLE, SAMPLE_SECONDS, Read, Sink
from cityloop.collect.sources.trouble import SourceTrouble

FETCH_SECONDS = 0.2
FEWEST, MOST = 50, 4000
"""Messages fetched at once; within these the number follows from how many records a message holds."""
UNDER_WAY = 3
"""Batches that may be on their way to the lake at once."""


@dataclass
class _Batch:
    """Messages on their way to the lake."""

    messages: Sequence[Msg]
    done: Future[Receipt]


class JetStreamWire:
    """One consumer of one stream."""

    def __init__(self, source: Source, connection: NatsConnection) -> None:
        self._source = source
        self._connection = connection
        self._template = connection.template

    def address(self) -> str:
        """Server, stream and subject."""
        return f"{self._connection.url} {self._connection.stream} {self._connection.subject or ''}".strip()

    def run(self, sink: Sink, halt: threading.Event) -> None:
        """Listen until ``halt``; raises :class:`SourceTrouble` when the server is lost or the stream has a gap."""
        self._guarded(self._listen(sink, halt))

    def sample(self, sink: Sink) -> Read:
        """Look at messages behind the lake's number by a consumer that is forgotten."""
        found: list[Msg] = []
        self._guarded(self._look(sink, found))
        numbered = self._messages(found)
        return lambda mapping: decode_messages(numbered, mapping)

    def _guarded(self, work: Any) -> None:
        # A refused TLS connection may still be closing when uvloop's loop ends: its EBUSY would hide the reason.
        run = asyncio.run if self._connection.secure else uvloop.run
        try:
            run(work)
        except NotFoundError as error:
            raise SourceTrouble(
                f"there is no stream '{self._connection.stream}'", "create it, or correct it"
            ) from error
        except (Error, OSError, TimeoutError) as error:
            what = f"{self._connection.url}: {type(error).__name__} {error}".strip()
            raise SourceTrouble(what, "check address, account and stream") from error

    async def _listen(self, sink: Sink, halt: threading.Event) -> None:
        client = await self._connect()
        try:
            stream = client.jetstream(timeout=10)
            info = await stream.stream_info(self._connection.stream)
            writer = self._writer(info)
            last = sink.taken_up_to(writer)
            _within(info, last)
            await _Reading(self, sink, writer, last).run(client, stream, halt)
        finally:
            await client.close()

    async def _look(self, sink: Sink, found: list[Msg]) -> None:
        client = await self._connect()
        try:
            stream = client.jetstream(timeout=10)
            info = await stream.stream_info(self._connection.stream)
            last = min(sink.taken_up_to(self._writer(info)), max(0, info.state.last_seq - SAMPLE))
            pull = await self.consumer(stream, last + 1, None)
            found += await pull.fetch(SAMPLE, timeout=min(SAMPLE_SECONDS, 1.0))
        except NatsTimeout:
            pass
        finally:
            await client.close()

    async def _connect(self) -> Client:
        connection = self._connection
        given: dict[str, Any] = {
            "user": resolved(connection.user),
            "password": resolved(connection.password),
            "token": resolved(connection.token),
        }
        if connection.secure:
            authority = str(self._source.path(connection.ca)) if connection.ca else None
            given |= {
                "tls": ssl.create_default_context(cafile=authority),
                "tls_hostname": urlsplit(connection.url).hostname,
            }
        return await nats.connect(
            connection.url,
            name=f"cityloop-{self._source.id}",
            allow_reconnect=False,
            connect_timeout=5,
            max_reconnect_attempts=0,
            error_cb=_ignored,
            **{name: value for name, value in given.items() if value is not None},
        )

    async def consumer(self, stream: JetStreamContext, start: int, durable: str | None) -> Any:
        """A new consumer that delivers from message ``start`` on; one of that name that exists is removed."""
        connection = self._connection
        if durable:
            with contextlib.suppress(NotFoundError):
                await stream.delete_consumer(connection.stream, durable)
        config = ConsumerConfig(
            deliver_policy=DeliverPolicy.BY_START_SEQUENCE,
            opt_start_seq=start,
            ack_policy=AckPolicy.ALL,
            ack_wait=300,
            max_ack_pending=MOST * (UNDER_WAY + 2),
            inactive_threshold=None if durable else 30,
        )
        subject = self._template.filter if self._template else ""
        return await stream.pull_subscribe(subject, durable=durable, stream=connection.stream, config=config)

    def durable(self) -> str:
        """The consumer's name on the server."""
        return f"cityloop-{self._source.id}"

    def read(self, messages: Sequence[Msg]) -> Read:
        """How the messages become records."""
        numbered = self._messages(messages)
        return lambda mapping: decode_messages(numbered, mapping)

    def _messages(self, messages: Sequence[Msg]) -> list[Message]:
        told = self._template
        return [Message(m.metadata.sequence.stream, m.data, told.match(m.subject) if told else {}) for m in messages]

    def _writer(self, info: StreamInfo) -> str:
        """The name under which the lake keeps the number: a stream that was made anew counts from 1 again."""
        made = info.created if isinstance(info.created, datetime) else datetime.fromtimestamp(0, UTC)
        return f"source:{self._source.id}:{int(made.timestamp()):x}"


class _Reading:
    """One attempt: messages in, batches to the lake, acknowledgements back."""

    def __init__(self, wire: JetStreamWire, sink: Sink, writer: str, last: int) -> None:
        self._wire = wire
        self._sink = sink
        self._writer = writer
        self._last = last
        self._delivered = 0
        self._most = 200
        self._under_way: deque[_Batch] = deque()

    async def run(self, client: Client, stream: JetStreamContext, halt: threading.Event) -> None:
        """Go on until ``halt``; whatever is under way is settled before the end."""
        pull = await self._wire.consumer(stream, self._last + 1, self._wire.durable())
        self._sink.waiting = (await pull.consumer_info()).num_pending or 0
        self._sink.connected = True
        ahead = asyncio.create_task(_fetched(pull, self._most))
        try:
            while not halt.is_set():
                if not client.is_connected:
                    raise SourceTrouble("the connection to the stream was lost", "it is tried again")
                messages = await ahead
                ahead = asyncio.create_task(_fetched(pull, self._most))
                if messages and not halt.is_set():
                    await self._send(messages)
                await self._settle(UNDER_WAY - 1 if messages else 0)
        finally:
            ahead.cancel()
            await asyncio.wait([ahead])
            while self._under_way:
                batch = self._under_way.popleft()
                await asyncio.wait([asyncio.wrap_future(batch.done)])
                if not batch.done.exception():
                    self._sink.settled(batch.done.result())

    async def _send(self, messages: Sequence[Msg]) -> None:
        self._hold_together(messages)
        last = messages[-1].metadata.sequence.stream
        done = await asyncio.to_thread(
            self._sink.send,
            self._wire.read(messages),
            batch=self._writer.removeprefix("source:").replace(":", "."),
            txn=(self._writer, last),
            after=self._last,
        )
        self._under_way.append(_Batch(messages, done))
        self._last = last
        self._sink.waiting = messages[-1].metadata.num_pending

    def _hold_together(self, messages: Sequence[Msg]) -> None:
        """Raise :class:`SourceTrouble` unless the messages follow on those before, each delivered once."""
        for message in messages:
            found = message.metadata
            self._delivered += 1
            if found.sequence.consumer != self._delivered or found.num_delivered != 1:
                what = f"delivery {found.sequence.consumer} came where {self._delivered} was expected"
                raise SourceTrouble(what, "the consumer is made anew behind the lake's number")

    async def _settle(self, left: int) -> None:
        """Wait until at most ``left`` batches are under way; acknowledge those that are durable."""
        while len(self._under_way) > left or (self._under_way and self._under_way[0].done.done()):
            batch = self._under_way[0]
            receipt = await asyncio.wrap_future(batch.done)
            self._under_way.popleft()
            await batch.messages[-1].ack()
            self._sink.settled(receipt)
            per_message = max(1.0, receipt.received / len(batch.messages))
            self._most = int(max(FEWEST, min(MOST, MOST_ROWS / per_message)))


async def _fetched(pull: Any, most: int) -> list[Msg]:
    try:
        found: list[Msg] = await pull.fetch(most, timeout=FETCH_SECONDS)
    except (NatsTimeout, TimeoutError):
        return []
    return found


async def _ignored(_error: Exception) -> None:
    """Errors of the connection show up where it is used."""


def _within(info: StreamInfo, last: int) -> None:
    if info.state.last_seq < last:
        what = f"the stream ends at message {info.state.last_seq}, the lake already holds {last}"
        raise SourceTrouble(what, "it was put back to an older state; put it back to a newer one, or make it anew")

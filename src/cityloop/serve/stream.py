"""The live stream: server-sent events, one encoded frame for each event, rights applied before the queue."""

from __future__ import annotations

import asyncio
import json
import logging
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from cityloop.access.actor import Actor
from cityloop.access.door import Door, Scope
from cityloop.core.errors import AccessDenied
from cityloop.core.outbox import Event, Outbox

log = logging.getLogger(__name__)

QUEUE_SIZE = 500
HEARTBEAT_SECONDS = 15.0
LINGER_SECONDS = 0.0005
"""For each open stream so long is waited between two sendings: many who look on get several events in one piece."""
PULSE_SECONDS = 1.0
"""The least between two pulses; with many streams it is ten times the wait between sendings."""
KINDS = {
    "cityloop.warning.": ("warning", "warning"),
    "cityloop.case.": ("case", "case"),
    "cityloop.command.": ("command", "command"),
    "cityloop.run.": ("run", "run"),
    "cityloop.task.": ("task", "run_task"),
}
"""Outbox type prefix → (name of the frame and key of its row, entity at the door)."""


@dataclass(eq=False)
class Client:
    """One open stream: whose it is, what it may see, and what waits to be sent."""

    loop: asyncio.AbstractEventLoop
    scopes: Mapping[str, Scope]
    queue: asyncio.Queue[bytes] = field(default_factory=lambda: asyncio.Queue(QUEUE_SIZE))

    @cached_property
    def key(self) -> str:
        """Clients with equal keys get equal frames."""
        return "|".join(scope.key for scope in self.scopes.values())

    def put(self, frames: bytes) -> None:
        """Queue frames, in the thread of its loop; a full queue is emptied and the client told to fetch anew."""
        if self.queue.full():
            while not self.queue.empty():
                self.queue.get_nowait()
            frames = _frame("reset", {})
        self.queue.put_nowait(frames)


def _offer(sent: Iterable[tuple[Client, bytes]]) -> None:
    """Queue frames from any thread; every loop is woken once for all of its clients."""
    loops: dict[asyncio.AbstractEventLoop, list[tuple[Client, bytes]]] = {}
    for client, frames in sent:
        loops.setdefault(client.loop, []).append((client, frames))
    for loop, waiting in loops.items():
        loop.call_soon_threadsafe(_put, waiting)


def _put(waiting: Sequence[tuple[Client, bytes]]) -> None:
    for client, frames in waiting:
        client.put(frames)


class Stream:
    """Reads the outbox once and hands each event to every client whose scope lets it through."""

    def __init__(self, outbox: Outbox, door: Door, pulse: Callable[[], Mapping[str, Any]]) -> None:
        self._outbox = outbox
        self._door = door
        self._pulse = pulse
        self._waker = outbox.waker()
        self._clients: set[Client] = set()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._last = 0
        self._pulses: dict[str, bytes] = {}
        self._beaten = self._sent = 0.0

    @property
    def clients(self) -> int:
        """Open streams."""
        return len(self._clients)

    def start(self) -> None:
        """Begin at the newest event."""
        self._last = self._outbox.last()
        self._thread = threading.Thread(target=self._run, name="stream", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the reader and every open stream."""
        self._stop.set()
        self._waker.set()
        if self._thread:
            self._thread.join(timeout=10)
        _offer((client, b"") for client in list(self._clients))

    async def subscribe(self, actor: Actor, last_seen: int | None) -> AsyncIterator[bytes]:
        """Frames for one actor; with ``last_seen`` the missed events come first (or ``reset`` when there are many)."""
        client = Client(asyncio.get_running_loop(), self._scopes(actor))
        self._clients.add(client)
        try:
            yield b": connected\n\n" + b"".join([*self._missed(client, last_seen), *self._pulses.values()])
            while not self._stop.is_set():
                yield await client.queue.get()
        finally:
            self._clients.discard(client)

    def _scopes(self, actor: Actor) -> dict[str, Scope]:
        scopes = {}
        for _, entity in KINDS.values():
            try:
                scopes[entity] = self._door.scope(actor, entity)
            except AccessDenied:
                continue
        return scopes

    def _missed(self, client: Client, last_seen: int | None) -> list[bytes]:
        if last_seen is None or last_seen >= self._last:
            return []
        events = self._outbox.after(last_seen, QUEUE_SIZE)
        if len(events) == QUEUE_SIZE:
            return [_frame("reset", {}, self._last)]
        return [frame for event in events for frame in _visible(event, client.scopes)]

    def _run(self) -> None:
        while not self._stop.is_set():
            self._waker.wait(timeout=1.0)
            self._waker.clear()
            try:
                self._forward()
                self._beat()
            except Exception:
                log.exception("the live stream skipped a beat")
                self._stop.wait(1.0)
            self._stop.wait(self._linger)

    @property
    def _linger(self) -> float:
        return LINGER_SECONDS * len(self._clients)

    def _forward(self) -> None:
        while events := self._outbox.after(self._last, QUEUE_SIZE):
            _offer(self._frames(events))
            self._last = events[-1].seq

    def _frames(self, events: Sequence[Event]) -> Iterable[tuple[Client, bytes]]:
        """What goes to whom; it is written once, and in one piece, for all who see the same of it."""
        written: dict[str, bytes] = {}
        for client in list(self._clients):
            if client.key not in written:
                written[client.key] = b"".join(frame for event in events for frame in _visible(event, client.scopes))
            if frames := written[client.key]:
                yield client, frames

    def _beat(self) -> None:
        """The pulse where it changed; after a long silence a comment, which keeps connections open."""
        now = time.monotonic()
        if now - self._beaten < max(PULSE_SECONDS, 10 * self._linger):
            return
        self._beaten = now
        changed = b"".join([self._new(name, value) for name, value in self._pulse().items()])
        if changed or now - self._sent > HEARTBEAT_SECONDS:
            self._sent = now
            _offer((client, changed or b": beat\n\n") for client in list(self._clients))

    def _new(self, name: str, value: Mapping[str, Any]) -> bytes:
        frame = _frame(name, value)
        if self._pulses.get(name) == frame:
            return b""
        self._pulses[name] = frame
        return frame


def _visible(event: Event, scopes: Mapping[str, Scope]) -> list[bytes]:
    for prefix, (name, entity) in KINDS.items():
        row = event.data.get(name) if event.type.startswith(prefix) else None
        if row is not None and entity in scopes and scopes[entity].lets(row):
            return [_frame(name, {**scopes[entity].cover(row), "event": event.type}, event.seq)]
    return []


def _frame(name: str, data: Mapping[str, Any], seq: int | None = None) -> bytes:
    identity = f"id: {seq}\n" if seq is not None else ""
    return f"{identity}event: {name}\ndata: {json.dumps(data, ensure_ascii=False, separators=(',', ':'))}\n\n".encode()

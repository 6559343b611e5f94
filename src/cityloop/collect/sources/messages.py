"""Messages of a broker or stream → one batch: each holds one JSON object, or an array of them.

A message that is neither is set aside whole. Fields that its topic tells are laid over its records: a broker's rights
are given by topic, so a device cannot speak for another.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain

import polars as pl
from polars.exceptions import SchemaError

from cityloop.collect.decode import Decoded, decode
from cityloop.collect.phrases import PHRASES
from cityloop.core.errors import Invalid
from cityloop.core.phrases import Saying
from cityloop.standard.checks import Refusal
from cityloop.standard.mapping import FeedMapping

PER_MESSAGE = 100_000
"""Positions that each message has for its records; a message with more is refused."""
_BLANKS = b" \t\r\n"


@dataclass(frozen=True)
class Message:
    """One message: its number among its like, its payload, and what its topic tells."""

    number: int
    body: bytes
    fields: Mapping[str, str] = field(default_factory=dict)

    @property
    def start(self) -> int:
        """Position of its first record."""
        return self.number * PER_MESSAGE

    @property
    def opening(self) -> bytes:
        """First sign that is no blank."""
        return self.body.lstrip(_BLANKS)[:1]

    def text(self) -> str:
        """The payload as text, whatever it is."""
        return self.body.decode("utf-8", "replace")


def decode_messages(messages: Sequence[Message], mapping: FeedMapping) -> Decoded:
    """Read messages into one batch; positions are those of the messages, in their order."""
    try:
        parts = _parts(messages, mapping, as_text=False)
        frame = _together(parts, mapping)
    except SchemaError:
        # Some messages hold numbers where others hold texts.
        parts = _parts(messages, mapping, as_text=True)
        frame = _together(parts, mapping)
    positions = list(chain.from_iterable(part.positions for part in parts))
    by_number = {message.number: message for message in messages}

    def raws(wanted: Sequence[int]) -> Mapping[int, str]:
        return {position: _raw(by_number[position // PER_MESSAGE], position % PER_MESSAGE) for position in wanted}

    return Decoded(frame, positions, [refusal for part in parts for refusal in part.refusals], raws)


def _together(parts: Sequence[Decoded], mapping: FeedMapping) -> pl.DataFrame:
    filled = [part.frame for part in parts if part.frame.height]
    return pl.concat(filled, rechunk=True) if filled else pl.DataFrame(schema=mapping.text)


def _parts(messages: Sequence[Message], mapping: FeedMapping, *, as_text: bool) -> list[Decoded]:
    objects = [message for message in messages if message.opening == b"{"]
    parts = [_objects(objects, mapping, as_text)] if objects else []
    return parts + [_other(message, mapping, as_text) for message in messages if message.opening != b"{"]


def _objects(messages: Sequence[Message], mapping: FeedMapping, as_text: bool) -> Decoded:
    """Objects are read together, a line each: line breaks between their parts mean nothing in JSON."""
    lines = b"\n".join(message.body.replace(b"\n", b" ").replace(b"\r", b" ") for message in messages)
    found = decode(lines, "application/x-ndjson", mapping, as_text=as_text)
    at = [message.start for message in messages]
    refusals = [_moved(refusal, at[refusal.index]) for refusal in found.refusals]
    told = [messages[index].fields for index in found.positions]
    frame = _told(found.frame, told) if any(told) else found.frame
    return Decoded(frame, [at[index] for index in found.positions], refusals, found.raws)


def _other(message: Message, mapping: FeedMapping, as_text: bool) -> Decoded:
    """An array, or something that is no record."""
    try:
        found = decode(message.body, "application/json", mapping, as_text=as_text)
    except Invalid as error:
        return _nothing(message, mapping, PHRASES.say("unread-message", error=error.detail))
    if found.received > PER_MESSAGE:
        many = PHRASES.say("many-records", count=found.received, most=PER_MESSAGE)
        return _nothing(message, mapping, many)
    start = message.start
    positions = _shifted(found.positions, start)
    refusals = [_moved(refusal, start + refusal.index) for refusal in found.refusals]
    frame = _told(found.frame, [message.fields] * found.frame.height) if message.fields else found.frame
    return Decoded(frame, positions, refusals, found.raws)


def _nothing(message: Message, mapping: FeedMapping, reason: Saying) -> Decoded:
    refusal = Refusal(message.start, "", "malformed", reason)
    return Decoded(pl.DataFrame(schema=mapping.text), [], [refusal], lambda wanted: {})


def _shifted(positions: Sequence[int], start: int) -> Sequence[int]:
    if isinstance(positions, range):
        return range(start + positions.start, start + positions.stop)
    return [start + position for position in positions]


def _moved(refusal: Refusal, position: int) -> Refusal:
    return replace(refusal, index=position)


def _told(frame: pl.DataFrame, told: Sequence[Mapping[str, str]]) -> pl.DataFrame:
    names = [name for name in (told[0] if told else ()) if name in frame.columns]
    return frame.with_columns(pl.Series(name, [fields.get(name) for fields in told], dtype=pl.String) for name in names)


def _raw(message: Message, index: int) -> str:
    """The record as it was sent; fields of the topic are written into it, so that it can be sent again by itself."""
    try:
        item = json.loads(message.body)
        item = item[index] if isinstance(item, list) else item
    except (ValueError, IndexError, RecursionError):
        return message.text()
    if not isinstance(item, dict):
        return message.text() if not isinstance(json.loads(message.body), list) else json.dumps(item)
    if not message.fields and message.opening == b"{":
        return message.text()
    return json.dumps({**item, **message.fields}, ensure_ascii=False)

"""Bytes of a push → raw columns of its feed; what is no JSON record is set aside with its text and reason.

The quick way reads the whole body into typed columns. When a body does not fit them, it is read as text, and at last
record by record, so that one bad record never takes the good ones along.
"""

from __future__ import annotations

import functools
import io
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import polars as pl
from polars.exceptions import PolarsError

from cityloop.collect.phrases import PHRASES
from cityloop.core.errors import Invalid
from cityloop.standard.checks import Refusal
from cityloop.standard.mapping import FeedMapping
from cityloop.standard.tables import RawTable, TableOptions, read_table

JSON_TYPES = frozenset({"application/json"})
LINE_TYPES = frozenset({"application/x-ndjson", "application/ndjson", "application/jsonl"})
TABLE_TYPES = frozenset({"text/csv"})
_BLANKS = b" \t\r\n"


@dataclass(frozen=True)
class Decoded:
    """Raw columns of the readable records, their positions in what was sent, and the unreadable ones."""

    frame: pl.DataFrame
    positions: Sequence[int]
    refusals: Sequence[Refusal]
    raws: Callable[[Sequence[int]], Mapping[int, str]]
    """The texts of records by position, exactly as sent; worked out only when somebody asks."""

    @property
    def received(self) -> int:
        """Records sent."""
        return self.frame.height + len(self.refusals)


def decode(body: bytes, content_type: str, mapping: FeedMapping, *, as_text: bool = False) -> Decoded:
    """Read a push; with ``as_text`` numbers stay texts as well.

    Raises :class:`Invalid`, with the place, when it is no JSON array, NDJSON or CSV with a heading.
    """
    if content_type in LINE_TYPES:
        return _lines(body, mapping, as_text)
    if content_type in TABLE_TYPES:
        return decode_table(read_table("body.csv", body, TableOptions(format="csv")), mapping)
    if content_type not in JSON_TYPES:
        known = ", ".join(sorted(JSON_TYPES | LINE_TYPES | TABLE_TYPES))
        raise Invalid(f"records cannot be read from '{content_type}'", f"set Content-Type to one of {known}")
    start = body.lstrip(_BLANKS)[:1]
    if start == b"{":
        mend = "put it into an array: [{…}], or send one object a line as application/x-ndjson"
        raise Invalid("the body is one JSON object, not an array of records", mend)
    return _array(body, mapping, as_text)


def decode_table(table: RawTable, mapping: FeedMapping, start: int = 0, end: int | None = None) -> Decoded:
    """Rows ``start`` to ``end`` of a table. Raises :class:`Invalid` when no heading is one that the feed reads."""
    heading = table.frame.columns
    if not set(heading) & set(mapping.text):
        what = f"no column of the table is one that feed '{mapping.id}' reads; found: {', '.join(heading)}"
        raise Invalid(what, f"expected some of {', '.join(mapping.text)}")
    rows = table.frame.slice(start, None if end is None else end - start)

    def raws(wanted: Sequence[int]) -> Mapping[int, str]:
        return {n: json.dumps(table.frame.row(n, named=True), ensure_ascii=False) for n in wanted}

    return Decoded(mapping.fit(rows), range(start, start + rows.height), (), raws)


def decode_records(items: Sequence[Any], mapping: FeedMapping, positions: Sequence[int]) -> Decoded:
    """Records as plain values, each with its lasting position."""
    frame, kept, refusals = _slow(zip(positions, items, strict=True), mapping)
    at = dict(zip(positions, items, strict=True))

    def raws(wanted: Sequence[int]) -> Mapping[int, str]:
        return {position: json.dumps(at[position], ensure_ascii=False, default=str) for position in wanted}

    return Decoded(frame, kept, refusals, raws)


def flat(record: Any) -> Any:
    """Inner objects as dotted names: ``{"place": {"lon": 1}}`` → ``{"place.lon": 1}``; anything else as it is."""
    return dict(_flat(record, "")) if isinstance(record, dict) else record


def _flat(record: Mapping[str, Any], before: str) -> Iterator[tuple[str, Any]]:
    for name, value in record.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{before}{name}.")
        else:
            yield f"{before}{name}", value


@functools.cache
def _inner(names: frozenset[str]) -> tuple[tuple[bytes, re.Pattern[bytes]], ...]:
    """Keys of inner objects that the dotted ``names`` read, each with what finds such an object."""
    heads = [b'"' + head.encode() + b'"' for head in sorted({name.split(".")[0] for name in names if "." in name})]
    return tuple((head, re.compile(re.escape(head) + rb"\s*:\s*\{")) for head in heads)


def decode_kept(records: Mapping[int, tuple[str, Mapping[str, Any]]], mapping: FeedMapping) -> Decoded:
    """Single records by position: each one's text, and fields to lay over it. Fields alone make a record too."""
    frame, positions, refusals = _slow(_laid_over(records), mapping)
    return Decoded(frame, positions, refusals, lambda wanted: {position: records[position][0] for position in wanted})


def _array(body: bytes, mapping: FeedMapping, as_text: bool) -> Decoded:
    frame = _quick(body, mapping, pl.read_json, as_text)
    if frame is not None:
        return Decoded(frame, range(frame.height), (), lambda wanted: _array_texts(body.decode(), wanted))
    text = _text(body)
    items = _whole(text)
    frame, positions, refusals = _slow(enumerate(items), mapping)
    return Decoded(frame, positions, refusals, lambda wanted: _array_texts(text, wanted))


def _lines(body: bytes, mapping: FeedMapping, as_text: bool) -> Decoded:
    def texts(wanted: Sequence[int]) -> Mapping[int, str]:
        lines = _filled(body)
        return {position: lines[position].decode("utf-8", "replace") for position in wanted}

    if not body.strip(_BLANKS):
        raise Invalid("the body is empty", "send one JSON object a line")
    frame = _quick(body, mapping, pl.read_ndjson, as_text)
    if frame is not None and frame.height == len(_filled(body)):
        return Decoded(frame, range(frame.height), (), texts)
    frame, positions, refusals = _slow(_each(_filled(body)), mapping)
    return Decoded(frame, positions, refusals, texts)


def _quick(body: bytes, mapping: FeedMapping, read: Callable[..., pl.DataFrame], as_text: bool) -> pl.DataFrame | None:
    if any(head in body and found.search(body) for head, found in _inner(frozenset(mapping.text))):
        return None
    # A JSON true would slip into a number column as 1.0: such bodies are read as text, where the mapping refuses it.
    shapes = [mapping.text] if as_text or b"true" in body or b"false" in body else [mapping.typed, mapping.text]
    for shape in shapes:
        try:
            return read(io.BytesIO(body), schema=shape)
        except PolarsError:
            continue
    return None


def _slow(items: Iterator[tuple[int, Any]], mapping: FeedMapping) -> tuple[pl.DataFrame, list[int], list[Refusal]]:
    rows: list[dict[str, str | None]] = []
    positions: list[int] = []
    refusals: list[Refusal] = []
    for position, item in items:
        if isinstance(item, Refusal):
            refusals.append(item)
        elif not isinstance(item, dict):
            refusals.append(Refusal(position, "", "malformed", PHRASES.say("no-object")))
        elif nested := [name for name in mapping.text if isinstance((item := flat(item)).get(name), list)]:
            refusals.append(Refusal(position, nested[0], "kind", PHRASES.say("list", field=nested[0])))
        else:
            rows.append({name: _plain(item.get(name)) for name in mapping.text})
            positions.append(position)
    return pl.DataFrame(rows, schema=mapping.text), positions, refusals


def _laid_over(records: Mapping[int, tuple[str, Mapping[str, Any]]]) -> Iterator[tuple[int, Any]]:
    for position, (text, fields) in records.items():
        _, item = next(_each([text.encode()]))
        if fields:
            yield position, {**(item if isinstance(item, dict) else {}), **fields}
        elif isinstance(item, Refusal):
            yield position, replace(item, index=position)
        else:
            yield position, item


def _each(lines: Sequence[bytes]) -> Iterator[tuple[int, Any]]:
    for position, line in enumerate(lines):
        try:
            yield position, _loads(line.decode())
        except UnicodeDecodeError:
            yield position, Refusal(position, "", "malformed", PHRASES.say("no-utf8"))
        except json.JSONDecodeError as error:
            said = PHRASES.say("no-json", error=error.msg, at=error.pos + 1)
            yield position, Refusal(position, "", "malformed", said)
        except (ValueError, RecursionError):
            yield position, Refusal(position, "", "malformed", PHRASES.say("too-deep"))


def _whole(text: str) -> list[Any]:
    try:
        items = _loads(text)
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno} (character {error.pos + 1})"
        what = "the body is empty" if not text.strip() else f"the body is not JSON: {error.msg} at {where}"
        raise Invalid(what, "send a JSON array of objects, or NDJSON as application/x-ndjson") from error
    except (ValueError, RecursionError) as error:
        raise Invalid("the body is nested too deeply or holds an endless number", "send flat records") from error
    if not isinstance(items, list):
        raise Invalid("the body is not a JSON array of records", "send [{…}, {…}]")
    return items


def _loads(text: str) -> Any:
    """JSON with numbers as they were written, so that every digit is kept; the first of equal keys counts."""
    return json.loads(text, parse_float=str, parse_int=str, parse_constant=str, object_pairs_hook=_first)


def _first(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    return dict(reversed(pairs))


def _plain(value: Any) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return value if value is None else str(value)


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Invalid(f"the body is not UTF-8 at byte {error.start + 1}", "send UTF-8") from error


def _filled(body: bytes) -> list[bytes]:
    return [line for line in body.split(b"\n") if line.strip(_BLANKS)]


def _array_texts(text: str, wanted: Sequence[int]) -> Mapping[int, str]:
    """The texts of some elements of a well-formed JSON array."""
    scan, found = json.JSONDecoder().raw_decode, {}
    blanks = " \t\r\n"
    at, last, asked = text.index("[") + 1, max(wanted, default=-1), set(wanted)
    for position in range(last + 1):
        while text[at] in blanks or text[at] == ",":
            at += 1
        _, end = scan(text, at)
        if position in asked:
            found[position] = text[at:end]
        at = end
    return found

"""Reading bodies: the quick way and the slow way agree about every record."""

from __future__ import annotations

import json
from typing import Any

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from cityloop.collect import decode as decoding
from cityloop.collect.decode import Decoded, decode
from cityloop.core.errors import Invalid
from cityloop.standard.feeds import load_feeds
from cityloop.standard.service import Standard
from tests.collect.small_town import PACKS

AIR = next(feed for feed in load_feeds(PACKS, Standard.load(PACKS)) if feed.id == "air-hourly")
SCALARS = st.none() | st.booleans() | st.integers(-(10**20), 10**20) | st.floats(allow_nan=False) | st.text(max_size=8)
NAMES = st.sampled_from(["station", "time", "PM2.5", "unit", "wd", "TEMP", "other"])
RECORDS = st.dictionaries(
    NAMES, SCALARS | st.lists(SCALARS, max_size=2) | st.dictionaries(st.text(max_size=3), SCALARS), max_size=5
)


def slowly(records: list[Any]) -> Decoded:
    frame, positions, refusals = decoding._slow(enumerate(decoding._whole(json.dumps(records))), AIR)
    return Decoded(frame, positions, refusals, lambda wanted: {})


def numbers(frame: pl.DataFrame, name: str) -> list[float | None]:
    return frame[name].cast(pl.Float64, strict=False).to_list()


@settings(max_examples=200)
@given(records=st.lists(RECORDS, max_size=6))
def test_both_ways_see_the_same_records(records: list[dict[str, Any]]) -> None:
    read, slow = decode(json.dumps(records).encode(), "application/json", AIR), slowly(records)
    assert read.received == len(records)
    assert list(read.positions) == slow.positions
    for name in ("PM2.5", "TEMP"):
        assert numbers(read.frame, name) == numbers(slow.frame, name)
    assert [t is None for t in read.frame["station"]] == [t is None for t in slow.frame["station"]]


@given(records=st.lists(st.dictionaries(NAMES, st.text(max_size=8) | st.none(), min_size=1), min_size=1, max_size=6))
def test_texts_are_kept_to_the_letter_in_arrays_and_lines(records: list[dict[str, Any]]) -> None:
    array = decode(json.dumps(records, ensure_ascii=False).encode(), "application/json", AIR)
    lines = "\n".join(json.dumps(record) for record in records)
    for read in (array, decode(lines.encode(), "application/x-ndjson", AIR)):
        assert read.frame["station"].to_list() == [record.get("station") for record in records]


@given(records=st.lists(RECORDS, min_size=1, max_size=6), indent=st.sampled_from([None, 1, 4]), data=st.data())
def test_the_text_of_any_record_is_found_again(records: list[Any], indent: int | None, data: st.DataObject) -> None:
    read = decode(json.dumps(records, indent=indent).encode(), "application/json", AIR)
    wanted = data.draw(st.lists(st.integers(0, len(records) - 1), unique=True))
    assert {n: json.loads(text) for n, text in read.raws(wanted).items()} == {n: records[n] for n in wanted}


@given(body=st.binary(max_size=60), kind=st.sampled_from(["application/json", "application/x-ndjson"]))
def test_no_bytes_make_the_reading_fail_other_than_by_a_clear_refusal(body: bytes, kind: str) -> None:
    try:
        read = decode(body, kind, AIR)
    except Invalid as refusal:
        assert refusal.mend
    else:
        assert read.received == read.frame.height + len(read.refusals)


def test_every_digit_of_a_number_sent_as_text_or_beside_text_is_kept() -> None:
    body = b'[{"station": 1001, "PM2.5": "0.10"}, {"station": "x", "PM2.5": 12345678901234567890123}]'
    read = decode(body, "application/json", AIR)
    assert read.frame["station"].to_list() == ["1001", "x"]
    assert numbers(read.frame, "PM2.5") == [0.1, 12345678901234567890123.0]

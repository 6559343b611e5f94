"""Declarations, schedules, templates, messages: what needs no server."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl
import pytest

from cityloop.collect.decode import flat
from cityloop.collect.sources.loading import load_sources
from cityloop.collect.sources.messages import PER_MESSAGE, Message, decode_messages
from cityloop.collect.sources.rows import places, plain
from cityloop.collect.sources.schedule import Schedule, back_off, next_run
from cityloop.collect.sources.secrets import resolved
from cityloop.collect.sources.template import subject_template, topic_template
from cityloop.collect.sources.trouble import SourceTrouble
from cityloop.core.errors import ContentError
from cityloop.standard.feeds import load_feeds
from cityloop.standard.mapping import FeedMapping
from cityloop.standard.service import Standard
from tests.collect.small_town import NOON, PACKS

STANDARD = Standard.load(PACKS)
FEEDS: Mapping[str, FeedMapping] = {mapping.id: mapping for mapping in load_feeds(PACKS, STANDARD)}
AIR = FEEDS["air-hourly"]
SHENZHEN = ZoneInfo("Asia/Shanghai")
HEAD = "sources:\n  - id: a\n    title: 甲\n    feed: air-hourly\n"


def faults(tmp_path: Path, text: str) -> list[str]:
    (tmp_path / "sources.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ContentError) as refused:
        load_sources(tmp_path, FEEDS)
    return [str(fault).replace(f"{tmp_path}/", "") for fault in refused.value.faults]


def test_a_city_without_the_file_has_no_sources(tmp_path: Path) -> None:
    assert load_sources(tmp_path, FEEDS) == ()


@pytest.mark.parametrize(
    ("rest", "where", "what"),
    [
        ("    wire: mqtt\n    connection: {url: mqtt://b, topic: a/+x}\n", "sources.yaml:6 sources.0.connection.topic",
         "reads no field 'x'"),
        ("    wire: mqtt\n    connection:\n      url: mqtt://u:p@b\n      topic: a\n",
         "sources.yaml:7 sources.0.connection.url", "a password does not belong into an address"),
        ("    wire: mqtt\n    connection:\n      url: mqtt://b\n      topic: a\n      password: hunter2\n",
         "sources.yaml:9 sources.0.connection.password", "write env:NAME or file:PATH"),
        ("    wire: mqtt\n    connection:\n      url: mqtts://b\n      topic: a\n      ca: no.pem\n",
         "sources.yaml:9 sources.0.connection.ca", "no.pem is missing"),
        ("    wire: mqtt\n    schedule: {every: 5m}\n    connection: {url: mqtt://b, topic: a}\n",
         "sources.yaml:2 sources.0", "it has no schedule"),
        ("    wire: files\n    connection: {folder: x}\n", "sources.yaml:2 sources.0", "needs a schedule"),
        ("    wire: files\n    schedule: {every: 5}\n    connection: {folder: x}\n",
         "sources.yaml:6 sources.0.schedule.every", "string"),
        ("    wire: files\n    schedule: {every: 0s}\n    connection: {folder: x}\n",
         "sources.yaml:6 sources.0.schedule.every", "is no span"),
        ("    wire: files\n    schedule: {daily: '24:00'}\n    connection: {folder: x}\n",
         "sources.yaml:6 sources.0.schedule.daily", "is no time of day"),
        ("    wire: fax\n    connection: {}\n", "sources.yaml:5 sources.0.wire", "Input should be"),
        ("    wire: database\n    schedule: {every: 1m}\n    connection:\n      url: db2://h/x\n      table: t\n"
         "      watermark: w\n      key: k\n", "sources.yaml:8 sources.0.connection.url", "'db2' is no database"),
        ("    wire: pull\n    schedule: {every: 1m}\n    connection:\n      url: https://h/x\n"
         "      headers: {X-Api-Key: abc}\n", "sources.yaml:9 sources.0.connection.headers", "looks like a secret"),
        ("    wire: pull\n    schedule: {every: 1m}\n    connection:\n      url: https://h/x\n"
         "      paging: {kind: cursor, parameter: c}\n", "sources.yaml:9 sources.0.connection.paging",
         "'field' belongs"),
        ("    wire: nats\n    connection:\n      url: nats://h\n      stream: A\n      subject: 'a..b'\n",
         "sources.yaml:9 sources.0.connection.subject", "empty level"),
        ("    wire: nats\n    connection: {url: 'nats://h', stream: A, colour: red}\n",
         "sources.yaml:6 sources.0.connection.colour", "unknown key"),
    ],
)  # fmt: skip
def test_each_fault_is_named_with_file_line_and_key(tmp_path: Path, rest: str, where: str, what: str) -> None:
    (fault,) = faults(tmp_path, HEAD + rest)
    assert fault.startswith(where + ":") and what in fault


def test_faults_of_all_sources_come_together(tmp_path: Path) -> None:
    one = "  - {id: b, title: 乙, feed: nothing, wire: files, schedule: {every: 1m}, connection: {folder: x}}\n"
    found = faults(tmp_path, "sources:\n" + one + one)
    assert [fault.split(": ")[0] for fault in found] == [
        "sources.yaml:2 sources.0.feed",
        "sources.yaml:3 sources.1.id",
        "sources.yaml:3 sources.1.feed",
    ]


def city(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHENZHEN)


@pytest.mark.parametrize(
    ("schedule", "last", "now", "expected"),
    [
        ({"every": "5m"}, None, "2026-03-09T12:00", "2026-03-09T12:00"),
        ({"every": "5m"}, "2026-03-09T11:58", "2026-03-09T12:00", "2026-03-09T12:03"),
        ({"every": "1d"}, "2026-03-01T11:58", "2026-03-09T12:00", "2026-03-02T11:58"),
        ({"daily": "02:30"}, None, "2026-03-09T12:00", "2026-03-10T02:30"),
        ({"daily": "02:30"}, None, "2026-03-09T01:00", "2026-03-09T02:30"),
        ({"daily": "02:30"}, "2026-03-09T02:30", "2026-03-09T12:00", "2026-03-10T02:30"),
        ({"daily": "02:30"}, "2026-03-01T02:30", "2026-03-09T12:00", "2026-03-02T02:30"),
    ],
)
def test_the_next_run(schedule: dict[str, str], last: str | None, now: str, expected: str) -> None:
    found = next_run(Schedule.model_validate(schedule), city(last) if last else None, city(now), SHENZHEN)
    assert found == city(expected)


def test_the_back_off_grows_to_a_minute_and_is_spread() -> None:
    draw = random.Random(1)
    waits = [[back_off(failures, draw) for _ in range(50)] for failures in range(1, 12)]
    assert all(0.5 <= wait <= 1 for wait in waits[0]) and all(30 <= wait <= 60 for wait in waits[-1])
    assert len(set(waits[3])) > 40


def test_topics_and_subjects_name_fields() -> None:
    air = topic_template("city/+district/air/#station")
    assert (air.filter, air.fields) == ("city/+/air/#", ["district", "station"])
    assert air.match("city/futian/air/a/1") == {"district": "futian", "station": "a/1"}
    assert subject_template("air.*station.>").match("air.1001A.x") == {"station": "1001A"}
    for wrong in ("a/#/b", "a//b", "a/b+", "+1x"):
        with pytest.raises(ValueError, match="'"):
            topic_template(wrong)


def test_secrets_are_read_where_they_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "secret").write_text("秘密\n", encoding="utf-8")
    monkeypatch.setenv("TEST_SECRET", "s")
    assert [resolved(text) for text in (None, "plain", "env:TEST_SECRET", f"file:{tmp_path}/secret")] == [
        None,
        "plain",
        "s",
        "秘密",
    ]
    for missing in ("env:TEST_NO_SUCH", f"file:{tmp_path}/none"):
        with pytest.raises(SourceTrouble):
            resolved(missing)


def body(**values: Any) -> bytes:
    return json.dumps({"station": "1001A", "time": NOON.isoformat(), **values}).encode()


def test_every_message_keeps_its_own_place_whatever_the_others_hold() -> None:
    bodies = [body(**{"PM2.5": 1}), b"[%s, %s]" % (body(), body()), b"{", b"[]", body() + b"," + body(), b"\n", b'"x"',
              body(**{"PM2.5": True}), b"[1]", body().replace(b" ", b"\n")]  # fmt: skip
    messages = [Message(number, text) for number, text in enumerate(bodies, 1)]
    found = decode_messages(messages, AIR)
    good = sorted(found.positions)
    assert good == [place * PER_MESSAGE for place in (1, 2)] + [2 * PER_MESSAGE + 1] + [
        place * PER_MESSAGE for place in (8, 10)
    ]
    refused = sorted(refusal.index // PER_MESSAGE for refusal in found.refusals)
    assert refused == [3, 5, 6, 7, 9]
    raws = found.raws([refusal.index for refusal in found.refusals])
    assert raws[3 * PER_MESSAGE] == "{" and raws[5 * PER_MESSAGE] == bodies[4].decode()
    assert found.received == 10


def test_objects_that_only_together_are_json_do_not_become_one() -> None:
    split = [b'{"station": [{}', b'{"x": 1}]}', body() + body()]
    found = decode_messages([Message(number, text) for number, text in enumerate(split)], AIR)
    assert found.frame.is_empty() and len(found.refusals) == 3


def test_the_topic_goes_before_the_record() -> None:
    messages = [Message(n, body(), {"station": f"s{n}"}) for n in range(3)] + [
        Message(3, b"[%s]" % body(), {"station": "s3"})
    ]
    found = decode_messages(messages, AIR)
    assert found.frame["station"].to_list() == ["s0", "s1", "s2", "s3"]
    assert json.loads(found.raws([0])[0])["station"] == "s0"


def test_equal_records_have_places_of_their_own_and_keep_them() -> None:
    records = [{"a": 1}, {"a": 2}, {"a": 1}]
    assert len(set(places(records))) == 3 and places(records) == places(records)
    assert places([{"a": 2}]) == places(records)[1:2] and max(places(records)) < 2**52


def test_values_become_plain_and_records_flat() -> None:
    assert plain(timedelta(seconds=1)) == "0:00:01" and plain(True) == "true" and plain(b"\x01") == "01"
    assert flat({"a": {"b": {"c": 1}}, "d": [1]}) == {"a.b.c": 1, "d": [1]} and flat(7) == 7


@pytest.mark.parametrize(
    "odd",
    [
        b"[]", b"[1]", b"[null]", b"[{}, null]", b"[[]]", b'[{"station": {"x": 1}}]', b'[{"station": ["x"]}]',
        b'[{"PM2.5": "much"}]', b'[{"PM2.5": true}]', b'[{"PM2.5": "3.50"}]', b'[{"PM2": {"5": 4}, "x": {"y": [1]}}]',
        b'[{"station": "a"}],"r":[{"station": "b"}]', b'[{"station": "a"}]} {"r":[{"station": "b"}]',
        b'[{"station": "a"}]}\n{"r":[{"station": "b"}]', b'[{"station": "a"}', b'[{"station": "a"}]]', b"[", b'"x"',
        b'[{"station": "[a]", "time": "}]"}]', b'[{"station": "\\u4e2d", "PM2.5": 1e3, "other": [1, {"a": 2}]}]',
    ],
)  # fmt: skip
def test_messages_read_together_are_the_same_as_one_by_one(odd: bytes) -> None:
    plain_ones = [b"[%s]" % b",".join([body(**{"PM2.5": n})] * 3) for n in range(2)]
    messages = [Message(n, text, {"station": f"s{n}"}) for n, text in enumerate([plain_ones[0], odd, plain_ones[1]])]
    together = decode_messages(messages, AIR)
    alone = [decode_messages([message], AIR) for message in messages]
    assert list(together.positions) == [position for part in alone for position in part.positions]
    assert [r.index for r in together.refusals] == [r.index for part in alone for r in part.refusals]
    texts = [part.frame.cast(pl.String) for part in alone if part.frame.height]
    numbers = [frame.with_columns(pl.col("PM2.5").cast(pl.Float64, strict=False)) for frame in texts]
    found = together.frame.cast(pl.String).with_columns(pl.col("PM2.5").cast(pl.Float64, strict=False))
    assert found.rows() == pl.concat(numbers).rows()

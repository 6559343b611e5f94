"""Events live and die with their transaction; consumers lose nothing and repeat nothing."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from cityloop.core.database import Database, Transaction
from cityloop.core.outbox import UNWANTED, Event, Outbox, OutboxCursor, Relay

NOW = datetime(2026, 3, 9, tzinfo=UTC)


class Failure(Exception):
    pass


def _say(database: Database, outbox: Outbox, *words: str) -> None:
    with database.transaction() as tx:
        for word in words:
            outbox.record(tx, "cityloop.test.said", word, NOW, {"word": word})


def test_an_event_of_a_rolled_back_change_never_existed(database: Database) -> None:
    outbox = Outbox(database)
    with pytest.raises(Failure), database.transaction() as tx:
        outbox.record(tx, "cityloop.test.said", "lost", NOW, {})
        raise Failure
    assert outbox.after(0) == []


def test_events_come_in_order_and_once(database: Database) -> None:
    outbox, heard = Outbox(database), list[str]()
    relay = Relay(database, outbox)
    relay.consume("ear", lambda _tx, events: heard.extend(event.subject for event in events))
    _say(database, outbox, "a", "b")
    relay.drain()
    _say(database, outbox, "c")
    relay.drain()
    assert heard == ["a", "b", "c"]


def test_a_consumer_that_fails_gets_the_same_events_again_and_its_effects_are_undone(database: Database) -> None:
    outbox = Outbox(database)
    relay = Relay(database, outbox)
    tries = list[int]()

    def stumble(tx: Transaction, events: Sequence[Event]) -> None:
        outbox.record(tx, "cityloop.test.echo", events[0].subject, NOW, {})
        tries.append(len(events))
        if len(tries) == 1:
            raise Failure

    relay.consume("ear", stumble, ["cityloop.test.said"])
    _say(database, outbox, "a")
    with pytest.raises(Failure):
        relay.step("ear")
    relay.drain()
    assert tries == [1, 1]
    assert [event.type for event in outbox.after(0)] == ["cityloop.test.said", "cityloop.test.echo"]


def test_a_new_relay_goes_on_where_the_old_one_stood(database: Database) -> None:
    outbox, heard = Outbox(database), list[str]()
    for _ in range(2):
        relay = Relay(database, outbox)
        relay.consume("ear", lambda _tx, events: heard.extend(event.subject for event in events))
        _say(database, outbox, "x")
        relay.drain()
    assert heard == ["x", "x"]


def test_what_a_consumer_does_not_want_is_passed_without_a_write_each_time(database: Database) -> None:
    outbox, heard = Outbox(database), list[str]()
    relay = Relay(database, outbox)
    relay.consume("ear", lambda _tx, events: heard.extend(event.subject for event in events), ["cityloop.test.wanted"])
    _say(database, outbox, *map(str, range(UNWANTED)))
    assert relay.step("ear") == UNWANTED and relay.step("ear") == 0 and _kept(database) is None
    _say(database, outbox, "one more")
    assert relay.step("ear") == 1 and _kept(database) == UNWANTED + 1
    with database.transaction() as tx:
        outbox.record(tx, "cityloop.test.wanted", "mine", NOW, {})
    relay.drain()
    assert heard == ["mine"] and _kept(database) == UNWANTED + 2


def _kept(database: Database) -> int | None:
    with database.reading() as session:
        cursor = session.get(OutboxCursor, "ear")
        return cursor.seq if cursor else None


def test_a_running_relay_is_woken_by_the_commit(database: Database) -> None:
    outbox, heard = Outbox(database), threading.Event()
    relay = Relay(database, outbox)
    relay.consume("ear", lambda _tx, _events: heard.set())
    relay.start()
    try:
        _say(database, outbox, "a")
        assert heard.wait(60)
    finally:
        relay.stop()
    assert relay.errors == {}

"""The token bucket alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from cityloop.access.bucket import Bucket, Rule, take
from cityloop.access.turnstile import network

START = datetime(2026, 3, 9, tzinfo=UTC)


def test_a_full_bucket_gives_so_many_and_then_tells_how_long_to_wait() -> None:
    rule, bucket = Rule(3, 30), Bucket(3, START)
    waits = []
    for _ in range(4):
        bucket, wait = take(rule, bucket, START)
        waits.append(wait)
    assert waits == [0, 0, 0, 10]
    assert take(rule, bucket, START + timedelta(seconds=9))[1] == 1
    assert take(rule, bucket, START + timedelta(seconds=10))[1] == 0


def test_a_clock_that_went_back_refills_nothing() -> None:
    assert take(Rule(1, 60), Bucket(0, START), START - timedelta(days=1))[1] == 60


@given(
    most=st.integers(1, 20),
    seconds=st.floats(1, 86_400),
    pauses=st.lists(st.floats(0, 5_000), min_size=1, max_size=60),
)
def test_never_more_than_the_rule_allows(most: int, seconds: float, pauses: list[float]) -> None:
    rule, bucket, now, given_out = Rule(most, seconds), Bucket(most, START), START, 0
    for pause in pauses:
        now += timedelta(seconds=pause)
        bucket, wait = take(rule, bucket, now)
        given_out += wait == 0
        if wait:
            assert take(rule, bucket, now + timedelta(seconds=wait))[1] == 0
    assert given_out <= most + (now - START).total_seconds() * most / seconds + 1e-6


def test_a_household_shares_one_bucket() -> None:
    assert network("192.0.2.7") == "192.0.2.7" == network("::ffff:192.0.2.7")
    assert network("2001:db8:1:2::7") == network("2001:db8:1:2:ffff::9") == "2001:db8:1:2::/64"
    assert network("testclient") == "unknown"

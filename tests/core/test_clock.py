"""City time never runs backwards, whatever its pace."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import pytest

from cityloop.core.clock import ManualClock, PacedClock, SystemClock

START = datetime(2026, 3, 9, tzinfo=UTC)


def test_a_manual_clock_moves_only_forward() -> None:
    clock = ManualClock(START)
    clock.advance(timedelta(minutes=5))
    assert clock.now() == START + timedelta(minutes=5)
    with pytest.raises(ValueError, match="cannot go back"):
        clock.set(START)


def test_a_naive_instant_is_refused() -> None:
    with pytest.raises(ValueError, match="no time zone"):
        ManualClock(datetime(2026, 3, 9))  # noqa: DTZ001 - the point of the test


def test_a_paused_clock_stands_still() -> None:
    clock = PacedClock(START, 0)
    assert clock.now() == clock.now() == START


def test_changing_the_pace_never_jumps() -> None:
    clock = PacedClock(START, 3600)
    time.sleep(0.01)
    before = clock.now()
    clock.set_speed(1)
    after = clock.now()
    assert before > START
    assert timedelta() <= after - before < timedelta(hours=1)
    with pytest.raises(ValueError, match="never runs backwards"):
        clock.set_speed(-1)


def test_the_system_clock_is_in_utc() -> None:
    assert SystemClock().now().utcoffset() == timedelta()

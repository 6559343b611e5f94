"""Time as people name it, on Wednesday 18 March 2026 at 10:30."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cityloop.ask.numerals import number
from cityloop.ask.quantities import in_unit, quantity
from cityloop.ask.spans import Span, before, months_on, unit_of
from cityloop.ask.text import plain
from tests.ask.golden_set import NOW, ZONE
from tests.ask.parts import ask


@pytest.mark.parametrize(
    ("said", "start", "end"),
    [
        ("昨天", "2026-03-17", "2026-03-18"),
        ("上周末", "2026-03-14", "2026-03-16"),
        ("最近两周", "2026-03-05", "2026-03-19"),
        ("过去的三个月", "2025-12-19", "2026-03-19"),
        ("去年第四季度", "2025-10-01", "2026-01-01"),
        ("2025年4季度", "2025-10-01", "2026-01-01"),
        ("上半年", "2026-01-01", "2026-07-01"),
        ("11月11日", "2025-11-11", "2025-11-12"),
        ("二月二十八号", "2026-02-28", "2026-03-01"),
        ("3月中旬", "2026-03-11", "2026-03-21"),
        ("2026/2/3", "2026-02-03", "2026-02-04"),
        ("昨晚", "2026-03-17T18:00", "2026-03-18"),
        ("昨天下午2点半到4点", "2026-03-17T14:30", "2026-03-17T16:00"),
        ("2月27日到3月2日", "2026-02-27", "2026-03-03"),
        ("清明节期间", None, None),
        ("the last two weeks", "2026-03-05", "2026-03-19"),
        ("the day before yesterday", "2026-03-16", "2026-03-17"),
        ("last weekend", "2026-03-14", "2026-03-16"),
        ("last Monday", "2026-03-16", "2026-03-17"),
        ("the fourth quarter of 2025", "2025-10-01", "2026-01-01"),
        ("3rd of February", "2026-02-03", "2026-02-04"),
        ("February 3, 2026", "2026-02-03", "2026-02-04"),
        ("yesterday from 2:30 to 4 pm", "2026-03-17T14:30", "2026-03-17T16:00"),
        ("month to date", "2026-03-01", "2026-03-19"),
    ],
)
def test_a_period(said: str, start: str | None, end: str | None) -> None:
    found = ask(f"{said}上报数" if said[-1] > "z" else f"cases opened {said}")
    if start is None or end is None:
        assert [doubt.reason for doubt in found.doubts] == ["no_holiday"]
        return
    assert found.query is not None
    period = (found.query.start, found.query.end)
    assert period == (
        datetime.fromisoformat(start).replace(tzinfo=ZONE),
        datetime.fromisoformat(end).replace(tzinfo=ZONE),
    )


@given(
    st.dates().filter(lambda day: 1990 < day.year < 2090), st.sampled_from(["day", "week", "month", "quarter", "year"])
)
def test_units_follow_each_other_without_a_gap(day: datetime, unit: str) -> None:
    at = datetime(day.year, day.month, day.day, 12, tzinfo=ZONE)
    span = unit_of(at, unit)  # type: ignore[arg-type]
    assert span.start <= at < span.end
    assert before(span).end == span.start
    assert unit_of(before(span).start, unit) == before(span)  # type: ignore[arg-type]


def test_the_last_day_of_a_month_stays_one() -> None:
    assert months_on(datetime(2026, 3, 31, tzinfo=ZONE), -1) == datetime(2026, 2, 28, tzinfo=ZONE)
    assert before(Span(NOW, NOW)).start == NOW


@pytest.mark.parametrize(
    ("said", "value"),
    [("三", 3), ("十二", 12), ("三十二", 32), ("一百零五", 105), ("一万二", 12_000), ("两千", 2000), ("1.5万", 15_000),
     ("1,200", 1200), ("二〇二六", 2026), ("twelve", 12)],
)  # fmt: skip
def test_a_number(said: str, value: float) -> None:
    assert number(said) == value


@pytest.mark.parametrize(
    ("said", "unit", "share", "value"),
    [("150微克", "µg/m³", False, 150), ("0.1 mg/m³", "µg/m³", False, 100), ("九成", "", True, 0.9),
     ("百分之五", "", True, 0.05),
     ("90%", "", True, 0.9), ("2吨", "kg", False, 2000), ("36 km/h", "km/h", False, 36), ("3天", "s", False, 259_200),
     ("20件", "", False, 20), ("3天", "µg/m³", False, None), ("5公斤", "", True, None)],
)  # fmt: skip
def test_a_quantity_in_the_unit_of_a_metric(said: str, unit: str, share: bool, value: float | None) -> None:
    amount = quantity(plain(said), 0)
    assert amount is not None
    found = in_unit(amount, unit, share)
    assert found == (pytest.approx(value) if value is not None else None)

"""How two ranges, or a point and a range, lie to each other (the relations of Allen)."""

from __future__ import annotations

from typing import Any

from cityloop.feel.functions.registry import built_in
from cityloop.feel.values import Range, both, compared, either, equal, within


def _ends(value: Any) -> Range:
    return value if isinstance(value, Range) else Range(value, value)


def _gap(left: Range, right: Range) -> bool | None:
    """Whether ``left`` ends before ``right`` begins."""
    touching = left.high_closed and right.low_closed
    return compared("<" if touching else "<=", left.high, right.low)


@built_in("before", "a", "b")
def _before(a: Any, b: Any) -> bool | None:
    return _gap(_ends(a), _ends(b))


@built_in("after", "a", "b")
def _after(a: Any, b: Any) -> bool | None:
    return _gap(_ends(b), _ends(a))


@built_in("meets", "range1: range", "range2: range")
def _meets(a: Range, b: Range) -> bool | None:
    return both(a.high_closed and b.low_closed, equal(a.high, b.low))


@built_in("met by", "range1: range", "range2: range")
def _met_by(a: Range, b: Range) -> bool | None:
    return _meets(b, a)


@built_in("overlaps", "range1: range", "range2: range")
def _overlaps(a: Range, b: Range) -> bool | None:
    return both(
        compared(">=" if a.high_closed and b.low_closed else ">", a.high, b.low),
        compared("<=" if a.low_closed and b.high_closed else "<", a.low, b.high),
    )


def _starts_before(a: Range, b: Range) -> bool | None:
    return either(compared("<", a.low, b.low), both(equal(a.low, b.low), a.low_closed and not b.low_closed))


def _ends_before(a: Range, b: Range) -> bool | None:
    return either(compared("<", a.high, b.high), both(equal(a.high, b.high), b.high_closed or not a.high_closed))


@built_in("overlaps before", "range1: range", "range2: range")
def _overlaps_before(a: Range, b: Range) -> bool | None:
    reaches = compared(">=" if a.high_closed and b.low_closed else ">", a.high, b.low)
    return both(both(_starts_before(a, b), reaches), _ends_before(a, b))


@built_in("overlaps after", "range1: range", "range2: range")
def _overlaps_after(a: Range, b: Range) -> bool | None:
    reaches = compared("<=" if a.low_closed and b.high_closed else "<", a.low, b.high)
    later = either(compared(">", a.low, b.low), both(equal(a.low, b.low), b.low_closed or not a.low_closed))
    ends = either(compared(">", a.high, b.high), both(equal(a.high, b.high), a.high_closed and not b.high_closed))
    return both(both(reaches, later), ends)


@built_in("finishes", "a", "range: range")
def _finishes(a: Any, b: Range) -> bool | None:
    if not isinstance(a, Range):
        return both(b.high_closed, equal(a, b.high))
    same_end = both(a.high_closed == b.high_closed, equal(a.high, b.high))
    return both(same_end, _not_before(a, b))


def _not_before(a: Range, b: Range) -> bool | None:
    return either(compared(">", a.low, b.low), both(equal(a.low, b.low), b.low_closed or not a.low_closed))


@built_in("finished by", "range: range", "a")
def _finished_by(a: Range, b: Any) -> bool | None:
    return _finishes(b, a)


@built_in("includes", "range: range", "a")
def _includes(a: Range, b: Any) -> bool | None:
    if not isinstance(b, Range):
        return within(b, a)
    return both(_not_before(b, a), _ends_before(b, a))


@built_in("during", "a", "range: range")
def _during(a: Any, b: Range) -> bool | None:
    return _includes(b, a)


@built_in("starts", "a", "range: range")
def _starts(a: Any, b: Range) -> bool | None:
    if not isinstance(a, Range):
        return both(b.low_closed, equal(a, b.low))
    return both(both(a.low_closed == b.low_closed, equal(a.low, b.low)), _ends_before(a, b))


@built_in("started by", "range: range", "a")
def _started_by(a: Range, b: Any) -> bool | None:
    return _starts(b, a)


@built_in("coincides", "a", "b")
def _coincides(a: Any, b: Any) -> bool | None:
    first, second = _ends(a), _ends(b)
    closed = first.low_closed == second.low_closed and first.high_closed == second.high_closed
    return both(closed, both(equal(first.low, second.low), equal(first.high, second.high)))

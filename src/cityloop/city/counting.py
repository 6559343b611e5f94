"""Counting one stage of a limit over the spans in which its clock ran.

Instants are microseconds (:mod:`cityloop.city.days`); a span whose end is ``None`` still runs.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction

from cityloop.city.calendar import Calendar
from cityloop.city.grammar import Measure, Stage

Span = tuple[int, int | None]
YELLOW = Fraction(4, 5)
"""The light turns yellow when 80 % of the limit is used, red above 100 % (one city's practice)."""


def after(spans: Sequence[Span], at: int | None) -> list[Span]:
    """What of ``spans`` lies behind ``at``: where the next of chained stages begins."""
    if at is None:
        return []
    return [(max(begin, at), end) for begin, end in spans if end is None or end > at]


def cut(spans: Sequence[Span], at: int) -> list[Span]:
    """What of ``spans`` lies before ``at``."""
    return [(begin, at if end is None else min(end, at)) for begin, end in spans if begin < at]


def used(stage: Stage, calendar: Calendar, spans: Sequence[Span]) -> int:
    """Counted microseconds of closed spans by the stage's clock."""
    pairs = [(begin, end) for begin, end in spans if end is not None and end > begin]
    if stage.measure == "continuous":
        return sum(end - begin for begin, end in pairs)
    return sum(calendar.between(begin, end) for begin, end in pairs)


def due(stage: Stage, extensions: int, cutoff: int | None, calendar: Calendar, spans: Sequence[Span]) -> int | None:
    """The first instant at which the spans have used the stage's limit up; ``None`` when they stop before."""
    if not spans:
        return None
    if stage.measure == "closes":
        found = _walk("office", calendar, spans, _closing_time(stage, extensions, cutoff, calendar, spans))
        return None if found is None else calendar.close_from(found)
    return _walk(stage.measure, calendar, spans, stage.amount * (1 + extensions))


def _walk(measure: Measure, calendar: Calendar, spans: Sequence[Span], total: int) -> int | None:
    """Lay the running spans end to end until ``total`` is used."""
    rest = Fraction(total) if measure == "office_days" else total
    for begin, end in spans:
        amount = None if end is None else _measured(measure, calendar, begin, end)
        if amount is None or amount >= rest:
            return _advance(measure, calendar, begin, rest)
        rest -= amount
    return None


def _measured(measure: Measure, calendar: Calendar, begin: int, end: int) -> Fraction | int:
    if measure == "continuous":
        return end - begin
    if measure == "office":
        return calendar.between(begin, end)
    return calendar.days_between(begin, end) * 1_000_000


def _advance(measure: Measure, calendar: Calendar, begin: int, amount: Fraction | int) -> int:
    if measure == "continuous":
        return begin + int(amount)
    if measure == "office":
        return calendar.advance(begin, int(amount))
    return calendar.advance_days(begin, Fraction(amount) / 1_000_000)


def _closing_time(stage: Stage, extensions: int, cutoff: int | None, calendar: Calendar, spans: Sequence[Span]) -> int:
    """Counted time from the start to the close of the n-th working day, and of n more for each extension."""
    begin = spans[0][0]
    early = cutoff is not None and calendar.before(begin, cutoff) and calendar.works(calendar.local_day(begin))
    total = calendar.between(begin, calendar.close_after(begin, stage.amount, start_day_counts=early))
    endless = [*spans[:-1], (spans[-1][0], None)]
    for _ in range(extensions):
        reached = _walk("office", calendar, endless, total)
        assert reached is not None
        reached = calendar.close_from(reached)
        total += calendar.between(reached, calendar.close_after(reached, stage.amount))
    return total


def provisional(stage: Stage, calendar: Calendar, spans: Sequence[Span], at: int | None) -> bool:
    """Whether counting up to ``at`` touched days that have not been announced. Continuous clocks never do."""
    if stage.measure == "continuous":
        return False
    return any(
        calendar.provisional(begin, stop)
        for begin, end in spans
        if (stop := min(filter(None, (end, at)), default=begin)) > begin
    )


def yellow(stage: Stage, calendar: Calendar, spans: Sequence[Span], end: int) -> int:
    """The first instant at which 80 % of what the stage counts until its due instant ``end`` is used."""
    total = used(stage, calendar, cut(spans, end))
    wanted = -(-total * YELLOW.numerator // YELLOW.denominator)
    found = _walk("continuous" if stage.measure == "continuous" else "office", calendar, spans, wanted)
    return end if found is None else found

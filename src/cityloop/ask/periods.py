"""The period of a question: spans joined, cut to hours, set against another, and the days of the calendar."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from cityloop.analyse.schemas import CalendarPart, Grain
from cityloop.ask.draft import Draft
from cityloop.ask.spans import DAY, Hours, Span, before, midnight, months_on, one_day, unit_of

_PARTS: tuple[tuple[CalendarPart, ...], ...] = (
    ("morning_peak",), ("evening_peak",), ("morning_peak", "evening_peak"),
    ("working_days",), ("rest_days",), ("holidays",),
)  # fmt: skip
_SPAN_GRAIN: dict[str, Grain] = {"day": "day", "week": "week", "month": "month", "quarter": "quarter", "year": "year"}
_TO_DATE = {"y": "year", "m": "month", "w": "week", "q": "quarter"}


def find_period(draft: Draft) -> None:
    """Fill in span, calendar, and the comparison where two periods are set against each other."""
    _calendar(draft)
    spans, hours = _spans(draft), _hours(draft)
    draft.used.update(draft.places("time", "since_en"))
    spans += _to_date(draft)
    absent = [piece.absent for piece in draft.pieces if piece.absent]
    if absent:
        draft.doubt("no_holiday", absent)
    if len(spans) == 2:
        _two(draft, spans[0], spans[1])
    elif len(spans) > 2:
        draft.doubt("two_periods", (piece.said for piece in draft.pieces if piece.tag == "time"))
    elif spans:
        draft.span = spans[0]
    if draft.has("since") and draft.span:
        draft.span = draft.span.until(midnight(draft.now) + DAY)
    if hours:
        _cut(draft, hours)
    if draft.has("previous"):
        draft.compare = "previous"
    if draft.has("year"):
        draft.compare = "year"


def _calendar(draft: Draft) -> None:
    for place in draft.places("calendar"):
        draft.used.add(place)
        groups = draft.pieces[place].groups
        which = next(number for number, group in enumerate(groups) if group) % len(_PARTS)
        draft.calendar += _PARTS[which]


def _spans(draft: Draft) -> list[Span]:
    """The spans in order; ``a to b`` is one, and one after ``since`` lasts until today."""
    found: list[Span] = []
    joining = False
    for place, piece in enumerate(draft.pieces):
        if isinstance(piece.time, Span):
            if joining and found and piece.time.end > found[-1].start:
                found[-1] = Span(found[-1].start, piece.time.end)
            elif _begins(draft, place):
                found.append(piece.time.until(midnight(draft.now) + DAY))
            elif piece.time not in found:
                found.append(piece.time)
            joining = False
        elif piece.tag == "range" or (piece.tag == "and" and place > 1 and draft.pieces[place - 2].tag == "between"):
            joining = bool(place) and draft.pieces[place - 1].time is not None
            draft.used.add(place - 2)
        elif piece.tag != "filler":
            joining = False
    return found


def _begins(draft: Draft, place: int) -> bool:
    """Whether the span at ``place`` is only where the period begins."""
    pieces = draft.pieces
    if not place or pieces[place - 1].tag != "since_en":
        return False
    after = pieces[place + 1 : place + 2]
    said = pieces[place - 1].said
    return not (after and after[0].tag in ("range", "time")) and (said != "从" or bool(draft.places("since")))


def _to_date(draft: Draft) -> list[Span]:
    found = []
    for place in draft.places("sofar_en"):
        draft.used.add(place)
        unit = _TO_DATE[draft.pieces[place].said[0].lower()]
        span = unit_of(draft.now, unit)  # type: ignore[arg-type]
        found.append(span.until(midnight(draft.now) + DAY))
    return found


def _hours(draft: Draft) -> list[Hours]:
    return [piece.time for piece in draft.pieces if isinstance(piece.time, Hours)]


def _cut(draft: Draft, hours: Sequence[Hours]) -> None:
    day = draft.span or one_day(draft.now)
    if len(hours) > 1 or day.days != 1:
        draft.doubt("hours", (piece.said for piece in draft.pieces if isinstance(piece.time, Hours)))
        return
    draft.span = hours[0].of(day.start)


def _two(draft: Draft, first: Span, second: Span) -> None:
    """Two spans: one within the other, neighbours, or the later one compared with the earlier."""
    early, late = sorted((first, second), key=lambda span: span.start)
    if _within(early, late) or _within(late, early):
        draft.span = early if _within(early, late) else late
        return
    compared = draft.has("than") or any(piece.said in ("对比", "比较") for piece in draft.pieces)
    if compared and early == before(late):
        draft.span, draft.compare = late, "previous"
    elif compared and early.start == months_on(late.start, -12):
        draft.span, draft.compare = late, "year"
    elif not compared and early.end == late.start and early.unit == late.unit and early.unit in _SPAN_GRAIN:
        draft.span, draft.grain = Span(early.start, late.end), _SPAN_GRAIN[early.unit]
    else:
        draft.doubt("two_periods", (piece.said for piece in draft.pieces if piece.tag == "time"))
        draft.span = late


def _within(inner: Span, outer: Span) -> bool:
    return outer.start <= inner.start and inner.end <= outer.end


def natural_grain(span: Span | None) -> Grain:
    """The grain that shows a period well."""
    if span is None:
        return "day"
    return "hour" if span.days <= 2 else "day" if span.days <= 62 else "week" if span.days <= 200 else "month"


def starts_later(span: Span | None, now: datetime) -> bool:
    """Whether a period has not begun yet."""
    return span is not None and span.start > now

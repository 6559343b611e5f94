"""What a replay comes to: figures counted from its cases, and set against the flag that the source itself carries."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from cityloop.core.values import Frozen, Instant, Title
from cityloop.drill.records import Record


class DepartmentFigures(Frozen):
    """The cases of one department. ``open`` counts those that the source never closed."""

    department: str
    title: Title
    opened: int
    closed: int
    open: int
    on_time: int
    late: int
    without_limit: int


class OnTimeFigures(Frozen):
    """Closed cases as our deadline engine judged them; ``rate`` is on time / (on time + late), ``None`` without any."""

    on_time: int
    late: int
    without_limit: int
    rate: float | None


class Difference(Frozen):
    """Cases on which our verdict and the source's flag are not the same, or cannot be compared."""

    kind: str
    count: int
    compared: bool
    """Whether these cases are part of ``Agreement.compared``."""
    explanation: Title


class Agreement(Frozen):
    """Our verdict against the source's flag, over all closed cases that have a limit."""

    compared: int
    same: int
    share: float | None
    differences: list[Difference]


class AtEnd(Frozen):
    """How things stood when the last day of the window ended; later closings belong to records opened in it."""

    instant: Instant
    closed: int
    open: int


class ReplaySummary(Frozen):
    """The whole answer of a replay."""

    city: str
    start: date
    end: date
    complete: bool
    """``False`` when it was stopped; the same command goes on where it stopped."""
    records: int
    opened: int
    closed: int
    open: int
    at_end: AtEnd
    moves: int
    by_department: list[DepartmentFigures]
    on_time: OnTimeFigures
    agreement: Agreement
    resumed_at: int
    """Events that earlier runs had played already."""
    seconds: float
    """Working time of this and all earlier runs."""
    cases_per_second: float
    moves_per_second: float


@dataclass(frozen=True, slots=True)
class Outcome:
    """One replayed case as the platform has it."""

    number: str
    department: str | None
    closed_at: datetime | None
    on_time: bool | None
    moves: int


_EXPLAINED = {
    "flag_missing": Title(
        zh="原记录没有按时标志，无从比对",
        en="the source has no flag for them, so there is nothing to agree with",
    ),
    "late_but_flagged_on_time": Title(
        zh="晚于时限结案，原记录却标为按时（时限可能事后更改）",
        en="closed after the target yet flagged on time: the target was changed or the flag set by hand",
    ),
    "on_time_but_flagged_late": Title(
        zh="在时限内结案，原记录却标为超时",
        en="closed by the target yet flagged late",
    ),
    "no_limit": Title(
        zh="原记录没有时限：不判定按时与否（原系统一律标为按时）",
        en="no target: neither on time nor late here, always flagged on time there",
    ),
    "still_open": Title(
        zh="尚未结案：按时与否待定（原系统已按当日标注）",
        en="not closed: not yet judged here, flagged there by the day of the extract",
    ),
}


def verdict(record: Record, outcome: Outcome) -> str:
    """How one case compares: ``same`` or one of the explained differences."""
    if outcome.closed_at is None:
        return "still_open"
    if outcome.on_time is None:
        return "no_limit"
    if record.flag is None:
        return "flag_missing"
    if record.flag == outcome.on_time:
        return "same"
    return "late_but_flagged_on_time" if record.flag else "on_time_but_flagged_late"


def agreement(records: Mapping[str, Record], outcomes: Iterable[Outcome]) -> Agreement:
    """Compare every case with its record."""
    counts = Counter(verdict(records[outcome.number], outcome) for outcome in outcomes)
    apart = ("no_limit", "still_open")
    compared = sum(count for kind, count in counts.items() if kind not in apart)
    differences = [
        Difference(kind=kind, count=counts[kind], compared=kind not in apart, explanation=text)
        for kind, text in _EXPLAINED.items()
    ]
    share = round(counts["same"] / compared, 6) if compared else None
    return Agreement(compared=compared, same=counts["same"], share=share, differences=differences)


def on_time(outcomes: Sequence[Outcome]) -> OnTimeFigures:
    """Verdicts of closed cases."""
    counts = Counter(outcome.on_time for outcome in outcomes if outcome.closed_at)
    judged = counts[True] + counts[False]
    rate = round(counts[True] / judged, 6) if judged else None
    return OnTimeFigures(on_time=counts[True], late=counts[False], without_limit=counts[None], rate=rate)


def by_department(outcomes: Sequence[Outcome], titles: Mapping[str, Title]) -> list[DepartmentFigures]:
    """One row a department, the busiest first."""
    found: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        found.setdefault(outcome.department or "", []).append(outcome)
    rows = [_department(name, titles, members) for name, members in found.items()]
    return sorted(rows, key=lambda row: (-row.opened, row.department))


def _department(name: str, titles: Mapping[str, Title], members: Sequence[Outcome]) -> DepartmentFigures:
    verdicts = on_time(members)
    closed = sum(outcome.closed_at is not None for outcome in members)
    return DepartmentFigures(
        department=name,
        title=titles.get(name, Title(zh="（未派遣）", en="(not dispatched)")),
        opened=len(members),
        closed=closed,
        open=len(members) - closed,
        on_time=verdicts.on_time,
        late=verdicts.late,
        without_limit=verdicts.without_limit,
    )

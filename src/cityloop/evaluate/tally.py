"""Counts in the store: the counting facts of a period, for each object at once, raw and as exemptions decide."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from fractions import Fraction
from typing import Any

from sqlalchemy import ColumnElement, and_, case, func, literal, or_, select
from sqlalchemy.orm import Session

from cityloop.core.database import UtcDateTime
from cityloop.evaluate import expression
from cityloop.evaluate.declarations import CountDef, ExemptionDef, ObjectKind, SchemeDocument
from cityloop.evaluate.models import StepRow
from cityloop.evaluate.periods import Period

COLUMNS: dict[str, ColumnElement[Any]] = {column.name: column for column in StepRow.__table__.columns}
OBJECT_COLUMN: dict[ObjectKind, str] = {"department": "department", "area": "area", "post": "post", "person": "actor"}
_INSTANT = UtcDateTime()


@dataclass(frozen=True, slots=True)
class Figure:
    """A count: as exemptions decide, and as it happened."""

    counted: Fraction = Fraction(0)
    raw: Fraction = Fraction(0)

    def __add__(self, other: Figure) -> Figure:
        return Figure(self.counted + other.counted, self.raw + other.raw)


NONE = Figure()
Figures = Mapping[str, Figure]
Tally = Mapping[str | None, Figures]
"""Object → count → figure; under ``None`` the whole: everything in sight, with and without an object."""
ObjectOf = Callable[[str | None], str | None]
"""From a value of the object's column to the object: an area to its ancestor of the wanted level."""


@dataclass(frozen=True, slots=True)
class Window:
    """The bounds that a count is made in: ``until`` is the period's end, or now when that is earlier."""

    start: datetime
    until: datetime

    @staticmethod
    def of(period: Period, now: datetime) -> Window:
        """The window of a period, seen at ``now``: what happens at this very instant has happened."""
        just_after = now + timedelta(microseconds=1)
        return Window(period.start, max(period.start, min(period.end, just_after)))


def tally(
    session: Session,
    document: SchemeDocument,
    kind: ObjectKind,
    window: Window,
    object_of: ObjectOf,
    rows: ColumnElement[bool],
) -> Tally:
    """All counts of a scheme within ``rows``: one query for each step and choice of instants."""
    found: dict[str | None, dict[str, Figure]] = defaultdict(dict)
    groups: dict[tuple[str, tuple[str, ...]], list[CountDef]] = defaultdict(list)
    for count in document.counts.values():
        groups[count.step, count.at].append(count)
    column = COLUMNS[OBJECT_COLUMN[kind]]
    for (step, _), counts in groups.items():
        sums = [part for count in counts for part in _sums(count, document.exemptions, window)]
        where = (COLUMNS["step"] == step, moment(counts[0], window), rows)
        for row in session.execute(select(column, *sums).where(*where).group_by(column)):
            figures = [Figure(_exact(row[2 * n + 1]), _exact(row[2 * n + 2])) for n in range(len(counts))]
            for key in dict.fromkeys((object_of(row[0]), None)):
                for count, figure in zip(counts, figures, strict=True):
                    found[key][count.id] = found[key].get(count.id, NONE) + figure
    return found


def moment(count: CountDef, window: Window) -> ColumnElement[bool]:
    """Whether one of the count's instants lies in the window."""
    return or_(*[_at(name, window) for name in count.at])


def condition(
    count: CountDef, exemptions: Mapping[str, ExemptionDef], window: Window, counted: bool
) -> ColumnElement[bool]:
    """The count's condition; ``counted``: exemptions leave steps out or overrule their verdict."""
    columns = _names(window)
    mine = [exemptions[name] for name in count.exemptions] if counted else []
    for effect, verdict in (("on_time", False), ("late", True)):
        for exemption in mine:
            if exemption.effect == effect:
                columns["late"] = case((_holds(exemption, window), literal(verdict)), else_=columns["late"])
    parts = [expression.sql(expression.parse(count.where), columns)]
    parts += [~_holds(exemption, window) for exemption in mine if exemption.effect == "leave_out"]
    return and_(*parts)


def listed(document: SchemeDocument, names: Iterable[str], window: Window, counted: bool = True) -> ColumnElement[bool]:
    """Steps that belong to at least one of the named counts."""
    counts = [document.counts[name] for name in names]
    return or_(*[belongs(count, document.exemptions, window, counted) for count in counts])


def belongs(
    count: CountDef, exemptions: Mapping[str, ExemptionDef], window: Window, counted: bool
) -> ColumnElement[bool]:
    """Steps behind one count."""
    return and_(COLUMNS["step"] == count.step, moment(count, window), condition(count, exemptions, window, counted))


def holds(exemption: ExemptionDef, window: Window) -> ColumnElement[bool]:
    """Steps that an exemption covers."""
    return _holds(exemption, window)


def _sums(count: CountDef, exemptions: Mapping[str, ExemptionDef], window: Window) -> list[ColumnElement[Any]]:
    amount: ColumnElement[Any] = literal(1)
    if count.sum is not None:
        amount = expression.sql(expression.parse(count.sum), _names(window))
    for name, weights in count.weights.items():
        amount = amount * case(weights, value=COLUMNS[name], else_=literal(1))
    chosen = [condition(count, exemptions, window, counted) for counted in (True, False)]
    return [func.sum(case((where, amount), else_=literal(0))) for where in chosen]


def _holds(exemption: ExemptionDef, window: Window) -> ColumnElement[bool]:
    found = expression.sql(expression.parse(exemption.where), _names(window))
    return func.coalesce(case((found, literal(True)), else_=literal(False)), literal(False)).is_(True)


def _at(name: str, window: Window) -> ColumnElement[bool]:
    if name == "standing":
        ended = COLUMNS["ended_at"]
        return and_(COLUMNS["began_at"] < window.until, or_(ended.is_(None), ended >= window.until))
    column = COLUMNS[f"{name}_at"]
    return and_(column >= window.start, column < window.until)


def _names(window: Window) -> dict[str, ColumnElement[Any]]:
    return {
        **COLUMNS,
        "period_start": literal(window.start, _INSTANT),
        "period_end": literal(window.until, _INSTANT),
    }


def _exact(found: Any) -> Fraction:
    return Fraction(0) if found is None else Fraction(str(found))

"""The sheet of the year: every standard indicator, counted from the clerk's book as docs/evaluate.md words it.

Each formula stands here in full and on its own; nothing is read from ``evaluation.yaml``. ``raw`` is what happened,
``counted`` is after exemptions: deferred cases are left out, a granted appeal is not held against anybody, and closing
by force is never in time. Run as a module it writes the sheet anew.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

from tests.evaluate.year import write_year
from tests.evaluate.year_book import Line
from tests.evaluate.year_hours import ZONE

SHEET = Path(__file__).parent / "data" / "year_sheet.csv"
Rate = tuple[Fraction, Fraction]
Figures = dict[str, Rate]
Key = tuple[str, str, str, str]
"""Period (``2026-03`` or ``2026``), object (of areas the level), its id (empty: the city), ``counted`` or ``raw``."""
OBJECTS: dict[str, Callable[[Line], str | None]] = {
    "department": lambda line: line.department,
    "city": lambda line: "4403",
    "district": lambda line: line.case.district,
    "cell": lambda line: line.case.cell,
    "post": lambda line: line.post,
    "person": lambda line: line.who,
}


@dataclass(frozen=True)
class Period:
    """From and to, the end not included."""

    start: datetime
    end: datetime

    def holds(self, at: datetime | None) -> bool:
        return at is not None and self.start <= at < self.end

    def waits(self, line: Line) -> bool:
        """Begun, and not over when the period ends."""
        return line.began < self.end and (line.ended is None or line.ended >= self.end)

    def overdue(self, line: Line) -> bool:
        return self.waits(line) and line.due is not None and line.due < self.end


def figures(lines: Iterable[Line], period: Period, raw: bool) -> Figures:
    """Numerator and denominator of every indicator over some lines of the book."""
    book = _Book(list(lines), period, raw)
    return {**_before_handling(book), **_handling(book), **_closing(book), **_satisfaction(book)}


@dataclass(frozen=True)
class _Book:
    lines: Sequence[Line]
    period: Period
    raw: bool

    def done(self, step: str, outcome: str | None = None) -> list[Line]:
        """Lines that ended in the period."""
        return [
            line for line in self.lines
            if line.step == step and self.period.holds(line.ended) and outcome in (None, line.outcome)
        ]  # fmt: skip

    def judged(self, lines: Iterable[Line]) -> list[Line]:
        """Without deferred cases, unless it is asked what happened."""
        return [line for line in lines if self.raw or not line.case.deferred]

    def in_time(self, line: Line) -> bool:
        return not line.late or (line.case.exempt and not self.raw)

    def due(self, step: str) -> list[Line]:
        """Over in the period, whatever came of it, or still to be done at its end."""
        return self.done(step) + [line for line in self.lines if line.step == step and self.period.waits(line)]

    def overdue(self, step: str) -> list[Line]:
        return self.judged(line for line in self.lines if line.step == step and self.period.overdue(line))


def _rate(top: Sequence[Line] | int, bottom: Sequence[Line] | int) -> Rate:
    size = [part if isinstance(part, int) else len(part) for part in (top, bottom)]
    return Fraction(size[0]), Fraction(size[1])


def _prompt(lines: Iterable[Line]) -> list[Line]:
    return [line for line in lines if not line.late]


def _before_handling(book: _Book) -> Figures:
    reported = [line for line in book.lines if line.step == "report" and book.period.holds(line.began)]
    accepted, filed, sent = book.done("accept", "accept"), book.done("file", "file"), book.done("dispatch", "dispatch")
    visits, to_send = book.due("verify"), book.due("dispatch")
    return {
        "effective_report_rate": _rate([line for line in reported if line.case.filed], reported),
        "accept_on_time_rate": _rate(_prompt(accepted), accepted),
        "verify_on_time_rate": _rate(_prompt(book.done("verify")), visits),
        "file_on_time_rate": _rate(_prompt(filed), filed),
        "file_accuracy_rate": _rate([line for line in filed if not line.case.voided], filed),
        "dispatch_on_time_rate": _rate(_prompt(sent), to_send),
        "dispatch_accuracy_rate": _rate([line for line in sent if not line.returned], to_send),
    }


def _handling(book: _Book) -> Figures:
    confirmed = book.done("handle", "confirm")
    handled, overdue = book.judged(confirmed), book.overdue("handle")
    due = len(handled) + len(overdue)
    seconds = sum(line.used or 0 for line in confirmed)
    elapsed = sum(int((line.ended - line.began).total_seconds()) for line in confirmed if line.ended)
    return {
        "handle_rate": _rate(handled, due),
        "handle_on_time_rate": _rate([line for line in handled if book.in_time(line)], due),
        "overdue_rate": _rate(overdue, due),
        "extension_rate": _rate([line for line in confirmed if line.extended], due),
        "suspension_rate": _rate([line for line in confirmed if line.suspended], due),
        "mean_handling_hours": (Fraction(seconds, 3600), Fraction(len(confirmed))),
        "mean_elapsed_hours": (Fraction(elapsed, 3600), Fraction(len(handled))),
    }


def _closing(book: _Book) -> Figures:
    closed, forced = book.judged(book.done("case", "closed")), book.judged(book.done("case", "force_closed"))
    waiting = [line for line in book.overdue("case") if line.case.filed]
    due = len(closed) + len(forced) + len(waiting)
    in_time = [line for line in closed if book.in_time(line)]
    reworked = [line for line in book.judged(book.done("handle", "confirm")) if line.rework]
    visits = book.due("inspect")
    return {
        "rework_rate": _rate(reworked, due),
        "inspect_on_time_rate": _rate(_prompt(book.done("inspect")), visits),
        "close_rate": _rate(closed, due),
        "close_on_time_rate": _rate(in_time, due),
        "close_late_rate": _rate(len(closed) - len(in_time) + len(forced), due),
    }


def _satisfaction(book: _Book) -> Figures:
    rated = book.done("rate")
    return {
        "satisfaction_rate": _rate([line for line in rated if line.rating >= 4], rated),
        "mean_rating": _rate(sum(line.rating for line in rated), rated),
    }


def periods() -> Iterator[tuple[str, Period]]:
    """The months of 2026, then the year."""
    firsts = [datetime(2026, month, 1, tzinfo=ZONE) for month in range(1, 13)] + [datetime(2027, 1, 1, tzinfo=ZONE)]
    for start, end in pairwise(firsts):
        yield f"{start:%Y-%m}", Period(start, end)
    yield "2026", Period(firsts[0], firsts[-1])


def counted(lines: Sequence[Line]) -> dict[Key, Figures]:
    """The whole sheet: every period, object and view; who has nothing to count does not stand in it."""
    sheet: dict[Key, Figures] = {}
    for name, period in periods():
        near = [line for line in lines if line.began < period.end and (not line.ended or line.ended >= period.start)]
        for object_, of in OBJECTS.items():
            mine: dict[str, list[Line]] = {"": near}
            for line in near:
                mine.setdefault(of(line) or "", []).append(line) if of(line) else None
            for id_, some in sorted(mine.items()):
                for view in ("counted", "raw"):
                    found = figures(some, period, view == "raw")
                    if any(any(rate) for rate in found.values()):
                        sheet[name, object_, id_, view] = found
    return sheet


def write_sheet(sheet: dict[Key, Figures]) -> None:
    """One line for each object of each period; a cell is ``numerator/denominator``."""
    names = list(next(iter(sheet.values())))
    with SHEET.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(["period", "object", "id", "view", *names])
        for key, found in sheet.items():
            out.writerow([*key, *(f"{_plain(found[name][0])}/{_plain(found[name][1])}" for name in names)])


def read_sheet() -> dict[Key, Figures]:
    """The sheet as it is kept."""
    with SHEET.open(encoding="utf-8", newline="") as file:
        return {
            (row.pop("period"), row.pop("object"), row.pop("id"), row.pop("view")): {
                name: _rate_of(cell) for name, cell in row.items()
            }
            for row in csv.DictReader(file)
        }


def _plain(number: Fraction) -> str:
    """A whole number, or four decimals: hours."""
    return str(int(number)) if number.denominator == 1 else f"{float(number):.4f}"


def _rate_of(cell: str) -> Rate:
    top, _, bottom = cell.partition("/")
    return Fraction(top), Fraction(bottom)


if __name__ == "__main__":
    write_sheet(counted([line for story in write_year() for line in story.lines]))

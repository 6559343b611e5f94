"""Open spans of a calendar with running sums: how much time counts between two instants, and when it is used up.

A span is half open: its start counts, its end does not. All instants and amounts are microseconds (``days.SECOND``).
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from dataclasses import dataclass, field
from fractions import Fraction


@dataclass
class Spans:
    """The open spans of whole years in [``low``, ``high``). Filled once by :meth:`add_day`, never changed after."""

    low: int
    high: int
    _starts: list[int] = field(default_factory=list)
    _ends: list[int] = field(default_factory=list)
    _sums: list[int] = field(default_factory=lambda: [0])
    _closes: list[int] = field(default_factory=list)
    _day_sums: list[int] = field(default_factory=lambda: [0])
    _unconfirmed: list[tuple[int, int]] = field(default_factory=list)

    def add_day(self, spans: Iterable[tuple[int, int]]) -> None:
        """Append the open spans of the next working day, in order."""
        for start, end in spans:
            self._starts.append(start)
            self._ends.append(end)
            self._sums.append(self._sums[-1] + end - start)
        self._closes.append(self._ends[-1])
        self._day_sums.append(self._sums[-1])

    def add_unconfirmed(self, start: int, end: int) -> None:
        """Append the next date whose kind has not been announced."""
        self._unconfirmed.append((start, end))

    def covers(self, first: int, last: int) -> bool:
        """Whether both instants lie inside."""
        return self.low <= first < self.high and self.low <= last < self.high

    def counted(self, at: int) -> int:
        """Counted time from ``low`` to ``at``."""
        place = bisect_right(self._starts, at) - 1
        if place < 0:
            return 0
        return self._sums[place] + min(at, self._ends[place]) - self._starts[place]

    def used_up(self, wanted: int) -> int | None:
        """The first instant by which :meth:`counted` reaches ``wanted`` (above 0); ``None`` beyond the end."""
        place = bisect_left(self._sums, wanted) - 1
        return self._starts[place] + wanted - self._sums[place] if place < len(self._starts) else None

    def opening(self, at: int) -> int | None:
        """The first counted instant at or after ``at``."""
        place = bisect_right(self._ends, at)
        return max(at, self._starts[place]) if place < len(self._starts) else None

    def close_after(self, at: int, days: int) -> int | None:
        """The ``days``-th close of a working day after ``at``."""
        place = bisect_right(self._closes, at) + days - 1
        return self._closes[place] if place < len(self._closes) else None

    def close_from(self, at: int) -> int | None:
        """The first close of a working day at or after ``at``."""
        place = bisect_left(self._closes, at)
        return self._closes[place] if place < len(self._closes) else None

    def office_days(self, at: int) -> Fraction:
        """Working days from ``low`` to ``at``; a begun day counts as the share of its own office hours."""
        counted = self.counted(at)
        place = bisect_right(self._day_sums, counted) - 1
        if place >= len(self._closes):
            return Fraction(place)
        before, after = self._day_sums[place], self._day_sums[place + 1]
        return place + Fraction(counted - before, after - before)

    def counted_at_day(self, wanted: Fraction) -> int | None:
        """Counted time by which ``wanted`` office days (above 0, as of :meth:`office_days`) are used up."""
        whole = -(-wanted.numerator // wanted.denominator) - 1
        if whole >= len(self._closes):
            return None
        before, after = self._day_sums[whole], self._day_sums[whole + 1]
        return before + round((wanted - whole) * (after - before))

    def unconfirmed(self, start: int, end: int) -> bool:
        """Whether [``start``, ``end``) touches an unannounced date."""
        place = bisect_left(self._unconfirmed, (end, end)) - 1
        return place >= 0 and self._unconfirmed[place][1] > start

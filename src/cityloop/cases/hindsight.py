"""What another table of responsibility would have done with cases of the past. Pure.

Load and speed of the past are not there any more, so of equals it is only said that they are equals.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from cityloop.cases.dispatch import Match
from cityloop.cases.dispatcher import PastCase

Answer = Callable[[PastCase], Match | None]


@dataclass
class Hindsight:
    """Counts over past cases; ``elsewhere`` holds those whose row names other departments."""

    cases: int = 0
    unmatched_before: int = 0
    unmatched_after: int = 0
    agreed_before: int = 0
    """Cases that are, or ended, with a department that the table in force names."""
    agreed_after: int = 0
    elsewhere: list[tuple[PastCase, Match | None, Match | None]] = field(default_factory=list)
    departments_before: Counter[str] = field(default_factory=Counter)
    departments_after: Counter[str] = field(default_factory=Counter)
    rows_before: Counter[str] = field(default_factory=Counter)
    rows_after: Counter[str] = field(default_factory=Counter)

    def add(self, case: PastCase, before: Match | None, after: Match | None) -> None:
        """Count one case."""
        self.cases += 1
        self.unmatched_before += before is None
        self.unmatched_after += after is None
        self.agreed_before += before is not None and case.department in before.equals
        self.agreed_after += after is not None and case.department in after.equals
        for match, departments, rows in (
            (before, self.departments_before, self.rows_before),
            (after, self.departments_after, self.rows_after),
        ):
            if match is not None:
                departments.update(match.equals)
                rows[match.row] += 1
        if set(before.equals if before else ()) != set(after.equals if after else ()):
            self.elsewhere.append((case, before, after))


def look_back(cases: Iterable[PastCase], before: Answer, after: Answer) -> Hindsight:
    """Ask both tables about every case."""
    found = Hindsight()
    for case in cases:
        found.add(case, before(case), after(case))
    return found

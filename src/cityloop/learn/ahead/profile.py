"""What a slot of the day usually shows, from days that could be known: never from the own day.

A profile that contains the row's own day tells the answer to the model that is trained on it. Here a target's profile
leaves out its own day, and as many days before it as a horizon can reach past the origin. Where the past is short all
other days count; where it is long only the last ``memory`` days do, so that the profile follows the seasons.
"""

from __future__ import annotations

import numpy as np

from cityloop.learn.ahead.grid import Calendar, Floats, Grid, Ints

MEMORY = 28
"""Days of a rolling profile; a past of less than three times as many is too short to spare any."""
_SMOOTH = 1
"""Slots on either side that lend a slot their values."""
_LENT = 1.0
"""Weight of the mean of all days beside the days of the same kind."""


class Profile:
    """Sums of a known past by day, slot and entity. Steps behind that past may be asked for, too."""

    def __init__(self, grid: Grid, longest: int, until: int | None = None, memory: int = MEMORY) -> None:
        """``longest``: the longest horizon in steps; ``until``: the step at which the part to learn from ends.

        A profile of all other days takes only values before ``until``; a rolling one goes on with the grid, since no
        day of it looks ahead.
        """
        learned = grid.before(until) if until is not None else grid
        self.rolling = learned.steps > 3 * memory * grid.calendar.slots
        known = grid if self.rolling else learned
        self._calendar = known.calendar
        held = known.calendar.day[: known.steps]
        self._first = int(known.calendar.day[0])
        days = int(held[-1]) - self._first + 1
        self.reach = -(-(longest + _SMOOTH) // known.calendar.slots) - 1
        """Days before the own one that may hold values later than the origin."""
        self._memory = memory
        self._kind = np.ones(days, np.int64)
        self._kind[held - self._first] = known.calendar.kind[: known.steps]
        self._total, self._count = _cubes(known, held - self._first, days)
        self._tables: dict[tuple[int, int], Floats] = {}

    def at(self, step: Ints) -> Floats:
        """What the slots of these steps usually show; shape (len(step), entities), NaN where nothing is known."""
        calendar: Calendar = self._calendar
        found = np.empty((len(step), self._total.shape[2]), np.float32)
        for day in np.unique(calendar.day[step]):
            mine = np.flatnonzero(calendar.day[step] == day)
            table = self._table(int(day) - self._first, int(calendar.kind[step[mine[0]]]))
            found[mine] = table[calendar.slot[step[mine]]]
        return found

    def days(self, day: int) -> Ints:
        """The days (from the first) that the profile of ``day`` rests on."""
        known = np.arange(len(self._kind))
        if not self.rolling:
            return np.flatnonzero((known < day - self.reach) | (known > day))
        return np.flatnonzero((known < day - self.reach) & (known >= day - self.reach - self._memory))

    def _table(self, day: int, kind: int) -> Floats:
        if (day, kind) not in self._tables:
            days = self.days(day)
            own = days[self._kind[days] == kind]
            count, whole = self._count[days].sum(0), self._total[days].sum(0)
            mean = np.where(count > 0, whole / np.maximum(count, 1), np.nan)
            weighed = self._total[own].sum(0) + _LENT * mean
            self._tables[day, kind] = (weighed / (self._count[own].sum(0) + _LENT)).astype(np.float32)
        return self._tables[day, kind]


def _cubes(known: Grid, day: Ints, days: int) -> tuple[Floats, Floats]:
    """Sum and count of every day and slot, each with its neighbours; shape (days, slots, entities)."""
    shape = (days, known.calendar.slots, known.entities)
    total, count = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    place = (day, known.calendar.slot[: known.steps])
    total[place], count[place] = np.nan_to_num(known.values), ~np.isnan(known.values)
    return _smoothed(total), _smoothed(count)


def _smoothed(cube: Floats) -> Floats:
    found = cube.copy()
    for shift in range(1, _SMOOTH + 1):
        found[:, shift:] += cube[:, :-shift]
        found[:, :-shift] += cube[:, shift:]
    return found

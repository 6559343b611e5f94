"""Two ways to empty the measured bins of Edinburgh: on fixed days, or when foretold to be full before the next round.

Between two emptyings a bin is taken to have filled evenly, up to what was found. Both ways drive rounds planned by the
same code at 06:00; the second knows only what its own emptyings found.
``python -m tests.linkage.bin_rounds`` prints the figures of the whole city.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl

from cityloop.linkage.routing import Crew, Stop, plan_rounds

CITY = Path(__file__).parents[2] / "cities" / "demo"
HOUR = 3600.0
KNOWN_DAYS, DAYS = 3, 9
"""Days whose emptyings teach how fast each bin fills, and days that are played after them."""


@dataclass(frozen=True)
class Bin:
    """A bin, the hours since the start at which it was really emptied, and the points filled by then in all."""

    id: str
    lon: float
    lat: float
    litres: float
    hours: tuple[float, ...]
    points: tuple[float, ...]

    def filled(self, hour: float) -> float:
        """Points (hundredths of the bin) thrown in until this hour."""
        return float(np.interp(hour, self.hours, self.points))

    def pace(self, until: float) -> float:
        """Points an hour as known at this hour, from its emptyings before."""
        known = max(1, sum(hour <= until for hour in self.hours) - 1)
        return self.points[known] / (self.hours[known] - self.hours[0])


@dataclass(frozen=True)
class Outcome:
    """What a way of emptying costs: kilometres, stops, hours of full bins, and stops nobody could reach."""

    kilometres: float
    stops: int
    overflow: int
    left_out: int


def bins(most: int | None = None) -> list[Bin]:
    """The bins that were emptied from the first days to the last, in order of longitude."""
    rows = pl.read_parquet(CITY / "series" / "bin-emptying.parquet").sort("bin", "time")
    start = rows["time"].min()
    rows = rows.with_columns(hour=(pl.col("time") - start).dt.total_seconds() / HOUR)
    places = pl.read_csv(CITY / "entities" / "WasteContainer.csv", schema_overrides={"id": pl.String})
    where = {row["id"]: row for row in places.to_dicts()}
    found = [made for (name,), part in rows.group_by("bin") if (made := _bin(where[str(name)], part.sort("hour")))]
    return sorted(found, key=lambda one: (one.lon, one.id))[:most]


def _bin(place: Mapping[str, float | str], rows: pl.DataFrame) -> Bin | None:
    hours, found = rows["hour"].to_list(), rows["fill_before_pct"].to_list()
    early, late = KNOWN_DAYS * 24.0, (KNOWN_DAYS + DAYS) * 24.0
    if sum(hour < early for hour in hours) < 2 or hours[-1] < late:
        return None
    litres = statistics.median((rows["volume_l"] / rows["fill_before_pct"] * 100).to_list())
    points = tuple(np.cumsum([0.0, *found[1:]]).tolist())
    return Bin(str(place["id"]), float(place["lon"]), float(place["lat"]), litres, tuple(hours), points)


def crews(of: Sequence[Bin], count: int) -> list[Crew]:
    """Crews that start at the middle of equal parts of the bins, with 8 m³ and two unloadings in eight hours."""
    parts = np.array_split(np.arange(len(of)), count)
    middle = [of[int(part[len(part) // 2])] for part in parts]
    return [Crew(id=f"c{n}", lon=one.lon, lat=one.lat, capacity=8000, unloads=2) for n, one in enumerate(middle)]


Choice = Callable[[int, Sequence["Standing"]], Iterable["Standing"]]


@dataclass
class Standing:
    """What a way of emptying knows of a bin, and where the bin truly is."""

    bin: Bin
    emptied: float
    base: float
    pace: float

    def truth(self, hour: float) -> float:
        """Points in the bin."""
        return self.bin.filled(hour) - self.base

    def foretold(self, hour: float) -> float:
        """Points expected in the bin."""
        return (hour - self.emptied) * self.pace

    def empty(self, hour: float) -> None:
        """Empty it; what was found corrects the pace."""
        found = min(100.0, self.truth(hour))
        if hour > self.emptied:
            self.pace += 0.3 * (found / (hour - self.emptied) - self.pace)
        self.emptied, self.base = hour, self.bin.filled(hour)


def play(of: Sequence[Bin], fleet: Sequence[Crew], choice: Choice, effort: int = 60) -> Outcome:
    """Drive a round every morning for the days that are played."""
    begin = KNOWN_DAYS * 24.0
    standing = [Standing(one, begin, one.filled(begin), one.pace(begin)) for one in of]
    metres = stops = overflow = left_out = 0
    for day in range(DAYS):
        morning = begin + day * 24
        wanted = {found.bin.id: found for found in choice(day, standing)}
        plan = plan_rounds([_stop(found, morning) for found in wanted.values()], fleet, effort=effort)
        visits = {visit.stop: visit.at / HOUR for found in plan.rounds for visit in found.visits}
        metres, stops, left_out = metres + plan.metres, stops + len(visits), left_out + len(plan.left_out)
        for hour in range(24):
            for found in standing:
                at = visits.get(found.bin.id)
                if at is not None and hour <= at < hour + 1:
                    found.empty(morning + at)
                overflow += found.truth(morning + hour + 1) >= 100
    return Outcome(metres / 1000, stops, overflow, left_out)


def _stop(found: Standing, morning: float) -> Stop:
    full = min(100.0, max(found.foretold(morning + 8), 1.0))
    return Stop(
        id=found.bin.id, lon=found.bin.lon, lat=found.bin.lat, load=found.bin.litres * full / 100, closes=28_800
    )


def fixed(every: int) -> Choice:
    """Each bin every so many days, a part of the city each day."""
    return lambda day, standing: [
        found for n, found in enumerate(standing) if n * every // len(standing) == day % every
    ]


def resting(every: int) -> Choice:
    """Each bin daily but for one day of so many, another part of the city each day."""
    return lambda day, standing: [
        found for n, found in enumerate(standing) if n * every // len(standing) != day % every
    ]


def foretold(threshold: float, begin: float = KNOWN_DAYS * 24.0) -> Choice:
    """The bins expected to reach the threshold before the next morning's round is over."""
    return lambda day, standing: [found for found in standing if found.foretold(begin + day * 24 + 28) >= threshold]


def main() -> None:
    """Print the figures of the whole city."""
    of = bins()
    fleet = crews(of, 6)
    ways: dict[str, Choice] = {f"fixed, every {n} days": fixed(n) for n in (1, 2, 3)}
    ways |= {f"fixed, {n - 1} days of {n}": resting(n) for n in (3, 4, 5, 6)}
    ways |= {f"foretold {n} %": foretold(n) for n in (50, 60, 70, 80, 90, 100)}
    for name, way in ways.items():
        sys.stdout.write(f"{name:24} {play(of, fleet, way)}\n")


if __name__ == "__main__":
    main()

"""The scoreboard and the hours of a feed, within the asker's sight."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from cityloop.access.door import Scope
from cityloop.core.errors import Invalid
from cityloop.core.values import Title
from cityloop.core.web import Paging
from cityloop.quality.breaches import Breaches
from cityloop.quality.content import Terms
from cityloop.quality.meter import Meter
from cityloop.quality.schemas import By, HourCell, HoursView, PartView, ScorePage, ScoreRow
from cityloop.quality.scheme import DIMENSIONS, Counts, Part, Scheme, parts, score
from cityloop.quality.slots import age


@dataclass(frozen=True)
class Period:
    """[first, last) as seen at ``now``."""

    first: datetime
    last: datetime
    now: datetime


class Board:
    """Counts of feeds, gathered and scored."""

    def __init__(self, meter: Meter, scheme: Scheme, breaches: Breaches, departments: Mapping[str, Title]) -> None:
        self._meter = meter
        self._scheme = scheme
        self._breaches = breaches
        self._departments = departments

    def scores(self, scope: Scope, by: By, period: Period, paged: Paging, department: str | None) -> ScorePage:
        """One line for each department, feed or entity type that the asker may see."""
        rows = _sorted(self.rows(scope, by, period, department), paged.sort)
        page = rows[paged.offset : paged.offset + paged.size]
        return ScorePage.model_validate(
            {
                "items": page,
                "total": len(rows),
                "page": paged.page,
                "size": paged.size,
                "from": period.first,
                "to": period.last,
            }
        )

    def rows(self, scope: Scope, by: By, period: Period, department: str | None = None) -> list[ScoreRow]:
        """All lines, unsorted."""
        groups: dict[str, list[Terms]] = {}
        for terms in self._meter.feeds():
            if scope.lets({"department": terms.department}) and department in (None, terms.department):
                key = {"department": terms.department, "feed": terms.feed, "entity_type": terms.entity_type}[by]
                groups.setdefault(key, []).append(terms)
        counted = self._breaches.open_counts()
        return [self._row(by, key, members, period, counted) for key, members in groups.items()]

    def score_of(self, feed: str, period: Period) -> float | None:
        """One feed's score, 0 to 100."""
        counts = self._meter.counts(feed, period.first, period.last, period.now)
        return score(parts(self._scheme, counts, self._meter.terms(feed).completeness))

    def hours(self, terms: Terms, period: Period) -> HoursView:
        """A feed stretch by stretch."""
        grid, rhythm = self._meter.grid(terms), terms.rhythm
        cells = self._meter.cells(terms.feed, period.first, period.last, period.now)
        newest = self._meter.source.newest(terms.feed)
        old = age(newest, period.now, terms.hours) if newest else None
        return HoursView(
            feed=terms.feed,
            title=terms.title,
            department=terms.department,
            entity_type=terms.entity_type,
            grain_seconds=grid.every.total_seconds(),
            expected_every_seconds=rhythm.grid.every.total_seconds() if rhythm else None,
            fresh_seconds=terms.fresh.total_seconds(),
            hours=terms.window,
            fresh=old is not None and old <= terms.fresh,
            newest=newest,
            age_seconds=old.total_seconds() if old is not None else None,
            cells=[_cell(grid.at(n), cells.get(n, Counts())) for n in grid.within(period.first, period.last)],
        )

    def fresh(self, terms: Terms, now: datetime) -> bool | None:
        """Whether the newest record is young enough; ``None`` for a feed that never brought one."""
        newest = self._meter.source.newest(terms.feed)
        return None if newest is None else age(newest, now, terms.hours) <= terms.fresh

    def _row(self, by: By, key: str, members: Sequence[Terms], period: Period, counted: Mapping[str, int]) -> ScoreRow:
        counts = sum((self._meter.counts(t.feed, period.first, period.last, period.now) for t in members), Counts())
        declared = members[0].completeness if len(members) == 1 else None
        found = parts(self._scheme, counts, declared)
        value = score(found)
        known = [fresh for terms in members if (fresh := self.fresh(terms, period.now)) is not None]
        departments = {terms.department for terms in members}
        return ScoreRow(
            id=key,
            title=self._title(by, key, members[0]),
            department=departments.pop() if len(departments) == 1 else None,
            score=rounded(value),
            grade=self._scheme.grade(value),
            feeds=[terms.feed for terms in members],
            breaches=sum(counted.get(terms.feed, 0) for terms in members),
            fresh=all(known) if known else None,
            dimensions=[part_view(part) for part in found],
        )

    def _title(self, by: By, key: str, one: Terms) -> Title:
        if by == "feed":
            return one.title
        if by == "entity_type":
            return self._meter.source.mappings[one.feed].entity_type.title
        return self._departments.get(key, Title(zh=key, en=key))


def part_view(part: Part) -> PartView:
    """A dimension as it crosses the wire."""
    return PartView(
        id=part.dimension,
        score=rounded(part.share * 100) if part.share is not None else None,
        numerator=part.numerator,
        denominator=part.denominator,
        weight=part.weight,
        least=part.least,
        enough=part.enough,
        below=part.below,
    )


def rounded(value: float | None) -> float | None:
    """Two decimals: enough to compare, few enough to read."""
    return None if value is None else round(value, 2)


def _cell(at: datetime, counts: Counts) -> HourCell:
    shares = {}
    for dimension in DIMENSIONS:
        numerator, denominator = counts.part(dimension)
        shares[dimension] = round(numerator / denominator, 4) if denominator else None
    return HourCell(
        at=at,
        expected=counts.expected,
        received=counts.received,
        accepted=counts.accepted,
        quarantined=counts.quarantined,
        duplicate=counts.duplicate,
        late=counts.late,
        inconsistent=counts.inconsistent,
        **shares,
    )


def _sorted(rows: list[ScoreRow], sort: str) -> list[ScoreRow]:
    name, down = sort.removeprefix("-"), sort.startswith("-")
    if name in ("", "score"):
        value = {row.id: row.score for row in rows}
    elif name in DIMENSIONS:
        value = {row.id: next(part.score for part in row.dimensions if part.id == name) for row in rows}
    elif name in ("id", "title"):
        return sorted(rows, key=lambda row: row.id if name == "id" else row.title.zh, reverse=down)
    else:
        raise Invalid(f"scores cannot be sorted by '{name}'", f"known: score, id, title, {', '.join(DIMENSIONS)}")
    # What has no score stands last either way.
    known = sorted((row for row in rows if value[row.id] is not None), key=lambda r: value[r.id] or 0.0, reverse=down)
    return [*known, *(row for row in rows if value[row.id] is None)]

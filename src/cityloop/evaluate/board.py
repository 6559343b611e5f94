"""Makes sheets of scores from counts, and boards from sheets. A sheet is exact; a board is rounded for people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from cityloop.access.models import AccountRow
from cityloop.access.policy import Policy
from cityloop.city.schemas import AreaLevel
from cityloop.city.service import City
from cityloop.core.errors import NotFound
from cityloop.core.values import Title
from cityloop.evaluate.content import Book
from cityloop.evaluate.declarations import GradeDef, ItemDef, ObjectKind, SchemeDocument
from cityloop.evaluate.periods import Period
from cityloop.evaluate.schemas import Before, ColumnView, GradeView, ItemView, Number, PeriodView, Row
from cityloop.evaluate.scoring import ItemScore, Place, Scored, grade, ranks, rounded, score, shown
from cityloop.evaluate.tally import NONE, ObjectOf, Window, tally

WHOLE = ""
"""Id of the row that stands for the whole city."""
_WHOLE_TITLE = Title(zh="全市", en="Whole city")
_SMALL = Title(zh="样本不足，不参与排名", en="too few cases to be ranked")
_NOTHING = Title(zh="本期没有可评价的案件", en="nothing to judge in this period")


@dataclass(frozen=True)
class Sheet:
    """The scores of one period, exact: by object, and for the whole."""

    scored: Mapping[str, Scored]
    places: Mapping[str, Place]
    titles: Mapping[str, Title]
    whole: Scored


@dataclass(frozen=True)
class Earlier:
    """What a later board says of a period before: rounded scores, ranks and values."""

    before: Mapping[str, Before]
    values: Mapping[str, Mapping[str, Number | None]]


class Sheets:
    """Makes sheets out of the store."""

    def __init__(self, city: City, book: Book, policy: Policy) -> None:
        self._city, self._book, self._policy = city, book, policy

    def sheet(
        self,
        session: Session,
        document: SchemeDocument,
        kind: ObjectKind,
        level: AreaLevel,
        period: Period,
        now: datetime,
        rows: ColumnElement[bool],
    ) -> Sheet:
        """Score every object of a kind over the steps within ``rows``."""
        counts = tally(session, document, kind, Window.of(period, now), self.object_of(kind, level), rows)
        found = [name for name in counts if name is not None]
        titles = self._titles(session, kind, level, found)
        attributes = self._book.attributes.get(kind, {})
        scored = {name: score(document, counts.get(name, {}), attributes.get(name)) for name in titles}
        ties = {name: [counts.get(name, {}).get(tie, NONE).counted for tie in document.scheme.tie] for name in titles}
        return Sheet(scored, ranks(scored, ties), titles, score(document, counts.get(None, {})))

    def object_of(self, kind: ObjectKind, level: AreaLevel) -> ObjectOf:
        """From a value of the object's column to the object that it belongs to."""
        if kind != "area":
            return lambda value: value
        ancestors = self._ancestors(level)
        return lambda value: ancestors.get(value or "")

    def areas_below(self, area: str, level: AreaLevel) -> list[str]:
        """An area of a level and everything in it."""
        return [code for code, ancestor in self._ancestors(level).items() if ancestor == area]

    def _ancestors(self, level: AreaLevel) -> dict[str, str]:
        found: dict[str, str] = {}
        for area in self._city.areas.list():
            if area.level == level:
                found[area.code] = area.code
            elif area.parent in found:
                found[area.code] = found[area.parent]
        return found

    def _titles(self, session: Session, kind: ObjectKind, level: AreaLevel, found: list[str]) -> dict[str, Title]:
        """The objects of a board: those that must be on it even without a case, and those that were counted."""
        if kind == "department":
            departments = self._city.departments
            expected = [d.id for d in departments.values() if d.kind == "department"]
            return {
                name: known.title if (known := departments.get(name)) else Title(zh=name, en=name)
                for name in dict.fromkeys([*expected, *sorted(found)])
            }
        if kind == "area":
            return {area.code: area.title for area in self._city.areas.list(level)}
        if kind == "post":
            posts = self._policy.posts
            return {name: posts[name].title if name in posts else Title(zh=name, en=name) for name in sorted(found)}
        accounts = {row.id: row for row in session.scalars(select(AccountRow).where(AccountRow.id.in_(found)))}
        return {
            name: Title(zh=row.name_zh, en=row.name_en) if (row := accounts.get(name)) else Title(zh=name, en=name)
            for name in sorted(found)
        }


def check_object(document: SchemeDocument, kind: ObjectKind | None) -> ObjectKind:
    """The object of a board; raises :class:`NotFound` where the scheme does not judge such objects."""
    objects = document.scheme.objects
    if kind is not None and kind not in objects:
        detail = f"scheme '{document.scheme.id}' does not judge the object '{kind}'"
        raise NotFound(detail, f"it judges: {', '.join(objects)}")
    return kind or objects[0]


def rows_of(document: SchemeDocument, sheet: Sheet, earlier: Earlier | None) -> list[Row]:
    """The rows of a board, ranked ones first."""
    rows = [
        _row(document, name, title, sheet.scored[name], sheet.places.get(name), earlier)
        for name, title in sheet.titles.items()
    ]
    return sorted(rows, key=by_rank)


def whole_of(document: SchemeDocument, sheet: Sheet, earlier: Earlier | None) -> Row:
    """The row of the whole: sum over sum, never the mean of rates, and without a rank."""
    return _row(document, WHOLE, _WHOLE_TITLE, sheet.whole, None, earlier)


def earlier_of(rows: list[Row]) -> Earlier:
    """What a later board says of these rows."""
    return Earlier(
        {row.id: Before(score=row.score, rank=row.rank) for row in rows},
        {row.id: {item.id: item.value for item in row.items} for row in rows},
    )


def by_rank(row: Row) -> tuple[bool, int, str]:
    """Ranked rows by rank, then the others by title."""
    return row.rank is None, row.rank or 0, row.title.zh


def columns_of(document: SchemeDocument) -> list[ColumnView]:
    """The items as columns."""
    found = []
    for item in document.scheme.items:
        indicator = document.indicators[item.indicator]
        found.append(
            ColumnView(
                id=item.id,
                title=item.title or indicator.title,
                indicator=indicator.id,
                indicator_version=indicator.version,
                points=tidy(item.points),
                bonus=item.bonus,
                **indicator.model_dump(include=set(_SHARED)),
            )
        )
    return found


_SHARED = ("unit", "better", "decimals", "clause", "numerator", "denominator")


def grade_view(found: GradeDef) -> GradeView:
    """A grade on the wire."""
    return GradeView(id=found.id, title=found.title, colour=found.colour, least=tidy(found.least))


def period_view(period: Period) -> PeriodView:
    """A period on the wire."""
    return PeriodView(
        kind=period.kind,
        start=period.start,
        end=period.end,
        first=period.first,
        last=period.last,
        title=period.title,
    )


def tidy(number: float | Fraction) -> Number:
    """A whole number without its point."""
    return int(number) if number == int(number) else round(float(number), 6)


def maybe(number: Fraction | None) -> Number | None:
    """:func:`tidy` for what may be undefined."""
    return None if number is None else tidy(number)


def _row(
    document: SchemeDocument, name: str, title: Title, scored: Scored, place: Place | None, earlier: Earlier | None
) -> Row:
    found = grade(document.scheme.grades, scored.score)
    before = earlier.before.get(name) if earlier else None
    total = rounded(scored.score)
    values = earlier.values.get(name, {}) if earlier else {}
    return Row(
        id=name,
        title=title,
        rank=place.rank if place else None,
        shared=place.shared if place else False,
        score=total,
        grade=grade_view(found) if found else None,
        ranked=scored.ranked,
        why_unranked=None if scored.ranked else (_NOTHING if scored.score is None else _SMALL),
        before=before,
        score_change=_less(total, before.score if before else None),
        rank_change=before.rank - place.rank if before and before.rank and place else None,
        items=[_item(item, values.get(item.item.id)) for item in scored.items],
    )


def _item(found: ItemScore, before: Number | None) -> ItemView:
    indicator = found.indicator
    return ItemView(
        id=found.item.id,
        value=maybe(found.counted.value),
        shown=shown(found.counted.value, indicator.unit, indicator.decimals),
        numerator=maybe(found.counted.numerator),
        denominator=maybe(found.counted.denominator),
        raw_value=maybe(found.raw.value),
        raw_shown=shown(found.raw.value, indicator.unit, indicator.decimals),
        raw_numerator=maybe(found.raw.numerator),
        raw_denominator=maybe(found.raw.denominator),
        enough=found.enough,
        before_value=before,
        points=tidy(found.item.points),
        score=rounded(found.score, 4),
        how=found.how,
    )


def _less(now: Number | None, before: Number | None) -> Number | None:
    return None if now is None or before is None else round(now - before, 2)


def item_of(document: SchemeDocument, name: str) -> ItemDef:
    """An item by id; raises :class:`NotFound`."""
    for item in document.scheme.items:
        if item.id == name:
            return item
    known = ", ".join(item.id for item in document.scheme.items)
    raise NotFound(f"scheme '{document.scheme.id}' has no item '{name[:60]}'", f"one of: {known}")

"""What a changed scheme would have done to past periods: plan and explanation; nothing is written here."""

from __future__ import annotations

from collections import Counter
from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from cityloop.core.errors import Invalid
from cityloop.evaluate.board import Sheet, Sheets, maybe, period_view
from cityloop.evaluate.declarations import ObjectKind, SchemeDocument
from cityloop.evaluate.models import PublishedRow
from cityloop.evaluate.periods import Period, periods
from cityloop.evaluate.schemas import MovedPeriod, MovedRow, Reason, Standing, WhatIf, WhatIfView
from cityloop.evaluate.scoring import ItemScore, grade, rounded
from cityloop.evaluate.sight import Sight
from cityloop.evaluate.versions import plan_of

MOST = 24
"""Most periods of one what-if."""
Moved = Literal["up", "down", "same", "none"]


def explain(
    session: Session,
    sheets: Sheets,
    base: SchemeDocument,
    after: SchemeDocument,
    wish: WhatIf,
    kind: ObjectKind,
    zone: ZoneInfo,
    now: datetime,
    sight: Sight,
) -> WhatIfView:
    """Both versions over every period; raises :class:`Invalid` for days the wrong way round, or too many periods."""
    if wish.first > wish.last:
        raise Invalid("'from' lies after 'to'", "name the first and the last day of the past to look at")
    found = []
    for period in periods(wish.period, wish.first, wish.last, zone):
        found.append(period)
        if len(found) > MOST:
            raise Invalid(f"more than {MOST} periods", "choose fewer, or longer ones")
    explained = []
    for period in found:
        old, new = (
            sheets.sheet(session, document, kind, wish.level, period, now, sight.steps()) for document in (base, after)
        )
        explained.append(
            MovedPeriod(
                period=period_view(period),
                published=_published(session, base, kind, wish, period),
                rows=[_row(base, after, old, new, name) for name in new.titles if sight.lets(name)],
            )
        )
    moved = Counter(row.moved for period in explained for row in period.rows)
    return WhatIfView(
        plan=plan_of(base, wish.change),
        base=base.scheme.version,
        document=after,
        summary={name: moved[name] for name in ("up", "down", "same", "none")},
        periods=explained,
    )


def _published(session: Session, base: SchemeDocument, kind: ObjectKind, wish: WhatIf, period: Period) -> str | None:
    """The version under which this period was published, if it was."""
    row = PublishedRow
    level = wish.level if kind == "area" else ""
    where = (row.scheme == base.scheme.id, row.object == kind, row.level == level, row.period == period.kind)
    return session.scalar(select(row.version).where(*where, row.first == period.first.isoformat()))


def _row(base: SchemeDocument, after: SchemeDocument, old: Sheet, new: Sheet, name: str) -> MovedRow:
    before, then = _standing(base, old, name), _standing(after, new, name)
    return MovedRow(
        id=name,
        title=new.titles[name],
        before=before,
        after=then,
        moved=_moved(before.rank, then.rank),
        why=_reasons(old.scored[name].items if name in old.scored else (), new.scored[name].items),
    )


def _moved(before: int | None, after: int | None) -> Moved:
    if before is None or after is None:
        return "none"
    if before == after:
        return "same"
    return "up" if after < before else "down"


def _standing(document: SchemeDocument, sheet: Sheet, name: str) -> Standing:
    scored, place = sheet.scored.get(name), sheet.places.get(name)
    found = grade(document.scheme.grades, scored.score if scored else None)
    return Standing(
        score=rounded(scored.score) if scored else None,
        rank=place.rank if place else None,
        grade=found.id if found else None,
    )


def _reasons(old: tuple[ItemScore, ...], new: tuple[ItemScore, ...]) -> list[Reason]:
    """The addends that differ, those that come and those that go among them."""
    before, after = {item.item.id: item for item in old}, {item.item.id: item for item in new}
    found = []
    for name in dict.fromkeys([*before, *after]):
        one, two = before.get(name), after.get(name)
        known = two or one
        if known is None or (one and two and (one.score, one.counted.value) == (two.score, two.counted.value)):
            continue
        found.append(
            Reason(
                item=name,
                title=known.item.title or known.indicator.title,
                before=maybe(one.counted.value) if one else None,
                after=maybe(two.counted.value) if two else None,
                points_before=rounded(one.score, 4) if one else None,
                points_after=rounded(two.score, 4) if two else None,
            )
        )
    return found

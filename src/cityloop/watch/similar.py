"""Earlier warnings like one at hand, and how they ended: what whoever looks at it wants to know first."""

from __future__ import annotations

from collections import Counter
from statistics import median

from sqlalchemy import Select, or_
from sqlalchemy.orm import Session

from cityloop.watch.models import WarningRow
from cityloop.watch.schemas import SimilarWarning, SimilarWarnings
from cityloop.watch.views import view

COUNTED, SHOWN = 500, 12


def similar(session: Session, seen: Select[WarningRow], row: WarningRow) -> SimilarWarnings:
    """Of the warnings ``seen``, those of the same rule that came before ``row``, about the same thing or area."""
    place = [WarningRow.area == row.area] if row.area else []
    wanted = (
        WarningRow.rule == row.rule,
        WarningRow.id != row.id,
        WarningRow.raised_at <= row.raised_at,
        or_(WarningRow.entity == row.entity, *place),
    )
    found = list(session.scalars(seen.where(*wanted).order_by(WarningRow.raised_at.desc()).limit(COUNTED)))
    outcomes = Counter(one.outcome for one in found)
    lasted = [seconds for one in found if (seconds := _seconds(one)) is not None]
    return SimilarWarnings(
        items=[
            SimilarWarning(
                warning=view(one), why="entity" if one.entity == row.entity else "area", seconds=_seconds(one)
            )
            for one in found[:SHOWN]
        ],
        total=len(found),
        true=outcomes["true"],
        false=outcomes["false"],
        drill=outcomes["drill"],
        cases=len({one.case for one in found if one.case}),
        median_seconds=median(lasted) if lasted else None,
    )


def _seconds(row: WarningRow) -> float | None:
    return (row.cleared_at - row.raised_at).total_seconds() if row.cleared_at else None

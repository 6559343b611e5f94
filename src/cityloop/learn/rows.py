"""Training rows: the city's own cases as texts with their final matter, and as columns for the risk of running late."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from cityloop.cases.models import OPEN, CaseRow
from cityloop.learn.past import CODED, Array, Past

MOST = 200_000
"""Most cases a model is trained on, the newest."""
_ENDED = CaseRow.filed.is_(True) & CaseRow.closed_at.is_not(None) & CaseRow.merged_into.is_(None)
_BY_PEOPLE = CaseRow.channel.not_in(("warning", "device", "inspection"))
"""Machines name the matter themselves, in words that no person uses."""


@dataclass(frozen=True)
class Labelled:
    """Texts of closed cases with the matter they were closed under, oldest first."""

    texts: list[str]
    matters: list[str]
    opened: list[datetime]


def closed_count(session: Session) -> int:
    """How many cases a classifier could learn from."""
    return session.scalar(select(func.count()).select_from(CaseRow).where(_ENDED & _BY_PEOPLE)) or 0


def closed_texts(session: Session) -> Labelled:
    """The newest closed cases that people reported. A person's correction of the matter is thereby learned."""
    query = select(CaseRow.title, CaseRow.description, CaseRow.matter, CaseRow.opened_at)
    found = session.execute(query.where(_ENDED & _BY_PEOPLE).order_by(CaseRow.opened_at.desc()).limit(MOST)).all()
    found = list(reversed(found))
    return Labelled([joined(a, b) for a, b, _, _ in found], [row[2] for row in found], [row[3] for row in found])


def joined(title: str, description: str) -> str:
    """Title and details as the classifier reads them."""
    return f"{title}\n{description}".strip()


def past(
    session: Session, zone: ZoneInfo, since: datetime | None = None, matter: str | None = None
) -> tuple[Past, list[str]]:
    """Cases that have a limit and a department, oldest first, and their ids; with ``since`` only those opened later or
    still open, with ``matter`` only those of one."""
    limited = CaseRow.due_at.is_not(None) & CaseRow.department.is_not(None)
    if matter is not None:
        limited &= CaseRow.matter == matter
    if since is not None:
        limited &= OPEN | (CaseRow.opened_at >= since)
    return _past(session, zone, limited)


def _past(session: Session, zone: ZoneInfo, where: ColumnElement[bool]) -> tuple[Past, list[str]]:
    ended = func.coalesce(CaseRow.handled_at, CaseRow.closed_at, type_=CaseRow.closed_at.type)
    columns = (CaseRow.id, CaseRow.matter, CaseRow.department, CaseRow.area, CaseRow.channel, CaseRow.district)
    query = select(*columns, CaseRow.opened_at, CaseRow.due_at, ended).where(where)
    rows = list(reversed(session.execute(query.order_by(CaseRow.opened_at.desc()).limit(MOST)).all()))
    words = {
        "matter": [row.matter for row in rows],
        "department": [row.department for row in rows],
        "area": [row.district or row.area or "" for row in rows],
        "channel": [row.channel for row in rows],
    }
    opened = _seconds([row[6] for row in rows])
    offsets = [(row[6].astimezone(zone).utcoffset() or timedelta()).total_seconds() for row in rows]
    coded = {name: np.array(words[name], dtype=str) for name in CODED}
    table = Past(
        coded, opened, opened + np.array(offsets), _seconds([r[7] for r in rows]), _seconds([r[8] for r in rows])
    )
    return table, [row.id for row in rows]


def _seconds(instants: Sequence[datetime | None]) -> Array:
    values: list[Any] = [np.nan if at is None else at.timestamp() for at in instants]
    return np.array(values, dtype=float)

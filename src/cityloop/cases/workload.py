"""What departments have in hand and how quick they were: looked up for the choice among equals and for people."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from statistics import median

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from cityloop.access.models import AccountRow
from cityloop.access.policy import Policy
from cityloop.cases.choosing import Load
from cityloop.cases.models import OPEN, CaseRow

_TABLE = CaseRow.__table__
_HANDLES = "case.submit_result"
_PAST = timedelta(days=90)
_NEWEST = 101
"""So many cases of a matter say how quick a department is; those opened in the last 90 days."""


def loads(
    session: Session,
    policy: Policy,
    declared: Mapping[str, int],
    departments: Sequence[str],
    matter: str | None,
    now: datetime,
) -> list[Load]:
    """One for each department, in order; without a matter nothing is said of speed."""
    people = _handlers(session, policy, departments)
    return [
        Load(name, _open(session, name), declared.get(name) or max(1, people[name]), *_past(session, name, matter, now))
        for name in departments
    ]


def _open(session: Session, department: str) -> int:
    where = (OPEN, _TABLE.c.department == department)
    return session.scalar(select(func.count()).select_from(_TABLE).where(*where)) or 0


def _handlers(session: Session, policy: Policy, departments: Sequence[str]) -> Counter[str]:
    posts = {name for name, post in policy.posts.items() if _HANDLES in post.may}
    query = select(AccountRow.department, AccountRow.posts).where(AccountRow.department.in_(departments))
    return Counter(name for name, held in session.execute(query) if name is not None and posts & set(held))


def _past(session: Session, department: str, matter: str | None, now: datetime) -> tuple[int, float | None]:
    if matter is None:
        return 0, None
    where = (
        _TABLE.c.matter == matter,
        _TABLE.c.opened_at >= now - _PAST,
        _TABLE.c.department == department,
        _TABLE.c.open.is_(False),
        _TABLE.c.handled_at.is_not(None),
        _TABLE.c.used_seconds.is_not(None),
    )
    query = select(_TABLE.c.used_seconds).where(*where).order_by(_TABLE.c.opened_at.desc()).limit(_NEWEST)
    seconds = [int(value) for value in session.scalars(query)]
    return len(seconds), float(median(seconds)) if seconds else None

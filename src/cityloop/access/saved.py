"""Saved filters of an account: what somebody looks at every day, under a name of their own."""

from __future__ import annotations

from typing import Any

from pydantic import Field
from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from cityloop.access.audit import Audit
from cityloop.core.clock import SystemClock
from cityloop.core.database import Database, Table
from cityloop.core.errors import Fault, Invalid
from cityloop.core.values import Frozen

MOST = 40
"""Most views of one account."""


class SavedView(Frozen):
    """A screen with its filters. ``query`` is what its address holds."""

    place: str = Field(pattern=r"^[a-z][a-z-]{0,29}$")
    name: str = Field(min_length=1, max_length=40)
    query: dict[str, str] = Field(max_length=30)


class SavedViews(Frozen):
    """All views of an account, in the order in which they are shown."""

    views: list[SavedView] = Field(max_length=MOST)


class SavedRow(Table):
    """The views of one account."""

    __tablename__ = "saved_view"
    account: Mapped[str] = mapped_column(String(60), primary_key=True)
    views: Mapped[list[Any]]


class ViewKeeper:
    """Keeps the views of every account; nobody sees those of another."""

    def __init__(self, database: Database, audit: Audit) -> None:
        self._database, self._audit, self._clock = database, audit, SystemClock()

    def of(self, account: str) -> SavedViews:
        """The views of an account; none is an empty list."""
        with self._database.reading() as session:
            row = session.get(SavedRow, account)
        return SavedViews.model_validate({"views": row.views if row else []})

    def put(self, account: str, wanted: SavedViews) -> SavedViews:
        """Keep these in place of all earlier ones; raises :class:`Invalid` where two of a screen share a name."""
        names = [(view.place, view.name) for view in wanted.views]
        twice = [number for number, name in enumerate(names) if name in names[:number]]
        if twice:
            faults = [Fault(f"views.{n}.name", f"'{names[n][1]}' is taken", "give each its own name") for n in twice]
            raise Invalid("two views share a name", "rename the ones that are listed", faults)
        with self._database.transaction() as tx:
            views = wanted.model_dump(mode="json")["views"]
            tx.session.merge(SavedRow(account=account, views=views))
            self._audit.record(tx, self._clock.now(), account, "views.put", account, {"views": len(views)})
        return wanted

"""Tables: which player is at work, and how far the citizen series has been posted."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from cityloop.core.database import Table


class DrillPlayerRow(Table):
    """A player that was switched, and the moves it has made."""

    __tablename__ = "drill_player"
    account: Mapped[str] = mapped_column(String(60), primary_key=True)
    playing: Mapped[bool]
    moves_made: Mapped[int]


class DrillCursorRow(Table):
    """How many records of a citizen series were posted; a repeated post would be harmless, a lost one would not."""

    __tablename__ = "drill_cursor"
    series: Mapped[str] = mapped_column(String(60), primary_key=True)
    posted: Mapped[int]


class ReplayRow(Table):
    """How far a replay of a real city has come; moves in the same transaction as the cases of its chunk."""

    __tablename__ = "drill_replay"
    id: Mapped[str] = mapped_column(String(80), primary_key=True)
    events: Mapped[int]
    clock: Mapped[datetime | None]
    seconds: Mapped[float]
    """Working time of all earlier runs."""

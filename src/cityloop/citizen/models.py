"""Tables: the secret code of each report, and the buckets that keep abuse out."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Float, String
from sqlalchemy.orm import Mapped, mapped_column

from cityloop.core.database import Table


class CitizenReportRow(Table):
    """A report of the citizen's page; the code itself is only in the hands of whoever reported."""

    __tablename__ = "citizen_report"
    case: Mapped[str] = mapped_column(String(40), primary_key=True)
    code_hash: Mapped[str] = mapped_column(String(64))
    reported_at: Mapped[datetime]


class BucketRow(Table):
    """One token bucket. Its key is a keyed hash, so that no address and no phone number stands here."""

    __tablename__ = "citizen_bucket"
    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    tokens: Mapped[float] = mapped_column(Float)
    at: Mapped[datetime] = mapped_column(index=True)


class PepperRow(Table):
    """The secret of this installation under which keys of buckets are hashed."""

    __tablename__ = "citizen_pepper"
    id: Mapped[int] = mapped_column(primary_key=True)
    value: Mapped[str] = mapped_column(String(64))

"""Table: the secret code of each report."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from cityloop.core.database import Table


class CitizenReportRow(Table):
    """A report of the citizen's page; the code itself is only in the hands of whoever reported."""

    __tablename__ = "citizen_report"
    case: Mapped[str] = mapped_column(String(40), primary_key=True)
    code_hash: Mapped[str] = mapped_column(String(64))
    reported_at: Mapped[datetime]

"""The tokens that stand for a report until the centre has accepted it."""

from __future__ import annotations

from sqlalchemy import String
from sqlalchemy.orm import Mapped, mapped_column

from cityloop.core.database import Table


class TokenRow(Table):
    """A token that was handed out instead of a number."""

    __tablename__ = "open311_token"
    token: Mapped[str] = mapped_column(String(40), primary_key=True)
    case: Mapped[str] = mapped_column(String(40))

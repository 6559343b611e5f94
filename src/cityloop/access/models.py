"""Tables: accounts, sign-ins, tokens of machines, the audit chain, and the buckets that keep abuse out."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Float, Integer, String
from sqlalchemy.orm import Mapped, mapped_column

from cityloop.core.database import Table


class AccountRow(Table):
    """Somebody or something that may sign in."""

    __tablename__ = "account"
    id: Mapped[str] = mapped_column(String(60), primary_key=True)
    name_zh: Mapped[str] = mapped_column(String(80))
    name_en: Mapped[str] = mapped_column(String(80))
    kind: Mapped[str] = mapped_column(String(12))
    posts: Mapped[list[str]]
    department: Mapped[str | None] = mapped_column(String(60))
    areas: Mapped[list[str]]
    secret_hash: Mapped[str | None] = mapped_column(String(200))
    """Argon2id hash of the password; empty when the account has none (drill actors, demo posts)."""
    failures: Mapped[int] = mapped_column(default=0)
    locked_until: Mapped[datetime | None]
    first: Mapped[bool | None]
    """The password was made by somebody else: it opens no session, it only lets its owner choose another."""


class SignInRow(Table):
    """A session cookie or a machine's token, stored as a hash."""

    __tablename__ = "sign_in"
    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    account: Mapped[str] = mapped_column(String(60), index=True)
    kind: Mapped[str] = mapped_column(String(12))
    expires_at: Mapped[datetime | None]


class AuditRow(Table):
    """One line of the audit chain: every write and every reading of sensitive data."""

    __tablename__ = "audit"
    seq: Mapped[int] = mapped_column(BigInteger().with_variant(Integer, "sqlite"), primary_key=True)
    time: Mapped[datetime]
    actor: Mapped[str] = mapped_column(String(60), index=True)
    act: Mapped[str] = mapped_column(String(80))
    object: Mapped[str] = mapped_column(String(120), index=True)
    result: Mapped[str] = mapped_column(String(20))
    detail: Mapped[dict[str, Any]]
    previous: Mapped[str] = mapped_column(String(64))
    hash: Mapped[str] = mapped_column(String(64))


class BucketRow(Table):
    """One token bucket of the turnstile. Its key is a keyed hash: no address and no phone number stands here."""

    __tablename__ = "citizen_bucket"
    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    tokens: Mapped[float] = mapped_column(Float)
    at: Mapped[datetime] = mapped_column(index=True)


class PepperRow(Table):
    """The secret of this installation under which keys of buckets are hashed."""

    __tablename__ = "citizen_pepper"
    id: Mapped[int] = mapped_column(primary_key=True)
    value: Mapped[str] = mapped_column(String(64))

"""Accounts and sign-in: Argon2id passwords, lock-out after failures, hashed session and machine tokens."""

from __future__ import annotations

import functools
import hashlib
import secrets
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any

from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from sqlalchemy import bindparam, delete, select

from cityloop.access.actor import SYSTEM, Actor, ActorKind
from cityloop.access.audit import Audit
from cityloop.access.models import AccountRow, SignInRow
from cityloop.core.clock import SystemClock
from cityloop.core.database import Database, Transaction
from cityloop.core.errors import Invalid, NotFound, PasswordDue, SignInNeeded, TooMany
from cityloop.core.prepared import Prepared
from cityloop.core.values import Title

_FAILURES = 5
_LOCK = timedelta(minutes=15)
_MIN_PASSWORD = 12
_SIGNS = "23456789abcdefghjkmnpqrstuvwxyz"
_SHOWN = ("id", "name_zh", "name_en", "kind", "posts", "department", "areas")
_ACCOUNT, _SIGN_IN = AccountRow.__table__.c, SignInRow.__table__.c
_SIGNED_IN = Prepared(
    select(*[_ACCOUNT[name] for name in _SHOWN], _SIGN_IN.expires_at)
    .join_from(AccountRow, SignInRow, _SIGN_IN.account == _ACCOUNT.id)
    .where(_SIGN_IN.token_hash == bindparam("token"))
)
"""Who is behind a token: asked ahead of every request."""


class Accounts:
    """Creates accounts, checks who signs in, and turns a token into an :class:`Actor`.

    Sign-in runs on the machine's own time, not on city time: a paced demo must not end sessions early.
    """

    def __init__(self, database: Database, audit: Audit, session_hours: float) -> None:
        self._database = database
        self._audit = audit
        self._clock = SystemClock()
        self._span = timedelta(hours=session_hours)
        self._hasher = PasswordHasher()
        self._decoy = _decoy()

    def put(self, actor: Actor, password: str | None = None) -> None:
        """Create or replace an account; ``password`` ``None`` keeps the stored one (or none)."""
        if password is not None:
            _long_enough(password)
        with self._database.transaction() as tx:
            row = self._put(tx, actor)
            if password is not None:
                self._keep(tx, row, self._hasher.hash(password))

    def put_all(self, actors: Iterable[Actor]) -> None:
        """Create or replace many accounts in one transaction; passwords stay as they are."""
        with self._database.transaction() as tx:
            for actor in actors:
                self._put(tx, actor)

    def enrol(self, actors: Sequence[Actor], by: str = SYSTEM.id) -> dict[str, str]:
        """Create or change people in one transaction, as ``by`` wished; who has no password yet gets one
        for the first sign-in.

        Returns these passwords by account: they are told once, kept as hashes, and open no session before they have
        been changed with :meth:`change_password`.
        """
        with self._database.reading() as session:
            known = {row.id for row in session.scalars(select(AccountRow)) if row.secret_hash}
        first = {actor.id: _first_password() for actor in actors if actor.id not in known}
        hashes = {account: self._hasher.hash(password) for account, password in first.items()}
        with self._database.transaction() as tx:
            for actor in actors:
                row = self._put(tx, actor, by)
                if actor.id in hashes:
                    self._keep(tx, row, hashes[actor.id], first=True)
        return first

    def _keep(self, tx: Transaction, row: AccountRow, secret: str, *, first: bool = False) -> None:
        """Give an account a password; whoever is signed in with it is signed out."""
        row.secret_hash, row.first = secret, first
        tx.session.execute(delete(SignInRow).where(SignInRow.account == row.id))

    def _put(self, tx: Transaction, actor: Actor, by: str = SYSTEM.id) -> AccountRow:
        known = tx.session.get(AccountRow, actor.id)
        row = known or AccountRow(id=actor.id, failures=0, locked_until=None, secret_hash=None)
        row.name_zh, row.name_en, row.kind = actor.name.zh, actor.name.en, actor.kind
        row.posts, row.areas, row.department = list(actor.posts), list(actor.areas), actor.department
        tx.session.add(row)
        self._audit.record(tx, self._clock.now(), by, "account.put", actor.id, {"posts": row.posts})
        return row

    def get(self, account: str) -> Actor:
        """The actor of an account; raises :class:`NotFound`."""
        with self._database.reading() as session:
            row = session.get(AccountRow, account)
        if row is None:
            raise NotFound(f"there is no account '{account}'", "list accounts with: cityloop user list")
        return _actor(row)

    def list(self, kinds: Sequence[ActorKind] = ()) -> list[Actor]:
        """All accounts, by id; ``kinds`` narrows them."""
        with self._database.reading() as session:
            rows = session.scalars(select(AccountRow).order_by(AccountRow.id)).all()
        return [_actor(row) for row in rows if not kinds or row.kind in kinds]

    def sign_in(self, account: str, password: str) -> tuple[Actor, str]:
        """Check a password; return the actor and a session token. The same answer for unknown and wrong.

        Raises :class:`PasswordDue` for a right password that was given by somebody else.
        """
        with self._database.transaction() as tx:
            row = self._checked(tx, account, password, "session.open")
            due = row is not None and bool(row.first)
            token = self._issue(tx, account, "session") if row is not None and not due else ""
        if row is None:
            raise _wrong()
        if due:
            raise PasswordDue("this password is for the first sign-in only", "choose one of your own")
        return _actor(row), token

    def change_password(self, account: str, password: str, new: str) -> tuple[Actor, str]:
        """Put another password in the place of a right one and sign in; other sessions of the account end.

        Raises :class:`Invalid` for a new one that is too short or the old one, and what :meth:`sign_in` raises.
        """
        _long_enough(new)
        if new == password:
            raise Invalid("the new password is the old one", "choose another")
        secret = self._hasher.hash(new)
        with self._database.transaction() as tx:
            row = self._checked(tx, account, password, "password.change")
            if row is not None:
                self._keep(tx, row, secret)
            token = self._issue(tx, account, "session") if row is not None else ""
        if row is None:
            raise _wrong()
        return _actor(row), token

    def _checked(self, tx: Transaction, account: str, password: str, act: str) -> AccountRow | None:
        """The account if the password is right; failures count, and five of them lock it."""
        row = tx.session.get(AccountRow, account)
        now = self._clock.now()
        if row is not None and row.locked_until and row.locked_until > now:
            raise TooMany(
                "this account is locked after failed sign-ins", f"try again after {row.locked_until:%H:%M} UTC"
            )
        right = self._matches(row, password)
        if row is not None:
            row.failures = 0 if right else row.failures + 1
            row.locked_until = now + _LOCK if row.failures >= _FAILURES else None
        self._audit.record(tx, now, account[:60], act, account[:60], result="done" if right else "refused")
        return row if right else None

    def open_session(self, account: str, kind: str = "session") -> str:
        """Issue a token without a password: for demo posts and for ``cityloop user token`` (kind ``token``)."""
        actor = self.get(account)
        with self._database.transaction() as tx:
            self._audit.record(tx, self._clock.now(), actor.id, "session.open", actor.id, {"kind": kind})
            return self._issue(tx, actor.id, kind)

    def actor(self, token: str) -> Actor | None:
        """The actor behind a token, or ``None`` when it is unknown or has ended."""
        with self._database.asking() as connection:
            found = _SIGNED_IN.mappings(connection, token=_hash(token))
        if not found or (found[0]["expires_at"] and found[0]["expires_at"] < self._clock.now()):
            return None
        return _read(found[0])

    def close_session(self, token: str) -> None:
        """End a session; unknown tokens are ignored."""
        with self._database.transaction() as tx:
            tx.session.execute(delete(SignInRow).where(SignInRow.token_hash == _hash(token)))

    def _matches(self, row: AccountRow | None, password: str) -> bool:
        stored = row.secret_hash if row is not None and row.secret_hash else self._decoy
        try:
            return self._hasher.verify(stored, password) and stored is not self._decoy
        except VerificationError:
            return False

    def _issue(self, tx: Transaction, account: str, kind: str) -> str:
        token = secrets.token_urlsafe(32)
        expires = None if kind == "token" else self._clock.now() + self._span
        tx.session.add(SignInRow(token_hash=_hash(token), account=account, kind=kind, expires_at=expires))
        return token


def _long_enough(password: str) -> None:
    if len(password) < _MIN_PASSWORD:
        raise Invalid(f"the password is shorter than {_MIN_PASSWORD} characters", "choose a longer one")


def _first_password() -> str:
    """Sixteen signs that nobody takes for one another, in fours."""
    signs = "".join(secrets.choice(_SIGNS) for _ in range(16))
    return "-".join(signs[at : at + 4] for at in range(0, 16, 4))


def _wrong() -> SignInNeeded:
    return SignInNeeded("account or password is wrong", "check both; the account locks after five failures")


def _actor(row: AccountRow) -> Actor:
    return _read({name: getattr(row, name) for name in _SHOWN})


def _read(row: Mapping[str, Any]) -> Actor:
    return Actor.model_validate(
        {
            "id": row["id"],
            "name": Title(zh=row["name_zh"], en=row["name_en"]),
            "kind": row["kind"],
            "posts": tuple(row["posts"]),
            "department": row["department"],
            "areas": tuple(row["areas"]),
        }
    )


@functools.cache
def _decoy() -> str:
    """Compared with the password for an account that is not there, so that a stranger waits as long as anybody."""
    return PasswordHasher().hash(secrets.token_urlsafe(16))


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()

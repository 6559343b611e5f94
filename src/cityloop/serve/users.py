"""Accounts from the command line."""

from __future__ import annotations

from collections.abc import Sequence

from cityloop.access.actor import Actor
from cityloop.access.audit import Audit
from cityloop.access.service import Accounts
from cityloop.city.service import City
from cityloop.core.clock import SystemClock
from cityloop.core.database import Database
from cityloop.core.errors import Fault, Invalid
from cityloop.core.settings import Settings
from cityloop.core.values import Title


def add_user(
    settings: Settings,
    account: str,
    name: str,
    posts: Sequence[str],
    department: str | None,
    areas: Sequence[str],
    password: str | None,
) -> str | None:
    """Create or change an account; without a password it is a machine and its new token is returned."""
    city = City.load(settings.city, SystemClock())
    faults = [
        Fault(f"--post {post}", "no such post", f"one of {', '.join(city.policy.posts)}")
        for post in posts
        if post not in city.policy.posts
    ]
    if department is not None and department not in city.departments:
        faults.append(
            Fault(f"--department {department}", "no such department", f"one of {', '.join(city.departments)}")
        )
    if faults:
        raise Invalid(f"account '{account}' was not written", faults=faults)
    accounts = open_accounts(settings)
    actor = Actor(
        id=account,
        name=Title(zh=name, en=name),
        kind="person" if password is not None else "machine",
        posts=tuple(posts),
        department=department,
        areas=tuple(areas),
    )
    accounts.put(actor, password)
    return accounts.open_session(account, "token") if password is None else None


def list_users(settings: Settings) -> list[Actor]:
    """All accounts of the data folder."""
    return open_accounts(settings).list()


def open_accounts(settings: Settings) -> Accounts:
    """The accounts of a data folder, which is made when it is not there."""
    settings.data.mkdir(parents=True, exist_ok=True)
    database = Database(settings.database_url())
    database.create()
    return Accounts(database, Audit(database), settings.session_hours)

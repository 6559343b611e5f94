"""``cityloop import accounts``: the list of staff → accounts in the store, each new one with a password for once."""

from __future__ import annotations

import re
from pathlib import Path

from cityloop.access.actor import Actor
from cityloop.access.service import Accounts
from cityloop.city.faults import Faults
from cityloop.city.service import City
from cityloop.city.sheet import SheetPlan
from cityloop.core.clock import SystemClock
from cityloop.core.settings import Settings
from cityloop.serve.importing.kinds import ACCOUNTS
from cityloop.serve.importing.plans import Told, plan_of, refuse_faults
from cityloop.serve.importing.responsibility import area_names, department_names
from cityloop.serve.importing.rows import Names, Row, sheet_lines, table_of
from cityloop.serve.users import open_accounts

_ACCOUNT = re.compile(r"[a-z][a-z0-9._-]{1,59}")


class _Words:
    """What the words of a row stand for in this city."""

    def __init__(self, city: City) -> None:
        self.posts = Names("post", [(id, [post.title.zh, post.title.en]) for id, post in city.policy.posts.items()])
        self.departments = Names("department", department_names(city.departments))
        self.areas = Names("area", area_names(city))


def import_accounts(settings: Settings, file: Path, sheet: str | None, write: bool) -> tuple[SheetPlan, dict[str, str]]:
    """The plan of a sheet of staff; with ``write`` the accounts, and the passwords of the new ones by account."""
    words = _Words(City.load(settings.city, SystemClock()))
    accounts = open_accounts(settings)
    standing = {actor.id: actor for actor in accounts.list()}
    lines, notes = sheet_lines(table_of(file, sheet), ACCOUNTS)
    faults, read = Faults(), dict[str, Actor]()
    for row in (Row(line, faults) for line in lines):
        actor = _account(row, words)
        if actor is not None and actor.id in standing and standing[actor.id].kind != "person":
            row.fault("account", f"'{actor.id}' is an account of a {standing[actor.id].kind}", "choose another name")
        elif actor is not None and actor.id in read:
            row.fault("account", f"'{actor.id}' stands in a row above already", "one row for each person")
        elif actor is not None:
            read[actor.id] = actor
    before, told = ({id: _told(one) for id, one in known.items()} for known in (standing, read))
    plan = plan_of(ACCOUNTS, len(lines), before, told, faults, notes)
    if not write:
        return plan, {}
    refuse_faults(plan, faults, file.name)
    return plan, _enrolled(accounts, plan, read)


def _enrolled(accounts: Accounts, plan: SheetPlan, read: dict[str, Actor]) -> dict[str, str]:
    return accounts.enrol([read[change.key] for change in plan.changes])


def _account(row: Row, words: _Words) -> Actor | None:
    account, before = row.needed("account"), len(row.faults.found)
    if account and not _ACCOUNT.fullmatch(account):
        row.fault(
            "account", f"'{account}' is no account", "small letters, digits, dots and hyphens, a letter first: wang2"
        )
    title = row.title("name", "english")
    posts = [post for text in row.many("posts") if (post := row.named("posts", text, words.posts))]
    if not row.text("posts"):
        row.needed("posts")
    department = row.text("department")
    body = row.named("department", department, words.departments) if department else None
    areas = [code for text in row.many("areas") if (code := row.named("areas", text, words.areas))]
    if not account or len(row.faults.found) > before:
        return None
    return Actor(id=account, name=title, kind="person", posts=tuple(posts), department=body, areas=tuple(areas))


def _told(actor: Actor) -> Told:
    return {
        "name": actor.name.zh,
        "english": actor.name.en,
        "posts": ", ".join(actor.posts),
        "department": actor.department or "",
        "areas": ", ".join(actor.areas),
    }

"""``cityloop import accounts``: the list of staff → accounts in the store, each new one with a password for once."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from cityloop.access.actor import SYSTEM, Actor
from cityloop.access.service import Accounts
from cityloop.city.faults import Faults
from cityloop.city.service import City
from cityloop.city.sheet import SheetPlan
from cityloop.core.errors import Fault
from cityloop.serve.importing.kinds import ACCOUNTS
from cityloop.serve.importing.named import AREA, DEPARTMENT, POST, area_names, department_names
from cityloop.serve.importing.plans import Told, plan_of, refuse_faults
from cityloop.serve.importing.rows import Names, Row, sheet_lines, table_of
from cityloop.serve.importing.sent import Sent

_ACCOUNT = re.compile(r"[a-z][a-z0-9._-]{1,59}")


class _Words:
    """What the words of a row stand for in this city."""

    def __init__(self, city: City) -> None:
        self.posts = Names(POST, [(id, [post.title.zh, post.title.en]) for id, post in city.policy.posts.items()])
        self.departments = Names(DEPARTMENT, department_names(city.departments))
        self.areas = Names(AREA, area_names(city))


@dataclass(frozen=True)
class Staff:
    """A sheet of staff that was read: what would change, and the accounts that would be put."""

    plan: SheetPlan
    faults: Sequence[Fault]
    actors: Sequence[Actor]

    def enrol(self, accounts: Accounts, by: Actor, source: str) -> dict[str, str]:
        """Put the accounts; return the passwords of the new ones. Raises :class:`Invalid` with every fault."""
        refuse_faults(self.faults, source)
        return accounts.enrol(self.actors, by.id)


def read_staff(city: City, accounts: Accounts, sent: Sent, by: Actor = SYSTEM) -> Staff:
    """A sheet of staff beside the accounts that there are; nobody changes an account of ``by``."""
    words = _Words(city)
    standing = {actor.id: actor for actor in accounts.list()}
    lines, notes = sheet_lines(table_of(sent), ACCOUNTS)
    faults, read = Faults(), dict[str, Actor]()
    for row in (Row(line, faults) for line in lines):
        actor = _account(row, words)
        if actor is not None and actor.id in standing and standing[actor.id].kind != "person":
            row.fault("account", "other-account", text=actor.id)
        elif actor is not None and actor.id in read:
            row.fault("account", "twice", text=actor.id)
        elif actor is not None and actor.id == by.id and actor != standing[by.id]:
            row.fault("account", "own-account", text=actor.id)
        elif actor is not None:
            read[actor.id] = actor
    before, told = ({id: _told(one) for id, one in known.items()} for known in (standing, read))
    plan = plan_of(ACCOUNTS, len(lines), before, told, faults, notes)
    return Staff(plan, faults.found, [read[change.key] for change in plan.changes])


def _account(row: Row, words: _Words) -> Actor | None:
    account, before = row.needed("account"), len(row.faults.found)
    if account and not _ACCOUNT.fullmatch(account):
        row.fault("account", "no-account", text=account)
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

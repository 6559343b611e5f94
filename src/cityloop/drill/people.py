"""``people.yaml``: the posts that a visitor of the demo may take, the drill players, and the machines that push."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

from cityloop.access.actor import Actor
from cityloop.access.policy import Policy
from cityloop.access.service import Accounts
from cityloop.core.content import fault_at, load, raise_faults, read_yaml
from cityloop.core.errors import Fault
from cityloop.core.values import Frozen


class People(Frozen):
    """All accounts that a city's demo brings. Names are invented; no real person is meant."""

    accounts: tuple[Actor, ...]

    @cached_property
    def by_id(self) -> Mapping[str, Actor]:
        """Accounts by id."""
        return {account.id: account for account in self.accounts}

    @property
    def players(self) -> tuple[Actor, ...]:
        """The drill players, in the order of the file."""
        return tuple(account for account in self.accounts if account.kind == "drill")

    def of(self, department: str | None, post: str) -> tuple[Actor, ...]:
        """Who holds ``post`` in a department."""
        return tuple(a for a in self.accounts if a.department == department and post in a.posts)


def load_people(city: Path, policy: Policy | None = None, departments: frozenset[str] | None = None) -> People:
    """Read ``people.yaml`` of a city folder; a missing file means no accounts.

    Where ``policy`` and ``departments`` are given, every post and department must be one of theirs.
    Raises :class:`cityloop.core.errors.ContentError` with every fault at its line.
    """
    path = city / "people.yaml"
    if not path.is_file():
        return People(accounts=())
    people = load(path, People)
    _, lines = read_yaml(path)
    faults: list[Fault] = []
    seen: set[str] = set()
    for index, account in enumerate(people.accounts):
        key = ("accounts", index)
        if account.id in seen:
            faults.append(fault_at(path, lines, (*key, "id"), f"'{account.id}' is there twice", "give it another id"))
        seen.add(account.id)
        for post in account.posts if policy else ():
            if policy and post not in policy.posts:
                faults.append(
                    fault_at(path, lines, (*key, "posts"), f"the policy has no post '{post}'", _known(policy.posts))
                )
        if departments is not None and account.department and account.department not in departments:
            what = f"there is no department '{account.department}'"
            faults.append(fault_at(path, lines, (*key, "department"), what, _known(departments)))
    raise_faults(str(path), faults)
    return people


def ensure_accounts(people: People, accounts: Accounts) -> int:
    """Create what is missing and correct what differs; passwords stay as they are. Returns how many were written."""
    known = {account.id: account for account in accounts.list()}
    wanted = [account for account in people.accounts if known.get(account.id) != account]
    accounts.put_all(wanted)
    return len(wanted)


def _known(names: object) -> str:
    return f"known: {', '.join(sorted(str(name) for name in names))}" if isinstance(names, (dict, frozenset)) else ""

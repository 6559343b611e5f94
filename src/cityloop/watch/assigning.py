"""Who takes care of a warning: a department, a person in it, or both; handed on as often as needed."""

from __future__ import annotations

from collections.abc import Callable, Collection

from cityloop.access.actor import Actor
from cityloop.access.door import Door
from cityloop.core.errors import AccessDenied, Fault, Invalid, NotFound
from cityloop.watch.models import WarningRow
from cityloop.watch.schemas import NewAssignment

PERMISSION = "warning.assign"
People = Callable[[str], Actor]
"""The actor of an account; raises :class:`NotFound`."""


def nobody(account: str) -> Actor:
    """The people of a watch that knows none."""
    raise NotFound(f"there is no account '{account}'", "name an account of the city")


class Assigner:
    """Checks who may take a warning; ``departments`` of ``None`` are not checked."""

    def __init__(self, door: Door, people: People, departments: Collection[str] | None) -> None:
        self._door, self._people, self._departments = door, people, departments

    def taker(self, row: WarningRow, wish: NewAssignment) -> Actor | None:
        """The person that a warning goes to, if any; raises :class:`Invalid` with every fault."""
        faults = []
        if not (wish.department or wish.person):
            faults.append(Fault("department", "nobody is named", "name a department, a person, or both"))
        if wish.department and self._departments is not None and wish.department not in self._departments:
            faults.append(Fault("department", f"there is no department '{wish.department}'", "name one of the city's"))
        person = self._person(wish.person, faults) if wish.person else None
        if person and not self._sees(person, row, wish.department or row.department):
            what = f"{person.id} does not see warnings of this department and area"
            faults.append(Fault("person", what, "name somebody who does, or the department as well"))
        if faults:
            raise Invalid("the warning cannot be assigned so", "correct what is named", faults)
        return person

    def _person(self, account: str, faults: list[Fault]) -> Actor | None:
        try:
            return self._people(account)
        except NotFound as error:
            faults.append(Fault("person", error.detail, "name an account of the city"))
            return None

    def _sees(self, person: Actor, row: WarningRow, department: str | None) -> bool:
        try:
            return self._door.scope(person, "warning").lets({"department": department, "area": row.area})
        except AccessDenied:
            return False

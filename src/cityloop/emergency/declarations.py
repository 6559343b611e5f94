"""The shapes of ``emergency.yaml`` of a pack, and of ``resources.yaml`` and ``contacts.yaml`` of a city."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from cityloop.core.values import Frozen, Title

Identity = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,39}$")]
Level = Literal["IV", "III", "II", "I"]
LEVELS: tuple[Level, ...] = ("IV", "III", "II", "I")
"""Levels of response, from the lowest on: Ⅳ blue, Ⅲ yellow, Ⅱ orange, Ⅰ red."""
ResourceKind = Literal["person", "vehicle", "goods"]


class TaskDef(Frozen):
    """What a department does at a level, within a limit."""

    id: Identity
    title: Title
    department: str
    limit: str
    level: Level = "IV"
    """From this level on."""


class ContactDef(Frozen):
    """A role that is called: its people one after another, then the roles ``then``.

    Who does not answer within ``wait_minutes`` is passed over; nobody answering does not hold up what comes ``then``.
    """

    role: Identity
    title: Title
    wait_minutes: float = Field(default=5, gt=0, le=120)
    then: tuple[Identity, ...] = ()
    level: Level = "IV"


class WarningTrigger(Frozen):
    """A warning of a rule that opens a response: its level → the level of the response."""

    rule: str
    levels: dict[Literal["blue", "yellow", "orange", "red"], Level] = Field(min_length=1)


class RunTrigger(Frozen):
    """A run of a plan that opens a response."""

    plan: str
    level: Level


class KindDef(Frozen):
    """A kind of emergency: who leads, when it opens by itself, who is called, what is done."""

    id: Identity
    title: Title
    department: str
    warnings: tuple[WarningTrigger, ...] = ()
    runs: tuple[RunTrigger, ...] = ()
    contacts: tuple[ContactDef, ...] = ()
    call_first: tuple[Identity, ...] = ()
    tasks: tuple[TaskDef, ...] = ()
    resources: tuple[ResourceKind, ...] = ("person", "vehicle", "goods")

    @model_validator(mode="after")
    def _tree_holds(self) -> KindDef:
        roles = {contact.role for contact in self.contacts}
        named = {*self.call_first, *(name for contact in self.contacts for name in contact.then)}
        if unknown := named - roles:
            raise ValueError(f"there is no contact '{sorted(unknown)[0]}'; list every role under contacts")
        return self

    def contact(self, role: str) -> ContactDef | None:
        """A role by its id."""
        return next((contact for contact in self.contacts if contact.role == role), None)


class EmergencyFile(Frozen):
    """``emergency.yaml``."""

    kinds: tuple[KindDef, ...] = ()


class PersonDef(Frozen):
    """Somebody who is called in a role; ``account`` lets him answer for himself."""

    name: Title
    phone: str = Field(pattern=r"^\+?[0-9 -]{3,20}$")
    account: str | None = None


class RoleDef(Frozen):
    """The people of a role, in the order in which they are called."""

    role: Identity
    people: tuple[PersonDef, ...] = Field(min_length=1)


class ContactsFile(Frozen):
    """``contacts.yaml`` of a city: kept apart from packs, for it names people."""

    contacts: tuple[RoleDef, ...] = ()


class ResourceDef(Frozen):
    """People, a vehicle or goods of a department; ``count`` in ``unit``."""

    id: Identity
    title: Title
    kind: ResourceKind
    department: str
    lon: float = Field(ge=-180, le=180)
    lat: float = Field(ge=-90, le=90)
    count: int = Field(default=1, ge=1)
    unit: Title = Title(zh="个", en="pieces")
    phone: str = Field(default="", pattern=r"^(\+?[0-9 -]{3,20})?$")


class ResourcesFile(Frozen):
    """``resources.yaml`` of a city."""

    resources: tuple[ResourceDef, ...] = ()


def rank(level: Level) -> int:
    """How grave a level is, 0 to 3."""
    return LEVELS.index(level)

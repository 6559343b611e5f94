"""``open311.yaml`` of a city: that it opens this door, to which cases, and what it asks of a report."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import Field, model_validator

from cityloop.cases.schemas import Channel
from cityloop.city.service import City
from cityloop.collect.sources.secrets import SecretReference
from cityloop.core.content import Key, checked, fault_at, raise_faults, read_yaml
from cityloop.core.values import Frozen, Instant, Title

FILE = "open311.yaml"
Datatype = Literal["string", "number", "datetime", "text", "singlevaluelist", "multivaluelist"]
_LISTS = ("singlevaluelist", "multivaluelist")


def fits(wanted: str, matter: str) -> bool:
    """Whether a matter is meant by a key, or by the beginning of a key with ``*`` at its end."""
    return matter.startswith(wanted[:-1]) if wanted.endswith("*") else matter == wanted


class Choice(Frozen):
    """One value of a list."""

    key: str = Field(min_length=1, max_length=60)
    title: Title


class Attribute(Frozen):
    """A question that belongs to some services; ``matters`` are keys, or beginnings of keys with ``*`` at the end."""

    code: str = Field(pattern=r"^[A-Za-z0-9_-]{1,60}$")
    matters: tuple[str, ...] = Field(min_length=1)
    datatype: Datatype
    required: bool = False
    title: Title
    hint: Title = Title(zh="", en="")
    values: tuple[Choice, ...] = ()

    @model_validator(mode="after")
    def _lists_have_values(self) -> Attribute:
        if (self.datatype in _LISTS) != bool(self.values):
            raise ValueError("a list has 'values', any other datatype has none")
        return self

    def asked_of(self, matter: str) -> bool:
        """Whether reports of this matter are asked."""
        return any(fits(wanted, matter) for wanted in self.matters)


class Recipient(Frozen):
    """Another Open311 server: the system of a department, which gets that department's cases."""

    id: str = Field(pattern=r"^[a-z0-9-]{1,60}$")
    title: Title
    department: str
    url: str = Field(pattern=r"^https?://[^\s]+[^/\s]$")
    """Its endpoint without a slash at the end, ``https://…/open311/v2``."""
    api_key: SecretReference
    jurisdiction_id: str | None = None
    services: dict[str, str] = Field(min_length=1)
    """Its service code for our matters: keys, or beginnings of keys with ``*``; the first that fits counts."""

    def service_of(self, matter: str) -> str | None:
        """Its code for a matter, ``None`` where it takes no such cases."""
        return next((code for wanted, code in self.services.items() if fits(wanted, matter)), None)


class Open311File(Frozen):
    """The whole file. A city without it has no Open311."""

    contact: str
    """Whom clients write to; no personal address."""
    key_service: str
    """How a client comes by an api_key, in words or as an address."""
    changeset: Instant
    """When this file last changed; clients read their cached service list anew after it."""
    type: Literal["production", "test"] = "production"
    url: str | None = Field(default=None, pattern=r"^https?://[^\s]+[^/\s]$")
    """Address of the city as clients reach it, without a slash at its end; left out, that of the request."""
    jurisdiction_id: str | None = Field(default=None, max_length=120)
    """Needed of no client; one that sends another gets 404."""
    channels: tuple[Channel, ...] = ("citizen", "open311")
    """Cases of these channels are published."""
    batch: tuple[str, ...] = ()
    """Matters whose reports get a token first, and their number once the centre has accepted them."""
    attributes: tuple[Attribute, ...] = ()
    send: tuple[Recipient, ...] = ()

    def by_token(self, matter: str) -> bool:
        """Whether a report of this matter is answered with a token."""
        return any(fits(wanted, matter) for wanted in self.batch)


def load_open311(city: City) -> Open311File | None:
    """The city's file, held against its catalogue; ``None`` where it has none; raises :class:`ContentError`."""
    path = city.folder / FILE
    if not path.exists():
        return None
    value, lines = read_yaml(path)
    file = checked(path, Open311File, value, lines)
    known = [matter.key for matter in city.catalogue.list()]
    named: list[tuple[Key, str]] = [(("batch", n), m) for n, m in enumerate(file.batch)]
    named += [(("attributes", n), m) for n, one in enumerate(file.attributes) for m in one.matters]
    named += [(("send", n, "services", m), m) for n, one in enumerate(file.send) for m in one.services]
    faults = [
        fault_at(path, lines, key, f"no matter of the catalogue in force fits '{m}'", "correct the key")
        for key, m in named
        if not any(fits(m, k) for k in known)
    ]
    faults += [
        fault_at(path, lines, ("send", n, "department"), f"there is no department '{one.department}'", "correct the id")
        for n, one in enumerate(file.send)
        if one.department not in city.departments
    ]
    if file.changeset > datetime.now(file.changeset.tzinfo):
        faults.append(fault_at(path, lines, ("changeset",), "this instant is still to come", "write when it changed"))
    raise_faults(str(path), faults)
    return file

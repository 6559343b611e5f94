"""``notices.yaml`` of a city: who is told of what, by which way."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, Field, model_validator

from cityloop.cases.reminders import Step
from cityloop.cases.waiting import REMINDER
from cityloop.collect.sources.secrets import is_reference
from cityloop.core.content import checked, fault_at, raise_faults, read_yaml
from cityloop.core.outbox import Event
from cityloop.core.values import Frozen, Title
from cityloop.watch.rules import LEVELS
from cityloop.watch.schemas import Level

FILE = "notices.yaml"
Channel = Literal["mail", "sms"]
WarningStep = Literal["raised", "level", "cleared", "escalated", "reminder", "assigned"]
CaseStep = Step | Literal["reply"]
WARNING = "cityloop.warning."
CommandStep = Literal["proposed", "unknown", "failed", "contact_lost", "safe_state_missed"]
COMMAND = "cityloop.command."
EVENTS = (
    REMINDER,
    *(f"{WARNING}{step}" for step in get_args(WarningStep)),
    *(f"{COMMAND}{step}" for step in get_args(CommandStep)),
)
"""All that may be told."""
_MAIL = re.compile(r"[^\s@<>,;:]+@[^\s@<>,;:]+")
_PHONE = re.compile(r"\+?[0-9]{5,20}")


def _mail(text: str) -> str:
    if not (_MAIL.fullmatch(text) or is_reference(text)):
        raise ValueError("write one e-mail address, or where it stands: env:NAME or file:PATH")
    return text


def _phone(text: str) -> str:
    if not (_PHONE.fullmatch(text) or is_reference(text)):
        raise ValueError("write a number such as +8613800000000, or where it stands: env:NAME or file:PATH")
    return text


class Notice(Frozen):
    """Some addresses, and what they are told."""

    id: str = Field(pattern=r"^[a-z0-9-]{1,40}$")
    title: Title
    mail: tuple[Annotated[str, AfterValidator(_mail)], ...] = ()
    sms: tuple[Annotated[str, AfterValidator(_phone)], ...] = ()
    departments: tuple[str, ...] = ()
    """Whose warnings and cases; none: all."""
    level: Level = "blue"
    """Warnings of this level or beyond; cases have none."""
    warnings: tuple[WarningStep, ...] = ()
    cases: tuple[CaseStep, ...] = ()
    commands: tuple[CommandStep, ...] = ()
    """Orders and devices that wait for a person."""
    language: Literal["zh", "en"] | None = None
    """Left out, that of the city."""

    @model_validator(mode="after")
    def _tells_somebody_something(self) -> Notice:
        if not (self.mail or self.sms):
            raise ValueError("a notice without 'mail' and 'sms' reaches nobody")
        if not (self.warnings or self.cases or self.commands):
            raise ValueError("a notice without 'warnings', 'cases' and 'commands' tells nothing")
        return self

    @property
    def addresses(self) -> tuple[tuple[Channel, str], ...]:
        """Every way to every address."""
        return (*(("mail", one) for one in self.mail), *(("sms", one) for one in self.sms))

    def wants(self, event: Event) -> bool:
        """Whether this event is to be told."""
        if event.type == REMINDER:
            return event.data["step"] in self.cases and self._concerns({event.data["department"]})
        if event.type.startswith(COMMAND):
            told = event.data.get("command") or event.data["contact"]
            return event.type.removeprefix(COMMAND) in self.commands and self._concerns({told["department"]})
        warning = event.data["warning"]
        if event.type.removeprefix(WARNING) not in self.warnings or not self._grave(warning):
            return False
        return self._concerns({warning["department"], event.data.get("to")})

    def _concerns(self, departments: set[str | None]) -> bool:
        return not self.departments or not departments.isdisjoint(self.departments)

    def _grave(self, warning: Mapping[str, str]) -> bool:
        """By the present level; the end of a warning is told to whoever heard of its height."""
        told = warning["peak"] if warning["status"] == "cleared" else warning["level"]
        return [*LEVELS].index(told) >= LEVELS.index(self.level)  # type: ignore[arg-type]


class NoticesFile(Frozen):
    """``notices.yaml`` of a city."""

    notices: tuple[Notice, ...]


def load_notices(city: Path, departments: Mapping[str, object]) -> tuple[Notice, ...]:
    """The notices of a city folder; none without a file. Raises :class:`ContentError` with every fault."""
    path = city / FILE
    if not path.exists():
        return ()
    value, lines = read_yaml(path)
    notices = checked(path, NoticesFile, value, lines).notices
    faults = [
        fault_at(path, lines, ("notices", n, "departments"), f"there is no department '{name}'", "correct the id")
        for n, notice in enumerate(notices)
        for name in notice.departments
        if name not in departments
    ]
    ids = [notice.id for notice in notices]
    faults += [
        fault_at(path, lines, ("notices", n, "id"), f"'{name}' is there twice", "rename one of them")
        for n, name in enumerate(ids)
        if name in ids[:n]
    ]
    raise_faults(str(path), faults)
    return notices

"""What crosses the wire, and the frozen values that other rooms hand to the commander."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from cityloop.command.declarations import Command
from cityloop.core.values import Frozen, Instant, Title

CommandState = Literal[
    "proposed", "ordered", "sent", "acknowledged", "done", "refused", "expired", "failed", "unknown", "undone"
]
Outcome = Literal["done", "failed"]
Action = Literal["confirm", "refuse", "undo", "settle"]
UNDER_WAY: tuple[CommandState, ...] = ("ordered", "sent", "acknowledged")
"""On the way to the device, or waiting for its effect."""
OPEN: tuple[CommandState, ...] = ("proposed", "unknown")
"""A person must look at it."""
Value = bool | int | float | str


class Order(Frozen):
    """What is wanted of whom. ``key`` makes it the same order however often it is sent."""

    entity: str = Field(max_length=120)
    entity_type: str = Field(max_length=60)
    command: str = Field(max_length=60)
    parameters: dict[str, Value | None] = Field(default_factory=dict)
    reason: str = Field(min_length=1, max_length=1000)
    key: str = Field(min_length=1, max_length=120)
    level: int | None = Field(default=None, ge=1, le=4)
    """At least this level of authority is asked for, whatever the parameters need."""
    run: str | None = Field(default=None, max_length=60)
    expires: Instant | None = None
    exercise: bool = False
    """Everything is checked and recorded, nothing is sent."""


class OrderDraft(Order):
    """An order as it is sent over HTTP."""

    dry_run: bool = False


class VerdictReason(Frozen):
    """One check of a verdict: what was looked at, whether it is as wanted, and what to tell people."""

    check: str
    fits: bool
    said: Title


class Verdict(Frozen):
    """Whether an order may be given. ``reasons`` has every check, also those that are as wanted."""

    allowed: bool
    level: int | None
    second_person: bool
    confirmers: tuple[str, ...] = ()
    """Posts that may confirm it."""
    parameters: dict[str, Value | None]
    reasons: tuple[VerdictReason, ...]

    @property
    def against(self) -> tuple[VerdictReason, ...]:
        """What stands against it."""
        return tuple(reason for reason in self.reasons if not reason.fits)


class Rehearsed(Frozen):
    """What an order would meet now. Nothing was sent or kept."""

    verdict: Verdict
    state: dict[str, Any]
    observed_at: Instant | None
    effect: Title | None
    undo: str | None
    """The command that would take it back."""


class ActView(Frozen):
    """One line of a command's history."""

    at: Instant
    by: str
    act: str
    said: Title | None = None
    detail: dict[str, Any] = {}


class CommandView(Frozen):
    """A command as lists and events show it."""

    id: str
    key: str
    entity: str
    entity_type: str
    entity_title: Title
    command: str
    title: Title
    parameters: dict[str, Any]
    state: CommandState
    level: int | None
    run: str | None
    department: str
    area: str | None
    reason: str
    reasons: tuple[VerdictReason, ...]
    """What stood against it, or why it is where it is."""
    exercise: bool
    tries: int
    ordered_by: str
    ordered_at: Instant
    confirmed_by: str | None
    expires_at: Instant
    sent_at: Instant | None
    acknowledged_at: Instant | None
    ended_at: Instant | None
    undo_of: str | None
    undone_by: str | None
    may: tuple[Action, ...] = ()
    """What the asker may do with it now."""


class CommandDetail(Frozen):
    """One command with all that is known of it."""

    command: CommandView
    verdict: Verdict
    before: dict[str, Any]
    now: dict[str, Any]
    observed_at: Instant | None
    effect: Title
    undo: str | None
    acts: tuple[ActView, ...]


class Why(Frozen):
    """Why a person does something with a command."""

    reason: str = Field(min_length=1, max_length=1000)


class Settlement(Why):
    """What a person found out about a command whose outcome was unknown."""

    outcome: Outcome


class ContactView(Frozen):
    """A device that was or is out of contact, and what is known of its safe state."""

    id: str
    entity: str
    entity_type: str
    entity_title: Title
    department: str
    area: str | None
    last_seen: Instant
    lost_at: Instant
    heard_at: Instant | None
    safe: bool | None
    """Whether it was in its safe state when it was heard again; ``None`` as long as nobody knows."""
    expected: Title


class CommandKind(Frozen):
    """One command of one entity type, with whether the asker's posts may order it at all."""

    entity_type: str
    department: str
    wire: str
    command: Command
    may_order: bool


class CommandFilter(Frozen):
    """What a list of commands is narrowed to."""

    state: CommandState | None = None
    open: bool | None = None
    entity: str | None = None
    entity_type: str | None = None
    command: str | None = None
    department: str | None = None
    run: str | None = None
    by: str | None = None
    q: str | None = Field(default=None, max_length=120)

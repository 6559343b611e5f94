"""What crosses the wire of an emergency."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from cityloop.core.values import Frozen, Instant, Title
from cityloop.core.words import Words
from cityloop.emergency.calling import CallState
from cityloop.emergency.declarations import Level, ResourceKind

ResponseState = Literal["open", "ended"]
TaskState = Literal["open", "taken", "done", "dropped"]


class ResponseWish(Frozen):
    """Open a response: what, where, how grave, and why."""

    kind: str = Field(max_length=40)
    level: Level
    title: Words = Field(min_length=2, max_length=120)
    reason: Words = Field(min_length=2, max_length=500)
    area: str | None = Field(default=None, max_length=60)
    lon: float | None = Field(default=None, ge=-180, le=180)
    lat: float | None = Field(default=None, ge=-90, le=90)


class LevelWish(Frozen):
    """Another level, and why."""

    level: Level
    reason: Words = Field(min_length=2, max_length=500)


class Acknowledgement(Frozen):
    """Who has answered; empty: the one whose turn it is."""

    name: Words = Field(default="", max_length=80)
    note: Words = Field(default="", max_length=500)


class TaskWish(Frozen):
    """A task that the list does not have; ``limit`` in the language of limits."""

    title: Words = Field(min_length=2, max_length=120)
    department: str = Field(max_length=60)
    limit: str = Field(max_length=40)


class TaskMove(Frozen):
    """Take a task, report it done with its result, or drop it with a reason."""

    move: Literal["take", "done", "drop"]
    words: Words = Field(default="", max_length=500)


class AssignmentWish(Frozen):
    """So much of a resource."""

    resource: str = Field(max_length=40)
    count: int = Field(default=1, ge=1, le=100_000)


class AssignmentMove(Frozen):
    """It has arrived, or is released."""

    move: Literal["arrive", "release"]


class ResourcePlace(Frozen):
    """Where a resource is, and whether it can be used."""

    lon: float = Field(ge=-180, le=180)
    lat: float = Field(ge=-90, le=90)
    out: bool = False


class LogNote(Frozen):
    """A line of the situation log."""

    words: Words = Field(min_length=1, max_length=2000)


class HandOverOffer(Frozen):
    """Hand a response over to somebody, with what he must know."""

    to: str = Field(max_length=60)
    words: Words = Field(min_length=2, max_length=2000)


class ResponseEnd(Frozen):
    """Why it ends."""

    reason: Words = Field(min_length=2, max_length=500)


class KindView(Frozen):
    """A kind of emergency that can be opened."""

    id: str
    title: Title
    department: str


class ResponseLine(Frozen):
    """A response in a list."""

    id: str
    number: str
    kind: str
    kind_title: Title
    title: str
    department: str
    area: str | None
    lon: float | None
    lat: float | None
    level: Level
    state: ResponseState
    opened_at: Instant
    ended_at: Instant | None
    tasks_open: int
    tasks_late: int
    contacts_waiting: int


class CalledPerson(Frozen):
    """Somebody of a role, in the order of calling."""

    name: Title
    phone: str
    account: str | None


class CalledRole(Frozen):
    """A role that is called."""

    id: str
    role: str
    title: Title
    state: CallState
    people: list[CalledPerson]
    turn: int
    called_at: Instant
    next_at: Instant | None
    reached_at: Instant | None
    reached_by: str | None


class EmergencyTask(Frozen):
    """A task with its deadline."""

    id: str
    title: Title
    department: str
    state: TaskState
    opened_at: Instant
    due_at: Instant | None
    late: bool
    taken_by: str | None
    done_at: Instant | None
    result: str
    mine: bool
    """Whether the asker may take it and report it done."""


class ResourceView(Frozen):
    """A resource: how much of it is free, and how far away it is."""

    id: str
    title: Title
    kind: ResourceKind
    department: str
    lon: float
    lat: float
    metres: float | None
    count: int
    free: int
    unit: Title
    phone: str
    out: bool


class AssignmentView(Frozen):
    """What is at work."""

    id: str
    resource: str
    title: Title
    unit: Title
    count: int
    assigned_at: Instant
    arrived_at: Instant | None
    released_at: Instant | None


class SituationLine(Frozen):
    """A line of the situation log."""

    seq: int
    at: Instant
    actor: str
    actor_name: Title
    kind: str
    said: Title
    words: str


class ResponseView(ResponseLine):
    """Everything of one emergency: the command centre's page."""

    cause: dict[str, str]
    holder: str
    holder_name: Title
    offered_to: str | None
    offered_to_name: Title | None
    offered_at: Instant | None
    contacts: list[CalledRole]
    tasks: list[EmergencyTask]
    resources: list[ResourceView]
    assignments: list[AssignmentView]
    log: list[SituationLine]
    may_command: bool
    may_accept: bool
    version: int

"""What the steward's room says on the wire about sharing."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from cityloop.core.values import Frozen, Instant, Title

GrantState = Literal["asked", "approved", "refused", "withdrawn", "revoked", "expired"]
Move = Literal["approve", "refuse", "revoke", "withdraw"]


class GrantRequest(Frozen):
    """What a department asks for. ``owner`` is only needed where several departments own the dataset."""

    dataset: str = Field(max_length=60)
    owner: str | None = None
    fields: list[str] = Field(min_length=1, max_length=200)
    areas: list[str] = Field(default=[], max_length=200)
    purpose: str = Field(min_length=1, max_length=500)
    until: Instant


class GrantMove(Frozen):
    """A move and why."""

    move: Move
    reason: str = Field(min_length=1, max_length=500)


class FieldView(Frozen):
    """A shared property."""

    id: str
    title: Title
    sensitivity: str


class AreaView(Frozen):
    """An area that a grant is limited to."""

    code: str
    title: Title


class GrantView(Frozen):
    """A grant. ``department`` sees ``fields`` of the rows that ``owner`` brings, in ``areas`` (none: everywhere)."""

    id: str
    dataset: str
    title: Title
    owner: str
    department: str
    fields: list[FieldView]
    areas: list[AreaView]
    purpose: str
    until: Instant
    state: GrantState
    asked_by: str
    asked_by_name: Title
    asked_at: Instant
    decided_by: str | None
    decided_by_name: Title | None
    decided_at: Instant | None
    reason: str | None
    ended_by: str | None
    ended_at: Instant | None
    end_reason: str | None
    moves: list[Move]
    reads: int
    last_read_at: Instant | None
    version: int


class Reader(Frozen):
    """An account that read by a grant."""

    account: str
    name: Title
    reads: int
    last_read_at: Instant


class UsageView(Frozen):
    """How a grant was used."""

    grant: str
    reads: int
    last_read_at: Instant | None
    readers: list[Reader]


class GrantFilter(Frozen):
    """Which grants are wanted. ``department`` takes those that it asks for or owns."""

    state: GrantState | None = None
    department: str | None = None
    dataset: str | None = None

"""What crosses the wire about plans as such: the library, versions, lint, what a change would do, dry runs."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from cityloop.core.values import Frozen, Instant, Title
from cityloop.linkage.lint import PlanFault
from cityloop.linkage.schemas import MigrationVerdict, TriggerKind

XML_LENGTH = 1_000_000
"""Most characters of a diagram on the wire; its bytes are counted where it is read."""
_REASON = Field(min_length=3, max_length=400)


class PlanTrigger(Frozen):
    """What starts a plan by itself, or that a person may."""

    kind: TriggerKind
    rule: str | None
    levels: tuple[str, ...]
    type: str | None
    """Entity type of the warning."""
    area: str | None
    when: str | None
    """FEEL that must hold."""
    once: Literal["area", "entity", "none"]
    at: str | None
    move: str | None


class PlanLane(Frozen):
    """Who takes part: one department or one post."""

    id: str
    title: Title
    department: str | None
    post: str | None


class PlanView(Frozen):
    """One plan of the library."""

    id: str
    title: Title
    note: str
    """What it is for, as its documentation says."""
    version: int
    origin: str
    """The pack it comes from, or ``edited``."""
    changed_at: Instant
    triggers: tuple[TriggerKind, ...]
    departments: tuple[str, ...]
    tasks: int
    services: int


class PlanDetail(Frozen):
    """A plan with its diagram in force."""

    plan: PlanView
    xml: str
    version: int
    triggers: list[PlanTrigger]
    lanes: list[PlanLane]
    faults: list[PlanFault]


class PlanVersionView(Frozen):
    """One version of a plan."""

    version: int
    origin: str
    at: Instant
    by: str
    reason: str
    in_force: bool


class PlanVersionDetail(PlanVersionView):
    """A version with its diagram."""

    xml: str


class PlanText(Frozen):
    """A diagram that is being drawn."""

    xml: str = Field(max_length=XML_LENGTH)


class PlanLint(Frozen):
    """What is wrong with a diagram; ``sound`` when nothing keeps it from coming into force."""

    faults: list[PlanFault]
    sound: bool


class PlanKeyChange(Frozen):
    """One property of an element that differs; empty where it has none."""

    key: str
    before: str
    after: str


class PlanChange(Frozen):
    """One element that differs between two diagrams, apart from where it is drawn."""

    element: str
    kind: str
    title: Title
    what: Literal["added", "removed", "changed"]
    keys: list[PlanKeyChange]


class PlanExplained(Frozen):
    """What a change would do. Nothing is written."""

    plan: str
    base: int
    """Version that is in force; 0 for a new plan."""
    faults: list[PlanFault]
    changes: list[PlanChange]
    redrawn: bool
    """Whether anything is drawn elsewhere."""
    running: list[MigrationVerdict]
    """Open runs, and whether each could go on by the new version."""


class NewPlanVersion(PlanText):
    """A diagram to be put into force, over the version that was explained; ``migrate``: with the runs that may."""

    base: int = Field(ge=0)
    reason: str = _REASON
    migrate: bool = False


class PlanApplied(Frozen):
    """The new version, and what became of the open runs."""

    plan: PlanDetail
    migrated: list[MigrationVerdict]


class PlanTry(Frozen):
    """A wish to see a plan run without anything being sent: what starts it, and what people and services answer.

    ``answers`` is by element: the values of a form, ``{"approve": false}`` for a refusal, or the result of a service;
    ``{"late": true}`` lets the timer on its border fire first.
    """

    xml: str | None = Field(default=None, max_length=XML_LENGTH)
    facts: dict[str, Any] = Field(default_factory=dict, max_length=100)
    answers: dict[str, dict[str, Any]] = Field(default_factory=dict, max_length=400)


class TriedStep(Frozen):
    """One step of a dry run, in the order in which it was reached."""

    element: str
    kind: Literal["start", "task", "approval", "service", "timer", "message", "choice", "end"]
    title: Title
    who: Title | None = None
    """The department or post of its lane, for what people do."""
    does: Title
    """What it would do."""
    inputs: dict[str, Any]
    asks: list[str]
    """Fields that were left empty and are required."""
    after_seconds: float
    """On the plan's own clock, from the start."""


class PlanTried(Frozen):
    """How a plan would go with these facts and answers."""

    steps: list[TriedStep]
    end: Literal["ended", "waiting", "stopped"]
    """``waiting``: for what no answer was given to; ``stopped``: by a fault, or after too many steps."""
    why: Title

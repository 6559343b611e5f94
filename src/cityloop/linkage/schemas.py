"""What linkage takes and answers on the wire, and puts into its events: runs, their steps, tasks and effects."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from cityloop.core.values import Frozen, Instant, Title

RunState = Literal["running", "paused", "manual", "done", "ended", "failed"]
TaskState = Literal["open", "taken", "done", "rejected", "gone"]
EffectState = Literal["waiting", "asked", "done", "failed", "skipped", "gone", "undone"]
"""``waiting`` to be asked for, ``asked`` and not answered yet, ``gone``: its step was left before it was asked for."""
MarkState = Literal["done", "now", "wait", "late", "failed"]
TriggerKind = Literal["warning", "case", "person", "schedule", "subplan"]
FieldKind = Literal["text", "number", "integer", "yes_no", "choice", "instant", "date"]
OPEN_RUNS: tuple[RunState, ...] = ("running", "paused", "manual", "failed")
OPEN_TASKS: tuple[TaskState, ...] = ("open", "taken")


class FormField(Frozen):
    """One field of a task's form."""

    id: str
    kind: FieldKind = "text"
    title: Title
    required: bool = False
    values: tuple[str, ...] = ()
    """What may be chosen, of a ``choice``."""


class RunView(Frozen):
    """One execution of a plan."""

    id: str
    plan: str
    version: int
    title: Title
    state: RunState
    trigger: TriggerKind
    subject: str | None
    """What started it: a warning, a case, the run of which it is a part."""
    subject_title: Title | None
    area: str | None
    area_title: Title | None
    department: str | None
    """Who leads."""
    reason: str
    started_at: Instant
    started_by: str
    updated_at: Instant
    ended_at: Instant | None
    ended_by: str | None
    end_reason: str | None
    parent: str | None
    held_by: str | None
    """Who took it over by hand."""
    waiting: tuple[Title, ...]
    """Steps at which it stands."""
    open_tasks: int
    due_at: Instant | None
    """The first deadline of its open tasks."""
    late: bool
    failure: Title | None


class TaskAnswer(Frozen):
    """What one person answered to an approval."""

    by: str
    name: Title
    answer: Literal["approve", "reject"]
    note: str
    at: Instant


class RunTaskView(Frozen):
    """A step that waits for a person."""

    id: str
    run: str
    plan: str
    plan_title: Title
    element: str
    title: Title
    kind: Literal["task", "approval"]
    department: str | None
    post: str | None
    assignee: str | None
    assignee_name: Title | None
    state: TaskState
    area: str | None
    area_title: Title | None
    opened_at: Instant
    due_at: Instant | None
    """``None`` without a limit, and while its run is paused."""
    limit: str | None
    late: bool
    done_at: Instant | None
    done_by: str | None
    reminded: int
    escalated_to: str | None
    level: int
    """Approvals given so far."""
    levels: int
    """Approvals wanted; 0 for a plain task."""
    version: int


class TaskDetail(RunTaskView):
    """A task with its form and what it is about."""

    description: str
    form: str | None
    fields: tuple[FormField, ...]
    values: dict[str, Any]
    answers: tuple[TaskAnswer, ...]
    facts: dict[str, Any]
    """What the plan knows when the task opens."""
    may: tuple[Literal["take", "complete", "approve", "reject", "delegate"], ...]
    """What the asker can do now."""
    why_not: Title | None = None
    """Why the asker can do nothing."""


class EffectView(Frozen):
    """Something that a run did outside of itself, or is about to do."""

    id: str
    run: str
    element: str
    title: Title
    service: str
    inputs: dict[str, Any]
    state: EffectState
    reference: str | None
    """The case, command, message or run that it made."""
    result: Any
    reason: Title | None
    """Why it failed."""
    tries: int
    asked_at: Instant
    done_at: Instant | None
    undoable: bool
    undo: Title
    """How it is undone, or why it cannot be."""
    undone_at: Instant | None
    undone_by: str | None


class RunMark(Frozen):
    """Where a run stands in its diagram."""

    element: str
    state: MarkState
    holder: str | None = None
    """The department, post or person that has it in hand."""
    due_at: Instant | None = None


class RunLine(Frozen):
    """One line of a run's timeline."""

    at: Instant
    kind: str
    actor: str
    actor_name: Title
    element: str | None
    text: Title
    detail: dict[str, Any]


class RunContact(Frozen):
    """Who takes part in a run."""

    lane: Title
    department: str | None
    post: str | None
    title: Title
    open_tasks: int


class RunDevice(Frozen):
    """A thing that a run gave an order to."""

    entity: str
    entity_type: str
    command: str
    effect: str
    state: EffectState


class RunDetail(Frozen):
    """A run with all that its page shows."""

    run: RunView
    xml: str
    marks: list[RunMark]
    tasks: list[RunTaskView]
    effects: list[EffectView]
    timeline: list[RunLine]
    area: str | None
    devices: list[RunDevice]
    contacts: list[RunContact]
    facts: dict[str, Any]
    parts: list[RunView]
    """Runs of sub-plans."""
    may: tuple[str, ...]
    """What the asker can do with the run now: ``pause``, ``resume``, ``end``, ``take-over``, ``undo``."""


class RunFilter(Frozen):
    """Which runs are wanted."""

    plan: str | None = None
    state: tuple[RunState, ...] = ()
    open: bool | None = None
    area: str | None = None
    late: bool | None = None
    subject: str | None = None
    q: str | None = None


class TaskFilter(Frozen):
    """Which tasks are wanted."""

    mine: bool = False
    state: tuple[TaskState, ...] = ()
    plan: str | None = None
    run: str | None = None
    late: bool | None = None


class NewRun(Frozen):
    """A plan started by a person."""

    plan: str = Field(max_length=60)
    facts: dict[str, Any] = Field(default_factory=dict, max_length=100)
    area: str | None = Field(default=None, max_length=40)
    reason: str = Field(min_length=2, max_length=400)


class RunReason(Frozen):
    """Why somebody steers a run."""

    reason: str = Field(min_length=2, max_length=400)


class RunMessage(Frozen):
    """A message for a run that waits for one."""

    name: str = Field(min_length=1, max_length=80)
    values: dict[str, Any] = Field(default_factory=dict, max_length=100)


class TaskCompletion(Frozen):
    """The form of a task, filled in."""

    values: dict[str, Any] = Field(default_factory=dict, max_length=100)


class TaskApproval(Frozen):
    """An answer to a request for approval."""

    answer: Literal["approve", "reject"]
    note: str = Field(default="", max_length=400)


class TaskDelegation(Frozen):
    """A task given to somebody else: an account, a department or a post."""

    to: str = Field(min_length=1, max_length=60)
    reason: str = Field(min_length=2, max_length=400)


class UndoneEffect(Frozen):
    """What became of one effect when a run was undone."""

    effect: str
    title: Title
    undone: bool
    why: Title


class MigrationVerdict(Frozen):
    """Whether a running instance could go on by another version of its plan."""

    run: str
    version: int
    may_migrate: bool
    why: Title

"""Tables of linkage: versions of plans, runs with their instance, tasks, effects, timers, timelines, claims."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, Integer, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from cityloop.core.database import Table


class PlanVersionRow(Table):
    """One version of a plan; all runs of it share the diagram. ``in_force`` marks the one that new runs follow."""

    __tablename__ = "plan_version"
    plan: Mapped[str] = mapped_column(String(60), primary_key=True)
    version: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[str] = mapped_column(String(64))
    xml: Mapped[str] = mapped_column(Text)
    title: Mapped[dict[str, Any]]
    origin: Mapped[str] = mapped_column(String(80))
    """The pack's file, or ``edited``."""
    reason: Mapped[str] = mapped_column(String(400), server_default="")
    actor: Mapped[str] = mapped_column(String(60))
    at: Mapped[datetime]
    in_force: Mapped[bool]


class RunRow(Table):
    """One execution. ``instance`` is the engine's state without the diagram; ``version_no`` rises with every write."""

    __tablename__ = "plan_run"
    __table_args__ = (
        Index("plan_run_state", "state", "started_at"),
        Index("plan_run_plan", "plan", "started_at"),
        Index("plan_run_subject", "subject"),
        Index("plan_run_parent", "parent"),
    )
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    plan: Mapped[str] = mapped_column(String(60))
    version: Mapped[int]
    title: Mapped[dict[str, Any]]
    state: Mapped[str] = mapped_column(String(10))
    trigger: Mapped[str] = mapped_column(String(10))
    subject: Mapped[str | None] = mapped_column(String(80))
    subject_title: Mapped[dict[str, Any] | None]
    area: Mapped[str | None] = mapped_column(String(40))
    department: Mapped[str | None] = mapped_column(String(40))
    reason: Mapped[str] = mapped_column(String(400))
    facts: Mapped[dict[str, Any]]
    started_at: Mapped[datetime]
    started_by: Mapped[str] = mapped_column(String(60))
    updated_at: Mapped[datetime]
    paused_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    ended_by: Mapped[str | None] = mapped_column(String(60))
    end_reason: Mapped[str | None] = mapped_column(String(400))
    parent: Mapped[str | None] = mapped_column(String(40))
    parent_effect: Mapped[str | None] = mapped_column(String(80))
    held_by: Mapped[str | None] = mapped_column(String(60))
    failure: Mapped[dict[str, Any] | None]
    waiting: Mapped[list[Any]]
    marks: Mapped[dict[str, Any]]
    """``done`` or ``now`` by element."""
    instance: Mapped[str] = mapped_column(Text)
    version_no: Mapped[int] = mapped_column(Integer)
    __mapper_args__ = {"version_id_col": version_no}


class RunTaskRow(Table):
    """A user task of a run; its id is the one the engine gave the step."""

    __tablename__ = "run_task"
    __table_args__ = (
        Index("run_task_run", "run"),
        Index("run_task_state", "state", "due_at"),
        Index("run_task_department", "department", "state"),
        Index("run_task_assignee", "assignee", "state"),
    )
    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    run: Mapped[str] = mapped_column(String(40))
    plan: Mapped[str] = mapped_column(String(60))
    plan_title: Mapped[dict[str, Any]]
    element: Mapped[str] = mapped_column(String(80))
    title: Mapped[dict[str, Any]]
    kind: Mapped[str] = mapped_column(String(10))
    department: Mapped[str | None] = mapped_column(String(40))
    post: Mapped[str | None] = mapped_column(String(40))
    assignee: Mapped[str | None] = mapped_column(String(60))
    assignee_name: Mapped[dict[str, Any] | None]
    state: Mapped[str] = mapped_column(String(10))
    area: Mapped[str | None] = mapped_column(String(40))
    opened_at: Mapped[datetime]
    due_at: Mapped[datetime | None]
    limit: Mapped[str | None] = mapped_column("limit_text", String(80))
    clock: Mapped[dict[str, Any] | None]
    remind: Mapped[str | None] = mapped_column(String(80))
    reminded: Mapped[int]
    escalate: Mapped[str | None] = mapped_column(String(60))
    escalated_to: Mapped[str | None] = mapped_column(String(60))
    levels: Mapped[int]
    four_eyes: Mapped[bool]
    answers: Mapped[list[Any]]
    values: Mapped[dict[str, Any]] = mapped_column("form_values")
    done_at: Mapped[datetime | None]
    done_by: Mapped[str | None] = mapped_column(String(60))
    requested_by: Mapped[str | None] = mapped_column(String(60))
    """Who asks for what is approved: never an approver of it."""
    version: Mapped[int] = mapped_column("version_no", Integer)
    __mapper_args__ = {"version_id_col": version}


class RunEffectRow(Table):
    """Something a step does outside of its run; ``id`` is its idempotency key."""

    __tablename__ = "run_effect"
    __table_args__ = (Index("run_effect_run", "run", "place"), Index("run_effect_reference", "service", "reference"))
    id: Mapped[str] = mapped_column(String(80), primary_key=True)
    run: Mapped[str] = mapped_column(String(40))
    place: Mapped[int]
    """Its order in the run."""
    step: Mapped[str] = mapped_column(String(40))
    """The id that the engine gave the step."""
    element: Mapped[str] = mapped_column(String(80))
    title: Mapped[dict[str, Any]]
    service: Mapped[str] = mapped_column(String(40))
    inputs: Mapped[dict[str, Any]]
    state: Mapped[str] = mapped_column(String(10))
    reference: Mapped[str | None] = mapped_column(String(80))
    result: Mapped[str | None] = mapped_column(Text)
    """What it answered, as JSON."""
    reason: Mapped[dict[str, Any] | None]
    tries: Mapped[int]
    asked_at: Mapped[datetime]
    done_at: Mapped[datetime | None]
    undone_at: Mapped[datetime | None]
    undone_by: Mapped[str | None] = mapped_column(String(60))


class LinkageTimerRow(Table):
    """What is to happen by itself at an instant: a step, a reminder, an effect to be asked for, a scheduled start."""

    __tablename__ = "linkage_timer"
    __table_args__ = (
        Index("linkage_timer_due", "due", sqlite_where=text("state = 'set'"), postgresql_where=text("state = 'set'")),
        Index("linkage_timer_run", "run"),
    )
    kind: Mapped[str] = mapped_column(String(10), primary_key=True)
    ref: Mapped[str] = mapped_column(String(80), primary_key=True)
    run: Mapped[str | None] = mapped_column(String(40))
    due: Mapped[datetime]
    state: Mapped[str] = mapped_column(String(10))
    """``set``, or ``held`` while its run is paused."""
    lease: Mapped[datetime | None]
    tries: Mapped[int]


class RunLineRow(Table):
    """One line of a run's timeline."""

    __tablename__ = "run_line"
    __table_args__ = (Index("run_line_run", "run", "seq"),)
    seq: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    run: Mapped[str] = mapped_column(String(40))
    at: Mapped[datetime]
    kind: Mapped[str] = mapped_column(String(30))
    actor: Mapped[str] = mapped_column(String(60))
    actor_name: Mapped[dict[str, Any]]
    element: Mapped[str | None] = mapped_column(String(80))
    text: Mapped[dict[str, Any]]
    detail: Mapped[dict[str, Any]]


class RunClaimRow(Table):
    """At most one open run for what it names; let go of when the run ends."""

    __tablename__ = "run_claim"
    plan: Mapped[str] = mapped_column(String(60), primary_key=True)
    claim: Mapped[str] = mapped_column(String(120), primary_key=True)
    run: Mapped[str] = mapped_column(String(40), index=True)

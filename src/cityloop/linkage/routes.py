"""Routes of linkage: runs and tasks. Plans have routes of their own."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from cityloop.access.routes import Asker
from cityloop.core.values import Page
from cityloop.core.web import Paged, service
from cityloop.linkage.desk import RunDesk
from cityloop.linkage.schemas import (
    NewRun,
    RunDetail,
    RunFilter,
    RunMessage,
    RunReason,
    RunState,
    RunTaskView,
    RunView,
    TaskApproval,
    TaskCompletion,
    TaskDelegation,
    TaskDetail,
    TaskFilter,
    TaskState,
    UndoneEffect,
)
from cityloop.linkage.tasks import TaskDesk

router = APIRouter(prefix="/api/v1", tags=["linkage"])
TheRuns = Annotated[RunDesk, Depends(service(RunDesk))]
TheTasks = Annotated[TaskDesk, Depends(service(TaskDesk))]


async def run_filter(
    plan: Annotated[str | None, Query(max_length=60)] = None,
    state: Annotated[list[RunState] | None, Query()] = None,
    open: bool | None = None,
    area: Annotated[str | None, Query(max_length=40, description="area code; everything below it counts")] = None,
    late: bool | None = None,
    subject: Annotated[str | None, Query(max_length=80, description="the warning or case that started it")] = None,
    q: Annotated[str | None, Query(max_length=60, description="in title, reason or id")] = None,
) -> RunFilter:
    """The filter parameters of a request for runs."""
    values = dict(locals())
    return RunFilter(**{**values, "state": tuple(state or ())})


async def task_filter(
    mine: Annotated[bool, Query(description="only tasks that the asker can work on now")] = False,
    state: Annotated[list[TaskState] | None, Query()] = None,
    plan: Annotated[str | None, Query(max_length=60)] = None,
    run: Annotated[str | None, Query(max_length=40)] = None,
    late: bool | None = None,
) -> TaskFilter:
    """The filter parameters of a request for tasks."""
    return TaskFilter(mine=mine, state=tuple(state or ()), plan=plan, run=run, late=late)


RunsWanted = Annotated[RunFilter, Depends(run_filter)]
TasksWanted = Annotated[TaskFilter, Depends(task_filter)]


@router.get("/runs")
def runs(desk: TheRuns, actor: Asker, paged: Paged, wanted: RunsWanted) -> Page[RunView]:
    """Runs; sort by ``started_at`` (default, descending), ``updated_at``, ``ended_at``, ``plan``, ``state``."""
    return desk.list(actor, wanted, paged)


@router.post("/runs", status_code=201)
def start(body: NewRun, desk: TheRuns, actor: Asker) -> RunDetail:
    """Start a plan by hand; where it may run once for an area only, 409 names the run there is."""
    return desk.start(actor, body)


@router.get("/runs/{run}")
def run(run: str, desk: TheRuns, actor: Asker) -> RunDetail:
    """One run: its diagram with marks, tasks, effects, timeline."""
    return desk.get(actor, run)


@router.post("/runs/{run}/pause")
def pause(run: str, body: RunReason, desk: TheRuns, actor: Asker) -> RunDetail:
    """Stand still: timers and deadlines stop, tasks cannot be completed."""
    return desk.pause(actor, run, body.reason)


@router.post("/runs/{run}/resume")
def resume(run: str, body: RunReason, desk: TheRuns, actor: Asker) -> RunDetail:
    """Go on, after a pause or after steps by hand."""
    return desk.resume(actor, run, body.reason)


@router.post("/runs/{run}/take-over")
def take_over(run: str, body: RunReason, desk: TheRuns, actor: Asker) -> RunDetail:
    """Take it in hand: nothing happens by itself any more; who took it completes, retries and skips steps."""
    return desk.take_over(actor, run, body.reason)


@router.post("/runs/{run}/end")
def end(run: str, body: RunReason, desk: TheRuns, actor: Asker) -> RunDetail:
    """End it early; what it has done stays until it is undone."""
    return desk.end(actor, run, body.reason)


@router.post("/runs/{run}/undo")
def undo(run: str, body: RunReason, desk: TheRuns, actor: Asker) -> list[UndoneEffect]:
    """Undo what a run did, the last first; says of each effect how, or why not."""
    return desk.undo(actor, run, body.reason)


@router.post("/runs/{run}/messages")
def message(run: str, body: RunMessage, desk: TheRuns, actor: Asker) -> RunDetail:
    """Give a run the message that it waits for."""
    return desk.message(actor, run, body)


@router.post("/runs/{run}/steps/{element}/retry")
def retry(run: str, element: str, body: RunReason, desk: TheRuns, actor: Asker) -> RunDetail:
    """Try a failed step again."""
    return desk.retry(actor, run, element, body.reason)


@router.post("/runs/{run}/steps/{element}/skip")
def skip(run: str, element: str, body: RunReason, desk: TheRuns, actor: Asker) -> RunDetail:
    """Go on without a step that failed or waits; its result stays empty."""
    return desk.skip(actor, run, element, body.reason)


@router.post("/runs/{run}/effects/{effect}/undo")
def undo_effect(run: str, effect: str, body: RunReason, desk: TheRuns, actor: Asker) -> UndoneEffect:
    """Undo one effect."""
    return desk.undo_effect(actor, run, effect, body.reason)


@router.get("/run-tasks")
def tasks(desk: TheTasks, actor: Asker, paged: Paged, wanted: TasksWanted) -> Page[RunTaskView]:
    """Tasks; sort by ``due_at`` (default), ``opened_at``, ``done_at``."""
    return desk.list(actor, wanted, paged)


@router.get("/run-tasks/{task}")
def task(task: str, desk: TheTasks, actor: Asker) -> TaskDetail:
    """One task with its form."""
    return desk.get(actor, task)


@router.post("/run-tasks/{task}/take")
def take(task: str, desk: TheTasks, actor: Asker) -> TaskDetail:
    """Take a task of one's department or post."""
    return desk.take(actor, task)


@router.post("/run-tasks/{task}/complete")
def complete(task: str, body: TaskCompletion, desk: TheTasks, actor: Asker) -> TaskDetail:
    """Complete a task; 422 names every field that is wrong."""
    return desk.complete(actor, task, body.values)


@router.post("/run-tasks/{task}/approve")
def approve(task: str, body: TaskApproval, desk: TheTasks, actor: Asker) -> TaskDetail:
    """Approve or reject; nobody answers twice, or what he asked for himself."""
    return desk.approve(actor, task, body)


@router.post("/run-tasks/{task}/delegate")
def delegate(task: str, body: TaskDelegation, desk: TheTasks, actor: Asker) -> TaskDetail:
    """Give a task to an account, a department or a post."""
    return desk.delegate(actor, task, body)

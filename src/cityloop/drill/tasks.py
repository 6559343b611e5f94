"""Tasks of plans, as drill players do them: what the plan of the drill says of a step is answered after its wait."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Literal, Protocol

from cityloop.core.values import Page
from cityloop.drill.api import Refused
from cityloop.drill.choose import chance
from cityloop.drill.plan import TaskTurn
from cityloop.linkage.schemas import RunTaskView

_AGAIN = timedelta(minutes=10)
"""City time after which a refused answer is tried again."""


class TaskApi(Protocol):
    """The HTTP API, as far as tasks need it."""

    def tasks(self, account: str) -> Page[RunTaskView]:
        """Open tasks that the account has in hand."""
        ...

    def complete(self, account: str, task: str, values: Mapping[str, Any]) -> None:
        """Fill in a task's form."""
        ...

    def approve(self, account: str, task: str, answer: Literal["approve", "reject"], note: str) -> None:
        """Answer a request for approval."""
        ...


class TaskPlayer:
    """All accounts that answer tasks; each looks at its list as often as the pace says."""

    def __init__(self, turns: Iterable[TaskTurn], look_seconds: float) -> None:
        self._turns = {(turn.account, turn.plan, turn.element): turn for turn in turns}
        self._look, self._look_at = look_seconds, dict.fromkeys((key[0] for key in self._turns), 0.0)
        self._agenda: dict[str, tuple[datetime, TaskTurn]] = {}
        self._not_before: dict[str, datetime] = {}

    def look(self, api: TaskApi, playing: Iterable[str], real: float) -> None:
        """Let the account that has waited longest read its list, if its time has come (``real``: monotonic seconds)."""
        due = [account for account in playing if self._look_at.get(account, real + 1) <= real]
        if due:
            account = min(due, key=self._look_at.__getitem__)
            self._look_at[account] = real + self._look
            with suppress(Refused):
                self._read(account, api.tasks(account).items)

    def act(self, api: TaskApi, playing: Iterable[str], now: datetime) -> str | None:
        """Answer one task that is due; returns the account that did."""
        at_work = set(playing)
        due = [(at, task) for task, (at, turn) in self._agenda.items() if at <= now and turn.account in at_work]
        if not due:
            return None
        _, task = min(due)
        turn = self._agenda.pop(task)[1]
        try:
            self._answer(api, task, turn)
        except Refused:
            self._not_before[task] = now + _AGAIN
            return None
        return turn.account

    def _read(self, account: str, tasks: Iterable[RunTaskView]) -> None:
        open_now = {task.id: task for task in tasks}
        mine = [task for task, (_, turn) in self._agenda.items() if turn.account == account]
        for gone in set(mine) - set(open_now):
            del self._agenda[gone]
        for task in open_now.values():
            turn = self._turns.get((account, task.plan, task.element))
            if turn is not None:
                self._agenda[task.id] = (self._ready(task, turn), turn)

    def _ready(self, task: RunTaskView, turn: TaskTurn) -> datetime:
        low, high = turn.wait
        ready = task.opened_at + timedelta(seconds=low + (high - low) * chance(task.id, turn.account))
        return max(ready, self._not_before.get(task.id, ready))

    def _answer(self, api: TaskApi, task: str, turn: TaskTurn) -> None:
        if turn.answer is None:
            api.complete(turn.account, task, turn.values)
        else:
            api.approve(turn.account, task, turn.answer, turn.note)

"""The HTTP API as a player uses it: over loopback, signed in by token, never around the door."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from threading import Event
from typing import Any, Literal

import httpx

from cityloop.cases.schemas import CaseDetail, CaseReport, CaseView, MoveRequest
from cityloop.core.values import Page
from cityloop.linkage.schemas import RunTaskView, TaskApproval, TaskCompletion

Tokens = Callable[[str], str]
"""Issues a token for an account."""

_SIGN_IN_NEEDED, _SERVER = 401, 500
_BUSY = 429


class Unreachable(Exception):
    """The server is not there, too busy, or failed; trying again later may help."""


class Refused(Exception):
    """The server understood and said no; ``detail`` is its reason."""

    def __init__(self, status: int, detail: str) -> None:
        super().__init__(f"{status}: {detail}")
        self.status = status


class Api:
    """Requests of all players over one connection, each followed by a rest: the drill never crowds people out."""

    def __init__(self, base_url: str, tokens: Tokens, rest: float, stop: Event) -> None:
        self._client = httpx.Client(base_url=base_url, timeout=20.0)
        self._issue = tokens
        self._tokens: dict[str, str] = {}
        self._rest = rest
        self._stop = stop

    def close(self) -> None:
        """Close the connection."""
        self._client.close()

    def desk(self, account: str, page: int, size: int) -> Page[CaseView]:
        """What waits for ``account``, latest change first."""
        query = {"mine": "true", "open": "true", "sort": "-updated_at", "page": str(page), "size": str(size)}
        return Page[CaseView].model_validate_json(self._send(account, "GET", "/api/v1/cases", params=query).content)

    def case(self, account: str, case: str) -> CaseDetail:
        """One case with the moves on offer to ``account``."""
        return CaseDetail.model_validate_json(self._send(account, "GET", f"/api/v1/cases/{case}").content)

    def move(self, account: str, case: str, wish: MoveRequest) -> CaseDetail:
        """Make a move."""
        answer = self._send(account, "POST", f"/api/v1/cases/{case}/moves", body=wish.model_dump_json())
        return CaseDetail.model_validate_json(answer.content)

    def report(self, account: str, report: CaseReport) -> CaseDetail:
        """Post a report; a known number answers with the case there already is."""
        answer = self._send(account, "POST", "/api/v1/cases", body=report.model_dump_json())
        return CaseDetail.model_validate_json(answer.content)

    def tasks(self, account: str) -> Page[RunTaskView]:
        """Open tasks of linkage plans that ``account`` has in hand."""
        query = {"mine": "true", "size": "100"}
        answer = self._send(account, "GET", "/api/v1/run-tasks", params=query)
        return Page[RunTaskView].model_validate_json(answer.content)

    def complete(self, account: str, task: str, values: Mapping[str, Any]) -> None:
        """Fill in a task's form."""
        body = TaskCompletion(values=dict(values)).model_dump_json()
        self._send(account, "POST", f"/api/v1/run-tasks/{task}/complete", body=body)

    def approve(self, account: str, task: str, answer: Literal["approve", "reject"], note: str) -> None:
        """Answer a request for approval."""
        body = TaskApproval(answer=answer, note=note).model_dump_json()
        self._send(account, "POST", f"/api/v1/run-tasks/{task}/approve", body=body)

    def _send(
        self, account: str, method: str, path: str, params: Mapping[str, str] | None = None, body: str | None = None
    ) -> httpx.Response:
        began = time.monotonic()
        try:
            answer = self._once(account, method, path, params, body)
            if answer.status_code == _SIGN_IN_NEEDED:
                self._tokens.pop(account, None)
                answer = self._once(account, method, path, params, body)
        except httpx.HTTPError as error:
            raise Unreachable(f"{type(error).__name__}: {error}") from error
        self._stop.wait((time.monotonic() - began) * self._rest)
        if answer.status_code >= _SERVER or answer.status_code == _BUSY:
            raise Unreachable(f"{method} {path} answered {answer.status_code}")
        if answer.is_error:
            raise Refused(answer.status_code, _detail(answer))
        return answer

    def _once(
        self, account: str, method: str, path: str, params: Mapping[str, str] | None, body: str | None
    ) -> httpx.Response:
        if account not in self._tokens:
            self._tokens[account] = self._issue(account)
        headers = {"Authorization": f"Bearer {self._tokens[account]}", "Content-Type": "application/json"}
        return self._client.request(method, path, params=params, content=body, headers=headers)


def _detail(answer: httpx.Response) -> str:
    try:
        problem: dict[str, Any] = answer.json()
    except ValueError:
        return answer.text[:200]
    return str(problem.get("detail", problem))[:300]

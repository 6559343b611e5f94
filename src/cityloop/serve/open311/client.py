"""One other Open311 server, asked in JSON. What goes wrong is one of three things, each with its own way on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from cityloop.serve.delivery import Doubtful, NotYet, post_once, secret, told
from cityloop.serve.open311.content import Recipient

_MOST = 1_000_000
"""Bytes of an answer that are read at most."""


@dataclass(frozen=True)
class Remote:
    """What the other system says of a request."""

    number: str | None = None
    token: str | None = None
    status: str | None = None
    notes: str | None = None


class Partner:
    """Posts to one recipient and asks it for news."""

    def __init__(self, recipient: Recipient, transport: httpx.BaseTransport | None = None) -> None:
        self._recipient = recipient
        self._http = httpx.Client(timeout=20, transport=transport, follow_redirects=False)

    def post(self, fields: Mapping[str, str]) -> Remote:
        """Send a report; raises what :func:`post_once` does."""
        data = {**fields, **self._place(), "api_key": secret(self._recipient.api_key)}
        answer = post_once(self._http, self._recipient.url, self._url("requests"), data=data)
        found = _first(answer)
        if found is None or not (found.get("service_request_id") or found.get("token")):
            raise Doubtful(told(answer))
        return Remote(number=_text(found, "service_request_id"), token=_text(found, "token"))

    def number_of(self, token: str) -> str | None:
        """The number behind a token, ``None`` while there is none; raises :class:`NotYet`."""
        found = self._get(f"tokens/{token}")
        return _text(found, "service_request_id")

    def news(self, number: str) -> Remote:
        """How a request stands there; raises :class:`NotYet`."""
        found = self._get(f"requests/{number}")
        return Remote(number, None, _text(found, "status"), _text(found, "status_notes"))

    def close(self) -> None:
        """Let go of its connections."""
        self._http.close()

    def _get(self, path: str) -> Mapping[str, Any]:
        try:
            answer = self._http.get(self._url(path), params=self._place())
        except httpx.HTTPError as error:
            raise NotYet(f"{self._recipient.url} cannot be asked: {error}") from error
        found = _first(answer)
        if not answer.is_success or found is None:
            raise NotYet(told(answer))
        return found

    def _url(self, path: str) -> str:
        return f"{self._recipient.url}/{path}.json"

    def _place(self) -> dict[str, str]:
        given = self._recipient.jurisdiction_id
        return {"jurisdiction_id": given} if given else {}


def _first(answer: httpx.Response) -> Mapping[str, Any] | None:
    """The one item of an answer's list; some servers leave the list out."""
    try:
        value = answer.json() if len(answer.content) <= _MOST else None
    except ValueError:
        return None
    item = value[0] if isinstance(value, list) and value else value
    return item if isinstance(item, dict) else None


def _text(found: Mapping[str, Any], name: str) -> str | None:
    """A value as text: some servers write ids as numbers."""
    value = found.get(name)
    return str(value)[: 120 if name != "status_notes" else 500] if value not in (None, "") else None

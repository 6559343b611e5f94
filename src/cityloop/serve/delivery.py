"""Handing something to another system once: what goes wrong is one of three things, each with its own way on."""

from __future__ import annotations

from typing import Any

import httpx

from cityloop.collect.sources.secrets import resolved
from cityloop.collect.sources.trouble import SourceTrouble


class NotYet(Exception):
    """It was surely not taken: try again later."""


class Refused(Exception):
    """It was surely not taken, and will not be."""


class Doubtful(Exception):
    """Whether it was taken is not known."""


def secret(reference: str | None) -> str | None:
    """What stands behind a reference now; raises :class:`NotYet`."""
    try:
        return resolved(reference)
    except SourceTrouble as trouble:
        raise NotYet(str(trouble)) from trouble


def post_once(http: httpx.Client, where: str, url: str, **request: Any) -> httpx.Response:
    """Post to ``where`` (its name for people) and return a 2xx answer; raises one of the three."""
    try:
        answer = http.post(url, **request)
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
        raise NotYet(f"{where} cannot be reached: {error}") from error
    except httpx.HTTPError as error:
        raise Doubtful(f"{where} did not answer: {error}") from error
    if answer.status_code in (429, 503):
        raise NotYet(told(answer))
    if 400 <= answer.status_code < 500:
        raise Refused(told(answer))
    if not answer.is_success:
        raise Doubtful(told(answer))
    return answer


def told(answer: httpx.Response) -> str:
    """An answer as an error for people."""
    return f"HTTP {answer.status_code}: {answer.text[:300]}"

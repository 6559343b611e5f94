"""Errors that say what was wrong, where, and how to mend it.

Every refusal that may reach a person is a :class:`Problem`; the web application renders it as RFC 9457
``application/problem+json`` and the command line as one line a fault.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from cityloop.core.values import Title


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong: ``where`` names the file and line, or the field, ``mend`` says what to do.

    With a ``code`` of its room's phrases ``said`` and ``remedy`` are the same in both languages.
    """

    where: str
    what: str
    mend: str = ""
    code: str = ""
    said: Title | None = None
    remedy: Title | None = None

    def __str__(self) -> str:
        return f"{self.where}: {self.what}" + (f" ({self.mend})" if self.mend else "")

    def document(self) -> dict[str, Any]:
        """The fault as the wire has it."""
        plain = {"where": self.where, "what": self.what, "mend": self.mend}
        if self.said is None or self.remedy is None:
            return plain
        return {**plain, "code": self.code, "said": self.said.model_dump(), "remedy": self.remedy.model_dump()}


@dataclass
class Problem(Exception):
    """Base of all refusals. ``code`` is stable and machine-readable, ``detail`` is for people."""

    detail: str
    mend: str = ""
    faults: Sequence[Fault] = ()
    more: Mapping[str, Any] = field(default_factory=dict)

    status = 400
    code = "bad-request"
    title = "The request cannot be carried out"

    def __str__(self) -> str:
        lines = [self.detail + (f" — {self.mend}" if self.mend else "")]
        return "\n".join(lines + [f"  {fault}" for fault in self.faults])

    def headers(self) -> dict[str, str]:
        """HTTP headers of the answer: ``Retry-After`` where ``more`` says after how many seconds to try again."""
        wait = self.more.get("retry_after")
        return {} if wait is None else {"Retry-After": str(wait)}

    def document(self) -> dict[str, Any]:
        """The RFC 9457 members of this problem."""
        return {
            "type": f"urn:cityloop:problem:{self.code}",
            "title": self.title,
            "status": self.status,
            "code": self.code,
            "detail": self.detail,
            "mend": self.mend,
            "faults": [fault.document() for fault in self.faults],
            **self.more,
        }


class Invalid(Problem):
    """The input breaks a rule that the caller can read about in ``faults``."""

    status = 422
    code = "invalid"
    title = "The input is not valid"


class NotFound(Problem):
    """No such thing, or none within the asker's data scope: the answer is the same for both."""

    status = 404
    code = "not-found"
    title = "Not found"


class SignInNeeded(Problem):
    """Nobody is signed in."""

    status = 401
    code = "sign-in-needed"
    title = "Sign in first"


class PasswordDue(Problem):
    """Account and password are right, but the password was given by somebody else and must be changed first."""

    status = 403
    code = "password-due"
    title = "Choose a password of your own"


class AccessDenied(Problem):
    """The actor may not do this; ``detail`` names the missing permission or scope."""

    status = 403
    code = "access-denied"
    title = "Not permitted"


class Conflict(Problem):
    """Somebody else changed the thing meanwhile, or its state does not allow the change."""

    status = 409
    code = "conflict"
    title = "The state does not allow this"


class TooLarge(Problem):
    """A body or file above its limit."""

    status = 413
    code = "too-large"
    title = "Too large"


class Unsupported(Problem):
    """A file of a kind that is not taken, or one that is not what it says it is."""

    status = 415
    code = "unsupported"
    title = "This kind of file is not taken"


class TooMany(Problem):
    """Too many attempts in too short a time."""

    status = 429
    code = "too-many"
    title = "Too many attempts"


class ContentError(Problem):
    """A pack or city file has errors; each fault's ``where`` is ``file:line key``."""

    status = 500
    code = "content-error"
    title = "A pack or city file has an error"

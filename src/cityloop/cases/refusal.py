"""A move that does not happen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from cityloop.cases.ask import Reason

RefusalKind = Literal["state", "permission", "guard", "input"]


@dataclass(frozen=True, slots=True)
class Refusal:
    """The kind of a refusal, and every reason."""

    kind: RefusalKind
    reasons: tuple[Reason, ...]

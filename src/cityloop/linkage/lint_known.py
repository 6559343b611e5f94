"""What a plan may refer to in its city, and the words of our extension."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field

from cityloop.core.values import Title
from cityloop.linkage.catalogue import SERVICES, ServiceKind

LEVELS = ("blue", "yellow", "orange", "red")
TRIGGERS = ("warning", "case", "person", "schedule")
FIELD_KINDS = ("text", "number", "integer", "yes_no", "choice", "instant", "date")
ONCE = ("area", "entity", "none")
APPROVALS = ("1", "2", "3", "4", "5")
"""How many people may have to approve, one after the other."""
EVENTS_RUN = {
    "startEvent": ("", "timer", "message"),
    "endEvent": ("", "terminate"),
    "intermediateCatchEvent": ("timer", "message"),
    "intermediateThrowEvent": ("",),
    "boundaryEvent": ("timer", "message"),
}
"""What each kind of event may wait for or do. A start event waits only where it begins an event sub-process."""
EXTENSION = {
    "task": ("form", "limit", "approval", "four_eyes", "remind", "escalate"),
    "field": ("id", "type", "title_zh", "title_en", "required", "values"),
    "service": ("name",),
    "input": ("name", "value"),
    "result": ("name",),
    "department": ("id",),
    "post": ("id",),
    "trigger": ("kind", "rule", "level", "type", "area", "when", "once", "at", "move"),
    "lead": ("department", "id"),
    "title": ("zh", "en"),
}
"""Elements of our extension with their attributes."""


@dataclass(frozen=True)
class PlanNames:
    """What a diagram may name. ``None`` where it is not known here: then the names are not checked."""

    departments: Collection[str] | None = None
    posts: Collection[str] | None = None
    areas: Collection[str] | None = None
    rules: Callable[[], Collection[str]] | None = None
    tables: Callable[[], Collection[str]] | None = None
    commands: Callable[[], Collection[str]] | None = None
    unclear: Callable[[str], Title | None] | None = None
    """Why a text is no limit; ``None`` for one that is."""
    services: Mapping[str, ServiceKind] = field(default_factory=lambda: SERVICES)

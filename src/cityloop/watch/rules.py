"""Rules as declared in ``packs/*/rules.yaml``: the typed model. ``content.py`` loads, ``checking.py`` checks."""

from __future__ import annotations

import builtins
import re
from datetime import time
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from cityloop.core.values import Frozen, Title
from cityloop.watch.schemas import Level

LEVELS: tuple[Level, ...] = ("blue", "yellow", "orange", "red")
"""Ⅳ–Ⅰ, from the least to the most serious."""

Aggregate = Literal[
    "mean", "max", "min", "sum", "count", "last", "change", "rate", "percentile", "spread", "roam", "silence", "agree",
    "anomaly", "forecast",
]  # fmt: skip
Empty = Literal["keep", "zero", "lapse"]
Category = Literal[
    "Geo", "Met", "Safety", "Security", "Rescue", "Fire", "Health", "Env", "Transport", "Infra", "CBRNE", "Other"
]
"""Of CAP 1.2."""
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun", "workday", "restday"]
WEEKDAYS: tuple[Day, ...] = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

_UNITS = {"s": 1, "min": 60, "h": 3600, "d": 86400}
_DURATION = re.compile(r"(\d+)\s*(s|min|h|d)")


def seconds(value: Any) -> Any:
    """Read ``90s``, ``10min``, ``1h`` or ``1d`` as whole seconds; a whole number is seconds already."""
    if isinstance(value, str):
        match = _DURATION.fullmatch(value.strip())
        if match is None:
            raise ValueError("not a duration; write a whole number with s, min, h or d, for example 10min")
        return int(match[1]) * _UNITS[match[2]]
    return value


def _listed(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


Seconds = Annotated[int, BeforeValidator(seconds)]
Threshold = Annotated[float, BeforeValidator(seconds)]
"""A number, or a duration where the aggregate measures time."""
Names = Annotated[tuple[str, ...], BeforeValidator(_listed)]


class Clear(Frozen):
    """Hysteresis: a level is left once the value is ``margin`` beyond its threshold for ``hold``."""

    margin: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    hold: Seconds = Field(default=0, ge=0)


class Fence(Frozen):
    """A geofence: the value of a record is 1 where its position is on the wished side of these shapes, else 0."""

    side: Literal["inside", "outside"] = "inside"
    polygons: tuple[tuple[tuple[float, float], ...], ...] = ()
    """Rings of ``[lon, lat]``, WGS 84."""
    areas: Names = ()
    """Codes of areas; all below them belongs to them."""


class Near(Frozen):
    """Records of one kind that lie close together have one subject: the place where the first of them lay."""

    metres: float = Field(gt=0, le=20_000, allow_inf_nan=False)
    same: Names = ()
    """Columns that must agree as well, for example ``matter``."""


class Hours(Frozen):
    """A weekly slot in the city's zone; one that ends at or before its start runs past midnight."""

    days: Annotated[tuple[Day, ...], BeforeValidator(_listed)] = ("workday", "restday")
    start: time = time(0, 0)
    end: time = time(0, 0)


class Condition(Frozen):
    """Another rule, which holds where its level is ``at`` or beyond."""

    rule: str
    at: Level = "blue"
    by: str = ""
    """Through what its subjects are joined, where it differs from the ``join`` of the whole."""


class Dependency(Frozen):
    """While ``rule`` has an open warning for the thing that ``by`` leads to, this rule's warnings are muted."""

    rule: str
    by: str = "entity"


class Reminder(Frozen):
    """Said again every so often until somebody acknowledges."""

    every: Seconds = Field(gt=0)
    most: int = Field(default=10, gt=0, le=100)


class Escalation(Frozen):
    """What happens when a warning has been open, or stayed unacknowledged, for ``after``."""

    after: Seconds = Field(gt=0)
    to: str
    """The department that is told."""
    unless: Literal["acknowledged", "cleared"] = "acknowledged"
    level: Level | None = None
    """Raises the warning at least to this level."""


class Rule(Frozen):
    """One rule. Every key is explained in ``docs/rules.md``."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*(\.[a-z0-9_]+)*$", max_length=60)
    version: str = Field(min_length=1, max_length=20)
    title: Title
    description: Title
    message: Title
    entity_type: str
    property: str = ""
    unit: str = ""
    match: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    by: Names = ("entity",)
    near: Near | None = None
    fence: Fence | None = None
    aggregate: Aggregate
    percentile: float | None = Field(default=None, gt=0, lt=100)
    per: Seconds = Field(default=3600, gt=0)
    least: int = Field(default=1, ge=1, le=10_000)
    conditions: tuple[Condition, ...] = ()
    join: str = "entity"
    window: Seconds = Field(default=0, ge=0)
    bucket: Seconds = Field(default=0, ge=0)
    horizon: Seconds = Field(default=0, ge=0)
    bound: Literal["value", "low", "high"] = "value"
    direction: Literal["above", "below", "either"] = "above"
    levels: dict[Level, Threshold] = Field(min_length=1)
    hold: Seconds = Field(default=0, ge=0)
    holds: dict[Level, Seconds] = Field(default_factory=dict)
    clear: Clear = Clear()
    late: Seconds = Field(default=600, ge=0)
    empty: Empty = "keep"
    unheard: bool = False
    active: tuple[Hours, ...] = ()
    depends: tuple[Dependency, ...] = ()
    remind: Reminder | None = None
    escalate: tuple[Escalation, ...] = ()
    department: str
    respond: Literal["case", "none", "part"]
    no_case_because: Title | None = None
    matter: str | None = None
    series: str | None = None
    category: Category = "Other"

    @builtins.property
    def sign(self) -> int:
        """1 when large values are bad, -1 when small ones are."""
        return -1 if self.direction == "below" else 1

    @builtins.property
    def ladder(self) -> tuple[tuple[Level, float], ...]:
        """The declared levels with their thresholds, least serious first."""
        return tuple((level, self.levels[level]) for level in LEVELS if level in self.levels)

    @builtins.property
    def waits(self) -> tuple[int, ...]:
        """Seconds that each level of the ladder must last before it is reached."""
        return tuple(self.holds.get(level, self.hold) for level, _ in self.ladder)

    @builtins.property
    def longest(self) -> int:
        """The longest hold, in seconds: so far back a run is looked at."""
        return max(*self.waits, self.clear.hold)

    @builtins.property
    def windowed(self) -> bool:
        """Whether the rule looks at windows of records; else at silence, or at other rules."""
        return self.aggregate not in ("silence", "agree")

    @builtins.property
    def modelled(self) -> bool:
        """Whether the rule rests on a model of its property."""
        return self.aggregate in ("anomaly", "forecast")

    @builtins.property
    def rests_on(self) -> tuple[str, ...]:
        """Ids of the rules that this one is made of or muted by; not its own, through which a thing mutes another."""
        muted = [item.rule for item in self.depends if item.rule != self.id or item.by == "entity"]
        return (*(item.rule for item in self.conditions), *muted)

    @builtins.property
    def placed(self) -> bool:
        """Whether the rule reads the position of its records."""
        return self.fence is not None or self.near is not None or self.aggregate == "roam"

    @builtins.property
    def columns(self) -> tuple[str, ...]:
        """Columns of the entity type that the rule reads, each once."""
        if self.aggregate == "agree":
            return ()
        grouped = [{"district": "area"}.get(name, name) for name in self.by] if self.near is None else [*self.near.same]
        position = ["lon", "lat"] if self.placed else []
        own = [self.property] if self.property else []
        return tuple(dict.fromkeys([*own, "entity", "observed_at", *grouped, *position, *self.match]))

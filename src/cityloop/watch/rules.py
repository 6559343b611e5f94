"""Rules as declared in ``packs/*/rules.yaml``: the typed model. Loading and checking are in ``content.py``."""

from __future__ import annotations

import builtins
import re
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from cityloop.core.values import Frozen, Title
from cityloop.watch.schemas import Level

LEVELS: tuple[Level, ...] = ("blue", "yellow", "orange", "red")
"""Ⅳ–Ⅰ, from the least to the most serious."""

Aggregate = Literal["mean", "max", "min", "sum", "count", "last"]
Empty = Literal["keep", "zero", "lapse"]

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


Seconds = Annotated[int, BeforeValidator(seconds)]


class Clear(Frozen):
    """Hysteresis: a level is left once the value is ``margin`` beyond its threshold for ``hold``."""

    margin: float = Field(default=0.0, ge=0, allow_inf_nan=False)
    hold: Seconds = Field(default=0, ge=0)


class Rule(Frozen):
    """One rule. Every key is explained in ``docs/rules.md``."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*(\.[a-z0-9_]+)*$", max_length=60)
    version: str = Field(min_length=1, max_length=20)
    title: Title
    description: Title
    message: Title
    entity_type: str
    property: str
    unit: str
    match: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    aggregate: Aggregate
    window: Seconds = Field(gt=0)
    bucket: Seconds = Field(gt=0)
    direction: Literal["above", "below"] = "above"
    levels: dict[Level, float] = Field(min_length=1)
    hold: Seconds = Field(default=0, ge=0)
    clear: Clear = Clear()
    late: Seconds = Field(default=600, ge=0)
    empty: Empty = "keep"
    department: str
    respond: Literal["case", "none"]
    no_case_because: Title | None = None
    matter: str | None = None
    series: str | None = None

    @builtins.property
    def sign(self) -> int:
        """1 when large values are bad, -1 when small ones are."""
        return 1 if self.direction == "above" else -1

    @builtins.property
    def ladder(self) -> tuple[tuple[Level, float], ...]:
        """The declared levels with their thresholds, least serious first."""
        return tuple((level, self.levels[level]) for level in LEVELS if level in self.levels)

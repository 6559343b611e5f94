"""Checks as the standard and feeds declare them; each speaks about properties in the standard's own units."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, field_validator, model_validator

from cityloop.core.values import Frozen, Title
from cityloop.standard.expressions import ExpressionError, parse

Severity = Literal["refuse", "flag"]
"""``refuse``: the record goes to quarantine. ``flag``: it is kept, with the check's name in the column ``quality``."""

_SPAN = re.compile(r"(\d+(?:\.\d+)?)\s*(s|m|min|h|d)")
_SECONDS = {"s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86_400.0}


def _seconds(value: object) -> object:
    if not isinstance(value, str):
        return value
    found = _SPAN.fullmatch(value.strip())
    if found is None:
        raise ValueError(f"'{value}' is no span of time; write 30s, 10m, 1h or 2d")
    return float(found[1]) * _SECONDS[found[2]]


Span = Annotated[float, BeforeValidator(_seconds, json_schema_input_type=str | float), Field(gt=0)]
"""A span of time, in seconds; written ``30s``, ``10m``, ``1h`` or ``2d``."""


class _Rule(Frozen):
    title: Title | None = None
    """What it is for, in the reason that a person reads."""


class RangeRule(_Rule):
    """A value outside of the usual, where the property's own ``min`` and ``max`` say what is possible."""

    rule: Literal["range"]
    property: str
    min: float | None = None
    max: float | None = None
    severity: Severity = "flag"

    @model_validator(mode="after")
    def _bounded(self) -> RangeRule:
        if self.min is None and self.max is None:
            raise ValueError("give min, max or both")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise ValueError(f"min {self.min} is above max {self.max}")
        return self


class RequiredRule(_Rule):
    """The property must have a value."""

    rule: Literal["required"]
    property: str
    severity: Severity = "refuse"


class EnumRule(_Rule):
    """The text is one of ``values``."""

    rule: Literal["enum"]
    property: str
    values: tuple[str, ...] = Field(min_length=1)
    severity: Severity = "refuse"


class PatternRule(_Rule):
    """The whole text fits a regular expression."""

    rule: Literal["pattern"]
    property: str
    pattern: str
    severity: Severity = "refuse"

    @field_validator("pattern")
    @classmethod
    def _sound(cls, pattern: str) -> str:
        return sound_pattern(pattern)


class UniqueRule(_Rule):
    """No two records share these values together, in one batch or with what is stored (``within`` a span before)."""

    rule: Literal["unique"]
    properties: tuple[str, ...] = Field(min_length=1)
    within: Span | None = None
    severity: Severity = "refuse"


class ReferenceRule(_Rule):
    """The text is the id of a known entity of another type."""

    rule: Literal["reference"]
    property: str
    entity_type: str
    severity: Severity = "refuse"


class JumpRule(_Rule):
    """The value changes by more than ``change`` in ``per`` against the entity's last reading of this feed.

    Over longer spans proportionally more is allowed; a last reading older than ``within`` is no measure.
    """

    rule: Literal["jump"]
    property: str
    change: float = Field(gt=0)
    per: Span
    within: Span = 86_400.0
    severity: Severity = "flag"


class StuckRule(_Rule):
    """The same value in ``readings`` readings in a row, or for ``lasting``; values in ``but`` may stay."""

    rule: Literal["stuck"]
    property: str
    readings: int | None = Field(default=None, ge=2)
    lasting: Span | None = None
    but: tuple[float, ...] = ()
    severity: Severity = "flag"

    @model_validator(mode="after")
    def _one(self) -> StuckRule:
        if (self.readings is None) == (self.lasting is None):
            raise ValueError("give either readings or lasting")
        return self


class CrossRule(_Rule):
    """A condition over properties that must hold; where a value it needs is missing, it is not judged."""

    rule: Literal["cross"]
    holds: str
    severity: Severity = "refuse"

    @field_validator("holds")
    @classmethod
    def _sound(cls, holds: str) -> str:
        return sound_expression(holds)


CheckRule = Annotated[
    RangeRule | RequiredRule | EnumRule | PatternRule | UniqueRule | ReferenceRule | JumpRule | StuckRule | CrossRule,
    Field(discriminator="rule"),
]
RULES = (RangeRule, RequiredRule, EnumRule, PatternRule, UniqueRule, ReferenceRule, JumpRule, StuckRule, CrossRule)


def properties_of(check: CheckRule) -> tuple[str, ...]:
    """The properties a check speaks about."""
    if isinstance(check, CrossRule):
        return tuple(sorted(parse(check.holds).names))
    return check.properties if isinstance(check, UniqueRule) else (check.property,)


def code_of(check: CheckRule) -> str:
    """The check's short name in the column ``quality``: ``jump:pm2_5``."""
    return f"{check.rule}:{'+'.join(properties_of(check))}"


def sound_pattern(pattern: str) -> str:
    """The pattern, if it is a regular expression that every engine reads; raises ``ValueError``."""
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"'{pattern}' is no regular expression: {error}") from error
    if re.search(r"\(\?(?:[=!]|<[=!])|\\[1-9]", pattern):
        raise ValueError("look-around and back references are not supported; write a plain pattern")
    return pattern


def sound_expression(text: str) -> str:
    """The expression, if it can be parsed; raises ``ValueError`` with the place of the mistake."""
    try:
        parse(text)
    except ExpressionError as error:
        raise ValueError(str(error)) from error
    return text

"""Whether a task's form is filled in as it asks; pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from typing import Any

from cityloop.core.errors import Invalid
from cityloop.linkage.phrases import PHRASES
from cityloop.linkage.schemas import FieldKind, FormField

LONGEST = 4000
"""Characters of one value."""


def checked(fields: Sequence[FormField], values: Mapping[str, Any]) -> dict[str, Any]:
    """The values as they are kept: empty ones left out. Raises :class:`Invalid` with every field that is wrong."""
    known = {field.id: field for field in fields}
    faults = [PHRASES.fault(name, "unknown-field", name=name) for name in values if name not in known]
    kept: dict[str, Any] = {}
    for field in fields:
        value = values.get(field.id)
        if value is None or value == "":
            faults += [PHRASES.fault(field.id, "field-needed", name=field.title)] if field.required else []
        elif not _FITS[field.kind](value, field):
            faults.append(
                PHRASES.fault(field.id, f"field-{field.kind}", name=field.title, known="、".join(field.values))
            )
        else:
            kept[field.id] = value
    if faults:
        raise PHRASES.problem(Invalid, "form", faults)
    return kept


def _number(value: Any, _field: FormField) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e15


def _instant(value: Any, _field: FormField) -> bool:
    try:
        return isinstance(value, str) and datetime.fromisoformat(value).tzinfo is not None
    except ValueError:
        return False


def _date(value: Any, _field: FormField) -> bool:
    try:
        return isinstance(value, str) and date.fromisoformat(value) is not None
    except ValueError:
        return False


_FITS: Mapping[FieldKind, Callable[[Any, FormField], bool]] = {
    "text": lambda value, _: isinstance(value, str) and len(value) <= LONGEST,
    "number": _number,
    "integer": lambda value, field: _number(value, field) and float(value).is_integer(),
    "yes_no": lambda value, _: isinstance(value, bool),
    "choice": lambda value, field: value in field.values,
    "instant": _instant,
    "date": _date,
}

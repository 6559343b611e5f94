"""Values of forms and registers: read from text or JSON, kept as JSON, and as expressions know them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any

Value = str | int | bool | Decimal | date | None
_PHONE = re.compile(r"\+?[\d ()-]{5,20}")
_IDENTITY = re.compile(r"\d{17}[\dX]")
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_FLAGS = {"true": True, "false": False, "1": True, "0": False, "yes": True, "no": False}


class NotOfKind(ValueError):
    """A value that is none of its kind; the text is the code of the phrase that says so."""


def typed(kind: str, value: Any) -> Value:
    """A value of a form, a CSV file or stored JSON as its kind; an empty one is ``None``. Raises :class:`NotOfKind`."""
    if value is None or (isinstance(value, str) and not value.strip()):
        return None
    if kind == "flag":
        return _flag(value)
    if isinstance(value, bool | list | dict):
        raise NotOfKind("unknown" if isinstance(value, list | dict) else kind)
    text = str(value).strip()
    if kind in ("integer", "number"):
        return _number(kind, text)
    if kind == "date":
        return _date(text)
    if kind == "id_number":
        return _identity(text)
    if kind == "phone" and not _PHONE.fullmatch(text):
        raise NotOfKind("phone")
    return text


def plain(value: Value) -> str | int | float | bool | None:
    """A value as JSON keeps it; :func:`typed` reads it again."""
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value


def revived(kinds: Mapping[str, str], values: Mapping[str, Any]) -> dict[str, Value]:
    """Stored values as their kinds."""
    return {name: typed(kinds[name], value) for name, value in values.items() if name in kinds}


def alike(one: Value, other: Value) -> bool:
    """Whether two values say the same: texts without blanks and without regard to case."""
    if isinstance(one, str) and isinstance(other, str):
        return "".join(one.split()).casefold() == "".join(other.split()).casefold()
    return one == other


def _flag(value: Any) -> bool:
    found = value if isinstance(value, bool) else _FLAGS.get(str(value).strip().lower())
    if found is None:
        raise NotOfKind("flag")
    return found


def _number(kind: str, text: str) -> int | Decimal:
    try:
        found = Decimal(text)
    except InvalidOperation as error:
        raise NotOfKind(kind) from error
    if not found.is_finite() or found.adjusted() > 15:
        raise NotOfKind(kind)
    if kind == "number":
        return found
    if found != found.to_integral_value():
        raise NotOfKind(kind)
    return int(found)


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise NotOfKind("date") from error


def _identity(text: str) -> str:
    """A citizen's identity number by GB 11643: date of birth and check digit must be right."""
    number = text.upper().replace(" ", "")
    if not _IDENTITY.fullmatch(number):
        raise NotOfKind("id_number")
    rest = sum(weight * int(sign) for weight, sign in zip(_WEIGHTS, number[:17], strict=True)) % 11
    try:
        date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    except ValueError as error:
        raise NotOfKind("id_number") from error
    if "10X98765432"[rest] != number[17]:
        raise NotOfKind("id_number")
    return number

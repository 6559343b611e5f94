"""A form as it was sent against the fields of its item: typed values, or every fault at its field."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from cityloop.approve.declarations import Item, ItemField
from cityloop.approve.phrases import PHRASES
from cityloop.approve.typed import NotOfKind, Value, typed
from cityloop.core.errors import Fault, Invalid
from cityloop.core.words import plain_words


def read_form(item: Item, sent: Mapping[str, Any], known_area: Callable[[str], bool]) -> dict[str, Value]:
    """The values of a form, empty ones as ``None``; raises :class:`Invalid` with all faults.

    What a register can fill is not asked for here: it is missing only when the register had nothing either.
    """
    fillable = {name for one in item.evidence for name in one.fill}
    names = {field.id for field in item.fields}
    faults = [PHRASES.fault(name[:40], "unknown", field=name[:40]) for name in sent if name not in names]
    values: dict[str, Value] = {}
    for field in item.fields:
        try:
            values[field.id] = typed(field.kind, sent.get(field.id))
        except NotOfKind as error:
            faults.append(_fault(field, str(error)))
            continue
        faults += _faults(field, values[field.id], known_area)
        if values[field.id] is None and field.required and field.id not in fillable:
            faults.append(_fault(field, "missing"))
    if faults:
        raise PHRASES.problem(Invalid, "form", faults)
    return values


def _faults(field: ItemField, value: Value, known_area: Callable[[str], bool]) -> Iterator[Fault]:
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        if field.least is not None and value < field.least:
            yield _fault(field, "least", least=f"{field.least:g}")
        if field.most is not None and value > field.most:
            yield _fault(field, "most", most=f"{field.most:g}")
    if isinstance(value, str):
        yield from _of_text(field, value, known_area)


def _of_text(field: ItemField, value: str, known_area: Callable[[str], bool]) -> Iterator[Fault]:
    if len(value) > field.longest:
        yield _fault(field, "longest", most=field.longest)
    if field.kind == "choice" and value not in {choice.id for choice in field.choices}:
        yield _fault(field, "choice", known=", ".join(choice.id for choice in field.choices))
    if field.kind == "area" and not known_area(value):
        yield _fault(field, "area")
    try:
        plain_words(value)
    except ValueError:
        yield _fault(field, "markup")


def _fault(field: ItemField, code: str, **parts: object) -> Fault:
    return PHRASES.fault(field.id, code, title=field.title, **parts)

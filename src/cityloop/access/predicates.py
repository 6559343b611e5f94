"""Row filters as data: one value, three readings (Python, SQLAlchemy, SQL tree), so that they can never differ."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, false, or_, true
from sqlglot import exp


@dataclass(frozen=True)
class Everything:
    """Every row."""


@dataclass(frozen=True)
class Nothing:
    """No row."""


@dataclass(frozen=True)
class In:
    """Rows whose ``column`` is one of ``values``."""

    column: str
    values: tuple[str, ...]


@dataclass(frozen=True)
class Under:
    """Rows whose area code ``column`` lies in one of the ``areas``: codes nest, so this is a test of prefixes."""

    column: str
    areas: tuple[str, ...]


@dataclass(frozen=True)
class Both:
    """Rows that every part lets through."""

    parts: tuple[Predicate, ...]


@dataclass(frozen=True)
class Either:
    """Rows that at least one part lets through."""

    parts: tuple[Predicate, ...]


Predicate = Everything | Nothing | In | Under | Both | Either


def either(parts: Sequence[Predicate]) -> Predicate:
    """The union of ``parts``, simplified; no parts means no rows."""
    if any(isinstance(part, Everything) for part in parts):
        return Everything()
    kept = tuple(dict.fromkeys(part for part in parts if not isinstance(part, Nothing)))
    if not kept:
        return Nothing()
    return kept[0] if len(kept) == 1 else Either(kept)


def both(parts: Sequence[Predicate]) -> Predicate:
    """The intersection of ``parts``, simplified."""
    if any(isinstance(part, Nothing) for part in parts):
        return Nothing()
    kept = tuple(dict.fromkeys(part for part in parts if not isinstance(part, Everything)))
    if not kept:
        return Everything()
    return kept[0] if len(kept) == 1 else Both(kept)


def lets(predicate: Predicate, row: Mapping[str, Any]) -> bool:
    """Whether ``row`` passes; a missing column never does."""
    match predicate:
        case Everything():
            return True
        case Nothing():
            return False
        case In(column, values):
            value = row.get(column)
            return any(item in values for item in value) if isinstance(value, (list, tuple)) else value in values
        case Under(column, areas):
            return str(row.get(column) or "").startswith(areas)
        case Both(parts):
            return all(lets(part, row) for part in parts)
        case Either(parts):
            return any(lets(part, row) for part in parts)


def where(predicate: Predicate, columns: Mapping[str, ColumnElement[Any]]) -> ColumnElement[bool]:
    """The filter for SQLAlchemy; a column that the entity lacks raises ``KeyError``."""
    match predicate:
        case Everything():
            return true()
        case Nothing():
            return false()
        case In(column, values):
            return columns[column].in_(values)
        case Under(column, areas):
            return or_(*[columns[column].startswith(area, autoescape=True) for area in areas])
        case Both(parts):
            return and_(*[where(part, columns) for part in parts])
        case Either(parts):
            return or_(*[where(part, columns) for part in parts])


def tree(predicate: Predicate) -> exp.Condition:
    """The filter as an SQL tree for the lake's engines; values are literals of the tree, never text."""
    match predicate:
        case Everything():
            return exp.true()
        case Nothing():
            return exp.false()
        case In(column, values):
            return exp.column(column).isin(*values)
        case Under(column, areas):
            return exp.or_(*[exp.func("STARTS_WITH", exp.column(column), exp.Literal.string(a)) for a in areas])
        case Both(parts):
            return exp.and_(*[tree(part) for part in parts])
        case Either(parts):
            return exp.or_(*[tree(part) for part in parts])

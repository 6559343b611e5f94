"""What one actor may see of one entity: rows, columns, and where a grant shows more than the post does."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement
from sqlglot import exp

from cityloop.access import predicates
from cityloop.access.masks import MaskKind, masked
from cityloop.access.predicates import Predicate


@dataclass(frozen=True)
class Part:
    """Rows with the columns shown in them. With ``only`` every other column is hidden; ``grant`` names its reason."""

    rows: Predicate
    masks: Mapping[str, MaskKind] = field(default_factory=dict)
    only: frozenset[str] | None = None
    grant: str = ""

    def mask(self, column: str) -> MaskKind | None:
        """How this part covers ``column``, ``None`` when it shows it."""
        if self.only is not None and column not in self.only:
            return "hide"
        return self.masks.get(column)

    @property
    def key(self) -> str:
        """Equal keys mean equal sight; the grant's name does not change what is seen."""
        only = "" if self.only is None else repr(sorted(self.only))
        return f"{self.rows!r}|{sorted(self.masks.items())!r}|{only}"


@dataclass(frozen=True)
class Scope:
    """The rows and columns one actor may see of one entity. ``key`` belongs into every cache key.

    ``rows`` and ``masks`` are what the posts give. ``wider`` are further parts: a row may be seen when any part lets
    it through, a column of it when one of those parts shows that column.
    """

    entity: str
    rows: Predicate
    masks: Mapping[str, MaskKind] = field(default_factory=dict)
    reason: str = ""
    wider: tuple[Part, ...] = ()

    @property
    def parts(self) -> tuple[Part, ...]:
        """What the posts give, then what is wider."""
        return (Part(self.rows, self.masks), *self.wider)

    @property
    def grants(self) -> tuple[str, ...]:
        """Grants that are part of this scope."""
        return tuple(dict.fromkeys(part.grant for part in self.wider if part.grant))

    @property
    def all_rows(self) -> Predicate:
        """The rows of all parts together."""
        return predicates.either([part.rows for part in self.parts])

    @property
    def whole(self) -> bool:
        """Whether every row may be seen; figures over a whole table are told to nobody else."""
        return isinstance(self.all_rows, predicates.Everything)

    @property
    def key(self) -> str:
        """Equal keys mean equal sight."""
        return "|".join([self.entity, *[part.key for part in self.parts]])

    def lets(self, row: Mapping[str, Any]) -> bool:
        """Whether this row may be seen."""
        return predicates.lets(self.all_rows, row)

    def where(self, columns: Mapping[str, ColumnElement[Any]]) -> ColumnElement[bool]:
        """The row filter for an SQLAlchemy query."""
        return predicates.where(self.all_rows, columns)

    def tree(self) -> exp.Condition:
        """The row filter as an SQL tree for the lake."""
        return predicates.tree(self.all_rows)

    def cover(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """A copy of ``row`` with covered columns.

        Give the whole row: where parts differ, the row itself says which of them let it through, and a row that none
        lets through is covered by all of them.
        """
        parts = [part for part in self.parts if predicates.lets(part.rows, row)] if self.wider else self.parts
        return {name: _covered(parts, name, value) for name, value in row.items()}

    def shown(self, column: str) -> Predicate:
        """The rows in which ``column`` is shown uncovered."""
        return predicates.either([part.rows for part in self.parts if part.mask(column) is None])

    def always(self, column: str) -> bool:
        """Whether ``column`` is uncovered in every row that may be seen."""
        return all(part.mask(column) is None for part in self.parts)

    def column(self, name: str, cover: exp.Expr | None = None) -> exp.Expr:
        """A column of the lake as this scope shows it: ``cover`` (by default null) stands where it is covered."""
        plain, hidden = exp.column(name, quoted=True), cover or exp.null()
        if self.always(name):
            return plain
        rows = self.shown(name)
        if isinstance(rows, predicates.Nothing) or not self.wider:
            return hidden
        if isinstance(rows, predicates.Everything):
            return plain
        return exp.Case(ifs=[exp.If(this=predicates.tree(rows), true=plain)], default=hidden)


def _covered(parts: tuple[Part, ...] | list[Part], column: str, value: Any) -> Any:
    kinds = [part.mask(column) for part in parts]
    if None in kinds:
        return value
    milder = [kind for kind in kinds if kind is not None and kind != "hide"]
    return masked(milder[0] if milder else "hide", value)

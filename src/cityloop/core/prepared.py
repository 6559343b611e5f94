"""Reads that are asked again and again: compiled once, then sent by the driver as they are.

Building a SELECT and finding its compiled form costs more than most of our reads themselves, and all of it is time of
the interpreter, which requests share.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Dialect, Select
from sqlalchemy.orm import Session

from cityloop.core.database import bind_of

Source = Session | Connection
_Step = Callable[[Any], Any]
_Steps = tuple[tuple[int, _Step], ...]


class Prepared:
    """One SELECT. Its ``bindparam`` s without a value are given with each question, by name; all else stays."""

    def __init__(self, query: Select[Any]) -> None:
        self._query = query
        self._forms: dict[str, _Form] = {}
        self._steps: dict[str, _Steps] = {}
        self.names = tuple(column.key or "" for column in query.selected_columns)
        """The columns of its rows."""

    def rows(self, source: Source, **values: Any) -> Sequence[Sequence[Any]]:
        """Every row, its values in the order of :attr:`names`."""
        connection = source.connection() if isinstance(source, Session) else source
        store = connection.dialect.name
        form = self._forms.get(store) or self._form(connection.dialect)
        cursor = connection.connection.cursor()
        try:
            cursor.execute(form.statement, form.parameters(values))
            steps = self._steps.get(store)
            if steps is None:
                steps = self._steps[store] = _results(self._query, connection.dialect, cursor.description)
            return _read(cursor.fetchall(), steps)
        finally:
            cursor.close()

    def mappings(self, source: Source, **values: Any) -> list[dict[str, Any]]:
        """Every row by the names of its columns."""
        return [dict(zip(self.names, row, strict=True)) for row in self.rows(source, **values)]

    def first(self, source: Source, **values: Any) -> Sequence[Any] | None:
        """The first row, ``None`` when there is none."""
        return next(iter(self.rows(source, **values)), None)

    def scalar(self, source: Source, **values: Any) -> Any:
        """The first value of the first row, ``None`` when there is none."""
        row = self.first(source, **values)
        return row[0] if row else None

    def _form(self, dialect: Dialect) -> _Form:
        made = self._forms[dialect.name] = _compiled(self._query, dialect)
        return made


@dataclass(frozen=True, slots=True)
class _Form:
    """What the driver of one store gets."""

    statement: str
    order: tuple[str, ...] | None
    """Names of its parameters where the driver counts them."""
    fixed: Mapping[str, Any]
    binds: Mapping[str, _Step | None]
    """Parameters that come with a question, and how each goes to the driver."""

    def parameters(self, values: Mapping[str, Any]) -> tuple[Any, ...] | dict[str, Any]:
        given = dict(self.fixed)
        for name, bind in self.binds.items():
            given[name] = bind(values[name]) if bind else values[name]
        return tuple([given[name] for name in self.order]) if self.order is not None else given


def _compiled(query: Select[Any], dialect: Dialect) -> _Form:
    compiled = query.compile(dialect=dialect)
    asked = {name for name, bind in compiled.binds.items() if bind.required}
    state = compiled.construct_expanded_state(dict.fromkeys(asked))
    parts = {part: name for name, found in state.parameter_expansion.items() for part in found}
    binds = {name: bind_of(compiled.binds[parts.get(name, name)].type, dialect) for name in state.parameters}
    fixed = {name: value for name, value in state.parameters.items() if name not in asked}
    order = state.positiontup
    return _Form(
        sys.intern(state.statement),
        tuple(order) if order is not None else None,
        {name: bind(value) if (bind := binds[name]) else value for name, value in fixed.items()},
        {name: binds[name] for name in asked},
    )


def _results(query: Select[Any], dialect: Dialect, told: Any) -> _Steps:
    """How what the driver gives becomes what the program knows; ``told`` is the driver's own account of its columns."""
    kinds = zip(query.selected_columns, told, strict=True)
    steps = [column.type.dialect_impl(dialect).result_processor(dialect, kind[1]) for column, kind in kinds]
    return tuple((place, step) for place, step in enumerate(steps) if step is not None)


def _read(rows: Sequence[Sequence[Any]], steps: _Steps) -> Sequence[Sequence[Any]]:
    """Values as the program knows them, column by column."""
    if not rows or not steps:
        return rows
    columns: list[Sequence[Any]] = list(zip(*rows, strict=True))
    for place, step in steps:
        columns[place] = [step(value) if value is not None else None for value in columns[place]]
    return list(zip(*columns, strict=True))

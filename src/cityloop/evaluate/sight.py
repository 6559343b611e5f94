"""What an asker sees of a board: whole objects where the policy follows the object, else only the steps in its rows."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import ColumnElement, true

from cityloop.access.door import Scope
from cityloop.access.predicates import Everything, In, Nothing, Under
from cityloop.evaluate.declarations import ObjectKind
from cityloop.evaluate.tally import COLUMNS, OBJECT_COLUMN

ENTITY = "evaluation"


@dataclass(frozen=True)
class Sight:
    """One asker's view of one kind of object."""

    scope: Scope
    column: str
    partial: bool
    """The rows of the asker cut through objects: figures are counted within those rows."""

    @staticmethod
    def of(scope: Scope, kind: ObjectKind) -> Sight:
        """How a scope bears on a kind of object."""
        column = OBJECT_COLUMN[kind]
        match scope.rows:
            case Everything() | Nothing():
                whole = True
            case In(name, _) | Under(name, _):
                whole = name == column
            case _:
                whole = False
        return Sight(scope, column, not whole)

    @property
    def everything(self) -> bool:
        """Nothing is hidden."""
        return isinstance(self.scope.rows, Everything)

    def steps(self) -> ColumnElement[bool]:
        """The steps that a board counts: all of them where only rows of the board are hidden, else those in sight."""
        return self.scope.where(COLUMNS) if self.partial else true()

    def lets(self, name: str) -> bool:
        """Whether the row of an object is shown."""
        return self.partial or self.scope.lets({self.column: name})

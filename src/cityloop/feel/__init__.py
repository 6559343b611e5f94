"""FEEL: the one safe expression language in which people write conditions, of guards, decision tables and plans."""

from cityloop.feel.functions.conversion import text_of
from cityloop.feel.language import Expression, Tests, expression, tests
from cityloop.feel.phrases import FeelFault
from cityloop.feel.values import Function, Months, Range, Value, adopt

__all__ = [
    "Expression",
    "FeelFault",
    "Function",
    "Months",
    "Range",
    "Tests",
    "Value",
    "adopt",
    "expression",
    "tests",
    "text_of",
]

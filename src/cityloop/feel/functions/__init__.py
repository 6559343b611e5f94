"""The functions that an expression may call, by topic; there are no others."""

from cityloop.feel.functions import contexts, conversion, dates, lists, logic, numbers, ranges, statistics, strings
from cityloop.feel.functions.registry import BUILT_IN

__all__ = [
    "BUILT_IN",
    "contexts",
    "conversion",
    "dates",
    "lists",
    "logic",
    "numbers",
    "ranges",
    "statistics",
    "strings",
]

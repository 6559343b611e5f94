"""Cases of the past as columns: what the risk of running late is learned from. Imports no learning library."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

Array = np.ndarray[Any, np.dtype[Any]]
CODED = ("matter", "department", "area", "channel")
"""The columns of words; a model gives each word a code."""


@dataclass(frozen=True)
class Past:
    """Cases as columns of equal length, in order of opening. Instants are seconds since 1970, NaN where there is none.

    ``words`` holds the values of :data:`CODED`; ``local`` is the opening in the city's own time, as if it were UTC.
    """

    words: Mapping[str, Array]
    opened: Array
    local: Array
    due: Array
    closed: Array

    def __len__(self) -> int:
        return len(self.opened)

    def late(self) -> Array:
        """Whether the case missed its limit; meaningful where :meth:`known_at` has passed."""
        return (np.isnan(self.closed) | (self.closed > self.due)).astype(float)

    def known_at(self) -> Array:
        """When the outcome was known: the close of a case on time, the due instant of a late one."""
        return np.where(self.late() == 1, self.due, self.closed)

    def take(self, wanted: Array) -> Past:
        """The rows where the mask holds."""
        words = {name: column[wanted] for name, column in self.words.items()}
        return Past(words, self.opened[wanted], self.local[wanted], self.due[wanted], self.closed[wanted])

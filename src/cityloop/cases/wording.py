"""How alike two texts are in a city that has its own way of speaking, without I/O: TF-IDF over letters.

Pairs and triples of letters need no word list, so they serve Chinese and English alike. What every report says
(请相关部门处理) weighs little, what few say (the name of an estate) weighs much: by the city's own cases.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping

Vector = Mapping[str, float]
"""Weights of the pairs and triples of one text, of unit length; empty for a text without two letters."""
_LENGTHS = (2, 3)


class Words:
    """In how many texts each pair and triple of letters stands; grows with the cases of the city."""

    def __init__(self, texts: Iterable[str] = ()) -> None:
        self.texts = 0
        self._within: Counter[str] = Counter()
        self.add(texts)

    def add(self, texts: Iterable[str]) -> None:
        """Count further texts."""
        for text in texts:
            self._within.update(set(_grams(text)))
            self.texts += 1

    def vector(self, text: str) -> Vector:
        """The text as weights: (1 + ln count) × (1 + ln((1 + texts) / (1 + texts that have it)))."""
        top, within = math.log(1 + self.texts) + 1, self._within
        counts = Counter(_grams(text))
        weights = {gram: (1 + math.log(n)) * (top - math.log(1 + within[gram])) for gram, n in counts.items()}
        length = math.sqrt(sum(weight * weight for weight in weights.values()))
        return {gram: weight / length for gram, weight in weights.items()}


def text_likeness(one: Vector, other: Vector) -> float:
    """Root of the cosine, from 0 to 1: reports of one trouble have cosines about 0.1, others below 0.05."""
    few, many = (one, other) if len(one) <= len(other) else (other, one)
    return math.sqrt(min(1.0, sum(weight * many.get(gram, 0.0) for gram, weight in few.items())))


def _grams(text: str) -> list[str]:
    letters = "".join(letter for letter in text.casefold() if letter.isalnum())
    return [letters[at : at + size] for size in _LENGTHS for at in range(len(letters) - size + 1)]

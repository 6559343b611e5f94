"""Spoken forms, found at a place of a text: exactly, by sound (pinyin), or with a slip of the pen."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from rapidfuzz import process
from rapidfuzz.distance import OSA

from cityloop.ask.text import at_border, chinese
from cityloop.core.values import Title

Kind = Literal["metric", "dimension", "value"]
_SHORTEST_LATIN = 4
_BLANKED = range(4, 9)
"""Lengths of Chinese forms that one wrong sign leaves recognisable; a shorter one has another meaning then."""


@dataclass(frozen=True)
class Term:
    """Something that a question may name: a metric, a dimension, or a value of one."""

    kind: Kind
    id: str
    title: Title
    dimension: str = ""
    """For a value: its dimension."""


class Index:
    """Terms by their forms, found as prefixes of a text."""

    def __init__(self, forms: Mapping[str, Sequence[Term]]) -> None:
        self.forms = forms
        self._keys = sorted(forms)

    def at(self, text: str, start: int) -> Iterator[tuple[int, Sequence[Term]]]:
        """Every form that stands at ``start``, with where it ends, shortest first."""
        low, count = 0, len(self._keys)
        for end in range(start + 1, len(text) + 1):
            piece = text[start:end]
            low = bisect_left(self._keys, piece, low)
            if low == count or not self._keys[low].startswith(piece):
                return
            if self._keys[low] == piece:
                yield end, self.forms[piece]


@lru_cache(maxsize=32_768)
def sound(sign: str) -> str:
    """The toneless pinyin of one Chinese sign; another sign stands for itself."""
    if not chinese(sign):
        return sign
    from pypinyin import Style, lazy_pinyin  # its tables take a moment to load

    return str(lazy_pinyin(sign, style=Style.NORMAL)[0])


class Sounds:
    """Forms by their pinyin: ``nanshan``, ``南山曲`` and ``nanshan区`` sound like 南山区."""

    def __init__(self, forms: Mapping[str, Sequence[Term]]) -> None:
        sounds: dict[str, list[Term]] = defaultdict(list)
        for form, terms in forms.items():
            if sum(map(chinese, form)) >= 2:
                sounds["".join(map(sound, form))] += terms
        self._index = Index({spelt: list(dict.fromkeys(terms)) for spelt, terms in sounds.items()})

    def at(self, text: str, start: int) -> Iterator[tuple[int, Sequence[Term]]]:
        """Forms that sound like the text at ``start``, with where they end in the text."""
        if not (chinese(text[start]) or (text[start].isalpha() and at_border(text, start))):
            return
        spelt, ends = "", {0: start}
        for position in range(start, min(len(text), start + 40)):
            if not text[position].isalnum():
                break
            spelt += sound(text[position])
            ends[len(spelt)] = position + 1
        for end, terms in self._index.at(spelt, 0):
            stop = ends.get(end)
            if stop is None or not at_border(text, stop) or not _enough(text[start:stop]):
                continue
            yield stop, terms


class Slips:
    """Forms that differ from what was written by one sign, or two in a long Latin word."""

    def __init__(self, forms: Mapping[str, Sequence[Term]]) -> None:
        self._forms = forms
        self._latin = [form for form in forms if form.isascii() and len(form) >= _SHORTEST_LATIN]
        self._blanked: dict[str, list[str]] = defaultdict(list)
        for form in forms:
            if len(form) in _BLANKED and all(map(chinese, form)):
                for place in range(len(form)):
                    self._blanked[_blank(form, place)].append(form)

    def of_word(self, word: str) -> Sequence[Term]:
        """Terms whose form is nearest to a Latin word; none when nothing is near enough."""
        if len(word) < _SHORTEST_LATIN + 1:
            return ()
        most = 1 if len(word) < 8 else 2
        found = process.extract(word, self._latin, scorer=OSA.distance, score_cutoff=most, limit=4)
        best = [form for form, distance, _ in found if distance == found[0][1]]
        return list(dict.fromkeys(term for form in best for term in self._forms[form]))

    def around(self, text: str, place: int) -> Iterator[tuple[int, int, Sequence[Term]]]:
        """Chinese forms with exactly one other sign at ``place``, as start, end and terms, longest first."""
        for length in reversed(_BLANKED):
            for start in range(max(0, place - length + 1), place + 1):
                piece = text[start : start + length]
                if len(piece) < length:
                    continue
                forms = self._blanked.get(_blank(piece, place - start), ())
                if forms:
                    yield start, start + length, [term for form in forms for term in self._forms[form]]


def _enough(said: str) -> bool:
    latin = sum(sign.isascii() for sign in said)
    return len(said) - latin >= 2 or latin >= _SHORTEST_LATIN


def _blank(form: str, place: int) -> str:
    return form[:place] + "?" + form[place + 1 :]

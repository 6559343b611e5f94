"""What a room says of things that are wrong: one table by code, each sentence in Chinese and English.

A room keeps its sentences in ``phrases.py``. Places for what is named stand in braces; a :class:`Title` or a
:class:`Saying` put there speaks the language of its sentence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from string import Formatter
from typing import TypeVar

from cityloop.core.errors import Fault, Problem
from cityloop.core.values import Title

P = TypeVar("P", bound=Problem)
_BAR = " | "


class Phrases:
    """Sentences by code: what is wrong and, where it is not in the same sentence, how to mend it.

    Each is written as ``Chinese | English``.
    """

    def __init__(self, table: Mapping[str, str | tuple[str, str]]) -> None:
        pairs = {code: (said, "") if isinstance(said, str) else said for code, said in table.items()}
        self.table = {code: (_both(what), _both(mend)) for code, (what, mend) in pairs.items()}

    def say(self, code: str, /, **parts: object) -> Saying:
        """What is wrong, not put into words before somebody reads it."""
        return Saying(self, code, parts)

    def what(self, code: str, /, **parts: object) -> Title:
        """What is wrong; raises ``KeyError`` for an unknown code and for a part that is not given."""
        return _filled(self.table[code][0], parts)

    def mend(self, code: str, /, **parts: object) -> Title:
        """How to mend it."""
        return _filled(self.table[code][1], parts)

    def fault(self, where: str, code: str, /, **parts: object) -> Fault:
        """One thing that is wrong at a place."""
        said, remedy = self.what(code, **parts), self.mend(code, **parts)
        return Fault(where, said.en, remedy.en, code, said, remedy)

    def problem(self, kind: type[P], code: str, faults: Sequence[Fault] = (), /, **parts: object) -> P:
        """A refusal that says so in both languages."""
        said, remedy = self.what(code, **parts), self.mend(code, **parts)
        told = {"said": said.model_dump(), "remedy": remedy.model_dump()}
        return kind(said.en, remedy.en, faults, told)

    def parts(self, code: str) -> list[set[str]]:
        """The names in braces of each of the four sentences of a code; for the test that none is forgotten."""
        return [{name for _, name, _, _ in Formatter().parse(text) if name} for text in _texts(self.table[code])]


@dataclass(frozen=True, slots=True)
class Saying:
    """A phrase and what stands in it; as a text it is the English sentence."""

    phrases: Phrases
    code: str
    parts: Mapping[str, object]

    @property
    def title(self) -> Title:
        """The sentence in both languages."""
        return self.phrases.what(self.code, **self.parts)

    def __str__(self) -> str:
        return _english(self.phrases.table[self.code][0], self.parts)


def _both(text: str) -> Title:
    zh, bar, en = text.partition(_BAR)
    return Title(zh=zh, en=en if bar else zh)


def _texts(pair: tuple[Title, Title]) -> list[str]:
    return [text for title in pair for text in (title.zh, title.en)]


def _filled(title: Title, parts: Mapping[str, object]) -> Title:
    known = {name: part.title if isinstance(part, Saying) else part for name, part in parts.items()}
    chinese = {name: part.zh if isinstance(part, Title) else part for name, part in known.items()}
    return Title(zh=title.zh.format_map(chinese), en=_english(title, known))


def _english(title: Title, parts: Mapping[str, object]) -> str:
    """The English sentence alone; a :class:`Saying` among the parts is its English text by itself."""
    known = {name: part.en if isinstance(part, Title) else part for name, part in parts.items()}
    return title.en.format_map(known)

"""Tokens of the language, read one at a time, because a name may hold blanks once it is known."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from cityloop.feel.phrases import fault

TokenKind = Literal["name", "number", "text", "moment", "sign", "word", "end"]
WORDS = frozenset(
    [
        "if",
        "then",
        "else",
        "for",
        "in",
        "return",
        "some",
        "every",
        "satisfies",
        "between",
        "and",
        "or",
        "true",
        "false",
        "null",
        "instance",
        "function",
        "external",
    ]
)
"""What cannot be a name; ``not`` is a function."""
_BLANK = re.compile(r"(?:\s+|//[^\n]*|/\*(?:[^*]|\*(?!/))*\*/)*")
_NUMBER = re.compile(r"(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_SIMPLE = re.compile(r"(?:[^\W\d]|[?\U00010000-\U000EFFFF])(?:\w|[?\U00010000-\U000EFFFF])*")
_SIGN = re.compile(r"\*\*|\.\.|!=|<=|>=|->|[-+*/=<>()\[\]{},:.]")
_TEXT = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_ESCAPE = re.compile(r"\\(u[0-9a-fA-F]{4}|U[0-9a-fA-F]{6}|.)", re.DOTALL)
_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", "\\": "\\", '"': '"', "'": "'"}
_PIECE = re.compile(r"\w+|[^\w\s]")


@dataclass(frozen=True, slots=True)
class Token:
    """``text`` is the word or sign, the value of a text, or the canonical spelling of a name."""

    kind: TokenKind
    text: str
    start: int
    end: int

    def __str__(self) -> str:
        return "…" if self.kind == "end" else f"“{self.text[:40]}”"


class Names:
    """Known names that are more than one word, to be found where they begin; the longest wins."""

    def __init__(self, names: Iterable[str] = (), called: Iterable[str] = ()) -> None:
        self.all: set[str] = set()
        self._by_first: dict[str, list[tuple[re.Pattern[str], str]]] = {}
        for name in called:
            self._add(name, r"(?=\s*\()")
        for name in names:
            self.add(name)

    def add(self, name: str) -> None:
        """Know ``name`` from here on."""
        name = plain(name)
        self.all.add(name)
        whole = _SIMPLE.match(name)
        if not whole or whole.end() != len(name):
            self._add(name, r"(?!\w)" if name[-1:].isalnum() else "")

    def _add(self, name: str, after: str) -> None:
        pieces = _PIECE.findall(name)
        if not pieces:
            return
        joined = re.escape(pieces[0])
        for before, piece in pairwise(pieces):
            both_words = before[-1].isalnum() and piece[0].isalnum()
            joined += (r"\s+" if both_words else r"\s*") + re.escape(piece)
        known = self._by_first.setdefault(pieces[0], [])
        known.append((re.compile(joined + after), name))
        known.sort(key=lambda pair: -len(pair[1]))

    def at(self, text: str, start: int) -> tuple[str, int] | None:
        """The longest known name that begins at ``start``, and where it ends."""
        piece = _PIECE.match(text, start)
        for pattern, name in self._by_first.get(piece.group(), ()) if piece else ():
            found = pattern.match(text, start)
            if found:
                return name, found.end()
        return None


def plain(name: str) -> str:
    """A name with single blanks."""
    return " ".join(name.split())


def skip_blank(text: str, position: int) -> int:
    """The position after blanks and comments."""
    found = _BLANK.match(text, position)
    return found.end() if found else position


def scan(text: str, position: int, names: Names) -> Token:
    """The token that begins at or after ``position``; raises :class:`FeelFault`."""
    start = skip_blank(text, position)
    if start >= len(text):
        return Token("end", "", start, start)
    known = names.at(text, start)
    if known:
        return Token("name", known[0], start, known[1])
    character = text[start]
    if character == '"':
        return _scan_text(text, start, start, "text")
    if character == "@":
        return _scan_text(text, start, skip_blank(text, start + 1), "moment")
    if found := _NUMBER.match(text, start):
        return Token("number", found.group(), start, found.end())
    if found := _SIMPLE.match(text, start):
        word = found.group()
        return Token("word" if word in WORDS else "name", word, start, found.end())
    if found := _SIGN.match(text, start):
        return Token("sign", found.group(), start, found.end())
    raise fault("character", start, text=character)


def _scan_text(text: str, start: int, quote: int, kind: TokenKind) -> Token:
    found = _TEXT.match(text, quote)
    if not found:
        raise fault("unfinished" if text[quote : quote + 1] == '"' else "character", start, text=text[start])
    value = _ESCAPE.sub(lambda escape: _unescaped(escape, quote + 1), found.group(1))
    return Token(kind, value if value.isascii() else _paired(value, start), start, found.end())


def _unescaped(escape: re.Match[str], base: int) -> str:
    """The character of an escape; what is none, as ``\\d`` in a pattern, stays as it is written."""
    code = escape.group(1)
    if len(code) == 1:
        return _ESCAPES.get(code, escape.group())
    number = int(code[1:], 16)
    if number > 0x10FFFF:
        raise fault("escape", base + escape.start(), text=escape.group())
    return chr(number)


def _paired(text: str, start: int) -> str:
    """Pairs of surrogates as the one character that they stand for."""
    try:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le")
    except UnicodeDecodeError as error:
        raise fault("escape", start, text="\\u") from error

"""The reader of tokens under the grammar: one ahead, never back, with bounds on depth and operations."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from cityloop.feel.kinds import SIMPLE, Kind, named
from cityloop.feel.phrases import fault
from cityloop.feel.scan import Names, Token, scan, skip_blank

LENGTH = 2_000
DEPTH = 40
OPERATIONS = 200
_KIND = re.compile("|".join(r"\s+".join(name.split()) + r"\b" for name in SIMPLE))
_WORD = re.compile(r"[^\W\d]\w*")


class Reader:
    """Reads ``text``; ``token`` is the one that comes next."""

    def __init__(self, text: str, names: Iterable[str], called: Iterable[str]) -> None:
        if len(text) > LENGTH:
            raise fault("long", LENGTH, size=len(text), most=LENGTH)
        self.text = text
        self.names = Names(names, called)
        self.depth = 0
        self.operations = 0
        self.token = scan(text, 0, self.names)

    def next(self) -> Token:
        """Take the token and look at the one after it."""
        taken = self.token
        self.move(taken.end)
        return taken

    def move(self, position: int) -> None:
        """Go on at ``position``."""
        self.token = scan(self.text, position, self.names)

    def know(self, name: str) -> None:
        """Know a name that the text itself has given; the token ahead is read anew."""
        self.names.add(name)
        self.move(self.token.start)

    def at(self, *texts: str) -> bool:
        """Whether a sign or word of these comes next."""
        return self.token.kind in {"sign", "word"} and self.token.text in texts

    def take(self, *texts: str) -> Token | None:
        """Take the token if it is a sign or word of these."""
        return self.next() if self.at(*texts) else None

    def expect(self, *texts: str) -> Token:
        """Take a sign or word of these; raises :class:`FeelFault` for anything else."""
        taken = self.take(*texts)
        if taken is None:
            wanted = " / ".join(f"“{text}”" for text in texts)
            raise fault("expected", self.token.start, wanted=wanted, found=self.token)
        return taken

    def unexpected(self) -> Exception:
        """The fault of the token that comes next."""
        return fault("unexpected", self.token.start, found=self.token)

    @contextmanager
    def deeper(self) -> Iterator[None]:
        """One level of nesting."""
        self.depth += 1
        if self.depth > DEPTH:
            raise fault("deep", self.token.start, most=DEPTH)
        yield
        self.depth -= 1

    def operate(self) -> None:
        """Count one operation."""
        self.operations += 1
        if self.operations > OPERATIONS:
            raise fault("busy", self.token.start, most=OPERATIONS)

    def matched(self, pattern: re.Pattern[str]) -> str | None:
        """What ``pattern`` finds at the token ahead, which is then passed."""
        start = skip_blank(self.text, self.token.start)
        found = pattern.match(self.text, start)
        if not found:
            return None
        self.move(found.end())
        return found.group()

    def word_before(self, *ends: str) -> str:
        """A new name: words up to one of ``ends``, which is left."""
        words: list[str] = []
        while self.token.kind == "name" or (words and self.token.kind in {"word", "number"} and not self.at(*ends)):
            words.append(self.next().text)
        if not words or not self.at(*ends):
            raise self.unexpected()
        return " ".join(words)

    def kind(self) -> Kind:
        """A kind as ``list<number>``; a name that is not built in is :data:`ANY`'s, with its name."""
        with self.deeper():
            found = self.matched(_KIND)
            if found is None:
                return Kind(self._own_kind())
            kind = named(" ".join(found.split()))
            return self._inner(kind) if self.at("<") else kind

    def _own_kind(self) -> str:
        if self.token.kind != "name":
            raise self.unexpected()
        name = self.next().text
        while self.take("."):
            name += "." + self.next().text
        return name

    def _inner(self, kind: Kind) -> Kind:
        self.expect("<")
        inner: list[tuple[str, Kind]] = []
        while not self.at(">"):
            name = ""
            if kind.name == "context":
                name = self.word_before(":")
                self.expect(":")
            inner.append((name, self.kind()))
            if not self.take(","):
                break
        self.expect(">")
        if kind.name == "context":
            return Kind("context", fields=tuple(inner))
        gives = self.kind() if kind.name == "function" and self.take("->") else None
        return Kind(kind.name, tuple(part for _, part in inner), gives=gives)

"""Cuts a question into pieces: few and long ones before many short ones, the known before the unknown."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from cityloop.ask import time_english, time_grammar
from cityloop.ask.holidays import Holidays
from cityloop.ask.index import Term
from cityloop.ask.lexicon import Lexicon
from cityloop.ask.quantities import Quantity, quantity
from cityloop.ask.spans import Hours, Span
from cityloop.ask.text import Text, at_border, chinese, wordly
from cityloop.ask.vocabulary import words

Sees = Callable[[Term], bool]
"""Whether the asker may know of a term; asked before anything else is done with it."""
_GUESSED, _UNKNOWN = 2.2, 4.0


@dataclass(frozen=True)
class Piece:
    """A part of the question with what it may mean."""

    start: int
    end: int
    tag: str
    cost: float
    groups: tuple[str, ...] = ()
    terms: tuple[Term, ...] = ()
    time: Span | Hours | None = None
    amount: Quantity | None = None
    guessed: bool = False
    """Found by sound or in spite of a slip."""
    absent: str = ""
    """A holiday that the calendar does not know in the year asked for."""
    said: str = field(default="", compare=False)

    def of(self, kind: str) -> tuple[Term, ...]:
        """Its terms of one kind."""
        return tuple(term for term in self.terms if term.kind == kind)


def segment(text: Text, lexicon: Lexicon, holidays: Holidays, now: datetime, sees: Sees) -> list[Piece]:
    """The pieces of the question in order, without blanks; what is not known has the tag ``unknown``."""
    plain = text.plain
    offers = [list(_offers(plain, start, lexicon, holidays, now, sees)) for start in range(len(plain))]
    pieces = _cheapest(plain, offers)
    if any(piece.tag == "unknown" for piece in pieces):
        for piece in _mended(plain, pieces, lexicon, sees):
            offers[piece.start].append(piece)
        pieces = _cheapest(plain, offers)
    return [_spoken(piece, text) for piece in pieces if piece.tag != "space"]


def _offers(plain: str, start: int, lexicon: Lexicon, holidays: Holidays, now: datetime, sees: Sees) -> Iterator[Piece]:
    yield _unknown(plain, start)
    for word in words(plain, start):
        yield Piece(start, word.end, word.tag, word.cost, word.groups)
    if not at_border(plain, start):
        return
    amount = quantity(plain, start)
    if amount:
        yield Piece(start, amount.end, "number", 1.1, amount=amount)
    for rules in (time_grammar, time_english):
        for end, made in rules.matches(plain, start, now):
            if at_border(plain, end):
                yield Piece(start, end, "time", 1.0, time=made)
    for end, span, absent in holidays.matches(plain, start, now):
        yield Piece(start, end, "time", 1.0, time=span, absent=absent)
    for end, found in lexicon.exact.at(plain, start):
        terms = _seen(found, sees)
        if terms and at_border(plain, end):
            yield Piece(start, end, "term", 0.9, terms=terms)
    for end, found in lexicon.sounds.at(plain, start):
        terms = _seen(found, sees)
        if terms:
            yield Piece(start, end, "term", 1.0 + _GUESSED, terms=terms, guessed=True)


def _cheapest(plain: str, offers: Sequence[Sequence[Piece]]) -> list[Piece]:
    count = len(plain)
    best: list[tuple[float, Piece | None]] = [(0.0, None)] * (count + 1)
    for start in range(count - 1, -1, -1):
        best[start] = min(
            (
                (piece.cost - 0.002 * (piece.end - piece.start) ** 2 + best[piece.end][0], piece)
                for piece in offers[start]
            ),
            key=lambda item: item[0],
        )
    pieces, place = [], 0
    while place < count:
        piece = best[place][1]
        assert piece is not None
        pieces.append(piece)
        place = piece.end
    return pieces


def _mended(plain: str, pieces: Sequence[Piece], lexicon: Lexicon, sees: Sees) -> Iterator[Piece]:
    """Terms that an unknown part may have meant, with a slip of the pen or as an abbreviation."""
    for piece in (piece for piece in pieces if piece.tag == "unknown"):
        if wordly(plain[piece.start]):
            terms = _seen(lexicon.slips.of_word(plain[piece.start : piece.end]), sees)
            if terms:
                yield Piece(piece.start, piece.end, "term", 1.0 + _GUESSED, terms=terms, guessed=True)
            continue
        for start, end, found in lexicon.slips.around(plain, piece.start):
            terms = _seen(found, sees)
            if terms:
                yield Piece(start, end, "term", 1.0 + _GUESSED, terms=terms, guessed=True)
        for length in (2, 3, 4):
            for start in range(max(0, piece.start - length + 1), piece.start + 1):
                said = plain[start : start + length]
                if len(said) == length and all(map(chinese, said)):
                    terms = _seen(lexicon.abbreviated(said), sees)
                    if terms:
                        yield Piece(start, start + length, "term", 1.1 + _GUESSED, terms=terms, guessed=True)


def _unknown(plain: str, start: int) -> Piece:
    end = start + 1
    if wordly(plain[start]):
        while end < len(plain) and (wordly(plain[end]) or (plain[end] in "-'" and plain[end - 1].isalpha())):
            end += 1
        return Piece(start, end, "unknown", _UNKNOWN * 2)
    return Piece(start, end, "unknown", _UNKNOWN)


def _seen(terms: Sequence[Term], sees: Sees) -> tuple[Term, ...]:
    return tuple(term for term in dict.fromkeys(terms) if sees(term))


def _spoken(piece: Piece, text: Text) -> Piece:
    return Piece(**{**piece.__dict__, "said": text.said(piece.start, piece.end)})

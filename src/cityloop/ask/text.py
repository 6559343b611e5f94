"""A question as it is matched: wide forms made plain, lower case, blanks beside Chinese signs dropped."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

_CHINESE = re.compile(r"[\u3400-\u9fff]")
_BLANK = re.compile(r"\s")


@dataclass(frozen=True)
class Text:
    """The question as it was written and as it is matched; ``origin`` leads from each plain sign to the written one."""

    raw: str
    plain: str
    origin: tuple[int, ...]

    def said(self, start: int, end: int) -> str:
        """The written words behind a range of plain signs."""
        if start >= end:
            return ""
        return self.raw[self.origin[start] : self.origin[end - 1] + 1].strip()


def read(raw: str) -> Text:
    """The text that is matched."""
    signs: list[tuple[str, int]] = []
    for position, sign in enumerate(raw):
        for plain in unicodedata.normalize("NFKC", sign).lower():
            signs.append((" " if _BLANK.match(plain) else plain, position))
    kept = [item for number, item in enumerate(signs) if not _idle_blank(signs, number)]
    return Text(raw, "".join(sign for sign, _ in kept), tuple(position for _, position in kept))


def plain(raw: str) -> str:
    """A name as :func:`read` would have it, trimmed."""
    return read(raw).plain.strip()


def chinese(sign: str) -> bool:
    """Whether this one sign is a Chinese one."""
    return bool(_CHINESE.match(sign))


def wordly(sign: str) -> bool:
    """Whether a sign is part of a word or number of Latin writing."""
    return sign.isalnum() and not chinese(sign)


def at_border(text: str, position: int) -> bool:
    """Whether a word may begin or end here: never between two signs of one Latin word."""
    inside = 0 < position < len(text) and wordly(text[position - 1]) and wordly(text[position])
    return not inside or text[position - 1].isdigit() != text[position].isdigit()


def _idle_blank(signs: list[tuple[str, int]], number: int) -> bool:
    if signs[number][0] != " ":
        return False
    before = signs[number - 1][0] if number else " "
    after = next((sign for sign, _ in signs[number + 1 :] if sign != " "), " ")
    return before == " " or after == " " or chinese(before) or chinese(after)

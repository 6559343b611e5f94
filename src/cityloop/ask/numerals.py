"""Numbers as people write them: 12, 1,200, 三十二, 一万二, two."""

from __future__ import annotations

import re

_DIGITS = {sign: value for value, sign in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_TENS = {"十": 10, "百": 100, "千": 1000}
_MYRIADS = {"万": 10_000, "亿": 100_000_000}
_ENGLISH = {
    name: value
    for value, name in enumerate(
        [
            "zero",
            "one",
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
            "eleven",
            "twelve",
            "thirteen",
            "fourteen",
            "fifteen",
        ]
    )
} | {"twenty": 20, "thirty": 30, "fifty": 50, "hundred": 100}
CHINESE = "[零〇一二两三四五六七八九十百千万亿]+"
WHOLE = rf"(?:\d+|{CHINESE}|\b(?:{'|'.join(_ENGLISH)})\b)"
"""A pattern for a whole number in digits, Chinese or English words."""
ANY = rf"(?:\d{{1,3}}(?:,\d{{3}})+(?:\.\d+)?|\d+(?:\.\d+)?[万亿千]?|{CHINESE}|\b(?:{'|'.join(_ENGLISH)})\b)"
"""A pattern for any number."""


def number(text: str) -> float:
    """The value of a text that matches :data:`ANY`."""
    text = text.replace(",", "").strip()
    if text in _ENGLISH:
        return float(_ENGLISH[text])
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([万亿千]?)", text)
    if found:
        return float(found[1]) * ({**_TENS, **_MYRIADS}.get(found[2], 1))
    return float(_chinese(text))


def whole(text: str) -> int:
    """The value of a text that matches :data:`WHOLE`."""
    return int(number(text))


def _chinese(text: str) -> int:
    if all(sign in _DIGITS for sign in text):
        return int("".join(str(_DIGITS[sign]) for sign in text))
    total, section, digit, scale = 0, 0, 0, 1
    for sign in text:
        if sign in _DIGITS:
            digit = _DIGITS[sign]
        elif sign in _TENS:
            scale = _TENS[sign]
            section += (digit or 1) * scale
            digit = 0
        else:
            scale = _MYRIADS[sign]
            total += (section + digit) * scale
            section = digit = 0
    # 一万二 is 12,000: a digit right after a unit counts in its tenths.
    short = digit and scale > 10 and text[-2] != "零"
    return total + section + digit * (scale // 10 if short else 1)

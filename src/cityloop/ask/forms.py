"""How people say a name: without what stands in brackets, without the word that all names of its kind carry, joined."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import lru_cache

from cityloop.ask.text import chinese, plain
from cityloop.core.values import Title

_BRACKETS = re.compile(r"[(（\[【][^)）\]】]*[)）\]】]")
_SIGNS = re.compile(r"[()（）\[\]【】]")
_ZH_TAILS = (
    "新区", "行政区", "街道办事处", "街道", "社区", "区", "县", "市", "镇", "委员会", "管理局", "局",
    "管理中心", "中心",
    "支队", "异常", "类", "问题", "站",
)  # fmt: skip
_EN_TAILS = (
    " new district", " district", " subdistrict", " bureau", " department", " centre", " center", " commission",
    " division", " authority", ": fault",
)  # fmt: skip
_LONGEST = 60


@lru_cache(maxsize=65_536)
def spoken(title: Title, of: Title | None = None) -> tuple[str, ...]:
    """Plain spoken forms of a title; ``of`` names the kind of thing, a word that may be left off (``空气站·古城``)."""
    found: dict[str, None] = {}
    for name, kind in ((title.zh, of.zh if of else ""), (title.en, of.en if of else "")):
        for form in _forms(plain(name), plain(kind)):
            if 1 < len(form) <= _LONGEST:
                found.setdefault(form)
    return tuple(found)


def with_plurals(forms: Iterable[str]) -> Iterator[str]:
    """English forms also in the plural."""
    for form in forms:
        yield form
        if form[-1:].isalpha() and form.isascii():
            yield form + ("es" if form.endswith(("s", "x", "ch", "sh")) else "s")


def initials_within(short: str, long: str) -> bool:
    """Whether ``short`` picks signs of ``long`` in order, as Chinese abbreviations do (交警 of 交通警察)."""
    rest = iter(long)
    return all(sign in rest for sign in short)


def _forms(name: str, kind: str) -> Iterator[str]:
    bare = _squeezed(_BRACKETS.sub("", name))
    for form in dict.fromkeys((name, bare, _squeezed(_SIGNS.sub("", name)))):
        yield from _shorter(form)
    if "·" in bare:
        head, _, tail = bare.partition("·")
        yield from (tail, tail + head, head + tail)
        if head.endswith("站"):
            yield tail + "站"
    if kind and bare.startswith(kind):
        rest = bare.removeprefix(kind).strip(" ·")
        yield from (rest, rest + kind if chinese(kind[0]) else f"{rest} {kind}")


def _shorter(form: str) -> Iterator[str]:
    yield form
    for tail in (*_ZH_TAILS, *_EN_TAILS):
        if form.endswith(tail) and len(form) - len(tail) >= 2:
            yield form.removesuffix(tail)
            return


def _squeezed(name: str) -> str:
    return plain(re.sub(r"\s+", " ", name))

"""A change laid over the limits of a city, and what no type sees in limits: unknown names, unreadable texts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

from pydantic import Field

from cityloop.city.catalogue import Catalogue
from cityloop.city.content import ConditionLine, LimitsFile
from cityloop.city.grammar import Limit, NeedsHuman
from cityloop.core.content import Key
from cityloop.core.values import Frozen

Parse = Callable[[str], Limit | NeedsHuman]
V = TypeVar("V")
_MOST = 2000


class LimitsChange(Frozen):
    """What becomes of single limits; everything that is not named stays."""

    matters: dict[str, str | None] = Field(default={}, max_length=_MOST)
    """The limit of a matter; ``None``: none of its own, so that its class's holds."""
    classes: dict[str, str | None] = Field(default={}, max_length=_MOST)
    conditions: dict[str, tuple[ConditionLine, ...]] = Field(default={}, max_length=_MOST)
    """All filing and closing lines of a matter; empty: none."""
    fallback: str | None = Field(default=None, min_length=1)
    """The limit of everything else; left out, it stays."""

    def over(self, file: LimitsFile) -> LimitsFile:
        """The limits with this change in them, in the order of their keys."""
        laid = {
            "matters": _laid(file.matters, self.matters),
            "classes": _laid(file.classes, self.classes),
            "conditions": _laid(file.conditions, {key: lines or None for key, lines in self.conditions.items()}),
            "fallback": file.fallback if self.fallback is None else self.fallback,
        }
        return file.model_copy(update=laid)


def _laid(ground: Mapping[str, V], over: Mapping[str, V | None]) -> dict[str, V]:
    return {key: value for key, value in sorted({**ground, **over}.items()) if value is not None}


Finding = tuple[Key, str, str]


def limit_findings(file: LimitsFile | LimitsChange, catalogue: Catalogue, parse: Parse) -> Iterator[Finding]:
    """Key, what is wrong and how to mend it: matters and classes that are not there, limits that cannot be read."""
    for part in ("matters", "conditions"):
        for key in [key for key in getattr(file, part) if not catalogue.has(key)]:
            near = ", ".join(entry.key for entry in catalogue.near(key, 3))
            yield (part, key), f"unknown matter '{key}'", f"the nearest are: {near or 'none'}"
    classes = {f"{m.standard}:{m.kind}:{m.class_code}" for m in catalogue.list(None)}
    for key in [key for key in file.classes if key not in classes]:
        have = f"classes are standard:kind:class, for example {min(classes, default='none')}"
        yield ("classes", key), f"unknown class '{key}'", have
    for place, text in _texts(file):
        read = parse(text)
        if isinstance(read, NeedsHuman):
            yield place, f"'{text}': {read.reason.en}", "write a figure and a unit, for example 4工作时"


def _texts(file: LimitsFile | LimitsChange) -> Iterator[tuple[Key, str]]:
    for key, lines in file.conditions.items():
        yield from ((("conditions", key, number, "limit"), line.limit) for number, line in enumerate(lines))
    yield from ((("matters", key), text) for key, text in file.matters.items() if text is not None)
    yield from ((("classes", key), text) for key, text in file.classes.items() if text is not None)
    if file.fallback:
        yield ("fallback",), file.fallback

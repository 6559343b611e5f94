"""Catalogues of components and matters. The same digits occur as both, so a key is ``standard:kind:code``."""

from __future__ import annotations

import builtins
from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Literal

from cityloop.city.schemas import Matter
from cityloop.core.errors import NotFound
from cityloop.core.values import Title

Kind = Literal["component", "matter"]


class Catalogue:
    """The catalogue in force and local ones beside it for lists, and every kept one for reading old cases."""

    def __init__(self, in_force: str, entries: Iterable[Matter], local: Sequence[str] = ()) -> None:
        self.in_force = in_force
        self._listed = {in_force, *local}
        self._entries = {entry.key: entry for entry in entries}

    def list(self, kind: Kind | None = "matter") -> builtins.list[Matter]:
        """What a case may be about, in the order of the standard; ``None`` for components as well."""
        return [
            entry
            for entry in self._entries.values()
            if entry.standard in self._listed and (kind is None or entry.kind == kind)
        ]

    def get(self, key: str) -> Matter:
        """The entry of any catalogue of this city; raises :class:`NotFound` naming the nearest ones."""
        entry = self._entries.get(key)
        if entry is None:
            near = "; ".join(f"{e.key} {e.title.zh}" for e in self.near(key)) or "none is near"
            raise NotFound(f"there is no matter '{key}' in the catalogues of this city", f"did you mean: {near}")
        return entry

    def has(self, key: str) -> bool:
        """Whether a key is known."""
        return key in self._entries

    def near(self, text: str, count: int = 5) -> builtins.list[Matter]:
        """Entries whose key or title is nearest to ``text``, the nearest first."""
        words: dict[str, Matter] = {}
        for entry in self._entries.values():
            for word in (entry.key, entry.title.zh, entry.title.en.lower(), f"{entry.kind}:{entry.code}", entry.code):
                words.setdefault(word, entry)
        bare = text.removeprefix(f"{self.in_force}:")
        hits = [m for part in (text.lower(), bare) for m in get_close_matches(part, words, n=count, cutoff=0.5)]
        return builtins.list(dict.fromkeys(words[hit] for hit in hits))[:count]


def with_anomalies(entries: Sequence[Matter]) -> builtins.list[Matter]:
    """The entries and, for each component, its anomaly as a matter (GB/T 47678.5: same digits, name and 异常)."""
    anomalies = [
        Matter(
            key=f"{entry.standard}:matter:{entry.code}",
            standard=entry.standard,
            kind="matter",
            code=entry.code,
            class_code=entry.class_code,
            class_title=entry.class_title,
            title=Title(zh=f"{entry.title.zh}异常", en=f"{entry.title.en}: fault"),
        )
        for entry in entries
        if entry.kind == "component"
    ]
    components = [entry for entry in entries if entry.kind == "component"]
    return [*components, *anomalies, *[entry for entry in entries if entry.kind == "matter"]]

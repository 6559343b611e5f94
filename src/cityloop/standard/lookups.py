"""Which entity a record speaks of: by id, by title, by another key, or the nearest one to its position."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Container, Iterable, Mapping
from typing import Any

import numpy as np
import polars as pl
import shapely
from numpy.typing import NDArray

from cityloop.city.areas import METRES_A_DEGREE
from cityloop.core.phrases import Saying
from cityloop.core.values import Title
from cityloop.standard.batch import EntityCard
from cityloop.standard.code_lists import folded
from cityloop.standard.declarations import Lookup
from cityloop.standard.phrases import PHRASES

SEVERAL = "several"
"""Marks a name that more than one entity has."""


class Finder:
    """One way of looking up, over one state of the directory; it is made anew when the directory has grown."""

    def __init__(self, rule: Lookup, cards: Mapping[str, EntityCard]) -> None:
        self.rule = rule
        self._cards = cards
        self._size = len(cards)
        self._names = self._named() if rule.by in ("title", "key") else {}
        self._placed = [card for card in cards.values() if card.lon is not None and card.lat is not None]
        self._squeeze = 1.0
        self._tree = self._grown() if rule.by == "nearest" else None

    def serves(self, cards: Container[str]) -> bool:
        """Whether this finder still knows every card."""
        return cards is self._cards and len(self._cards) == self._size

    def found(self, sent: pl.Series, work: pl.DataFrame) -> pl.Series:
        """The id for each record, null where none fits; a name of several entities gives null too."""
        if self.rule.by == "nearest":
            ids = self._near(work["value:lon"].to_numpy(), work["value:lat"].to_numpy())
            return pl.Series(ids, dtype=pl.String)
        if self.rule.by == "id":
            return sent
        texts = [text for text in sent.unique().to_list() if text is not None]
        hits = {text: found for text in texts if (found := self._names.get(folded(text))) not in (None, SEVERAL)}
        return sent.replace_strict(list(hits), list(hits.values()), default=None, return_dtype=pl.String)

    def reason(self, row: Mapping[str, Any], field: str, entity_type: Title) -> Saying:
        """Why a record has no entity, and what to do."""
        if self.rule.by == "nearest":
            return PHRASES.say("nothing-near", type=entity_type, metres=self.rule.metres)
        several = self._names.get(folded(str(row[field]))) == SEVERAL
        if self.rule.by == "title":
            return PHRASES.say("several-titled" if several else "none-titled", type=entity_type, text=row[field])
        code = "several-keyed" if several else "none-keyed"
        return PHRASES.say(code, type=entity_type, text=row[field], key=self.rule.key)

    def _named(self) -> dict[str, str]:
        owners: dict[str, set[str]] = defaultdict(set)
        for card in self._cards.values():
            for name in self._spelt(card):
                owners[folded(name)].add(card.id)
        return {name: next(iter(ids)) if len(ids) == 1 else SEVERAL for name, ids in owners.items()}

    def _spelt(self, card: EntityCard) -> Iterable[str]:
        if self.rule.by == "title":
            return (card.title.zh, card.title.en)
        value = card.attributes.get(self.rule.key or "")
        return (value,) if value else ()

    def _grown(self) -> shapely.STRtree:
        places = np.array([(card.lon, card.lat) for card in self._placed], dtype=float).reshape(-1, 2)
        self._squeeze = float(np.cos(np.radians(places[:, 1].mean()))) if len(places) else 1.0
        return shapely.STRtree([shapely.Point(x * self._squeeze, y) for x, y in places])

    def _near(self, lons: NDArray[np.float64], lats: NDArray[np.float64]) -> list[str | None]:
        found: list[str | None] = [None] * len(lons)
        asked = np.flatnonzero(np.isfinite(lons) & np.isfinite(lats))
        if not len(asked) or not self._placed or self._tree is None:
            return found
        points = shapely.points(np.column_stack([lons[asked] * self._squeeze, lats[asked]]))
        reach = (self.rule.metres or 0.0) / METRES_A_DEGREE
        hits = self._tree.query_nearest(points, max_distance=reach, all_matches=False)
        for point, hit in zip(*hits, strict=True):
            found[int(asked[point])] = self._placed[int(hit)].id
        return found

"""What a mapping may ask of the city around it: entities of other types, and the areas that hold points."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from cityloop.city.schemas import Area, Place
from cityloop.standard.batch import EntityCard

Cards = Mapping[str, EntityCard]


@dataclass(frozen=True)
class World:
    """``of`` gives the entities of a type by id, ``locate`` the areas of points (WGS 84), ``None`` outside the city.

    ``nearest`` gives the area nearest to a point and the metres to it, ``None`` where the city draws no areas. Without
    ``of`` references are not checked, without ``locate`` points have no area, without ``nearest`` none is named.
    """

    of: Callable[[str], Cards] | None = None
    locate: Callable[[Sequence[float], Sequence[float]], Sequence[Place | None]] | None = None
    nearest: Callable[[float, float], tuple[Area, float] | None] | None = None


NOWHERE = World()

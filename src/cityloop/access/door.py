"""``scope`` and ``permit``: every list, get, aggregate, export, tile, chart, question and stream passes here.

Deny by default: an entity that no room has registered raises, and a post without a line for it sees nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement
from sqlglot import exp

from cityloop.access import predicates
from cityloop.access.actor import Actor
from cityloop.access.masks import MaskKind, masked
from cityloop.access.policy import Policy, RowRule, Sight
from cityloop.access.predicates import Predicate
from cityloop.core.errors import AccessDenied


@dataclass(frozen=True)
class Protected:
    """What a room registers of an entity: the columns that row rules work on, and which columns are sensitive."""

    entity: str
    department: str | None = None
    area: str | None = None
    owner: str | None = None
    sensitive: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Scope:
    """The rows and columns one actor may see of one entity. ``key`` belongs into every cache key."""

    entity: str
    rows: Predicate
    masks: Mapping[str, MaskKind] = field(default_factory=dict)
    reason: str = ""

    @property
    def key(self) -> str:
        """Equal keys mean equal sight."""
        return f"{self.entity}|{self.rows!r}|{sorted(self.masks.items())!r}"

    def lets(self, row: Mapping[str, Any]) -> bool:
        """Whether this row may be seen."""
        return predicates.lets(self.rows, row)

    def where(self, columns: Mapping[str, ColumnElement[Any]]) -> ColumnElement[bool]:
        """The row filter for an SQLAlchemy query."""
        return predicates.where(self.rows, columns)

    def tree(self) -> exp.Condition:
        """The row filter as an SQL tree for the lake."""
        return predicates.tree(self.rows)

    def cover(self, row: Mapping[str, Any]) -> dict[str, Any]:
        """A copy of ``row`` with masked columns covered."""
        return {k: masked(self.masks[k], v) if k in self.masks else v for k, v in row.items()}


class Door:
    """Holds the city's policy and what the rooms have registered."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self._entities: dict[str, Protected] = {}

    def register(self, entity: Protected) -> None:
        """Make an entity known; without this every request for it is refused."""
        self._entities[entity.entity] = entity

    def scope(self, actor: Actor, entity: str) -> Scope:
        """The actor's sight of ``entity``; raises :class:`AccessDenied` with the reason when there is none."""
        protected = self._entities.get(entity)
        if protected is None:
            raise AccessDenied(f"'{entity}' has no registered scope", "register it at the door before reading it")
        if actor.kind == "system":
            return Scope(entity, predicates.Everything(), reason="the platform itself")
        sights = {post: sight for post in actor.posts if (sight := self._sight(post, entity))}
        if not sights:
            detail = f"{actor.id} ({', '.join(actor.posts) or 'no post'}) has no sight of '{entity}'"
            raise AccessDenied(detail, "a security administrator can grant it to a post of this actor")
        rows = predicates.either([_rows(rule, protected, actor) for s in sights.values() for rule in s.rows])
        return Scope(entity, rows, _masks(sights.values()), f"{entity} by post {', '.join(sights)}")

    def may(self, actor: Actor, permission: str) -> bool:
        """Whether one of the actor's posts holds ``permission``."""
        if actor.kind == "system":
            return True
        return any(permission in post.may for name in actor.posts if (post := self.policy.posts.get(name)))

    def permit(self, actor: Actor, permission: str) -> None:
        """Raise :class:`AccessDenied`, naming who could, unless the actor holds ``permission``."""
        if not self.may(actor, permission):
            able = [name for name, post in self.policy.posts.items() if permission in post.may]
            detail = f"{actor.id} lacks the permission '{permission}'"
            raise AccessDenied(detail, f"posts that hold it: {', '.join(able) or 'none'}", more={"able": able})

    def permissions(self, actor: Actor) -> list[str]:
        """Everything the actor may do, sorted."""
        return sorted({may for name in actor.posts if (post := self.policy.posts.get(name)) for may in post.may})

    def sights(self, actor: Actor) -> list[str]:
        """Every entity of which the actor's posts show something, sorted: what a screen may offer at all."""
        return sorted({sight for name in actor.posts if (post := self.policy.posts.get(name)) for sight in post.sees})

    def _sight(self, post: str, entity: str) -> Sight | None:
        known = self.policy.posts.get(post)
        return known.sees.get(entity) if known else None


def _rows(rule: RowRule, entity: Protected, actor: Actor) -> Predicate:
    if rule == "all":
        return predicates.Everything()
    if rule == "own_department" and entity.department and actor.department:
        return predicates.In(entity.department, (actor.department,))
    if rule == "own_areas" and entity.area and actor.areas:
        return predicates.Under(entity.area, actor.areas)
    if rule == "own" and entity.owner:
        return predicates.In(entity.owner, (actor.id,))
    return predicates.Nothing()


def _masks(sights: Iterable[Sight]) -> dict[str, MaskKind]:
    """A column is masked only when every sight masks it: the post with the clearest sight wins."""
    all_sights = list(sights)
    shared = set.intersection(*[set(sight.mask) for sight in all_sights])
    return {column: all_sights[0].mask[column] for column in sorted(shared)}

"""``scope`` and ``permit``: every list, get, aggregate, export, tile, chart, question and stream passes here.

Deny by default: an entity that no room has registered raises, and a post without a line for it sees nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from cityloop.access import predicates
from cityloop.access.actor import Actor
from cityloop.access.grants import Grant, Grants
from cityloop.access.masks import MaskKind
from cityloop.access.policy import Policy, RowRule, Sight
from cityloop.access.predicates import Predicate
from cityloop.access.scope import Part, Scope
from cityloop.core.errors import AccessDenied

__all__ = ["Door", "Part", "Protected", "Scope"]


@dataclass(frozen=True)
class Protected:
    """What a room registers of an entity: the columns that row rules work on, and which columns are sensitive."""

    entity: str
    department: str | None = None
    area: str | None = None
    owners: tuple[str, ...] = ()
    """Columns that name whose a row is; an actor owns the rows in which any of them does."""
    sensitive: frozenset[str] = frozenset()
    owned: Callable[[str], Sequence[str]] | None = None
    """Values of the ``department`` column that belong to a department, where it holds something else (a feed)."""
    levels: Callable[[str | None], Mapping[str, str]] | None = None
    """Sensitivity of the columns of a dataset; ``None`` asks for those of all datasets together, the highest wins."""


class Door:
    """Holds the city's policy and what the rooms have registered."""

    def __init__(self, policy: Policy, grants: Grants | None = None) -> None:
        self.policy = policy
        self.grants = grants
        self._entities: dict[str, Protected] = {}

    def register(self, entity: Protected) -> None:
        """Make an entity known; without this every request for it is refused."""
        self._entities[entity.entity] = entity

    def scope(self, actor: Actor, entity: str, dataset: str | None = None) -> Scope:
        """The actor's sight of ``entity``; raises :class:`AccessDenied` with the reason when there is none.

        Name the ``dataset`` (the lake table, the entity type) wherever it is known: grants hold for one dataset, and
        without its name the scope is the one that the posts alone give.
        """
        scope = self.posts_scope(actor, entity, dataset)
        held = self.active(actor, scope, dataset)
        if not held or self.grants is None:
            return scope
        self.grants.used(actor, entity, [grant.id for grant in held])
        return widened(scope, held)

    def posts_scope(self, actor: Actor, entity: str, dataset: str | None = None) -> Scope:
        """The sight that the actor's posts give, without grants."""
        protected = self.protected(entity)
        if actor.kind == "system":
            return Scope(entity, predicates.Everything(), reason="the platform itself")
        sights = self.post_sights(actor, entity)
        if not sights:
            detail = f"{actor.id} ({', '.join(actor.posts) or 'no post'}) has no sight of '{entity}'"
            able = [name for name, post in self.policy.posts.items() if entity in post.sees]
            mend = "a security administrator can grant it to a post of this actor"
            raise AccessDenied(detail, mend, more={"able": able})
        levels = protected.levels(dataset) if protected.levels else {}
        rows = predicates.either([_rows(rule, protected, actor) for s in sights.values() for rule in s.rows])
        clear = tuple(part for s in sights.values() if (part := _clear(s, protected, actor)) is not None)
        masks = _masks(sights.values(), levels)
        return Scope(entity, rows, masks, f"{entity} by post {', '.join(sights)}", clear if masks else ())

    def active(self, actor: Actor, scope: Scope, dataset: str | None) -> list[Grant]:
        """Grants that add something to ``scope`` now; asking does not count as reading."""
        if self.grants is None or dataset is None or actor.kind == "system":
            return []
        plain = scope.whole and not scope.masks
        return [] if plain else list(self.grants.active(actor, scope.entity, dataset))

    def post_sights(self, actor: Actor, entity: str) -> dict[str, Sight]:
        """What each post of the actor sees of ``entity``; posts without a line for it are left out."""
        return {post: sight for post in actor.posts if (sight := self._sight(post, entity))}

    def protected(self, entity: str) -> Protected:
        """What was registered of ``entity``; raises :class:`AccessDenied` when nothing was."""
        found = self._entities.get(entity)
        if found is None:
            raise AccessDenied(f"'{entity}' has no registered scope", "register it at the door before reading it")
        return found

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

    def seen(self, actor: Actor) -> list[str]:
        """Every entity of which the actor's posts show something, sorted: what a screen may offer at all."""
        return sorted({sight for name in actor.posts if (post := self.policy.posts.get(name)) for sight in post.sees})

    def _sight(self, post: str, entity: str) -> Sight | None:
        known = self.policy.posts.get(post)
        return known.sees.get(entity) if known else None


def widened(scope: Scope, grants: Sequence[Grant]) -> Scope:
    """``scope`` with what the grants show beside it."""
    parts = tuple(grant.part(scope.entity) for grant in grants)
    reason = f"{scope.reason}, with grant {', '.join(grant.id for grant in grants)}"
    return replace(scope, wider=(*scope.wider, *parts), reason=reason)


def _rows(rule: RowRule, entity: Protected, actor: Actor) -> Predicate:
    if rule == "all":
        return predicates.Everything()
    if rule == "own_department" and entity.department and actor.department:
        values = tuple(entity.owned(actor.department)) if entity.owned else (actor.department,)
        return predicates.In(entity.department, values) if values else predicates.Nothing()
    if rule == "own_areas" and entity.area and actor.areas:
        return predicates.Under(entity.area, actor.areas)
    if rule == "own":
        return predicates.either([predicates.In(column, (actor.id,)) for column in entity.owners])
    return predicates.Nothing()


def _clear(sight: Sight, entity: Protected, actor: Actor) -> Part | None:
    """The rows of a sight in which nothing is covered."""
    rows, clear = (predicates.either([_rows(r, entity, actor) for r in rules]) for rules in (sight.rows, sight.clear))
    found = predicates.both([rows, clear])
    return None if isinstance(found, predicates.Nothing) else Part(found)


def _masks(sights: Iterable[Sight], levels: Mapping[str, str]) -> dict[str, MaskKind]:
    """A column is masked only when every sight masks it: the post with the clearest sight wins."""
    masks = [{**_hidden(sight, levels), **sight.mask} for sight in sights]
    shared = set.intersection(*[set(mask) for mask in masks])
    return {column: masks[0][column] for column in sorted(shared)}


def _hidden(sight: Sight, levels: Mapping[str, str]) -> dict[str, MaskKind]:
    return {column: "hide" for column, level in levels.items() if level in sight.hide}

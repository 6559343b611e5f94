"""Why an actor can or cannot see a thing, in the words of the policy."""

from __future__ import annotations

from cityloop.access import predicates
from cityloop.access.actor import Actor
from cityloop.access.door import Door, Scope, widened
from cityloop.access.masks import MaskKind
from cityloop.access.predicates import Predicate
from cityloop.core.errors import AccessDenied
from cityloop.core.values import Frozen, Instant, Title


class MaskView(Frozen):
    """A covered column, and what covers it."""

    column: str
    kind: MaskKind
    because: str


class PostSight(Frozen):
    """What one post contributes."""

    post: str
    title: Title
    sees: bool
    rows: list[str]
    masks: list[MaskView]


class GrantSight(Frozen):
    """What one grant contributes."""

    id: str
    fields: list[str]
    rows: str
    until: Instant


class AccessView(Frozen):
    """The answer: ``rows`` is the whole row filter in words."""

    actor: str
    entity: str
    dataset: str | None
    sees: bool
    reason: str
    mend: str
    posts: list[PostSight]
    rows: str
    masks: list[MaskView]
    grants: list[GrantSight]
    permissions: list[str]


def explain(door: Door, actor: Actor, entity: str, dataset: str | None) -> AccessView:
    """Lay open what the door decides and why; asking counts as no reading."""
    try:
        scope, reason, mend = door.posts_scope(actor, entity, dataset), "", ""
    except AccessDenied as refusal:
        scope, reason, mend = Scope(entity, predicates.Nothing()), refusal.detail, refusal.mend
    held = door.active(actor, scope, dataset) if not reason else []
    whole = widened(scope, held) if held else scope
    hidden = [column for column in scope.masks if not isinstance(whole.shown(column), predicates.Everything)]
    return AccessView(
        actor=actor.id,
        entity=entity,
        dataset=dataset,
        sees=not isinstance(whole.all_rows, predicates.Nothing),
        reason=reason or whole.reason,
        mend=mend,
        posts=[_post(door, actor, post, entity) for post in actor.posts],
        rows=words(whole.all_rows),
        masks=[MaskView(column=c, kind=scope.masks[c], because=_because(whole, c)) for c in hidden],
        grants=[GrantSight(id=g.id, fields=sorted(g.columns), rows=words(g.rows[entity]), until=g.until) for g in held],
        permissions=door.permissions(actor),
    )


def words(predicate: Predicate) -> str:
    """A row filter as a sentence."""
    match predicate:
        case predicates.Everything():
            return "every row"
        case predicates.Nothing():
            return "no row"
        case predicates.In(column, values):
            return f"{column} is {' or '.join(values)}"
        case predicates.Under(column, areas):
            return f"{column} lies in {' or '.join(areas)}"
        case predicates.Both(parts):
            return " and ".join(f"({words(part)})" for part in parts)
        case predicates.Either(parts):
            return " or ".join(f"({words(part)})" for part in parts)


def _post(door: Door, actor: Actor, post: str, entity: str) -> PostSight:
    known = door.policy.posts.get(post)
    sight = known.sees.get(entity) if known else None
    masks = [MaskView(column=c, kind=k, because=f"post {post}") for c, k in (sight.mask if sight else {}).items()]
    return PostSight(
        post=post,
        title=known.title if known else Title(zh=post, en=post),
        sees=sight is not None,
        rows=list(sight.rows) if sight else [],
        masks=masks,
    )


def _because(scope: Scope, column: str) -> str:
    shown = scope.shown(column)
    if isinstance(shown, predicates.Nothing):
        return f"covered by every post of this actor ({scope.reason})"
    return f"shown only where {words(shown)}"

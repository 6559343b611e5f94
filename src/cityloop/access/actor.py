"""Who asks. An actor is frozen for the length of one request."""

from __future__ import annotations

from typing import Literal

from cityloop.core.values import Frozen, Title

ActorKind = Literal["person", "drill", "machine", "system"]


class Actor(Frozen):
    """A person at a post, a drill actor playing one, a machine, or the system itself."""

    id: str
    name: Title
    kind: ActorKind = "person"
    posts: tuple[str, ...] = ()
    department: str | None = None
    areas: tuple[str, ...] = ()
    """Area codes this actor is bound to; empty means no binding of its own."""


SYSTEM = Actor(id="system", name=Title(zh="系统", en="System"), kind="system", posts=("system",))
"""The platform acting by rule: automatic dispatch, timers, warnings that open cases."""
PUBLIC = Actor(id="public", name=Title(zh="市民", en="Citizen"), kind="machine", posts=("public",))
"""The one actor of everybody who has no account; a city whose policy has no post ``public`` refuses it everything."""

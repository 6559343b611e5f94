"""Whoever comes without an account."""

from __future__ import annotations

from cityloop.access.actor import Actor
from cityloop.core.values import Title

PUBLIC = Actor(id="public", name=Title(zh="市民", en="Citizen"), kind="machine", posts=("public",))
"""The one actor of everybody who has no account; a city whose policy has no post ``public`` refuses it everything."""
ENTITY = "public_case"
"""What the public sees of a case: the columns of :class:`cityloop.citizen.reading.PublicCase`, no others."""

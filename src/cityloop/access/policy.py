"""The policy of one city as data: what each post may do, and which rows and columns it sees."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from cityloop.access.masks import MaskKind
from cityloop.core.values import Frozen, Title

RowRule = Literal["all", "own_department", "own_areas", "own"]
"""``own`` means rows in which a column of their owners names the actor: who handles a case, who reported it."""


class Sight(Frozen):
    """What a post sees of one entity: the union of ``rows``, with ``mask`` laid over its columns.

    ``hide`` covers every column of these sensitivity levels too. In the rows of ``clear`` nothing is covered.
    """

    rows: tuple[RowRule, ...] = ("all",)
    mask: dict[str, MaskKind] = Field(default_factory=dict)
    hide: tuple[Literal["internal", "sensitive"], ...] = ()
    clear: tuple[RowRule, ...] = ()


class Post(Frozen):
    """A role in the case process. ``may`` lists permissions such as ``case.file`` or ``clock.set``."""

    title: Title
    may: tuple[str, ...] = ()
    sees: dict[str, Sight] = Field(default_factory=dict)


class Policy(Frozen):
    """All posts of a city. A post, entity or permission that is not written here is refused."""

    posts: dict[str, Post]

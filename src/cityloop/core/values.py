"""Small frozen values that every room shares."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Generic, Self, TypeVar

from pydantic import AwareDatetime, BaseModel, ConfigDict, model_validator

T = TypeVar("T")


class Frozen(BaseModel):
    """Base of every value that crosses a room's border: immutable, and strict about unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @classmethod
    def trusted(cls, values: dict[str, Any]) -> Self:
        """The value of fields that are all there and right; much quicker than ``model_construct``, for long lists."""
        made = cls.__new__(cls)
        state = {"__dict__": values, "__pydantic_fields_set__": set(values)}
        made.__setstate__({**state, "__pydantic_extra__": None, "__pydantic_private__": None})
        return made


class Title(Frozen):
    """A name for people, in Chinese and English. Content may write a plain string for both."""

    zh: str
    en: str

    @model_validator(mode="before")
    @classmethod
    def _from_text(cls, value: Any) -> Any:
        return {"zh": value, "en": value} if isinstance(value, str) else value


class Page(Frozen, Generic[T]):
    """One page of a list. ``total`` counts all rows the asker may see under the same filter."""

    items: list[T]
    total: int
    page: int
    size: int


Instant = AwareDatetime
"""A point in time with its offset; stored and compared in UTC."""


def utc(value: datetime) -> datetime:
    """Return the same instant in UTC; a naive value is a programming error and raises ``ValueError``."""
    if value.tzinfo is None:
        raise ValueError(f"{value!r} has no time zone; every instant in cityloop carries one")
    return value if value.tzinfo is UTC else value.astimezone(UTC)

"""What the citizen's page sends and is answered."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from cityloop.citizen.plain import Standing, Step
from cityloop.city.schemas import AreaLevel, Matter, Position
from cityloop.core.values import Frozen, Instant, Title
from cityloop.core.words import Words

MOST_PHOTOS = 4
_PHONE = re.compile(r"\+?[\d ()-]{5,20}")


def _phone(text: str) -> str:
    if text and not _PHONE.fullmatch(text):
        raise ValueError("this is no phone number: digits, spaces, + - ( ), 5 to 20 signs")
    return text


class CitizenReport(Frozen):
    """A report without an account. ``matter`` or a ``description``; a point, an area, or an address that names one."""

    matter: str | None = Field(default=None, max_length=80)
    description: Words = Field(default="", max_length=2000)
    lon: float | None = Field(default=None, ge=-180, le=180)
    lat: float | None = Field(default=None, ge=-90, le=90)
    area: str | None = Field(default=None, max_length=60)
    address: Words = Field(default="", max_length=200)
    phone: Annotated[str, AfterValidator(_phone)] = Field(default="", max_length=20)


class CitizenReceipt(Frozen):
    """Number and secret code: whoever has both follows and rates the report. The code is told only this once."""

    number: str
    code: str
    matter_title: Title
    placed_in: Title | None
    """The area whose middle stands for the place, where no point was given."""


class CitizenStep(Frozen):
    """A step on the way; ``at`` is empty while it is still to come."""

    id: Step
    title: Title
    at: Instant | None


class CitizenProgress(Frozen):
    """How a report stands. No names, no phones, no words of the staff; ``note`` is a declared reason."""

    number: str
    matter_title: Title
    description: str
    address: str
    area_title: Title | None
    department_title: Title | None
    standing: Standing
    standing_title: Title
    note: Title | None
    reported_at: Instant
    expected_at: Instant | None
    closed_at: Instant | None
    steps: list[CitizenStep]
    photos: int
    rating: int | None
    can_rate: bool


class CitizenRating(Frozen):
    """One to five stars and, if wished, a few words."""

    code: str = Field(max_length=40)
    rating: int = Field(ge=1, le=5)
    words: Words = Field(default="", max_length=500)


class PublicArea(Frozen):
    """An area above the grid cell, by whose name a place can be given; ``middle`` is a point inside it."""

    code: str
    title: Title
    level: AreaLevel
    parent: str | None
    middle: Position | None


class PublicPlaces(Frozen):
    """The matters and areas that a report may name."""

    matters: list[Matter]
    areas: list[PublicArea]

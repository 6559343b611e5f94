"""How one city reads a time limit: the switches that national rules leave open."""

from __future__ import annotations

import re
from typing import Any, Literal

from pydantic import Field

from cityloop.core.errors import Invalid
from cityloop.core.values import Frozen

DayMeaning = Literal["8h", "close", "office"]
_SWITCHES = {
    "day": ("8h", "close", "office"),
    "stages": ("from_start", "chained"),
    "season": ("defer", "suspend"),
    "late": ("any", "last"),
}


class Profile(Frozen):
    """The meaning of limits in one city. Written as ``work_default/day=8h/stages=from_start/season=defer``."""

    plain: Literal["work", "natural"] = "work"
    """What 小时 and 天 without a word mean: office units, or natural ones."""
    day: DayMeaning = "8h"
    """工作日: 8 counted hours, the close of the n-th working day, or that calendar's own office day."""
    stages: Literal["from_start", "chained"] = "from_start"
    season: Literal["defer", "suspend"] = "defer"
    """Outside the season: the clock starts when it opens, or stands still until somebody resumes it."""
    late: Literal["any", "last"] = "any"
    """A staged case is late when any stage is late, or only when the last one is."""
    cutoff: str | None = Field(default=None, pattern=r"^([01]\d|2[0-3]):[0-5]\d$")
    """With ``day=close``: a case that arrives before this hour counts its first day (HH:MM)."""

    @property
    def cutoff_seconds(self) -> int | None:
        """The cut-off as seconds of the day."""
        return int(self.cutoff[:2]) * 3600 + int(self.cutoff[3:]) * 60 if self.cutoff else None


def parse_profile(text: str) -> Profile:
    """Read a profile; raises :class:`Invalid` naming the part that is wrong and what it may be."""
    wanted: dict[str, Any] = {}
    for part in filter(None, (piece.strip() for piece in text.split("/"))):
        name, _, value = part.partition("=")
        if part in ("work_default", "stage_minutes"):
            wanted["plain"] = "work"
        elif part == "natural_default":
            wanted["plain"] = "natural"
        elif value in _SWITCHES.get(name, ()) or (name == "cutoff" and re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", value)):
            wanted[name] = value
        else:
            raise Invalid(f"'{part}' is no part of a deadline profile", _choices())
    return Profile.model_validate(wanted)


def _choices() -> str:
    switches = "; ".join(f"{name}={'|'.join(values)}" for name, values in _SWITCHES.items())
    return f"parts: work_default, natural_default, stage_minutes; {switches}; cutoff=HH:MM"

"""How alike two reports are, without I/O: by place, time, matter and words. For people; nothing is merged by it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from cityloop.cases.nearby import metres
from cityloop.cases.wording import Vector, text_likeness
from cityloop.cases.workflow import DuplicateDef
from cityloop.city.schemas import Matter
from cityloop.core.values import Title

MatterLikeness = Literal["same", "class", "other", "unknown"]
REACH_METRES, REACH_HOURS = 4, 7
"""People are shown cases from so many times the distance and the age at which the guard holds a case by itself."""
LEAST = 0.5
"""Least likeness that is worth a look: a near case of the same matter whatever it says, or near and in like words."""
_WEIGHTS = {"place": 0.3, "time": 0.1, "matter": 0.3, "text": 0.3}
_MATTERS: dict[MatterLikeness, float] = {"same": 1.0, "class": 0.5, "unknown": 0.25, "other": 0.0}
"""While nobody has chosen a matter, a case must be in like words as well as near."""


@dataclass(frozen=True, slots=True)
class Told:
    """What is known of a report: words, place, and its matter unless nobody has chosen one."""

    words: Vector
    lon: float
    lat: float
    matter: Matter | None


@dataclass(frozen=True, slots=True)
class Likeness:
    """How alike a case is to a report; ``text`` and ``score`` from 0 to 1."""

    metres: float
    hours: float
    matter: MatterLikeness
    text: float
    score: float


def reach(rule: DuplicateDef) -> DuplicateDef:
    """How far and how long ago to look."""
    metres, hours = min(5000.0, rule.metres * REACH_METRES), min(24.0 * 90, rule.hours * REACH_HOURS)
    return DuplicateDef(metres=metres, hours=hours)


def likeness(told: Told, opened_at: datetime, known: Told, rule: DuplicateDef, now: datetime) -> Likeness:
    """Weigh an open case of which this is ``known`` against a report; ``rule`` is the :func:`reach`."""
    away = metres(told.lon, told.lat, known.lon, known.lat)
    age = max(0.0, (now - opened_at).total_seconds() / 3600)
    kind = _matter(told.matter, known.matter)
    words = text_likeness(told.words, known.words)
    place, time = max(0.0, 1 - away / rule.metres), max(0.0, 1 - age / rule.hours)
    parts = {"place": place, "time": time, "matter": _MATTERS[kind], "text": words}
    score = sum(_WEIGHTS[name] * value for name, value in parts.items())
    return Likeness(round(away, 1), round(age, 2), kind, round(words, 3), round(score, 3))


def reason(found: Likeness) -> Title:
    """Why a case is shown, in a sentence."""
    zh = {"same": "，同一事项", "class": "，同一大类", "other": "，事项不同", "unknown": ""}[found.matter]
    en = {"same": ", same matter", "class": ", same class", "other": ", another matter", "unknown": ""}[found.matter]
    age_zh, age_en = _span(found.hours, "分钟", "小时", "天"), _span(found.hours, " min", " h", " d")
    return Title(
        zh=f"相距 {found.metres:.0f} 米，{age_zh}前上报{zh}，文字相近 {found.text:.0%}",
        en=f"{found.metres:.0f} m away, reported {age_en} ago{en}, words alike {found.text:.0%}",
    )


def _matter(one: Matter | None, other: Matter | None) -> MatterLikeness:
    if one is None or other is None:
        return "unknown"
    if one.key == other.key:
        return "same"
    return "class" if (one.standard, one.class_code) == (other.standard, other.class_code) else "other"


def _span(hours: float, minute: str, hour: str, day: str) -> str:
    if hours < 1:
        return f"{hours * 60:.0f}{minute}"
    return f"{hours:.0f}{hour}" if hours < 48 else f"{hours / 24:.0f}{day}"

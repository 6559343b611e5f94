"""Numbers with their units: 150微克, 90%, 三个, 2 tonnes, 3天."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from cityloop.ask.numerals import ANY, number
from cityloop.ask.text import at_border, plain
from cityloop.standard.units import Unit, conversion, spellings, unit

_MORE = {
    "微克": "ug/m3", "微克每立方米": "ug/m3", "微克每立方": "ug/m3", "毫克": "mg/m3", "毫克每立方米": "mg/m3",
    "公里每小时": "km/h", "千米每小时": "km/h", "kilometres an hour": "km/h", "kilometres per hour": "km/h",
    "kilometers per hour": "km/h", "miles per hour": "[mi_i]/h", "瓦": "W", "瓦特": "W", "千瓦": "kW",
    "watts": "W", "watt": "W",
    "micrograms": "ug/m3", "milligrams": "mg/m3", "个小时": "h", "钟头": "h", "hours": "h", "hour": "h",
    "minutes": "min",
    "minute": "min", "days": "d", "day": "d", "seconds": "s", "tonnes": "t", "tonne": "t", "tons": "t",
    "kilograms": "kg",
    "kilos": "kg", "decibels": "dB", "decibel": "dB", "per cent": "%", "percent": "%", "个百分点": "%", "百分点": "%",
}  # fmt: skip
_UNITS: dict[str, Unit] = {
    spelling: item
    for name, item in spellings()
    if item.code != "{count}"
    for spelling in (plain(name), plain(name).replace("ug", "μg"))
} | {spelling: item for spelling, code in _MORE.items() if (item := unit(code))}
_COUNTED = (
    "人次|站次|件|个|起|条|宗|次|例|名|家|位|座|辆|人|cases|warnings|times|entries|people|passengers|vehicles|bins"
)
_SPANS: dict[str, Literal["hour", "day", "week", "month"]] = {
    "天": "day", "日": "day", "days": "day", "day": "day", "周": "week", "个周": "week", "星期": "week",
    "个星期": "week",
    "weeks": "week", "个月": "month", "月": "month", "months": "month", "小时": "hour", "个小时": "hour",
    "hours": "hour",
}  # fmt: skip
_NUMBER = re.compile(rf"(?:(?P<part>百分之)(?P<hundredth>{ANY}))|(?P<tenth>{ANY})成(?!立)|(?P<plain>{ANY})")
_UNIT = re.compile("|".join(re.escape(name) for name in sorted({*_UNITS, *_SPANS}, key=len, reverse=True)))
_COUNT = re.compile(_COUNTED)


@dataclass(frozen=True)
class Quantity:
    """A number as it was written, with its unit if it has one; ``span`` where the unit is one of calendar time."""

    value: float
    end: int
    unit: Unit | None = None
    span: Literal["hour", "day", "week", "month"] | None = None
    counted: bool = False
    """It counts things: 三个, 20 cases."""


def quantity(text: str, start: int) -> Quantity | None:
    """The number with its unit that stands at ``start``."""
    found = _NUMBER.match(text, start)
    if not found or not at_border(text, start):
        return None
    if found["hundredth"]:
        return Quantity(number(found["hundredth"]), found.end(), unit("%"))
    if found["tenth"]:
        return Quantity(number(found["tenth"]) * 10, found.end(), unit("%"))
    value, end = number(found["plain"]), found.end()
    blank = end + 1 if text[end : end + 1] == " " else end
    named = _UNIT.match(text, blank)
    if named and at_border(text, named.end()):
        return Quantity(value, named.end(), _UNITS.get(named[0]), _SPANS.get(named[0]))
    counted = _COUNT.match(text, blank)
    if counted and at_border(text, counted.end()):
        return Quantity(value, counted.end(), counted=True)
    return Quantity(value, end) if at_border(text, end) else None


def in_unit(amount: Quantity, code: str, share: bool) -> float | None:
    """The value in a metric's unit; a share is a fraction of one. ``None`` when it measures something else."""
    if share:
        if amount.unit is None:
            return amount.value / 100 if amount.value > 1 else amount.value
        return amount.value / 100 if amount.unit.code == "%" else None
    target = unit(code) if code else None
    if amount.unit is None or amount.unit.code == "{count}" or amount.unit.dimension in ("persons", "vehicles"):
        return amount.value
    change = conversion(amount.unit, target) if target else None
    return round(change.apply(amount.value), 9) if change else None

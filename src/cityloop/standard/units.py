"""Units of measurement by their UCUM names, and conversion between units of one dimension.

Names and factors: The Unified Code for Units of Measure, https://ucum.org/ucum (the part that city data needs).
Factors are exact fractions, so that a conversion rounds once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

_FOLD = str.maketrans(
    {"μ": "u", "µ": "u", "³": "3", "²": "2", "／": "/", "％": "%", "（": "(", "）": ")", " ": None, "\u3000": None}
)


@dataclass(frozen=True)
class Unit:
    """A unit: ``value × factor + offset`` is the value in the first unit of its dimension."""

    code: str
    symbol: str
    dimension: str
    factor: Fraction = Fraction(1)
    offset: Fraction = Fraction(0)


@dataclass(frozen=True)
class Conversion:
    """``value × multiply ÷ divide + add``; whole numbers where the units allow it, for the best rounding."""

    multiply: float
    divide: float
    add: float

    def apply(self, value: float) -> float:
        """The value in the target unit."""
        return value * self.multiply / self.divide + self.add


def unit(text: str) -> Unit | None:
    """The unit of that UCUM code, symbol or common spelling (``µg/m³``, ``ug/m3``, ``℃``); ``None`` when unknown."""
    return _BY_NAME.get(text.translate(_FOLD))


def conversion(source: Unit, target: Unit) -> Conversion | None:
    """How to come from ``source`` to ``target``; ``None`` when they measure different things."""
    if source.dimension != target.dimension:
        return None
    ratio = source.factor / target.factor
    shift = (source.offset - target.offset) / target.factor
    return Conversion(float(ratio.numerator), float(ratio.denominator), float(shift))


MOLAR_VOLUME = 8.314462618 * 298.15 / 101.325
"""Litres a mole of an ideal gas at 25 °C and 1013.25 hPa, the state that GB 3095 refers gases to since 2018."""


def molar_conversion(source: Unit, target: Unit, mass: float, volume: float = MOLAR_VOLUME) -> Conversion | None:
    """Between a fraction of a gas (ppb) and its mass concentration; ``mass`` in g/mol, ``volume`` in L/mol.

    1 ppb is ``mass ÷ volume`` µg/m³. ``None`` for other dimensions.
    """
    dimensions = (source.dimension, target.dimension)
    per_ppb = _CODES["[ppb]"].factor
    ratio = float(source.factor / target.factor)
    if dimensions == ("fraction", "mass concentration"):
        return Conversion(ratio / float(per_ppb) * mass, volume, 0.0)
    if dimensions == ("mass concentration", "fraction"):
        return Conversion(ratio * float(per_ppb) * volume, mass, 0.0)
    return None


def units() -> tuple[Unit, ...]:
    """Every unit there is, by dimension."""
    return _UNITS


def spellings(target: Unit | None = None) -> Iterator[tuple[str, Unit]]:
    """Every known spelling with its unit; with ``target`` only of units that convert to it."""
    for name, source in _BY_NAME.items():
        if target is None or conversion(source, target):
            yield name, source


def folded(text: str) -> str:
    """A spelling with micro signs, superscripts, wide forms and blanks made plain, as names are compared."""
    return text.translate(_FOLD)


_F = Fraction
_UNITS = (
    Unit("ug/m3", "µg/m³", "mass concentration"),
    Unit("ng/m3", "ng/m³", "mass concentration", _F(1, 1000)),
    Unit("mg/m3", "mg/m³", "mass concentration", _F(1000)),
    Unit("g/m3", "g/m³", "mass concentration", _F(1_000_000)),
    Unit("pg/m3", "pg/m³", "mass concentration", _F(1, 1_000_000)),
    Unit("mg/L", "mg/L", "concentration in water"),
    Unit("ug/L", "µg/L", "concentration in water", _F(1, 1000)),
    Unit("g/L", "g/L", "concentration in water", _F(1000)),
    Unit("uS/cm", "µS/cm", "conductivity"),
    Unit("mS/cm", "mS/cm", "conductivity", _F(1000)),
    Unit("[pH]", "pH", "acidity"),
    Unit("[NTU]", "NTU", "turbidity"),
    Unit("%", "%", "fraction"),
    Unit("[ppth]", "‰", "fraction", _F(1, 10)),
    Unit("1", "1", "fraction", _F(100)),
    Unit("[ppm]", "ppm", "fraction", _F(1, 10_000)),
    Unit("[ppb]", "ppb", "fraction", _F(1, 10_000_000)),
    Unit("Cel", "°C", "temperature"),
    Unit("K", "K", "temperature", _F(1), _F(-27315, 100)),
    Unit("[degF]", "°F", "temperature", _F(5, 9), _F(-160, 9)),
    Unit("hPa", "hPa", "pressure"),
    Unit("Pa", "Pa", "pressure", _F(1, 100)),
    Unit("kPa", "kPa", "pressure", _F(10)),
    Unit("MPa", "MPa", "pressure", _F(10_000)),
    Unit("mbar", "mbar", "pressure"),
    Unit("bar", "bar", "pressure", _F(1000)),
    Unit("mm[Hg]", "mmHg", "pressure", _F(133_322_387, 100_000_000)),
    Unit("m/s", "m/s", "speed"),
    Unit("km/h", "km/h", "speed", _F(5, 18)),
    Unit("[mi_i]/h", "mph", "speed", _F(44_704, 100_000)),
    Unit("[kn_i]", "kn", "speed", _F(1852, 3600)),
    Unit("m", "m", "length"),
    Unit("mm", "mm", "length", _F(1, 1000)),
    Unit("cm", "cm", "length", _F(1, 100)),
    Unit("km", "km", "length", _F(1000)),
    Unit("[in_i]", "in", "length", _F(254, 10_000)),
    Unit("m2", "m²", "area"),
    Unit("har", "ha", "area", _F(10_000)),
    Unit("km2", "km²", "area", _F(1_000_000)),
    Unit("L", "L", "volume"),
    Unit("mL", "mL", "volume", _F(1, 1000)),
    Unit("m3", "m³", "volume", _F(1000)),
    Unit("kg", "kg", "mass"),
    Unit("mg", "mg", "mass", _F(1, 1_000_000)),
    Unit("g", "g", "mass", _F(1, 1000)),
    Unit("t", "t", "mass", _F(1000)),
    Unit("[lb_av]", "lb", "mass", _F(45_359_237, 100_000_000)),
    Unit("s", "s", "duration"),
    Unit("ms", "ms", "duration", _F(1, 1000)),
    Unit("min", "min", "duration", _F(60)),
    Unit("h", "h", "duration", _F(3600)),
    Unit("d", "d", "duration", _F(86_400)),
    Unit("{persons}", "persons", "persons"),
    Unit("{persons}/10min", "persons/10 min", "flow of persons"),
    Unit("{persons}/min", "persons/min", "flow of persons", _F(10)),
    Unit("{persons}/h", "persons/h", "flow of persons", _F(1, 6)),
    Unit("{vehicles}/h", "vehicles/h", "flow of vehicles"),
    Unit("{vehicles}/min", "vehicles/min", "flow of vehicles", _F(60)),
    Unit("{vehicles}", "vehicles", "vehicles"),
    Unit("mm/h", "mm/h", "intensity of rain"),
    Unit("L/s", "L/s", "volume flow"),
    Unit("m3/s", "m³/s", "volume flow", _F(1000)),
    Unit("m3/h", "m³/h", "volume flow", _F(1000, 3600)),
    Unit("deg", "°", "angle"),
    Unit("dB", "dB", "sound level"),
    Unit("lx", "lx", "illuminance"),
    Unit("V", "V", "voltage"),
    Unit("kV", "kV", "voltage", _F(1000)),
    Unit("A", "A", "current"),
    Unit("W", "W", "power"),
    Unit("kW", "kW", "power", _F(1000)),
    Unit("MW", "MW", "power", _F(1_000_000)),
    Unit("kW.h", "kWh", "energy"),
    Unit("MW.h", "MWh", "energy", _F(1000)),
    Unit("{count}", "count", "count"),
)
_SPELLINGS = {
    "C": "Cel", "degC": "Cel", "℃": "Cel", "摄氏度": "Cel", "degF": "[degF]", "F": "[degF]", "℉": "[degF]",
    "km/hr": "km/h", "kmh": "km/h", "kph": "km/h", "公里/小时": "km/h", "千米/小时": "km/h", "米/秒": "m/s",
    "l": "L", "ml": "mL", "litre": "L", "升": "L", "毫升": "mL", "立方米": "m3",
    "KG": "kg", "公斤": "kg", "千克": "kg", "克": "g", "吨": "t", "mmHg": "mm[Hg]",
    "percent": "%", "pct": "%", "百分比": "%", "persons/10min": "{persons}/10min",
    "微克/立方米": "ug/m3", "毫克/立方米": "mg/m3", "毫克/升": "mg/L", "毫米": "mm", "厘米": "cm", "米": "m",
    "公里": "km", "千米": "km", "平方米": "m2", "㎡": "m2", "公顷": "har", "ha": "har",
    "㎞": "km", "㎜": "mm", "㎝": "cm", "㎏": "kg",
    "百帕": "hPa", "千帕": "kPa", "帕": "Pa", "秒": "s", "分钟": "min", "小时": "h", "天": "d", "人": "{persons}",
    "人次": "{persons}", "辆": "{vehicles}", "辆/小时": "{vehicles}/h",
    "veh/h": "{vehicles}/h", "pcu/h": "{vehicles}/h",
    "分贝": "dB", "dB(A)": "dB", "dBA": "dB", "次": "{count}", "个": "{count}", "ppm": "[ppm]", "ppb": "[ppb]",
}  # fmt: skip
_CODES = {item.code: item for item in _UNITS}
_BY_NAME = {
    **{folded(spelling): _CODES[code] for spelling, code in _SPELLINGS.items()},
    **{folded(item.symbol): item for item in reversed(_UNITS)},
    **_CODES,
}

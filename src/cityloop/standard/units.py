"""Units of measurement by their UCUM names, and conversion between units of one dimension.

Names and factors: The Unified Code for Units of Measure, https://ucum.org/ucum (the part that city data needs).
Factors are exact fractions, so that a conversion rounds once.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

_FOLD = str.maketrans({"μ": "u", "µ": "u", "³": "3", "²": "2", "／": "/", "％": "%", " ": None})


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


def spellings(target: Unit) -> Iterator[tuple[str, Conversion]]:
    """Every known spelling of every unit that converts to ``target``, with its conversion."""
    for name, source in _BY_NAME.items():
        found = conversion(source, target)
        if found:
            yield name, found


def folded(text: str) -> str:
    """A spelling with micro signs, superscripts, wide forms and blanks made plain, as names are compared."""
    return text.translate(_FOLD)


_F = Fraction
_UNITS = (
    Unit("ug/m3", "µg/m³", "mass concentration"),
    Unit("ng/m3", "ng/m³", "mass concentration", _F(1, 1000)),
    Unit("mg/m3", "mg/m³", "mass concentration", _F(1000)),
    Unit("g/m3", "g/m³", "mass concentration", _F(1_000_000)),
    Unit("%", "%", "fraction"),
    Unit("1", "1", "fraction", _F(100)),
    Unit("[ppm]", "ppm", "fraction", _F(1, 10_000)),
    Unit("[ppb]", "ppb", "fraction", _F(1, 10_000_000)),
    Unit("Cel", "°C", "temperature"),
    Unit("K", "K", "temperature", _F(1), _F(-27315, 100)),
    Unit("[degF]", "°F", "temperature", _F(5, 9), _F(-160, 9)),
    Unit("hPa", "hPa", "pressure"),
    Unit("Pa", "Pa", "pressure", _F(1, 100)),
    Unit("kPa", "kPa", "pressure", _F(10)),
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
    Unit("L/s", "L/s", "volume flow"),
    Unit("m3/s", "m³/s", "volume flow", _F(1000)),
    Unit("m3/h", "m³/h", "volume flow", _F(1000, 3600)),
    Unit("deg", "°", "angle"),
    Unit("dB", "dB", "sound level"),
    Unit("W", "W", "power"),
    Unit("kW", "kW", "power", _F(1000)),
    Unit("kW.h", "kWh", "energy"),
    Unit("{count}", "count", "count"),
)
_SPELLINGS = {"C": "Cel", "degC": "Cel", "℃": "Cel", "degF": "[degF]", "F": "[degF]", "℉": "[degF]", "km/hr": "km/h",
              "kmh": "km/h", "kph": "km/h", "l": "L", "ml": "mL", "KG": "kg", "litre": "L", "percent": "%",
              "persons/10min": "{persons}/10min"}  # fmt: skip
_CODES = {item.code: item for item in _UNITS}
_BY_NAME = {
    **{folded(spelling): _CODES[code] for spelling, code in _SPELLINGS.items()},
    **{folded(item.symbol): item for item in reversed(_UNITS)},
    **_CODES,
}

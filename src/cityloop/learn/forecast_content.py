"""``forecasts.yaml`` of a pack: which properties are forecast, how far ahead, and what may help."""

from __future__ import annotations

import builtins
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from cityloop.core.content import Key, checked, fault_at, raise_faults, read_yaml
from cityloop.core.errors import Fault
from cityloop.core.values import Frozen
from cityloop.standard.service import Standard
from cityloop.standard.types import EntityType

FILE = "forecasts.yaml"
_SPAN = re.compile(r"([1-9]\d{0,4})(min|h|d)")
_SECONDS = {"min": 60, "h": 3600, "d": 86_400}
_DAY = _SECONDS["d"]


def seconds(text: str) -> int:
    """``10min``, ``6h`` or ``7d`` in seconds; raises ``ValueError`` for anything else."""
    found = _SPAN.fullmatch(text)
    if not found:
        raise ValueError(f"'{text}' is not a duration; write it as 10min, 6h or 7d")
    return int(found[1]) * _SECONDS[found[2]]


def _checking(read: Callable[[str], object]) -> AfterValidator:
    def check(text: str) -> str:
        read(text)
        return text

    return AfterValidator(check)


Span = Annotated[str, _checking(seconds)]


class Neighbours(Frozen):
    """Whose values may help: the ``most`` entities ``nearest`` within so many ``kilometres``, or most ``alike``."""

    by: Literal["nearest", "alike"]
    most: int = Field(default=6, ge=1, le=20)
    kilometres: float = Field(default=10.0, gt=0, le=200)


class Forecast(Frozen):
    """Forecasts of one property of one entity type."""

    entity_type: str
    property: str
    grain: Span
    """Records are brought onto an even grid of this step, as the mean of each; whole steps fill a day."""
    horizons: tuple[Span, ...] = Field(min_length=1, max_length=24)
    season: Literal["1d", "7d"] = "1d"
    """What the seasonal rival repeats."""
    beside: tuple[str, ...] = ()
    """Numeric properties of the same type that may help."""
    neighbours: Neighbours | None = None
    past: Span = "60d"
    """How much of the lake is learned from."""

    @model_validator(mode="after")
    def _whole(self) -> Forecast:
        if _DAY % self.step:
            raise ValueError(f"a grain of {self.grain} does not fill a day evenly; choose 5min, 10min, 15min, 1h …")
        steps = [seconds(text) / self.step for text in self.horizons]
        if any(step != int(step) for step in steps):
            raise ValueError(f"every horizon must be a multiple of the grain {self.grain}")
        if steps != sorted(set(steps)):
            raise ValueError("write the horizons once each, in rising order")
        if steps[-1] * self.step > 7 * _DAY:
            raise ValueError("no horizon may be longer than 7d")
        return self

    @builtins.property
    def id(self) -> str:
        """``AirQualityStation.pm2_5``."""
        return f"{self.entity_type}.{self.property}"

    @builtins.property
    def step(self) -> int:
        """The grain in seconds."""
        return seconds(self.grain)

    @builtins.property
    def steps(self) -> tuple[int, ...]:
        """The horizons in steps."""
        return tuple(seconds(text) // self.step for text in self.horizons)

    @builtins.property
    def season_steps(self) -> int:
        """The season in steps."""
        return seconds(self.season) // self.step

    @builtins.property
    def slots(self) -> int:
        """Steps of a day."""
        return _DAY // self.step


class ForecastsFile(Frozen):
    """``forecasts.yaml``."""

    forecasts: tuple[Forecast, ...] = ()


def load_forecasts(packs: Sequence[Path], standard: Standard) -> tuple[Forecast, ...]:
    """The declared forecasts of all packs; raises :class:`ContentError` with every fault of every file."""
    faults: list[Fault] = []
    found: dict[str, Forecast] = {}
    for path in (pack / FILE for pack in packs):
        if not path.exists():
            continue
        value, lines = read_yaml(path)
        for number, item in enumerate(checked(path, ForecastsFile, value, lines).forecasts):
            key: Key = ("forecasts", number)
            faults += [fault_at(path, lines, (*key, *where), *told) for where, *told in _faults(item, standard)]
            if item.id in found:
                faults.append(fault_at(path, lines, key, f"'{item.id}' is declared twice", "keep one of them"))
            found[item.id] = item
    raise_faults("the forecasts of the packs", faults)
    return tuple(found.values())


def _faults(item: Forecast, standard: Standard) -> Iterator[tuple[Any, ...]]:
    """What the types cannot say: the entity type and its properties."""
    kind = standard.entity_types.get(item.entity_type)
    if kind is None:
        known = ", ".join(sorted(standard.entity_types))
        yield ("entity_type",), f"unknown entity type '{item.entity_type}'", f"known: {known}"
        return
    numeric = _numeric(kind)
    if item.property not in numeric:
        yield ("property",), f"{kind.id} has no numeric property '{item.property}'", f"known: {', '.join(numeric)}"
    for number, name in enumerate(item.beside):
        if name not in numeric or name == item.property:
            what = f"{kind.id} has no other numeric property '{name}'"
            yield ("beside", number), what, f"known: {', '.join(numeric)}"


def _numeric(kind: EntityType) -> list[str]:
    return [item.id for item in kind.properties if item.kind in ("number", "integer")]


def days_needed(wanted: Forecast) -> int:
    """About how many days of records a training needs: see :func:`cityloop.learn.ahead.forecaster.steps_needed`."""
    from cityloop.learn.ahead.needs import steps_needed

    return -(-steps_needed(wanted.steps[-1], wanted.slots) // wanted.slots)

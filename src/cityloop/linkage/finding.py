"""Two services of the catalogue that only look and reckon: entities with their latest state, and rounds of crews.

Both change nothing, so they may be asked again and have nothing to undo.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Protocol, TypeVar

from pydantic import BaseModel, ValidationError

from cityloop.access.actor import SYSTEM, Actor
from cityloop.collect.schemas import EntityView, NearEntity
from cityloop.core.database import Transaction
from cityloop.core.errors import Fault, Invalid
from cityloop.core.values import Page, Title
from cityloop.core.web import Paging
from cityloop.feel import expression
from cityloop.linkage.ports import Answered, Occasion
from cityloop.linkage.routing import Crew, Roads, Stop, plan_rounds
from cityloop.standard.batch import EntityCard

M = TypeVar("M", bound=BaseModel)
MOST = 400
"""Entities of one answer; a run carries what it knows along."""
_EVERY = Paging(page=1, size=1_000_000, sort="")
_FAR = 50_000.0
"""Metres within which the nearest are looked for, unless the plan says otherwise."""
NOTHING_CHANGED = Title(zh="只是查询，没有可撤销的", en="it only looked; there is nothing to undo")


class Directory(Protocol):
    """Who knows the entities, their attributes and their latest values."""

    def entities(
        self, actor: Actor, paged: Paging, *, entity_type: str | None, area: str | None, text: str | None
    ) -> Page[EntityView]:
        """Entities in the actor's sight."""
        ...

    def near(
        self, actor: Actor, lon: float, lat: float, metres: float, entity_type: str | None, size: int
    ) -> list[NearEntity]:
        """The nearest first."""
        ...

    def known(self, entity_type: str) -> Mapping[str, EntityCard]:
        """Cards of a type by id."""
        ...


class _Looks:
    """A service without effect."""

    def undo(
        self, tx: Transaction, effect: Answered, inputs: Mapping[str, Any], actor: Actor, occasion: Occasion
    ) -> Title:
        """Nothing was changed, so it counts as undone."""
        return NOTHING_CHANGED


class Find(_Looks):
    """Entities of a type by area, nearness, an attribute of the directory, or a FEEL condition over each."""

    def __init__(self, directory: Directory) -> None:
        self._directory = directory

    def do(self, tx: Transaction, inputs: Mapping[str, Any], occasion: Occasion) -> Answered:
        """A list of ``{entity, title, lon, lat, area, observed_at, state, attributes}``; raises :class:`Invalid`."""
        most = _number(inputs, "most", 50)
        if not 1 <= most <= MOST:
            raise Invalid(f"'most' is {most:g}", f"ask for 1 to {MOST} entities")
        return Answered(result=self._found(inputs, int(most)))

    def _found(self, inputs: Mapping[str, Any], most: int) -> list[dict[str, Any]]:
        kind = str(inputs["entity_type"])
        cards = self._directory.known(kind)
        condition = expression(str(inputs["where"])) if inputs.get("where") else None
        found = []
        for view in self._views(kind, inputs):
            item = _item(view, cards.get(view.id))
            if _fits(item, inputs) and (condition is None or condition.value(item) is True):
                found.append(item)
            if len(found) == most:
                break
        return found

    def _views(self, kind: str, inputs: Mapping[str, Any]) -> Iterable[EntityView]:
        if inputs.get("lon") is not None and inputs.get("lat") is not None:
            lon, lat, metres = (_number(inputs, name, _FAR) for name in ("lon", "lat", "metres"))
            return self._directory.near(SYSTEM, lon, lat, metres, kind, MOST)
        area = inputs.get("area")
        page = self._directory.entities(SYSTEM, _EVERY, entity_type=kind, area=str(area) if area else None, text=None)
        return page.items


class Route(_Looks):
    """The rounds of :func:`plan_rounds`."""

    def do(self, tx: Transaction, inputs: Mapping[str, Any], occasion: Occasion) -> Answered:
        """Rounds as a mapping; raises :class:`Invalid` for stops or crews that are none."""
        stops = [_read(Stop, "stops", one) for one in _list(inputs, "stops")]
        crews = [_read(Crew, "crews", one) for one in _list(inputs, "crews")]
        wish = {name: inputs[name] for name in ("speed", "detour") if inputs.get(name) is not None}
        rounds = plan_rounds(stops, crews, _read(Roads, "roads", wish))
        return Answered(result=rounds.model_dump(mode="json"))


def _item(view: EntityView, card: EntityCard | None) -> dict[str, Any]:
    return {
        "entity": view.id,
        "title": view.title.zh,
        "lon": view.lon,
        "lat": view.lat,
        "area": view.area,
        "observed_at": view.observed_at.isoformat() if view.observed_at else None,
        "state": {name: value for name, value in view.values.items() if value is not None},
        "attributes": dict(card.attributes) if card else {},
    }


def _fits(item: Mapping[str, Any], inputs: Mapping[str, Any]) -> bool:
    name, ids = inputs.get("attribute"), inputs.get("ids")
    if name and item["attributes"].get(str(name)) != str(inputs.get("value")):
        return False
    wanted: Collection[Any] = ids if isinstance(ids, list) else [ids]
    return ids is None or item["entity"] in wanted


def _number(inputs: Mapping[str, Any], name: str, default: float) -> float:
    value = inputs.get(name)
    try:
        return default if value is None else float(value)
    except (TypeError, ValueError) as error:
        raise Invalid(f"'{name}' is {value!r}", "give a number") from error


def _list(inputs: Mapping[str, Any], name: str) -> Sequence[Any]:
    value = inputs.get(name)
    if not isinstance(value, list):
        raise Invalid(f"'{name}' is no list", f"give '{name}' as FEEL that makes a list of contexts")
    return value


def _read(model: type[M], where: str, value: Any) -> M:
    try:
        return model.model_validate(value)
    except ValidationError as error:
        faults = [Fault(f"{where}.{'.'.join(map(str, item['loc']))}", item["msg"]) for item in error.errors()]
        raise Invalid(f"'{where}' cannot be read", "see the faults", faults) from error

"""What changes between two states of the standard and its feeds, key by key, and what each change breaks.

Compatible: everything that was valid stays valid and means the same. Breaking: stored columns, records that used to be
accepted, or somebody who names the part may be hit; the reason says which. Pure; who depends on a part is found by
whoever plans the change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel

from cityloop.core.values import Frozen
from cityloop.standard.code_lists import Code, CodeList
from cityloop.standard.declarations import FeedDeclaration
from cityloop.standard.types import EntityType, Property
from cityloop.standard.units import conversion, unit

Part = Literal[
    "entity_type", "property", "relation", "check", "code_list", "code", "feed", "feed_property", "feed_check"
]


class Change(Frozen):
    """One difference. ``subject`` is the path of the part (``AirQualityStation.pm2_5``, ``feed air-hourly``)."""

    action: Literal["added", "removed", "changed"]
    part: Part
    subject: str
    key: str = ""
    """The changed key of the part, empty when the whole part came or went."""
    before: Any = None
    after: Any = None
    breaking: bool
    reason: str
    affects: tuple[str, ...] = ()
    """What a dependant may name: an entity type, ``Type.property``, ``code-list:id`` or ``feed:id``."""


@dataclass(frozen=True)
class Content:
    """One state: entity types, code lists and feeds, by id."""

    entity_types: Mapping[str, EntityType] = field(default_factory=dict)
    code_lists: Mapping[str, CodeList] = field(default_factory=dict)
    feeds: Mapping[str, FeedDeclaration] = field(default_factory=dict)


_Verdict = tuple[bool, str]
_Judge = Callable[[Any, Any], _Verdict]


def diff(old: Content, new: Content) -> tuple[Change, ...]:
    """All changes from ``old`` to ``new``, entity types first, then code lists, then feeds, each sorted by id."""
    return (
        *_of(old.entity_types, new.entity_types, _type_came, _type_went, _type_changed),
        *_of(old.code_lists, new.code_lists, _list_came, _list_went, _list_changed),
        *_of(old.feeds, new.feeds, _feed_came, _feed_went, _feed_changed),
    )


def breaking(changes: Sequence[Change]) -> list[Change]:
    """The changes that break something."""
    return [change for change in changes if change.breaking]


def _of(
    old: Mapping[str, Any],
    new: Mapping[str, Any],
    came: Callable[[Any], Change],
    went: Callable[[Any], Change],
    changed: Callable[[Any, Any], Iterator[Change]],
) -> Iterator[Change]:
    for name in sorted(old.keys() | new.keys()):
        if name not in old:
            yield came(new[name])
        elif name not in new:
            yield went(old[name])
        elif old[name] != new[name]:
            yield from changed(old[name], new[name])


def _whole(action: Literal["added", "removed"], part: Part, subject: str, value: BaseModel, why: _Verdict,
           *affects: str) -> Change:  # fmt: skip
    shown = value.model_dump(mode="json", exclude_defaults=True)
    before, after = (None, shown) if action == "added" else (shown, None)
    return Change(action=action, part=part, subject=subject, before=before, after=after, breaking=why[0],
                  reason=why[1], affects=affects)  # fmt: skip


def _keys(part: Part, subject: str, old: BaseModel, new: BaseModel, judges: Mapping[str, _Judge],
          *affects: str) -> Iterator[Change]:  # fmt: skip
    """The changed keys of one part; keys without a judge are not compared here."""
    before, after = old.model_dump(mode="json"), new.model_dump(mode="json")
    for key, judge in judges.items():
        if before[key] != after[key]:
            worse, reason = judge(getattr(old, key), getattr(new, key))
            yield Change(action="changed", part=part, subject=subject, key=key, before=before[key], after=after[key],
                         breaking=worse, reason=reason, affects=affects)  # fmt: skip


# Entity types


def _type_came(item: EntityType) -> Change:
    return _whole("added", "entity_type", item.id, item, (False, "a new table of the lake"), item.id)


def _type_went(item: EntityType) -> Change:
    why = "its feeds have no type any more; its table stays in the lake and is not filled"
    return _whole("removed", "entity_type", item.id, item, (True, why), item.id)


def _type_changed(old: EntityType, new: EntityType) -> Iterator[Change]:
    yield from _keys("entity_type", new.id, old, new, _TYPE_KEYS, new.id)
    yield from _of(
        {p.id: p for p in old.properties},
        {p.id: p for p in new.properties},
        lambda p: _property_came(new, p),
        lambda p: _property_went(new, p),
        lambda a, b: _property_changed(new, a, b),
    )
    yield from _of(
        {r.id: r for r in old.relations},
        {r.id: r for r in new.relations},
        lambda r: _whole("added", "relation", f"{new.id}.{r.id}", r, _stricter(r.severity, "unknown ids"), new.id),
        lambda r: _whole("removed", "relation", f"{new.id}.{r.id}", r, (True, "nobody can follow it any more"), new.id),
        lambda a, b: _keys("relation", f"{new.id}.{b.id}", a, b, _RELATION_KEYS, new.id),
    )
    yield from _checks("check", new.id, old.checks, new.checks, new.id)


def _checks(part: Part, subject: str, old: Sequence[Any], new: Sequence[Any], *affects: str) -> Iterator[Change]:
    for item in old:
        if item not in new:
            yield _whole("removed", part, subject, item, (False, "fewer records are refused or flagged"), *affects)
    for item in new:
        if item not in old:
            yield _whole("added", part, subject, item, _stricter(item.severity, "records that break it"), *affects)


def _property_came(owner: EntityType, item: Property) -> Change:
    why = (False, "a new column, empty in old rows")
    if item.required:
        why = (True, "required: feeds that do not fill it no longer load, records without it are refused")
    return _whole("added", "property", f"{owner.id}.{item.id}", item, why, f"{owner.id}.{item.id}")


def _property_went(owner: EntityType, item: Property) -> Change:
    why = "feeds that fill it no longer load; rules, metrics and charts that name it stop; the stored column stays"
    return _whole("removed", "property", f"{owner.id}.{item.id}", item, (True, why), f"{owner.id}.{item.id}")


def _property_changed(owner: EntityType, old: Property, new: Property) -> Iterator[Change]:
    subject = f"{owner.id}.{new.id}"
    yield from _keys("property", subject, old, new, _PROPERTY_KEYS, subject)


# Code lists


def _list_came(item: CodeList) -> Change:
    return _whole("added", "code_list", item.id, _head(item), (False, "a new list"), f"code-list:{item.id}")


def _list_went(item: CodeList) -> Change:
    why = (True, "properties that use it no longer load")
    return _whole("removed", "code_list", item.id, _head(item), why, f"code-list:{item.id}")


def _head(item: CodeList) -> CodeList:
    return item.model_copy(update={"codes": ()})


def _list_changed(old: CodeList, new: CodeList) -> Iterator[Change]:
    affects = f"code-list:{new.id}"
    yield from _keys("code_list", new.id, old, new, {"title": _told, "source": _told}, affects)
    yield from _of(
        _by_code(old),
        _by_code(new),
        lambda c: _whole("added", "code", f"{new.id} {c.code}", c, (False, "one more code is accepted"), affects),
        lambda c: _whole("removed", "code", f"{new.id} {c.code}", c, _gone(c), affects),
        lambda a, b: _keys("code", f"{new.id} {b.code}", a, b, _CODE_KEYS, affects),
    )


def _by_code(item: CodeList) -> Mapping[str, Code]:
    """Codes by code and the day their span begins: the same code may be listed for several spans."""
    return {f"{code.code} {code.valid_from or ''}": code for code in item.codes}


def _gone(code: Code) -> _Verdict:
    return True, f"records with '{code.code}' are refused and stored ones lose its title; set valid_to instead"


# Feeds


def _feed_came(item: FeedDeclaration) -> Change:
    return _whole("added", "feed", item.id, item, (False, "a new stream"), f"feed:{item.id}", item.entity_type)


def _feed_went(item: FeedDeclaration) -> Change:
    why = (True, "its sources are refused; its rows stay")
    return _whole("removed", "feed", item.id, item, why, f"feed:{item.id}", item.entity_type)


def _feed_changed(old: FeedDeclaration, new: FeedDeclaration) -> Iterator[Change]:
    subject, affects = new.id, (f"feed:{new.id}",)
    yield from _keys("feed", subject, old, new, _FEED_KEYS, *affects)
    for name in sorted(old.properties.keys() | new.properties.keys()):
        before, after = old.properties.get(name), new.properties.get(name)
        column = (f"{new.entity_type}.{name}", *affects)
        if before is None and after is not None:
            why = _mapped(after.required)
            yield _whole("added", "feed_property", f"{subject}.{name}", after, why, *column)
        elif after is None and before is not None:
            why = (True, "the column gets no more values from this feed")
            yield _whole("removed", "feed_property", f"{subject}.{name}", before, why, *column)
        elif before is not None and after is not None:
            yield from _keys("feed_property", f"{subject}.{name}", before, after, _SOURCE_KEYS, *column)
    yield from _checks("feed_check", subject, old.checks, new.checks, *affects)


def _mapped(required: bool) -> _Verdict:
    if required:
        return True, "records without the field are refused"
    return False, "the column gets values from now on"


# Verdicts


def _stricter(severity: str, what: str) -> _Verdict:
    return (True, f"{what} are refused from now on") if severity == "refuse" else (False, f"{what} are flagged")


def _told(_old: Any, _new: Any) -> _Verdict:
    return False, "only what people read changes"


def _harmless(reason: str) -> _Judge:
    return lambda old, new: (False, reason)


def _breaks(reason: str) -> _Judge:
    return lambda old, new: (True, reason)


def _lower(old: float | None, new: float | None) -> _Verdict:
    wider = new is None or (old is not None and new < old)
    return (False, "lower values are accepted too") if wider else (True, "lower values are refused from now on")


def _upper(old: float | None, new: float | None) -> _Verdict:
    wider = new is None or (old is not None and new > old)
    return (False, "higher values are accepted too") if wider else (True, "higher values are refused from now on")


def _choices(old: Sequence[str], new: Sequence[str]) -> _Verdict:
    lost = [value for value in old if value not in new]
    if not new:
        return False, "every text is accepted"
    if not old:
        return True, "texts outside of the enumeration are refused from now on"
    return (True, f"{', '.join(lost)}: refused from now on") if lost else (False, "more texts are accepted")


def _in_unit(old: str, new: str) -> _Verdict:
    a, b = unit(old) if old else None, unit(new) if new else None
    if a and b and conversion(a, b):
        return True, f"stored values are in {old}, new ones would be in {new}; give the property a new id"
    return True, "the values measure something else; give the property a new id"


def _flag_on(on: str, off: str) -> _Judge:
    return lambda old, new: (True, on) if new else (False, off)


def _set(narrower: str, wider: str) -> _Judge:
    return lambda old, new: (False, wider) if new is None else (True, narrower)


def _sensitivity(old: str, new: str) -> _Verdict:
    order = ["open", "internal", "sensitive"]
    if order.index(new) > order.index(old):
        return True, "some who see it now will see it masked or not at all"
    return False, "more people may see it; the owner must agree"


def _retired(old: Any, new: Any) -> _Verdict:
    if new is not None and (old is None or new < old):
        return False, "records of later days are refused; earlier ones keep the code"
    return False, "the code is in force for longer"


def _list_of(old: Sequence[str], new: Sequence[str]) -> _Verdict:
    lost = [value for value in old if value not in new]
    return (True, f"{', '.join(lost)}: no longer known") if lost else (False, "more names are known")


def _severity(old: str, new: str) -> _Verdict:
    return _stricter(new, "records that break it")


_TYPE_KEYS: Mapping[str, _Judge] = {
    "title": _told,
    "description": _told,
    "version": _told,
    "model": _told,
    "synonyms": _told,
    "keys": _list_of,
    "retention_days": lambda old, new: (
        (True, "observations older than that are deleted")
        if new is not None and (old is None or new < old)
        else (False, "observations are kept for longer")
    ),
}
_PROPERTY_KEYS: Mapping[str, _Judge] = {
    "title": _told,
    "description": _told,
    "kind": _breaks("a stored column never changes its kind; give the property a new id"),
    "unit": _in_unit,
    "molar_mass": _breaks("concentrations sent as a fraction are converted otherwise from now on"),
    "molar_volume": _breaks("concentrations sent as a fraction are converted otherwise from now on"),
    "min": _lower,
    "max": _upper,
    "enum": _choices,
    "pattern": _set("texts that do not fit are refused from now on", "every text is accepted"),
    "code_list": _set("texts that are no code are refused; stored ones stay as they are", "every text is accepted"),
    "code_under": _set("codes of other branches are refused from now on", "all codes of the list are accepted"),
    "required": _flag_on("feeds must fill it, records without it are refused", "it may be missing"),
    "sensitivity": _sensitivity,
    "synonyms": _told,
}
_RELATION_KEYS: Mapping[str, _Judge] = {
    "title": _told,
    "target": _breaks("ids are looked for among entities of another type"),
    "property": _breaks("the ids stand in another column"),
    "cardinality": lambda old, new: (new == "one", "one id only" if new == "one" else "several ids are accepted"),
    "severity": _severity,
}
_CODE_KEYS: Mapping[str, _Judge] = {
    "title": lambda old, new: (False, "stored rows keep the code and show the new title"),
    "valid_to": _retired,
    "parent": _breaks("figures by the level above move"),
    "synonyms": _list_of,
}
_SEMANTIC = _breaks("records are read with another meaning from now on")
_FEED_KEYS: Mapping[str, _Judge] = {
    "title": _told,
    "entity_type": _breaks("records go to another table; earlier rows stay in the old one"),
    "department": _breaks("another department owns data and quarantine from now on"),
    "series": _told,
    "fresh_minutes": _harmless("the feed shows as stale at another age"),
    "expected_every": _harmless("freshness and completeness are judged otherwise"),
    "completeness_per_hour": _harmless("completeness is judged otherwise"),
    "future_minutes": lambda old, new: (
        (True, "records further ahead are refused") if new < old else (False, "records further ahead are accepted")
    ),
    "missing": _SEMANTIC,
    "table": _breaks("files are read otherwise from now on"),
    "fold_width": _flag_on("texts are stored with plain signs from now on", "wide signs stay as they are"),
    "fields": _SEMANTIC,
    "position": _SEMANTIC,
    "entity": _breaks("records may speak of other entities, or be refused"),
    "time": _breaks("times are read otherwise from now on"),
}
_SOURCE_KEYS: Mapping[str, _Judge] = {
    "field": _breaks("values come from another field"),
    "constant": _SEMANTIC,
    "expression": _SEMANTIC,
    "area": _SEMANTIC,
    "unit": _breaks("the same numbers are converted otherwise: right only if the source has changed"),
    "unit_field": _SEMANTIC,
    "required": _flag_on("records without the field are refused", "the field may be missing"),
    "codes": lambda old, new: (
        (False, "more codes of the source are read")
        if old and all(new.get(code) == value for code, value in old.items())
        else (True, "codes of the source are refused or read otherwise")
    ),
    "match": _SEMANTIC,
}

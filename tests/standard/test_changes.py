"""A change of the standard is told key by key, and what it breaks is told with it."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from cityloop.standard.changes import Change, Content, breaking, diff
from cityloop.standard.code_lists import CodeList
from cityloop.standard.declarations import FeedDeclaration, PropertyField
from cityloop.standard.feeds import feed_from, load_feeds
from cityloop.standard.service import Standard
from cityloop.standard.types import EntityType, Property, Relation

PACKS = [Path(__file__).parents[2] / "packs" / name for name in ("air", "metro", "sanitation")]
BASE: dict[str, Any] = {
    "id": "Sensor",
    "title": "Sensor",
    "properties": [
        {"id": "temperature", "title": "t", "unit": "Cel", "min": -60, "max": 60},
        {"id": "state", "title": "s", "kind": "text", "enum": ["ok", "broken"]},
    ],
    "checks": [{"rule": "range", "property": "temperature", "max": 50}],
}
FEED: dict[str, Any] = {
    "id": "sensors",
    "title": "Sensors",
    "entity_type": "Sensor",
    "department": "centre",
    "entity": {"field": "id"},
    "time": {"field": "at"},
    "properties": {"temperature": {"field": "T", "unit": "K"}},
}
LIST: dict[str, Any] = {
    "id": "kinds",
    "title": "Kinds",
    "codes": [{"code": "1", "title": "one"}, {"code": "11", "title": "eleven", "parent": "1"}],
}


def content(kind: Any = None, feed: Any = None, codes: Any = None) -> Content:
    return Content(
        {"Sensor": EntityType.model_validate(kind or BASE)},
        {"kinds": CodeList.model_validate(codes or LIST)},
        {"sensors": FeedDeclaration.model_validate(feed or FEED)},
    )


def with_property(index: int, **changed: Any) -> dict[str, Any]:
    items = [dict(item) for item in BASE["properties"]]
    items[index] |= changed
    return {**BASE, "properties": items}


def only(found: tuple[Change, ...]) -> Change:
    assert len(found) == 1, found
    return found[0]


def test_nothing_changed_is_no_change() -> None:
    assert diff(content(), content()) == ()
    standard = Standard.load(PACKS)
    feeds = {feed.id: feed.declaration for feed in load_feeds(PACKS, standard)}
    shipped = Content(standard.entity_types, standard.code_lists, feeds)
    assert diff(shipped, shipped) == ()


@pytest.mark.parametrize(
    ("index", "changed", "worse", "reason"),
    [
        (0, {"title": "T"}, False, "only what people read"),
        (0, {"unit": "K"}, True, "stored values are in Cel"),
        (0, {"unit": "hPa"}, True, "something else"),
        (0, {"min": -80}, False, "lower values are accepted"),
        (0, {"min": -40}, True, "lower values are refused"),
        (0, {"max": None}, False, "higher values are accepted"),
        (0, {"max": 50}, True, "higher values are refused"),
        (0, {"kind": "integer"}, True, "never changes its kind"),
        (0, {"required": True}, True, "must fill it"),
        (0, {"sensitivity": "sensitive"}, True, "masked"),
        (0, {"synonyms": ["温度"]}, False, "only what people read"),
        (1, {"enum": ["ok"]}, True, "broken: refused"),
        (1, {"enum": ["ok", "broken", "off"]}, False, "more texts"),
        (1, {"enum": []}, False, "every text"),
        (1, {"pattern": "[a-z]+"}, True, "do not fit"),
        (1, {"enum": [], "code_list": "kinds"}, True, "refused"),
    ],
)
def test_a_changed_key_of_a_property_is_judged(index: int, changed: dict[str, Any], worse: bool, reason: str) -> None:
    found = diff(content(), content(with_property(index, **changed)))
    assert any(change.breaking for change in found) is worse
    assert any(reason in change.reason.en and change.reason.zh != change.reason.en for change in found), found
    assert all(change.part == "property" and change.subject.startswith("Sensor.") for change in found)


def test_a_new_property_is_harmless_unless_it_is_required() -> None:
    new = {"id": "speed", "title": "v", "unit": "m/s"}
    added = only(diff(content(), content({**BASE, "properties": [*BASE["properties"], new]})))
    assert (added.action, added.subject, added.breaking) == ("added", "Sensor.speed", False)
    required = {**new, "required": True}
    assert only(diff(content(), content({**BASE, "properties": [*BASE["properties"], required]}))).breaking


def test_a_property_and_a_type_that_go_break_their_users() -> None:
    gone = only(diff(content(), content({**BASE, "properties": BASE["properties"][:1]})))
    assert (gone.action, gone.breaking, gone.affects) == ("removed", True, ("Sensor.state",))
    went = diff(content(), Content({}, content().code_lists, content().feeds))
    assert only(went).breaking


def test_a_check_that_refuses_breaks_and_one_that_flags_does_not() -> None:
    flag = {"rule": "jump", "property": "temperature", "change": 5, "per": "1h"}
    assert breaking(diff(content(), content({**BASE, "checks": [*BASE["checks"], flag]}))) == []
    refuse = {**flag, "severity": "refuse"}
    assert len(breaking(diff(content(), content({**BASE, "checks": [*BASE["checks"], refuse]})))) == 1
    assert only(diff(content(), content({**BASE, "checks": []}))).breaking is False


def test_relations_are_compared() -> None:
    relation = Relation(id="on", title="on", target="Road", property="state")
    kind = EntityType.model_validate({**BASE, "relations": [relation.model_dump()]})
    assert only(diff(content(), content(kind.model_dump()))).breaking
    many = {**kind.model_dump(), "relations": [{**relation.model_dump(), "cardinality": "many"}]}
    assert only(diff(content(kind.model_dump()), content(many))).breaking is False


@pytest.mark.parametrize(
    ("codes", "worse"),
    [
        ([*LIST["codes"], {"code": "2", "title": "two"}], False),
        (LIST["codes"][:1], True),
        ([LIST["codes"][0], {**LIST["codes"][1], "valid_to": date(2026, 1, 1)}], False),
        ([LIST["codes"][0], {**LIST["codes"][1], "title": "elf"}], False),
        ([LIST["codes"][0], {**LIST["codes"][1], "parent": None}], True),
    ],
)
def test_codes_may_be_added_and_retired_but_not_removed(codes: list[Any], worse: bool) -> None:
    change = only(diff(content(), content(codes={**LIST, "codes": codes})))
    assert change.part == "code"
    assert change.breaking is worse


@pytest.mark.parametrize(
    ("changed", "worse"),
    [
        ({"title": "S"}, False),
        ({"department": "transport"}, True),
        ({"time": {"field": "at", "format": "epoch_s"}}, True),
        ({"expected_every": "10m"}, False),
        ({"properties": {"temperature": {"field": "T", "unit": "[degF]"}}}, True),
        ({"properties": {"temperature": {"field": "T", "unit": "K"}, "state": "s"}}, False),
        ({"properties": {"temperature": {"field": "T", "unit": "K", "required": True}}}, True),
        ({"checks": [{"rule": "required", "property": "temperature"}]}, True),
        ({"checks": [{"rule": "stuck", "property": "temperature", "readings": 5}]}, False),
    ],
)
def test_a_changed_feed_is_judged(changed: dict[str, Any], worse: bool) -> None:
    assert only(diff(content(), content(feed={**FEED, **changed}))).breaking is worse


def test_every_key_of_a_part_has_a_judge() -> None:
    from cityloop.standard import verdicts

    held_elsewhere = {"id", "properties", "relations", "checks"}
    for model, judged in (
        (EntityType, verdicts.TYPE_KEYS),
        (Property, verdicts.PROPERTY_KEYS),
        (Relation, verdicts.RELATION_KEYS),
        (FeedDeclaration, verdicts.FEED_KEYS),
        (PropertyField, verdicts.SOURCE_KEYS),
    ):
        assert set(model.model_fields) - held_elsewhere == set(judged), model


def test_a_feed_is_read_from_a_persons_yaml() -> None:
    import yaml

    assert feed_from(yaml.safe_dump({"feeds": [FEED]})) == FeedDeclaration.model_validate(FEED)

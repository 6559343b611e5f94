"""Accepted rows that are odd all the same: flagged ones, and those that a later standard would not take."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from cityloop.core.values import Title
from cityloop.quality.evidence import broken
from cityloop.standard.code_lists import Code, CodeList
from cityloop.standard.types import Property
from tests.quality.inspected import ALL, STEWARD, Inspected, department, records_of, write_city

NAME = Title(zh="量", en="Quantity")
DAY = date(2026, 3, 9)
LISTS = {
    "lamps": CodeList(
        id="lamps",
        title=NAME,
        codes=(
            Code(code="1", title=NAME, valid_to=date(2026, 1, 1)),
            Code(code="2", title=NAME),
            Code(code="21", title=NAME, parent="2"),
        ),
    )
}


@pytest.mark.parametrize(
    ("more", "value", "rule"),
    [
        ({"max": 10}, 10, None),
        ({"max": 10}, 10.5, "range"),
        ({"min": 0}, -1, "range"),
        ({"min": 0}, None, None),
        ({"kind": "text", "enum": ("on", "off")}, "on", None),
        ({"kind": "text", "enum": ("on", "off")}, "broken", "enum"),
        ({"kind": "text", "pattern": "[A-Z]{2}"}, "AB1", "pattern"),
        ({"kind": "text", "code_list": "lamps"}, "2", None),
        ({"kind": "text", "code_list": "lamps"}, "1", "code"),
        ({"kind": "text", "code_list": "lamps"}, "9", "code"),
        ({"kind": "text", "code_list": "lamps", "code_under": "2"}, "21", None),
    ],
)
def test_a_stored_value_is_held_against_the_standard_in_force(
    more: dict[str, object], value: object, rule: str | None
) -> None:
    item = Property.model_validate({"id": "q", "title": NAME, **more})
    assert broken(item, value, LISTS, DAY) == rule


@pytest.fixture(scope="module")
def city(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inspected]:
    """The city, where river gauges above 50 m are unusual but possible."""
    folder: Path = tmp_path_factory.mktemp("evidence")
    written = write_city(folder)
    pack = folder / "probes" / "feeds.yaml"
    feeds = json.loads(pack.read_text(encoding="utf-8"))
    feeds["feeds"][0]["checks"] = [{"rule": "range", "property": "value", "max": 50}]
    pack.write_text(json.dumps(feeds), encoding="utf-8")
    inspected = Inspected(folder, written)
    inspected.broken.clear()
    inspected.hours(9)
    inspected.push("river-levels", records_of("river-levels", inspected, "1", v=60))
    yield inspected
    inspected.close()


def test_a_flagged_row_counts_against_consistency_alone(city: Inspected) -> None:
    city.hours(1)
    rows = city.quality.scores(STEWARD, "feed", None, None, ALL, None).items
    river = next(row for row in rows if row.id == "river-levels")
    parts = {part.id: (part.numerator, part.denominator) for part in river.dimensions}
    assert (parts["consistency"], parts["validity"]) == ((29, 30), (30, 30))
    found = city.quality.evidence(STEWARD, "river-levels", "consistency", None, None, ALL)
    assert [(item.kind, item.entity, item.rule) for item in found.items] == [("record", "RiverGauge-1", "range:value")]
    assert found.items[0].record is not None


def test_without_sight_of_quarantine_an_example_names_the_rule_and_nothing_else(city: Inspected) -> None:
    city.push("noise-levels", records_of("noise-levels", city, "2", v=999))
    city.hours(1)
    seen = city.quality.evidence(STEWARD, "noise-levels", "validity", None, None, ALL).items[0]
    assert "999" in seen.reason.en
    leader = department("centre", "leader")
    covered = city.quality.evidence(leader, "noise-levels", "validity", None, None, ALL).items[0]
    assert covered.reason.en == "breaks the rule range"

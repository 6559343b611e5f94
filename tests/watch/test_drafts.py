"""Rules that are being written: described, checked at their place in both forms, tried on the last hours; over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from cityloop.access.actor import Actor
from cityloop.core.values import Title
from cityloop.watch.drafts import written
from cityloop.watch.language import RuleField, duration, kinds, sections
from cityloop.watch.routes import router as warning_router
from cityloop.watch.rule_routes import router as rule_router
from cityloop.watch.rulebook import declared
from cityloop.watch.rules import Aggregate, Clear, Condition, Dependency, Escalation, Fence, Hours, Near, Reminder, Rule
from cityloop.watch.service import Watch
from tests.watch.house import BOSS, House
from tests.watch.naive import at, rule_of
from tests.wire import Asks

HANDLER = Actor(id="h", name=Title(zh="员", en="H"), posts=("handler",), department="urban")
RULE = rule_of(window=600, bucket=300, late=600, clear={"margin": 1, "hold": 300})
JOINT = rule_of(
    id="test.joint", aggregate="agree", property="", unit="", window=0, bucket=0, levels={"blue": 1},
    conditions=[{"rule": "test.rule"}],
)  # fmt: skip
INSIDE: dict[str, type[BaseModel]] = {
    "clear": Clear, "fence": Fence, "near": Near, "active": Hours, "conditions": Condition, "depends": Dependency,
    "remind": Reminder, "escalate": Escalation,
}  # fmt: skip


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A day of two things, of which one has a peak of an hour."""
    one = House(tmp_path_factory.mktemp("drafts"), [RULE, JOINT], begin=0)
    one.clock.set(at(86_400))
    for begin in range(0, 86_400, 7200):
        one.see(*(("a", s, 25.0 if 8 <= s // 3600 < 9 else 1.0) for s in range(begin, begin + 7200, 300)))
    yield one
    one.database.close()


def client(house: House, actor: Actor = BOSS) -> Asks:
    return Asks(actor, {Watch: house.watch}, rule_router, warning_router)


def fields() -> dict[str, RuleField]:
    return {field.key: field for section in sections() for field in section.fields}


def test_every_key_and_every_aggregate_of_the_language_is_described() -> None:
    described = fields()
    assert set(described) == set(Rule.model_fields) - {"aggregate"}
    for key, model in INSIDE.items():
        assert {field.key for field in described[key].fields} == set(model.model_fields), key
    assert {kind.aggregate for kind in kinds()} == set(get_args(Aggregate))
    for kind in kinds():
        assert set(kind.keys) <= set(described), kind.id
        assert set(kind.start) <= set(kind.keys), kind.id


def test_the_language_names_what_rules_may_look_at(house: House) -> None:
    answer = client(house).get("/api/v1/rules/language").json()
    assert [kind["id"] for kind in answer["kinds"]][:2] == ["mean", "max"]
    assert answer["types"] == []  # this house knows of no standard


def test_a_declaration_comes_back_as_people_write_it_and_means_the_same(house: House) -> None:
    answer = client(house).post("/api/v1/rules/check", json={"draft": declared(RULE)}).json()
    assert (answer["faults"], answer["new"], answer["changes"]) == ([], False, [])
    assert (answer["draft"]["window"], answer["draft"]["clear"]) == ("10min", {"margin": 1, "hold": "5min"})
    assert "levels: {blue: 10, red: 20}" in answer["text"]
    again = client(house).post("/api/v1/rules/check", json={"text": answer["text"]}).json()
    assert again == answer


def test_a_rules_file_with_one_rule_is_that_rule_and_its_faults_keep_their_lines(house: House) -> None:
    text = "rules:\n  - " + written(declared(RULE) | {"levels": {"blue": 30, "red": 20}}).replace("\n", "\n    ")
    answer = client(house).post("/api/v1/rules/check", json={"text": text}).json()
    (fault,) = answer["faults"]
    assert (fault["key"], answer["draft"]["id"]) == ("levels.red", "test.rule")
    assert "levels" in text.splitlines()[fault["line"] - 1]


@pytest.mark.parametrize(
    ("text", "key", "line"),
    [
        ("id: [", "", 2),
        ("id: a\nid: b", "id", 2),
        ("- 1\n- 2", "", 1),
        ("id: a\nwindow: soon", "window", 2),
    ],
)
def test_a_text_that_cannot_be_read_says_where(house: House, text: str, key: str, line: int) -> None:
    faults = client(house).post("/api/v1/rules/check", json={"text": text}).json()["faults"]
    assert (key, line) in [(fault["key"], fault["line"]) for fault in faults]


def test_a_changed_draft_tells_what_differs_from_the_rule_in_force(house: House) -> None:
    draft = declared(RULE) | {"version": "2", "hold": "10min"}
    answer = client(house).post("/api/v1/rules/check", json={"draft": draft}).json()
    assert [(c["key"], c["before"], c["after"]) for c in answer["changes"]] == [
        ("version", "1", "2"),
        ("hold", None, 600),
    ]
    assert client(house).post("/api/v1/rules/check", json={"draft": draft | {"id": "test.other"}}).json()["new"]


def test_a_preview_says_what_a_draft_would_have_said(house: House) -> None:
    draft = declared(RULE) | {"version": "2", "levels": {"blue": 20}}
    answer = client(house).post("/api/v1/rules/preview", json={"draft": draft, "hours": 24}).json()
    assert (answer["warnings"], answer["levels"], answer["open_at_end"]) == (1, {"blue": 1}, 0)
    (episode,) = answer["episodes"]
    assert (episode["entity"], episode["title"]["en"], episode["peak"]) == ("a", "Station a", "blue")
    assert at(8 * 3600).isoformat()[:13] == episode["raised_at"][:13]


def test_a_preview_of_a_joint_rule_runs_the_rules_under_it(house: House) -> None:
    answer = client(house).post("/api/v1/rules/preview", json={"draft": declared(JOINT)}).json()
    assert answer["warnings"] == 1


def test_an_unsound_draft_is_not_tried(house: House) -> None:
    refused = client(house).post("/api/v1/rules/preview", json={"draft": {"id": "x"}})
    assert refused.status_code == 422
    assert "draft.levels" in [fault["where"] for fault in refused.json()["faults"]]


def test_drafts_are_for_those_who_may_try_rules(house: House) -> None:
    for path in ("check", "preview"):
        assert client(house, HANDLER).post(f"/api/v1/rules/{path}", json={"draft": {}}).status_code == 403


def test_both_forms_at_once_are_refused(house: House) -> None:
    assert client(house).post("/api/v1/rules/check", json={"draft": {}, "text": ""}).status_code == 422


@pytest.mark.parametrize(
    ("value", "said"), [(3600, "1h"), (5400.0, "90min"), (86_400, "1d"), (1, "1s"), (0, 0), ("2h", "2h"), (1.5, 1.5)]
)
def test_durations_are_told_in_their_largest_whole_unit(value: Any, said: Any) -> None:
    assert duration(value) == said


def test_earlier_warnings_of_the_same_thing_tell_how_they_ended(tmp_path: Path) -> None:
    one = House(tmp_path, [rule_of(window=10)])
    for second, entity, value in ((0, "a", 12.0), (10, "a", 1), (20, "b", 12), (30, "a", 12)):
        one.clock.set(at(100_000 + second))
        one.see((entity, second, value))
    first, other, last = one.warnings()
    http = client(one)
    http.post(f"/api/v1/warnings/{first.id}/outcome", json={"outcome": "false"}).raise_for_status()
    answer = http.get(f"/api/v1/warnings/{last.id}/similar").json()
    assert [(item["warning"]["id"], item["why"], item["seconds"]) for item in answer["items"]] == [
        (other.id, "area", None),
        (first.id, "entity", 10),
    ]
    assert {key: answer[key] for key in ("total", "true", "false", "drill", "cases", "median_seconds")} == {
        "total": 2, "true": 0, "false": 1, "drill": 0, "cases": 0, "median_seconds": 10,
    }  # fmt: skip
    assert client(one, HANDLER).get(f"/api/v1/warnings/{last.id}/similar").status_code == 200
    one.database.close()


def test_the_queue_is_narrowed_by_who_has_seen_it_by_department_and_type(tmp_path: Path) -> None:
    one = House(tmp_path, [rule_of(window=10)])
    one.see(("a", 0, 12), ("b", 0, 12))
    http = client(one)
    first = one.warnings()[0]
    http.post(f"/api/v1/warnings/{first.id}/acknowledge").raise_for_status()

    def count(**wanted: str) -> int:
        return int(http.get("/api/v1/warnings", params=wanted).json()["total"])

    assert (count(acknowledged="true"), count(acknowledged="false")) == (1, 1)
    assert (count(department="urban"), count(department="health")) == (2, 0)
    assert (count(entity_type="Thing"), count(entity_type="Other")) == (2, 0)
    (rule,) = http.get("/api/v1/rules").json()
    assert (rule["open_warnings"], rule["open_levels"], rule["department"]) == (2, {"blue": 2}, "urban")
    one.database.close()

"""The standard changes by plan, explanation and version, at once and for good, and nothing that hangs on it breaks."""

from __future__ import annotations

import copy
import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from cityloop.core.errors import ContentError, Problem
from cityloop.core.settings import Settings
from cityloop.serve import changing
from cityloop.steward.models import StandardVersionRow
from cityloop.steward.overlay import empty
from tests.steward.conftest import NOON, ROOT, Client, Town

PLAN, CHANGES, VERSIONS = (f"/api/v1/standard/{name}" for name in ("changes/plan", "changes", "versions"))


@pytest.fixture
def own(tmp_path: Path) -> Iterator[Town]:
    """A town of its own for every test: versions stay."""
    made = Town(tmp_path / "data")
    yield made
    made.close()


@pytest.fixture
def steward(own: Town) -> Client:
    return own.client("shuju")


def declared(pack: str, kind: str, identity: str) -> dict[str, Any]:
    """One declaration of a pack, to be changed."""
    name = {"entity_types": "standard.yaml", "feeds": "feeds.yaml"}[kind]
    value = yaml.safe_load((ROOT / "packs" / pack / name).read_text(encoding="utf-8"))
    return copy.deepcopy(next(item for item in value[kind] if item["id"] == identity))


def bins(**changes: Any) -> dict[str, Any]:
    """The type of bins, with properties changed, added (a dict) or taken away (None)."""
    kind = declared("sanitation", "entity_types", "WasteContainer")
    known = {item["id"]: item for item in kind["properties"]}
    for name, change in changes.items():
        if change is None:
            del known[name]
        else:
            known[name] = {**known.get(name, {"id": name, "title": name}), **change}
    return {**kind, "properties": list(known.values())}


def sent(**kinds: Any) -> dict[str, Any]:
    text = yaml.safe_dump(kinds, allow_unicode=True, sort_keys=False)
    return {"files": [{"name": "change.yaml", "text": text}]}


def planned(client: Client, body: dict[str, Any], trial: int = 0) -> dict[str, Any]:
    answer = client.post(PLAN, json={**body, "trial": trial})
    assert answer.status_code == 200, answer.text
    plan: dict[str, Any] = answer.json()
    return plan


def applied(client: Client, body: dict[str, Any], reason: str = "按部门来文") -> dict[str, Any]:
    answer = client.post(CHANGES, json={**body, "reason": reason, "hash": planned(client, body)["hash"]})
    assert answer.status_code == 201, answer.text
    version: dict[str, Any] = answer.json()
    return version


def emptied(**values: Any) -> dict[str, Any]:
    return {"bin": "324925", "time": "2026-03-09T11:00:00+08:00", "fill_before_pct": 80, **values}


ODOUR = {"title": {"zh": "异味", "en": "Odour"}, "kind": "integer", "min": 0, "max": 5}


def with_odour() -> dict[str, Any]:
    feed = declared("sanitation", "feeds", "bin-emptying")
    feed["properties"]["odour"] = "odour_level"
    return sent(entity_types=[bins(odour=ODOUR)], feeds=[feed])


def test_a_new_property_is_planned_applied_and_holds_from_the_next_record(own: Town, steward: Client) -> None:
    plan = planned(steward, with_odour())
    assert plan["applicable"]
    assert {"WasteContainer.odour"} <= {change["id"] for change in plan["changes"]}
    assert not any(change["breaking"] for change in plan["changes"])
    own.push("bin-emptying", [emptied()])
    version = applied(steward, with_odour())
    assert (version["number"], version["by"], version["current"]) == (1, "shuju", True)
    receipt = own.push("bin-emptying", [emptied(time="2026-03-09T11:30:00+08:00", odour_level=3)])
    assert receipt["accepted"] == 1
    values = own.client("lingdao").get("/api/v1/entities/324925").json()["values"]
    assert values["odour"] == 3
    columns = own.client("lingdao").get("/api/v1/datasets/WasteContainer").json()["columns"]
    assert next(column["max"] for column in columns if column["id"] == "odour") == 3
    acts = _audit(own)
    assert ("standard.change", "shuju") in acts
    assert own.house.audit.verify() is None
    assert "cityloop.standard.changed" in [event.type for event in own.house.outbox.after(0)]


def _audit(town: Town) -> list[tuple[str, str]]:
    from sqlalchemy import select

    from cityloop.access.models import AuditRow

    with town.house.database.reading() as session:
        return [(row.act, row.actor) for row in session.scalars(select(AuditRow))]


def test_versions_outlive_a_restart_and_can_be_brought_back(own: Town, steward: Client) -> None:
    applied(steward, with_odour(), "加异味")
    own.restart()
    steward = own.client("shuju")
    assert own.push("bin-emptying", [emptied(odour_level=2)])["accepted"] == 1
    answer = steward.post(f"{VERSIONS}/0/restore", json={"reason": "暂缓"})
    assert answer.status_code == 201, answer.text
    assert (answer.json()["number"], answer.json()["restored"]) == (2, 0)
    kind = own.house.current.declared.standard.entity_type("WasteContainer")
    assert kind.find("odour") is None
    lines = steward.get(VERSIONS).json()
    assert [(line["number"], line["current"]) for line in lines] == [(2, True), (1, False), (0, False)]
    assert [line["reason"] for line in lines] == ["暂缓", "加异味", ""]
    assert steward.post(f"{VERSIONS}/1/restore", json={"reason": "恢复"}).json()["number"] == 3
    assert own.house.current.declared.standard.entity_type("WasteContainer").find("odour") is not None
    assert steward.post(f"{VERSIONS}/99/restore", json={"reason": "无"}).status_code == 404


def test_what_hangs_on_a_removed_property_is_shown_and_the_change_refused(own: Town, steward: Client) -> None:
    body = sent(entity_types=[{**bins(fill_before=None), "paces": []}])
    plan = planned(steward, body)
    assert not plan["applicable"]
    broken = {(item["kind"], item["id"]) for item in plan["dependants"] if item["breaks"]}
    assert {
        ("feed", "bin-emptying"),
        ("rule", "sanitation.bin_overflow"),
        ("metric", "full_when_emptied_rate"),
    } <= broken
    assert all(item["why"]["zh"] for item in plan["dependants"])
    answer = steward.post(CHANGES, json={**body, "reason": "删", "hash": plan["hash"]})
    assert answer.status_code == 409
    assert "rule sanitation.bin_overflow" in [fault["where"] for fault in answer.json()["faults"]]
    assert steward.get(VERSIONS).json()[0]["number"] == 0


def test_a_dependant_that_is_changed_in_the_same_set_breaks_no_more(own: Town, steward: Client) -> None:
    alone = planned(steward, sent(entity_types=[bins(volume_l=None)]))
    assert [(d["kind"], d["id"]) for d in alone["dependants"] if d["breaks"]] == [("feed", "bin-emptying")]
    feed = declared("sanitation", "feeds", "bin-emptying")
    del feed["properties"]["volume_l"]
    together = sent(entity_types=[bins(volume_l=None)], feeds=[feed])
    assert planned(steward, together)["applicable"]
    assert applied(steward, together)["number"] == 1
    assert own.push("bin-emptying", [emptied(volume_l=60)])["accepted"] == 1


def test_a_stored_column_keeps_its_kind_and_its_unit(own: Town, steward: Client) -> None:
    kind = planned(steward, sent(entity_types=[bins(volume_l={"kind": "text", "unit": "", "min": None, "max": None})]))
    assert not kind["applicable"]
    own.push("bin-emptying", [emptied(volume_l=60)])
    unit = planned(steward, sent(entity_types=[bins(volume_l={"unit": "m3", "max": 20})]))
    assert ("dataset", 1) in [(item["kind"], item["count"]) for item in unit["dependants"] if item["breaks"]]


def test_a_trial_tells_which_recent_records_change_their_verdict(own: Town, steward: Client) -> None:
    good = [emptied(), emptied(time="2026-03-09T10:00:00+08:00", fill_before_pct=140)]
    bad = [emptied(time="2026-03-09T09:00:00+08:00", fill_before_pct=180), emptied(bin="nowhere")]
    receipt = own.push("bin-emptying", [*good, *bad])
    assert (receipt["accepted"], receipt["quarantined"]) == (2, 2)
    narrow = planned(steward, sent(entity_types=[bins(fill_before={"max": 100})]), trial=100)
    trial = narrow["trial"][0]
    assert (trial["feed"], trial["tried_accepted"], trial["now_refused"]) == ("bin-emptying", 2, 1)
    assert (trial["tried_quarantined"], trial["now_accepted"]) == (2, 0)
    assert "100" in trial["examples"][0]["after"][0]
    assert narrow["applicable"]
    wide = planned(steward, sent(entity_types=[bins(fill_before={"max": 200})]), trial=100)
    assert (wide["trial"][0]["now_refused"], wide["trial"][0]["now_accepted"]) == (0, 1)
    assert own.push("bin-emptying", [bad[0]])["quarantined"] == 1, "a plan changes nothing"


def test_a_plan_that_has_gone_stale_is_refused(own: Town, steward: Client) -> None:
    first = planned(steward, with_odour())
    applied(steward, sent(entity_types=[bins(fill_after={"max": 120})]))
    answer = steward.post(CHANGES, json={**with_odour(), "reason": "加异味", "hash": first["hash"]})
    assert answer.status_code == 409
    assert "stale" in answer.text
    other = {**sent(entity_types=[bins(odour={**ODOUR, "max": 9})]), "reason": "x", "hash": first["hash"]}
    assert steward.post(CHANGES, json=other).status_code == 409


@pytest.mark.parametrize(
    ("text", "where", "word"),
    [
        ("entity_types: [{id: Bin, title: x, properties: []}]", "entity_types.0.properties", "at least 1"),
        ("feeds: [{id: f, title: x}]", "feeds.0.entity_type", "required"),
        ("feeds:\n  - id: f\n    colour: red", "feeds.0.colour", "unknown key"),
        ("rules: []", "change.yaml:1", "something else"),
        ("entity_types: [", "change.yaml", ""),
        ('{"remove": {"feeds": ["nothing"]}}', "remove.feeds", "no 'nothing'"),
        ("code_lists: [{id: wind, title: x, file: /etc/passwd}]", "code_lists.0.file", "no files"),
        ("{}", "", ""),
    ],
)
def test_a_set_that_is_not_sound_is_told_where(town: Town, text: str, where: str, word: str) -> None:
    body = {"files": [{"name": "change.yaml", "text": text}]}
    answer = town.client("shuju").post(PLAN, json=body)
    assert answer.status_code == 422, answer.text
    faults = answer.json()["faults"]
    assert not where or [fault for fault in faults if where in fault["where"] and word in fault["what"]], faults


def test_a_mapping_that_does_not_fit_is_a_fault_of_the_set(town: Town) -> None:
    feed = declared("sanitation", "feeds", "bin-emptying")
    feed["properties"]["colour"] = "farbe"
    answer = town.client("shuju").post(PLAN, json=sent(feeds=[feed]))
    assert answer.status_code == 422
    assert "properties.colour" in answer.json()["faults"][0]["where"]


def test_only_who_may_change_the_standard_plans_and_applies(town: Town) -> None:
    body = with_odour()
    for account in ("fenxi", "sanitation", "xitong"):
        assert town.client(account).post(PLAN, json=body).status_code == 403
        request = {**body, "reason": "x", "hash": "x"}
        assert town.client(account).post(CHANGES, json=request).status_code == 403
        assert town.client(account).post(f"{VERSIONS}/0/restore", json={"reason": "x"}).status_code == 403
    assert town.client("fenxi").get(VERSIONS).status_code == 200
    assert town.client("shouli").get(VERSIONS).status_code == 403


def test_a_feed_can_be_removed_and_its_owner_change_needs_its_grants_revoked(own: Town, steward: Client) -> None:
    until = "2026-04-01T00:00:00Z"
    wish = {"dataset": "WasteContainer", "fields": ["weight_kg"], "purpose": "评估", "until": until}
    grant = own.client("transport").post("/api/v1/grants", json=wish).json()["id"]
    feed = {**declared("sanitation", "feeds", "bin-emptying"), "department": "urban"}
    plan = planned(steward, sent(feeds=[feed]))
    assert [(d["kind"], d["id"]) for d in plan["dependants"] if d["breaks"]] == [("grant", grant)]
    withdrawn = {"move": "withdraw", "reason": "不再需要"}
    assert own.client("transport").post(f"/api/v1/grants/{grant}/moves", json=withdrawn).status_code == 200
    assert planned(steward, sent(feeds=[feed]))["applicable"]


def test_a_refused_adoption_leaves_no_version(own: Town, steward: Client) -> None:
    """The demo replays a series through this feed: the collector itself refuses to lose it."""
    body = {"files": [{"name": "remove.yaml", "text": "remove: {feeds: [bin-emptying]}"}]}
    plan = planned(steward, body)
    answer = steward.post(CHANGES, json={**body, "reason": "停用", "hash": plan["hash"]})
    assert answer.status_code >= 400, answer.text
    assert steward.get(VERSIONS).json()[0]["number"] == 0
    assert own.push("bin-emptying", [emptied()])["accepted"] == 1


def test_the_overlay_of_a_version_can_be_brought_into_a_pack(own: Town, steward: Client) -> None:
    applied(steward, with_odour())
    listed = steward.get(f"{VERSIONS}/export").content.decode("utf-8-sig").splitlines()
    assert listed[0].startswith("版本,现行,应用时间")
    assert [line.split(",")[0] for line in listed[1:]] == ["1", "0"]
    answer = steward.get(f"{VERSIONS}/1/export")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        names = archive.namelist()
        kinds = yaml.safe_load(archive.read("standard.yaml"))["entity_types"]
    assert names == ["standard.yaml", "feeds.yaml"]
    assert "odour" in [item["id"] for item in kinds[0]["properties"]]
    view = steward.get(f"{VERSIONS}/1").json()
    assert [file["name"] for file in view["overlay"]] == names
    assert view["files"] == with_odour()["files"]


def test_the_command_line_plans_applies_lists_and_restores(tmp_path: Path) -> None:
    file = tmp_path / "change.json"
    file.write_text(json.dumps({"entity_types": [bins(odour=ODOUR)]}), encoding="utf-8")
    place = changing.Place(Settings(city=ROOT / "cities" / "demo", data=tmp_path / "data", sync=False))
    plan = changing.plan(place, [file], 0)
    assert any("WasteContainer.odour" in line for line in changing.told(plan))
    assert changing.apply(place, [file], "加异味").number == 1
    assert [line.number for line in changing.versions(place)] == [1, 0]
    assert [path.name for path in changing.export(place, 1, tmp_path / "pack")] == ["standard.yaml"]
    assert changing.restore(place, 0, "撤回").number == 2
    with pytest.raises(Problem, match="cannot be read"):
        changing.plan(place, [tmp_path / "missing.yaml"], 0)


def test_versions_that_no_longer_fit_the_packs_are_named_and_can_be_laid_aside(own: Town) -> None:
    """A pack was changed by hand behind the back of an applied version."""
    feed = declared("sanitation", "feeds", "bin-emptying")
    feed["properties"]["colour"] = "farbe"
    overlay = {**empty(), "feeds": {"bin-emptying": feed}}
    row = {"number": 1, "by": "shuju", "at": NOON, "reason": "x", "restored": None, "files": [], "diff": []}
    with own.house.database.transaction() as tx:
        tx.session.add(StandardVersionRow(**row, overlay=overlay))
    own.house.close()
    place = changing.Place(Settings(city=own.city, data=own.data, sync=False))
    with pytest.raises(ContentError, match="no longer fit") as caught:
        changing.versions(place)
    assert "bin-emptying.properties.colour" in caught.value.faults[0].where
    assert changing.restore(place, 0, "撤回").number == 2
    own.open()
    assert own.push("bin-emptying", [emptied()])["accepted"] == 1

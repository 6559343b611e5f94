"""Decisions are kept with what they rest on; tables change by explanation, reason and version."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from cityloop.access.actor import Actor
from cityloop.access.audit import Audit
from cityloop.access.door import Door
from cityloop.access.policy import Policy
from cityloop.core.clock import ManualClock
from cityloop.core.database import Database
from cityloop.core.errors import ContentError, NotFound
from cityloop.core.outbox import Outbox
from cityloop.core.values import Title
from cityloop.decide.content import load_decisions
from cityloop.decide.desk import DecisionDesk
from cityloop.decide.routes import router
from cityloop.decide.service import MADE, Decider
from cityloop.decide.shelf import Shelf
from tests.decide.support import table
from tests.wire import Asks

LOW = [(["< 50"], ['"good"']), ([">= 50"], ['"bad"'])]
XML = table(["pm: number"], LOW)
STRICT = XML.replace("50", "35")
OVERLAPPING = XML.replace("&gt;= 50", "&gt; 40")
TITLE = {"zh": "x", "en": "x"}
POLICY = Policy.model_validate(
    {
        "posts": {
            "chief": {"title": TITLE, "may": ["decision.read", "decision.edit"], "sees": {"decision": {}}},
            "reader": {"title": TITLE, "may": ["decision.read"], "sees": {"decision": {"mask": {"inputs": "hide"}}}},
            "own": {"title": TITLE, "may": ["decision.read"], "sees": {"decision": {"rows": ["own"]}}},
            "nobody": {"title": TITLE},
        }
    }
)


@dataclass
class Office:
    database: Database
    outbox: Outbox
    clock: ManualClock
    packs: Path
    decider: Decider
    desk: DecisionDesk

    def decide(self, pm: Any, actor: str = "chief") -> Any:
        return self.decider.decide("level", {"pm": pm}, subject="c1", actor=actor, now=self.clock.now())

    def client(self, post: str = "chief") -> Asks:
        actor = Actor(id=post, name=Title(zh=post, en=post), posts=(post,))
        return Asks(actor, {DecisionDesk: self.desk}, router)


def opened(database: Database, clock: ManualClock, folder: Path) -> Office:
    outbox, audit, door = Outbox(database), Audit(database), Door(POLICY)
    shelf = Shelf(database, load_decisions([folder / "air"]))
    decider = Decider(database=database, outbox=outbox, clock=clock, shelf=shelf)
    decider.open()
    desk = DecisionDesk(database=database, outbox=outbox, door=door, audit=audit, clock=clock, shelf=shelf)
    return Office(database, outbox, clock, folder, decider, desk)


@pytest.fixture
def office(database: Database, clock: ManualClock, tmp_path: Path) -> Office:
    (tmp_path / "air" / "decisions").mkdir(parents=True)
    (tmp_path / "air" / "decisions" / "level.dmn").write_text(XML, encoding="utf-8")
    return opened(database, clock, tmp_path)


def test_a_decision_is_kept_with_version_inputs_and_rule(office: Office) -> None:
    answer = office.decide(80)
    assert (answer.table, answer.version, answer.outputs, answer.rules) == ("level", 1, {"answer": "bad"}, ("r2",))
    (event,) = office.outbox.after(0)
    assert (event.type, event.subject, event.data["decision"]["outputs"]) == (MADE, answer.id, {"answer": "bad"})
    kept = office.client().get(f"/api/v1/decisions/{answer.id}").json()
    assert (kept["inputs"], kept["rules"], kept["outcome"]) == ({"pm": 80}, ["r2"], "matched")
    assert kept["reasons"] == [{"zh": "第2条", "en": "rule 2"}]


def test_it_is_undone_with_the_transaction_that_it_belongs_to(office: Office) -> None:
    with pytest.raises(RuntimeError), office.database.transaction() as tx:
        office.decider.decide("level", {"pm": 1}, subject="c1", actor="x", now=office.clock.now(), tx=tx)
        raise RuntimeError
    assert office.outbox.after(0) == []


def test_equal_inputs_have_equal_digests_and_answers(office: Office) -> None:
    client = office.client()
    first, second = (client.get(f"/api/v1/decisions/{office.decide(pm).id}").json() for pm in (80, 80.0))
    assert (first["digest"], first["outputs"]) == (second["digest"], second["outputs"])


def test_an_unknown_table_and_an_unfit_input_say_so(office: Office) -> None:
    with pytest.raises(NotFound):
        office.decider.decide("gone", {}, subject="c1", actor="x", now=office.clock.now())
    assert office.decide("much").outcome == "error"


def test_the_log_is_filtered_paged_and_covered(office: Office) -> None:
    for pm in (10, 60, 70, None):
        office.decide(pm, "own" if pm == 10 else "chief")
    chief = office.client()
    assert chief.get("/api/v1/decisions").json()["total"] == 4
    assert chief.get("/api/v1/decisions?rule=r2&size=1").json()["total"] == 2
    assert chief.get("/api/v1/decisions?outcome=none").json()["total"] == 1
    assert chief.get("/api/v1/decisions?sort=nothing").status_code == 422
    assert office.client("own").get("/api/v1/decisions").json()["total"] == 1
    line = office.client("reader").get("/api/v1/decisions?subject=c1").json()["items"][0]
    assert office.client("reader").get(f"/api/v1/decisions/{line['id']}").json()["inputs"] is None
    assert office.client("own").get(f"/api/v1/decisions/{line['id']}").status_code == 404
    assert office.client("nobody").get("/api/v1/decisions").status_code == 403


def test_a_trial_leaves_nothing_behind(office: Office) -> None:
    answer = office.client().post("/api/v1/decision-tables/level/trial", json={"inputs": {"pm": 40}}).json()
    assert (answer["outputs"], answer["rules"]) == ({"answer": "good"}, ["r1"])
    tried = (
        office.client().post("/api/v1/decision-tables/level/trial", json={"inputs": {"pm": 40}, "xml": STRICT}).json()
    )
    assert tried["outputs"] == {"answer": "bad"}
    assert office.outbox.after(0) == []


def test_a_change_is_explained_by_past_decisions_and_applied_with_a_reason(office: Office) -> None:
    for pm in (10, 40, 45, 80):
        office.decide(pm)
    client = office.client()
    told = client.post("/api/v1/decision-tables/level/explain", json={"xml": STRICT}).json()
    assert (told["decisions"], told["different"], told["base"]) == (4, 2, 1)
    assert {row["rule"]: (row["before"], row["after"]) for row in told["rules"]} == {"r1": (3, 1), "r2": (1, 3)}
    assert [row["inputs"]["pm"] for row in told["shown"]] == [45, 40] or len(told["shown"]) == 2
    done = client.post("/api/v1/decision-tables/level/apply", json={"xml": STRICT, "base": 1, "reason": "新标准"})
    assert (done.status_code, done.json()["version"]) == (201, 2)
    assert office.decide(40).version == 2
    assert office.decide(40).outputs == {"answer": "bad"}
    again = client.post("/api/v1/decision-tables/level/apply", json={"xml": XML, "base": 1, "reason": "新标准"})
    assert (again.status_code, again.json()["code"]) == (409, "conflict")
    assert [v["version"] for v in client.get("/api/v1/decision-tables/level/versions").json()] == [2, 1]
    assert office.outbox.after(0)[4].data == {"table": "level", "version": 2, "reason": "新标准"}


@pytest.mark.parametrize(
    "xml", [OVERLAPPING, XML.replace("level", "other"), "<x/>"], ids=["overlap", "other", "no dmn"]
)
def test_a_faulty_change_does_not_come_into_force(office: Office, xml: str) -> None:
    body = {"xml": xml, "base": 1, "reason": "测试"}
    refused = office.client().post("/api/v1/decision-tables/level/apply", json=body)
    assert refused.status_code == 422
    assert refused.json()["faults"][0]["said"]["zh"]
    assert office.decide(40).version == 1


def test_who_may_not_edit_neither_explains_nor_applies(office: Office) -> None:
    client = office.client("reader")
    assert client.post("/api/v1/decision-tables/level/explain", json={"xml": STRICT}).status_code == 403
    body = {"xml": STRICT, "base": 1, "reason": "测试"}
    assert client.post("/api/v1/decision-tables/level/apply", json=body).status_code == 403
    assert office.client("nobody").get("/api/v1/decision-tables").status_code == 403


def test_what_was_applied_stays_until_the_file_itself_changes(office: Office) -> None:
    body = {"xml": STRICT, "base": 1, "reason": "新标准"}
    office.client().post("/api/v1/decision-tables/level/apply", json=body)
    again = opened(office.database, office.clock, office.packs)
    assert (again.decide(40).version, again.decide(40).outputs) == (2, {"answer": "bad"})
    (office.packs / "air" / "decisions" / "level.dmn").write_text(XML.replace("50", "60"), encoding="utf-8")
    third = opened(office.database, office.clock, office.packs)
    assert (third.decide(40).version, third.decide(40).outputs) == (3, {"answer": "good"})


def test_a_pack_with_a_faulty_table_does_not_open(office: Office) -> None:
    (office.packs / "air" / "decisions" / "more.dmn").write_text(OVERLAPPING.replace("level", "more"), encoding="utf-8")
    with pytest.raises(ContentError) as caught:
        load_decisions([office.packs / "air"])
    assert "air/decisions/more.dmn" in str(caught.value)


def test_a_table_shows_what_it_must_be_given_and_what_it_decided(office: Office) -> None:
    office.decide(80)
    (line,) = office.client().get("/api/v1/decision-tables").json()
    assert (line["id"], line["rules"], line["policy"], line["counts"]) == ("level", 2, "UNIQUE", {"matched": 1})
    view = office.client().get("/api/v1/decision-tables/level").json()
    assert [(entry["name"], entry["type"]) for entry in view["inputs"]] == [("pm", "number")]
    assert view["findings"] == []
    check = office.client().post("/api/v1/decision-tables/check", json={"xml": OVERLAPPING}).json()
    assert (check["sound"], check["findings"][0]["rules"]) == (False, ["r1", "r2"])

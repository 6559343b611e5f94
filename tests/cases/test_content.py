"""The workflow as content: every fault has its place, and a case keeps the version it was filed under."""

from __future__ import annotations

from pathlib import Path

import pytest

from cityloop.cases.definitions import load_workflow
from cityloop.core.errors import ContentError
from cityloop.core.ids import new_id
from tests.cases.support import ACCEPTOR, DISPATCHER, LEADER, TO_DISPATCH, URBAN, by_hand, changed_workflow, open_room

FAULTS = [
    ("to: to_file\n    key: a", "to: to_fiel\n    key: a", "moves.4.to: there is no state 'to_fiel'"),
    ("guards: [target_fits]", "guards: [target_fit]", "moves.6.guards.0: there is no guard 'target_fit'"),
    ("effects: [link_target]", "effects: [unlink]", "moves.6.effects.0: there is no effect 'unlink'"),
    ("clocks: {stop: [accept], start: [filing]}", "clocks: {stop: [acept]}", "there is no clock 'acept'"),
    ("from: [to_close]\n    to: closed\n", "from: [closed]\n    to: closed\n", "'closed' is final"),
    ("key: m", "key: a", "key 'a' is also 'accept' in the state 'reported'"),
    ("move: file\n", "move: close\n", "'close' does not leave 'to_file'"),
    ("{id: draft,", "{id: draught,", "there is no state 'draft'"),
    ('number: "{date:%Y%m%d}{sequence:05d}"', 'number: "{date}"', "must hold {sequence}"),
    ("- id: merge\n", "- id: accept\n", "id 'accept' twice"),
    ("reason_needed: true", "reason_neded: true", "unknown key"),
    ("stage: 3}", "stage: 9}", "less than or equal to 7"),
]


def pack(tmp_path: Path, old: str = "", new: str = "") -> Path:
    """A copy of the urban pack with one thing written differently."""
    folder = tmp_path / "urban"
    folder.mkdir()
    text = (URBAN / "workflow.yaml").read_text(encoding="utf-8")
    assert old in text
    (folder / "workflow.yaml").write_text(text.replace(old, new, 1) if old else text, encoding="utf-8")
    return folder


@pytest.mark.parametrize(("old", "new", "told"), FAULTS)
def test_every_fault_of_a_workflow_has_file_line_key_and_a_mend(tmp_path: Path, old: str, new: str, told: str) -> None:
    with pytest.raises(ContentError) as caught:
        load_workflow([pack(tmp_path, old, new)])
    lines = [str(fault) for fault in caught.value.faults]
    assert any(told in line for line in lines), lines
    assert all("workflow.yaml:" in fault.where for fault in caught.value.faults)


def test_a_city_lays_its_own_number_and_automation_over_the_pack(tmp_path: Path) -> None:
    city = tmp_path / "city"
    city.mkdir()
    (city / "workflow.yaml").write_text(
        'version: "3"\nnumber: "BOS-{sequence:07d}"\nautomation: []\nlimits: optional\n'
    )
    laid = load_workflow([pack(tmp_path)], city)
    assert (laid.key, laid.number, laid.automation, laid.limits) == ("urban@4+3", "BOS-{sequence:07d}", (), "optional")
    assert laid.move_by_id.keys() == load_workflow([URBAN]).move_by_id.keys()


def test_a_city_may_not_rewrite_moves(tmp_path: Path) -> None:
    (tmp_path / "workflow.yaml").write_text('version: "1"\nmoves: []\n')
    with pytest.raises(ContentError, match=r"workflow.yaml:2 moves: not for a city to change"):
        load_workflow([URBAN], tmp_path)


def test_a_missing_workflow_says_where_it_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(ContentError, match=r"no pack has a workflow\.yaml"):
        load_workflow([tmp_path])


def test_a_filed_case_keeps_its_version_and_an_unfiled_one_takes_the_new(tmp_path: Path) -> None:
    first = open_room(tmp_path, by_hand())
    filed, fresh = first.report(), first.report()
    first.walk(filed, *TO_DISPATCH)
    first.database.close()
    moves = [move for move in by_hand().model_dump(by_alias=True)["moves"] if move["id"] != "return_to_filing"]
    for move in moves:
        if move["id"] == "decline_accept":
            move["fields"] = ()
    second = open_room(tmp_path, changed_workflow(version="next", automation=(), moves=moves))
    assert "return_to_filing" in [offer.move for offer in second.desk.get(DISPATCHER, filed.id).moves]
    second.move(DISPATCHER, filed, "return_to_filing", "资料有误")
    assert second.move(ACCEPTOR, fresh, "decline_accept", "不属于本市").state == "declined"
    refiled = second.move(LEADER, filed, "file")
    assert "return_to_filing" in [offer.move for offer in refiled.moves]
    second.database.close()


def test_changed_content_under_an_old_version_is_refused(tmp_path: Path) -> None:
    open_room(tmp_path, by_hand()).database.close()
    with pytest.raises(ContentError, match="raise `version`"):
        open_room(tmp_path, changed_workflow(version="by-hand", automation=(), rework_clock="rest"))


def test_numbers_follow_the_template_of_the_city(tmp_path: Path) -> None:
    room = open_room(
        tmp_path, changed_workflow(version="n", automation=(), number="SZ{district}-{date:%y%m}-{sequence}")
    )
    assert [room.report().number for _ in range(2)] == ["SZ440304-2603-1", "SZ440304-2603-2"]
    assert room.report(position={"lon": 113.9, "lat": 22.56}).number.endswith("-2603-1")
    room.database.close()


def test_ids_of_cases_rise_with_time() -> None:
    made = [new_id("case") for _ in range(2000)]
    assert made == sorted(made) and len(set(made)) == 2000

"""Somebody applies: a clear case is answered at once with its reason, every other goes to a person."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select

from cityloop.access.bucket import Rule
from cityloop.access.models import AuditRow
from cityloop.approve.declarations import Item
from cityloop.approve.schemas import ApplicationFilter
from cityloop.core.errors import AccessDenied, Conflict, Invalid, NotFound, TooMany
from cityloop.core.web import Paging
from cityloop.decide.service import Decider
from tests.approve.support import (
    ANALYST,
    LEADER,
    NUMBERS,
    OFFICER,
    SECOND,
    URBAN,
    ApprovalRoom,
    demo_items,
    elderly,
    occupation,
    open_approval_room,
)


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApprovalRoom]:
    found = open_approval_room(tmp_path_factory.mktemp("approve"))
    yield found
    found.database.close()


def test_a_clear_case_is_granted_at_once_with_its_reason(room: ApprovalRoom) -> None:
    told = room.apply("elderly-allowance", elderly("样例甲"))
    assert told.state == "granted" and told.instant and told.expected_at is None
    assert [reason.zh for reason in told.reasons] == ["年满 80 周岁不满 90 周岁，户籍在本市"]
    assert [(r.id, r.value, r.unit) for r in told.results] == [("amount", 100, "CNY")]
    seen = room.seen(told.number)
    assert (seen.rules, seen.table, seen.table_version) == (["age-80"], "elderly-allowance", "1")
    assert seen.decision and seen.decision.startswith("dec_")
    assert {fact.id: fact.value for fact in seen.facts} == {"age": 83, "status": "living", "drawing": False}
    district = next(value for value in seen.form if value.id == "district")
    assert (district.value, district.filled, district.shown and district.shown.zh) == ("440304", True, "福田区")


@pytest.mark.parametrize(
    ("name", "state", "rule", "amount"),
    [
        ("样例乙", "granted", "age-90", 300),
        ("样例丙", "granted", "age-100", 500),
        ("样例丁", "handed", "young", None),
        ("样例戊", "handed", "deceased", None),
        ("样例己", "handed", "moved", None),
        ("样例庚", "handed", "drawing", None),
        ("样例辛", "granted", "age-80", 100),
        ("样例壬", "handed", "young", None),
        ("样例癸", "granted", "age-90", 300),
    ],
)
def test_every_rule_of_the_allowance(room: ApprovalRoom, name: str, state: str, rule: str, amount: int | None) -> None:
    """样例辛 turns 80 on the day of the application, 样例壬 on the day after."""
    seen = room.seen(room.apply("elderly-allowance", elderly(name)).number)
    assert (seen.state, seen.rules) == (state, [rule])
    assert [result.value for result in seen.results] == ([amount] if amount else [])
    if state == "handed":
        expected = "by-rule" if rule == "deceased" else "would-refuse"
        assert [doubt.code for doubt in seen.doubts] == [expected], "a machine grants, only a person refuses"


@pytest.mark.parametrize(
    ("changes", "state", "rule"),
    [
        ({}, "granted", "branch"),
        ({"road": "样例次干路", "district": "440305"}, "granted", "secondary"),
        ({"road": "样例主干路"}, "handed", "main"),
        ({"road": "样例快速路", "district": "440305"}, "handed", "express"),
        ({"road": "样例校前路", "district": "440303"}, "handed", "guarded"),
        ({"until": "2026-03-26"}, "granted", "branch"),
        ({"until": "2026-03-27"}, "handed", "too-long"),
        ({"until": "2026-03-11"}, "handed", "backwards"),
        ({"width": 4}, "granted", "branch"),
        ({"width": 4.1}, "handed", "too-wide"),
        ({"from": "2026-03-11"}, "handed", "too-late"),
        ({"credit_code": "99999900MA0SAMPL03", "applicant": "样例已注销企业"}, "handed", "not-active"),
        ({"credit_code": "99999900MA0SAMPL04", "applicant": "样例失信施工企业"}, "handed", "listed"),
    ],
)
def test_every_rule_of_road_occupation(room: ApprovalRoom, changes: dict[str, Any], state: str, rule: str) -> None:
    seen = room.seen(room.apply("road-occupation", occupation(**changes)).number, URBAN)
    assert (seen.state, seen.rules) == (state, [rule])


@pytest.mark.parametrize(
    ("item", "values", "code"),
    [
        ("elderly-allowance", elderly("样例丙", name="样例丁"), "differs"),
        ("elderly-allowance", elderly("样例丙", id_number="110101192001010013"), "no-evidence"),
        ("road-occupation", occupation(road="没有这条路"), "no-evidence"),
        ("elderly-allowance", elderly("样例丙", district="440305"), "differs"),
    ],
)
def test_what_does_not_agree_goes_to_a_person_and_tells_nothing_of_the_register(
    tmp_path_factory: pytest.TempPathFactory, item: str, values: dict[str, Any], code: str
) -> None:
    room = open_approval_room(tmp_path_factory.mktemp("doubt"))
    told = room.apply(item, values)
    assert told.state == "handed" and told.expected_at is not None
    assert [reason.zh for reason in told.reasons] == ["需要人工核定，将在期限内答复"]
    seen = room.seen(told.number, URBAN if item == "road-occupation" else OFFICER)
    assert seen.decision is None and code in [doubt.code for doubt in seen.doubts]
    public = room.public.follow(told.number, told.code, "192.0.2.9")
    assert "样例" not in str(public) and public.results == []
    room.database.close()


def test_a_second_application_beside_an_open_or_granted_one_is_seen(tmp_path_factory: pytest.TempPathFactory) -> None:
    room = open_approval_room(tmp_path_factory.mktemp("twice"))
    assert room.apply("elderly-allowance", elderly("样例甲")).instant
    again = room.apply("elderly-allowance", elderly("样例甲", phone="13900139000"))
    assert [doubt.code for doubt in room.seen(again.number).doubts] == ["again"]
    room.database.close()


def test_tables_that_err_or_do_not_speak_never_grant(tmp_path_factory: pytest.TempPathFactory) -> None:
    def broken(*_: Any, **__: Any) -> Any:
        raise Invalid("there is no such table")

    def silent(decider: Decider, table: str, inputs: Any, **more: Any) -> Any:
        return decider.decide(table, {**inputs, "status": "unheard-of"}, **more)

    def strange(decider: Decider, table: str, inputs: Any, **more: Any) -> Any:
        return decider.decide(table, inputs, **more).model_copy(update={"outputs": {"answer": "yes please"}})

    for decide, code in ((broken, "table-error"), (silent, "no-rule"), (strange, "table-error")):
        room = open_approval_room(tmp_path_factory.mktemp("table"), decide=decide)
        told = room.apply("elderly-allowance", elderly("样例甲"))
        assert told.state == "handed", code
        assert [doubt.code for doubt in room.seen(told.number).doubts] == [code]
        room.database.close()


def test_a_form_is_refused_at_its_fields_in_both_languages(room: ApprovalRoom) -> None:
    bad = elderly("样例甲", id_number="999999194302150011", name="<b>甲</b>", phone="none", colour="red", district="9")
    with pytest.raises(Invalid) as caught:
        room.apply("elderly-allowance", {**bad, "account": " "})
    faults = {fault.where: fault.code for fault in caught.value.faults}
    assert faults == {
        "id_number": "id_number", "name": "markup", "phone": "phone", "colour": "unknown", "district": "area",
        "account": "missing",
    }  # fmt: skip
    assert all(fault.said and fault.said.zh and fault.said.en for fault in caught.value.faults)
    with pytest.raises(Invalid):
        room.apply("road-occupation", occupation(purpose="party", width=80, until="next week"))
    with pytest.raises(NotFound):
        room.apply("fishing", {})


def test_registers_are_read_for_a_purpose_and_every_reading_is_audited(room: ApprovalRoom) -> None:
    number = room.apply("elderly-allowance", elderly("样例丙")).number
    with room.database.reading() as session:
        lines = session.scalars(select(AuditRow).where(AuditRow.act == "register.read")).all()
    mine = [line for line in lines if line.object == room.seen(number).id]
    assert [(line.actor, line.detail["register"], line.result) for line in mine] == [
        ("item:elderly-allowance", "residents", "found"),
        ("item:elderly-allowance", "allowances", "none"),
    ]
    assert mine[0].detail["purpose"] and NUMBERS["样例丙"] not in str(mine[0].detail)
    assert room.audit.verify() is None


def test_a_register_that_is_not_shared_is_not_read(tmp_path_factory: pytest.TempPathFactory) -> None:
    room = open_approval_room(tmp_path_factory.mktemp("closed"))
    room.door.policy.posts["evidence"].sees.pop("register")
    told = room.apply("elderly-allowance", elderly("样例甲"))
    seen = room.seen(told.number)
    assert [doubt.code for doubt in seen.doubts][:2] == ["not-shared", "not-shared"]
    assert all(evidence.status == "denied" and not evidence.values for evidence in seen.evidence)
    room.database.close()


def test_officers_see_their_department_and_others_only_what_the_policy_says(room: ApprovalRoom) -> None:
    number = room.apply("elderly-allowance", elderly("样例丁")).number
    with pytest.raises(NotFound):
        room.seen(number, URBAN)
    with pytest.raises(AccessDenied):
        room.desk.list(SECOND.model_copy(update={"posts": ("handler",)}), _all(), Paging(page=1, size=5, sort=""))
    shown = {value.id: value.value for value in room.seen(number, LEADER).form}
    assert shown["id_number"] == "***" and shown["phone"] == "***" and shown["district"] == "440304"
    assert NUMBERS["样例丁"] not in room.seen(number, LEADER).model_dump_json()
    assert "1958-03-10" not in room.seen(number, ANALYST).model_dump_json()
    assert room.seen(number, LEADER).moves == []
    assert NUMBERS["样例丁"] in room.seen(number).model_dump_json()


def test_lists_are_filtered_sorted_and_exported(room: ApprovalRoom) -> None:
    room.apply("road-occupation", occupation())
    page = room.desk.list(URBAN, _all(), Paging(page=1, size=3, sort="-applied_at"))
    assert page.total > 3 and len(page.items) == 3 and {line.department for line in page.items} == {"urban"}
    instant = room.desk.list(URBAN, _all(instant=True), Paging(page=1, size=50, sort="number"))
    assert all(line.state == "granted" for line in instant.items)
    assert room.desk.list(URBAN, _all(q="no_such%"), Paging(page=1, size=3, sort="")).total == 0
    with pytest.raises(Invalid):
        room.desk.list(URBAN, _all(), Paging(page=1, size=3, sort="form"))
    assert "临时占道" in bytes(room.desk.export(URBAN, _all(), "csv").body).decode("utf-8-sig")


def test_too_many_applications_from_one_address_wait(tmp_path_factory: pytest.TempPathFactory) -> None:
    room = open_approval_room(tmp_path_factory.mktemp("many"), limits={"apply": Rule(2, 3600), "look": Rule(9, 60)})
    for _ in range(2):
        room.apply("road-occupation", occupation())
    with pytest.raises(TooMany):
        room.apply("road-occupation", occupation())
    assert room.apply("road-occupation", occupation(), "198.51.100.1").instant
    room.wall.advance(timedelta(minutes=40))
    assert room.apply("road-occupation", occupation()).instant
    room.database.close()


def test_number_and_code_open_only_together(room: ApprovalRoom) -> None:
    one, other = room.apply("road-occupation", occupation()), room.apply("road-occupation", occupation())
    for number, code in ((one.number, other.code), ("SP2026030999999", one.code), (one.number, "")):
        with pytest.raises(NotFound):
            room.public.follow(number, code, "192.0.2.8")
    assert room.public.follow(one.number.lower(), one.code.lower(), "192.0.2.8").state == "granted"


def test_events_tell_nothing_of_forms_and_registers(room: ApprovalRoom) -> None:
    told = room.apply("elderly-allowance", elderly("样例庚"))
    text = str([event.data for event in room.events()])
    assert told.number in text and NUMBERS["样例庚"] not in text and "样例" not in text and "13800138000" not in text


def test_whoever_asks_out_of_turn_is_refused(room: ApprovalRoom) -> None:
    granted = room.apply("road-occupation", occupation())
    with pytest.raises(Conflict):
        room.move(URBAN, granted.number, "grant")
    with pytest.raises(AccessDenied):
        room.move(LEADER, granted.number, "revoke", "测试")


def test_the_items_of_the_pack_say_everything_twice() -> None:
    for item in demo_items().items.values():
        text = item.model_dump_json()
        assert isinstance(item, Item) and '"zh":""' not in text and '"en":""' not in text


def _all(**wanted: Any) -> ApplicationFilter:
    return ApplicationFilter(**wanted)

"""Every hit policy gives the answer that it promises, or says why it cannot."""

from __future__ import annotations

from typing import Any

import pytest

from cityloop.decide.ready import prepare
from cityloop.decide.schemas import TableTrial
from tests.decide.support import file, table

GRAPH = """
<inputData id="i" name="Daily Mean"><variable name="Daily Mean" typeRef="number"/></inputData>
<businessKnowledgeModel id="k" name="ratio">
  <encapsulatedLogic>
    <formalParameter name="a" typeRef="number"/>
    <literalExpression><text>a / 35</text></literalExpression>
  </encapsulatedLogic>
</businessKnowledgeModel>
<decision id="times" name="times over">
  <informationRequirement><requiredInput href="#i"/></informationRequirement>
  <knowledgeRequirement><requiredKnowledge href="#k"/></knowledgeRequirement>
  <literalExpression><text>round up(ratio(Daily Mean), 0)</text></literalExpression>
</decision>
<decision id="days" name="days">
  <informationRequirement><requiredDecision href="#times"/></informationRequirement>
  <context>
    <contextEntry><variable name="n"/><literalExpression><text>times over * 2</text></literalExpression></contextEntry>
    <contextEntry><literalExpression><text>n + 1</text></literalExpression></contextEntry>
  </context>
</decision>"""

LADDER = [(["> 150"], ['"red"', "1"]), (["> 100"], ['"orange"', "2"]), (["> 50"], ['"yellow"', "3"])]
WORDS = '"red", "orange", "yellow"'


def asked(
    policy: str, pm: Any, more: str = "", outputs: tuple[str, ...] = ("level", "days"), values: str = ""
) -> TableTrial:
    rules = [(cells, answers[: len(outputs)]) for cells, answers in LADDER]
    ready = prepare(table(["pm: number"], rules, policy=policy, outputs=outputs, more=more, values=values))
    assert ready.faults == ()
    return ready.answer({"pm": pm})


def test_first_takes_the_first_rule_that_matches() -> None:
    answer = asked("FIRST", 120)
    assert (answer.outputs, answer.rules, answer.outcome) == ({"level": "orange", "days": 2}, ["r2"], "matched")
    assert answer.reasons[0].en == "rule 2"


def test_unique_refuses_to_choose() -> None:
    answer = asked("UNIQUE", 200)
    assert (answer.outputs, answer.rules, answer.outcome) == ({}, [], "error")
    assert "UNIQUE" in answer.reasons[0].zh
    assert asked("UNIQUE", 60).outputs == {"level": "yellow", "days": 3}


def test_any_asks_for_equal_outputs() -> None:
    same = prepare(table(["pm: number"], [(["> 1"], ["1"]), (["> 2"], ["1.0"])], policy="ANY"))
    assert same.answer({"pm": 3}).outputs == {"answer": 1}
    assert same.answer({"pm": 3}).rules == ["r1", "r2"]
    assert asked("ANY", 200).outcome == "error"


def test_priority_and_output_order_follow_the_listed_values() -> None:
    wanted = '"yellow", "red", "orange"'
    assert asked("PRIORITY", 200, values=wanted).outputs == {"level": "yellow", "days": 3}
    ordered = asked("OUTPUT ORDER", 200, outputs=("level",), values=wanted)
    assert ordered.outputs == [{"level": "yellow"}, {"level": "red"}, {"level": "orange"}]
    assert ordered.rules == ["r3", "r1", "r2"]


def test_rule_order_and_collect_give_all_in_the_order_of_the_rules() -> None:
    all_of_them = [{"level": "red", "days": 1}, {"level": "orange", "days": 2}, {"level": "yellow", "days": 3}]
    assert asked("RULE ORDER", 200).outputs == all_of_them
    assert asked("COLLECT", 200).outputs == all_of_them


@pytest.mark.parametrize(("how", "answer"), [("SUM", 6), ("MIN", 1), ("MAX", 3), ("COUNT", 3)])
def test_collect_aggregates(how: str, answer: int) -> None:
    rules = [(cells, answers[1:]) for cells, answers in LADDER]
    xml = table(["pm: number"], rules, policy="COLLECT", outputs=("days",), more=f'aggregation="{how}"')
    assert prepare(xml).answer({"pm": 200}).outputs == {"days": answer}


def test_no_rule_is_said_and_a_default_is_named_as_such() -> None:
    silent = asked("FIRST", 10)
    assert (silent.outputs, silent.rules, silent.outcome) == ({}, [], "none")
    xml = table(["pm: number"], [(["> 50"], ['"bad"'])], default='"good"')
    answer = prepare(xml).answer({"pm": 10})
    assert (answer.outputs, answer.outcome, answer.rules) == ({"answer": "good"}, "matched", [])
    assert "默认" in answer.reasons[0].zh


@pytest.mark.parametrize(
    ("inputs", "code"),
    [({}, "缺少"), ({"pm": "much"}, "应为"), ({"pm": -1}, "允许值")],
    ids=["missing", "of another type", "not allowed"],
)
def test_an_input_that_does_not_fit_is_an_error(inputs: dict[str, Any], code: str) -> None:
    ready = prepare(table(["pm: number: >= 0"], [(["-"], ["1"])]))
    answer = ready.answer(inputs)
    assert (answer.outcome, answer.outputs) == ("error", {})
    assert code in answer.reasons[0].zh


def test_a_cell_may_ask_about_its_value_and_about_other_inputs() -> None:
    ready = prepare(
        table(["pm: number", "limit: number"], [(["? > 2 * limit", "-"], ["1"]), (["<= limit", "-"], ["0"])])
    )
    assert ready.answer({"pm": 80, "limit": 35}).outputs == {"answer": 1}
    assert ready.answer({"pm": 20, "limit": 35}).outputs == {"answer": 0}


def test_dates_and_durations_come_as_text_and_go_as_text() -> None:
    rules = [(['> date("2026-01-01")', '> @"PT2H"'], ["since + late"])]
    ready = prepare(table(["since: date and time", "late: days and time duration"], rules))
    answer = ready.answer({"since": "2026-11-23T08:00:00Z", "late": "PT3H"})
    assert answer.outcome == "none"
    ready = prepare(table(["since: date", "late: days and time duration"], rules))
    assert ready.answer({"since": "2026-11-23", "late": "P1D"}).outputs == {"answer": "2026-11-24"}


def test_decisions_require_each_other_and_call_knowledge() -> None:
    xml = file(GRAPH)
    ready = prepare(xml)
    assert [str(fault) for fault in ready.faults] == []
    assert ready.id == "days"
    assert ready.answer({"Daily Mean": 80}).outputs == {"days": 7}


def test_equal_inputs_give_equal_answers() -> None:
    ready = prepare(table(["pm: number", "kind: string"], [(["> 1", "-"], ["pm * 2"])]))
    first, second = ready.answer({"pm": 2, "kind": "a"}), ready.answer({"kind": "a", "pm": 2.0})
    assert first == second

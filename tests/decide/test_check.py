"""A table is looked at as a whole before it decides anything."""

from __future__ import annotations

from pathlib import Path

import pytest

from cityloop.decide.content import load_decisions
from cityloop.decide.ready import prepare
from cityloop.decide.schemas import TableFinding
from tests.decide.support import table

PACKS = Path(__file__).parents[2] / "packs"


def found(*parts: object, **more: object) -> list[TableFinding]:
    ready = prepare(table(*parts, **more))  # type: ignore[arg-type]
    assert [str(fault) for fault in ready.faults] == []
    return ready.findings


def codes(findings: list[TableFinding]) -> list[str]:
    return [finding.code for finding in findings]


def test_a_complete_table_without_overlap_is_quiet() -> None:
    rules = [(["< 35", '"dry"'], ["1"]), ([">= 35", '"dry"'], ["2"]), (["-", '"wet"'], ["3"])]
    assert found(["pm: number", 'sky: string: "dry", "wet"'], rules) == []


def test_overlapping_rules_under_unique_are_named_with_an_example() -> None:
    rules = [(["[0..50]"], ["1"]), (["[50..100]"], ["2"]), (["< 0, > 100"], ["3"])]
    (one,) = found(["pm: number"], rules)
    assert (one.code, one.weight, one.rules, one.example) == ("overlap", "error", ["r1", "r2"], {"pm": 50})


def test_a_gap_is_named_with_an_example() -> None:
    rules = [(["< 35", "true"], ["1"]), (["> 35", "-"], ["2"])]
    gaps = found(["pm: number", "wet: boolean"], rules)
    assert codes(gaps) == ["gap", "gap"]
    assert {"pm": 35} in [gap.example for gap in gaps]


def test_a_default_closes_gaps() -> None:
    assert found(["pm: number"], [(["> 35"], ["1"])], default="0") == []


def test_rules_of_any_may_overlap_with_equal_outputs_only() -> None:
    assert found(["pm: number"], [(["> 1"], ["1"]), (["<= 5"], ["1"])], policy="ANY") == []
    assert codes(found(["pm: number"], [(["> 1"], ["1"]), (["<= 5"], ["2"])], policy="ANY")) == ["conflict"]


def test_a_rule_that_never_has_its_turn_is_named() -> None:
    rules = [(["> 10"], ["1"]), (["> 20"], ["2"]), (["-"], ["3"])]
    (one,) = found(["pm: number"], rules, policy="FIRST")
    assert (one.code, one.rules) == ("hidden", ["r2"])


def test_cells_and_outputs_outside_the_allowed_values_are_errors() -> None:
    rules = [(['"red"'], ['"a"']), (['"green"'], ['"b"'])]
    said = found(['level: string: "red"'], rules, values='"a", "c"')
    assert sorted(codes(said)) == ["never", "output-value"]


def test_computed_cells_are_left_out_and_said_so() -> None:
    rules = [(["? > limit", "-"], ["1"]), (["<= 3", "-"], ["2"])]
    assert "unjudged" in codes(found(["pm: number", "limit: number"], rules))


def test_dates_texts_and_times_are_told_apart() -> None:
    rules = [(['< date("2026-06-01")', "-"], ["1"]), (['>= date("2026-06-01")', '"a"'], ["2"])]
    gaps = found(["day: date", "kind: string"], rules)
    assert [gap.example["kind"] for gap in gaps] == ["（其他）"]


def test_a_wide_table_is_checked_in_bounded_time() -> None:
    columns = [f"c{n}: number" for n in range(12)]
    rules = [([f"> {(row * 7 + n) % 50}" for n in range(12)], [str(row)]) for row in range(30)]
    assert "not-complete" in codes(found(columns, rules, policy="COLLECT"))


@pytest.mark.parametrize(
    ("inputs", "rule", "code"),
    [
        (["pm: number"], (["> "], ["1"]), "unexpected"),
        (["pm: number"], (["> 1"], ['os.system("id")']), "unknown-name"),
        (["pm: number"], (["> 1", "-"], ["1"]), "cells"),
        (["pm: number"], (["> limit"], ["1"]), "unknown-name"),
        (["pm: celsius"], (["> 1"], ["1"]), "type"),
    ],
)
def test_a_fault_names_its_place(inputs: list[str], rule: tuple[list[str], list[str]], code: str) -> None:
    faults = prepare(table(inputs, [rule])).faults
    assert code in {fault.code for fault in faults}
    assert all(fault.where and fault.said and fault.remedy for fault in faults)


def test_the_tables_of_all_packs_are_sound() -> None:
    tables = load_decisions(sorted(path for path in PACKS.iterdir() if path.is_dir()))
    answer = tables["response-level"].ready.answer({"level": "orange", "kind": "metro", "hour": 23.5})
    assert (answer.outputs, answer.rules) == ({"response": "III", "approval": 1}, ["orange-night"])
    assert tables["response-level"].ready.findings == []

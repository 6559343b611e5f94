"""Every common error of a form is told in Chinese too, with what was asked of the value."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

import pytest
from pydantic import AwareDatetime, Field, TypeAdapter, ValidationError
from pydantic_core import PydanticKnownError

from cityloop.core.values import Frozen
from cityloop.core.wording import CHINESE, faults_of

WRONG: list[tuple[Any, Any, str]] = [
    (Annotated[str, Field(min_length=2)], "a", "少于 2 个字符"),
    (Annotated[str, Field(pattern="^a")], "b", "写法不对，应符合 ^a"),
    (Annotated[int, Field(ge=3)], 1, "应不小于 3"),
    (int, "many", "不是整数"),
    (Literal["east", "west"], "up", "应为其中之一：'east' or 'west'"),
    (AwareDatetime, "2026-03-09T08:00:00", "时刻没有时区，应加上 Z 或 +08:00"),
    (date, "monday", "不是日期，应写成 2026-03-09 这样"),
    (Annotated[list[int], Field(max_length=1)], [1, 2], "有 2 项，最多 1 项"),
]


class Bench(Frozen):
    seats: int


@pytest.mark.parametrize(("kind", "value", "told"), WRONG)
def test_a_wrong_value_is_told_in_both_languages(kind: Any, value: Any, told: str) -> None:
    with pytest.raises(ValidationError) as caught:
        TypeAdapter(kind).validate_python(value)
    [fault] = faults_of(caught.value.errors(), "bench")
    assert fault.where == "bench" and fault.said is not None
    assert fault.said.zh == told and fault.said.en == fault.what != told


def test_keys_that_lack_or_do_not_belong_are_named() -> None:
    with pytest.raises(ValidationError) as caught:
        Bench.model_validate({"colour": "red"})
    missing, unknown = faults_of(caught.value.errors())
    assert (missing.where, missing.document()["said"]["zh"]) == ("seats", "缺少必填内容")
    assert (unknown.where, unknown.document()["remedy"]["zh"]) == ("colour", "删去，或改正拼写")


PARTS: dict[str, dict[str, Any]] = {
    "string_too_short": {"min_length": 2},
    "string_too_long": {"max_length": 2},
    "string_pattern_mismatch": {"pattern": "^a"},
    "greater_than": {"gt": 1},
    "greater_than_equal": {"ge": 1},
    "less_than": {"lt": 1},
    "less_than_equal": {"le": 1},
    "literal_error": {"expected": "'a'"},
    "enum": {"expected": "'a'"},
    "too_short": {"field_type": "List", "actual_length": 1, "min_length": 2},
    "too_long": {"field_type": "List", "actual_length": 3, "max_length": 2},
    "model_type": {"class_name": "Bench"},
    "datetime_parsing": {"error": "x"},
    "datetime_from_date_parsing": {"error": "x"},
    "date_parsing": {"error": "x"},
    "date_from_datetime_parsing": {"error": "x"},
    "json_invalid": {"error": "x"},
}


@pytest.mark.parametrize("kind", CHINESE)
def test_every_kind_is_one_of_pydantic_and_its_blanks_are_those_of_pydantic(kind: Any) -> None:
    parts = PARTS.get(kind)
    assert PydanticKnownError(kind, parts).message() and CHINESE[kind].format_map(parts or {})

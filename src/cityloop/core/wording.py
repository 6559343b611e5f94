"""What a value that does not fit its type is told in Chinese; the checks and their English are Pydantic's.

A kind of error that has no sentence here is told in English only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cityloop.core.errors import Fault
from cityloop.core.values import Title

_UNKNOWN_KEY = "extra_forbidden"
_UNKNOWN = Title(zh="没有这一项", en="unknown key")
_REMOVE = Title(zh="删去，或改正拼写", en="remove it or correct its spelling")
_NOTHING = Title(zh="", en="")
CHINESE: Mapping[str, str] = {
    "missing": "缺少必填内容",
    "string_type": "不是文字",
    "string_too_short": "少于 {min_length} 个字符",
    "string_too_long": "多于 {max_length} 个字符",
    "string_pattern_mismatch": "写法不对，应符合 {pattern}",
    "int_type": "不是整数",
    "int_parsing": "不是整数",
    "int_from_float": "不是整数，不能有小数部分",
    "float_type": "不是数字",
    "float_parsing": "不是数字",
    "finite_number": "不是有限的数",
    "bool_type": "应为 true 或 false",
    "bool_parsing": "应为 true 或 false",
    "greater_than": "应大于 {gt}",
    "greater_than_equal": "应不小于 {ge}",
    "less_than": "应小于 {lt}",
    "less_than_equal": "应不大于 {le}",
    "literal_error": "应为其中之一：{expected}",
    "enum": "应为其中之一：{expected}",
    "list_type": "不是列表",
    "tuple_type": "不是列表",
    "dict_type": "不是一组键值",
    "model_type": "不是一组键值",
    "model_attributes_type": "不是一组键值",
    "too_short": "有 {actual_length} 项，至少应有 {min_length} 项",
    "too_long": "有 {actual_length} 项，最多 {max_length} 项",
    "datetime_type": "不是时刻，应写成 2026-03-09T08:00:00+08:00 这样",
    "datetime_parsing": "不是时刻，应写成 2026-03-09T08:00:00+08:00 这样",
    "datetime_from_date_parsing": "不是时刻，应写成 2026-03-09T08:00:00+08:00 这样",
    "timezone_aware": "时刻没有时区，应加上 Z 或 +08:00",
    "date_type": "不是日期，应写成 2026-03-09 这样",
    "date_parsing": "不是日期，应写成 2026-03-09 这样",
    "date_from_datetime_parsing": "不是日期，应写成 2026-03-09 这样",
    "json_invalid": "内容不是 JSON",
}


def fault_of(item: Mapping[str, Any], where: str) -> Fault:
    """One error of Pydantic as a fault at ``where``, in both languages where the kind of error is known."""
    kind, told = item["type"], item["msg"]
    if kind == _UNKNOWN_KEY:
        return Fault(where, _UNKNOWN.en, _REMOVE.en, kind, _UNKNOWN, _REMOVE)
    if kind not in CHINESE:
        return Fault(where, told)
    chinese = CHINESE[kind].format_map(item.get("ctx", {}))
    return Fault(where, told, "", kind, Title(zh=chinese, en=told), _NOTHING)


def faults_of(items: list[Any], before: str = "") -> list[Fault]:
    """All errors of one value, each at its dotted key below ``before``."""
    parts = [before] if before else []
    return [fault_of(item, ".".join([*parts, *map(str, item["loc"])])) for item in items]

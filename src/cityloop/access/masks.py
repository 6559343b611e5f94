"""Column masks. Rules and examples: practice of Chinese city platforms (there is no national fixed mask)."""

from __future__ import annotations

from typing import Any, Literal

MaskKind = Literal["hide", "name", "phone"]

_DOUBLE_SURNAMES = frozenset(
    [
        "欧阳",
        "司马",
        "上官",
        "诸葛",
        "东方",
        "皇甫",
        "尉迟",
        "公孙",
        "慕容",
        "令狐",
        "夏侯",
        "司徒",
        "端木",
        "百里",
        "南宫",
    ]
)


def masked(kind: MaskKind, value: Any) -> Any:
    """Return ``value`` with its personal part covered; ``None`` stays ``None``. Only texts have parts to show."""
    if value is None or value == "":
        return value
    if kind == "phone" and isinstance(value, str):
        return _phone(value)
    if kind == "name" and isinstance(value, str):
        return _name(value)
    return "***"


def _name(value: str) -> str:
    kept = 2 if value[:2] in _DOUBLE_SURNAMES and len(value) > 2 else 1
    return value[:kept] + "*" * max(1, len(value) - kept)


def _phone(value: str) -> str:
    head, dash, tail = value.rpartition("-")
    if dash and len(tail) > 4:
        return f"{head}-{'*' * (len(tail) - 4)}{tail[-4:]}"
    if len(value) >= 11:
        return value[:3] + "*" * (len(value) - 7) + value[-4:]
    return "*" * max(1, len(value) - 2) + value[-2:] if len(value) > 4 else "*" * len(value)

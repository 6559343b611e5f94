"""The lists of the standard as files."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC

from fastapi import Response

from cityloop.core.values import Frozen, Title
from cityloop.core.web import ExportFormat, Headings, export_rows

_NAMES = {"id": ("标识", "Id"), "title": ("名称", "Title")}
HEADINGS: dict[str, Headings] = {
    "types": _NAMES
    | {
        "version": ("版本", "Version"),
        "model": ("参照模型", "Model"),
        "properties": ("属性", "Properties"),
        "relations": ("关系", "Relations"),
        "feeds": ("数据接入", "Feeds"),
    },
    "code-lists": _NAMES
    | {"codes": ("代码数", "Codes"), "used_by": ("被谁使用", "Used by"), "source": ("来源", "Source")},
    "codes": {
        "code": ("代码", "Code"),
        "title": ("名称", "Title"),
        "parent": ("上级", "Parent"),
        "valid_from": ("生效", "Valid from"),
        "valid_to": ("失效", "Valid to"),
        "valid": ("有效", "Valid"),
        "synonyms": ("同义词", "Synonyms"),
    },
    "units": {"code": ("UCUM 代码", "UCUM code"), "symbol": ("符号", "Symbol"), "dimension": ("量纲", "Dimension")},
}


def as_file(name: str, form: ExportFormat, rows: Sequence[Frozen], text: str, *, chinese: bool) -> Response:
    """The rows of list ``name`` that hold ``text`` in a shown field, in either language, as a file."""
    heads = HEADINGS[name]
    found = [row for row in rows if text.strip().lower() in _words(row, heads)]
    return export_rows(name, form, heads, found, chinese=chinese, zone=UTC)


def _words(row: Frozen, heads: Headings) -> str:
    values = (getattr(row, key) for key in heads)
    return " ".join(f"{v.zh} {v.en}" if isinstance(v, Title) else str(v) for v in values).lower()

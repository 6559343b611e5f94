"""Functions of contexts."""

from __future__ import annotations

from typing import Any

from cityloop.feel.functions.registry import built_in

Entries = dict[str, Any]


@built_in("get value", "m: context", "key: string")
def _get(m: Entries, key: str) -> Any:
    return m.get(key)


@built_in("get entries", "m: context")
def _entries(m: Entries) -> list[Entries]:
    return [{"key": key, "value": value} for key, value in m.items()]


@built_in("context", "entries: list")
def _context(entries: list[Any]) -> Entries | None:
    made: Entries = {}
    for entry in entries:
        if not isinstance(entry, dict) or not {"key", "value"} <= entry.keys():
            return None
        if not isinstance(entry["key"], str) or entry["key"] in made:
            return None
        made[entry["key"]] = entry["value"]
    return made


@built_in("context put", "context: context", "key", "value", nulls=True, also=("context", "keys", "value"))
def _put(context: Entries | None, key: Any, value: Any) -> Entries | None:
    if context is None:
        return None
    if isinstance(key, str):
        return {**context, key: value}
    if not isinstance(key, list) or not key or not all(isinstance(part, str) for part in key):
        return None
    head, *rest = key
    if not rest:
        return {**context, head: value}
    inner = context.get(head)
    changed = _put(inner, rest, value) if isinstance(inner, dict) else None
    return None if changed is None else {**context, head: changed}


@built_in("context merge", "contexts: list")
def _merge(contexts: list[Any]) -> Entries | None:
    made: Entries = {}
    for part in contexts:
        if not isinstance(part, dict):
            return None
        made.update(part)
    return made

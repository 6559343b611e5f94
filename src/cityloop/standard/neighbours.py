"""Checks that look beyond one record: at the others of its batch, and at the entities it refers to."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import numpy as np
import polars as pl

from cityloop.core.phrases import Saying
from cityloop.standard.check_rules import ReferenceRule, Severity, UniqueRule, code_of
from cityloop.standard.checks import Check, Row, declared, value_name
from cityloop.standard.phrases import PHRASES
from cityloop.standard.types import Relation
from cityloop.standard.world import World

_WHO = ("value:entity", "value:observed_at")
_COMMAS = re.compile(r"[,，;；、\s]+")


def unique_check(rule: UniqueRule, work: pl.DataFrame, columns: Mapping[str, str]) -> Check | None:
    """Records whose values an earlier record of the batch has; the same entity and time again is a repetition only."""
    names = [value_name(name) for name in rule.properties]
    broken = _repeated(work, names)
    if broken is None:
        return None

    def reason(row: Row) -> Saying:
        return PHRASES.say("repeated", values=", ".join(f"'{row[name]}'" for name in names))

    column = ",".join(columns[name] for name in rule.properties)
    return declared(Check(column, "unique", pl.lit(broken), reason), rule)


def _repeated(work: pl.DataFrame, names: list[str]) -> pl.Series | None:
    """Rows with the values of an earlier row of another entity or time; only rows of one hash are compared."""
    hashes = work.select_seq(names).hash_rows().to_numpy()
    in_order = np.sort(hashes)
    shared = in_order[1:][in_order[1:] == in_order[:-1]]
    if not len(shared):
        return None
    found = np.zeros(work.height, dtype=np.bool_)
    first: dict[tuple[Any, ...], tuple[Any, ...]] = {}
    places = np.flatnonzero(np.isin(hashes, shared))
    for place, (*values, entity, at) in zip(places, work[places].select_seq(*names, *_WHO).rows(), strict=True):
        if None not in values:
            found[place] = first.setdefault(tuple(values), (entity, at)) != (entity, at)
    return pl.Series(found) if found.any() else None


def relation_check(relation: Relation, work: pl.DataFrame, world: World, columns: Mapping[str, str]) -> Check | None:
    """Ids of a relation that the directory does not know."""
    code = f"reference:{relation.property}"
    return _reference(
        relation.property,
        relation.target,
        relation.cardinality == "many",
        relation.severity,
        code,
        work,
        world,
        columns,
    )


def reference_check(rule: ReferenceRule, work: pl.DataFrame, world: World, columns: Mapping[str, str]) -> Check | None:
    """Texts that are no id of an entity of the other type."""
    found = _reference(rule.property, rule.entity_type, False, rule.severity, code_of(rule), work, world, columns)
    return declared(found, rule) if found else None


def _reference(
    identity: str,
    target: str,
    many: bool,
    severity: Severity,
    code: str,
    work: pl.DataFrame,
    world: World,
    columns: Mapping[str, str],
) -> Check | None:
    if world.of is None:
        return None
    name, known = value_name(identity), world.of(target)

    def strange(text: str) -> list[str]:
        ids = [part for part in _COMMAS.split(text) if part] if many else [text]
        return [one for one in ids if one not in known]

    wrong = [text for text in work[name].unique().to_list() if text is not None and strange(text)]
    if not wrong:
        return None

    def reason(row: Row) -> Saying:
        return PHRASES.say("reference", ids=", ".join(strange(row[name])), type=target)

    return Check(columns[identity], "reference", pl.col(name).is_in(wrong), reason, severity, code)

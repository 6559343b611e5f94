"""A table that stands alone: what its columns read is what it must be given, though no input data is drawn."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from cityloop import feel
from cityloop.decide.model import Decision, InputData, Model, Table, Variable
from cityloop.feel import FeelFault


def with_implied_inputs(source: Model) -> Model:
    """The model with input data for each table that requires nothing."""
    inputs, decisions = dict(source.inputs), dict(source.decisions)
    for id, decision in source.decisions.items():
        if decision.requires or not isinstance(decision.logic, Table):
            continue
        implied = {entry.id: entry for entry in _implied(decision, decision.logic)}
        inputs |= implied
        decisions[id] = replace(decision, requires=tuple(implied))
    return replace(source, inputs=inputs, decisions=decisions)


def _implied(decision: Decision, table: Table) -> Iterator[InputData]:
    for column in table.columns:
        text = column.expression.text
        try:
            names = feel.expression(text, (text,)).names
        except FeelFault:
            continue
        for name in sorted(names):
            kind = column.type if name == " ".join(text.split()) else ""
            yield InputData(f"{decision.id} {name}", Variable(name, kind), column.title)

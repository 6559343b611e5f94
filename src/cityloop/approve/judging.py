"""From form and evidence to facts and doubts, from a table's answer to a state. The same in gives the same out."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Literal, Protocol

from cityloop.approve.declarations import ANSWERS, EvidenceDef, Item
from cityloop.approve.phrases import PHRASES
from cityloop.approve.registers import Looked
from cityloop.approve.typed import Value, alike, plain
from cityloop.core.values import Title
from cityloop.feel import expression

State = Literal["granted", "handed", "refused", "revoked", "appealed"]


class Answered(Protocol):
    """What a decision table answered."""

    @property
    def outputs(self) -> Any: ...
    @property
    def outcome(self) -> str: ...


@dataclass(frozen=True)
class Doubt:
    """One reason why a person must look; ``about`` is the field, evidence or fact."""

    code: str
    title: Title
    about: str = ""

    def kept(self) -> dict[str, Any]:
        """As an application keeps it."""
        return {"code": self.code, "title": self.title.model_dump(), "about": self.about}


@dataclass(frozen=True)
class Examined:
    """A form with what registers filled, the facts as plain JSON, and every doubt."""

    form: Mapping[str, Value]
    filled: tuple[str, ...]
    facts: Mapping[str, Any]
    doubts: tuple[Doubt, ...]


@dataclass(frozen=True)
class Conclusion:
    """What follows from a table's answer."""

    state: State
    proposal: str | None
    reasons: tuple[Title, ...] = ()
    results: Mapping[str, Any] = field(default_factory=dict)
    doubts: tuple[Doubt, ...] = ()


def examine(item: Item, form: Mapping[str, Value], looked: Mapping[str, Looked], applied: date) -> Examined:
    """Fill, compare, and work out the facts; ``looked`` holds typed rows by evidence, ``applied`` is the city's day."""
    values, filled = _filled(item, form, looked)
    doubts = [doubt for one in item.evidence for doubt in _of_evidence(item, one, looked[one.id], values)]
    doubts += [
        Doubt("missing", PHRASES.what("missing", title=one.title), one.id)
        for one in item.fields
        if one.required and values.get(one.id) is None
    ]
    context = {"form": values, "evidence": {n: _told(one) for n, one in looked.items()}, "applied": applied}
    facts = {fact.id: expression(fact.value).value(context) for fact in item.facts}
    doubts += [
        Doubt("unknown-fact", PHRASES.what("unknown-fact", fact=fact.title), fact.id)
        for fact in item.facts
        if facts[fact.id] is None and not fact.optional
    ]
    return Examined(values, filled, {name: plain(value) for name, value in facts.items()}, tuple(doubts))


def conclude(item: Item, answer: Answered) -> Conclusion:
    """The state that an answer leads to. Anything but a clear *grant* is a person's."""
    outputs = answer.outputs
    if answer.outcome == "none":
        return _handed("no-rule")
    if answer.outcome != "matched" or not isinstance(outputs, Mapping) or outputs.get("answer") not in ANSWERS:
        return _handed("table-error")
    proposal, reasons = str(outputs["answer"]), reasons_of(item, outputs.get("reason"))
    results = {one.id: plain(outputs[one.id]) for one in item.results if outputs.get(one.id) is not None}
    if proposal == "grant":
        return Conclusion("granted", proposal, reasons, results)
    doubt = _doubt("would-refuse" if proposal == "refuse" else "by-rule")
    return Conclusion("handed", proposal, reasons, results, (doubt,))


def reasons_of(item: Item, named: object) -> tuple[Title, ...]:
    """The sentences that a table names, one or several."""
    names: Sequence[object] = named if isinstance(named, list) else [named] if named else []
    return tuple(item.reasons.get(str(name), Title(zh=str(name), en=str(name))) for name in names)


def sampled(seed: str, application: str, share: float) -> bool:
    """Whether an application is checked afterwards: by a hash, so that anybody can work it out again."""
    number = int.from_bytes(hashlib.sha256(f"{seed}:{application}".encode()).digest()[:8])
    return number < share * 2**64


def _filled(
    item: Item, form: Mapping[str, Value], looked: Mapping[str, Looked]
) -> tuple[dict[str, Value], tuple[str, ...]]:
    values, filled = dict(form), []
    for evidence in item.evidence:
        for name, column in evidence.fill.items():
            found = looked[evidence.id].row.get(column)
            if values.get(name) is None and found is not None:
                values[name] = found
                filled.append(name)
    return values, tuple(filled)


def _of_evidence(item: Item, evidence: EvidenceDef, looked: Looked, form: Mapping[str, Value]) -> list[Doubt]:
    if looked.status == "denied":
        why = looked.why or evidence.title
        return [Doubt("not-shared", PHRASES.what("not-shared", evidence=evidence.title, why=why), evidence.id)]
    if looked.status == "many":
        return [Doubt("many-records", PHRASES.what("many-records", evidence=evidence.title), evidence.id)]
    if looked.status == "none":
        wanted = evidence.required
        return (
            [Doubt("no-evidence", PHRASES.what("no-evidence", evidence=evidence.title), evidence.id)] if wanted else []
        )
    return [
        Doubt(
            "differs",
            PHRASES.what("differs", field=item.field(pair.field).title, evidence=evidence.title),
            pair.field,
        )
        for pair in evidence.compare
        if form.get(pair.field) is not None and not alike(form[pair.field], looked.row.get(pair.column))
    ]


def _told(looked: Looked) -> dict[str, Value]:
    return {**looked.row, "found": looked.status == "found"}


def _handed(code: str) -> Conclusion:
    return Conclusion("handed", None, doubts=(_doubt(code),))


def _doubt(code: str) -> Doubt:
    return Doubt(code, PHRASES.what(code))

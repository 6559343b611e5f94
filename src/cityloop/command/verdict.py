"""May this order be given? Pure: ``(device, order, facts, now) → Verdict`` with every check and its reason.

Nothing is allowed by default: an unknown entity, command or parameter, a condition that cannot be decided, a level that
nobody holds — each stands against the order by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from cityloop.command.declarations import Command, Condition, Device, Grade, Parameter, span
from cityloop.command.phrases import PHRASES
from cityloop.command.schemas import Order, Value, Verdict, VerdictReason
from cityloop.core.values import Title
from cityloop.feel import Expression, expression


@dataclass(frozen=True)
class Seen:
    """An entity as it is known now: its latest values, its line in the directory, and commands that are under way."""

    id: str
    title: Title
    department: str
    area: str | None = None
    attributes: Mapping[str, str] = field(default_factory=dict)
    state: Mapping[str, Any] = field(default_factory=dict)
    at: datetime | None = None
    pending: tuple[str, ...] = ()

    def context(self) -> dict[str, Any]:
        """What conditions may read of it."""
        return {**self.attributes, **self.state, "id": self.id, "area": self.area, "pending": list(self.pending)}


@dataclass(frozen=True)
class Asker:
    """What the door says of whoever orders."""

    posts: tuple[str, ...]
    permitted: bool
    sees: bool


@dataclass(frozen=True)
class Facts:
    """All that a verdict looks at beside the declaration and the order."""

    asker: Asker
    entity: Seen | None
    related: Mapping[str, tuple[Seen, ...]] = field(default_factory=dict)
    past: tuple[datetime, ...] = ()
    """When this command was ordered of this entity before."""
    wired: bool = True
    posts: Mapping[str, Title] = field(default_factory=dict)
    """Names of posts for people."""

    def named(self, posts: Sequence[str]) -> Title:
        """Posts as people call them."""
        titles = [self.posts.get(post) or Title(zh=post, en=post) for post in posts]
        return Title(zh="、".join(one.zh for one in titles), en=", ".join(one.en for one in titles))


def context(facts: Facts, parameters: Mapping[str, Any], before: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The names of a condition."""
    state = dict(facts.entity.state) if facts.entity else {}
    return {
        "state": state,
        "before": dict(before) if before is not None else state,
        "parameters": dict(parameters),
        "entity": facts.entity.context() if facts.entity else {},
        "related": {name: [one.context() for one in seen] for name, seen in facts.related.items()},
    }


def verdict(device: Device | None, order: Order, facts: Facts, now: datetime) -> Verdict:
    """All checks in their order; those that need an answer of a failed one are left out."""
    command = device.command(order.command) if device else None
    if device is None or command is None or facts.entity is None:
        return _unknown(device, command, order, facts)
    parameters, wrong = checked(command, order)
    read = context(facts, parameters)
    grade = needed(command, order, read)
    second = command.second_person
    asked = second is not None and grade is not None and grade.level > second.above
    reasons = (
        _fits("entity", "entity_known", entity=facts.entity.title),
        *(wrong or [_fits("parameters", "parameters_fit")]),
        *(() if wrong else conditions("limit", command.limits, read)),
        *_authority(command, grade, facts),
        *_way(device, command, order, facts, now),
        *_states(device, command, facts, read, now),
    )
    return Verdict(
        allowed=all(reason.fits for reason in reasons),
        level=grade.level if grade else None,
        second_person=asked,
        confirmers=second.posts if second and asked else (),
        parameters=parameters,
        reasons=reasons,
    )


def safe_to_send(
    device: Device, command: Command, facts: Facts, parameters: Mapping[str, Any], now: datetime
) -> tuple[VerdictReason, ...]:
    """What stands against sending now: the state may have changed since the order was given."""
    read = context(facts, parameters)
    return tuple(reason for reason in _states(device, command, facts, read, now) if not reason.fits)


def checked(command: Command, order: Order) -> tuple[dict[str, Value | None], list[VerdictReason]]:
    """The parameters with their defaults, and what is wrong with them."""
    found: dict[str, Value | None] = {}
    wrong = [
        _against("parameters", "parameter_unknown", name=name)
        for name in order.parameters
        if command.parameter(name) is None
    ]
    for parameter in command.parameters:
        given = order.parameters.get(parameter.id)
        value = parameter.default if given is None else given
        found[parameter.id] = value
        fault = _parameter(parameter, value)
        if fault is not None:
            wrong.append(fault)
    return found, wrong


def needed(command: Command, order: Order, read: Mapping[str, Any]) -> Grade | None:
    """The lowest grade that covers the order; one that names a level asks for at least that."""
    grades = sorted(command.authority, key=lambda grade: grade.level)
    covering = (grade for grade in grades if grade.when is None or holds(grade.when, read) is True)
    return next((grade for grade in covering if grade.level >= (order.level or 0)), None)


def holds(text: str, read: Mapping[str, Any]) -> bool | None:
    """A condition's answer; ``None`` where it cannot be decided."""
    answer = _compiled(text).value(read)
    return answer if isinstance(answer, bool) else None


def value(text: str, read: Mapping[str, Any]) -> Any:
    """What an expression gives."""
    return _compiled(text).value(read)


def conditions(check: str, wanted: tuple[Condition, ...], read: Mapping[str, Any]) -> Iterator[VerdictReason]:
    """Each condition with its answer."""
    for condition in wanted:
        answer = holds(condition.holds, read)
        code = "undecided" if answer is None else "condition"
        yield VerdictReason(check=check, fits=answer is True, said=PHRASES.what(code, title=condition.title))


@lru_cache(4096)
def _compiled(text: str) -> Expression:
    return expression(text)


def _unknown(device: Device | None, command: Command | None, order: Order, facts: Facts) -> Verdict:
    reasons = []
    if facts.entity is None:
        reasons.append(_against("entity", "entity", entity=order.entity, kind=order.entity_type))
    if command is None:
        known = ", ".join(item.id for item in device.commands) if device else "–"
        reasons.append(_against("command", "command", kind=order.entity_type, command=order.command, known=known))
    return Verdict(allowed=False, level=None, second_person=False, parameters=order.parameters, reasons=tuple(reasons))


def _parameter(parameter: Parameter, value: Value | None) -> VerdictReason | None:
    name = parameter.title
    if value is None:
        return _against("parameters", "parameter_missing", name=name)
    if not _of_kind(parameter, value):
        return _against("parameters", "parameter_kind", name=name, kind=PHRASES.what(f"kind_{parameter.kind}"))
    if isinstance(value, str):
        return _text(parameter, value)
    low, high = parameter.min, parameter.max
    if not isinstance(value, bool) and ((low is not None and value < low) or (high is not None and value > high)):
        bounds = {"low": _bound(low), "high": _bound(high), "unit": parameter.unit}
        return _against("parameters", "parameter_range", name=name, **bounds)
    return None


def _minutes(lasting: timedelta) -> str:
    return f"{lasting.total_seconds() / 60:.0f}"


def _bound(value: float | None) -> str:
    return "…" if value is None else f"{value:g}"


def _of_kind(parameter: Parameter, value: Value) -> bool:
    if parameter.kind == "text":
        return isinstance(value, str)
    if parameter.kind == "flag":
        return isinstance(value, bool)
    number = isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < float("inf")
    return number and (parameter.kind == "number" or float(value) == int(value))


def _text(parameter: Parameter, value: str) -> VerdictReason | None:
    known = [choice.id for choice in parameter.values]
    if known and value not in known:
        return _against("parameters", "parameter_values", name=parameter.title, known=", ".join(known))
    if len(value) > parameter.longest:
        return _against("parameters", "parameter_long", name=parameter.title, most=parameter.longest)
    return None


def _authority(command: Command, grade: Grade | None, facts: Facts) -> Iterator[VerdictReason]:
    if grade is None:
        yield _against("authority", "level_none")
        return
    able = sorted({post for item in command.authority if item.level >= grade.level for post in item.posts})
    asker = facts.asker
    fits = not set(able).isdisjoint(asker.posts)
    said = PHRASES.what("authority", level=grade.level, posts=facts.named(able))
    yield VerdictReason(check="authority", fits=fits, said=said)
    if not asker.permitted:
        yield _against("authority", "permission", permission="command.order")
    yield _fits("sight", "sighted") if asker.sees else _against("sight", "sight")


def _way(device: Device, command: Command, order: Order, facts: Facts, now: datetime) -> Iterator[VerdictReason]:
    """Whether it can be sent at all, in time, and not too often."""
    if not order.exercise:
        said = PHRASES.what("wired" if facts.wired else "wire", wire=device.wire)
        yield VerdictReason(check="wire", fits=facts.wired, said=said)
    until = expiry(command, order, now)
    if until <= now:
        yield _against("expiry", "expired")
    else:
        yield _fits("expiry", "valid", minutes=_minutes(until - now))
    if command.rate is not None:
        since = now - span(command.rate.within)
        count = sum(since < at for at in facts.past)
        told = {"span": command.rate.within, "most": command.rate.most}
        if count >= command.rate.most:
            yield _against("rate", "rate", count=count, **told)
        else:
            yield _fits("rate", "rated", count=count + 1, **told)


def expiry(command: Command, order: Order, now: datetime) -> datetime:
    """Until when it may be sent: the declared time, or less where the order asks for less."""
    declared = now + span(command.expires)
    return min(declared, order.expires) if order.expires is not None else declared


def _states(
    device: Device, command: Command, facts: Facts, read: Mapping[str, Any], now: datetime
) -> Iterator[VerdictReason]:
    at = facts.entity.at if facts.entity else None
    if device.fresh is not None and (command.interlocks or command.double_condition):
        if at is None or now - at > span(device.fresh):
            yield _against("fresh", "stale", span=device.fresh)
        else:
            yield _fits("fresh", "fresh", minutes=_minutes(now - at))
    yield from conditions("double_condition", command.double_condition, read)
    yield from conditions("interlock", command.interlocks, read)


def _fits(check: str, code: str, **parts: object) -> VerdictReason:
    return VerdictReason(check=check, fits=True, said=PHRASES.what(code, **parts))


def _against(check: str, code: str, **parts: object) -> VerdictReason:
    return VerdictReason(check=check, fits=False, said=PHRASES.what(code, **parts))

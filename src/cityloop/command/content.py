"""Loads ``commands.yaml`` of every pack; each fault names file, line, key, and what to do."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from cityloop.command.declarations import Command, CommandsFile, Device
from cityloop.core.content import Key, checked, fault_at, raise_faults, read_yaml
from cityloop.core.errors import ContentError, Fault
from cityloop.feel import expression
from cityloop.standard.service import Standard
from cityloop.standard.types import EntityType

FILE = "commands.yaml"
_NAMES = {"state", "before", "parameters", "entity", "related"}
_READ = re.compile(r"\b(state|before|parameters|related)\.([a-z_][a-z0-9_]*)")
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"')
Found = tuple[Key, str, str]


@dataclass(frozen=True)
class Known:
    """What declarations may refer to."""

    standard: Standard
    departments: Collection[str]
    posts: Collection[str]


def load_commands(packs: Sequence[Path], known: Known) -> dict[str, Device]:
    """The devices of all packs by entity type; raises :class:`ContentError` with every fault of every file."""
    faults: list[Fault] = []
    found: dict[str, Device] = {}
    for path in (pack / FILE for pack in packs if (pack / FILE).is_file()):
        value, lines = read_yaml(path)
        try:
            devices = checked(path, CommandsFile, value, lines).devices
        except ContentError as error:
            faults += error.faults
            continue
        for number, device in enumerate(devices):
            wrong = list(_faults(device, known))
            if device.entity_type in found:
                wrong.append((("entity_type",), f"'{device.entity_type}' is declared twice", "keep one of them"))
            faults += [fault_at(path, lines, ("devices", number, *key), what, mend) for key, what, mend in wrong]
            found[device.entity_type] = device
    raise_faults("the commands of the packs", faults)
    return found


def _faults(device: Device, known: Known) -> Iterator[Found]:
    kinds = known.standard.entity_types
    if device.entity_type not in kinds:
        yield ("entity_type",), f"no entity type '{device.entity_type}'", f"known: {', '.join(sorted(kinds))}"
        return
    if device.department not in known.departments:
        yield ("department",), f"no department '{device.department}'", f"known: {', '.join(known.departments)}"
    for name, related in device.related.items():
        if related.entity_type not in kinds:
            yield (
                ("related", name, "entity_type"),
                f"no entity type '{related.entity_type}'",
                "correct its spelling",
            )
    if device.contact is not None:
        yield from _reads(("contact", "safe"), device.contact.safe, device, None, kinds)
    ids = [command.id for command in device.commands]
    for number, command in enumerate(device.commands):
        key: Key = ("commands", number)
        if command.id in ids[:number]:
            yield (*key, "id"), f"command '{command.id}' twice", "rename one of them"
        for where, what, mend in _command_faults(command, device, known):
            yield (*key, *where), what, mend


def _command_faults(command: Command, device: Device, known: Known) -> Iterator[Found]:
    kinds = known.standard.entity_types
    named: list[tuple[Key, tuple[str, ...]]] = [
        (("authority", n, "posts"), grade.posts) for n, grade in enumerate(command.authority)
    ]
    if command.second_person is not None:
        named.append((("second_person", "posts"), command.second_person.posts))
    for key, posts in named:
        for post in posts:
            if post not in known.posts and post != "system":
                yield key, f"no post '{post}'", f"posts: {', '.join(known.posts)}, system"
    for key, text in _texts(command):
        yield from _reads(key, text, device, command, kinds)
    if command.undo is not None:
        back = device.command(command.undo.command)
        if back is None:
            yield ("undo", "command"), f"no command '{command.undo.command}'", "name one of the same entity type"
            return
        for name in command.undo.parameters:
            if back.parameter(name) is None:
                yield ("undo", "parameters", name), f"'{back.id}' has no parameter '{name}'", "correct its spelling"
        for parameter in back.parameters:
            if parameter.id not in command.undo.parameters and parameter.default is None:
                yield ("undo", "parameters"), f"'{back.id}' needs '{parameter.id}'", "say what it was before"


def _texts(command: Command) -> Iterator[tuple[Key, str]]:
    """Every expression of a command with its key."""
    for name in ("limits", "double_condition", "interlocks"):
        for number, condition in enumerate(getattr(command, name)):
            yield (name, number, "holds"), condition.holds
    for number, grade in enumerate(command.authority):
        if grade.when is not None:
            yield ("authority", number, "when"), grade.when
    yield ("effect", "holds"), command.effect.holds
    for name, text in (command.undo.parameters if command.undo else {}).items():
        yield ("undo", "parameters", name), text


def _reads(
    key: Key, text: str, device: Device, command: Command | None, kinds: Mapping[str, EntityType]
) -> Iterator[Found]:
    """Names that an expression reads and that do not exist: it could never be decided."""
    for name in expression(text).names - _NAMES:
        yield key, f"there is no '{name}' in a condition", f"it may read {', '.join(sorted(_NAMES))}"
    properties = [item.id for item in kinds[device.entity_type].properties]
    there = {
        "state": properties,
        "before": properties,
        "parameters": [item.id for item in command.parameters] if command else [],
        "related": list(device.related),
    }
    for root, name in _READ.findall(_STRING.sub('""', text)):
        if name not in there[root]:
            yield key, f"'{root}.{name}' does not exist", f"{root} has {', '.join(there[root]) or 'nothing'}"

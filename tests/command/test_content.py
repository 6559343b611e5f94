"""A declaration that could never work is named with file, line, key, and how to mend it."""

from __future__ import annotations

from pathlib import Path

import pytest

from cityloop.command.content import Known, load_commands
from cityloop.core.errors import ContentError
from cityloop.standard.service import Standard
from tests.command.field import PACKS, POLICY, declared

PUMP = """devices:
  - entity_type: Pump
    department: water
    related: {sensor: {attribute: sensor, entity_type: WaterLevelSensor}}
    commands:
      - id: start
        title: t
        parameters: [{id: speed, title: t, kind: number, min: 1, max: 5}]
        authority: [{level: 1, posts: [department]}]
        interlocks: [{holds: "state.flow = 0", title: t}]
        effect: {holds: "state.running = true", within: 5m, title: t}
        undo: {command: start, parameters: {speed: "before.flow"}}
"""


def test_the_packs_declare_what_the_issue_asks_for() -> None:
    found = {f"{kind}.{command.id}" for kind, device in declared().items() for command in device.commands}
    assert found >= {
        "TrafficSignal.set_plan", "MetroGate.set_mode", "Pump.start", "LampPole.dim", "MessageSign.show",
        "EmissionSource.shut_off", "SanitationVehicle.start_mission", "SanitationVehicle.take_over",
        "RoadBarrier.close",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("old", "new", "line", "what"),
    [
        ("Pump", "Moon", 2, "no entity type 'Moon'"),
        ("department: water", "department: fire", 3, "no department 'fire'"),
        ("posts: [department]", "posts: [king]", 9, "no post 'king'"),
        ("state.flow = 0", "state.flwo = 0", 10, "'state.flwo' does not exist"),
        ("state.flow = 0", "parameters.depth = 0", 10, "'parameters.depth' does not exist"),
        ("state.flow = 0", "every x in related.river satisfies x.level = 0", 10, "'related.river' does not exist"),
        ("state.flow = 0", "weather = 0", 10, "there is no 'weather'"),
        ("state.flow = 0", "state.flow = (", 10, ""),
        ("state.flow = 0", "().__class__", 10, ""),
        ("within: 5m", "within: soon", 11, "not a duration"),
        ("command: start, ", "command: stop, ", 12, "no command 'stop'"),
        ('{speed: "before.flow"}', '{pace: "before.flow"}', 12, "has no parameter 'pace'"),
        ('{speed: "before.flow"}', "{}", 12, "needs 'speed'"),
        ("min: 1, max: 5", "min: 5, max: 1", 8, "above max"),
        ("kind: number", "kind: flag", 8, "do not apply"),
        ("attribute: sensor, entity_type: WaterLevelSensor", "attribute: sensor, entity_type: River", 4, "River"),
        ("        title: t\n        parameters", "        titel: t\n        parameters", 7, "unknown key"),
    ],
)
def test_a_fault_stands_at_its_line(tmp_path: Path, old: str, new: str, line: int, what: str) -> None:
    (tmp_path / "commands.yaml").write_text(PUMP.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ContentError) as caught:
        load_commands([tmp_path], Known(Standard.load(PACKS), ("water",), tuple(POLICY.posts)))
    assert any(f"commands.yaml:{line} " in fault.where and what in fault.what for fault in caught.value.faults)


def test_the_sample_itself_is_right(tmp_path: Path) -> None:
    (tmp_path / "commands.yaml").write_text(PUMP, encoding="utf-8")
    assert load_commands([tmp_path], Known(Standard.load(PACKS), ("water",), tuple(POLICY.posts)))["Pump"].commands

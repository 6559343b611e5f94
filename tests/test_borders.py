"""Rooms import only from the floors below them; rooms on one floor speak through events."""

from __future__ import annotations

import ast
from pathlib import Path

SOURCE = Path(__file__).parents[1] / "src" / "cityloop"
FLOORS = [
    {"core"},
    {"feel"},
    {"access"},
    {"city"},
    {"standard"},
    {"lake"},
    {"collect", "watch", "analyse", "decide"},
    {"command"},
    {"cases", "linkage"},
    {"approve", "ask", "citizen", "emergency", "evaluate", "learn", "quality", "steward"},
    {"drill"},
    {"serve"},
    {"cli"},
    {"__main__"},
]
FLOOR = {room: number for number, rooms in enumerate(FLOORS) for room in rooms}


def imported_rooms(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        found |= {name.split(".")[1] for name in names if name.startswith("cityloop.")}
    return found


def room_of(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def test_every_room_stands_on_a_floor() -> None:
    rooms = {room_of(path) for path in SOURCE.rglob("*.py")} - {"__init__"}
    assert rooms <= set(FLOOR), f"give {rooms - set(FLOOR)} a floor in docs/concepts.md and here"


def test_rooms_import_only_from_below() -> None:
    crossings = [
        f"{path.relative_to(SOURCE)} imports {target}"
        for path in SOURCE.rglob("*.py")
        for target in imported_rooms(path)
        if room_of(path) in FLOOR and target != room_of(path) and FLOOR[target] >= FLOOR[room_of(path)]
    ]
    assert crossings == []

"""Boards as packs declare them in ``boards.yaml``: which tile shows which metrics."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from pydantic import Field

from cityloop.core.content import checked, fault_at, raise_faults, read_yaml
from cityloop.core.errors import ContentError, Fault
from cityloop.core.values import Frozen, Title

FILE = "boards.yaml"


class Tile(Frozen):
    """One tile or chart and the metrics it shows."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_-]*$", max_length=60)
    title: Title
    metrics: tuple[str, ...] = Field(min_length=1)


class Board(Frozen):
    """A page of tiles; ``link`` is its path in the web client."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_-]*$", max_length=60)
    title: Title
    link: str
    tiles: tuple[Tile, ...] = Field(min_length=1)


class BoardsFile(Frozen):
    """The file ``boards.yaml`` of a pack."""

    boards: tuple[Board, ...] = ()


def load_boards(packs: Sequence[Path], metrics: Collection[str]) -> tuple[Board, ...]:
    """The boards of all packs; a tile of an unknown metric is a fault at its line."""
    boards: dict[str, Board] = {}
    faults: list[Fault] = []
    for path in [pack / FILE for pack in packs if (pack / FILE).is_file()]:
        try:
            value, lines = read_yaml(path)
            declared = checked(path, BoardsFile, value, lines).boards
        except ContentError as error:
            faults += error.faults or [Fault(str(path), error.detail, error.mend)]
            continue
        for n, board in enumerate(declared):
            key = ("boards", n)
            if board.id in boards:
                what = f"board '{board.id}' is declared twice"
                faults.append(fault_at(path, lines, (*key, "id"), what, "rename one of them"))
            faults += [
                fault_at(path, lines, (*key, "tiles", t, "metrics"), f"unknown metric '{m}'", "see docs/metrics.md")
                for t, tile in enumerate(board.tiles)
                for m in tile.metrics
                if m not in metrics
            ]
            boards[board.id] = board
    raise_faults("the boards of the packs", faults)
    return tuple(boards.values())

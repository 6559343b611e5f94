"""The office of docs/new-city.md: a folder with the files that the page writes and the sheets that it shows."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from openpyxl import Workbook

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "new-city.md").read_text(encoding="utf-8")
SHEETS = re.findall(r"^`(\w+\.xlsx)`\n\n((?:\|.*\n)+)", PAGE, re.MULTILINE)
COMMANDS = [line for block in re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL) for line in block.splitlines()]


def furnish(folder: Path) -> None:
    """Put the packs, the demo city's posts, and the page's files and sheets into a folder."""
    (folder / "packs").symlink_to(ROOT / "packs")
    (folder / "cities" / "demo").mkdir(parents=True)
    shutil.copy(ROOT / "cities" / "demo" / "policy.yaml", folder / "cities" / "demo")
    for name, text in re.findall(r"```(?:yaml|csv)\n# (\S+)\n(.*?)```", PAGE, re.DOTALL):
        path = folder / "cities" / "lushan" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    for name, table in SHEETS:
        lines = [line for line in table.splitlines() if not line.startswith("|---")]
        write_sheet(folder / name, [[cell.strip() for cell in line.strip("|").split("|")] for line in lines])


def write_sheet(path: Path, rows: Sequence[Sequence[str | int | float | None]], merged: Sequence[str] = ()) -> Path:
    """A workbook with one sheet; empty texts are empty cells."""
    book = Workbook()
    assert book.active is not None
    for row in rows:
        book.active.append([None if cell == "" else cell for cell in row])
    for span in merged:
        book.active.merge_cells(span)
    book.save(path)
    return path

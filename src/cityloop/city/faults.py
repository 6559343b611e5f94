"""Collecting the faults of many content files, so that one run of the check names all of them."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, TypeVar

from pydantic import BaseModel

from cityloop.core.content import Key, Lines, checked, fault_at, read_yaml
from cityloop.core.errors import ContentError, Fault

M = TypeVar("M", bound=BaseModel)
T = TypeVar("T")


@dataclass
class Faults:
    """The faults found so far."""

    found: list[Fault] = field(default_factory=list)

    def add(self, where: str, what: str, mend: str = "") -> None:
        """Note one fault."""
        self.found.append(Fault(where, what, mend))

    def attempt(self, read: Callable[[], T]) -> T | None:
        """The value of ``read``, or ``None`` after noting the faults of its :class:`ContentError`."""
        try:
            return read()
        except ContentError as error:
            self.found.extend(error.faults or [Fault(error.detail, "cannot be read", error.mend)])
            return None

    def read(self, path: Path, model: type[M]) -> File[M] | None:
        """One YAML file as ``model`` with the lines of its keys, or ``None`` when it has faults."""
        return self.attempt(lambda: _file(path, model))

    def rows(self, path: Path, columns: tuple[str, ...]) -> Iterator[tuple[int, dict[str, str]]]:
        """Line number and trimmed cells of each row of a CSV file that must have ``columns``."""
        try:
            text = path.read_text(encoding="utf-8-sig")
        except FileNotFoundError:
            self.add(str(path), "the file is missing", "create it or correct the name that refers to it")
            return
        except UnicodeDecodeError:
            self.add(str(path), "the file is not UTF-8", "save it as UTF-8")
            return
        reader = csv.DictReader(io.StringIO(text, newline=""))
        missing = [name for name in columns if name not in (reader.fieldnames or [])]
        if missing:
            self.add(f"{path}:1", f"columns are missing: {', '.join(missing)}", "add them to the header row")
            return
        for row in reader:
            yield reader.line_num, {name: (cell or "").strip() for name, cell in row.items() if isinstance(name, str)}


@dataclass(frozen=True)
class File(Generic[M]):
    """A content file that fits its model, and where its keys stand."""

    path: Path
    value: M
    lines: Lines

    def fault(self, faults: Faults, key: Key, what: str, mend: str = "") -> None:
        """Note a fault at ``key`` of this file."""
        faults.found.append(fault_at(self.path, self.lines, key, what, mend))


def _file(path: Path, model: type[M]) -> File[M]:
    value, lines = read_yaml(path)
    return File(path, checked(path, model, value, lines), lines)

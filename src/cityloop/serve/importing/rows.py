"""Files of departments → lines of a sheet, and what is read of a line, with its faults at their cells."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from cityloop.city.faults import Faults
from cityloop.city.sheet import SheetKind, SheetLine, headed
from cityloop.core.errors import Invalid
from cityloop.core.values import Title
from cityloop.serve.importing.phrases import PHRASES
from cityloop.serve.importing.sent import Sent
from cityloop.standard.code_lists import folded
from cityloop.standard.tables import RawTable, TableOptions, read_table

_SEVERAL = re.compile(r"[、，,;；\n|]+")
_YES = {"是", "yes", "y", "true", "1", "√", "✓"}


def table_of(sent: Sent) -> RawTable:
    """A file as a table of texts; raises what :func:`read_table` raises."""
    return read_table(sent.name, sent.body, TableOptions(sheet=sent.sheet))


def lines_of(table: RawTable, headings: Mapping[str, tuple[str, ...]]) -> list[SheetLine]:
    """The rows of a table by the keys of the columns that it has."""
    columns = headed(table.frame.columns, headings)
    return [
        SheetLine(
            {key: (row[name] or "").strip() for key, name in columns.items()},
            {key: table.address(number, name) for key, name in columns.items()},
        )
        for number, row in enumerate(table.frame.iter_rows(named=True))
    ]


def sheet_lines(table: RawTable, kind: SheetKind) -> tuple[list[SheetLine], list[Title]]:
    """The lines of a kind of sheet, without the template's own example, and notes on how the table was read.

    Raises :class:`Invalid` naming the columns that are not there, with the headings that would stand for them.
    """
    have = headed(table.frame.columns, kind.headings)
    needed = [column for column in kind.columns if column.needed and column.key not in have]
    if needed:
        faults = [PHRASES.fault(c.key, "no-column", headings=", ".join(c.headings)) for c in needed]
        shown = ", ".join(table.frame.columns) or "-"
        raise PHRASES.problem(Invalid, "lacking", faults, columns=shown, kind=kind.name)
    lines, notes = without_example(lines_of(table, kind.headings), kind)
    return lines, [*table.notes, *notes]


def without_example(lines: Sequence[SheetLine], kind: SheetKind) -> tuple[list[SheetLine], list[Title]]:
    """The lines but for the template's own example, and a note where it was there."""
    example = {column.key: column.example for column in kind.columns}
    kept = [line for line in lines if any(line.texts[key] != example[key] for key in line.texts)]
    return kept, [PHRASES.what("example")] if len(kept) < len(lines) else []


@dataclass(frozen=True)
class Row:
    """One line that is being read; what cannot be read becomes a fault at its cell."""

    line: SheetLine
    faults: Faults

    def text(self, key: str) -> str:
        """A cell in one line of plain width; empty where the sheet has no such column."""
        return " ".join(unicodedata.normalize("NFKC", self.line.texts.get(key, "")).split())

    def many(self, key: str) -> list[str]:
        """The parts of a cell between commas, semicolons or line breaks."""
        parts = _SEVERAL.split(unicodedata.normalize("NFKC", self.line.texts.get(key, "")))
        return [" ".join(part.split()) for part in parts if part.strip()]

    def yes(self, key: str) -> bool:
        """Whether a cell says yes."""
        return self.text(key).casefold() in _YES

    def where(self, key: str) -> str:
        """The place of a cell, or of the row where the sheet has no such column."""
        return self.line.places.get(key) or next(iter(self.line.places.values()), "")

    def fault(self, key: str, code: str, /, **parts: object) -> None:
        """Note that a cell cannot be read, by a phrase of this room."""
        self.faults.found.append(PHRASES.fault(self.where(key), code, **parts))

    def note(self, key: str, code: str, /, **parts: object) -> Title:
        """Something unusual about a cell that is read all the same."""
        return PHRASES.what("at", place=self.where(key), said=PHRASES.say(code, **parts))

    def needed(self, key: str) -> str:
        """A cell that must not be empty."""
        text = self.text(key)
        if not text:
            self.fault(key, "empty")
        return text

    def title(self, key: str, english: str) -> Title:
        """A title of two cells; without English words the Chinese ones stand for both."""
        text = self.needed(key)
        return Title(zh=text, en=self.text(english) or text)

    def number(self, key: str, most: float) -> float | None:
        """A cell as degrees between ``-most`` and ``most``; ``None`` when empty, and after noting that it is none."""
        text = self.text(key)
        if not text:
            return None
        try:
            found = float(text)
        except ValueError:
            found = float("nan")
        if not abs(found) <= most:
            self.fault(key, "no-degree", text=text, most=most)
            return None
        return found

    def named(self, key: str, text: str, names: Names) -> str | None:
        """The id that a word of a cell stands for, or ``None`` after noting that it stands for none or for several."""
        ids = names.ids(text)
        if len(ids) == 1:
            return ids[0]
        if ids:
            self.fault(key, "several", text=text, count=len(ids), what=names.what, ids=", ".join(ids))
        else:
            near = ", ".join(names.near(text)) or PHRASES.what("none-near")
            self.fault(key, "unknown", text=text, what=names.what, near=near)
        return None


class Names:
    """What words stand for: ids, titles and other names → ids."""

    def __init__(self, what: Title, known: Iterable[tuple[str, Sequence[str]]]) -> None:
        self.what = what
        self._ids: dict[str, list[str]] = {}
        self._shown: dict[str, str] = {}
        for identity, names in known:
            for name in (identity, *names):
                found = self._ids.setdefault(folded(name), [])
                found += [] if identity in found else [identity]
            self._shown[identity] = f"{identity} {names[0]}" if names else identity

    def ids(self, text: str) -> list[str]:
        """The ids that a word stands for."""
        return self._ids.get(folded(text), [])

    def near(self, text: str, most: int = 3) -> list[str]:
        """Names like a word that is not known, with their ids; without any the first ones."""
        close = get_close_matches(folded(text), self._ids, most, 0.4)
        ids = dict.fromkeys(identity for name in close for identity in self._ids[name])
        return [self._shown[identity] for identity in [*ids, *([] if ids else self._shown)]][:most]

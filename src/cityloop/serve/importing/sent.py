"""A sheet as it came: uploaded to the server, or named on the command line."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import cast, get_args

from cityloop.core.errors import Invalid, NotFound
from cityloop.serve.importing.phrases import PHRASES
from cityloop.standard.declarations import DatumName


@dataclass(frozen=True)
class Sent:
    """A file's name and bytes; which ``sheet`` of a workbook (default: the first with a table), in which datum."""

    name: str
    body: bytes
    sheet: str | None = None
    datum: DatumName = "wgs84"

    @classmethod
    def at(cls, path: Path, sheet: str | None = None, datum: DatumName = "wgs84") -> Sent:
        """A file of this machine; raises :class:`NotFound`."""
        if not path.is_file():
            raise PHRASES.problem(NotFound, "no-file", path=path)
        return cls(path.name, path.read_bytes(), sheet, datum)


def datum_named(text: str) -> DatumName:
    """The datum of a name; raises :class:`Invalid`."""
    if text not in get_args(DatumName):
        raise PHRASES.problem(Invalid, "no-datum", text=text, known=", ".join(get_args(DatumName)))
    return cast(DatumName, text)

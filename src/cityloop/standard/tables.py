"""Files of departments → one frame of texts: CSV, Excel, Parquet, GeoJSON, JSON; each row knows its place.

Nothing is interpreted here: every cell is text as it was written, an empty one is null. What the texts mean is the
mapping's matter. Encodings: a byte order mark decides, then strict UTF-8, then GB18030, which holds GBK and GB 2312.
"""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

import polars as pl
import python_calamine
from polars.exceptions import PolarsError
from pydantic import Field

from cityloop.core.errors import Invalid
from cityloop.core.values import Frozen, Title
from cityloop.standard.grids import Grid, Heading, tabulated, zero_filled
from cityloop.standard.phrases import PHRASES

Format = Literal["auto", "csv", "xlsx", "xls", "parquet", "geojson", "json", "ndjson"]
_SUFFIXES: dict[str, Format] = {
    "csv": "csv", "txt": "csv", "tsv": "csv", "xlsx": "xlsx", "xlsm": "xlsx", "xls": "xls", "parquet": "parquet",
    "geojson": "geojson", "json": "json", "ndjson": "ndjson", "jsonl": "ndjson",
}  # fmt: skip
_MARKS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))
_DELIMITERS = ",\t;|"
_ZIP, _OLE, _PARQUET = b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"PAR1"


class TableOptions(Frozen):
    """How to read a file where it does not speak for itself. Everything has a default that looks at the file."""

    format: Format = "auto"
    encoding: str = "auto"
    delimiter: str = "auto"
    sheet: str | None = None
    """Name of the sheet; by default the first that holds a table."""
    header: int | None = Field(default=None, ge=1)
    """First heading row, from 1."""
    header_rows: int | None = Field(default=None, ge=1, le=6)
    carry_down: tuple[str, ...] = ()
    """Columns whose blank cells take the value above. Merged cells are carried down without being named."""
    zero_fill: dict[str, int] = Field(default_factory=dict)
    """Column → width of codes that a sheet keeps as numbers: ``{code: 2}`` reads 1 as 01."""
    rows: str | None = None
    """Where in a JSON document the array of records stands, such as ``data.list``."""


@dataclass(frozen=True)
class RawTable:
    """``frame`` holds texts only; ``rows`` says for each row where it came from (``line 5``, ``Sheet1!5``)."""

    frame: pl.DataFrame
    rows: Sequence[str]
    notes: Sequence[Title] = ()
    places: Sequence[int] = ()
    """Where each column stands in its sheet, 0-based; empty where there is no sheet."""

    def address(self, row: int, column: str) -> str:
        """The place of a cell as people find it: ``Sheet1!E5``, ``line 5 处置时限``."""
        sheet, mark, number = self.rows[row].rpartition("!")
        if not mark or not self.places:
            return f"{self.rows[row]} {column}"
        at, letters = self.places[self.frame.columns.index(column)] + 1, ""
        while at:
            at, rest = divmod(at - 1, 26)
            letters = chr(65 + rest) + letters
        return f"{sheet}!{letters}{number}"


_DEFAULTS = TableOptions()


def read_table(name: str, body: bytes, options: TableOptions = _DEFAULTS) -> RawTable:
    """Read a file by its declared format, its content or its name; raises :class:`Invalid` with the place."""
    if not body:
        raise Invalid(f"{name} is empty", "send a file with a heading and rows")
    form = options.format if options.format != "auto" else _guess(name, body)
    return _READERS[form](name, body, options)


def text_of(body: bytes, encoding: str = "auto") -> tuple[str, str]:
    """A file's text and its encoding; raises :class:`Invalid` naming the byte that cannot be read."""
    wanted = [encoding] if encoding != "auto" else [enc for mark, enc in _MARKS if body.startswith(mark)][:1]
    for name in wanted or ("utf-8", "gb18030"):
        try:
            return body.decode(name), name
        except UnicodeDecodeError as error:
            failed = error
        except LookupError as error:
            raise Invalid(f"there is no encoding '{name}'", "use utf-8, gb18030 or utf-16") from error
    line = body[: failed.start].count(b"\n") + 1
    what = f"byte {failed.start + 1} in line {line} is neither UTF-8 nor GB18030"
    raise Invalid(what if not wanted else f"byte {failed.start + 1} in line {line} is not {wanted[0]}",
                  "save the file as UTF-8, or name its encoding") from failed  # fmt: skip


def _guess(name: str, body: bytes) -> Format:
    if body.startswith(_PARQUET):
        return "parquet"
    if body.startswith(_OLE):
        return "xls"
    if body.startswith(_ZIP):
        return "xlsx"
    suffix = _SUFFIXES.get(name.rpartition(".")[2].lower(), "csv")
    start = body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    if suffix not in ("xlsx", "xls", "parquet"):
        if start == b"[" and suffix == "csv":
            return "json"
        if start == b"{" and suffix == "csv":
            return "ndjson"
        return suffix
    raise Invalid(f"{name} is named .{suffix} but is no such file", "name its format")


def _csv(_name: str, body: bytes, options: TableOptions) -> RawTable:
    text, encoding = text_of(body, options.encoding)
    delimiter = options.delimiter if options.delimiter != "auto" else _delimiter(text)
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        cells: list[list[str | None]] = []
        labels, at = [], 1
        for row in reader:
            cells.append([cell or None for cell in row])
            labels.append(f"line {at}")
            at = reader.line_num + 1
    except csv.Error as error:
        raise Invalid(f"line {reader.line_num}: {error}", "mend the quoting of this line") from error
    shown = {"\t": "tab"}.get(delimiter, delimiter)
    return _raw(
        Grid(cells, labels), options, [PHRASES.what("encoding", name=encoding), PHRASES.what("delimiter", sign=shown)]
    )


def _delimiter(text: str) -> str:
    """The sign that cuts the first lines into the most columns of one number."""
    lines = [line for line in text.split("\n", 60)[:60] if line.strip()]

    def score(sign: str) -> tuple[float, int]:
        widths = Counter(len(row) for row in csv.reader(lines, delimiter=sign))
        width, often = max(widths.items(), key=lambda item: (item[1] * (item[0] > 1), item[0]))
        return (often / max(1, len(lines)) if width > 1 else 0.0), width

    return max(_DELIMITERS, key=score)


def _sheet(name: str, body: bytes, options: TableOptions) -> RawTable:
    try:
        book = python_calamine.CalamineWorkbook.from_filelike(io.BytesIO(body))
    except (python_calamine.CalamineError, OSError) as error:
        raise Invalid(f"{name} cannot be read as a workbook: {error}", "open it in Excel and save it anew") from error
    names = book.sheet_names
    if options.sheet is not None and options.sheet not in names:
        raise Invalid(f"{name} has no sheet '{options.sheet}'", f"known: {', '.join(names)}")
    for chosen in [options.sheet] if options.sheet is not None else names:
        sheet = book.get_sheet_by_name(chosen)
        rows = sheet.to_python(skip_empty_area=False)
        if rows and any(cell not in ("", None) for row in rows for cell in row):
            cells = [[cell_text(cell) for cell in row] for row in rows]
            merges = [(a, b, c, d) for (a, b), (c, d) in sheet.merged_cell_ranges or ()]
            labels = [f"{chosen}!{number + 1}" for number in range(len(cells))]
            return _raw(
                Grid(cells, labels, merges), options, [PHRASES.what("sheet", name=chosen)] if len(names) > 1 else []
            )
    raise Invalid(f"{name} has no sheet with cells", "fill the sheet or name another one")


def cell_text(cell: Any) -> str | None:
    """A cell as people see it: whole numbers without a point, times in ISO 8601, nothing for nothing."""
    if cell is None or cell == "":
        return None
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e16 else repr(cell)
    if isinstance(cell, (datetime, date)):
        return cell.isoformat()
    return str(cell)


def _raw(grid: Grid, options: TableOptions, notes: list[Title]) -> RawTable:
    first = options.header - 1 if options.header else None
    if first is not None and first >= len(grid.cells):
        raise Invalid(f"the heading is declared in row {options.header}, the table has {len(grid.cells)}", "correct it")
    table = tabulated(grid, Heading(first, options.header_rows), options.carry_down)
    zero_filled(table.rows, table.names, options.zero_fill)
    lacking = [n for n in (*options.carry_down, *options.zero_fill) if n not in table.names]
    if lacking:
        raise Invalid(f"the table has no column '{lacking[0]}'", f"its columns: {', '.join(table.names)}")
    columns = {name: [row[at] for row in table.rows] for at, name in enumerate(table.names)}
    frame = pl.DataFrame(columns, schema=dict.fromkeys(table.names, pl.String()))
    return RawTable(frame, table.labels, [*notes, *table.notes], table.places)


def _parquet(name: str, body: bytes, _options: TableOptions) -> RawTable:
    try:
        rows = pl.read_parquet(io.BytesIO(body))
    except (PolarsError, OSError) as error:
        raise Invalid(f"{name} cannot be read as Parquet: {error}", "write it anew") from error
    frame = rows.select(_as_text(column) for column in rows.iter_columns())
    return RawTable(frame, [f"row {n + 1}" for n in range(frame.height)])


def _as_text(column: pl.Series) -> pl.Series:
    kind = column.dtype.base_type()
    if kind is pl.Datetime:
        zoned = isinstance(column.dtype, pl.Datetime) and column.dtype.time_zone is not None
        return column.dt.strftime("%Y-%m-%dT%H:%M:%S%.f%:z" if zoned else "%Y-%m-%dT%H:%M:%S%.f")
    if column.dtype.is_nested():
        texts = [None if value is None else json.dumps(value, ensure_ascii=False, default=str) for value in column]
        return pl.Series(column.name, texts, dtype=pl.String)
    return column.cast(pl.String)


def _json(name: str, body: bytes, options: TableOptions) -> RawTable:
    text, encoding = text_of(body, options.encoding)
    value = _loaded(text, 0)
    if isinstance(value, dict) and value.get("type") == "FeatureCollection" and options.rows is None:
        return _features(name, value, [])
    found, where = _array(value, options.rows)
    notes = [PHRASES.what("records-at", where=where)] if where else []
    return _records(list(enumerate(found)), "record", [*notes, *_encoded(encoding)])


def _encoded(encoding: str) -> list[Title]:
    """A note of an encoding that is not the usual one."""
    return [PHRASES.what("encoding", name=encoding)] if "gb" in encoding else []


def _array(value: Any, path: str | None) -> tuple[list[Any], str]:
    if path is not None:
        for part in path.split("."):
            value = value.get(part) if isinstance(value, dict) else None
        if not isinstance(value, list):
            raise Invalid(f"the document has no array at '{path}'", "correct 'rows'")
        return value, path
    if isinstance(value, list):
        return value, ""
    found = list(_arrays(value, ()))
    if len(found) != 1:
        what = "no array" if not found else "several arrays"
        raise Invalid(f"the document holds {what} of records", "name the place with 'rows', such as data.list")
    return found[0][1], ".".join(found[0][0])


def _arrays(value: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], list[Any]]]:
    if isinstance(value, dict) and len(path) < 4:
        for key, inner in value.items():
            if isinstance(inner, list) and inner and all(isinstance(item, dict) for item in inner):
                yield (*path, key), inner
            else:
                yield from _arrays(inner, (*path, key))


def _ndjson(_name: str, body: bytes, options: TableOptions) -> RawTable:
    lines = text_of(body, options.encoding)[0].split("\n")
    items = [(number, _loaded(line, number)) for number, line in enumerate(lines) if line.strip()]
    return _records(items, "line", [])


def _loaded(text: str, line: int) -> Any:
    def first(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        return dict(reversed(pairs))

    try:
        return json.loads(text, parse_float=str, parse_int=str, parse_constant=str, object_pairs_hook=first)
    except json.JSONDecodeError as error:
        raise Invalid(f"line {line + error.lineno}, column {error.colno}: {error.msg}", "send valid JSON") from error
    except (ValueError, RecursionError) as error:
        raise Invalid(f"line {line + 1}: too deep or too long", "send flat records") from error


def _records(items: Sequence[tuple[int, Any]], word: str, notes: Sequence[Title]) -> RawTable:
    odd = next((number for number, item in items if not isinstance(item, dict)), None)
    if odd is not None:
        raise Invalid(f"{word} {odd + 1} is not a JSON object", "send an array of objects")
    rows = [flat(item) for _, item in items]
    # First seen first, whichever record brings the column.
    names = list(dict.fromkeys(name for row in reversed(rows) for name in reversed(list(row))))[::-1]
    frame = pl.DataFrame({n: [row.get(n) for row in rows] for n in names}, schema=dict.fromkeys(names, pl.String()))
    return RawTable(frame, [f"{word} {number + 1}" for number, _ in items], notes)


def flat(record: Mapping[str, Any], prefix: str = "") -> dict[str, str | None]:
    """A JSON object as one row of texts: inner objects become dotted names, lists stay JSON."""
    row: dict[str, str | None] = {}
    for key, value in record.items():
        if isinstance(value, dict):
            row |= flat(value, f"{prefix}{key}.")
        else:
            plain = json.dumps(value, ensure_ascii=False) if isinstance(value, list) else cell_text(value)
            row[f"{prefix}{key}"] = plain
    return row


def _geojson(name: str, body: bytes, options: TableOptions) -> RawTable:
    value = _loaded(text_of(body, options.encoding)[0], 0)
    if not isinstance(value, dict) or not isinstance(value.get("features"), list):
        raise Invalid(f"{name} is no GeoJSON FeatureCollection", "send features with properties and points")
    return _features(name, value, [])


def _features(name: str, value: Mapping[str, Any], notes: list[Title]) -> RawTable:
    rows, other = [], 0
    for number, feature in enumerate(value["features"]):
        if not isinstance(feature, dict):
            raise Invalid(f"{name}: feature {number + 1} is not an object", "send GeoJSON features")
        row = dict(feature.get("properties") or {})
        shape = feature.get("geometry") or {}
        if shape.get("type") == "Point" and len(shape.get("coordinates") or ()) >= 2:
            row["lon"], row["lat"] = shape["coordinates"][:2]
        else:
            other += 1
        if feature.get("id") is not None:
            row.setdefault("id", feature["id"])
        rows.append(row)
    notes += [PHRASES.what("no-points", count=other)] if other else []
    return _records(list(enumerate(rows)), "feature", notes)


_READERS: dict[str, Callable[[str, bytes, TableOptions], RawTable]] = {
    "csv": _csv,
    "xlsx": _sheet,
    "xls": _sheet,
    "parquet": _parquet,
    "json": _json,
    "ndjson": _ndjson,
    "geojson": _geojson,
}

"""The register of standard addresses: a point by what people type, in whole or in part, in letters, in wide figures.

The file is CSV: ``address,lon,lat,aliases,letters`` (WGS 84 degrees; aliases with a bar between them; letters are the
first letters of the pinyin, made when a sheet is imported). A million addresses are looked through in memory.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polars as pl
from polars.exceptions import PolarsError

from cityloop.city.areas import METRES_A_DEGREE
from cityloop.city.faults import Faults
from cityloop.city.schemas import Position

COLUMNS = ("address", "lon", "lat", "aliases", "letters")
_SIGNS = re.compile(r"[\s\-_·.,、，。;；:：#（）()\[\]【】/]+")
_LETTERS = re.compile(r"[a-z0-9]{2,}")
_LEAST_LOOSE, _MOST_LOOSE = 3, 24
"""Signs of a text that may stand apart in an address: fewer fit everything, more fit nothing."""
_LEAST_NAMED = 4
"""Signs that name a place by themselves."""
_SCHEMA = {"address": pl.String(), "lon": pl.Float64(), "lat": pl.Float64(), "aliases": pl.String(),
           "letters": pl.String()}  # fmt: skip


@dataclass(frozen=True)
class Address:
    """A standard address and its point, WGS 84 degrees; ``metres`` to where somebody asked from."""

    address: str
    lon: float
    lat: float
    aliases: tuple[str, ...] = ()
    letters: str = ""
    metres: float | None = None


class Addresses:
    """All addresses of a city."""

    def __init__(self, frame: pl.DataFrame) -> None:
        names = pl.concat_str(pl.lit("|"), _folded(pl.col("aliases").fill_null("")), pl.lit("|"))
        self._frame = frame.with_columns(
            _folded(pl.col("address")).alias("key"), names.alias("names"), pl.col("letters").fill_null("")
        )

    @classmethod
    def read(cls, path: Path | None, faults: Faults) -> Addresses:
        """The addresses of a file; none without one."""
        return cls(_frame(path, faults) if path is not None else pl.DataFrame(schema=_SCHEMA))

    def __len__(self) -> int:
        return self._frame.height

    def find(self, text: str, near: Position | None = None, most: int = 8) -> list[Address]:
        """Addresses that ``text`` may mean, the likeliest first, of equally likely ones the nearest.

        Every word must occur in address, alias or letters; where few do, the signs of the text in their order suffice.
        """
        terms = [term for part in text.split() if (term := folded_address(part))]
        if not terms or not len(self):
            return []
        whole = "".join(terms)
        hits = self._frame.filter(pl.all_horizontal(_speaks_of(term) for term in terms))
        if hits.height < most and _LEAST_LOOSE <= len(whole) <= _MOST_LOOSE:
            loose = pl.col("key").str.contains(".*".join(map(re.escape, whole)))
            hits = hits.vstack(self._frame.filter(loose).join(hits, on="key", how="anti"))
        ranked = hits.with_columns(_score(whole).alias("score"), _metres(near).alias("metres"))
        order = ["score", *(["metres"] if near is not None else []), pl.col("key").str.len_chars(), "address"]
        return list(_rows(ranked.bottom_k(most, by=order).sort(order)))

    def named(self, text: str) -> Address | None:
        """The one address that a text names: the longest that it holds, else the only one that holds it."""
        whole = folded_address(text)
        if len(whole) < _LEAST_NAMED or not len(self):
            return None
        length = pl.col("key").str.len_chars()
        inside = self._frame.filter((length >= _LEAST_NAMED) & pl.lit(whole).str.contains(pl.col("key"), literal=True))
        if inside.is_empty():
            around = pl.col("key").str.contains(whole, literal=True) | pl.col("names").str.contains(
                f"|{whole}|", literal=True
            )
            found = self._frame.filter(around)
        else:
            found = inside.filter(length == length.max())
        return next(_rows(found)) if found.height == 1 else None


def folded_address(text: str) -> str:
    """An address as addresses are compared: plain width, small letters, no blanks and signs."""
    return _SIGNS.sub("", unicodedata.normalize("NFKC", text).lower())


def initials(text: str) -> str:
    """The first letters of the pinyin of a text, with its own letters and figures: 人民路8号 → rml8h."""
    from pypinyin import Style, lazy_pinyin  # at need: only an import writes letters

    return folded_address("".join(lazy_pinyin(unicodedata.normalize("NFKC", text), style=Style.FIRST_LETTER)))


def read_addresses(path: Path, faults: Faults) -> list[Address]:
    """Every address of a file."""
    return list(_rows(_frame(path, faults)))


def _frame(path: Path, faults: Faults) -> pl.DataFrame:
    empty = pl.DataFrame(schema=_SCHEMA)
    if not path.is_file():
        faults.add(str(path), "the file is missing", "create it with cityloop import addresses, or correct city.yaml")
        return empty
    try:
        raw = pl.read_csv(path, infer_schema=False, encoding="utf8")
    except (PolarsError, UnicodeDecodeError) as error:
        faults.add(str(path), f"is no CSV in UTF-8: {error}", "write it anew with cityloop import addresses")
        return empty
    lacking = [name for name in COLUMNS if name not in raw.columns]
    if lacking:
        faults.add(f"{path}:1", f"columns are missing: {', '.join(lacking)}", "add them to the header row")
        return empty
    frame = raw.select(COLUMNS).cast(_SCHEMA, strict=False)  # type: ignore[arg-type]
    sound = pl.col("address").is_not_null() & pl.col("lon").is_between(-180, 180) & pl.col("lat").is_between(-90, 90)
    for line in frame.with_row_index("line", offset=2).filter(~sound.fill_null(False))["line"]:
        faults.add(f"{path}:{line}", "the address has no name or no point", "write address, lon, lat in degrees")
    return frame.filter(sound.fill_null(False))


def _folded(texts: pl.Expr) -> pl.Expr:
    """:func:`folded_address` for a whole column; the bars between aliases stay."""
    return texts.str.normalize("NFKC").str.to_lowercase().str.replace_all(_SIGNS.pattern, "")


def _speaks_of(term: str) -> pl.Expr:
    hit = pl.col("key").str.contains(term, literal=True) | pl.col("names").str.contains(term, literal=True)
    return hit | pl.col("letters").str.contains(term, literal=True) if _LETTERS.fullmatch(term) else hit


def _score(whole: str) -> pl.Expr:
    """0 the very name, 1 its beginning or end, 2 a part of it, 3 anything else."""
    key, names = pl.col("key"), pl.col("names")
    exact = (key == whole) | names.str.contains(f"|{whole}|", literal=True)
    edge = key.str.starts_with(whole) | key.str.ends_with(whole)
    part = key.str.contains(whole, literal=True) | names.str.contains(whole, literal=True)
    return pl.when(exact).then(0).when(edge).then(1).when(part).then(2).otherwise(3)


def _metres(near: Position | None) -> pl.Expr:
    """Metres to a point, flat as far as a city reaches."""
    if near is None:
        return pl.lit(None, dtype=pl.Float64)
    east = (pl.col("lon") - near.lon) * pl.lit(near.lat).radians().cos()
    return (east**2 + (pl.col("lat") - near.lat) ** 2).sqrt() * METRES_A_DEGREE


def _rows(frame: pl.DataFrame) -> Iterator[Address]:
    for row in frame.iter_rows(named=True):
        aliases = tuple(part for part in (row["aliases"] or "").split("|") if part)
        yield Address(row["address"], row["lon"], row["lat"], aliases, row["letters"] or "", row.get("metres"))

"""``cityloop import addresses``: the register of standard addresses → the city's file of addresses."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from cityloop.city.addresses import COLUMNS, Address, folded_address, initials, read_addresses
from cityloop.city.areas import Areas
from cityloop.city.content import CityFile
from cityloop.city.datum import convert_many
from cityloop.city.faults import Faults
from cityloop.city.shapes import read_areas
from cityloop.city.sheet import SheetPlan
from cityloop.core.content import load, raise_faults
from cityloop.core.errors import ContentError
from cityloop.serve.importing.files import replace_file
from cityloop.serve.importing.kinds import ADDRESSES
from cityloop.serve.importing.plans import Told, plan_of, refuse_faults
from cityloop.serve.importing.rows import Row, sheet_lines, table_of


def import_addresses(
    folder: Path, file: Path, sheet: str | None, datum: str, write: bool
) -> tuple[SheetPlan, list[Path]]:
    """The plan of a sheet of addresses; with ``write`` the city's file of addresses, which every row must allow."""
    city = load(folder / "city.yaml", CityFile)
    if city.addresses is None:
        raise ContentError("city.yaml names no file of addresses", "write addresses: addresses.csv")
    path, ground = folder / city.addresses, Faults()
    standing = {one.address: one for one in read_addresses(path, ground)} if path.is_file() else {}
    areas = read_areas(folder, city.areas, ground)
    raise_faults("what stands", ground.found)
    lines, notes = sheet_lines(table_of(file, sheet), ADDRESSES)
    faults = Faults()
    read = _read([Row(line, faults) for line in lines], datum, areas)
    before, told = ({text: _told(one) for text, one in known.items()} for known in (standing, read))
    plan = plan_of(ADDRESSES, len(lines), before, told, faults, notes)
    if not write:
        return plan, []
    refuse_faults(plan, faults, file.name)
    replace_file(path, _csv({**standing, **read}))
    return plan, [path]


def _read(rows: Sequence[Row], datum: str, areas: Areas) -> dict[str, Address]:
    found: dict[str, Address] = {}
    keys: dict[str, str] = {}
    drawn = [(row, address) for row in rows if (address := _address(row)) is not None]
    lons, lats = convert_many(
        np.array([one.lon for _, one in drawn], dtype=float), np.array([one.lat for _, one in drawn], dtype=float),
        datum, "wgs84",
    )  # fmt: skip
    places = areas.locate_many(lons, lats) if drawn else []
    for (row, one), lon, lat, place in zip(drawn, lons.tolist(), lats.tolist(), places, strict=True):
        key = folded_address(one.address)
        if place is None:
            area, metres = areas.nearest(lon, lat)
            what = f"the point lies outside the city: {metres:,.0f} m from {area.title.zh} ({area.code})"
            row.fault("lon", what, "check the coordinates and their datum (--datum)")
        elif key in keys:
            row.fault("address", f"the address stands at {keys[key]} already", "keep one of the two rows")
        else:
            keys[key] = row.where("address")
            found[one.address] = Address(one.address, round(lon, 7), round(lat, 7), one.aliases, initials(one.address))
    return found


def _address(row: Row) -> Address | None:
    text, lon, lat = row.needed("address"), row.number("lon", 180), row.number("lat", 90)
    if lon is None and not row.text("lon"):
        row.needed("lon")
    if lat is None and not row.text("lat"):
        row.needed("lat")
    if not text or lon is None or lat is None:
        return None
    return Address(text, lon, lat, tuple(row.many("aliases")))


def _told(one: Address) -> Told:
    return {"lon": f"{one.lon:.6f}", "lat": f"{one.lat:.6f}", "aliases": "|".join(one.aliases)}


def _csv(addresses: Mapping[str, Address]) -> str:
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for _, one in sorted(addresses.items()):
        writer.writerow([one.address, f"{one.lon:.7f}", f"{one.lat:.7f}", "|".join(one.aliases), one.letters])
    return out.getvalue()

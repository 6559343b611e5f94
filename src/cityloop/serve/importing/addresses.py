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
from cityloop.core.content import load, raise_faults
from cityloop.core.errors import Invalid
from cityloop.serve.importing.kinds import ADDRESSES
from cityloop.serve.importing.phrases import PHRASES
from cityloop.serve.importing.plans import Draft, Told, plan_of
from cityloop.serve.importing.rows import Row, sheet_lines, table_of
from cityloop.serve.importing.sent import Sent


def read_address_sheet(folder: Path, sent: Sent) -> Draft:
    """A sheet of addresses as the city's file of addresses, which every row must allow."""
    city = load(folder / "city.yaml", CityFile)
    if city.addresses is None:
        raise PHRASES.problem(Invalid, "no-address-file")
    path, ground = folder / city.addresses, Faults()
    standing = {one.address: one for one in read_addresses(path, ground)} if path.is_file() else {}
    areas = read_areas(folder, city.areas, ground)
    raise_faults("what stands", ground.found)
    lines, notes = sheet_lines(table_of(sent), ADDRESSES)
    faults = Faults()
    read = _read([Row(line, faults) for line in lines], sent.datum, areas)
    before, told = ({text: _told(one) for text, one in known.items()} for known in (standing, read))
    plan = plan_of(ADDRESSES, len(lines), before, told, faults, notes)
    return Draft(plan, faults.found, {} if faults.found else {path: _csv({**standing, **read})})


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
            row.fault("lon", "outside-city", area=area.title, code=area.code, metres=metres)
        elif key in keys:
            row.fault("address", "stands-at", text=one.address, place=keys[key])
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

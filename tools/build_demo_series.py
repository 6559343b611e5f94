"""Build the series and entities of the demo city from measured data sets.

    uv run tools/build_demo_series.py --data FOLDER [--city cities/demo]

``FOLDER`` holds ``air_beijing_prsa/``, ``metro_hangzhou/``, ``sanitation_bins/``, ``anomaly_nab/`` and
``cases_boston311/`` (origins and licences: ``docs/demo-city.md``); places are taken from the grid cells of the city
folder. Every series is moved by whole days, so weekday and time of day stay as measured; missing values stay missing.
Some streams are simulated: ``tools/demo_simulated.py``. The same sources always give the same files.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import demo_simulated
import polars as pl
from demo_places import LonLat, centre, land_cells, quantile_places, scatter, scattered_places, small_half, spread
from shapely.geometry.base import BaseGeometry

DEMO_ZONE = ZoneInfo("Asia/Shanghai")
DEMO_MONDAY = datetime(2026, 3, 9)  # noqa: DTZ001 - a wall-clock day, zones are joined below
DAYS = 14
WARM = timedelta(hours=6)
"""Measured series begin at 06:00, half an hour before city time does, so that the first map is not empty."""
OPENING = timedelta(hours=6, minutes=30)


@dataclass(frozen=True)
class Slice:
    """A stretch of a source: its Monday in local time, and the zone it was measured in."""

    monday: datetime
    zone: ZoneInfo

    @property
    def end(self) -> datetime:
        """The first instant behind the slice, local time."""
        return self.monday + timedelta(days=DAYS)

    def moved(self, frame: pl.DataFrame, column: str) -> pl.DataFrame:
        """Add ``time`` (UTC, demo city time) and ``measured_at`` (ISO text, original local time) from ``column``."""
        shift = DEMO_MONDAY - self.monday
        local = pl.col(column).dt.replace_time_zone(str(self.zone), ambiguous="earliest", non_existent="null")
        demo = (pl.col(column) + shift).dt.replace_time_zone(str(DEMO_ZONE)).dt.convert_time_zone("UTC")
        return frame.with_columns(
            time=demo.cast(pl.Datetime("us", "UTC")), measured_at=local.dt.to_string("%Y-%m-%dT%H:%M:%S%:z")
        )


AIR = Slice(datetime(2014, 3, 31), ZoneInfo("Asia/Shanghai"))  # noqa: DTZ001
METRO = Slice(datetime(2019, 1, 7), ZoneInfo("Asia/Shanghai"))  # noqa: DTZ001
BINS = Slice(datetime(2016, 7, 4), ZoneInfo("Europe/London"))  # noqa: DTZ001
ROADS = Slice(datetime(2015, 8, 31), ZoneInfo("America/Chicago"))  # noqa: DTZ001
SIMULATED = Slice(DEMO_MONDAY, DEMO_ZONE)
CITIZEN = Slice(datetime(2011, 10, 3), ZoneInfo("America/New_York"))  # noqa: DTZ001
ROAD_NAMES = {"6005": "M6005", "7578": "M7578", "t4013": "MT4013"}
"""Detectors of the source, and their ids here."""
_OWN_STAFF = ("Employee Generated", "Maximo Integration")
_AIR_VALUES = ("PM2.5", "PM10", "SO2", "NO2", "CO", "O3", "TEMP", "PRES", "DEWP", "RAIN", "wd", "WSPM")
_NOWHERE = (42.3594, -71.0587)
"""Where the source puts every record whose address it could not find."""
_SPELLING = {"atholl cresent": "Atholl Crescent", "promanade": "Promenade", "rose street": "Rose Street"}
_CHANNEL = {"Constituent Call": "hotline"}


def between(frame: pl.DataFrame, column: str, part: Slice, start: timedelta) -> pl.DataFrame:
    """The rows of ``frame`` from ``start`` after the slice's Monday midnight to its end."""
    return frame.filter((pl.col(column) >= part.monday + start) & (pl.col(column) < part.end))


def air(data: Path) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Hourly air quality of 12 Beijing stations, and the stations."""
    stations = pl.read_csv(data / "air_beijing_prsa/stations.csv")
    code = dict(stations.select("station", "stationcode").iter_rows())
    rows = between(pl.read_parquet(data / "air_beijing_prsa/prsa.parquet"), "time", AIR, WARM)
    # The source keeps 32-bit floats: four decimals give back the figures that were published.
    clean = [pl.col(n).cast(pl.Float64).fill_nan(None).round(4) for n in _AIR_VALUES if n != "wd"]
    rows = rows.rename({"time": "local"}).with_columns(*clean, station=pl.col("station").replace_strict(code))
    rows = AIR.moved(rows, "local").select("station", "time", *_AIR_VALUES, "measured_at").sort("time", "station")
    return rows, stations.sort("stationcode")


def metro(data: Path) -> pl.DataFrame:
    """Entries per 10 minutes at 80 Hangzhou metro stations."""
    wide = between(pl.read_parquet(data / "metro_hangzhou/hangzhou_inflow_10min.parquet"), "time", METRO, WARM)
    rows = wide.rename({"time": "local"}).unpivot(index="local", variable_name="station", value_name="entries")
    return METRO.moved(rows, "local").select("station", "time", "entries", "measured_at").sort("time", "station")


def bins(data: Path) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Emptyings of Edinburgh litter bins with the fill found, and the bins."""
    source = pl.read_parquet(data / "sanitation_bins/edinburgh_litter_bins_2016.parquet")
    source = source.with_columns(pl.col("Site").cast(pl.String).alias("bin"))
    rows = BINS.moved(between(source, "collected_at", BINS, WARM), "collected_at")
    columns = ("bin", "time", "fill_before_pct", "fill_after_pct", "volume_l", "weight_kg", "measured_at")
    sites = source.sort("collected_at").unique("bin", keep="last").select("bin", "Site name", "Address").sort("bin")
    return rows.select(columns).sort("time", "bin"), sites.filter(pl.col("bin").is_in(rows["bin"].implode()))


def roads(data: Path) -> pl.DataFrame:
    """Speed and, where it was measured, occupancy at three detectors; free flow is the 95 % quantile of each."""
    found = []
    for name, code in ROAD_NAMES.items():
        rows = _road(data, f"speed_{name}").rename({"value": "speed"})
        free = rows["speed"].quantile(0.95, "nearest")
        if (data / f"anomaly_nab/occupancy_{name}.csv.gz").exists():
            rows = rows.join(_road(data, f"occupancy_{name}").rename({"value": "occupancy"}), on="local", how="left")
        found.append(rows.with_columns(segment=pl.lit(code), free_flow=pl.lit(free), speed_unit=pl.lit("[mi_i]/h")))
    rows = ROADS.moved(between(pl.concat(found, how="diagonal"), "local", ROADS, WARM), "local")
    columns = ("segment", "time", "speed", "free_flow", "speed_unit", "occupancy", "measured_at")
    return rows.select(columns).sort("time", "segment")


def _road(data: Path, name: str) -> pl.DataFrame:
    rows = pl.read_csv(data / f"anomaly_nab/{name}.csv.gz").unique("timestamp", keep="first", maintain_order=True)
    return rows.select(
        pl.col("timestamp").str.to_datetime("%Y-%m-%d %H:%M:%S").alias("local"), pl.col("value").cast(pl.Float64)
    )


def citizen(data: Path, kinds: pl.DataFrame, cells: Sequence[BaseGeometry]) -> pl.DataFrame:
    """Boston 311 reports of citizens (not of the city's own staff) whose kind the catalogue knows."""
    source = pl.read_parquet(data / "cases_boston311/boston311_2011.parquet")
    rows = between(source, "open_dt", CITIZEN, OPENING).filter(~pl.col("source").is_in(_OWN_STAFF))
    rows = rows.join(kinds.filter(pl.col("code").is_not_null()), left_on="type", right_on="boston_type").sort("open_dt")
    places = citizen_places(rows, cells)
    rows = CITIZEN.moved(rows, "open_dt").with_columns(
        external_number=pl.col("case_enquiry_id").cast(pl.String),
        title=pl.col("title_zh"),
        matter="gb47678:matter:" + pl.col("code"),
        lon=pl.Series([place[0] for place in places]),
        lat=pl.Series([place[1] for place in places]),
        handling_seconds=(pl.col("closed_dt") - pl.col("open_dt")).dt.total_seconds(),
        channel=pl.col("source").replace_strict(_CHANNEL, default="citizen"),
    )
    columns = ("external_number", "time", "title", "title_en", "matter", "lon", "lat", "channel", "handling_seconds")
    return rows.select(*columns, pl.col("type").alias("kind"), pl.col("measured_at").alias("measured")).sort("time")


def citizen_places(rows: pl.DataFrame, cells: Sequence[BaseGeometry]) -> list[LonLat]:
    """A place for every record: by rank where Boston knew the address, scattered where it did not."""
    lost = (pl.col("latitude") == _NOWHERE[0]) & (pl.col("longitude") == _NOWHERE[1])
    known = rows.filter(~lost)
    ranked = iter(quantile_places(cells, known["longitude"].to_list(), known["latitude"].to_list()))
    loose = iter(scattered_places(cells, rows.height - known.height))
    return [next(loose) if is_lost else next(ranked) for is_lost in rows.select(lost).to_series()]


def station_entities(stations: pl.DataFrame, cells: Sequence[BaseGeometry]) -> pl.DataFrame:
    """Air stations, one in each of 12 cells spread over the whole city."""
    rows = []
    for (name, zh, code), cell in zip(
        stations.select("station", "name_cn", "stationcode").iter_rows(), spread(cells, stations.height), strict=True
    ):
        lon, lat = centre(cell)
        rows.append((code, f"空气站·{zh}（北京实测）", f"Air station {name} (measured in Beijing)", lon, lat, zh))
    return _table(rows, "measured_station")


def metro_entities(names: Sequence[str], cells: Sequence[BaseGeometry]) -> pl.DataFrame:
    """Metro stations, one in each of 80 cells spread over the denser half of the city. The source names none."""
    rows = []
    for name, cell in zip(names, spread(small_half(cells), len(names)), strict=True):
        lon, lat = centre(cell)
        rows.append(
            (name, f"地铁站 {name}（杭州实测）", f"Metro station {name} (measured in Hangzhou)", lon, lat, name)
        )
    return _table(rows, "measured_station")


def road_entities(cells: Sequence[BaseGeometry]) -> pl.DataFrame:
    """Road detectors, one in each of three cells. The source tells no places."""
    rows = []
    for (name, code), cell in zip(ROAD_NAMES.items(), spread(small_half(cells), 7)[4:], strict=True):
        zh, en = f"路段检测器 {name}（明尼苏达实测）", f"Road detector {name} (measured in Minnesota)"
        rows.append((code, zh, en, *centre(cell), name))
    return _table(rows, "measured_detector")


def bin_entities(sites: pl.DataFrame, cells: Sequence[BaseGeometry]) -> pl.DataFrame:
    """Litter bins: each Edinburgh street gets a cell of the denser half, its bins are scattered inside it."""
    streets: dict[str, list[tuple[str, str]]] = {}
    for site, name, address in sites.iter_rows():
        streets.setdefault(street_of(address), []).append((site, name))
    rows = []
    for (street, members), cell in zip(sorted(streets.items()), spread(small_half(cells), len(streets)), strict=True):
        for number, ((site, name), (lon, lat)) in enumerate(
            zip(members, scatter(cell, len(members)), strict=True), start=1
        ):
            zh = f"果皮箱·{street} {number} 号（爱丁堡实测）"
            rows.append((site, zh, f"Litter bin, {name} (measured in Edinburgh)", lon, lat, street))
    return _table(sorted(rows), "measured_street")


def street_of(address: str) -> str:
    """The street of an Edinburgh address, without house number; a few spellings of the source are made one."""
    street = re.sub(r"^[\d\s/-]+[a-zA-Z]?\s+", "", address).strip()
    return _SPELLING.get(street.lower(), street.replace("links", "Links"))


def _table(rows: Sequence[tuple[str, str, str, float, float, str]], attribute: str) -> pl.DataFrame:
    return pl.DataFrame(rows, schema=["id", "title_zh", "title_en", "lon", "lat", attribute], orient="row")


def simulated(cells: Sequence[BaseGeometry]) -> tuple[dict[str, pl.DataFrame], dict[str, pl.DataFrame]]:
    """What nobody measured: series of hazardous goods, lamp poles and low points, and the entities of the first two."""
    lines = demo_simulated.routes(cells)
    control, sensors = demo_simulated.lamp_rows(DEMO_MONDAY, DAYS, WARM)
    rows = {
        "hazmat-positions": demo_simulated.tracks(lines, DEMO_MONDAY, DAYS, WARM),
        "lamp-control": control,
        "lamp-sensors": sensors,
        "water-levels": demo_simulated.water_rows(DEMO_MONDAY, DAYS, WARM),
    }
    series = {name: SIMULATED.moved(frame, "local").drop("local", "measured_at") for name, frame in rows.items()}
    return series, {
        "HazmatVehicle": demo_simulated.vehicle_entities(lines),
        "HazmatRoute": demo_simulated.route_entities(lines),
        "HazmatZone": demo_simulated.zone_entities(lines),
        "LampPole": demo_simulated.pole_entities(cells),
    }


def write(city: Path, series: dict[str, pl.DataFrame], entities: dict[str, pl.DataFrame]) -> None:
    """Write all files below the city folder and say how large each is."""
    for folder in ("series", "entities"):
        (city / folder).mkdir(parents=True, exist_ok=True)
    for name, frame in series.items():
        path = city / "series" / f"{name}.parquet"
        frame.write_parquet(path, compression="zstd", compression_level=19)
        sys.stdout.write(
            f"{path}: {frame.height} rows, {path.stat().st_size // 1024} KB, "
            f"{frame['time'][0]} to {frame['time'][-1]}\n"
        )
    for name, frame in entities.items():
        path = city / "entities" / f"{name}.csv"
        frame.write_csv(path)
        sys.stdout.write(f"{path}: {frame.height} rows\n")


def main() -> None:
    """Read the arguments, build everything."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--data", type=Path, required=True, help="folder that holds the measured data sets")
    parser.add_argument("--city", type=Path, default=Path("cities/demo"), help="city folder to write into")
    given = parser.parse_args()
    cells = land_cells(given.city / "areas/cells.geojson")
    kinds = pl.read_csv(given.city / "series/kind_map.csv", schema_overrides={"code": pl.String})
    air_rows, stations = air(given.data)
    bin_rows, sites = bins(given.data)
    metro_rows = metro(given.data)
    series = {
        "air-hourly": air_rows,
        "metro-entries": metro_rows,
        "bin-emptying": bin_rows,
        "road-speeds": roads(given.data),
        "citizen": citizen(given.data, kinds, cells),
    }
    entities = {
        "AirQualityStation": station_entities(stations, cells),
        "MetroStation": metro_entities(sorted(metro_rows["station"].unique()), cells),
        "WasteContainer": bin_entities(sites, cells),
        "RoadSegment": road_entities(cells),
    }
    simulated_series, simulated_entities = simulated(cells)
    write(given.city, series | simulated_series, entities | simulated_entities)


if __name__ == "__main__":
    main()

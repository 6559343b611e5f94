"""Four departments that agree on nothing land in one entity type, by the very files of the how-to."""

from __future__ import annotations

import json
import os
import re
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from shutil import copytree
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pymysql
import pytest
from openpyxl import Workbook
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion
from pyproj import Transformer

from cityloop.access.actor import SYSTEM
from cityloop.city.datum import convert
from cityloop.core.settings import Settings
from cityloop.core.web import Paging
from cityloop.serve.check import check_city
from cityloop.serve.house import House
from tests.collect.sources.wired import wait
from tests.parts import Broker, Store

ROOT = Path(__file__).parents[2]
FIRST = Paging(page=1, size=100, sort="")
NOW = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=5)
PLACES = {
    "W-1": (114.0580, 22.5430), "W-2": (114.0612, 22.5391), "T-1": (114.1102, 22.5560), "T-2": (114.0203, 22.5417),
    "U-1": (113.9301, 22.5333), "U-2": (113.9404, 22.5402), "P-1": (114.0311, 22.5602), "P-2": (114.0899, 22.5704),
}  # fmt: skip
"""Where the points are, in WGS 84."""
EXPECTED = {
    "W-1": (35.0, "ponding"), "W-2": (0.0, "dry"), "T-1": (61.2, "flooded"), "T-2": (0.0, "dry"),
    "U-1": (12.5, "ponding"), "U-2": (70.0, "flooded"), "P-1": (3.0, "dry"), "P-2": (40.0, "ponding"),
}  # fmt: skip
"""Level in centimetres, and state."""
VIOLATIONS = {
    "flood-water": ["malformed", "number", "code"],
    "flood-tunnels": ["range", "code", "area"],
    "flood-streets": ["number", "code", "required"],
    "flood-parks": ["unit", "future", "malformed"],
}


@pytest.fixture
def city(tmp_path: Path) -> Path:
    """The demo city without its replay, and with the files of the how-to."""
    folder = tmp_path / "cities" / "demo"
    copytree(ROOT / "cities" / "demo", folder)
    (tmp_path / "packs").symlink_to(ROOT / "packs")
    page = (ROOT / "docs" / "how-to-four-departments.md").read_text(encoding="utf-8")
    for name, text in re.findall(r"```yaml\n# (\w+\.yaml)\n(.*?)```", page, re.DOTALL):
        (folder / name).write_text(text, encoding="utf-8")
    return folder


def water(broker: Broker) -> None:
    """Messages of the water department."""
    client = Client(CallbackAPIVersion.VERSION2)
    client.username_pw_set(broker.user, broker.password)
    client.connect("127.0.0.1", broker.locked_port)
    client.loop_start()

    def send(code: str, body: Any) -> None:
        payload = body if isinstance(body, str) else json.dumps({"t": int(NOW.timestamp() * 1000), **body})
        client.publish(f"flood/{code}/up", payload, qos=1).wait_for_publish(10)

    for code, level, state in (("W-1", 0.35, 1), ("W-2", 0, 0)):
        send(code, {"level": level, "state": state, **_at(code)})
    send("W-1", "{level: 3}")
    send("W-1", {"level": "deep", "state": 1, **_at("W-1")})
    send("W-2", {"level": 0.1, "state": 9, **_at("W-2")})
    client.disconnect()
    client.loop_stop()


def _at(code: str) -> dict[str, float]:
    return dict(zip(("lon", "lat"), PLACES[code], strict=True))


def transport(store: Store) -> None:
    """The table of the transport department, in GBK."""
    metres = Transformer.from_crs("EPSG:4490", "EPSG:4547", always_xy=True)
    local = (NOW + timedelta(hours=8)).replace(tzinfo=None)
    rows = [
        ("T-1", "滨河下穿通道", 612, "严重积水", *metres.transform(*PLACES["T-1"])),
        ("T-2", "新洲下穿通道", 0, "正常", *metres.transform(*PLACES["T-2"])),
        ("T-1", "滨河下穿通道", -5, "正常", *metres.transform(*PLACES["T-1"])),
        ("T-2", "新洲下穿通道", 10, "干涸", *metres.transform(*PLACES["T-2"])),
        ("T-9", "别处", 10, "积水", *metres.transform(113.26, 23.13)),
    ]
    with pymysql.connect(
        host="127.0.0.1", port=store.port, user=store.user, password=store.password, database="city", autocommit=True
    ) as connection, connection.cursor() as cursor:  # fmt: skip
        cursor.execute(
            "CREATE OR REPLACE TABLE jcd_sw (xh INT PRIMARY KEY AUTO_INCREMENT, tdbh VARCHAR(10), tdmc VARCHAR(40), "
            "cjsj DATETIME, sw INT, zt VARCHAR(10), x DOUBLE, y DOUBLE, gxsj DATETIME(6)) CHARACTER SET gbk"
        )
        for number, (code, name, level, state, x, y) in enumerate(rows):
            at = local - timedelta(seconds=number)
            cursor.execute(
                "INSERT INTO jcd_sw (tdbh, tdmc, cjsj, sw, zt, x, y, gxsj) VALUES (%s, %s, %s, %s, %s, %s, %s, %s)",
                (code, name, at, level, state, x, y, local + timedelta(seconds=number)),
            )


def urban(folder: Path) -> None:
    """The workbook of urban management: a title, headings of two rows, merged streets."""
    local = NOW + timedelta(hours=8)
    at = f"{local.year}年{local.month}月{local.day}日 {local.hour}时{local.minute}分"
    book = Workbook()
    sheet = book.active
    sheet.append(["2026年街面积水巡查表"])
    sheet.append(["街道", "编号", "点位", "坐标", None, "观测", None, None])
    sheet.append([None, None, None, "经度", "纬度", "时间", "水深(cm)", "状态"])
    for street, code, depth, state in (
        ("粤海街道", "U-1", "１２．５", "B"),
        (None, "U-2", 70, "C"),
        (None, "U-1", "约30", "B"),
        ("南山街道", "U-2", 30, "X"),
        (None, None, 30, "A"),
    ):
        lon, lat = convert(*PLACES[code or "U-1"], "wgs84", "bd09")
        sheet.append([street, code, "路口", lon, lat, at, depth, state])
    for cells in ("A1:H1", "A2:A3", "B2:B3", "C2:C3", "D2:E2", "F2:H2", "A4:A6", "A7:A8"):
        sheet.merge_cells(cells)
    folder.mkdir()
    book.save(file := folder / "积水巡查.xlsx")
    os.utime(file, (NOW.timestamp(), NOW.timestamp()))  # what was written just now is left to its writer


def parks() -> list[Any]:
    """What the interface of the parks answers, over two pages."""

    def entry(code: str, value: float, unit: str, status: str, at: datetime = NOW) -> dict[str, Any]:
        lng, lat = convert(*PLACES[code], "wgs84", "gcj02")
        depth = {"value": value, "unit": unit}
        return {"id": code, "name": "湖边", "gps": {"lng": lng, "lat": lat}, "depth": depth, "status": status,
                "at": at.isoformat()}  # fmt: skip

    return [
        entry("P-1", 3, "cm", "NORMAL"),
        entry("P-2", 0.4, "m", "PONDING"),
        entry("P-1", 12, "inch", "NORMAL", NOW - timedelta(seconds=1)),
        entry("P-2", 1, "cm", "NORMAL", NOW + timedelta(days=1)),
        "no entry",
    ]


@pytest.fixture
def interface() -> Iterator[str]:
    """The parks' interface; it wants a key."""
    stock = parks()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            query = parse_qs(urlsplit(self.path).query)
            page, size = int(query["page"][0]), int(query["size"][0])
            body = json.dumps({"code": 0, "data": {"list": stock[(page - 1) * size : page * size]}}).encode()
            self.send_response(200 if self.headers.get("X-Key") == "parks" else 401)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def house(
    city: Path, tmp_path: Path, mosquitto: Broker, mariadb: Store, interface: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[House]:
    """The city with its sources at the real servers' addresses."""
    places = {
        "mqtt://broker.water.example:1883": f"mqtt://127.0.0.1:{mosquitto.locked_port}",
        "db.transport.example:3306": f"127.0.0.1:{mariadb.port}",
        "/srv/drop/urban": str(tmp_path / "drop"),
        "http://parks.example": interface,
    }
    text = (city / "sources.yaml").read_text(encoding="utf-8")
    for there, here in places.items():
        assert there in text
        text = text.replace(there, here)
    (city / "sources.yaml").write_text(text, encoding="utf-8")
    for name, secret in (
        ("MQTT_PASSWORD", mosquitto.password),
        ("DB_PASSWORD", mariadb.password),
        ("API_KEY", "parks"),
    ):
        monkeypatch.setenv(f"FLOOD_{name}", secret)
    assert check_city(city) == []
    transport(mariadb)
    urban(tmp_path / "drop")
    opened = House(Settings(city=city, data=tmp_path / "data", sync=False))
    opened.start()
    yield opened
    opened.stop()


def test_four_departments_land_in_one_entity_type_with_every_violation_listed(
    house: House, mosquitto: Broker, tmp_path: Path
) -> None:
    def state(source: str) -> str:
        return house.sources.get(SYSTEM, source).state

    wait(lambda: state("water-broker") == "running", lambda: str(house.sources.get(SYSTEM, "water-broker")))
    water(mosquitto)

    def counts() -> dict[str, tuple[int, int]]:
        page = house.collector.feeds(SYSTEM)
        return {feed.id: (feed.accepted, feed.quarantined) for feed in page if feed.entity_type == "FloodingPoint"}

    wait(lambda: counts() == dict.fromkeys(VIOLATIONS, (2, 3)), lambda: f"{counts()} {dict(house.sources.troubles)}")

    sql = "SELECT entity, water_level, flood_state, observed_at, area, feed FROM FloodingPoint ORDER BY entity"
    rows = house.lake.query(sql, ["FloodingPoint"]).to_pylist()
    assert {row["entity"]: (round(row["water_level"], 6), row["flood_state"]) for row in rows} == EXPECTED
    assert all(abs(row["observed_at"] - NOW) < timedelta(minutes=1) for row in rows)
    assert all(row["area"].startswith("4403") for row in rows)

    points = house.collector.entities(SYSTEM, FIRST, entity_type="FloodingPoint").items
    assert {point.id for point in points} == set(PLACES)
    for point in points:
        assert (point.lon, point.lat) == pytest.approx(PLACES[point.id], abs=1e-5), point
    assert next(point for point in points if point.id == "T-1").title.zh == "滨河下穿通道"

    refused = [(item.feed, reason.rule) for item in quarantined(house) for reason in item.reasons]
    assert Counter(refused) == Counter((feed, rule) for feed, rules in VIOLATIONS.items() for rule in rules)
    assert all(item.raw and reason.reason for item in quarantined(house) for reason in item.reasons)
    report = json.loads((tmp_path / "drop" / "done" / "积水巡查.xlsx.report.json").read_text(encoding="utf-8"))
    assert [line["reasons"][0]["rule"] for line in report["refused"]] == VIOLATIONS["flood-streets"]


def quarantined(house: House) -> list[Any]:
    """Everything in quarantine."""
    return list(house.collector.quarantine(SYSTEM, FIRST, None).items)

"""The same job on the same broker, one after another: cityloop, Node-RED and a streaming framework.

Records come at QoS 1, one a message. The 15-minute mean of each entity in 10-second buckets raises an alert at 75, with
a margin of 10. Latency runs from the publishing of the record that crosses to the alert: cityloop's on its live stream,
with evidence, behind the durable commit; the peers' on the broker, with nothing stored. The peers are installed into a
folder of their own; one that cannot be had is left out, and the report says so.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import httpx
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion
from tests.parts import free_port
from tests.running import RunningCity

from bench.conditions import percentiles
from bench.town import write_pack, write_town
from cityloop.core.errors import Problem
from cityloop.core.settings import Settings
from cityloop.serve.users import add_user

NODE_RED, BYTEWAX, PAHO = "node-red@4.1.8", "bytewax==0.21.1", "paho-mqtt==2.1.0"
HERE = Path(__file__).parent / "peers"
TABLE, FEED = "AirQualityStation", "air-hourly"
LOADS = [f"load{number:04}" for number in range(1000)]
PROBES = [f"probe{number:03}" for number in range(400)]
CROSSERS = [f"cross{number:04}" for number in range(400)]
Hear = Callable[[str], None]
LOW, HIGH = 10.0, 900.0
EVERY = 0.1
"""Seconds between two crossings."""
PATIENCE = 60.0
_RULE = """rules:
  - id: bench.mean
    version: "1"
    title: 均值
    description: 测速
    message: "{entity} {value}"
    entity_type: AirQualityStation
    property: pm2_5
    unit: ug/m3
    aggregate: mean
    window: 15min
    bucket: 10s
    levels: {orange: 75}
    clear: {margin: 10}
    department: environment
    respond: none
    no_case_because: 测速
"""


@dataclass(frozen=True)
class Doer:
    """A running peer: its process, and who tells its alerts where the broker does not."""

    process: int
    listen: Callable[[Hear], None] = lambda hear: None


class Wire:
    """Publishes records, and hears alerts of the peers."""

    def __init__(self, port: int) -> None:
        self.heard: dict[str, float] = {}
        self._client = Client(CallbackAPIVersion.VERSION2, client_id="bench")
        self._client.max_inflight_messages_set(20_000)
        self._client.on_message = lambda _client, _data, message: self.hear(json.loads(message.payload)["entity"])
        self._client.on_connect = lambda client, *_: client.subscribe("alerts", qos=1)
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()

    def hear(self, entity: str) -> None:
        """An alert of an entity came."""
        self.heard.setdefault(entity, time.perf_counter())

    def send(self, entity: str, value: float) -> float:
        """Publish one record; returns when."""
        at = datetime.now(UTC).isoformat()
        sent = time.perf_counter()
        self._client.publish("obs", json.dumps({"station": entity, "time": at, "PM2.5": value}), qos=1)
        return sent

    def close(self) -> None:
        """Leave the broker."""
        self._client.disconnect()
        self._client.loop_stop()


Opener = Callable[[int, Path], AbstractContextManager[Doer]]
"""Opens something that does the job on the broker's port, with what it keeps in a folder."""


def run(seconds: float, rate: int, folder: Path | None) -> dict[str, Any]:
    """Measure each for about ``seconds`` at ``rate``, then as fast as it goes."""
    tools = folder or Path.home() / ".cache" / "cityloop-bench"
    tools.mkdir(parents=True, exist_ok=True)
    peers: dict[str, Opener] = {"cityloop": _cityloop, "node_red": _node_red, "bytewax": _bytewax}
    with tempfile.TemporaryDirectory(prefix="cityloop-bench-") as name, _broker(Path(name)) as port:
        homes = {peer: Path(name) if peer == "cityloop" else tools for peer in peers}
        found = {peer: _measured(peers[peer], port, home, seconds, rate) for peer, home in homes.items()}
    return {name: {**figures, **_ratios(found["cityloop"], figures)} for name, figures in found.items()}


def _ratios(ours: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """How many times as much of each cityloop has, where both were measured."""
    if other is ours or "left_out" in other or "left_out" in ours:
        return {}
    wanted = ("observations_per_second", "processor_us_per_observation")
    found = {name: round(ours[name] / other[name], 2) for name in wanted}
    return {
        "cityloop_to_this": {**found, "latency_p50": round(ours["latency_ms"]["p50"] / other["latency_ms"]["p50"], 1)}
    }


def _measured(opener: Opener, port: int, folder: Path, seconds: float, rate: int) -> dict[str, Any]:
    wire = Wire(port)
    try:
        with opener(port, folder) as doer:
            threading.Thread(target=doer.listen, args=(wire.hear,), daemon=True).start()
            _wait_for_probe(wire)
            return _figures(wire, doer.process, seconds, rate)
    except (Problem, OSError, subprocess.SubprocessError, AssertionError) as error:
        return {"left_out": str(error)}
    finally:
        wire.close()


def _wait_for_probe(wire: Wire) -> None:
    for probe in PROBES:
        wire.send(probe, LOW)
        wire.send(probe, HIGH)
        time.sleep(PATIENCE / len(PROBES))
        if wire.heard:
            return
    raise AssertionError(f"no alert was raised within {PATIENCE:.0f} s")


def _figures(wire: Wire, process: int, seconds: float, rate: int) -> dict[str, Any]:
    for entity in CROSSERS:
        wire.send(entity, LOW)
    time.sleep(1)
    before = _processor(process)
    crossed, sent = _steady(wire, seconds, rate)
    time.sleep(2)
    spent = _processor(process) - before
    late = [(wire.heard[entity] - at) * 1000 for entity, at in crossed.items() if entity in wire.heard]
    speed, flood_spent, flooded = _flood(wire, process, round(seconds * 3000))
    return {
        "asked_per_second": rate,
        "sent_per_second": round(sent / seconds),
        "crossings": len(crossed),
        "alerts": len(late),
        "latency_ms": percentiles(late),
        "processor_us_per_observation_at_this_rate": round(spent * 1e6 / sent, 1),
        "observations_per_second": round(speed),
        "processor_us_per_observation": round(flood_spent * 1e6 / flooded, 1),
    }


def _steady(wire: Wire, seconds: float, rate: int) -> tuple[dict[str, float], int]:
    """Low values at a steady rate, and a crossing every tenth of a second; when each was sent, and how many in all."""
    crossers = iter(CROSSERS)
    crossed: dict[str, float] = {}
    began = time.perf_counter()
    number, due = 0, began + EVERY
    while (now := time.perf_counter()) - began < seconds:
        if now >= due and (entity := next(crossers, None)):
            crossed[entity] = wire.send(entity, HIGH)
            due += EVERY
        if number < (now - began) * rate:
            wire.send(LOADS[number % len(LOADS)], LOW)
            number += 1
        else:
            time.sleep(0.0005)
    return crossed, number + len(crossed)


def _flood(wire: Wire, process: int, count: int) -> tuple[float, float, int]:
    """As many as the broker takes, then a crossing: observations a second until its alert, and seconds of processor."""
    last = CROSSERS[-1]
    wire.heard.pop(last, None)
    before, began = _processor(process), time.perf_counter()
    for number in range(count):
        wire.send(LOADS[number % len(LOADS)], LOW)
    wire.send(last, HIGH)
    while last not in wire.heard and time.perf_counter() - began < PATIENCE:
        time.sleep(0.005)
    if last not in wire.heard:
        raise AssertionError(f"{count} records were not done within {PATIENCE:.0f} s")
    return count / (wire.heard[last] - began), _processor(process) - before, count


def _processor(process: int) -> float:
    """Seconds of processor of a process and its children."""
    ticks = os.sysconf("SC_CLK_TCK")
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    own = (int(fields[11]) + int(fields[12])) / ticks
    children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return own + sum(_processor(int(child)) for child in children)


@contextmanager
def _broker(folder: Path) -> Iterator[int]:
    binary = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
    if binary is None:
        raise Problem("there is no mosquitto on this machine", "on Debian: apt-get install mosquitto")
    port = free_port()
    unlimited = "max_inflight_messages 0\nmax_queued_messages 0\n"
    (folder / "mosquitto.conf").write_text(f"listener {port} 127.0.0.1\nallow_anonymous true\n{unlimited}")
    with _process([binary, "-c", str(folder / "mosquitto.conf")], folder):
        time.sleep(1)
        yield port


@contextmanager
def _process(command: list[str], folder: Path, environment: Mapping[str, str] | None = None) -> Iterator[int]:
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(
            command, cwd=folder, stdout=said, stderr=subprocess.STDOUT, env={**os.environ, **(environment or {})}
        )
        try:
            yield process.pid
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(10)


@contextmanager
def _cityloop(port: int, folder: Path) -> Iterator[Doer]:
    city, data = write_town(folder, TABLE, [*LOADS, *PROBES, *CROSSERS]), folder / "data"
    write_pack(folder, "air", {"rules.yaml": _RULE})
    connection = f"connection: {{url: 'mqtt://127.0.0.1:{port}', topic: obs}}"
    source = f"sources:\n  - {{id: obs, title: 测速, feed: {FEED}, wire: mqtt, {connection}}}\n"
    (city / "sources.yaml").write_text(source, encoding="utf-8")
    token = add_user(Settings(city=city, data=data), "watcher", "watcher", ["supervisor"], None, [], None)
    served = RunningCity(["serve", str(city), "--data", str(data), "--port", "0"])
    try:
        yield Doer(served.process.pid, partial(_listen, served.url, token))
    finally:
        served.stop()


def _listen(url: str, token: str | None, hear: Hear) -> None:
    """Hear warnings as a browser does."""
    kind, signed = "", {"Authorization": f"Bearer {token}"}
    try:
        with httpx.stream("GET", f"{url}/api/v1/stream", headers=signed, timeout=None) as stream:
            for line in stream.iter_lines():
                if line.startswith("event: "):
                    kind = line[7:]
                elif line.startswith("data: ") and kind == "warning":
                    hear(json.loads(line[6:])["entity"])
    except httpx.HTTPError:
        return


@contextmanager
def _node_red(port: int, folder: Path) -> Iterator[Doer]:
    node, npm, home = shutil.which("node"), shutil.which("npm"), folder / "node-red"
    if node is None or npm is None:
        raise Problem("Node-RED was not installed: there is no node or npm", "on Debian: apt-get install nodejs npm")
    program = home / "node_modules" / "node-red" / "red.js"
    if not program.is_file():
        home.mkdir(exist_ok=True)
        options = ["--no-audit", "--no-fund", "--silent", "--prefix", str(home)]
        subprocess.run([npm, "install", *options, NODE_RED], check=True, capture_output=True, timeout=300)
    user = home / f"user-{port}"
    user.mkdir()
    (user / "flows.json").write_text(json.dumps(_flow(port)), encoding="utf-8")
    settings = (
        f"module.exports = {{uiPort: {free_port()}, uiHost: '127.0.0.1', httpAdminRoot: false, flowFile: 'flows.json'}}"
    )
    (user / "settings.js").write_text(settings, encoding="utf-8")
    command = [node, str(program), "--settings", str(user / "settings.js"), "--userDir", str(user), "flows.json"]
    try:
        with _process(command, user) as process:
            yield Doer(process)
    finally:
        shutil.rmtree(user, ignore_errors=True)


def _flow(port: int) -> list[dict[str, Any]]:
    broker = {"broker": "127.0.0.1", "port": str(port), "clientid": "node-red", "usetls": False, "protocolVersion": "4"}
    broker |= {"keepalive": "60", "cleansession": True, "autoConnect": True}
    return [
        {"id": "tab", "type": "tab", "label": "bench"},
        {"id": "broker", "type": "mqtt-broker", **broker},
        {"id": "in", "type": "mqtt in", "z": "tab", "topic": "obs", "qos": "1", "datatype": "utf8",
         "broker": "broker", "inputs": 0, "wires": [["rule"]]},
        {"id": "rule", "type": "function", "z": "tab", "func": (HERE / "rule.js").read_text("utf-8"), "outputs": 1,
         "wires": [["out"]]},
        {"id": "out", "type": "mqtt out", "z": "tab", "topic": "alerts", "qos": "1", "broker": "broker", "wires": []},
    ]  # fmt: skip


@contextmanager
def _bytewax(port: int, folder: Path) -> Iterator[Doer]:
    home = folder / "bytewax"
    python = home / "bin" / "python"
    if not python.is_file():
        subprocess.run([sys.executable, "-m", "venv", str(home)], check=True, capture_output=True, timeout=120)
        install = [str(python), "-m", "pip", "install", "--quiet", BYTEWAX, PAHO]
        subprocess.run(install, check=True, capture_output=True, timeout=300)
    with _process([str(python), str(HERE / "bytewax_job.py"), str(port)], folder) as process:
        yield Doer(process)

"""A real Spark cluster on this machine: a master and a worker as processes of their own, on free ports."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

import pytest

_QUICK = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
OPTIONS = urlencode(
    {
        "spark.driver.host": "127.0.0.1",
        "spark.driver.memory": "512m",
        "spark.driver.extraJavaOptions": _QUICK,
        "spark.executor.memory": "512m",
        "spark.executor.extraJavaOptions": _QUICK,
        "spark.sql.shuffle.partitions": "1",
        "spark.sql.codegen.wholeStage": "false",
    }
)
"""For a handful of rows: little memory, and no time spent on making long queries quick."""


def spark_home() -> Path:
    """Where PySpark lies; skips the test without it or without Java, or fails it when every part is wanted."""
    found = importlib.util.find_spec("pyspark")
    missing = "pyspark" if found is None else "" if shutil.which("java") else "java"
    if missing and os.environ.get("CITYLOOP_REQUIRE_PARTS") == "1":
        pytest.fail(f"{missing} is not installed, and CITYLOOP_REQUIRE_PARTS=1 wants every part")
    if missing or found is None or found.origin is None:
        pytest.skip(f"{missing} is not installed")
    return Path(found.origin).parent


@contextmanager
def _process(home: Path, logs: Path, role: str, *arguments: str) -> Iterator[Path]:
    """One Spark process and the file of its log; ended by its own id."""
    log = logs / f"{role}.log"
    environment = {
        **os.environ,
        "SPARK_HOME": str(home),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "SPARK_WORKER_DIR": str(logs / "work"),
        "SPARK_DAEMON_MEMORY": "256m",
        "SPARK_DAEMON_JAVA_OPTS": _QUICK,
        "SPARK_NO_DAEMONIZE": "1",
    }
    kind = f"org.apache.spark.deploy.{role}.{role.capitalize()}"
    with log.open("w") as out:
        command = [str(home / "bin" / "spark-class"), kind, *arguments]
        process = subprocess.Popen(command, stdout=out, stderr=out, env=environment)
    try:
        yield log
    finally:
        process.terminate()
        process.wait(30)


def _told(log: Path, pattern: str, seconds: float = 300) -> str:
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        if found := re.search(pattern, log.read_text(encoding="utf-8")):
            return found.group(found.lastindex or 0)
        time.sleep(0.1)
    raise AssertionError(f"no '{pattern}' in {log.name}: {log.read_text(encoding='utf-8')[-2000:]}")


@contextmanager
def cluster() -> Iterator[str]:
    """A cluster of one worker with two cores; gives the URL of its master."""
    home = spark_home()
    logs = Path(tempfile.mkdtemp(prefix="cityloop-spark-"))
    local = ["--host", "127.0.0.1", "--port", "0", "--webui-port", "0"]
    try:
        with _process(home, logs, "master", *local) as log:
            master = _told(log, r"Starting Spark master at (spark://[\d.:]+)")
            with _process(home, logs, "worker", *local, "--cores", "2", "--memory", "1g", master) as own:
                _told(own, r"Successfully registered with master")
                yield f"{master}?{OPTIONS}"
    finally:
        shutil.rmtree(logs, ignore_errors=True)

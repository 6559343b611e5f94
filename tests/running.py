"""A real cityloop process on a free port, as a person would start it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).parents[1]
PATIENCE = 300.0
"""Seconds that anything may take on a machine that has other work; only a failing test ever waits so long."""
KILLS = int(os.environ.get("CITYLOOP_KILLS", "2"))
"""Rounds of each series of kills."""


class RunningCity:
    """One process; ``client(post)`` signs in as one of the demo's people."""

    def __init__(self, arguments: list[str], environment: dict[str, str] | None = None) -> None:
        command = [sys.executable, "-m", "cityloop", *arguments]
        # A file takes all that the city says; a pipe that nobody empties would hold it up one day.
        self._said = tempfile.TemporaryFile("w+b")  # noqa: SIM115
        self.process = subprocess.Popen(
            command, cwd=ROOT, stdout=self._said, stderr=subprocess.STDOUT, env={**os.environ, **(environment or {})}
        )
        try:
            self.url = self._address()
        except BaseException:
            self.kill()
            raise

    def _address(self) -> str:
        heard, limit, running = "", time.monotonic() + PATIENCE, True
        while running and time.monotonic() < limit:
            running = self.process.poll() is None
            heard = os.pread(self._said.fileno(), 1 << 20, 0).decode()
            if found := re.search(r"http://\S+(?=\n)", heard):
                return found.group()
            time.sleep(0.05)
        raise AssertionError(f"the city did not open: {heard}")

    def client(self, account: str | None = None) -> httpx.Client:
        client = httpx.Client(base_url=self.url, timeout=PATIENCE)
        if account:
            client.post("/api/v1/demo/session", json={"account": account}).raise_for_status()
        return client

    def kill(self) -> None:
        """As a power cut would: no chance to tidy up."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(PATIENCE)
        self._said.close()

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(PATIENCE)
        self._said.close()


@contextmanager
def running(arguments: list[str]) -> Iterator[RunningCity]:
    city = RunningCity(arguments)
    try:
        yield city
    finally:
        city.stop()


def eventually(ask: Callable[[], Any], what: str, seconds: float = PATIENCE) -> Any:
    """Wait until ``ask`` answers something true, and return it."""
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        if answer := ask():
            return answer
        time.sleep(0.25)
    raise AssertionError(f"not within {seconds} s: {what}")

"""A real cityloop process on a free port, as a person would start it."""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

ROOT = Path(__file__).parents[1]
KILLS = int(os.environ.get("CITYLOOP_KILLS", "2"))
"""Rounds of each series of kills."""


class RunningCity:
    """One process; ``client(post)`` signs in as one of the demo's people."""

    def __init__(self, arguments: list[str], environment: dict[str, str] | None = None) -> None:
        command = [sys.executable, "-m", "cityloop", *arguments]
        self.process = subprocess.Popen(
            command,
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, **(environment or {})},
        )
        self.url = self._address(60)

    def _address(self, seconds: float) -> str:
        assert self.process.stdout is not None
        heard, limit = "", time.monotonic() + seconds
        while time.monotonic() < limit:
            if select.select([self.process.stdout], [], [], 0.5)[0]:
                line = self.process.stdout.readline()
                heard += line
                if found := re.search(r"http://\S+", line):
                    return found.group()
                if not line and self.process.poll() is not None:
                    break
        raise AssertionError(f"the city did not open: {heard}")

    def client(self, account: str | None = None) -> httpx.Client:
        client = httpx.Client(base_url=self.url, timeout=30)
        if account:
            client.post("/api/v1/demo/session", json={"account": account}).raise_for_status()
        return client

    def kill(self) -> None:
        """As a power cut would: no chance to tidy up."""
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(30)
        assert self.process.stdout is not None
        self.process.stdout.close()

    def stop(self) -> None:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(60)
        assert self.process.stdout is not None
        self.process.stdout.close()


@contextmanager
def running(arguments: list[str]) -> Iterator[RunningCity]:
    city = RunningCity(arguments)
    try:
        yield city
    finally:
        city.stop()


def eventually(ask: Callable[[], Any], seconds: float, what: str) -> Any:
    """Wait until ``ask`` answers something true, and return it."""
    limit = time.monotonic() + seconds
    while time.monotonic() < limit:
        if answer := ask():
            return answer
        time.sleep(0.25)
    raise AssertionError(f"not within {seconds} s: {what}")

"""A real browser on a real city. Without Chromium these tests are skipped, except where all parts are required."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page

from tests.running import RunningCity, running

FLAGS = [
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--ignore-gpu-blocklist",
]


@pytest.fixture(scope="session")
def chromium() -> str:
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        if os.environ.get("CITYLOOP_REQUIRE_PARTS"):
            pytest.fail("no Chromium on this machine, and CITYLOOP_REQUIRE_PARTS is set")
        pytest.skip("no Chromium on this machine")
    return found


@pytest.fixture(scope="session")
def browser_type_launch_args(chromium: str) -> dict[str, Any]:
    return {"executable_path": chromium, "args": FLAGS}


@pytest.fixture(scope="session")
def city(tmp_path_factory: pytest.TempPathFactory, chromium: str) -> Iterator[RunningCity]:
    data = tmp_path_factory.mktemp("screens")
    with running(["demo", "--port", "0", "--data", str(data), "--speed", "120"]) as demo:
        yield demo


class Visitor:
    """Opens pages signed in as somebody, in a language, theme and size, and collects what the console complains of."""

    def __init__(self, browser: Browser, city: RunningCity) -> None:
        self._browser, self._city = browser, city
        self.complaints: list[str] = []

    def open(
        self, path: str, account: str | None = "zhiban", size: tuple[int, int] = (1920, 1080), **look: str
    ) -> Page:
        context = self._browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            locale="zh-CN",
            timezone_id="Asia/Shanghai",
            color_scheme="light" if look.get("theme") == "light" else "dark",
            base_url=self._city.url,
            reduced_motion="reduce",
        )
        context.set_default_timeout(60_000)
        context.add_init_script(f"localStorage.setItem('cityloop.language', '{look.get('language', 'zh')}')")
        context.add_init_script(f"localStorage.setItem('cityloop.theme', '{look.get('theme', 'dark')}')")
        if account:
            context.request.post("/api/v1/demo/session", data={"account": account})
        page = context.new_page()
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda line: self.complaints.append(line.text) if line.type == "error" else None)
        page.goto(path)
        return page


@pytest.fixture
def visitor(browser: Browser, city: RunningCity) -> Iterator[Visitor]:
    guest = Visitor(browser, city)
    yield guest
    for context in browser.contexts:
        context.close()

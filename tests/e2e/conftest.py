"""A real browser on a real city. Without Chromium these tests are skipped, except where all parts are required."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, BrowserContext, Page, Request, expect

from tests.running import RunningCity, eventually, running

PATIENCE = 120_000
"""Milliseconds that a slow machine may take for what the page is to show."""
expect.set_options(timeout=PATIENCE)

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
    """A demo that has come to life, and from then on lets the browser have the machine."""
    data = str(tmp_path_factory.mktemp("screens"))
    with running(["demo", "--port", "0", "--data", data, "--speed", "300"]) as demo:
        leader = demo.client("zhiban")
        for what in ("cases", "warnings"):
            eventually(lambda: leader.get(f"/api/v1/{what}").json()["total"] >= 3, f"three {what}")  # noqa: B023
        leader.patch("/api/v1/clock", json={"speed": 1}).raise_for_status()
        leader.close()
        yield demo


Contexts = dict[tuple[object, ...], BrowserContext]


class Visitor:
    """Opens pages signed in as somebody, in a language, theme and size, and collects what the console complains of.

    Pages of one look share a browser context, as tabs do, also from test to test: what a browser keeps of our scripts
    need not be read anew. Whoever spoils the session or the network of a page opens it ``alone``.
    """

    def __init__(self, browser: Browser, city: RunningCity, contexts: Contexts) -> None:
        self._browser, self._city, self._contexts = browser, city, contexts
        self._awaited: dict[Page, set[Request]] = {}
        self._alone: list[BrowserContext] = []
        self.complaints: list[str] = []

    def open(
        self,
        path: str,
        account: str | None = "zhiban",
        size: tuple[int, int] = (1920, 1080),
        *,
        alone: bool = False,
        **look: str,
    ) -> Page:
        key = (account, size, *sorted(look.items()))
        if alone or account is None:
            context = self._context(account, size, look)
            self._alone.append(context)
        elif key in self._contexts:
            context = self._contexts[key]
        else:
            context = self._contexts[key] = self._context(account, size, look)
        page = context.new_page()
        awaited = self._awaited[page] = set()

        def answered(request: Request) -> None:
            awaited.discard(request)

        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("console", lambda line: self.complaints.append(line.text) if line.type == "error" else None)
        page.on("request", lambda request: awaited.add(request) if "/stream" not in request.url else None)
        page.on("requestfinished", answered)
        page.on("requestfailed", answered)
        page.goto(path)
        return page

    def leave(self) -> None:
        """Close what this visitor opened."""
        for page in self._awaited:
            page.close()
        for context in self._alone:
            context.close()

    def _context(self, account: str | None, size: tuple[int, int], look: dict[str, str]) -> BrowserContext:
        context = self._browser.new_context(
            viewport={"width": size[0], "height": size[1]},
            locale="zh-CN",
            timezone_id="Asia/Shanghai",
            color_scheme="light" if look.get("theme") == "light" else "dark",
            base_url=self._city.url,
            reduced_motion="reduce",
        )
        context.set_default_timeout(PATIENCE)
        context.add_init_script(f"localStorage.setItem('cityloop.language', '{look.get('language', 'zh')}')")
        context.add_init_script(f"localStorage.setItem('cityloop.theme', '{look.get('theme', 'dark')}')")
        if account:
            context.request.post("/api/v1/demo/session", data={"account": account})
        return context

    def settle(self, page: Page) -> None:
        """Wait until a page has all that it asked for and its thread is idle, three looks in a row."""
        quiet, limit = 0, time.monotonic() + 10
        while quiet < 3 and time.monotonic() < limit:
            page.evaluate("new Promise(done => requestIdleCallback(done, {timeout: 1000}))")
            page.wait_for_timeout(50)
            quiet = 0 if self._awaited[page] else quiet + 1


WCAG_AA = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"], "resultTypes": ["violations"]}


def serious(page: Page) -> list[str]:
    """What on a page breaks the rules of accessibility in a serious way."""
    found = Axe().run(page, options=WCAG_AA).response["violations"]
    return [f"{v['id']}: {v['nodes'][0]['html'][:120]}" for v in found if v["impact"] in ("serious", "critical")]


def fit_and_accessible(visitor: Visitor, paths: Sequence[str], shown: str = "main", **how: Any) -> None:
    """Each path in one tab, opened by ``how``: no wider than the window, no serious breach, no complaint."""
    page = visitor.open(paths[0], **how)
    for path in paths:
        if path != paths[0]:
            page.goto(path)
        page.locator(shown).first.wait_for()
        visitor.settle(page)
        wide = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert wide <= 0, f"{path} is {wide} px wider than the window"
        assert serious(page) == [], path
        assert visitor.complaints == [], path


@pytest.fixture(scope="session")
def contexts() -> Contexts:
    return {}


@pytest.fixture
def visitor(browser: Browser, city: RunningCity, contexts: Contexts) -> Iterator[Visitor]:
    guest = Visitor(browser, city, contexts)
    yield guest
    guest.leave()

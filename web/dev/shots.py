"""Take pictures of the screens: ``uv run python web/dev/shots.py http://127.0.0.1:8231 /tmp/shots [name …]``."""

from __future__ import annotations

import sys
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

FLAGS = [
    "--no-sandbox --disable-quic --no-first-run --disable-background-networking --disable-component-update",
    "--disable-sync --use-angle=swiftshader --enable-unsafe-swiftshader --ignore-gpu-blocklist",
]
DESK, PHONE = {"width": 1920, "height": 1080}, {"width": 390, "height": 844}
DRAFT = '[{"name":"standard.yaml","text":"entity_types: []"}]'
PLACES = {
    "sign-in": "/sign-in",
    "map": "/",
    "warnings": "/warnings",
    "warning": "@warnings",
    "cases": "/cases?open=true",
    "case": "@cases",
    "report": "/cases/new",
    "board": "/board",
    "lost": "/nowhere",
    "sources": "/data/sources",
    "source": "@sources",
    "mapping": "/data/mapping?type=AirQualityStation&source=air-hourly-gw",
    "types": "/data/standard/types",
    "type": "/data/standard/types/AirQualityStation",
    "codes": "/data/standard/code-lists/wind_direction",
    "versions": "/data/versions",
    "version": "/data/versions/1",
    "change": "/data/versions/new",
    "scores": "/data/quality",
    "feed": "/data/quality/feeds/air-hourly",
    "quarantine": "/data/quarantine",
    "held": "@quarantine",
    "inspections": "/data/inspections",
    "inspection": "@inspections",
    "inspection-new": "/data/inspections/new",
    "datasets": "/data/datasets",
    "dataset": "/data/datasets/AirQualityStation",
    "lineage": "/data/lineage?node=dataset:AirQualityStation",
    "grants": "/data/grants",
    "grant": "@grants",
    "grant-new": "/data/grants/new?dataset=AirQualityStation",
}


def main(base: str, folder: Path, wanted: list[str]) -> None:
    """Each wanted ``place[:phone][:light][:en]`` as a PNG, with what the console complained about."""
    folder.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path="/usr/bin/chromium", args=" ".join(FLAGS).split())
        for name in wanted:
            shoot(browser, base, folder, name)
        browser.close()


def shoot(browser: Browser, base: str, folder: Path, name: str) -> None:
    """One picture."""
    place, *wishes = name.split(":")
    context = browser.new_context(
        viewport=PHONE if "phone" in wishes else DESK,
        locale="zh-CN",
        timezone_id="Asia/Shanghai",
        color_scheme="light" if "light" in wishes else "dark",
        device_scale_factor=2 if "phone" in wishes else 1,
    )
    if "en" in wishes:
        context.add_init_script("localStorage.setItem('cityloop.language', 'en')")
    if place == "change":
        context.add_init_script(f"sessionStorage.setItem('cityloop.change', '{DRAFT}')")
    page = context.new_page()
    page.on("console", lambda m: say(name, f"{m.type}: {m.text}", m.type in ("error", "warning")))
    page.on("pageerror", lambda e: say(name, f"page error: {e}"))
    if place != "sign-in":
        posts = context.request.get(f"{base}/api/v1/demo/posts").json()
        wanted = "steward" if list(PLACES).index(place) >= list(PLACES).index("sources") else "shift_leader"
        post = next((p for p in posts if wanted in p["posts"]), posts[0])
        context.request.post(f"{base}/api/v1/demo/session", data={"account": post["account"]})
    path = PLACES[place]
    if path.startswith("@"):
        items = context.request.get(f"{base}/api/v1{path.replace('@', '/')}?size=1&sort=").json()["items"]
        room = "" if path in ("@cases", "@warnings") else "/data"
        path = f"{room}{path.replace('@', '/')}/{items[0]['id']}"
    if "sel" in wishes:
        first = context.request.get(f"{base}/api/v1/warnings?status=open&size=1&sort=-level").json()["items"][0]
        path = f"/?sel=w:{first['id']}"
    page.goto(base + path, wait_until="load", timeout=90_000)
    if page.locator("[data-idle]").count() or place in ("map", "case", "report"):
        page.wait_for_selector('[data-idle="true"]', state="attached", timeout=90_000)
    if "press" in wishes:
        page.locator("main .btn:not([disabled]):not(a)").last.click()
    page.wait_for_timeout(5000 if place == "map" else 2500)
    page.screenshot(path=str(folder / f"{name.replace(':', '-')}.png"))
    overflow(page, name)
    context.close()


def overflow(page: Page, name: str) -> None:
    """Say when the page is wider than its window."""
    wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    say(name, f"{wide} px too wide", wide > 0)


def say(name: str, what: str, when: bool = True) -> None:
    """A line on the terminal."""
    if when:
        sys.stdout.write(f"  [{name}] {what}\n")


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), sys.argv[3:] or list(PLACES))

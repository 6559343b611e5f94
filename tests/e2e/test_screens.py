"""The screens, used as people use them: in a real browser, by mouse and by keyboard, wide and narrow."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Visitor, fit_and_accessible

pytestmark = [pytest.mark.e2e, pytest.mark.slow]
PAGES = [
    "/",
    "/desk",
    "/warnings",
    "/cases",
    "/cases/new",
    "/scores",
    "/settings/calendar",
    "/settings/catalogue",
    "/settings/limits",
    "/settings/dispatch",
    "/cases/sent",
    "/board",
]
PHONE = (390, 844)


def test_a_visitor_takes_a_post_and_sees_the_map(visitor: Visitor) -> None:
    page = visitor.open("/", account=None)
    page.get_by_role("button", name=re.compile("值班长")).first.click()
    expect(page.locator("canvas.maplibregl-canvas")).to_be_visible()
    expect(page.get_by_role("navigation").first).to_contain_text("案件")


@pytest.mark.parametrize("look", [("zh", "dark"), ("en", "light")], ids="-".join)
@pytest.mark.parametrize("size", [(1920, 1080), PHONE], ids=["wall", "phone"])
def test_the_screens_fit_and_keep_the_rules_of_accessibility(
    visitor: Visitor, look: tuple[str, str], size: tuple[int, int]
) -> None:
    fit_and_accessible(visitor, PAGES, size=size, language=look[0], theme=look[1])


def test_a_case_is_opened_and_noted_by_keyboard(visitor: Visitor) -> None:
    page = visitor.open("/cases?open=true")
    page.locator("tbody tr").first.wait_for()
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/cases/\w+"))
    page.get_by_role("button", name=re.compile("备注")).first.click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_role("textbox").first.fill("请现场拍照")
    dialog.locator("button[type=submit]").click()
    expect(page.get_by_text("请现场拍照")).to_be_visible()


def test_a_warning_shows_why_it_spoke(visitor: Visitor) -> None:
    page = visitor.open("/warnings")
    page.locator("tbody tr").first.wait_for()
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile(r"/warnings/\w+"))
    expect(page.locator("main")).to_contain_text("规则")
    expect(page.locator("main canvas, main svg").first).to_be_visible()


def test_an_unknown_case_is_told_in_words(visitor: Visitor) -> None:
    page = visitor.open("/cases/case_nothing")
    expect(page.locator("main")).to_contain_text(re.compile("没有|不存在|找不到|无此|not"))


def test_an_ended_session_leads_to_the_door_and_back(visitor: Visitor) -> None:
    page = visitor.open("/cases?open=true", alone=True)
    page.locator("tbody tr").first.wait_for()
    page.context.clear_cookies()
    page.get_by_role("navigation").first.get_by_role("link", name="预警").click()
    expect(page.get_by_text("会话已结束")).to_be_visible()
    page.get_by_role("button", name=re.compile("值班长")).first.click()
    page.wait_for_url(re.compile("/warnings"))


def test_a_lost_server_is_said_until_it_is_back(visitor: Visitor) -> None:
    page = visitor.open("/cases", alone=True)
    page.context.route("**/api/v1/stream", lambda route: route.abort())
    page.reload()
    told = page.get_by_role("alert").filter(has_text="连不上服务器")
    expect(told).to_be_visible()
    page.context.unroute("**/api/v1/stream")
    expect(told).to_be_hidden()

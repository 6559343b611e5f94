"""Decision tables in a real browser: read, changed, tried, explained, applied, and what they decided."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Visitor, fit_and_accessible

pytestmark = [pytest.mark.e2e, pytest.mark.slow]
PAGES = ["/decisions", "/decisions/tables/response-level", "/decisions/log"]


@pytest.mark.parametrize(("language", "theme", "size"), [("zh", "dark", (1920, 1080)), ("en", "light", (390, 844))])
def test_the_screens_of_decisions_fit_and_keep_the_rules_of_accessibility(
    visitor: Visitor, language: str, theme: str, size: tuple[int, int]
) -> None:
    fit_and_accessible(visitor, PAGES, size=size, language=language, theme=theme)


def test_a_table_is_changed_in_the_browser_tried_explained_and_applied(visitor: Visitor) -> None:
    page = visitor.open("/decisions/tables/response-level")
    page.get_by_role("button", name="修改").click()
    cell = page.locator("td.output-cell[data-row-id=blue]").last
    cell.click()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("1")
    page.locator("h1").click()
    expect(page.get_by_text("草稿，未生效")).to_be_visible()
    page.get_by_label("预警等级").select_option("blue")
    page.get_by_label("事件类别").fill("air")
    page.get_by_label("时刻").fill("8")
    page.get_by_role("button", name="试算").click()
    expect(page.get_by_role("status").filter(has_text="approval = 1")).to_be_visible()
    expect(page.locator("tr.matched td").first).to_have_attribute("data-row-id", "blue")
    page.get_by_role("button", name="说明影响").click()
    page.get_by_label("理由").fill("蓝色也由一级审批")
    page.get_by_role("button", name="生效").click()
    expect(page.get_by_text(re.compile("第 2 版生效中"))).to_be_visible()
    assert visitor.complaints == []

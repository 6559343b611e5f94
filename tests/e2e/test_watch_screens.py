"""The screens of warnings and rules in a real browser: written both ways, tried, applied, kept quiet."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Visitor, fit_and_accessible

pytestmark = [pytest.mark.e2e, pytest.mark.slow]
PAGES = ["/rules", "/rules/air.pm2_5_hourly", "/rules/new", "/rules/health", "/mutes", "/forecasts"]


@pytest.mark.parametrize(("language", "theme", "size"), [("zh", "dark", (1920, 1080)), ("en", "light", (390, 844))])
def test_the_screens_of_rules_fit_and_keep_the_rules_of_accessibility(
    visitor: Visitor, language: str, theme: str, size: tuple[int, int]
) -> None:
    fit_and_accessible(visitor, PAGES, size=size, language=language, theme=theme)


def test_a_rule_is_changed_in_its_form_seen_in_its_text_explained_and_applied(visitor: Visitor) -> None:
    page = visitor.open("/rules/sanitation.bin_overflow")
    threshold = page.get_by_label(re.compile("阈值 黄色"))
    threshold.fill("101")
    expect(page.get_by_text("thresholds contradict").first).to_be_visible()
    threshold.fill("96")
    page.get_by_role("button", name="换版本号").click()
    page.get_by_role("button", name="文本", exact=True).click()
    expect(page.get_by_role("textbox", name="文本")).to_have_value(re.compile(r"yellow: 96"))
    page.get_by_role("button", name="说明影响").click()
    expect(page.get_by_role("cell", name="levels")).to_be_visible()
    page.get_by_label("理由").fill("试一周")
    page.get_by_role("button", name="生效").click()
    expect(page.get_by_text("第 1 次变更").first).to_be_visible()


def test_a_warning_is_kept_quiet_from_its_page_and_speaks_again(visitor: Visitor) -> None:
    page = visitor.open("/warnings?status=open")
    page.locator("tbody tr").first.wait_for()
    page.keyboard.press("j")
    page.keyboard.press("a")
    expect(page.locator("tbody tr").first).to_contain_text("已确认")
    page.keyboard.press("Enter")
    page.get_by_role("button", name=re.compile("静默")).first.click()
    dialog = page.get_by_role("dialog")
    dialog.locator("textarea").fill("设备检修")
    dialog.locator("button[type=submit]").click()
    expect(page.locator("dl").first).to_contain_text("静默中")
    page.goto("/mutes")
    page.get_by_role("button", name="提前结束").first.click()
    expect(page.get_by_text("没有静默或检修")).to_be_visible()

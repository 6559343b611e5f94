"""The pages that need no account: on a phone and on a desk, by finger and by keyboard."""

from __future__ import annotations

import json
import re

import pytest
from playwright.sync_api import Route, expect

from tests.e2e.conftest import Visitor, fit_and_accessible, serious

pytestmark = [pytest.mark.e2e, pytest.mark.slow]
PHONE = (390, 844)
TITLE = {"zh": "已办结", "en": "Closed"}
CLOSED = {
    "number": "2026030900001",
    "matter_title": {"zh": "暴露垃圾", "en": "Exposed refuse"},
    "description": "<b>很脏</b>",
    "address": "",
    "area_title": {"zh": "福田区", "en": "Futian District"},
    "department_title": {"zh": "环境卫生管理中心", "en": "Sanitation Centre"},
    "standing": "done",
    "standing_title": TITLE,
    "note": None,
    "reported_at": "2026-03-09T01:00:00Z",
    "expected_at": None,
    "closed_at": "2026-03-09T03:00:00Z",
    "steps": [{"id": "done", "title": TITLE, "at": "2026-03-09T03:00:00Z"}],
    "photos": 0,
    "rating": None,
    "can_rate": True,
}
"""A report after closing, as the server tells it; that it tells so is shown in tests/citizen."""


@pytest.mark.parametrize("look", [("zh", "dark"), ("en", "light")], ids="-".join)
@pytest.mark.parametrize("size", [(1920, 1080), PHONE], ids=["wall", "phone"])
def test_the_pages_fit_and_keep_the_rules_of_accessibility(
    visitor: Visitor, look: tuple[str, str], size: tuple[int, int]
) -> None:
    how = {"account": None, "size": size, "language": look[0], "theme": look[1]}
    fit_and_accessible(visitor, ("/report", "/follow"), "main form", **how)


def test_a_citizen_reports_and_follows_without_an_account(visitor: Visitor) -> None:
    page = visitor.open("/report", account=None, size=PHONE)
    what = page.get_by_role("combobox", name="什么问题")
    what.click()
    what.fill("暴露垃圾")
    page.get_by_role("option", name=re.compile("^暴露垃圾")).click()
    page.get_by_label("描述").fill("亭子旁 <script>… & 垃圾")
    district = page.get_by_role("combobox", name="所在区")
    district.click()
    page.get_by_role("option", name="福田区").click()
    page.get_by_role("button", name="提交").click()
    expect(page.get_by_role("alert")).to_be_visible()
    page.get_by_label("描述").fill("亭子旁 < 两袋 & 垃圾")
    page.get_by_role("button", name="提交").click()
    receipt = page.locator(".receipt")
    expect(receipt).to_contain_text("位置以福田区中部代表")
    receipt.get_by_role("link", name="查询进度").click()
    expect(page.locator(".progress")).to_contain_text("亭子旁 < 两袋 & 垃圾")
    page.get_by_label("查询码").fill("AAAAA-AAAAA")
    page.get_by_role("button", name="查询").click()
    expect(page.get_by_role("alert")).to_have_text("案号和查询码不匹配，请核对。")


def test_a_closed_report_is_rated_by_keyboard(visitor: Visitor) -> None:
    page = visitor.open("/follow", account=None, size=PHONE)
    sent: list[dict[str, object]] = []

    def answer(route: Route) -> None:
        if route.request.method == "POST":
            sent.append(json.loads(route.request.post_data or ""))
        rated = {**CLOSED, "rating": sent[-1]["rating"], "can_rate": False} if sent else CLOSED
        route.fulfill(json=rated)

    page.route(re.compile("/api/v1/public/cases/"), answer)
    page.get_by_label("案号").fill("2026030900001")
    page.get_by_label("查询码").fill("AAAAA-AAAAA")
    page.keyboard.press("Enter")
    expect(page.locator(".told")).to_have_text("<b>很脏</b>")
    page.get_by_role("radio").first.focus()
    page.keyboard.press("Space")
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    expect(page.get_by_role("radio", name="4 星")).to_be_checked()
    assert serious(page) == []
    page.get_by_role("button", name="提交评价").click()
    expect(page.get_by_text("您的评价：4 星")).to_be_visible()
    assert sent == [{"code": "AAAAA-AAAAA", "rating": 4, "words": ""}]

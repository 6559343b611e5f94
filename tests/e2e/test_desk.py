"""The desk as operators use it: keys, many at once, filters kept; and the street, where the network comes and goes."""

from __future__ import annotations

import io
import re

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Visitor, serious

pytestmark = [pytest.mark.e2e, pytest.mark.slow]
PHONE = (390, 844)


def queue(visitor: Visitor) -> Page:
    page = visitor.open("/desk?sort=opened_at")
    page.locator(".queue li").first.wait_for()
    return page


def test_the_queue_is_worked_through_by_keys(visitor: Visitor) -> None:
    page = queue(visitor)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("派遣")
    page.get_by_role("dialog").get_by_role("button").first.click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.locator(".case.beside h1")).to_be_visible()
    expect(page.get_by_role("heading", name="流程图")).to_be_visible()
    expect(page.locator(".case.beside .canvas svg rect").first).to_be_visible()
    visitor.settle(page)
    assert serious(page) == []
    page.keyboard.press("Escape")
    expect(page.locator(".case.beside")).to_have_count(0)
    assert visitor.complaints == []


def test_one_note_is_put_on_all_marked_cases(visitor: Visitor) -> None:
    page = queue(visitor)
    for mark in page.locator(".queue li input[type=checkbox]").all()[:2]:
        mark.check()
    page.keyboard.press("b")
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("流转").first.click()
    page.get_by_role("option", name=re.compile("备注")).click()
    dialog.locator("textarea").fill("请今日内反馈")
    dialog.locator("button[type=submit]").click()
    expect(dialog).to_contain_text("被拒绝 0 件")


def test_a_filter_is_kept_with_the_account(visitor: Visitor) -> None:
    page = visitor.open("/desk?light=red")
    page.get_by_role("button", name="保存当前筛选").click()
    page.get_by_role("dialog").get_by_role("textbox").fill("只看超期")
    page.get_by_role("dialog").get_by_role("button", name="确定").click()
    expect(page.get_by_role("button", name="只看超期", exact=True)).to_be_visible()
    again = visitor.open("/desk", theme="light")
    again.get_by_role("button", name="只看超期", exact=True).click()
    again.wait_for_url(re.compile("light=red"))


def test_every_figure_of_a_board_leads_to_its_cases(visitor: Visitor) -> None:
    page = visitor.open("/scores", account="lingdao")
    page.locator("tr.total a").first.click()
    page.wait_for_url(re.compile("/scores/cases"))
    expect(page.locator("h1")).to_contain_text("分子")
    page.get_by_role("button", name="分母").click()
    page.locator("tbody tr").first.wait_for()
    assert serious(page) == []


def test_a_changed_day_is_explained_before_it_is_applied(visitor: Visitor) -> None:
    page = visitor.open("/settings/calendar")
    page.get_by_role("button", name=re.compile("^2026-03-11")).click()
    page.get_by_role("button", name="说明影响").click()
    expect(page.locator(".plan")).to_contain_text("2026-03-11")
    expect(page.get_by_role("button", name="生效", exact=True)).to_be_disabled()
    assert serious(page) == []


def test_a_report_without_a_network_waits_on_the_phone_and_goes_later(visitor: Visitor) -> None:
    page = visitor.open("/field/report", account="jiandu", size=PHONE)
    page.locator("canvas.maplibregl-canvas").wait_for()
    visitor.settle(page)
    page.context.set_offline(True)
    picture = io.BytesIO()
    Image.new("RGB", (800, 600), (90, 120, 90)).save(picture, "JPEG")
    photo = page.locator("input[type=file]")
    photo.set_input_files({"name": "a.jpg", "mimeType": "image/jpeg", "buffer": picture.getvalue()})
    page.locator(".photos img").wait_for()
    page.get_by_label("案由").fill("人行道上垃圾堆积")
    page.get_by_label("事项").fill("垃圾")
    page.get_by_role("option").first.click()
    page.locator(".map canvas").click()
    page.get_by_role("button", name="保存并发送").click()
    expect(page.locator(".outbox")).to_contain_text("待发送 1")
    page.context.set_offline(False)
    expect(page.locator(".outbox")).to_contain_text("没有待发送")
    assert page.context.request.get("/api/v1/cases?text=人行道上垃圾堆积").json()["total"] == 1

"""The desk as operators use it: keys, many at once, filters kept; changes explained first; the street offline."""

from __future__ import annotations

import io
import re

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Visitor, serious
from tests.running import RunningCity

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


def test_a_filter_is_kept_with_the_account(visitor: Visitor) -> None:
    page = visitor.open("/desk?light=red")
    page.get_by_role("button", name="保存当前筛选").click()
    page.get_by_role("dialog").get_by_role("textbox").fill("只看超期")
    page.get_by_role("dialog").get_by_role("button", name="确定").click()
    expect(page.get_by_role("button", name="只看超期", exact=True)).to_be_visible()
    again = visitor.open("/desk", theme="light")
    again.get_by_role("button", name="只看超期", exact=True).click()
    again.wait_for_url(re.compile("light=red"))


def test_a_changed_day_is_explained_before_it_is_applied(visitor: Visitor) -> None:
    page = visitor.open("/settings/calendar")
    page.get_by_role("button", name=re.compile("^2026-03-11")).click()
    page.get_by_role("button", name="说明影响").click()
    expect(page.locator(".plan")).to_contain_text("2026-03-11")
    expect(page.get_by_role("button", name="生效", exact=True)).to_be_disabled()
    assert serious(page) == []


@pytest.fixture(scope="module")
def queue(city: RunningCity) -> list[str]:
    """Three cases that have just come to the sweepers' department; returns their numbers."""
    acceptor = city.client("shouli")
    litter = {"matter": "gb47678:matter:06010", "channel": "hotline"}
    made = []
    for n in range(3):
        report = {**litter, "title": f"路口垃圾堆积 {n}", "position": {"lon": 114.03 + n / 100, "lat": 22.54}}
        made.append(acceptor.post("/api/v1/cases", json=report).raise_for_status().json())
    acceptor.close()
    assert {(case["state"], case["department"]) for case in made} == {("to_handle", "sanitation")}
    return [case["number"] for case in made]


def desk_of(visitor: Visitor, numbers: list[str]) -> Page:
    page = visitor.open("/desk?text=路口垃圾堆积", account="sanitation")
    expect(page.locator(".queue li")).to_have_count(len(numbers))
    return page


def test_the_queue_is_worked_through_by_keys(visitor: Visitor, queue: list[str]) -> None:
    page = desk_of(visitor, queue)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("派遣")
    page.get_by_role("dialog").locator(".el-dialog__headerbtn").click()
    expect(page.get_by_role("dialog")).to_have_count(0)
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    beside = page.locator(".case.beside")
    expect(beside.locator("h1")).to_be_visible()
    first = beside.locator("h1").inner_text()
    page.keyboard.press("j")
    expect(beside.locator("h1")).not_to_have_text(first)
    page.keyboard.press("k")
    expect(beside.locator("h1")).to_have_text(first)
    page.keyboard.press("d")
    expect(page.get_by_text("这件案件现在没有可做的这类流转")).to_be_visible()
    page.keyboard.press("s")
    expect(page.get_by_role("dialog")).to_contain_text("签收指派")
    visitor.settle(page)
    assert serious(page) == []
    page.get_by_role("dialog").get_by_role("button", name="取消").click()
    page.keyboard.press("Escape")
    expect(beside).to_have_count(0)


def test_one_note_is_put_on_all_marked_cases(visitor: Visitor, queue: list[str]) -> None:
    page = desk_of(visitor, queue)
    for mark in page.locator(".queue li input[type=checkbox]").all()[:2]:
        mark.check()
    page.keyboard.press("b")
    dialog = page.get_by_role("dialog")
    dialog.locator(".el-select").first.click()
    page.get_by_role("option", name=re.compile("备注")).click()
    dialog.locator("textarea").fill("请今日内反馈")
    dialog.locator("button[type=submit]").click()
    expect(dialog).to_contain_text("已办 2 件，被拒绝 0 件")


def test_every_figure_of_a_board_leads_to_its_cases(visitor: Visitor) -> None:
    page = visitor.open("/scores", account="lingdao")
    figure = page.locator("tr.total a").nth(1)
    figure.wait_for()
    count = figure.inner_text()
    figure.click()
    page.wait_for_url(re.compile("/scores/cases"))
    expect(page.locator("h1")).to_contain_text("分母")
    expect(page.get_by_text(f"共 {count} 条")).to_be_visible()
    assert serious(page) == []


def test_a_report_without_a_network_waits_on_the_phone_and_goes_later(visitor: Visitor) -> None:
    page = visitor.open("/field", account="jiandu", size=(390, 844), alone=True)
    page.get_by_role("link", name="上报问题").click()
    page.locator("canvas.maplibregl-canvas").wait_for()
    visitor.settle(page)
    page.context.set_offline(True)
    picture = io.BytesIO()
    Image.new("RGB", (800, 600), (90, 120, 90)).save(picture, "JPEG")
    page.locator("input[type=file]").set_input_files(
        {"name": "a.jpg", "mimeType": "image/jpeg", "buffer": picture.getvalue()}
    )
    page.locator(".photos img").wait_for()
    page.get_by_label("案由").fill("人行道上垃圾堆积")
    page.get_by_role("combobox", name="事项").fill("暴露垃圾")
    page.get_by_role("option").first.click()
    page.locator(".map canvas").click()
    page.get_by_role("button", name="保存并发送").click()
    expect(page.locator(".outbox")).to_contain_text("待发送 1")
    page.context.set_offline(False)
    expect(page.locator(".outbox")).to_contain_text("本次已发送 1 项")


def test_a_moved_row_of_the_table_is_explained_by_past_cases(visitor: Visitor) -> None:
    page = visitor.open("/settings/dispatch")
    page.get_by_role("button", name="第 2 行下移").click()
    expect(page.locator("tbody tr").nth(2)).to_contain_text("已移动")
    page.get_by_role("button", name="说明影响").click()
    expect(page.locator(".plan")).to_contain_text("与实际承办一致")
    expect(page.get_by_role("button", name="生效", exact=True)).to_be_disabled()
    page.get_by_role("button", name="修改第 1 行").click()
    page.get_by_role("dialog").get_by_label("标题（中文）").wait_for()
    visitor.settle(page)
    assert serious(page) == []


def test_a_sheet_of_limits_names_its_cells_and_becomes_a_draft(visitor: Visitor) -> None:
    page = visitor.open("/settings/limits/change")
    heads = "代码,立案条件,处置时限,结案条件\n"
    for rows, told in (
        ("06010,成堆,及时处理,清除\n", "line 2 处置时限"),
        ("06010,成堆,2紧急工作时,清除\n", "1 项待改"),
    ):
        page.locator("input[type=file]").set_input_files(
            {"name": "时限.csv", "mimeType": "text/csv", "buffer": (heads + rows).encode()}
        )
        expect(page.locator("main")).to_contain_text(told)
    page.get_by_role("button", name="说明影响").click()
    expect(page.locator(".plan")).to_contain_text("2紧急工作时")
    expect(page.get_by_role("button", name="生效", exact=True)).to_be_disabled()
    assert serious(page) == []

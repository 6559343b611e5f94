"""The data platform in a real browser: every screen fits and is accessible; a change is planned before it is made."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Visitor, fit_and_accessible

pytestmark = [pytest.mark.e2e, pytest.mark.slow]
STEWARD = "shuju"
GROUPS = {
    "intake": ["/data/sources", "/data/mapping", "/data/quarantine"],
    "standard": [
        "/data/standard/types",
        "/data/standard/types/AirQualityStation",
        "/data/standard/code-lists",
        "/data/standard/code-lists/gb47678-matters",
        "/data/standard/units",
        "/data/versions",
        "/data/versions/new",
    ],
    "quality": ["/data/quality", "/data/quality/feeds/air-hourly", "/data/inspections", "/data/inspections/new"],
    "catalogue": [
        "/data/datasets",
        "/data/datasets/AirQualityStation",
        "/data/lineage?node=feed:air-hourly",
        "/data/grants",
        "/data/grants/new?dataset=AirQualityStation",
        "/denied",
    ],
}
LOOKS = [("zh", "dark", (1920, 1080)), ("en", "light", (390, 844))]


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.parametrize(("language", "theme", "size"), LOOKS, ids=["wall", "phone"])
def test_the_screens_of_a_group_fit_and_are_accessible(
    visitor: Visitor, group: str, language: str, theme: str, size: tuple[int, int]
) -> None:
    how = {"account": STEWARD, "size": size, "language": language, "theme": theme}
    fit_and_accessible(visitor, GROUPS[group], "main :is(h1, h2):visible", **how)


def test_the_rail_offers_what_the_post_sees(visitor: Visitor) -> None:
    page = visitor.open("/data/datasets", account=STEWARD)
    expect(page.get_by_role("navigation", name="数据", exact=True)).to_contain_text("数据血缘")


def test_a_pasted_sample_is_mapped_and_its_violations_are_listed(visitor: Visitor) -> None:
    page = visitor.open("/data/mapping?type=AirQualityStation", account=STEWARD)
    page.get_by_role("button", name="粘贴数据").click()
    rows = "station,time,PM2.5\n1001A,2026-03-09T08:00:00+08:00,35\n1001A,2026-03-09T09:00:00+08:00,bad\n"
    page.locator("textarea").fill(rows)
    page.get_by_role("button", name="用粘贴的数据").click()
    expect(page.get_by_role("status").filter(has_text="读取 2 条")).to_be_visible()
    expect(page.get_by_role("region", name="原始记录")).to_contain_text("bad")


def test_a_change_is_explained_before_it_can_be_applied(visitor: Visitor) -> None:
    page = visitor.open("/data/versions/new", account=STEWARD)
    expect(page.get_by_role("button", name="应用变更")).to_be_disabled()
    page.get_by_role("button", name="code_lists.yaml").click()
    page.locator("textarea").fill(
        "code_lists:\n  - id: river-side\n    title: {zh: 岸别, en: Side of the river}\n"
        "    codes:\n      - {code: L, title: {zh: 左岸, en: Left}}\n"
    )
    page.get_by_role("button", name="看计划").click()
    expect(page.locator("main")).to_contain_text("river-side")


def test_lineage_is_walked_with_the_keyboard(visitor: Visitor) -> None:
    page = visitor.open("/data/lineage?node=feed:air-hourly", account=STEWARD)
    node = page.locator('[data-id="feed:air-hourly"]')
    node.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("sel="))
    expect(page.get_by_role("button", name="以此为中心")).to_be_visible()


def test_codes_of_a_source_are_named_value_by_value(visitor: Visitor) -> None:
    page = visitor.open("/data/mapping?type=AirQualityStation", account=STEWARD)
    page.get_by_role("button", name="粘贴数据").click()
    page.locator("textarea").fill("station,time,风向\n1001A,2026-03-09T08:00:00+08:00,东风\n")
    page.get_by_role("button", name="用粘贴的数据").click()
    page.get_by_role("combobox", name="来源列: 风向").click()
    page.get_by_role("option", name="风向", exact=True).click()
    page.get_by_role("button", name="代码对照 · 0").click()
    page.get_by_role("combobox", name="东风 的标准代码").click()
    page.get_by_role("option", name="E", exact=True).click()
    page.get_by_role("button", name="声明（JSON）").click()
    expect(page.locator("pre")).to_contain_text(re.compile(r'"codes":\s*{\s*"东风": "E"'))


def test_a_wrong_file_is_refused_in_words(visitor: Visitor) -> None:
    page = visitor.open("/data/mapping?type=AirQualityStation", account=STEWARD)
    file = {"name": "图.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.4"}
    page.locator("input[type=file]").set_input_files(file)  # type: ignore[arg-type]
    expect(page.get_by_role("alert").filter(has_text="填写的内容有误")).to_be_visible()


@pytest.mark.parametrize("text", ["entity_types: [", "{", "entity_types: 7"])
def test_a_malformed_change_is_told_with_its_file(visitor: Visitor, text: str) -> None:
    page = visitor.open("/data/versions/new", account=STEWARD)
    page.locator("textarea").fill(text)
    page.get_by_role("button", name="看计划").click()
    expect(page.get_by_role("alert")).to_contain_text("standard.yaml")


def test_a_refusal_names_the_posts_that_may(visitor: Visitor) -> None:
    page = visitor.open("/data/sources")
    expect(page.get_by_role("alert")).to_contain_text(re.compile("可以的岗位：.*数据管理员"))


def test_a_list_is_exported_as_it_is_narrowed(visitor: Visitor) -> None:
    page = visitor.open("/data/standard/units?text=degF", account=STEWARD)
    with page.expect_download() as download:
        page.get_by_role("link", name="导出 CSV").click()
    lines = download.value.path().read_text("utf-8-sig").splitlines()
    assert lines == ["UCUM 代码,符号,量纲", "[degF],°F,temperature"]

"""The screens of linkage in a real browser: a plan is drawn, found faulty, mended, put into force, run and finished."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Visitor, fit_and_accessible, serious
from tests.linkage.drawings import DRILL
from tests.running import RunningCity

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


@pytest.fixture(scope="module")
def run(city: RunningCity) -> str:
    """The drill is in the library, and a run of it is open."""
    head = city.client("zhiban")
    sent = {"xml": DRILL, "base": 0, "reason": "演练"}
    head.post("/api/v1/plans/flood-drill/apply", json=sent).raise_for_status()
    begun = head.post("/api/v1/runs", json={"plan": "flood-drill", "reason": "演练"})
    begun.raise_for_status()
    head.close()
    return str(begun.json()["run"]["id"])


@pytest.mark.parametrize(("language", "theme", "size"), [("zh", "dark", (1920, 1080)), ("en", "light", (390, 844))])
def test_the_screens_of_linkage_fit_and_keep_the_rules_of_accessibility(
    visitor: Visitor, run: str, language: str, theme: str, size: tuple[int, int]
) -> None:
    paths = ["/plans", "/plans/flood-drill", "/runs", f"/runs/{run}", "/tasks"]
    fit_and_accessible(visitor, paths, size=size, language=language, theme=theme)


def test_a_fault_is_shown_in_the_editor_mended_and_the_plan_put_into_force(visitor: Visitor, run: str) -> None:
    page = visitor.open("/plans/flood-drill/edit")
    expect(page.locator(".diagram[data-drawn=true]")).to_be_visible()
    page.locator('.djs-element[data-element-id="confirm"] .djs-hit').click()
    limit = page.get_by_label("时限")
    expect(limit).to_have_value("30分钟")
    limit.fill("尽快")
    limit.blur()
    page.get_by_role("tab", name="1 处错误").click()
    expect(page.get_by_role("tabpanel")).to_contain_text("尽快")
    expect(page.locator('[data-element-id="confirm"].mark-fault')).to_be_visible()
    page.get_by_role("tab", name="属性").click()
    limit.fill("20分钟")
    limit.blur()
    expect(page.get_by_role("tab", name="检查 · ✓")).to_be_visible()
    assert serious(page) == []
    page.get_by_role("button", name="看差别").click()
    expect(page.get_by_role("tabpanel")).to_contain_text("limit=30分钟 → limit=20分钟")
    page.get_by_role("tabpanel").get_by_label("理由").fill("汛期从严")
    page.get_by_role("button", name="生效").click()
    expect(page.get_by_role("cell", name="汛期从严")).to_be_visible()


def test_a_run_is_started_by_a_person_and_finished_by_tasks(visitor: Visitor, run: str) -> None:
    page = visitor.open("/plans/flood-drill", account="lingdao")
    page.get_by_role("button", name="启动", exact=True).click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("辖区").select_option(label="罗湖区")
    dialog.locator("textarea").last.fill("例行演练")
    dialog.get_by_role("button", name="确定").click()
    expect(page.get_by_role("heading", name="已做的事")).to_be_visible()
    address = page.url
    head = visitor.open(address)
    head.get_by_role("link", name="确认积水").click()
    head.get_by_label("水深").fill("12")
    head.get_by_role("button", name="办结").click()
    expect(head.get_by_text("已提交")).to_be_visible()
    head.goto(address)
    expect(head.locator('[data-element-id="confirm"].mark-done')).to_be_visible()
    expect(head.get_by_role("link", name="抽排")).to_be_visible()

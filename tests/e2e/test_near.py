"""What stands near the place of a report can be chosen as what the report is about."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Visitor

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


def test_the_thing_that_was_searched_for_is_the_one_the_report_is_about(visitor: Visitor) -> None:
    page = visitor.open("/cases/new", account="shouli")
    page.get_by_role("searchbox", name="查找地点").fill("York Place 1 号")
    page.get_by_role("button", name="York Place 1 号").first.click()
    chosen = page.locator(".things button[aria-pressed=true]")
    expect(chosen).to_contain_text("York Place 1 号")
    expect(chosen).to_contain_text("0 米")
    chosen.click()
    expect(page.locator(".things button[aria-pressed=true]")).to_have_count(0)

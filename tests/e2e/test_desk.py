"""The desk as operators use it: filters are kept with the account, and a change is explained before it is applied."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Visitor, serious

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

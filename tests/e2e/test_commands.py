"""An order in a real browser: tried, given, followed to its effect, and undone."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Visitor, fit_and_accessible

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


def test_an_order_is_given_from_the_map_and_done_once_the_data_show_it(visitor: Visitor) -> None:
    page = visitor.open("/?sel=e:V2", "water")
    page.get_by_role("button", name="发布文字").click()
    dialog = page.get_by_role("dialog")
    dialog.get_by_label("文字", exact=True).fill("前方积水")
    expect(dialog.get_by_text("可以下达")).to_be_visible()
    dialog.locator("textarea").fill("积水处置")
    dialog.get_by_role("button", name="下达", exact=True).click()
    expect(page.locator("header").get_by_text("已见效")).to_be_visible()
    fit_and_accessible(visitor, ["/commands", "/commands/contacts"], account="water", size=(390, 844), theme="light")

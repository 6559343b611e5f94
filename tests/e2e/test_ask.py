"""A question asked in the browser: how it was read, a part taken out, a follow-up, and a word that is not known."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Visitor, serious

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


def test_a_question_is_read_changed_and_followed(visitor: Visitor) -> None:
    page = visitor.open("/ask?q=上报数最多的前3个区")
    answer = page.locator(".answer")
    expect(answer).to_contain_text("全部时间的上报数，按区，上报数从高到低，前 3 项")
    page.get_by_role("button", name="去掉：前 3 项").click()
    expect(page.get_by_role("button", name="去掉：前 3 项")).to_have_count(0)
    field = page.get_by_role("textbox", name="问题")
    field.fill("那南山区呢")
    field.press("Enter")
    expect(answer).to_contain_text(re.compile("区为南山区"))
    field.fill("火锅店上报数")
    field.press("Enter")
    expect(answer.locator("mark")).to_have_text("火锅店")
    assert serious(page) == []

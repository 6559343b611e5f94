"""A sheet is sent in the browser: its faults in the reader's language, then what was carried out."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Visitor
from tests.serve.office import write_sheet

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


def test_new_people_come_from_a_sheet_and_their_passwords_are_shown_once(visitor: Visitor, tmp_path: Path) -> None:
    page = visitor.open("/settings/sheets?kind=accounts", account="anquan")
    head = ["账号", "姓名", "岗位"]
    page.set_input_files("input[type=file]", write_sheet(tmp_path / "bad.xlsx", [head, ["王", "王九", "船长"]]))
    faults = page.get_by_role("region", name="读不懂的单元格")
    expect(faults).to_contain_text("“王”不能作登录名")
    expect(faults).to_contain_text("没有岗位“船长”")
    expect(page.get_by_role("button", name="执行")).to_have_count(0)
    page.set_input_files("input[type=file]", write_sheet(tmp_path / "good.xlsx", [head, ["wang9", "王九", "受理员"]]))
    page.get_by_role("button", name="执行").click()
    expect(page.get_by_text("已执行：新增 1，修改 0。")).to_be_visible()
    expect(page.get_by_role("cell", name="wang9").last).to_be_visible()

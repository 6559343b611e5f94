"""Lists leave as files that open in a spreadsheet and run nothing there."""

from __future__ import annotations

import io

from openpyxl import load_workbook

from cityloop.core.web import export

ROWS = [{"title": '=HYPERLINK("x")', "count": 3, "note": None}, {"title": "井盖缺失", "count": -1, "note": "ok"}]
COLUMNS = [("title", "标题"), ("count", "数量"), ("note", "备注")]


def test_csv_opens_in_chinese_and_disarms_formulas() -> None:
    body = bytes(export("cases", "csv", COLUMNS, ROWS).body)
    assert body.startswith(b"\xef\xbb\xbf")
    assert body.decode("utf-8-sig").splitlines() == ["标题,数量,备注", '"\'=HYPERLINK(""x"")",3,', "井盖缺失,-1,ok"]


def test_excel_holds_the_same_rows() -> None:
    sheet = load_workbook(io.BytesIO(bytes(export("cases", "xlsx", COLUMNS, ROWS).body))).active
    assert sheet is not None
    assert [[cell.value for cell in row] for row in sheet.rows][2] == ["井盖缺失", -1, "ok"]

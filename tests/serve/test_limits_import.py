"""Limits from a department's sheet: merged cells, headings of two rows, and every cell that cannot be read."""

from __future__ import annotations

import io
import json
from functools import cache
from pathlib import Path

import pytest
from openpyxl import Workbook
from typer.testing import CliRunner

from cityloop.city.service import City
from cityloop.cli import app
from cityloop.core.clock import SystemClock
from cityloop.core.errors import ContentError, Invalid
from cityloop.serve.limits import import_limits, plan_limits

ROOT = Path(__file__).parents[2]
LITTER, ROAD, COVER = "gb47678:matter:06010", "gb47678:matter:06013", "gb47678:matter:01001"


def workbook(*rows: tuple[str | int | None, ...], merged: tuple[str, ...] = ()) -> bytes:
    """A sheet as departments send it: a title, a heading of two rows, matters merged over their lines."""
    book = Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "立案结案"
    sheet.append(["某市城市管理部件事件立案结案规范"])
    sheet.append(["小类", None, "规范", None, None])
    sheet.append(["代码", "名称", "立案条件", "处置时限", "结案条件"])
    for row in rows:
        sheet.append(list(row))
    for span in ("A1:E1", "A2:B2", "C2:E2", *merged):
        sheet.merge_cells(span)
    written = io.BytesIO()
    book.save(written)
    return written.getvalue()


SHEET = workbook(
    ("06010", "暴露垃圾", "零星垃圾", "2小时", "清除"),
    (None, None, "成堆垃圾", "4 工作时", "清除"),
    (None, None, "成堆垃圾且有异味", "4工作时", "清除"),
    (6013, "道路破损", "坑洼", "及时处理", "修复"),
    ("99999", "没有的事", "—", "1天", "—"),
    merged=("A4:A6", "B4:B6"),
)


@cache
def demo() -> City:
    return City.load(ROOT / "cities" / "demo", SystemClock())


def copied(folder: Path) -> Path:
    """The demo city with limits of its own; everything else is where it was."""
    city = folder / "cities" / "own"
    city.mkdir(parents=True)
    (folder / "packs").symlink_to(ROOT / "packs")
    for path in (ROOT / "cities" / "demo").iterdir():
        if path.name != "limits.yaml":
            (city / path.name).symlink_to(path)
    (city / "limits.yaml").write_text("# 本市的时限\norigin: 本市\nfallback: 3天\n", encoding="utf-8")
    return city


def test_merged_matters_keep_all_their_lines_and_the_usual_limit_counts() -> None:
    plan = plan_limits(demo(), "立案结案.xlsx", SHEET)
    assert (plan.rows, plan.read, plan.same) == (5, 3, 0)
    [change] = plan.changes
    assert (change.matter, change.after, change.lines) == (LITTER, "4工作时", 3)
    assert any("表头" in note.zh for note in plan.notes)


def test_what_a_text_was_read_as_is_told_with_its_cell() -> None:
    readings = {reading.text: reading for reading in plan_limits(demo(), "a.xlsx", SHEET).readings}
    assert readings["2小时"].where == "立案结案!D4" and readings["2小时"].read_as.zh == "办公时间 2 小时"
    assert readings["4工作时"].read_as.en == "4 office hours"


def test_every_cell_that_cannot_be_read_is_named_with_what_would_be_understood() -> None:
    faults = plan_limits(demo(), "a.xlsx", SHEET).faults
    assert [fault.where for fault in faults] == ["立案结案!D7", "立案结案!A8"]
    assert "'及时处理'" in faults[0].what and "2紧急工作时" in faults[0].mend
    assert "no matter '99999'" in faults[1].what


def test_codes_without_their_zeros_and_names_of_components_find_their_matter() -> None:
    body = workbook((6013, "道路破损", "坑洼", "3工作日", "修复"), (None, "供水井盖", "缺失", "2紧急工作时", "恢复"))
    plan = plan_limits(demo(), "a.xlsx", body)
    assert {change.matter for change in plan.changes} == {ROAD, COVER}, plan.faults


def test_a_csv_names_line_and_column() -> None:
    [fault] = plan_limits(demo(), "a.csv", "代码,时限\n06010,马上\n".encode()).faults
    assert fault.where == "line 2 时限"
    with pytest.raises(Invalid) as refused:
        plan_limits(demo(), "a.csv", b"x,y\n1,2\n")
    assert [fault.where for fault in refused.value.faults] == ["limit", "code"]


def test_nothing_is_written_while_a_cell_is_unread_and_then_the_city_has_it(tmp_path: Path) -> None:
    city, file = copied(tmp_path), tmp_path / "limits.xlsx"
    file.write_bytes(SHEET)
    before = (city / "limits.yaml").read_text(encoding="utf-8")
    with pytest.raises(ContentError, match="nothing was written"):
        import_limits(city, file, None, write=True)
    assert (city / "limits.yaml").read_text(encoding="utf-8") == before
    file.write_bytes(workbook(("06010", "暴露垃圾", "成堆垃圾", "4工作时", "清除")))
    import_limits(city, file, None, write=True)
    assert (city / "limits.yaml").read_text(encoding="utf-8").startswith("# 本市的时限\n")
    loaded = City.load(city, SystemClock())
    assert loaded.limit_for(LITTER) == "4工作时" and loaded.limit_for(ROAD) == "3天"
    [line] = loaded.limits.conditions(LITTER)
    assert (line.filing, line.closing) == ("成堆垃圾", "清除")
    assert import_limits(city, file, None, write=False)[0].same == 1


def test_the_command_tells_the_plan(tmp_path: Path) -> None:
    file = tmp_path / "limits.xlsx"
    file.write_bytes(SHEET)
    told = CliRunner().invoke(app, ["import", "limits", str(file), "--city", str(ROOT / "cities" / "demo")])
    assert told.exit_code == 0 and "5 rows, 3 read, 1 matters change, 2 not read" in told.output
    as_json = CliRunner().invoke(app, ["import", "limits", str(file), "--city", str(ROOT / "cities/demo"), "--json"])
    assert json.loads(as_json.output)["faults"][0]["where"] == "立案结案!D7"

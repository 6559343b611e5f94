"""Files as departments send them: every encoding, heading and merged cell arrives as rows that know their place."""

from __future__ import annotations

import io
import json
from datetime import UTC, date, datetime
from typing import Any

import openpyxl
import polars as pl
import pytest
import xlwt
from hypothesis import given
from hypothesis import strategies as st

from cityloop.core.errors import Invalid
from cityloop.standard.tables import RawTable, TableOptions, read_table

TEXT = "站点,PM2.5,备注\n万寿西宫,35,晴\n定陵,28.5,\n"


def sheet(rows: list[list[Any]], merges: tuple[str, ...] = (), title: str = "空气") -> bytes:
    book = openpyxl.Workbook()
    page = book.active
    assert page is not None
    page.title = title
    for row in rows:
        page.append(row)
    for merge in merges:
        page.merge_cells(merge)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def old_sheet(write: Any) -> bytes:
    book = xlwt.Workbook()
    write(book.add_sheet("部件"))
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def dicts(table: RawTable) -> list[dict[str, Any]]:
    return table.frame.to_dicts()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030", "gbk", "utf-16"])
def test_a_csv_is_read_in_the_encoding_it_was_saved_in(encoding: str) -> None:
    table = read_table("air.csv", TEXT.encode(encoding))
    assert dicts(table)[0] == {"站点": "万寿西宫", "PM2.5": "35", "备注": "晴"}
    assert dicts(table)[1]["备注"] is None
    assert table.rows == ["line 2", "line 3"]


def test_the_square_sign_that_only_gb18030_has_is_read() -> None:
    table = read_table("a.csv", "面积(m²),㎡\n1,2\n".encode("gb18030"))
    assert table.frame.columns == ["面积(m²)", "㎡"]
    assert "encoding gb18030" in [note.en for note in table.notes]


def test_bytes_that_are_no_text_are_named_with_their_line() -> None:
    with pytest.raises(Invalid, match="byte 6 in line 2"):
        read_table("a.csv", b"a,b\n1\xff\xff,2\n")


@pytest.mark.parametrize("sign", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(sign: str) -> None:
    body = TEXT.replace(",", sign).encode()
    assert read_table("a.txt", body).frame.columns == ["站点", "PM2.5", "备注"]


def test_titles_above_the_heading_and_line_breaks_in_cells_do_not_disturb() -> None:
    body = '2026年3月空气质量日报,,\n"监测\n点位","浓度\n(μg/m³)",备注\n甲,12,"上午\n停电"\n乙,13,\n'.encode()
    table = read_table("a.csv", body)
    assert table.frame.columns == ["监测点位", "浓度(μg/m³)", "备注"]
    assert dicts(table)[0]["备注"] == "上午\n停电"
    assert table.rows == ["line 5", "line 7"]


def test_merged_classes_carry_down_and_headings_of_two_rows_become_one_name() -> None:
    body = sheet(
        [
            ["某市空气质量统计表", None, None, None, None],
            ["区域", "点位", "PM2.5", None, "备注"],
            [None, None, "小时均值", "日均值", None],
            ["福田区", "甲", 35, 30.5, None],
            [None, "乙", 36, 31, None],
            ["南山区", "丙", 1, 2, "新"],
            ["注:数据未经审核", None, None, None, None],
        ],
        ("A1:E1", "A2:A3", "B2:B3", "C2:D2", "E2:E3", "A4:A5", "A7:E7"),
    )
    table = read_table("air.xlsx", body)
    assert table.frame.columns == ["区域", "点位", "PM2.5/小时均值", "PM2.5/日均值", "备注"]
    assert table.frame["区域"].to_list() == ["福田区", "福田区", "南山区"]
    assert table.frame["PM2.5/日均值"].to_list() == ["30.5", "31", "2"]
    assert table.rows == ["空气!4", "空气!5", "空气!6"]
    assert any("空气!7 left out" in note.en for note in table.notes)


def test_an_old_workbook_with_codes_as_numbers_and_dates_is_read() -> None:
    def write(page: Any) -> None:
        day = xlwt.XFStyle()
        day.num_format_str = "yyyy-mm-dd"
        page.write_merge(0, 0, 0, 2, "部件普查表")
        for at, text in enumerate(("大类", "小类代码", "日期")):
            page.write(1, at, text)
        page.write_merge(2, 3, 0, 0, "公用设施")
        for row, code in ((2, 1), (3, 12)):
            page.write(row, 1, code)
            page.write(row, 2, date(2026, 3, 9), day)

    body = old_sheet(write)
    table = read_table("x.xls", body, TableOptions(zero_fill={"小类代码": 2}))
    assert dicts(table) == [
        {"大类": "公用设施", "小类代码": "01", "日期": "2026-03-09"},
        {"大类": "公用设施", "小类代码": "12", "日期": "2026-03-09"},
    ]
    assert read_table("x.xls", body).frame["小类代码"].to_list() == ["1", "12"]


def test_the_sheet_the_heading_and_columns_to_carry_can_be_declared() -> None:
    body = sheet([["x"], ["大类", "量"], ["甲", 1], [None, 2]])
    table = read_table("a.xlsx", body, TableOptions(sheet="空气", header=2, header_rows=1, carry_down=("大类",)))
    assert table.frame["大类"].to_list() == ["甲", "甲"]
    with pytest.raises(Invalid, match="no sheet '水'"):
        read_table("a.xlsx", body, TableOptions(sheet="水"))
    with pytest.raises(Invalid, match="no column '小类'"):
        read_table("a.xlsx", body, TableOptions(header=2, carry_down=("小类",)))


def test_two_heading_rows_of_a_csv_are_joined_when_declared() -> None:
    body = "站点,PM2.5,,O3\n,小时,日,小时\n甲,1,2,3\n".encode()
    table = read_table("a.csv", body, TableOptions(header_rows=2))
    assert table.frame.columns == ["站点", "PM2.5/小时", "PM2.5/日", "O3/小时"]


def test_equal_headings_are_told_apart_and_unnamed_columns_kept() -> None:
    table = read_table("a.csv", b"a,a,b,\n1,2,3,4\n")
    assert table.frame.columns == ["a", "a_2", "b", "column 4"]


def test_json_keeps_every_digit_and_flattens_inner_objects() -> None:
    body = json.dumps({"code": 0, "data": {"list": [{"id": "x", "pos": {"lng": 114.05}, "tags": [1]}, {"v": True}]}})
    table = read_table("a.json", body.replace("114.05", "114.050000").encode())
    assert dicts(table) == [
        {"id": "x", "pos.lng": "114.050000", "tags": '["1"]', "v": None},
        {"id": None, "pos.lng": None, "tags": None, "v": "true"},
    ]
    assert [note.en for note in table.notes] == ["records at data.list"]
    assert table.rows == ["record 1", "record 2"]


def test_lines_of_json_and_their_mistakes_are_placed() -> None:
    assert read_table("a.ndjson", b'{"a":1}\n\n{"a":2}\n').rows == ["line 1", "line 3"]
    with pytest.raises(Invalid, match="line 2, column"):
        read_table("a.ndjson", b'{"a":1}\n{"a":\n')


def test_points_of_geojson_become_columns() -> None:
    features = [
        {"type": "Feature", "properties": {"name": "甲"}, "geometry": {"type": "Point", "coordinates": [114.1, 22.5]}},
        {"type": "Feature", "properties": {"name": "乙"}, "geometry": None},
    ]
    table = read_table("a.geojson", json.dumps({"type": "FeatureCollection", "features": features}).encode())
    assert dicts(table)[0] == {"name": "甲", "lon": "114.1", "lat": "22.5"}
    assert "1 feature(s) without a point" in table.notes[0].en


def test_parquet_times_keep_their_offset() -> None:
    frame = pl.DataFrame({"t": [datetime(2026, 3, 9, 4, tzinfo=UTC)], "v": [1.5], "n": [None]})
    out = io.BytesIO()
    frame.write_parquet(out)
    row = dicts(read_table("a.parquet", out.getvalue()))[0]
    assert datetime.fromisoformat(row["t"]) == datetime(2026, 3, 9, 4, tzinfo=UTC)
    assert (row["v"], row["n"]) == ("1.5", None)


@pytest.mark.parametrize(
    ("name", "body", "what"),
    [
        ("a.csv", b"", "is empty"),
        ("a.xlsx", b"hello", "no such file"),
        ("a.xlsx", b"PK\x03\x04rubbish", "cannot be read as a workbook"),
        ("a.json", b"{}", "no array"),
        ("a.json", b"[1]", "record 1 is not a JSON object"),
        ("a.parquet", b"PAR1xx", "cannot be read as Parquet"),
        ("a.geojson", b"{}", "no GeoJSON"),
    ],
)
def test_what_cannot_be_read_is_refused_with_a_reason(name: str, body: bytes, what: str) -> None:
    with pytest.raises(Invalid, match=what):
        read_table(name, body)


_CELL = st.text(st.characters(codec="gb18030", categories=("L", "N"), max_codepoint=0x9FFF), min_size=1, max_size=6)


@given(
    rows=st.lists(st.tuples(_CELL, _CELL), min_size=1, max_size=8), encoding=st.sampled_from(["utf-8-sig", "gb18030"])
)
def test_cells_of_a_csv_arrive_as_they_were_written(rows: list[tuple[str, str]], encoding: str) -> None:
    text = "\n".join(["第一列,第二列", *[",".join(row) for row in rows]])
    table = read_table("a.csv", text.encode(encoding), TableOptions(encoding=encoding, header=1, delimiter=","))
    assert table.frame.rows() == rows

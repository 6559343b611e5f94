"""Writes a report: a self-contained page to print, an Excel workbook, a PDF file with its font inside."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from html import escape
from pathlib import Path

from fontTools.ttLib import TTCollection
from fpdf import FPDF
from fpdf.enums import TableBordersLayout
from fpdf.fonts import FontFace
from openpyxl import Workbook
from openpyxl.styles import Font, PatternFill

from cityloop.core.errors import Conflict
from cityloop.core.paper import Cell, Paper, ReportForm, Table

FONTS = (
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/noto-cjk/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/google-noto-cjk/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/google-noto-sans-cjk-fonts/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc",
    "/usr/share/fonts/truetype/arphic/uming.ttc",
)
"""Where systems keep a font with Chinese signs; the setting CITYLOOP_REPORT_FONT goes before them."""
_FACE = "report"
_STYLE = """
body{font:14px/1.6 "Noto Sans CJK SC","Source Han Sans SC","Microsoft YaHei","PingFang SC",sans-serif;margin:2em auto;
max-width:72em;padding:0 1em;color:#1a1a1a;background:#fff}
h1{font-size:1.6em;text-align:center}h2{font-size:1.15em;margin:1.6em 0 .4em}
table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}
th,td{border:1px solid #999;padding:.25em .5em;text-align:left;vertical-align:top}th{background:#f0f0f0}
p{margin:.2em 0}.grade{border-left:.5em solid}
@page{size:A4 landscape;margin:14mm}
@media print{body{margin:0;max-width:none}thead{display:table-header-group}tr{break-inside:avoid}}
"""


def rendered(paper: Paper, form: ReportForm, font: Path | None, made_at: datetime) -> bytes:
    """The report in a form; raises :class:`Conflict` for a PDF without a font that has its signs."""
    if form == "html":
        return html(paper)
    return xlsx(paper) if form == "xlsx" else pdf(paper, font, made_at)


def html(paper: Paper) -> bytes:
    """One page without any outside file; texts are escaped."""
    language = "zh-CN" if paper.language == "zh" else "en"
    parts = [
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8">',
        f"<title>{escape(paper.title)}</title><style>{_STYLE}</style></head><body><h1>{escape(paper.title)}</h1>",
        *[f"<p>{escape(line)}</p>" for line in paper.lines],
        *[_html_table(table) for table in paper.tables],
        "</body></html>",
    ]
    return "".join(parts).encode()


def xlsx(paper: Paper) -> bytes:
    """A workbook: the first sheet opens with title and lines, every table has its sheet; no text runs as a formula."""
    book = Workbook()
    book.remove(book.active)
    for number, table in enumerate(paper.tables):
        sheet = book.create_sheet(_sheet_name(table.title, number))
        if not number:
            for line in (paper.title, *paper.lines):
                sheet.append([_safe(line)])
            sheet["A1"].font = Font(bold=True, size=14)
            sheet.append([])
        sheet.append([_safe(cell) for cell in table.heading])
        top = sheet.max_row
        for cell in sheet[top]:
            cell.font, cell.fill = Font(bold=True), PatternFill("solid", fgColor="F0F0F0")
        for row in table.rows:
            sheet.append([_safe(cell) for cell in row])
        if table.note:
            sheet.append([_safe(table.note)])
        sheet.freeze_panes = sheet.cell(top + 1, 1)
        _widths(sheet, table)
    blob = io.BytesIO()
    book.save(blob)
    return blob.getvalue()


def pdf(paper: Paper, font: Path | None, made_at: datetime) -> bytes:
    """A4 landscape with the used signs of the font embedded, so that it shows alike everywhere."""
    path = _font(font)
    document = FPDF(orientation="landscape", format="A4")
    document.set_creation_date(made_at)
    document.set_title(paper.title)
    document.set_lang("zh-CN" if paper.language == "zh" else "en")
    document.add_font(_FACE, fname=path, collection_font_number=_face(path))
    document.set_margins(12, 12)
    document.set_auto_page_break(True, 12)
    document.add_page()
    document.set_font(_FACE, size=16)
    document.multi_cell(0, 9, paper.title, align="C", new_x="LMARGIN", new_y="NEXT")
    document.set_font(_FACE, size=9)
    for line in paper.lines:
        document.multi_cell(0, 5, line, new_x="LMARGIN", new_y="NEXT")
    for table in paper.tables:
        _pdf_table(document, table)
    return bytes(document.output())


def _html_table(table: Table) -> str:
    heading = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in table.heading)
    rows = "".join(
        _html_row(row, table.colours[n] if n < len(table.colours) else "") for n, row in enumerate(table.rows)
    )
    note = f"<p>{escape(table.note)}</p>" if table.note else ""
    return (
        f"<section><h2>{escape(table.title)}</h2>"
        f"<table><thead><tr>{heading}</tr></thead><tbody>{rows}</tbody></table>{note}</section>"
    )


def _html_row(row: Sequence[Cell], colour: str) -> str:
    mark = f' class="grade" style="border-left-color:{escape(colour)}"' if colour else ""
    first, *rest = ["" if cell is None else escape(str(cell)) for cell in row]
    return f"<tr><td{mark}>{first}</td>" + "".join(f"<td>{cell}</td>" for cell in rest) + "</tr>"


def _sheet_name(title: str, number: int) -> str:
    kept = "".join(" " if sign in "[]:*?/\\" else sign for sign in title)
    return f"{number + 1} {kept}"[:31]


def _safe(cell: Cell) -> Cell:
    return "'" + cell if isinstance(cell, str) and cell[:1] in "=+-@\t\r" and not _numeric(cell) else cell


def _numeric(text: str) -> bool:
    return text[1:].replace(".", "", 1).isdigit()


def _widths(sheet: object, table: Table) -> None:
    from openpyxl.utils import get_column_letter

    for number, heading in enumerate(table.heading, 1):
        texts = [heading, *(str(row[number - 1]) for row in table.rows[:200] if row[number - 1] is not None)]
        wide = max(sum(2 if ord(sign) > 255 else 1 for sign in text) for text in texts)
        sheet.column_dimensions[get_column_letter(number)].width = min(60, wide + 2)  # type: ignore[attr-defined]


def _pdf_table(document: FPDF, table: Table) -> None:
    document.set_font(_FACE, size=12)
    document.ln(3)
    document.multi_cell(0, 8, table.title, new_x="LMARGIN", new_y="NEXT")
    document.set_font(_FACE, size=8)
    face = FontFace(fill_color=(240, 240, 240), emphasis=None)
    with document.table(
        headings_style=face, line_height=4.5, padding=0.8, borders_layout=TableBordersLayout.ALL, text_align="LEFT"
    ) as drawn:
        for row in (table.heading, *table.rows):
            line = drawn.row()
            for cell in row:
                line.cell("" if cell is None else str(cell))
    if table.note:
        document.multi_cell(0, 5, table.note, new_x="LMARGIN", new_y="NEXT")


def _font(wanted: Path | None) -> Path:
    for path in [wanted] if wanted else [Path(name) for name in FONTS]:
        if path.is_file():
            return path
    raise Conflict(
        f"there is no font with Chinese signs at {wanted}" if wanted else "this machine has no font with Chinese signs",
        "install Noto Sans CJK, or name a TrueType or OpenType file in CITYLOOP_REPORT_FONT; HTML and Excel need none",
    )


@cache
def _face(path: Path) -> int:
    """The simplified Chinese face of a collection; 0 for a single font."""
    if path.suffix.lower() not in (".ttc", ".otc"):
        return 0
    with TTCollection(str(path), lazy=True) as fonts:
        names = [str(font["name"].getBestFamilyName()) for font in fonts]
    return next((number for number, name in enumerate(names) if name.endswith(" SC")), 0)

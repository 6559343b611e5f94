"""Empty sheets: headings, one example row, and what each column means in Chinese and English."""

from __future__ import annotations

import io

from cityloop.city.sheet import SheetKind

_WIDTH = 22


def template(kind: SheetKind) -> bytes:
    """A workbook (.xlsx) whose first sheet is to be filled; codes stay text, for all its cells are."""
    from openpyxl import Workbook  # at need: no other command should wait for it
    from openpyxl.styles import Font

    book = Workbook()
    sheet, notes = book.active, book.create_sheet("说明 Notes")
    assert sheet is not None
    sheet.title = kind.title.zh
    sheet.append([column.title.zh for column in kind.columns])
    sheet.append([column.example for column in kind.columns])
    for number in range(1, len(kind.columns) + 1):
        letter = sheet.cell(1, number).column_letter
        sheet.column_dimensions[letter].width = _WIDTH
        sheet.column_dimensions[letter].number_format = "@"
        sheet.cell(1, number).font = Font(bold=True)
        sheet.cell(2, number).font = Font(italic=True)
        sheet.cell(2, number).number_format = "@"
    sheet.freeze_panes = "A2"
    notes.append(["列 Column", "English", "必填 Needed", "怎样填", "How to fill it", "也认 Also read as"])
    for column in kind.columns:
        needed = "是 yes" if column.needed else ""
        notes.append(
            [column.title.zh, column.title.en, needed, column.note.zh, column.note.en, ", ".join(column.words)]
        )
    notes.append(["第 2 行是示例，导入时不读。", "Row 2 is an example; it is not read."])
    for letter in "ABCDEF":
        notes.column_dimensions[letter].width = _WIDTH * 2 if letter in "DEF" else _WIDTH
    blob = io.BytesIO()
    book.save(blob)
    return blob.getvalue()

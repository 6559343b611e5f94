"""The report of an inspection: one HTML page that needs nothing else and prints well, or a book of five sheets."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from html import escape
from typing import Any, Literal
from zoneinfo import ZoneInfo

from cityloop.core.values import Title
from cityloop.core.web import cell
from cityloop.quality.schemas import DepartmentResult, Finding, InspectionDetail, SchemeView
from cityloop.quality.scheme import MEANINGS, TITLES

Language = Literal["zh", "en"]
Table = tuple[Sequence[str], list[list[Any]]]
"""Headings and rows."""

_WORDS: dict[str, Title] = {
    "report": Title(zh="数据治理检查报告", en="Data inspection report"),
    "summary": Title(zh="概况", en="Summary"),
    "departments": Title(zh="部门得分", en="Departments"),
    "findings": Title(zh="问题清单", en="Findings"),
    "cases": Title(zh="案件与复查", en="Cases and rechecks"),
    "method": Title(zh="方法", en="Method"),
    "none": Title(zh="无", en="none"),
    "open": Title(zh="整改中", en="being repaired"),
    "repaired": Title(zh="已整改待复查", en="repaired, to be rechecked"),
    "passed": Title(zh="复查合格", en="mended"),
    "failed": Title(zh="未整改到位", en="not mended"),
    "closed": Title(zh="复查合格，案件结案", en="mended, case closed"),
    "rework": Title(zh="复查不合格，退回返工", en="not mended, sent back for rework"),
    "new_case": Title(zh="复查不合格，另立新案", en="not mended, a new case was opened"),
    "nothing": Title(zh="已复查", en="rechecked"),
}


@dataclass(frozen=True)
class Report:
    """What a report is made of, all within the asker's sight."""

    inspection: InspectionDetail
    findings: Sequence[Finding]
    scheme: SchemeView
    language: Language
    zone: ZoneInfo
    now: datetime

    def html(self) -> bytes:
        """One page without anything from outside."""
        title = f"{self.text(self.inspection.title)} · {self.word('report')}"
        sections = "".join(
            f"<h2>{escape(self.word(name))}</h2>{_html_table(*table)}" for name, table in self.tables().items()
        )
        lang = "zh-CN" if self.language == "zh" else "en"
        page = (
            f'<!doctype html><html lang="{lang}"><head><meta charset="utf-8"><title>{escape(title)}</title>'
            f"<style>{_STYLE}</style></head><body><h1>{escape(title)}</h1>{sections}</body></html>"
        )
        return page.encode()

    def xlsx(self) -> bytes:
        """A book with the sheets summary, departments, findings, cases and method."""
        from openpyxl import Workbook
        from openpyxl.styles import Alignment, Font
        from openpyxl.utils import get_column_letter

        book = Workbook()
        book.remove(book.worksheets[0])
        for name, (headings, rows) in self.tables().items():
            sheet = book.create_sheet(self.word(name))
            for line in [list(headings), *rows]:
                sheet.append([cell(value) for value in line])
            for heading in sheet[1]:
                heading.font = Font(bold=True)
            for number in range(1, len(headings) + 1):
                widest = max((len(str(line[number - 1] or "")) for line in [headings, *rows]), default=8)
                sheet.column_dimensions[get_column_letter(number)].width = min(max(10, widest * 1.6), 60)
            for line in sheet.iter_rows(min_row=2):
                for box in line:
                    box.alignment = Alignment(wrap_text=True, vertical="top")
            sheet.freeze_panes = "A2"
        blob = io.BytesIO()
        book.save(blob)
        return blob.getvalue()

    def tables(self) -> dict[str, Table]:
        """The five parts, by name."""
        return {
            "summary": self._summary(),
            "departments": self._departments(),
            "findings": self._findings(),
            "cases": self._cases(),
            "method": self._method(),
        }

    def text(self, title: Title | None) -> str:
        """A title in the report's language."""
        return "" if title is None else title.zh if self.language == "zh" else title.en

    def word(self, name: str) -> str:
        """A word of the report in its language."""
        return self.text(_WORDS[name])

    def _heads(self, zh: str, en: str) -> list[str]:
        return (zh if self.language == "zh" else en).split("|")

    def _at(self, at: datetime | None) -> str:
        return at.astimezone(self.zone).strftime("%Y-%m-%d %H:%M") if at else "—"

    def _summary(self) -> Table:
        one = self.inspection
        feeds = ", ".join(dict.fromkeys(self.text(task.title) for task in one.tasks))
        judged = sum(task.verdict in ("good", "finding") for task in one.tasks)
        values = [
            self.text(one.title),
            self.text(one.state_title),
            f"{self._at(one.start)} – {self._at(one.end)}",
            feeds,
            f"{judged} / {one.total}",
            _score(one.score, one.grade),
            one.findings,
            one.passed,
            one.failed,
            one.open,
            one.limit,
            self._at(self.now),
        ]
        names = self._heads(
            "检查|状态|检查时段|数据接入|作出判断的检查项|总分|发现问题|已整改|未整改到位|整改中|整改时限|报告生成时间",
            "inspection|state|period|feeds|checks that were judged|score|findings|mended|not mended|being repaired"
            "|limit for repairs|report made at",
        )
        return self._heads("项目|内容", "item|value"), [list(line) for line in zip(names, values, strict=True)]

    def _departments(self) -> Table:
        fixed = self._heads(
            "部门|总分|等级|上次得分|变化|问题|已整改|未整改到位|整改中|超时未办",
            "department|score|grade|previous score|change|findings|mended|not mended|being repaired|overdue",
        )
        heads = [*fixed, *(self.text(info.title) for info in self.scheme.dimensions)]
        return heads, [self._department(one) for one in self.inspection.departments]

    def _department(self, one: DepartmentResult) -> list[Any]:
        shares = [
            f"{part.score:.2f} ({part.numerator}/{part.denominator})" if part.enough and part.score is not None else "—"
            for part in one.dimensions
        ]
        figures = [_figure(one.score), one.grade or "—", _figure(one.previous_score), _figure(one.change)]
        counts = [one.findings, one.passed, one.failed, one.open, one.overdue]
        return [self.text(one.title), *figures, *counts, *shares]

    def _findings(self) -> Table:
        heads = self._heads(
            "编号|部门|数据接入|检查项|实测|要求|说明|例证|状态",
            "id|department|feed|check|measured|required|reason|examples|state",
        )
        rows = [
            [
                one.id,
                self.text(one.department_title),
                self.text(one.feed_title),
                self.text(one.check_title),
                _percent(one.share),
                _percent(one.least),
                self.text(one.reason),
                "\n".join(self._example(one, n) for n in range(len(one.examples))),
                self.word(one.state),
            ]
            for one in self.findings
        ]
        return heads, rows

    def _example(self, finding: Finding, number: int) -> str:
        one = finding.examples[number]
        who = self.text(one.entity_title) or one.entity or ""
        parts = [self._at(one.at), who, one.column or "", self.text(one.reason), one.record or one.quarantine or ""]
        return " · ".join(part for part in parts if part)

    def _cases(self) -> Table:
        heads = self._heads(
            "案件号|部门|数据接入|检查项|案件状态|截止时间|超时|复查次数|复查记录|结果",
            "case|department|feed|check|case state|due|overdue|rechecks|what the rechecks found|result",
        )
        yes, no = ("是", "否") if self.language == "zh" else ("yes", "no")
        rows = [
            [
                one.case_number or "—",
                self.text(one.department_title),
                self.text(one.feed_title),
                self.text(one.check_title),
                one.case_state or "—",
                self._at(one.due_at),
                yes if one.overdue else no,
                one.attempts,
                "\n".join(
                    f"{self._at(look.at)} {self.text(look.reason)} → "
                    f"{self.word('nothing' if look.act == 'none' else look.act)}"
                    for look in one.rechecks
                ),
                self.word(one.state),
            ]
            for one in self.findings
        ]
        return heads, rows

    def _method(self) -> Table:
        one = self.inspection
        rows: list[list[Any]] = [
            [self.text(info.title), self.text(info.meaning), info.weight, _percent(info.least)]
            for info in self.scheme.dimensions
        ]
        rows += [
            [self.text(TITLES[check]), self.text(MEANINGS[check]), "", ""]
            for check in ("freshness", "values", "sample")
        ]
        bands = "  ".join(f"{band.grade} ≥ {band.start:g}" for band in self.scheme.bands)
        seed = f"{one.sample.size} / {one.sample.seed}"
        labels = self._heads(
            "等级|最少样本|抽样条数 / 种子|复查等待新数据|总分",
            "bands|minimum sample|rows drawn / seed|new data before a recheck|score",
        )
        rule = Title(
            zh="各维度占比的加权平均 × 100；样本不足的维度不计，权重由其余维度分担",
            en="weighted mean of the shares × 100; a dimension with too few cases does not count, the others share its "
            "weight",
        )
        notes = [bands, self.scheme.minimum_sample, seed, one.recheck_after, self.text(rule)]
        rows += [[label, note, "", ""] for label, note in zip(labels, notes, strict=True)]
        return self._heads("项目|含义|权重|要求", "item|meaning|weight|required"), rows


_STYLE = (
    "body{font:14px/1.5 system-ui,'PingFang SC','Microsoft YaHei',sans-serif;margin:2rem auto;max-width:75rem;"
    "padding:0 1rem;color:#1a1a1a;background:#fff}h1{font-size:1.5rem}h2{font-size:1.1rem;margin-top:2rem}"
    "table{border-collapse:collapse;width:100%}th,td{border:1px solid #bbb;padding:.3rem .5rem;text-align:left;"
    "vertical-align:top;white-space:pre-line;overflow-wrap:anywhere}th{background:#f0f0f0}"
    "@media print{body{margin:0;max-width:none;font-size:10px}tr{break-inside:avoid}thead{display:table-header-group}}"
)


def _html_table(headings: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    head = "".join(f"<th>{escape(text)}</th>" for text in headings)
    lines = ["".join(f"<td>{escape('' if v is None else str(v))}</td>" for v in row) for row in rows]
    body = "".join(f"<tr>{line}</tr>" for line in lines) or f'<tr><td colspan="{len(headings)}">—</td></tr>'
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _figure(value: float | None) -> str:
    return "—" if value is None else f"{value:.2f}"


def _percent(value: float | None) -> str:
    return "—" if value is None else f"{value:.2%}"


def _score(value: float | None, grade: str | None) -> str:
    return "—" if value is None else f"{value:.2f} ({grade})"

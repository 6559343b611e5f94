"""A sheet of limits and of filing and closing conditions → changed limits of a city, without I/O.

A matter may have several lines, each with a limit of its own. A report without a chosen line is the ordinary case: of
lines whose limit is no emergency (紧急) the limit that most have counts, the shorter one when two are equal.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from cityloop.city.catalogue import Catalogue
from cityloop.city.content import ConditionLine, LimitsFile
from cityloop.city.deadlines import Limits
from cityloop.city.grammar import Limit, NeedsHuman, Stage
from cityloop.city.limit_change import LimitsChange, Parse
from cityloop.city.phrases import PHRASES
from cityloop.city.schemas import Matter
from cityloop.city.sheet import SheetFault, SheetLine
from cityloop.core.errors import Fault
from cityloop.core.values import Frozen, Title

HEADINGS: Mapping[str, tuple[str, ...]] = {
    "kind": ("kind", "类别", "部件事件", "类型"),
    "code": ("code", "代码", "编码", "编号", "小类代码", "小类编码", "标识码"),
    "name": ("name", "名称", "小类", "小类名称", "事项", "事项名称"),
    "filing": ("filing", "filing_condition", "立案条件", "立案标准"),
    "limit": ("limit", "limit_text", "时限", "处置时限", "处理时限", "办理时限", "结案时限"),
    "closing": ("closing", "closing_condition", "结案条件", "结案标准"),
}
"""Words that head a column; of a heading of several rows the last word counts."""
UNDERSTOOD = "4工作时, 2紧急工作时, 1.5工作日, 半天, 30分钟, 种植季节15工作日, 1、停工:4个工作时 2、处罚:7个工作日"
_KINDS = {"部件": "component", "component": "component", "事件": "matter", "matter": "matter"}
_MEASURES: Mapping[str, tuple[float, str, str]] = {
    "continuous": (3.6e9, "连续 {0} 小时", "{0} hours day and night"),
    "office": (3.6e9, "办公时间 {0} 小时", "{0} office hours"),
    "office_days": (1e6, "{0} 个办公日", "{0} office days"),
    "closes": (1, "第 {0} 个工作日下班前", "close of working day {0}"),
}


class LimitChange(Frozen):
    """A matter whose limit or lines change."""

    matter: str
    title: Title
    before: str | None
    after: str
    lines: int


class LimitReading(Frozen):
    """What a limit text was read as, and the first cell that has it."""

    text: str
    read_as: Title
    where: str


class LimitsPlan(Frozen):
    """What a sheet of limits would change; nothing is written."""

    rows: int
    read: int
    changes: list[LimitChange]
    same: int
    """Matters of the sheet that stay as they are."""
    readings: list[LimitReading]
    faults: list[SheetFault]
    notes: list[Title]
    change: LimitsChange
    """The same as a change, for ``POST /api/v1/limits/plan``."""
    document: str = ""
    """``limits.yaml`` as it would be."""


@dataclass
class _Read:
    lines: dict[str, list[ConditionLine]] = field(default_factory=dict)
    readings: dict[str, LimitReading] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)


def planned(
    lines: Sequence[SheetLine], notes: Sequence[Title], catalogue: Catalogue, parse: Parse, current: LimitsFile
) -> tuple[LimitsPlan, LimitsFile]:
    """The plan, and the limits with everything in them that could be read."""
    read = _Read()
    for line in lines:
        _take(read, line, catalogue, parse)
    matters = {key: usual([line.limit for line in of], parse) for key, of in read.lines.items()}
    # A sheet of limits alone says nothing about conditions: those that stand remain.
    worded = {key: tuple(line for line in of if line.filing or line.closing) for key, of in read.lines.items()}
    conditions = {key: of or current.conditions.get(key, ()) for key, of in worded.items()}
    held = Limits(current)
    before = {key: held.text_for(catalogue.get(key)) for key in matters}
    changes = [
        LimitChange(
            matter=key,
            title=catalogue.get(key).title,
            before=before[key],
            after=matters[key],
            lines=len(of),
        )
        for key, of in read.lines.items()
        if before[key] != matters[key] or current.conditions.get(key, ()) != conditions[key]
    ]
    change = LimitsChange(
        matters={one.matter: one.after for one in changes if one.after != one.before},
        conditions={one.matter: conditions[one.matter] for one in changes},
    )
    plan = LimitsPlan(
        rows=len(lines),
        read=sum(map(len, read.lines.values())),
        changes=changes,
        same=len(read.lines) - len(changes),
        change=change,
        readings=list(read.readings.values()),
        faults=[SheetFault.of(fault) for fault in read.faults],
        notes=list(notes),
    )
    return plan, change.over(current)


def usual(texts: Iterable[str], parse: Parse) -> str:
    """The ordinary limit that most have; the shorter when equal."""
    known = list(texts)
    ordinary = [text for text in known if "紧急" not in text] or known
    counts = Counter(ordinary)
    return min(counts, key=lambda text: (-counts[text], _length(parse(text)), text))


def told(limit: Limit) -> Title:
    """What a limit says, stage by stage."""
    spans = [_told(stage) for stage in limit.stages]
    season = f"（{limit.season.word}）" if limit.season else ""
    return Title(zh="；".join(s.zh for s in spans) + season, en="; ".join(s.en for s in spans) + season)


def _told(stage: Stage) -> Title:
    unit, zh, en = _MEASURES[stage.measure]
    amount = f"{stage.amount / unit:g}"
    label = f"{stage.label}：" if stage.label else ""
    return Title(zh=label + zh.format(amount), en=label + en.format(amount))


def _length(read: Limit | NeedsHuman) -> int:
    return sum(stage.amount for stage in read.stages) if isinstance(read, Limit) else 0


def _take(read: _Read, line: SheetLine, catalogue: Catalogue, parse: Parse) -> None:
    matter, text = _matter(read, line, catalogue), line.texts.get("limit", "")
    limit = parse(text) if text else None
    if isinstance(limit, Limit):
        reading = LimitReading(text=text, read_as=told(limit), where=line.places["limit"])
        read.readings.setdefault(text, reading)
        if matter is not None:
            made = ConditionLine(filing=line.texts.get("filing", ""), limit=text, closing=line.texts.get("closing", ""))
            read.lines.setdefault(matter.key, []).append(made)
        return
    where = line.places["limit"]
    unread = limit and PHRASES.fault(where, "unread-limit", text=text, reason=limit.reason, known=UNDERSTOOD)
    read.faults.append(unread or PHRASES.fault(where, "no-limit", known=UNDERSTOOD))


def _matter(read: _Read, line: SheetLine, catalogue: Catalogue) -> Matter | None:
    """The matter of a row by its code, else by its name; a component's row is about its anomaly."""
    code, name = line.texts.get("code", ""), line.texts.get("name", "")
    of_kind = _KINDS.get(line.texts.get("kind", ""))
    known = [m for m in catalogue.list() if m.standard == catalogue.in_force]
    width = max((len(m.code) for m in known), default=0)
    codes = [m for m in known if m.code == (code.zfill(width) if code.isdigit() else code)]
    names = [m for m in known if name and m.title.zh in (name, f"{name}异常" if of_kind != "matter" else name)]
    found = codes or names
    if len(found) == 1:
        return found[0]
    where = line.places.get("code") or line.places.get("name") or line.places["limit"]
    near = ", ".join(f"{m.code} {m.title.zh}" for m in catalogue.near(name or code, 3)) or PHRASES.what("none-near")
    parts = {"text": name if found else code or name, "near": near}
    if found:
        read.faults.append(PHRASES.fault(where, "several-matters", count=len(found), **parts))
    else:
        read.faults.append(PHRASES.fault(where, "no-matter", standard=catalogue.in_force, **parts))
    return None

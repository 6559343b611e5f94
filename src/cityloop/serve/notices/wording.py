"""What a notice says. Cases are told by number and matter: the words of reporters do not leave the house."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from cityloop.cases.waiting import REMINDER
from cityloop.city.service import City
from cityloop.core.outbox import Event
from cityloop.serve.notices.content import COMMAND, WARNING

Language = Literal["zh", "en"]
MOST_SMS = 300
"""Signs of a text message."""
_LEVELS = {
    "blue": ("蓝色", "Blue"),
    "yellow": ("黄色", "Yellow"),
    "orange": ("橙色", "Orange"),
    "red": ("红色", "Red"),
}
_STEPS = {
    "raised": ("预警", "warning"),
    "level": ("预警级别变更", "warning, new level"),
    "cleared": ("预警解除", "warning cleared"),
    "escalated": ("预警升级", "warning escalated"),
    "reminder": ("预警待确认", "warning not acknowledged"),
    "assigned": ("预警指派", "warning assigned"),
}
_CASES = {
    "near": ("即将到期", "due soon"),
    "due": ("已到期", "overdue"),
    "escalated": ("超期升级", "overdue, escalated"),
    "reply": ("督办待答复", "reply overdue"),
}

_COMMANDS = {
    "proposed": ("指令待确认", "command to be confirmed"),
    "unknown": ("指令结果不明", "outcome of a command unknown"),
    "failed": ("指令失败", "command failed"),
    "contact_lost": ("设备失联", "device out of contact"),
    "safe_state_missed": ("设备未处于安全状态", "device not in its safe state"),
}


@dataclass(frozen=True)
class Words:
    """A message: one line, and the rest."""

    title: str
    body: str


class Wording:
    """Words for the events of one city; ``exercise``: all of it is a drill, and every message says so."""

    def __init__(self, city: City, exercise: bool) -> None:
        self._city, self._exercise = city, exercise

    def of(self, event: Event, language: Language) -> Words:
        """What an event says."""
        if event.type.startswith(COMMAND):
            lines = self._command(event, language)
        else:
            lines = self._case(event, language) if event.type == REMINDER else self._warning(event, language)
        head = ("【演练】", "[Exercise] ")[language == "en"] if self._exercise else ""
        title, *rest = lines
        return Words(f"{head}{title}"[:200], "\n".join([f"{head}{title}", *rest]))

    def together(self, told: Sequence[Words], language: Language) -> Words:
        """Several as one message."""
        if len(told) == 1:
            return told[0]
        office = getattr(self._city.title, language)
        title = f"{office}：{len(told)}条通知" if language == "zh" else f"{office}: {len(told)} notices"
        return Words(title, "\n\n".join(words.body for words in told))

    def short(self, told: Sequence[Words], language: Language) -> str:
        """The same as a text message."""
        whole = ("；" if language == "zh" else "; ").join(words.title for words in told)
        count = f"共{len(told)}条：" if language == "zh" else f"{len(told)} notices: "
        text = f"{count if len(told) > 1 else ''}{whole}"
        return text if len(text) <= MOST_SMS else f"{text[: MOST_SMS - 1]}…"

    def _warning(self, event: Event, language: Language) -> list[str]:
        warning, en = event.data["warning"], int(language == "en")
        level, step = _LEVELS[warning["level"]][en], _STEPS[event.type.removeprefix(WARNING)][en]
        what, entity = _said(warning["message"], language), _said(warning["entity_title"], language)
        title = f"{level} {step}: {entity}. {what}" if en else f"{level}{step}：{entity}，{what}"
        return [
            title,
            self._line(("规则", "Rule"), _said(warning["title"], language), en),
            self._line(("部门", "Department"), self._department(event.data.get("to") or warning["department"], en), en),
            self._line(("时间", "Time"), self._clock(event.time), en),
            self._line(("编号", "Number"), warning["id"], en),
        ]

    def _case(self, event: Event, language: Language) -> list[str]:
        case, en = event.data["case"], int(language == "en")
        step = _CASES[event.data["step"]][en]
        matter = _said(case["matter_title"], language)
        title = f"Case {case['number']} {step}: {matter}" if en else f"案件{case['number']}{step}：{matter}"
        due = case["due_at"] and self._clock(datetime.fromisoformat(case["due_at"]))
        return [
            title,
            self._line(("部门", "Department"), self._department(event.data["department"], en), en),
            self._line(("时限", "Due"), due or "—", en),
            self._line(("编号", "Number"), case["number"], en),
        ]

    def _command(self, event: Event, language: Language) -> list[str]:
        """A command or a device; what people gave as their reason does not leave the house."""
        told, en = event.data.get("command") or event.data["contact"], int(language == "en")
        step, entity = _COMMANDS[event.type.removeprefix(COMMAND)][en], _said(told["entity_title"], language)
        what = f"{' · ' if en else '，'}{_said(told['title'], language)}" if "title" in told else ""
        return [
            f"{step[0].upper()}{step[1:]}: {entity}{what}" if en else f"{step}：{entity}{what}",
            self._line(("部门", "Department"), self._department(told["department"], en), en),
            self._line(("时间", "Time"), self._clock(event.time), en),
            self._line(("编号", "Number"), told["id"], en),
        ]

    def _line(self, names: tuple[str, str], value: str, en: int) -> str:
        return f"{names[en]}{': ' if en else '：'}{value}"

    def _department(self, id: str | None, en: int) -> str:
        found = self._city.departments.get(id or "")
        return (found.title.en if en else found.title.zh) if found else id or "—"

    def _clock(self, at: datetime) -> str:
        return f"{at.astimezone(self._city.zone):%Y-%m-%d %H:%M}"


def _said(title: Mapping[str, Any], language: Language) -> str:
    """One line of a title: what people wrote may hold line breaks."""
    return " ".join(str(title[language]).split())

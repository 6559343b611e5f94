"""Papers of an emergency: the report from its own timeline, and the list of contacts for when nothing works."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from statistics import median
from zoneinfo import ZoneInfo

from cityloop.core.paper import Cell, Language, Paper, Say, Table, speaker
from cityloop.core.values import Title
from cityloop.emergency.declarations import KindDef, PersonDef
from cityloop.emergency.schemas import ResponseView, SituationLine

_STATES = {"open": ("未接收", "not taken"), "taken": ("办理中", "under way"), "done": ("完成", "done"),
           "dropped": ("取消", "dropped")}  # fmt: skip
_CALLS = {"calling": ("呼叫中", "calling"), "reached": ("已应答", "answered"), "missed": ("未应答", "not answered")}


def after_action(
    city: Title, view: ResponseView, departments: Mapping[str, Title], language: Language, zone: ZoneInfo
) -> Paper:
    """What happened, when, by whom; how quickly; what was late; from the log alone and what stands beside it."""
    say = speaker(language)
    log = list(reversed(view.log))
    return Paper(
        language=language,
        title=say(f"{city.zh}应急响应复盘报告：{view.title}", f"{city.en}: after-action report, {view.title}"),
        lines=_lines(view, log, say, zone),
        tables=[
            _figures(view, log, say),
            _contacts(view, say, zone),
            _tasks(view, departments, say, zone),
            _resources(view, say, zone),
            _timeline(log, say, zone),
        ],
    )


def contact_list(
    city: Title, kind: KindDef, people: Mapping[str, Sequence[PersonDef]], language: Language, printed: datetime
) -> Paper:
    """Who is called for a kind of emergency, in order, with phones: to be printed and hung up."""
    say = speaker(language)
    rows: list[list[Cell]] = []
    for contact in kind.contacts:
        for place, person in enumerate(people.get(contact.role, ()), 1):
            rows.append([_of(say, contact.title), contact.level, place, _of(say, person.name), person.phone])
        if not people.get(contact.role):
            rows.append([_of(say, contact.title), contact.level, None, "—", "—"])
    heading = [say("岗位", "Role"), say("起始级别", "From level"), say("顺序", "Order")]
    heading += [say("姓名", "Name"), say("电话", "Phone")]
    note = say("按顺序呼叫，未应答呼叫下一位。", "Call in this order; who does not answer is passed over.")
    return Paper(
        language=language,
        title=say(f"{city.zh}应急通讯录：{kind.title.zh}", f"{city.en}: contacts, {kind.title.en}"),
        lines=[say(f"打印时间：{printed:%Y-%m-%d %H:%M}", f"Printed at: {printed:%Y-%m-%d %H:%M}")],
        tables=[Table(say("联系人", "Contacts"), heading, rows, note)],
    )


def _lines(view: ResponseView, log: Sequence[SituationLine], say: Say, zone: ZoneInfo) -> list[str]:
    opened = _at(view.opened_at, zone)
    ended = _at(view.ended_at, zone) if view.ended_at else say("尚未终止", "not ended")
    levels = [_of(say, line.said) for line in log if line.kind == "level"]
    reasons = [line.words for line in log if line.kind == "end"]
    return [
        say(f"编号：{view.number}；类型：{view.kind_title.zh}", f"Number: {view.number}; kind: {view.kind_title.en}"),
        say(f"启动：{opened}；终止：{ended}", f"Opened: {opened}; ended: {ended}"),
        say(f"最终级别：{view.level}", f"Level at the end: {view.level}"),
        *levels,
        *[say(f"终止依据：{reason}", f"Why it ended: {reason}") for reason in reasons],
    ]


def _figures(view: ResponseView, log: Sequence[SituationLine], say: Say) -> Table:
    """Spans in minutes from the opening on; empty where the thing did not happen."""

    def minutes(kinds: Sequence[str]) -> Cell:
        first = next((line.at for line in log if line.kind in kinds), None)
        return None if first is None else round((first - view.opened_at).total_seconds() / 60, 1)

    answers = [(c.reached_at - c.called_at).total_seconds() / 60 for c in view.contacts if c.reached_at]
    rows: list[Sequence[Cell]] = [
        [say("到首个任务下达（分钟）", "To the first task given, minutes"), minutes(["task"])],
        [say("到首次应答（分钟）", "To the first answer, minutes"), minutes(["reached"])],
        [say("到首次调派（分钟）", "To the first resource sent, minutes"), minutes(["assigned"])],
        [say("到首个资源到达（分钟）", "To the first arrival, minutes"), minutes(["arrived"])],
        [say("应答用时中位数（分钟）", "Median time to an answer, minutes"),
         round(median(answers), 1) if answers else None],
        [say("任务数", "Tasks"), len(view.tasks)],
        [say("超时任务", "Late tasks"), sum(task.late for task in view.tasks)],
        [say("未应答岗位", "Roles that nobody answered for"), sum(c.state == "missed" for c in view.contacts)],
    ]  # fmt: skip
    return Table(say("关键用时", "Figures"), [say("指标", "Figure"), say("值", "Value")], rows)


def _contacts(view: ResponseView, say: Say, zone: ZoneInfo) -> Table:
    heading = [
        say("岗位", "Role"),
        say("状态", "State"),
        say("呼叫", "Called"),
        say("应答", "Answered"),
        say("应答人", "By"),
    ]
    rows = [
        [
            _of(say, one.title),
            say(*_CALLS[one.state]),
            _at(one.called_at, zone),
            _at(one.reached_at, zone),
            one.reached_by,
        ]
        for one in view.contacts
    ]
    return Table(say("联络", "Contacts"), heading, rows)


def _tasks(view: ResponseView, departments: Mapping[str, Title], say: Say, zone: ZoneInfo) -> Table:
    heading = [say("任务", "Task"), say("部门", "Department"), say("状态", "State"), say("下达", "Given")]
    heading += [say("截止", "Due"), say("完成", "Done"), say("超时", "Late"), say("结果", "Result")]
    rows = [
        [
            _of(say, task.title), _of(say, departments[task.department]), say(*_STATES[task.state]),
            _at(task.opened_at, zone), _at(task.due_at, zone), _at(task.done_at, zone),
            say("是", "yes") if task.late else "", task.result,
        ]
        for task in view.tasks
    ]  # fmt: skip
    return Table(say("任务", "Tasks"), heading, rows)


def _resources(view: ResponseView, say: Say, zone: ZoneInfo) -> Table:
    heading = [say("资源", "Resource"), say("数量", "Count"), say("调派", "Sent")]
    heading += [say("到达", "Arrived"), say("归队", "Released")]
    rows = [
        [
            _of(say, one.title), f"{one.count} {_of(say, one.unit)}", _at(one.assigned_at, zone),
            _at(one.arrived_at, zone), _at(one.released_at, zone),
        ]
        for one in view.assignments
    ]  # fmt: skip
    return Table(say("资源", "Resources"), heading, rows)


def _timeline(log: Sequence[SituationLine], say: Say, zone: ZoneInfo) -> Table:
    heading = [say("时间", "Time"), say("人员", "By"), say("事项", "What"), say("内容", "Words")]
    rows = [[_at(line.at, zone), _of(say, line.actor_name), _of(say, line.said), line.words] for line in log]
    return Table(say("情况记录", "Situation log"), heading, rows)


def _of(say: Say, title: Title) -> str:
    return say(title.zh, title.en)


def _at(at: datetime | None, zone: ZoneInfo) -> str:
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M:%S}" if at else ""

"""The services that a plan's steps may call, with what each is given. What is not listed here cannot be drawn.

Who carries a service out is another matter (``ports.py``); linting, the editor and the dry run read only this.
"""

from __future__ import annotations

from cityloop.core.values import Frozen, Title


class ServiceInput(Frozen):
    """One input of a service; its value in a diagram is a text, or FEEL after ``=``."""

    name: str
    title: Title
    required: bool = False
    values: tuple[str, ...] = ()
    """The only values it may have, where it is written as a text."""


class ServiceKind(Frozen):
    """A service by its name. ``waits``: the run rests in it until the world answers; no loop through it spins."""

    name: str
    title: Title
    does: Title
    """What it would do, for a dry run."""
    inputs: tuple[ServiceInput, ...] = ()
    more: bool = False
    """Whether further inputs of any name are taken, as for what is handed to a command or a decision."""
    waits: bool = False


def _service(name: str, zh: str, en: str, does: tuple[str, str], *inputs: ServiceInput, **flags: bool) -> ServiceKind:
    return ServiceKind(name=name, title=Title(zh=zh, en=en), does=Title(zh=does[0], en=does[1]), inputs=inputs, **flags)


def _needed(name: str, zh: str, en: str, *values: str) -> ServiceInput:
    return ServiceInput(name=name, title=Title(zh=zh, en=en), required=True, values=values)


def _may(name: str, zh: str, en: str, *values: str) -> ServiceInput:
    return ServiceInput(name=name, title=Title(zh=zh, en=en), values=values)


_LEVELS = ("blue", "yellow", "orange", "red")
_TEXT = _needed("text", "内容", "text")

SERVICES = {
    service.name: service
    for service in (
        _service(
            "case.open",
            "立案或并入案件",
            "open or join a case",
            ("会立一件案件，或并入同一地点的未结案件", "would open a case, or join an open one at the same place"),
            _needed("matter", "事项", "matter"),
            _needed("description", "描述", "description"),
            _may("area", "辖区", "area"),
            _may("entity", "对象", "entity"),
            _may("department", "处置部门", "department"),
            _may("lon", "经度", "longitude"),
            _may("lat", "纬度", "latitude"),
            _may("wait", "等待结案", "wait for its end", "true", "false"),
        ),
        _service(
            "notify",
            "发通知",
            "notify",
            ("会通知部门或岗位", "would notify a department or post"),
            _may("department", "部门", "department"),
            _may("post", "岗位", "post"),
            _needed("title", "标题", "title"),
            _TEXT,
        ),
        _service(
            "cap",
            "发布预警信息（CAP）",
            "publish a CAP message",
            ("会发布一条 CAP 预警信息", "would publish a CAP message"),
            _needed("level", "级别", "level", *_LEVELS),
            _needed("headline", "标题", "headline"),
            _TEXT,
            _may("area", "辖区", "area"),
        ),
        _service(
            "command",
            "下达指令",
            "order a command",
            ("会向设备下达指令，由指令规则审核", "would order a device, as the rules of commands allow"),
            _needed("entity", "对象", "entity"),
            _needed("entity_type", "对象类型", "entity type"),
            _needed("command", "指令", "command"),
            _may("level", "级别", "level"),
            more=True,
        ),
        _service(
            "webhook",
            "调用外部系统",
            "call another system",
            ("会把内容发给另一个系统", "would send the content to another system"),
            _needed("webhook", "登记的外部系统", "registered webhook"),
            more=True,
        ),
        _service(
            "metric",
            "查询指标",
            "ask a metric",
            ("会查询一项指标", "would ask a metric"),
            _needed("metric", "指标", "metric"),
            _may("area", "辖区", "area"),
            _may("hours", "最近小时数", "last hours"),
            more=True,
        ),
        _service(
            "wait_warning_clear",
            "等待预警解除",
            "wait for a warning to clear",
            ("会等到预警解除", "would wait until the warning clears"),
            _may("warning", "预警", "warning"),
            _may("rule", "规则", "rule"),
            _may("area", "辖区", "area"),
            waits=True,
        ),
        _service(
            "decide",
            "查决策表",
            "ask a decision table",
            ("会查一张决策表", "would ask a decision table"),
            _needed("table", "决策表", "decision table"),
            more=True,
        ),
        _service(
            "subplan",
            "启动子预案",
            "start a sub-plan",
            ("会启动另一预案并等其结束", "would start another plan and wait for its end"),
            _needed("plan", "预案", "plan"),
            more=True,
            waits=True,
        ),
    )
}
"""By name."""

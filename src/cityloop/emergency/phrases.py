"""Lines of the situation log and refusals of this room, in both languages."""

from __future__ import annotations

from cityloop.core.phrases import Phrases

PHRASES = Phrases(
    {
        # The log
        "opened": "启动{level}级响应：{title} | level {level} response opened: {title}",
        "by-warning": "由预警自动启动：{level} | opened by a warning: {level}",
        "by-run": "由联动预案启动：{plan} | opened by a run of the plan {plan}",
        "level": "响应级别由{before}级调整为{after}级 | level changed from {before} to {after}",
        "called": "呼叫{role}：{name} {phone} | calling {role}: {name} {phone}",
        "no-people": "{role}：没有登记人员 | {role}: nobody is listed",
        "passed-over": "{role}：{name}未应答 | {role}: {name} did not answer",
        "missed": "{role}：全部未应答 | {role}: nobody answered",
        "reached": "{role}已应答：{name} | {role} answered: {name}",
        "task": "下达任务：{task}（{department}） | task given: {task} ({department})",
        "task-taken": "任务已接收：{task} | task taken: {task}",
        "task-done": "任务完成：{task} | task done: {task}",
        "task-dropped": "任务取消：{task} | task dropped: {task}",
        "task-late": "任务超时：{task}（{department}） | task is late: {task} ({department})",
        "assigned": "调派{resource} {count}{unit} | sent {resource}, {count} {unit}",
        "arrived": "{resource}已到达 | {resource} has arrived",
        "released": "{resource} {count}{unit}归队 | {resource}, {count} {unit}, released",
        "note": "情况记录 | note",
        "offered": "{out}向{to}交班 | {out} hands over to {to}",
        "accepted": "{to}接班 | {to} has taken over",
        "ended": "响应终止 | the response has ended",
        # Refusals
        "no-response": ("没有这个应急响应 | there is no such response within your sight", "GET /api/v1/responses"),
        "no-kind": ("没有这类应急：{kind} | there is no kind of emergency '{kind}'", "已知：{known} | known: {known}"),
        "no-area": ("没有这个辖区：{area} | there is no area '{area}'", "GET /api/v1/areas"),
        "no-command": (
            "{actor} 无权指挥这一响应 | {actor} may not command this response",
            "指挥岗位或牵头部门可以 | a post that holds response.command, or the leading department with response.lead",
        ),
        "no-work": (
            "{actor} 不属于“{department}” | {actor} does not belong to '{department}'",
            "由该部门或指挥岗位办理 | that department does it, or a post that commands",
        ),
        "over": (
            "响应已终止 | the response has ended",
            "如有新情况请重新启动 | open another one if there is something new",
        ),
        "running": (
            "该地同类响应正在进行：{number} | a response of this kind is open there already: {number}",
            "在原响应中调整级别 | change the level of that one",
        ),
        "same-level": ("已是{level}级 | the level is {level} already", "选择其他级别 | choose another"),
        "reason": ("须写明理由 | a reason is needed", "写明依据 | say what for"),
        "no-contact": ("没有这个联系岗位 | there is no such contact", "刷新后再试 | look at it anew"),
        "answered": ("已应答 | it was answered already", "无须重复 | nothing is to be done"),
        "no-task": ("没有这项任务 | there is no such task", "刷新后再试 | look at it anew"),
        "task-state": ("任务状态为“{state}” | the task is {state}", "刷新后再试 | look at it anew"),
        "no-resource": ("没有这项资源：{resource} | there is no resource '{resource}'", "GET /api/v1/responses/{id}"),
        "too-few": (
            "{resource}只余 {left}{unit} | only {left} {unit} of {resource} are left",
            "减少数量或选择其他资源 | take fewer, or another",
        ),
        "out": ("{resource}停用 | {resource} is out of service", "选择其他资源 | choose another"),
        "no-assignment": ("没有这次调派 | there is no such assignment", "刷新后再试 | look at it anew"),
        "own-hand-over": ("不能交班给自己 | nobody hands over to himself", "选择接班人 | name who takes over"),
        "not-holder": ("只有当班人可以交班 | only who is on duty hands over", "当班：{holder} | on duty: {holder}"),
        "not-offered": ("没有交给您的班 | no hand-over waits for you", "由 {to} 接班 | {to} takes over"),
        "no-person": ("没有这个人员：{account} | there is no account '{account}'", "选择人员 | name an account"),
        "tasks-open": (
            "还有 {count} 项任务未完成 | {count} task(s) are not done",
            "完成或取消后再终止 | finish or drop them first",
        ),
    }
)

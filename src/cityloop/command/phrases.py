"""What the room says of orders, by code in both languages."""

from __future__ import annotations

from cityloop.core.phrases import Phrases

PHRASES = Phrases(
    {
        "entity": "没有对象“{entity}”（{kind}） | there is no entity '{entity}' of type {kind}",
        "entity_known": "对象：{entity} | entity: {entity}",
        "command": "{kind} 没有指令“{command}”；可用：{known} | {kind} has no command '{command}'; it has {known}",
        "parameter_unknown": "没有参数“{name}” | there is no parameter '{name}'",
        "parameter_missing": "缺少参数“{name}” | the parameter '{name}' is missing",
        "parameter_kind": "参数“{name}”应为{kind} | the parameter '{name}' must be {kind}",
        "parameter_range": "参数“{name}”须在 {low} 至 {high} {unit}之间 | '{name}' must be {low} to {high} {unit}",
        "parameter_values": "参数“{name}”只能是：{known} | '{name}' must be one of: {known}",
        "parameter_long": "参数“{name}”最多 {most} 个字符 | '{name}' has at most {most} characters",
        "parameters_fit": "参数符合要求 | the parameters fit",
        "kind_number": "数 | a number",
        "kind_integer": "整数 | a whole number",
        "kind_text": "文字 | a text",
        "kind_flag": "是或否 | true or false",
        "level": "需要 {level} 级权限 | level {level} of authority is needed",
        "level_none": "没有任何级别允许这些参数 | no level of authority covers these parameters",
        "authority": "{level} 级权限属于：{posts} | level {level} belongs to: {posts}",
        "permission": "没有“{permission}”权限 | the permission '{permission}' is missing",
        "sight": "该对象不在本人的数据范围内 | this entity lies outside of the asker's scope",
        "sighted": "该对象在本人的数据范围内 | this entity lies within the asker's scope",
        "wire": "本市没有连接“{wire}”，无法送达 | this city has no wire '{wire}'; nothing can be sent",
        "wired": "由“{wire}”送达 | sent by '{wire}'",
        "expired": "指令已过有效期 | the order has expired",
        "valid": "{minutes} 分钟内有效 | valid for {minutes} minutes",
        "rate": "{span} 内最多 {most} 次，已有 {count} 次 | at most {most} within {span}, there were {count}",
        "rated": "{span} 内第 {count} 次，最多 {most} 次 | number {count} within {span}, at most {most}",
        "stale": "{span} 内没有该对象的数据，条件无法判定 | not observed within {span}; conditions cannot be decided",
        "fresh": "{minutes} 分钟前有观测 | observed {minutes} minutes ago",
        "condition": "{title} | {title}",
        "undecided": "{title}（数据不足，无法判定） | {title} (not enough data to decide)",
        "second_person": "须由另一人确认：{posts} | another person must confirm it: {posts}",
        "same_person": "下达指令的人不能自己确认 | who ordered it cannot confirm it",
        "no_confirmer": "{actor} 无权确认，可确认的岗位：{posts} | {actor} may not confirm; posts that may: {posts}",
        "by_person": "{reason} | {reason}",
        "device_refused": "设备拒绝：{reason} | the device refused: {reason}",
        "wire_refused": "连接拒绝：{reason} | the wire refused: {reason}",
        "no_answer": "发送 {tries} 次，没有应答 | sent {tries} times, no answer",
        "no_effect": "已应答，但数据中没有出现：{title} | acknowledged, but the data never showed: {title}",
        "not_sent": "有效期内未能送出 | it could not be sent while it was valid",
        "not_confirmed": "有效期内无人确认 | nobody confirmed it while it was valid",
        "exercise": "演练：未向设备发送任何指令 | exercise: nothing was sent to the device",
        "undone": "已由 {command} 撤销 | taken back by {command}",
        "nothing_sent": "尚未送出，已取消 | cancelled before anything was sent",
        "key_taken": (
            "键“{key}”已用于另一条指令 {command} | the key '{key}' belongs to another command, {command}",
            "为新指令使用新的键 | give a new order a key of its own",
        ),
        "refused": (
            "指令被拒绝：{reasons} | the order was refused: {reasons}",
            "按所列原因处理 | see to what the reasons name",
        ),
        "state": (
            "指令处于“{state}”，不能{what} | the command is '{state}', it cannot be {what}",
            "刷新后再看 | look at it again",
        ),
        "no_undo": (
            "指令“{command}”没有可撤销的办法 | the command '{command}' declares no way back",
            "用其他指令处理 | order something else",
        ),
        "no_way_back": (
            "下达前的状态不全，无法得出撤销参数“{name}” | what '{name}' was before is not known",
            "直接下达所需指令 | order what is wanted directly",
        ),
        "unknown_command": (
            "没有指令“{id}” | there is no command '{id}'",
            "从指令记录中选择 | choose one of the log",
        ),
    }
)

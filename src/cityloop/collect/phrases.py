"""Why a record could not be taken in, beside what the standard says, by code in both languages."""

from __future__ import annotations

from cityloop.core.phrases import Phrases

PHRASES = Phrases({
    "no-object": "记录不是 JSON 对象 | the record is not a JSON object",
    "list": "“{field}”是一串值，这里只能有一个值 | '{field}' holds a list; a single value is expected",
    "no-utf8": "这一行不是 UTF-8 | the line is not UTF-8",
    "no-json": "不是 JSON：第 {at} 个字符处，{error} | not JSON: {error} at character {at}",
    "too-deep": "JSON 嵌套太深或太长，无法读取 | not JSON that can be read: too deep or too long",
    "unique": (
        "{values} 已属于 {entity}（{at} 观测），必须唯一"
        " | {values} belongs to {entity} already, observed at {at}; it must be unique"
    ),
    "unread-message": "消息无法读取：{error} | the message cannot be read: {error}",
    "many-records": "消息里有 {count} 条记录，最多 {most} 条 | the message holds {count} records, the most is {most}",
    "no-feed": (
        "接入“{feed}”已不存在；重新声明，或作废这条记录"
        " | the feed '{feed}' no longer exists; declare it again, or discard the record"
    ),
    "nothing-new": "数据源没有新数据可看 | the source has nothing new to show",
    "sampled": "取样 {count} 条记录 | {count} records sampled",
    "empty-column": "“{name}”在每条记录里都是空的 | '{name}' is empty in every record",
})  # fmt: skip
"""Every sentence is ``Chinese | English``."""

"""What is said of a table of responsibility that cannot come into force, by code in both languages."""

from __future__ import annotations

from cityloop.core.phrases import Phrases

PHRASES = Phrases({
    "row-twice": ("编号“{name}”出现了两次 | id '{name}' twice", "每行一个编号 | give every row its own"),
    "twice": ("“{name}”写了两次 | '{name}' twice", "每个只写一次 | name each of them once"),
    "no-matter": (
        "没有事项“{name}” | no matter '{name}'",
        "填目录的编号，或以 * 结尾的开头 | a key of the catalogue, or a prefix with *",
    ),
    "no-area": ("没有辖区“{name}” | there is no area '{name}'", "填辖区编码 | a code of the city's area tree"),
    "no-weekday": (
        "没有星期 {name} | there is no weekday {name}",
        "1 是星期一，7 是星期日 | 1 is Monday, 7 is Sunday",
    ),
    "leads": ("“{name}”在这一行是主办 | '{name}' leads by this row", "主办不能又是协办 | a lead is no co-handler"),
    "not-above": (
        "“{name}”不是排在前面的协办 | '{name}' is no co-handler above this one",
        "先办的排在前面 | put those that come first above it",
    ),
    "centre": (
        "“{name}”是中心 | '{name}' is a centre",
        "中心只监督，不处置 | a centre judges and never handles",
    ),
    "no-department": (
        "没有部门“{name}” | there is no department '{name}'",
        "填下列之一：{known}，或 {as_named} | one of: {known}, or {as_named}",
    ),
})  # fmt: skip
"""Every sentence is ``Chinese | English``."""

"""Why a record breaks the standard, and how a table was read, by code in both languages."""

from __future__ import annotations

from cityloop.core.phrases import Phrases

PHRASES = Phrases({
    "titled": "{reason}（{title}） | {reason} ({title})",
    "no-entity": "缺少“{field}”，不知道是哪个{type} | '{field}' is missing; it names the {type}",
    "unknown-entity": (
        "没有登记{type}“{entity}”；在城市的对象里登记，或让接入自动创建"
        " | '{entity}' is not a known {type}; add it to the city's entities, or let the feed create it"
    ),
    "no-shape": (
        "{type}“{entity}”没有形状，算不出距离；在城市的对象里补上"
        " | no {type} '{entity}' has a shape to measure the distance to; give it one in the city's entities"
    ),
    "nothing-near": (
        "位置 {metres:g} 米内没有{type}；改正位置"
        " | no {type} stands within {metres:g} m of the position; correct the position"
    ),
    "several-titled": (
        "几个{type}的名称都是“{text}”；请报编号 | several {type} have the title '{text}'; send the id"
    ),
    "several-keyed": (
        "几个{type}的“{key}”都是“{text}”；请报编号 | several {type} have the key '{key}' '{text}'; send the id"
    ),
    "none-titled": (
        "没有名称为“{text}”的{type}；在城市的对象里登记"
        " | no {type} has the title '{text}'; add it to the city's entities"
    ),
    "none-keyed": (
        "没有“{key}”为“{text}”的{type}；在城市的对象里登记"
        " | no {type} has the key '{key}' '{text}'; add it to the city's entities"
    ),
    "no-time": "缺少“{field}”，每条记录都要有时间 | '{field}' is missing; every record has a time",
    "bad-time": "“{text}”不是时间；应写成 {form} | '{text}' is not a time; write {form}",
    "or": "{first} 或 {then} | {first} or {then}",
    "iso": (
        "带时区的 ISO 8601，例如 2026-03-09T06:30:00+08:00"
        " | ISO 8601 with an offset such as 2026-03-09T06:30:00+08:00"
    ),
    "future": "{at} 晚于城市时间 {now} | {at} lies ahead of city time {now}",
    "no-position": "“{first}”、“{second}”不是位置：应为{what} | '{first}', '{second}' is no position in {what}",
    "metres-of": " {crs} 的米 | metres of {crs}",
    "degrees-of": "{datum} 的度数，经度在“{first}” | degrees of {datum}, longitude '{first}'",
    "outside": (
        "{lon:.6f}, {lat:.6f}（WGS 84）不在城市的任何辖区里；核对坐标系和先后"
        " | {lon:.6f}, {lat:.6f} (WGS 84) lies in no area of the city; check datum and order"
    ),
    "outside-near": (
        "{lon:.6f}, {lat:.6f}（WGS 84）不在城市的任何辖区里；离{area}（{code}）最近，{metres:.0f} 米；核对坐标系和先后"
        " | {lon:.6f}, {lat:.6f} (WGS 84) lies in no area of the city; nearest is {area} ({code}), {metres:.0f} m off;"
        " check datum and order"
    ),
    "no-value": (
        "记录里没有任何数值；至少要有 {fields} 之一"
        " | the record carries no value; expected at least one of {fields}"
    ),
    "gives-none": "“{field}”没有给出{title}，标准要求必填 | '{field}' gives no {title}; the standard requires it",
    "feed-requires": "缺少“{field}”，这个接入要求必填 | '{field}' is missing; this feed requires it",
    "empty": "“{field}”没有值 | '{field}' has no value",
    "not-holding": "“{rule}”不成立：{values} | '{rule}' does not hold: {values}",
    "not-one-of": "“{text}”不是下列之一：{known} | '{text}' is not one of {known}",
    "pattern": "“{text}”不符合格式 {pattern} | '{text}' does not fit the pattern {pattern}",
    "unit": (
        "“{text}”不是{title}（{dimension}）的单位；认得：{known}"
        " | '{text}' is no unit of {title} ({dimension}); known: {known}"
    ),
    "code": "“{text}”不是这个接入的代码；认得：{known} | '{text}' is not a code of this feed; known: {known}",
    "number": "“{text}”不是数 | '{text}' is not a number",
    "integer": "“{text}”不是整数 | '{text}' is not a whole number",
    "flag": "“{text}”不是真或假 | '{text}' is not true or false",
    "below": (
        "{value:g}{unit} 低于可能的最小值 {low:g}{unit} | {value:g}{unit} is below the lowest possible {low:g}{unit}"
    ),
    "above": (
        "{value:g}{unit} 高于可能的最大值 {high:g}{unit} | {value:g}{unit} is above the highest possible {high:g}{unit}"
    ),
    "unusual": "{value:g}{unit} 不在通常的 {usual} 之内 | {value:g}{unit} is outside of the usual {usual}",
    "from-to": "{low} 至 {high}{unit} | {low} to {high}{unit}",
    "not-listed": (
        "“{text}”不在代码表“{list}”里；表的开头是 {some}"
        " | '{text}' is not in the code list '{list}'; it begins with {some}"
    ),
    "not-then": (
        "“{text}”在代码表“{list}”里的有效期是{span}，{day} 不在其中"
        " | '{text}' is in the code list '{list}' {span}, not on {day}"
    ),
    "from": "自 {start} 起 | from {start}",
    "until": "到 {end} 止 | until {end}",
    "from-until": "自 {start} 起到 {end} 止 | from {start} until {end}",
    "not-under": (
        "“{text}”在代码表“{list}”里，但不在“{under}”之下"
        " | '{text}' is in the code list '{list}', but not below '{under}'"
    ),
    "repeated": (
        "{values} 在这一批的另一条记录里已经有了，必须唯一"
        " | {values} stands in another record of the batch already; it must be unique"
    ),
    "reference": (
        "没有登记{type}“{ids}”；在城市的对象里登记，或改正"
        " | '{ids}' is no known {type}; add it to the city's entities or correct it"
    ),
    "jump": (
        "{at} 为 {before:g}{unit}，现为 {value:g}{unit}；这段时间最多变化 {most:g}{unit}"
        " | {value:g}{unit} after {before:g}{unit} at {at}; it may change by {most:g}{unit} in that time"
    ),
    "stuck": (
        "连续第 {count} 次为 {value:g}{unit}，从 {since} 起；传感器可能卡住"
        " | {value:g}{unit} for the {count}th time in a row, since {since}; the sensor may be stuck"
    ),
    "heading-in": "表头在 {first} | heading in {first}",
    "heading-to": "表头在 {first} 到 {last} | heading in {first} to {last}",
    "left-out": (
        "{row} 没有读：整行只有一段文字 | {row} left out: one text across the whole table"
    ),
    "sheet": "工作表 {name} | sheet {name}",
    "records-at": "记录在 {where} | records at {where}",
    "encoding": "编码 {name} | encoding {name}",
    "delimiter": "分隔符 {sign} | delimiter {sign}",
    "no-points": "{count} 个要素没有点，没有 lon 和 lat | {count} feature(s) without a point have no lon and lat",
    "no-columns": "表里没有列 {names} | the table has no column {names}",
})  # fmt: skip
"""Every sentence is ``Chinese | English``."""

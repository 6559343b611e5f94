"""What is said of the sheets that a city is set up from, by code in both languages."""

from __future__ import annotations

from cityloop.core.phrases import Phrases

PHRASES = Phrases({
    "empty": ("单元格是空的 | the cell is empty", "填上 | fill it"),
    "no-degree": (
        "“{text}”不是 -{most:g} 到 {most:g} 之间的度数 | '{text}' is no degree between -{most:g} and {most:g}",
        "填 WGS 84 度数 | write WGS 84 degrees",
    ),
    "several": (
        "“{text}”对应 {count} 个{what}：{ids} | '{text}' names {count} {what}: {ids}",
        "改填编号 | write the id instead",
    ),
    "unknown": ("没有{what}“{text}” | there is no {what} '{text}'", "相近的：{near} | near: {near}"),
    "none-near": ("没有相近的 | none is near", ""),
    "example": "模板的示例行没有读 | the example row of the template was left out",
    "at": "{place}：{said} | {place}: {said}",
    "no-code": "“{text}”没有统一社会信用代码 | '{text}' has no credit code",
    "letters": "“{text}”含有字母，照原样收下 | '{text}' holds letters; it is taken as it is",
    "odd-street": (
        "“{text}”的街道部分不在 GB/T 10114 的 001-{last} 之内；是自编的吗？"
        " | the street's part of '{text}' lies outside 001-{last} of GB/T 10114; is it a local code?"
    ),
    "odd-community": (
        "“{text}”的社区部分不在 GB/T 10114 的 001-{last} 之内；是自编的吗？"
        " | the community's part of '{text}' lies outside 001-{last} of GB/T 10114; is it a local code?"
    ),
    "no-column": ("没有这一列 | no column is headed so", "表头写下列之一：{headings} | one of: {headings}"),
    "lacking": (
        "工作表的列是：{columns} | the sheet has {columns}",
        "下载模板看需要哪些列，或用 cityloop import {kind} --template FILE.xlsx"
        " | its template, or cityloop import {kind} --template FILE.xlsx, shows the columns",
    ),
    "no-file": ("没有文件 {path} | there is no file {path}", "改正文件名 | correct the name"),
    "faults": (
        "{source} 有 {count} 处读不懂，什么都没有写入"
        " | {source} has {count} cells or rows that cannot be read; nothing was written",
        "按每一处的说明改正，再上传 | mend each of them and send it again",
    ),
    "twice": (
        "“{text}”在上面的行里已经有了 | '{text}' stands in a row above already",
        "每个只写一行 | give each of them one row",
    ),
    "times": ("“{text}”出现了 {count} 次 | '{text}' stands {count} times", "编码不能重复 | codes are never reused"),
    "stands-at": (
        "“{text}”在 {place} 已经有了 | '{text}' stands at {place} already",
        "两行只留一行 | keep one of the two rows",
    ),
    "other-account": (
        "“{text}”是程序或演练的账号 | '{text}' is an account of a machine or a drill",
        "换一个登录名 | choose another name",
    ),
    "no-account": (
        "“{text}”不能作登录名 | '{text}' is no account",
        "小写字母、数字、点和短横，字母开头，例如 wang2"
        " | small letters, digits, dots and hyphens, a letter first: wang2",
    ),
    "no-id": (
        "“{text}”不能作编号 | '{text}' is no id",
        "小写字母、数字和短横，字母开头，例如 sanitation"
        " | small letters, digits and hyphens, a letter first: sanitation",
    ),
    "no-kind": (
        "“{text}”不是部门类型 | '{text}' is no kind of department",
        "填中心、部门，或留空 | 中心 centre, 部门 department, or empty",
    ),
    "no-credit-code": (
        "“{text}”不是统一社会信用代码 | '{text}' is no unified social credit code",
        "核对 18 位，或留空 | check its 18 characters, or leave it empty",
    ),
    "no-calendar": (
        "没有日历“{text}” | there is no calendar '{text}'",
        "city.yaml 里的日历：{known} | calendars of city.yaml: {known}",
    ),
    "no-level": ("“{text}”不是级别 | '{text}' is no level", "填下列之一：{known} | one of: {known}"),
    "no-level-code": (
        "“{text}”有 {count} 位，没有这种长度的级别 | '{text}' has {count} characters: no level has such a code",
        "应为 6、9、12 或 15 位；自编的要填级别、上级编码和自编"
        " | 6, 9, 12 or 15 characters; for a code of your own fill level, parent and local",
    ),
    "old-cell-code": (
        "“{text}”有 {count} 位，没有这种长度的级别 | '{text}' has {count} characters: no level has such a code",
        "14 位是 CJ/T 213-2005 的旧编码，应为 15 位；自编的要填级别、上级编码和自编"
        " | 14 digits are the old code of CJ/T 213-2005, a cell has 15;"
        " for a code of your own fill level, parent and local",
    ),
    "no-wkt": (
        "“{text}”不是 WKT | '{text}' is no WKT",
        "写成 POLYGON ((114.1 22.9, …))，经度在前 | write POLYGON ((114.1 22.9, …)), longitude first",
    ),
    "no-ground": (
        "没有边界，也没有中心点 | the area has neither boundary nor centre",
        "填 WKT，或填经度和纬度 | give its WKT, or longitude and latitude",
    ),
    "no-collection": (
        "{name} 不是 GeoJSON FeatureCollection：{error} | {name} is no GeoJSON FeatureCollection: {error}",
        "导出为 UTF-8 的 GeoJSON（RFC 7946） | export it as GeoJSON, RFC 7946, in UTF-8",
    ),
    "outside-city": (
        "点在城市之外：离{area}（{code}）{metres:,.0f} 米"
        " | the point lies outside the city: {metres:,.0f} m from {area} ({code})",
        "核对坐标和坐标系 | check the coordinates and their datum",
    ),
    "no-channel": ("没有来源“{text}” | there is no channel '{text}'", "填下列之一：{known} | one of: {known}"),
    "no-weekday": (
        "“{text}”不是星期 | '{text}' is no day of the week",
        "1 是星期一，7 是星期日 | 1 is Monday, 7 is Sunday",
    ),
    "no-hours": ("“{text}”不是时段 | '{text}' is no daily window", "写成 20:00-08:00 | write it as 20:00-08:00"),
    "row-refused": (
        "这一行不成立：{reason} | the row does not hold: {reason}",
        "见 docs/workflow.md | see docs/workflow.md",
    ),
    "refused": (
        "{reason} | {reason}",
        "导入时这一行原样进入隔离区 | when the sheet is applied the row goes to quarantine as it is",
    ),
    "lost-digits": (
        "{reason} | {reason}",
        "Excel 的数字只保留 15 位：把这一列设为文本，重新填写编码"
        " | Excel keeps 15 digits of a number: format the column as text and write the code anew",
    ),
    "no-address-file": (
        "city.yaml 没有写地址文件 | city.yaml names no file of addresses",
        "在 city.yaml 里写 addresses: addresses.csv | write addresses: addresses.csv",
    ),
    "no-area-file": (
        "city.yaml 没有写辖区文件 | city.yaml names no file of areas",
        "在 city.yaml 里写 areas: {{files: [areas/areas.geojson]}} | write areas: {{files: [areas/areas.geojson]}}",
    ),
    "areas-unread": (
        "现有的辖区文件读不出来 | the areas that stand cannot be read",
        "先改好现有的文件 | mend them first",
    ),
    "no-feed": (
        "这个城市没有数据接入“{feed}” | this city has no feed '{feed}'",
        "按 docs/new-city.md 在 feeds.yaml 里声明 | declare it in the city's feeds.yaml as docs/new-city.md shows",
    ),
    "no-datum": ("没有坐标系“{text}” | there is no datum '{text}'", "填下列之一：{known} | one of: {known}"),
    "own-account": (
        "“{text}”是您自己的账号 | '{text}' is your own account",
        "由别人改 | somebody else has to change it",
    ),
    "no-sheet": ("没有“{kind}”这种表 | there is no kind of sheet '{kind}'", "填下列之一：{known} | one of: {known}"),
    "demo": (
        "演示城市的文件不改 | the files of a demo city stay as they are",
        "建自己的城市，见 docs/new-city.md | set up a city of your own: docs/new-city.md",
    ),
    "not-writable": (
        "城市文件夹写不进去：{error} | the city's folder cannot be written: {error}",
        "给运行的账号写权限，或在命令行用 cityloop import"
        " | let the account that runs the program write there, or use cityloop import",
    ),
    "not-loading": (
        "这样改后城市无法打开，已恢复原样 | the city could not be opened after this change; its files are as they were",
        "按下面的说明改正 | mend what is named below",
    ),
    "other-plan": (
        "预览之后，文件或城市的数据变了 | the file or what stands has changed since it was explained",
        "重新预览，看清再执行 | look at the new plan, then apply it",
    ),
    "elsewhere": (
        "“{kind}”在自己的页面上预览和执行 | {kind} are explained and applied by versions of their own",
        "打开设置里的对应页面 | open their page of the settings",
    ),
})  # fmt: skip
"""Every sentence is ``Chinese | English``."""

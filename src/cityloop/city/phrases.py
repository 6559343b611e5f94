"""What is said of a city's ground and of its sheets of limits, by code in both languages."""

from __future__ import annotations

from cityloop.city.schemas import AreaLevel
from cityloop.core.phrases import Phrases
from cityloop.core.values import Title

LEVEL_TITLES: dict[AreaLevel, Title] = {
    "city": Title(zh="市", en="city"),
    "district": Title(zh="区县", en="district"),
    "street": Title(zh="街道", en="street"),
    "community": Title(zh="社区", en="community"),
    "cell": Title(zh="单元网格", en="cell"),
}
PHRASES = Phrases({
    "overlap": (
        "{level} {area} 与 {other} 重叠 {size:,.0f} 平方米，在 {lon:.5f} {lat:.5f} 附近"
        " | {level} {area} overlaps {other} by {size:,.0f} m², near {lon:.5f} {lat:.5f}",
        "在 GIS 中对齐边界 | snap the borders in a GIS",
    ),
    "border-points": (
        "{level} {area} 与 {other} 的公共边界在两边的点不一致，在 {lon:.5f} {lat:.5f} 附近"
        " | the common border of {level} {area} and {other} has different points in the two, near {lon:.5f} {lat:.5f}",
        "在 GIS 中对齐边界 | snap the borders in a GIS",
    ),
    "outside-parent": (
        "{level} {area} 有 {share:.1%}（{size:,.0f} 平方米）在上级 {parent} 之外"
        " | {share:.1%} of {level} {area}, {size:,.0f} m², lies outside its parent {parent}",
        "改正边界，或改正上级编码 | correct the shape, or the code of its parent",
    ),
    "gap": (
        "{area} 有 {size:,.0f} 平方米（{share:.1%}）不属于任何下级辖区；旁边是 {beside}；在 {lon:.5f} {lat:.5f} 附近"
        " | {size:,.0f} m² ({share:.1%}) of {area} is in none of the areas below it; beside it: {beside};"
        " near {lon:.5f} {lat:.5f}",
        "补画缺少的部分，或改正上级的边界 | draw what is missing, or correct the parent's border",
    ),
    "no-national-code": (
        "“{area}”不是{level}的国家编码：应为 {digits} 位"
        " | '{area}' is no national code of a {level}: {digits} characters",
        "改正编码，或标为自编 | correct the code, or mark it as local",
    ),
    "old-cell-code": (
        "“{area}”不是{level}的国家编码：应为 {digits} 位"
        " | '{area}' is no national code of a {level}: {digits} characters",
        "14 位是 CJ/T 213-2005 的旧编码：顺序码写成三位"
        " | a code of 14 is that of CJ/T 213-2005: write its sequence with three digits",
    ),
    "no-geometry": (
        "没有可读的几何 | has no readable geometry",
        "填面、多面或点 | give it a Polygon, a MultiPolygon or a Point",
    ),
    "invalid-shape": (
        "几何无效：{reason} | its shape is not valid: {reason}",
        "在 GIS 中修复 | repair it in a GIS",
    ),
    "no-degrees": (
        "坐标 {bounds} 不是度数 | coordinates {bounds} are no degrees",
        "换算为 WGS 84，经度在前 | convert to WGS 84, longitude first",
    ),
    "no-parent": (
        "缺少上级“{parent}” | its parent '{parent}' is missing",
        "补上上级，或改正编码 | add the parent or correct the code",
    ),
    "not-nested": (
        "编码不以上级“{parent}”开头 | the code is not nested in its parent '{parent}'",
        "用上级编码开头 | begin it with the parent's code",
    ),
    "wrong-level": (
        "{above}之下不能有{level} | a {level} cannot lie in a {above}",
        "级别由上到下：{levels} | levels from the top: {levels}",
    ),
    "prefix": (
        "编码以“{shorter}”开头，但不属于它 | the code begins with '{shorter}', which does not hold it",
        "编码不要互为开头 | choose codes of which none begins another",
    ),
    "unread-limit": (
        "“{text}”：{reason} | '{text}': {reason}",
        "能读懂的写法：{known} | what is understood: {known}",
    ),
    "no-limit": (
        "没有时限 | the limit is empty",
        "能读懂的写法：{known} | what is understood: {known}",
    ),
    "no-matter": (
        "{standard} 里没有事项“{text}” | no matter '{text}' in {standard}",
        "相近的：{near} | near: {near}",
    ),
    "several-matters": (
        "“{text}”对应 {count} 个事项 | '{text}' names {count} matters",
        "相近的：{near} | near: {near}",
    ),
    "none-near": ("没有相近的 | none is near", ""),
})  # fmt: skip
"""Every sentence is ``Chinese | English``."""

"""What a change of one key of the standard means: whether it breaks something, and the reason in both languages."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from cityloop.core.values import Title
from cityloop.standard.units import conversion, unit

Verdict = tuple[bool, Title]
Judge = Callable[[Any, Any], Verdict]


def stricter(severity: str, what: Title) -> Verdict:
    """Of records (``what``) that a new check refuses or flags."""
    return (
        (True, Title(zh=f"{what.zh}从此被拒收", en=f"{what.en} are refused from now on"))
        if severity == "refuse"
        else (False, Title(zh=f"{what.zh}被标记", en=f"{what.en} are flagged"))
    )


def told(_old: Any, _new: Any) -> Verdict:
    """Of titles and the like."""
    return False, Title(zh="仅改变显示的文字", en="only what people read changes")


def _harmless(reason: Title) -> Judge:
    return lambda old, new: (False, reason)


def _breaks(reason: Title) -> Judge:
    return lambda old, new: (True, reason)


def _lower(old: float | None, new: float | None) -> Verdict:
    wider = new is None or (old is not None and new < old)
    return (
        (False, Title(zh="更低的值也被接受", en="lower values are accepted too"))
        if wider
        else (True, Title(zh="更低的值从此被拒收", en="lower values are refused from now on"))
    )


def _upper(old: float | None, new: float | None) -> Verdict:
    wider = new is None or (old is not None and new > old)
    return (
        (False, Title(zh="更高的值也被接受", en="higher values are accepted too"))
        if wider
        else (True, Title(zh="更高的值从此被拒收", en="higher values are refused from now on"))
    )


def _choices(old: Sequence[str], new: Sequence[str]) -> Verdict:
    lost = [value for value in old if value not in new]
    if not new:
        return False, Title(zh="接受任何文本", en="every text is accepted")
    if not old:
        return True, Title(zh="枚举之外的文本从此被拒收", en="texts outside of the enumeration are refused from now on")
    return (
        (True, Title(zh=f"{'、'.join(lost)}：从此被拒收", en=f"{', '.join(lost)}: refused from now on"))
        if lost
        else (False, Title(zh="接受更多文本", en="more texts are accepted"))
    )


def _in_unit(old: str, new: str) -> Verdict:
    a, b = unit(old) if old else None, unit(new) if new else None
    if a and b and conversion(a, b):
        return True, Title(
            zh=f"已存的值以 {old} 为单位，新值将以 {new} 为单位；请给属性换新编号",
            en=f"stored values are in {old}, new ones would be in {new}; give the property a new id",
        )
    return True, Title(
        zh="数值所测的量已不同；请给属性换新编号", en="the values measure something else; give the property a new id"
    )


def _flag_on(on: Title, off: Title) -> Judge:
    return lambda old, new: (True, on) if new else (False, off)


def _set(narrower: Title, wider: Title) -> Judge:
    return lambda old, new: (False, wider) if new is None else (True, narrower)


def _sensitivity(old: str, new: str) -> Verdict:
    order = ["open", "internal", "sensitive"]
    if order.index(new) > order.index(old):
        return True, Title(
            zh="部分现在能看到的人将只能看到脱敏值或看不到", en="some who see it now will see it masked or not at all"
        )
    return False, Title(zh="更多人可以看到；须经数据所有部门同意", en="more people may see it; the owner must agree")


def _retired(old: Any, new: Any) -> Verdict:
    if new is not None and (old is None or new < old):
        return False, Title(
            zh="之后日期的记录被拒收；之前的记录保留该代码",
            en="records of later days are refused; earlier ones keep the code",
        )
    return False, Title(zh="代码的有效期延长", en="the code is in force for longer")


def _list_of(old: Sequence[str], new: Sequence[str]) -> Verdict:
    lost = [value for value in old if value not in new]
    return (
        (True, Title(zh=f"{'、'.join(lost)}：不再识别", en=f"{', '.join(lost)}: no longer known"))
        if lost
        else (False, Title(zh="可识别更多名称", en="more names are known"))
    )


def _severity(old: str, new: str) -> Verdict:
    return stricter(new, Title(zh="不符合的记录", en="records that break it"))


_MADE = _breaks(
    Title(
        zh="自动生成的值从此按另一方式得出；已存的保持不变",
        en="values that are made of others come about otherwise from now on; stored ones stay as they are",
    )
)
TYPE_KEYS: Mapping[str, Judge] = {
    "indices": _MADE,
    "paces": _MADE,
    "title": told,
    "description": told,
    "version": told,
    "model": told,
    "synonyms": told,
    "keys": _list_of,
    "retention_days": lambda old, new: (
        (True, Title(zh="超过期限的观测将被删除", en="observations older than that are deleted"))
        if new is not None and (old is None or new < old)
        else (False, Title(zh="观测保存得更久", en="observations are kept for longer"))
    ),
}
PROPERTY_KEYS: Mapping[str, Judge] = {
    "beside": _MADE,
    "title": told,
    "description": told,
    "kind": _breaks(
        Title(
            zh="已存的列不能改变数据类别；请给属性换新编号",
            en="a stored column never changes its kind; give the property a new id",
        )
    ),
    "unit": _in_unit,
    "molar_mass": _breaks(
        Title(
            zh="以比例报送的浓度从此按另一方式换算",
            en="concentrations sent as a fraction are converted otherwise from now on",
        )
    ),
    "molar_volume": _breaks(
        Title(
            zh="以比例报送的浓度从此按另一方式换算",
            en="concentrations sent as a fraction are converted otherwise from now on",
        )
    ),
    "min": _lower,
    "max": _upper,
    "enum": _choices,
    "pattern": _set(
        Title(zh="不符合格式的文本从此被拒收", en="texts that do not fit are refused from now on"),
        Title(zh="接受任何文本", en="every text is accepted"),
    ),
    "code_list": _set(
        Title(
            zh="不是代码的文本被拒收；已存的保持不变",
            en="texts that are no code are refused; stored ones stay as they are",
        ),
        Title(zh="接受任何文本", en="every text is accepted"),
    ),
    "code_under": _set(
        Title(zh="其他分支的代码从此被拒收", en="codes of other branches are refused from now on"),
        Title(zh="接受代码表中的全部代码", en="all codes of the list are accepted"),
    ),
    "required": _flag_on(
        Title(zh="数据接入必须提供，缺少该值的记录被拒收", en="feeds must fill it, records without it are refused"),
        Title(zh="可以缺失", en="it may be missing"),
    ),
    "sensitivity": _sensitivity,
    "synonyms": told,
}
RELATION_KEYS: Mapping[str, Judge] = {
    "title": told,
    "target": _breaks(Title(zh="编号改为在另一类对象中查找", en="ids are looked for among entities of another type")),
    "property": _breaks(Title(zh="编号改在另一列", en="the ids stand in another column")),
    "cardinality": lambda old, new: (
        new == "one",
        Title(zh="只允许一个编号", en="one id only")
        if new == "one"
        else Title(zh="允许多个编号", en="several ids are accepted"),
    ),
    "severity": _severity,
}
CODE_KEYS: Mapping[str, Judge] = {
    "title": lambda old, new: (
        False,
        Title(zh="已存数据保留代码，显示新名称", en="stored rows keep the code and show the new title"),
    ),
    "valid_to": _retired,
    "parent": _breaks(Title(zh="按上级汇总的数字会变化", en="figures by the level above move")),
    "synonyms": _list_of,
}
_SEMANTIC = _breaks(Title(zh="记录从此按另一含义读取", en="records are read with another meaning from now on"))
FEED_KEYS: Mapping[str, Judge] = {
    "title": told,
    "entity_type": _breaks(
        Title(
            zh="记录写入另一张表；以前的数据留在原表",
            en="records go to another table; earlier rows stay in the old one",
        )
    ),
    "department": _breaks(
        Title(zh="数据和隔离区从此归另一部门所有", en="another department owns data and quarantine from now on")
    ),
    "series": told,
    "fresh_minutes": _harmless(Title(zh="数据接入显示为过期的时长改变", en="the feed shows as stale at another age")),
    "expected_every": _harmless(
        Title(zh="及时性和完整性按另一标准评定", en="freshness and completeness are judged otherwise")
    ),
    "completeness_per_hour": _harmless(Title(zh="完整性按另一标准评定", en="completeness is judged otherwise")),
    "future_minutes": lambda old, new: (
        (True, Title(zh="超前更多的记录被拒收", en="records further ahead are refused"))
        if new < old
        else (False, Title(zh="超前更多的记录被接受", en="records further ahead are accepted"))
    ),
    "missing": _SEMANTIC,
    "table": _breaks(Title(zh="文件从此按另一方式读取", en="files are read otherwise from now on")),
    "fold_width": _flag_on(
        Title(zh="文本从此以半角字符保存", en="texts are stored with plain signs from now on"),
        Title(zh="全角字符保持不变", en="wide signs stay as they are"),
    ),
    "fields": _SEMANTIC,
    "position": _SEMANTIC,
    "entity": _breaks(
        Title(zh="记录可能对应其他对象，或被拒收", en="records may speak of other entities, or be refused")
    ),
    "time": _breaks(Title(zh="时间从此按另一方式读取", en="times are read otherwise from now on")),
}
SOURCE_KEYS: Mapping[str, Judge] = {
    "field": _breaks(Title(zh="取值来自另一字段", en="values come from another field")),
    "constant": _SEMANTIC,
    "expression": _SEMANTIC,
    "area": _SEMANTIC,
    "distance": _SEMANTIC,
    "unit": _breaks(
        Title(
            zh="同样的数字按另一方式换算：仅当数据源确已改变时才正确",
            en="the same numbers are converted otherwise: right only if the source has changed",
        )
    ),
    "unit_field": _SEMANTIC,
    "required": _flag_on(
        Title(zh="缺少该字段的记录被拒收", en="records without the field are refused"),
        Title(zh="该字段可以缺失", en="the field may be missing"),
    ),
    "codes": lambda old, new: (
        (False, Title(zh="可识别数据源的更多代码", en="more codes of the source are read"))
        if old and all(new.get(code) == value for code, value in old.items())
        else (
            True,
            Title(zh="数据源的代码被拒收或按另一方式识别", en="codes of the source are refused or read otherwise"),
        )
    ),
    "match": _SEMANTIC,
}

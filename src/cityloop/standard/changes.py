"""What changes between two states of the standard and its feeds, key by key, and what each change breaks.

Compatible: everything that was valid stays valid and means the same. Breaking: stored columns, records that used to be
accepted, or somebody who names the part may be hit; the reason says which. Pure; who depends on a part is found by
whoever plans the change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel

from cityloop.core.values import Frozen, Title
from cityloop.standard import verdicts
from cityloop.standard.code_lists import Code, CodeList
from cityloop.standard.declarations import FeedDeclaration
from cityloop.standard.types import EntityType, Property
from cityloop.standard.verdicts import Judge, Verdict

Part = Literal[
    "entity_type", "property", "relation", "check", "code_list", "code", "feed", "feed_property", "feed_check"
]


class Change(Frozen):
    """One difference. ``subject`` is the path of the part (``AirQualityStation.pm2_5``, ``feed air-hourly``)."""

    action: Literal["added", "removed", "changed"]
    part: Part
    subject: str
    key: str = ""
    """The changed key of the part, empty when the whole part came or went."""
    before: Any = None
    after: Any = None
    breaking: bool
    reason: Title
    affects: tuple[str, ...] = ()
    """What a dependant may name: an entity type, ``Type.property``, ``code-list:id`` or ``feed:id``."""


@dataclass(frozen=True)
class Content:
    """One state: entity types, code lists and feeds, by id."""

    entity_types: Mapping[str, EntityType] = field(default_factory=dict)
    code_lists: Mapping[str, CodeList] = field(default_factory=dict)
    feeds: Mapping[str, FeedDeclaration] = field(default_factory=dict)


def diff(old: Content, new: Content) -> tuple[Change, ...]:
    """All changes from ``old`` to ``new``, entity types first, then code lists, then feeds, each sorted by id."""
    return (
        *_of(old.entity_types, new.entity_types, _type_came, _type_went, _type_changed),
        *_of(old.code_lists, new.code_lists, _list_came, _list_went, _list_changed),
        *_of(old.feeds, new.feeds, _feed_came, _feed_went, _feed_changed),
    )


def breaking(changes: Sequence[Change]) -> list[Change]:
    """The changes that break something."""
    return [change for change in changes if change.breaking]


def _of(
    old: Mapping[str, Any],
    new: Mapping[str, Any],
    came: Callable[[Any], Change],
    went: Callable[[Any], Change],
    changed: Callable[[Any, Any], Iterator[Change]],
) -> Iterator[Change]:
    for name in sorted(old.keys() | new.keys()):
        if name not in old:
            yield came(new[name])
        elif name not in new:
            yield went(old[name])
        elif old[name] != new[name]:
            yield from changed(old[name], new[name])


def _whole(action: Literal["added", "removed"], part: Part, subject: str, value: BaseModel, why: Verdict,
           *affects: str) -> Change:  # fmt: skip
    shown = value.model_dump(mode="json", exclude_defaults=True)
    before, after = (None, shown) if action == "added" else (shown, None)
    return Change(action=action, part=part, subject=subject, before=before, after=after, breaking=why[0],
                  reason=why[1], affects=affects)  # fmt: skip


def _keys(part: Part, subject: str, old: BaseModel, new: BaseModel, judges: Mapping[str, Judge],
          *affects: str) -> Iterator[Change]:  # fmt: skip
    """The changed keys of one part; keys without a judge are not compared here."""
    before, after = old.model_dump(mode="json"), new.model_dump(mode="json")
    for key, judge in judges.items():
        if before[key] != after[key]:
            worse, reason = judge(getattr(old, key), getattr(new, key))
            yield Change(action="changed", part=part, subject=subject, key=key, before=before[key], after=after[key],
                         breaking=worse, reason=reason, affects=affects)  # fmt: skip


# Entity types


def _type_came(item: EntityType) -> Change:
    return _whole(
        "added",
        "entity_type",
        item.id,
        item,
        (False, Title(zh="数据湖中新增一张表", en="a new table of the lake")),
        item.id,
    )


def _type_went(item: EntityType) -> Change:
    why = Title(
        zh="其数据接入不再有对象类型；数据湖中的表保留，但不再写入",
        en="its feeds have no type any more; its table stays in the lake and is not filled",
    )
    return _whole("removed", "entity_type", item.id, item, (True, why), item.id)


def _type_changed(old: EntityType, new: EntityType) -> Iterator[Change]:
    yield from _keys("entity_type", new.id, old, new, verdicts.TYPE_KEYS, new.id)
    yield from _of(
        {p.id: p for p in old.properties},
        {p.id: p for p in new.properties},
        lambda p: _property_came(new, p),
        lambda p: _property_went(new, p),
        lambda a, b: _property_changed(new, a, b),
    )
    yield from _of(
        {r.id: r for r in old.relations},
        {r.id: r for r in new.relations},
        lambda r: _whole(
            "added",
            "relation",
            f"{new.id}.{r.id}",
            r,
            verdicts.stricter(r.severity, Title(zh="未知的编号", en="unknown ids")),
            new.id,
        ),
        lambda r: _whole(
            "removed",
            "relation",
            f"{new.id}.{r.id}",
            r,
            (True, Title(zh="今后无法再沿此关系查询", en="nobody can follow it any more")),
            new.id,
        ),
        lambda a, b: _keys("relation", f"{new.id}.{b.id}", a, b, verdicts.RELATION_KEYS, new.id),
    )
    yield from _checks("check", new.id, old.checks, new.checks, new.id)


def _checks(part: Part, subject: str, old: Sequence[Any], new: Sequence[Any], *affects: str) -> Iterator[Change]:
    for item in old:
        if item not in new:
            yield _whole(
                "removed",
                part,
                subject,
                item,
                (False, Title(zh="被拒收或标记的记录减少", en="fewer records are refused or flagged")),
                *affects,
            )
    for item in new:
        if item not in old:
            yield _whole(
                "added",
                part,
                subject,
                item,
                verdicts.stricter(item.severity, Title(zh="不符合的记录", en="records that break it")),
                *affects,
            )


def _property_came(owner: EntityType, item: Property) -> Change:
    why = (False, Title(zh="新增一列，旧数据中为空", en="a new column, empty in old rows"))
    if item.required:
        why = (
            True,
            Title(
                zh="必填：未提供该属性的数据接入不再加载，缺少该值的记录被拒收",
                en="required: feeds that do not fill it no longer load, records without it are refused",
            ),
        )
    return _whole("added", "property", f"{owner.id}.{item.id}", item, why, f"{owner.id}.{item.id}")


def _property_went(owner: EntityType, item: Property) -> Change:
    why = Title(
        zh="提供该属性的数据接入不再加载；引用它的规则、指标和图表停用；已存的列保留",
        en="feeds that fill it no longer load; rules, metrics and charts that name it stop; the stored column stays",
    )
    return _whole("removed", "property", f"{owner.id}.{item.id}", item, (True, why), f"{owner.id}.{item.id}")


def _property_changed(owner: EntityType, old: Property, new: Property) -> Iterator[Change]:
    subject = f"{owner.id}.{new.id}"
    yield from _keys("property", subject, old, new, verdicts.PROPERTY_KEYS, subject)


# Code lists


def _list_came(item: CodeList) -> Change:
    return _whole(
        "added",
        "code_list",
        item.id,
        _head(item),
        (False, Title(zh="新增代码表", en="a new list")),
        f"code-list:{item.id}",
    )


def _list_went(item: CodeList) -> Change:
    why = (True, Title(zh="使用它的属性不再加载", en="properties that use it no longer load"))
    return _whole("removed", "code_list", item.id, _head(item), why, f"code-list:{item.id}")


def _head(item: CodeList) -> CodeList:
    return item.model_copy(update={"codes": ()})


def _list_changed(old: CodeList, new: CodeList) -> Iterator[Change]:
    affects = f"code-list:{new.id}"
    yield from _keys("code_list", new.id, old, new, {"title": verdicts.told, "source": verdicts.told}, affects)
    yield from _of(
        _by_code(old),
        _by_code(new),
        lambda c: _whole(
            "added",
            "code",
            f"{new.id} {c.code}",
            c,
            (False, Title(zh="多接受一个代码", en="one more code is accepted")),
            affects,
        ),
        lambda c: _whole("removed", "code", f"{new.id} {c.code}", c, _gone(c), affects),
        lambda a, b: _keys("code", f"{new.id} {b.code}", a, b, verdicts.CODE_KEYS, affects),
    )


def _by_code(item: CodeList) -> Mapping[str, Code]:
    """Codes by code and the day their span begins: the same code may be listed for several spans."""
    return {f"{code.code} {code.valid_from or ''}": code for code in item.codes}


def _gone(code: Code) -> Verdict:
    return True, Title(
        zh=f"代码“{code.code}”的记录被拒收，已存记录失去其名称；请改为设置 valid_to",
        en=f"records with '{code.code}' are refused and stored ones lose its title; set valid_to instead",
    )


# Feeds


def _feed_came(item: FeedDeclaration) -> Change:
    return _whole(
        "added",
        "feed",
        item.id,
        item,
        (False, Title(zh="新增数据接入", en="a new stream")),
        f"feed:{item.id}",
        item.entity_type,
    )


def _feed_went(item: FeedDeclaration) -> Change:
    why = (True, Title(zh="其数据源被拒收；已有数据保留", en="its sources are refused; its rows stay"))
    return _whole("removed", "feed", item.id, item, why, f"feed:{item.id}", item.entity_type)


def _feed_changed(old: FeedDeclaration, new: FeedDeclaration) -> Iterator[Change]:
    subject, affects = new.id, (f"feed:{new.id}",)
    yield from _keys("feed", subject, old, new, verdicts.FEED_KEYS, *affects)
    for name in sorted(old.properties.keys() | new.properties.keys()):
        before, after = old.properties.get(name), new.properties.get(name)
        column = (f"{new.entity_type}.{name}", *affects)
        if before is None and after is not None:
            why = _mapped(after.required)
            yield _whole("added", "feed_property", f"{subject}.{name}", after, why, *column)
        elif after is None and before is not None:
            why = (True, Title(zh="该列不再从此数据接入取值", en="the column gets no more values from this feed"))
            yield _whole("removed", "feed_property", f"{subject}.{name}", before, why, *column)
        elif before is not None and after is not None:
            yield from _keys("feed_property", f"{subject}.{name}", before, after, verdicts.SOURCE_KEYS, *column)
    yield from _checks("feed_check", subject, old.checks, new.checks, *affects)


def _mapped(required: bool) -> Verdict:
    if required:
        return True, Title(zh="缺少该字段的记录被拒收", en="records without the field are refused")
    return False, Title(zh="该列从此开始取值", en="the column gets values from now on")

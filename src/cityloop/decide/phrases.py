"""What is said of decision tables: faults, findings and reasons, by code in both languages."""

from __future__ import annotations

from cityloop.core.phrases import Phrases

PHRASES = Phrases(
    {
        "xml": (
            "文件不是可读的 XML：{what} | the file is no readable XML: {what}",
            "从 DMN 编辑器重新导出 | export it again from a DMN editor",
        ),
        "entities": (
            "文件含有 DTD 或实体 | the file has a DTD or entities",
            "删除 DOCTYPE | remove the DOCTYPE",
        ),
        "large": (
            "文件有 {size} 字节，最多 {most} | the file has {size} bytes, at most {most} are taken",
            "拆成几个文件 | split it into several files",
        ),
        "many": (
            "有 {size} 个{what}，最多 {most} 个 | there are {size} {what}, at most {most} are taken",
            "拆成几张决策表 | split it into several tables",
        ),
        "nested": (
            "元素嵌套超过 {most} 层 | elements are nested more than {most} deep",
            "简化文件 | simplify the file",
        ),
        "not-dmn": (
            "根元素是 {found}，不是 DMN 的 definitions | the root is {found}, not the definitions of DMN",
            "上传 DMN 1.2 至 1.5 的文件 | give a file of DMN 1.2 to 1.5",
        ),
        "no-decision": ("文件没有决策 | the file has no decision", "加入一张决策表 | add a decision table"),
        "roots": (
            "文件有几个最终决策：{names} | the file has several final decisions: {names}",
            "一个文件一个最终决策；其他的由它引用 | one final decision a file; let it require the others",
        ),
        "no-id": ("缺少 id | it has no id", "给出 id | give it an id"),
        "id-twice": ("id “{id}”用了两次 | the id '{id}' is used twice", "改一个 | change one of them"),
        "no-name": ("缺少 name | it has no name", "给出 name | give it a name"),
        "name-twice": ("名称“{name}”用了两次 | the name '{name}' is used twice", "改一个 | change one of them"),
        "unknown-reference": (
            "引用的“{id}”不存在 | what it requires, '{id}', does not exist",
            "改正引用 | correct the reference",
        ),
        "circle": (
            "决策互相依赖成环：{names} | decisions require each other in a circle: {names}",
            "去掉一个依赖 | remove one of the requirements",
        ),
        "import": (
            "不支持导入其他模型 | imports of other models are not taken",
            "把内容放进一个文件 | put it into one file",
        ),
        "language": (
            "表达式语言“{language}”不支持 | the expression language '{language}' is not taken",
            "使用 FEEL | use FEEL",
        ),
        "policy": (
            "命中策略“{policy}”不存在 | there is no hit policy '{policy}'",
            "UNIQUE FIRST PRIORITY ANY COLLECT RULE ORDER OUTPUT ORDER",
        ),
        "aggregation": (
            "汇总“{name}”不可用 | the aggregation '{name}' cannot be used here",
            "COLLECT 可用 SUM MIN MAX COUNT，只能有一个输出 | COLLECT takes SUM, MIN, MAX, COUNT, with one output",
        ),
        "cells": (
            "规则有 {found} 个单元格，应为 {wanted} 个 | the rule has {found} cells instead of {wanted}",
            "补齐单元格 | give every column a cell",
        ),
        "no-columns": ("决策表没有输出 | the table has no output", "加入一个输出列 | add an output column"),
        "output-names": (
            "有几个输出，须各有不同的名称 | several outputs need different names",
            "给每列名称 | name each of them",
        ),
        "no-priorities": (
            "{policy} 需要列出输出值 | {policy} needs the output values listed",
            "按重要性列出输出的允许值 | list the allowed output values, the most important first",
        ),
        "unknown-name": (
            "不认识的名称“{name}” | the name '{name}' is not known here",
            "可用：{known} | known here: {known}",
        ),
        "no-logic": (
            "决策没有内容 | the decision has no logic",
            "加入决策表或表达式 | give it a table or an expression",
        ),
        "logic": (
            "不支持的内容 {found} | the element {found} is not taken",
            "改用决策表或 FEEL 表达式 | use a table or FEEL",
        ),
        "type": ("没有类型“{name}” | there is no type '{name}'", "number string boolean date time date and time …"),
        "output-value": (
            "输出 {value} 不在允许值中 | the output {value} is not among the allowed ones",
            "改正输出，或补充允许值 | correct the output, or allow the value",
        ),
        "gap": (
            "没有规则覆盖：{example} | no rule covers {example}",
            "增加规则，或给出默认输出 | add a rule, or give the outputs a default",
        ),
        "overlap": (
            "规则 {first} 与 {second} 同时成立：{example} | rules {first} and {second} both hold for {example}",
            "缩小其中一条，或换命中策略 | narrow one of them, or choose another hit policy",
        ),
        "conflict": (
            "规则 {first} 与 {second} 同时成立而输出不同：{example}"
            " | rules {first} and {second} both hold with different outputs for {example}",
            "ANY 要求输出相同 | ANY asks for the same outputs",
        ),
        "hidden": (
            "规则 {rule} 永远轮不到：前面的规则已覆盖 | rule {rule} never has its turn: those before it cover it",
            "删除或上移 | remove it or move it up",
        ),
        "never": (
            "规则 {rule} 的“{column}”与允许值没有交集"
            " | '{column}' of rule {rule} has nothing in common with the allowed values",
            "改正单元格 | correct the cell",
        ),
        "unjudged": (
            "规则 {rule} 的“{column}”是计算出来的，未参与检查"
            " | '{column}' of rule {rule} is computed and was left out of the check",
            "用试算检查 | try it with examples",
        ),
        "not-complete": (
            "组合太多，只检查了一部分 | there are too many combinations; only a part was checked",
            "拆成几张表 | split the table",
        ),
        "missing-input": ("缺少输入“{name}” | the input '{name}' is missing", "给出它 | give it"),
        "input-type": (
            "输入“{name}”应为 {type}，而不是 {value} | the input '{name}' must be {type}, not {value}",
            "改正输入 | correct the input",
        ),
        "input-value": (
            "“{name}”的值 {value} 不在允许值 {allowed} 中 | the value {value} of '{name}' is not among {allowed}",
            "改正输入 | correct the input",
        ),
        "several": (
            "命中 {rules} 几条规则，而策略是 UNIQUE | rules {rules} match, but the policy is UNIQUE",
            "改正决策表 | correct the table",
        ),
        "different": (
            "规则 {rules} 的输出不同，而策略是 ANY | rules {rules} give different outputs, but the policy is ANY",
            "改正决策表 | correct the table",
        ),
        "no-rule": ("没有规则适用 | no rule applies", "由人决定 | a person decides"),
        "no-answer": ("表达式没有得出值 | the expression gave no value", "由人决定 | a person decides"),
        "output-type": (
            "“{name}”的答案 {value} 不是 {type} | the answer {value} of '{name}' is no {type}",
            "改正决策表 | correct the table",
        ),
        "matched": ("命中规则 {rules} | rules that matched: {rules}", ""),
        "default": ("没有规则适用，使用默认输出 | no rule applies; the default was taken", ""),
        "no-table": (
            "没有决策表“{id}” | there is no decision table '{id}'",
            "见 GET /api/v1/decision-tables | see GET /api/v1/decision-tables",
        ),
        "no-made": (
            "没有决策记录“{id}” | there is no decision '{id}'",
            "见 GET /api/v1/decisions | see GET /api/v1/decisions",
        ),
        "faulty": (
            "决策表有 {count} 处错误 | the table has {count} fault(s)",
            "改正指出的位置 | correct the places that are named",
        ),
        "other-table": (
            "文件的最终决策是“{found}”，不是“{id}” | the final decision of the file is '{found}', not '{id}'",
            "保持决策的 id | keep the id of the decision",
        ),
        "unchanged": (
            "修改没有改变任何内容 | the change changes nothing",
            "与现行版本比较 | compare it with the version in force",
        ),
        "stale": (
            "现行版本是 {version}，修改基于 {base} | version {version} is in force, the change is based on {base}",
            "重新查看影响 | explain it again",
        ),
    }
)

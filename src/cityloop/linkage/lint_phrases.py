"""What is said of a diagram that cannot run, or should not: by code, in both languages, with how to mend it."""

from __future__ import annotations

from cityloop.core.phrases import Phrases

MILD = frozenset({
    "doubled", "half-walked", "no-label", "no-shape", "overlapping", "fake-join", "join-fork", "superfluous-gateway",
    "superfluous-end", "no-condition-needed",
})  # fmt: skip
"""Codes that are only pointed out: a plan with these may come into force."""

_DOCUMENT: dict[str, str | tuple[str, str]] = {
    "too-large": (
        "图有 {size:,} 字节，最多 {most:,} 字节 | the diagram has {size:,} bytes; at most {most:,} are taken",
        "拆成几张图，用 subplan 相连 | split it, and join the parts by the service subplan",
    ),
    "not-utf8": ("图不是 UTF-8 编码 | the diagram is not UTF-8", "另存为 UTF-8 | save it as UTF-8"),
    "document-type": (
        "图带有文档类型声明或实体 | the diagram brings a document type or entities",
        "删去 <!DOCTYPE …> | remove <!DOCTYPE …>",
    ),
    "not-xml": (
        "图不是正确的 XML：{why} | the diagram is not XML: {why}",
        "用 BPMN 编辑器重新保存 | save it again from a BPMN editor",
    ),
    "not-bpmn": (
        "根元素是 {root}，不是 BPMN 2.0 的 definitions | the root is {root}, not the definitions of BPMN 2.0",
        "另存为 BPMN 2.0 XML | save it as BPMN 2.0 XML",
    ),
    "one-process": (
        "图有 {count} 个流程，一个预案是一个流程 | the diagram has {count} processes; a plan is one process",
        "每个流程存为一个文件；部门用泳道表示 | keep each process in a file of its own; departments are lanes",
    ),
    "too-many-nodes": (
        "图有 {count} 个元素，最多 {most} 个 | the diagram has {count} elements; at most {most} are taken",
        "拆成几张图，用 subplan 相连 | split it, and join the parts by the service subplan",
    ),
    "too-deep": (
        "图的元素嵌套超过 {most} 层 | elements of the diagram stand more than {most} deep in each other",
        "用 BPMN 编辑器重新画 | draw it again in a BPMN editor",
    ),
    "another-plan": (
        "图的流程编号是“{found}”，不是“{plan}” | the process of the diagram is '{found}', not '{plan}'",
        "改正流程编号，或在该预案下保存 | correct the id of the process, or save it under that plan",
    ),
    "not-sound": (
        "图有 {count} 处错误，不能生效 | the diagram has {count} errors and cannot come into force",
        "按所列各处改正 | correct what is named",
    ),
    "another-version": (
        "现在生效的是第 {version} 版，不是第 {base} 版 | version {version} is in force, not {base}",
        "重新打开，看过差别再应用 | open it again and look at what differs first",
    ),
    "no-id": ("{kind} 没有编号 | a {kind} has no id", "每个元素要有编号 | every element needs an id"),
    "id-twice": (
        "编号“{id}”用了不止一次 | the id '{id}' is borne by more than one element",
        "换一个编号 | rename one of them",
    ),
    "bad-plan-id": (
        "预案编号“{id}”要以字母开头，只用小写字母、数字和 - | the id '{id}' of a plan starts with a letter and"
        " has lower-case letters, digits and -, at most 60",
        "改正流程编号 | correct the id of the process",
    ),
    "not-executable": (
        "流程没有标为可执行 | the process is not marked as executable",
        '设 isExecutable="true" | set isExecutable="true"',
    ),
    "unknown-extension": (
        "不认识的扩展“{name}” | the extension '{name}' is not known here",
        "删去，或改用 https://cityloop.org/ns/plan 的扩展 | remove it, or use those of https://cityloop.org/ns/plan",
    ),
    "unknown-attribute": (
        "{element} 没有属性“{name}” | {element} has no attribute '{name}'",
        "删去或改正拼写；有 {known} | remove it or correct its spelling; it has {known}",
    ),
    "script": (
        "预案里不能有脚本 | a plan has no scripts",
        "改用服务任务；条件用 FEEL | use a service task; conditions are FEEL",
    ),
    "not-run": (
        "这里不执行“{kind}” | '{kind}' is not executed here",
        "改用人工任务、服务任务、网关、定时或子流程"
        " | use a user task, a service task, a gateway, a timer or a sub-process",
    ),
    "not-run-event": (
        "这里不执行“{event}”事件 | events of the kind '{event}' are not executed here",
        "可用：{known} | there are: {known}",
    ),
    "plain-task": (
        "任务没有说由人做还是由系统做 | the task does not say whether a person or the system does it",
        "改为人工任务或服务任务 | make it a user task or a service task",
    ),
}
_FLOW: dict[str, str | tuple[str, str]] = {
    "loose-flow": (
        "连线的一端“{end}”不存在 | one end of the flow, '{end}', does not exist",
        "删去连线，或接到元素上 | remove the flow, or join it to an element",
    ),
    "no-default": (
        "网关有 {count} 个出口而没有默认出口 | the gateway has {count} ways out and none of them is the default",
        "把一个出口设为默认，条件都不成立时走它 | make one of them the default: it is taken when no condition holds",
    ),
    "default-not-out": (
        "默认出口“{flow}”不从该元素出发 | the default '{flow}' does not leave this element",
        "改正 default | correct the default",
    ),
    "no-condition": (
        "出口“{flow}”没有条件 | the way out '{flow}' has no condition",
        "写上 FEEL 条件，或设为默认出口 | write a FEEL condition, or make it the default",
    ),
    "no-condition-needed": (
        "默认出口“{flow}”的条件不起作用 | the condition of the default '{flow}' has no effect",
        "删去条件 | remove the condition",
    ),
    "unreachable": (
        "从开始走不到这里 | nothing that starts comes here",
        "接上一条连线，或删去 | join it to what comes before, or remove it",
    ),
    "no-way-out": (
        "从这里走不到任何结束 | no end can be reached from here",
        "接到结束事件，或给循环一个出口 | lead it to an end event, or give the loop a way out",
    ),
    "rush": (
        "循环 {loop} 里没有人工任务、定时或等待，会不停地转"
        " | the loop {loop} has no user task, timer or wait: it would spin",
        "在循环里加一个定时事件，或让人确认 | put a timer event into the loop, or let a person confirm",
    ),
    "deadlock": (
        "会在这里卡死：要等的分支不会都来 | a run gets stuck here: not all branches that it waits for will come",
        "并行汇合只接并行分出的分支；选择之后用排他网关汇合"
        " | let a parallel join follow a parallel split; after a choice, join by an exclusive gateway",
    ),
    "doubled": (
        "并行的分支没有汇合，这里会执行多次"
        " | parallel branches arrive here without being joined: it runs once for each",
        "先用并行网关汇合 | join them by a parallel gateway first",
    ),
    "half-walked": (
        "选择太多，没有走遍所有走法 | there are too many choices to walk every way",
        "把一部分放进子流程 | put a part of it into a sub-process",
    ),
    "boundary-nowhere": (
        "边界事件没有附在活动上 | the boundary event sits on no activity",
        "附到任务或子流程的边上 | put it on the border of a task or sub-process",
    ),
}
_TIME: dict[str, str | tuple[str, str]] = {
    "timer-empty": (
        "定时没有写时间 | the timer has no time",
        "写时长，如 PT30M 或 2个工作小时，或 =FEEL | write a duration such as PT30M or 2个工作小时, or =FEEL",
    ),
    "timer-unreadable": (
        "读不懂定时“{text}”：{why} | the timer '{text}' cannot be read: {why}",
        "写时长，如 PT30M 或 2个工作小时，或 =FEEL | write a duration such as PT30M or 2个工作小时, or =FEEL",
    ),
    "timer-cycle": (
        "定时“{text}”自己重复 | the timer '{text}' repeats by itself",
        "重复要画成循环，里面放一个定时事件 | draw repetition as a loop with a timer event in it",
    ),
    "timer-too-long": (
        "定时“{text}”超过 {days} 天 | the timer '{text}' is longer than {days} days",
        "缩短；更久的事由时间表启动 | shorten it; what lies further ahead is started by a schedule",
    ),
    "timer-too-short": (
        "定时“{text}”短于 {seconds} 秒 | the timer '{text}' is shorter than {seconds} s",
        "延长 | make it longer",
    ),
    "bad-feel": (
        "FEEL 表达式“{text}”有误：{why} | the FEEL expression '{text}' is wrong: {why}",
        "{mend} | {mend}",
    ),
    "limit-unclear": (
        "时限“{text}”：{why} | the limit '{text}': {why}",
        "按案件时限的写法，如“2个工作小时” | write it as limits of cases are written, such as 2个工作小时",
    ),
}
_STEPS: dict[str, str | tuple[str, str]] = {
    "no-lane": (
        "人工任务不在任何泳道里，不知道谁来做 | the user task stands in no lane: nobody knows who does it",
        "放进部门或岗位的泳道 | put it into the lane of a department or post",
    ),
    "lane-of-nobody": (
        "泳道没有部门也没有岗位 | the lane names no department and no post",
        "选一个部门或岗位 | choose a department or post",
    ),
    "lane-of-several": (
        "泳道有 {count} 个承办者 | the lane names {count} who do its work",
        "留下一个部门或岗位 | leave one department or one post",
    ),
    "unknown-department": (
        "没有部门“{id}” | there is no department '{id}'",
        "选城市的一个部门 | choose one of the city's departments",
    ),
    "unknown-post": (
        "没有岗位“{id}” | there is no post '{id}'",
        "选城市政策里的一个岗位 | choose one of the posts of the city's policy",
    ),
    "no-service": ("服务任务没有说明服务 | the service task names no service", "选一个服务 | choose a service"),
    "unknown-service": ("没有服务“{name}” | there is no service '{name}'", "可用：{known} | there are: {known}"),
    "no-input": ("服务“{service}”缺少“{name}” | the service '{service}' lacks '{name}'", "填写 | fill it in"),
    "empty-input": ("“{name}”是空的 | '{name}' is empty", "填写，或删去 | fill it in, or remove it"),
    "unknown-input": (
        "服务“{service}”没有“{name}” | the service '{service}' takes no '{name}'",
        "它有：{known} | it takes: {known}",
    ),
    "input-twice": ("“{name}”写了两次 | '{name}' is written twice", "留下一个 | leave one"),
    "bad-value": ("“{name}”不能是“{value}” | '{name}' cannot be '{value}'", "可用：{known} | there are: {known}"),
    "unknown-thing": ("没有{kind}“{value}” | there is no {kind} '{value}'", "改正 | correct it"),
    "result-twice": (
        "结果“{name}”也是“{other}”的结果 | the result '{name}' is also that of '{other}'",
        "并行时后写的会盖掉先写的，换一个名字 | of parallel branches the last would win: rename it",
    ),
    "bad-name": (
        "“{name}”不能作名字 | '{name}' cannot be a name",
        "以字母开头，只用字母、数字和 _ | start with a letter, and use letters, digits and _",
    ),
    "field-twice": (
        "表单项“{name}”出现两次 | the field '{name}' stands twice in the form",
        "换一个名字 | rename one of them",
    ),
    "field-kind": (
        "表单项“{name}”的类型“{kind}”不认识 | the type '{kind}' of the field '{name}' is not known",
        "可用：{known} | there are: {known}",
    ),
    "field-choices": (
        "选择项“{name}”没有可选的值 | the choice '{name}' has nothing to choose from",
        '写 values="甲,乙" | write values="a,b"',
    ),
    "field-title": (
        "表单项“{name}”没有两种语言的名称 | the field '{name}' is not named in both languages",
        "写 title_zh 和 title_en | write title_zh and title_en",
    ),
    "no-trigger-kind": (
        "启动条件“{kind}”不认识 | the trigger '{kind}' is not known",
        "可用：{known} | there are: {known}",
    ),
}
_LINTER: dict[str, str | tuple[str, str]] = {
    "no-start": ("没有开始事件 | there is no start event", "加一个开始事件 | add a start event"),
    "no-end": ("没有结束事件 | there is no end event", "加一个结束事件 | add an end event"),
    "several-starts": (
        "有不止一个开始事件 | there is more than one plain start event",
        "只留一个；多种启动写在启动条件里 | leave one; several ways to start are triggers",
    ),
    "implicit-split": (
        "活动直接分出几条线，会全部执行 | several flows leave an activity: all of them would be taken",
        "用网关说明是选择还是并行 | say by a gateway whether it is a choice or parallel work",
    ),
    "implicit-start": (
        "没有连线进来 | nothing leads here",
        "接上连线，或改用开始事件 | join it to what comes before, or use a start event",
    ),
    "implicit-end": ("没有连线出去 | nothing leads on from here", "接到结束事件 | lead it to an end event"),
    "disconnected": ("没有和任何元素相连 | it is joined to nothing", "接上连线，或删去 | join it, or remove it"),
    "flow-twice": ("两个元素之间有重复的连线 | two flows say the same", "删去一条 | remove one of them"),
    "complex-gateway": (
        "这里不执行复杂网关 | complex gateways are not executed here",
        "改用排他、并行或包容网关 | use an exclusive, parallel or inclusive gateway",
    ),
    "event-gateway": (
        "事件网关后面只能是捕获事件，且至少两个 | an event-based gateway leads to at least two catching events",
        "改用定时或消息事件 | let timer or message events follow it",
    ),
    "several-events": ("一个事件有几种定义 | an event has more than one definition", "只留一种 | leave one"),
    "link-event": (
        "连接事件不成对 | link events do not match",
        "成对命名，或改用连线 | name them in pairs, or use a flow",
    ),
    "ad-hoc": (
        "这里不执行随意子流程 | ad-hoc sub-processes are not executed here",
        "改用普通子流程 | use a plain sub-process",
    ),
    "sub-start": (
        "子流程的开始事件必须是普通的 | a sub-process begins with a plain start event",
        "去掉事件定义 | remove the event definition",
    ),
    "event-sub-start": (
        "事件子流程的开始必须有事件定义 | an event sub-process begins with a typed start event",
        "选定时或消息 | choose a timer or a message",
    ),
    "no-label": ("没有名称 | it has no name", "起一个让人看懂的名称 | give it a name that people understand"),
    "no-shape": ("没有画出来 | it is not drawn", "用“自动排版” | use the automatic layout"),
    "overlapping": (
        "与别的元素重叠 | it overlaps another element",
        "移开，或用“自动排版” | move it, or use the automatic layout",
    ),
    "fake-join": (
        "没有网关的汇合，每条分支各执行一次 | a join without a gateway: it runs once for each branch",
        "需要等待时用并行网关 | use a parallel gateway where it should wait",
    ),
    "join-fork": ("一个网关又汇合又分支 | a gateway both joins and forks", "拆成两个 | make it two"),
    "superfluous-gateway": ("网关只有一进一出 | the gateway has one way in and one way out", "删去 | remove it"),
    "superfluous-end": (
        "终止结束在这里不起作用 | the terminating end has no effect here",
        "改用普通结束 | use a plain end",
    ),
}
PHRASES = Phrases({**_DOCUMENT, **_FLOW, **_TIME, **_STEPS, **_LINTER})

"""What linkage says of runs, tasks and effects: each sentence in Chinese and English."""

from __future__ import annotations

from cityloop.core.phrases import Phrases

PHRASES = Phrases(
    {
        "runs-in-circles": (
            "预案不停地绕圈：一次超过 {most} 步没有等待 | it runs in circles: over {most} steps without waiting",
            "在循环里画一个定时器或任务 | draw a timer or a task into the loop",
        ),
        "too-many-steps": (
            "本次执行已超过 {most} 步 | this run has more than {most} steps",
            "结束它，重新启动一次 | end it and start another",
        ),
        "stuck": (
            "在“{element}”处无法继续：{why} | it cannot go on at '{element}': {why}",
            "修正条件或给出默认分支，再重试 | correct the condition or give a default flow, then retry",
        ),
        "step-not-open": (
            "步骤“{element}”不在等待 | the step '{element}' is not waiting",
            "刷新后再看 | read the run again",
        ),
        "cannot-follow": (
            "引擎无法执行这张图：{why} | the engine cannot follow this diagram: {why}",
            "按提示修改图 | correct the diagram as it says",
        ),
        "no-scripts": (
            "“{element}”是脚本，预案中不允许 | '{element}' is a script, which no plan may hold",
            "改用服务任务或决策表 | use a service task or a decision table",
        ),
        "cannot-migrate": (
            "执行已经过或停在改动的步骤：{elements} | the run has passed, or stands at, what was changed: {elements}",
            "让它按原版本结束 | let it end by its own version",
        ),
        "no-limit": (
            "“{text}”不是时限 | '{text}' is no limit",
            "按城市的时限写法，如 2个工作小时 | write a limit as the city does, such as 2小时",
        ),
        "no-run": (
            "没有执行“{run}” | there is no run '{run}'",
            "列出执行：GET /api/v1/runs | list them with GET /api/v1/runs",
        ),
        "no-task": (
            "没有任务“{task}” | there is no task '{task}'",
            "列出任务：GET /api/v1/tasks | list them with GET /api/v1/tasks",
        ),
        "no-effect": (
            "这次执行没有动作“{effect}” | the run has no effect '{effect}'",
            "看执行的动作清单 | see the effects of the run",
        ),
        "no-area": (
            "没有辖区“{area}” | there is no area '{area}'",
            "选一个辖区，或不填 | choose an area, or leave it out",
        ),
        "runs-already": (
            "这一预案在此已有一次执行：{run} | this plan is running here already: {run}",
            '打开那次执行；确需并行，在预案里声明 once="none" | open that run, or declare once="none"',
        ),
        "too-deep": (
            "子预案嵌套超过 {most} 层 | sub-plans are nested more than {most} deep",
            "检查子预案是否互相启动 | see whether plans start each other",
        ),
        "wrong-state": (
            "执行处于“{state}”，此操作需要：{wanted} | the run is '{state}', this needs: {wanted}",
            "刷新后再看 | read the run again",
        ),
        "nothing-failed": ("“{element}”没有失败 | '{element}' has not failed", "刷新后再看 | read the run again"),
        "no-message": (
            "执行没有在等消息“{name}” | the run waits for no message '{name}'",
            "看图中的消息事件 | see the message events of the diagram",
        ),
        "not-to-undo": (
            "动作处于“{state}”，没有可撤销的 | the effect is '{state}': there is nothing to undo",
            "只有已做的动作能撤销 | only what was done can be undone",
        ),
        "leaves-nothing": "这一步没有留下可撤销的东西 | this step leaves nothing behind that could be undone",
        "no-service": (
            "服务“{name}”在这里不能执行 | the service '{name}' cannot be carried out here",
            "检查系统配置，或跳过这一步 | check the settings, or skip the step",
        ),
        "gave-up": (
            "试了 {tries} 次仍未成功：{why} | tried {tries} times without success: {why}",
            "重试、跳过，或人工处理 | retry, skip, or do it by hand",
        ),
        "no-effect-seen": (
            "“{step}”没有见效：指令 {state} | '{step}' had no effect: the command is {state}",
            "重试、跳过，或人工处理 | retry, skip, or do it by hand",
        ),
        "form": (
            "表单没有填对 | the form is not filled in as it asks",
            "改正所列各项 | correct the fields that are named",
        ),
        "unknown-field": ("表单没有“{name}”这一项 | the form has no field '{name}'", "去掉它 | leave it out"),
        "field-needed": ("“{name}”必填 | '{name}' is needed", "填上它 | fill it in"),
        "field-text": (
            "“{name}”应为不超过 4000 字的文字 | '{name}' is a text of at most 4000 characters",
            "改写它 | rewrite it",
        ),
        "field-number": ("“{name}”应为数 | '{name}' is a number", "填一个数 | give a number"),
        "field-integer": ("“{name}”应为整数 | '{name}' is a whole number", "填一个整数 | give a whole number"),
        "field-yes_no": ("“{name}”应为是或否 | '{name}' is yes or no", "填 true 或 false | give true or false"),
        "field-choice": ("“{name}”应为其中之一：{known} | '{name}' is one of: {known}", "选一个 | choose one"),
        "field-instant": (
            "“{name}”应为带时区的时刻 | '{name}' is an instant with its time zone",
            "如 2026-03-09T08:00:00+08:00 | such as 2026-03-09T08:00:00+08:00",
        ),
        "field-date": ("“{name}”应为日期 | '{name}' is a date", "如 2026-03-09 | such as 2026-03-09"),
        "own-request": "本人提出或启动的事项不能由本人办理审批 | nobody decides on what he asked for himself",
        "answered-already": "您已经答复过，需由另一人审批 | you have answered already; another person has to",
        "is-approval": ("这是审批，不能直接完成 | this is an approval", "同意或不同意 | approve or reject it"),
        "no-approval": ("这不是审批 | this is no approval", "填写表单后完成 | fill in the form and complete it"),
        "task-over": "任务已处于“{state}” | the task is '{state}' already",
        "run-paused": "执行已暂停，任务暂不能办 | the run is paused: its tasks wait",
        "not-in-hand": "任务不在您手上：属于别的部门、岗位或他人 | the task is in the hands of somebody else",
        "no-taker": (
            "没有“{to}”这个账号、部门或岗位 | there is no account, department or post '{to}'",
            "选一个 | choose one",
        ),
        "taker-may-not": ("“{to}”无权办理任务 | '{to}' may not work on tasks", "交给别人 | choose somebody else"),
        "why-warning": "预警：{message} | warning: {message}",
        "why-case": "案件 {number} | case {number}",
        "why-schedule": "定时 {at} | schedule {at}",
        "undo-case-open": "在案件上注明联动已撤销，案件按自身流程继续 | the case is told, and goes on by its own moves",
        "undo-notify": "再发一条通知，说明前一条作废 | a second notice says that the first no longer holds",
        "undo-cap": "发布取消信息 | a cancellation is published",
        "undo-command": "按指令声明的方式撤回 | by the way back that the command declares",
        "undo-webhook": "以同一编号通知对方作废 | the other system is told under the same key",
        "undo-subplan": "结束子预案并逆序撤销其动作 | the sub-plan is ended and its effects are undone in reverse",
        "line-started": "{who}启动：{why} | started by {who}: {why}",
        "line-done": "执行完毕 | the run is done",
        "line-failed": "需要人来决定：{why} | a person has to decide: {why}",
        "line-joined": "又有：{what} | came on top: {what}",
        "line-task-opened": "待办：{task} | waits for a person: {task}",
        "line-task-done": "{who}完成：{task} | {task} done by {who}",
        "line-taken": "{who}领取：{task} | {task} taken by {who}",
        "line-delegated": "{who}把“{task}”转给 {to}：{why} | {task} given to {to} by {who}: {why}",
        "line-approve": "{who}同意“{task}”：{why} | {task} approved by {who}: {why}",
        "line-reject": "{who}不同意“{task}”：{why} | {task} rejected by {who}: {why}",
        "line-escalated": "超时，升级至 {to} | late: escalated to {to}",
        "line-no-limit": "时限“{text}”无法换算，请人工掌握 | the limit '{text}' gives no instant; a person keeps watch",
        "line-effect-asked": "已发出：{step}，等待结果 | asked for: {step}; its answer is awaited",
        "line-effect-done": "已完成：{step} | done: {step}",
        "line-undone": "已撤销“{step}”：{how} | {step} undone: {how}",
        "line-pause": "{who}暂停：{why} | paused by {who}: {why}",
        "line-resume": "{who}恢复：{why} | resumed by {who}: {why}",
        "line-take-over": "{who}人工接管：{why} | taken over by {who}: {why}",
        "line-end": "{who}提前结束：{why} | ended early by {who}: {why}",
        "line-message": "{who}给出消息 {why} | message {why} given by {who}",
        "line-retry": "{who}重试：{why} | tried again by {who}: {why}",
        "line-skip": "{who}跳过：{why} | skipped by {who}: {why}",
        "line-migrated": "{who}改按第 {version} 版执行：{why} | goes on by version {version}, by {who}: {why}",
        "may-migrate": "可以改按新版执行 | may go on by the new version",
        "no-department": (
            "没有部门“{name}” | there is no department '{name}'",
            "用部门的编号 | write a department's id",
        ),
        "no-place": (
            "不知道案件在哪里 | it is not known where the case is",
            "给出 lon 和 lat，或辖区 | give lon and lat, or an area",
        ),
        "case-closed": (
            "案件 {case} 已结束 | the case {case} is closed",
            "需要时另行立案 | open another case where it is needed",
        ),
        "case-joined": "联动预案“{plan}”并入：{why} | joined by the plan '{plan}': {why}",
        "case-withdrawn": "联动预案“{plan}”已撤销：{why} | the plan '{plan}' was undone: {why}",
        "nobody-to-tell": (
            "通知没有写明部门或岗位 | the notice names no department or post",
            "写 department 或 post | write department or post",
        ),
        "no-level": (
            "“{level}”不是级别 | '{level}' is no level",
            "用 blue、yellow、orange、red | write blue, yellow, orange or red",
        ),
        "no-webhook": (
            "没有登记外部系统“{name}” | the system '{name}' is not registered",
            "在城市的 webhooks.yaml 登记 | register it in webhooks.yaml of the city",
        ),
        "not-taken": (
            "对方没有接受：{why} | it was not taken: {why}",
            "与对方核对后重试 | check with them, then retry",
        ),
        "bad-hours": (
            "“{hours}”不是 0 到 {most} 之间的小时数 | '{hours}' is no number of hours up to {most}",
            "填一个数 | give a number",
        ),
    }
)

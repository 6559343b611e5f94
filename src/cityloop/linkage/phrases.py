"""What linkage says of runs, tasks and effects: each sentence in Chinese and English."""

from __future__ import annotations

from cityloop.core.phrases import Phrases

PHRASES = Phrases(
    {
        "runs-in-circles": (
            "预案不停地绕圈：一次超过 {most} 步没有等待 | the plan runs in circles: more than {most} steps without waiting",
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
    }
)

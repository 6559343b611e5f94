"""The inclusive join of the engine: it waits for every branch that may still come, also one whose service was asked.

The library looks for waiting and ready tokens alone; a service that waits for its answer is neither, so that a join
would go on without its branch and drop it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from SpiffWorkflow.bpmn.parser.task_parsers import ConditionalGatewayParser
from SpiffWorkflow.bpmn.serializer.default.task_spec import ConditionalGatewayConverter
from SpiffWorkflow.bpmn.specs.defaults import InclusiveGateway
from SpiffWorkflow.task import Task as Token
from SpiffWorkflow.util.task import TaskState

_LIVE = TaskState.READY | TaskState.WAITING | TaskState.STARTED


class InclusiveJoin(InclusiveGateway):  # type: ignore[misc]
    """Goes on when no live token can reach one of its flows on which nothing has come yet."""

    def _check_threshold_unstructured(self, my_task: Token) -> bool:
        tokens = list(my_task.workflow.tasks.values())
        here = [token for token in tokens if token.task_spec is self and token.has_state(TaskState.NOT_FINISHED_MASK)]
        come = {token.parent.task_spec for token in here if token.parent.has_state(TaskState.COMPLETED)}
        awaited = {spec for spec in self.inputs if spec not in come}
        live = {token.task_spec for token in tokens if token.has_state(_LIVE) and token.task_spec is not self}
        return awaited.isdisjoint(_ahead(live, self))


def _ahead(specs: Iterable[Any], stop: Any) -> set[Any]:
    """All that lies at or behind some steps without passing the join itself."""
    seen, todo = set[Any](), list(specs)
    while todo:
        spec = todo.pop()
        if spec is not stop and spec not in seen:
            seen.add(spec)
            todo.extend(spec.outputs)
    return seen


PARSED_AS = (ConditionalGatewayParser, InclusiveJoin)
SAVED_AS = {InclusiveJoin: ConditionalGatewayConverter}

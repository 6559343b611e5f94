"""DMN files for tests, written in a few lines each."""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import escape

SPACE = 'xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/" xmlns:cl="https://cityloop.org/ns/decision"'


def file(body: str) -> str:
    """A file around decisions."""
    return f'<definitions {SPACE} id="f" name="f" namespace="urn:test">{body}</definitions>'


def text(name: str, content: str) -> str:
    """An element with a text."""
    return f"<{name}><text>{escape(content)}</text></{name}>"


def table(
    inputs: Sequence[str],
    rules: Sequence[tuple[Sequence[str], Sequence[str]]],
    *,
    policy: str = "UNIQUE",
    outputs: Sequence[str] = ("answer",),
    more: str = "",
    values: str = "",
    default: str = "",
) -> str:
    """A decision ``level``: ``inputs`` are ``name`` or ``name: type`` or ``name: type: allowed``."""
    columns = "".join(_column(column) for column in inputs)
    extra = (text("outputValues", values) if values else "") + (text("defaultOutputEntry", default) if default else "")
    heads = "".join(f'<output name="{name}">{extra if n == 0 else ""}</output>' for n, name in enumerate(outputs))
    rows = "".join(_rule(number, *rule) for number, rule in enumerate(rules, 1))
    return file(
        f'<decision id="level" name="level"><decisionTable id="t" hitPolicy="{policy}" {more}>'
        f"{columns}{heads}{rows}</decisionTable></decision>"
    )


def _column(column: str) -> str:
    name, _, rest = column.partition(": ")
    kind, _, allowed = rest.partition(": ")
    return (
        f'<input label="{name}"><inputExpression typeRef="{kind}"><text>{escape(name)}</text></inputExpression>'
        f"{text('inputValues', allowed) if allowed else ''}</input>"
    )


def _rule(number: int, cells: Sequence[str], answers: Sequence[str]) -> str:
    inside = "".join(text("inputEntry", cell) for cell in cells) + "".join(text("outputEntry", a) for a in answers)
    return f'<rule id="r{number}"><description>第{number}条 | rule {number}</description>{inside}</rule>'

"""metrics.yaml: what is wrong is named with file, line, key and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from cityloop.analyse import expression
from cityloop.analyse.content import load_model
from cityloop.analyse.model import AsOf, Dimension, Metric
from cityloop.core.errors import ContentError
from cityloop.standard.service import Standard
from tests.analyse.conftest import PACKS

GOOD = """\
dimensions:
  - {id: time, title: 时间, kind: time, column: observed_at}
  - {id: district, title: 区, kind: area, column: district, labels: areas}
metrics:
  - id: opened
    title: 上报
    description: 上报
    table: CaseEvent
    expression: sum(opened)
    format: integer
    dimensions: [time, district]
"""


def pack(folder: Path, text: str) -> Path:
    (folder / "metrics.yaml").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="module")
def standard() -> Standard:
    return Standard.load(PACKS)


@pytest.mark.parametrize(
    ("right", "wrong", "where", "told"),
    [
        ("sum(opened)", "sum(opend)", ":9 metrics.0.expression", "unknown column"),
        ("sum(opened)", "opened", ":9", "outside an aggregate"),
        ("sum(opened)", "1 + 1", ":9", "needs an aggregate"),
        ("sum(opened)", "sum(", ":9", "not an expression"),
        ("sum(opened)", "read_csv('/etc/passwd')", ":9", "not allowed"),
        ("sum(opened)", "(select count(*) from account)", ":9", "not allowed"),
        ("sum(opened)", "sum(cast(opened as varchar))", ":9", "only casts"),
        ("sum(opened)", "sum(CaseEvent.opened)", ":9", "name the column alone"),
        ("CaseEvent", "CaseEvents", ":8 metrics.0.table", "did you mean CaseEvent"),
        ("[time, district]", "[time, distrikt]", ":11 metrics.0.dimensions.1", "did you mean district"),
        ("labels: areas", "labels: area", ":3 dimensions.1.labels", "areas"),
        ("format: integer", "format: whole", ":10 metrics.0.format", "integer"),
        ("format: integer", "format: integer\n    filter: sum(opened) > 1", ":11 metrics.0.filter", "aggregate"),
        ("format: integer", "format: integer\n    colour: red", ":11 metrics.0.colour", "unknown key"),
        ("format: integer", "format: integer\n    time: seen_at", ":11 metrics.0.time", "unknown column"),
        (
            "format: integer",
            "format: integer\n    as_of: {key: case, order: seq}",
            "metrics.0.dimensions.0",
            "stock",
        ),
        ("metrics:", "metric:", ":1", "keys"),
    ],
)
def test_a_fault_names_its_place(
    tmp_path: Path, standard: Standard, right: str, wrong: str, where: str, told: str
) -> None:
    with pytest.raises(ContentError) as refused:
        load_model([pack(tmp_path, GOOD.replace(right, wrong, 1))], standard)
    assert where in str(refused.value)
    assert told in str(refused.value)


def test_all_faults_are_told_at_once(tmp_path: Path, standard: Standard) -> None:
    text = GOOD.replace("CaseEvent", "Nothing").replace("sum(opened)", "sum(")
    with pytest.raises(ContentError) as refused:
        load_model([pack(tmp_path, text)], standard)
    assert len(refused.value.faults) == 2


def test_a_name_declared_by_two_packs_is_refused(tmp_path: Path, standard: Standard) -> None:
    first, second = tmp_path / "a", tmp_path / "b"
    first.mkdir()
    second.mkdir()
    with pytest.raises(ContentError, match="declared twice"):
        load_model([pack(first, GOOD), pack(second, GOOD)], standard)


def test_the_packs_of_the_house_are_without_fault(standard: Standard) -> None:
    assert len(load_model(PACKS, standard).metrics) >= 6


def test_every_quotient_is_undefined_without_a_denominator() -> None:
    assert expression.parse("sum(a) / count(b)").sql("duckdb") == "SUM(a) / NULLIF(COUNT(b), 0)"


@pytest.mark.parametrize(
    "text",
    ["sum(a) filter (where b > 1)", "sum(a) over ()", "sum((select 1))", "sum(getenv('HOME'))", "sum(a); drop table x"],
)
def test_nothing_beyond_the_list_passes(text: str) -> None:
    try:
        tree = expression.parse(text)
    except ValueError:
        return
    assert list(expression.faults(tree, {"a", "b"}, True))


@pytest.mark.parametrize("key", [*Metric.model_fields, *Dimension.model_fields, *AsOf.model_fields])
def test_every_key_of_the_model_is_documented(key: str) -> None:
    assert f"`{key}`" in (PACKS[0].parents[1] / "docs" / "rules.md").read_text(encoding="utf-8")

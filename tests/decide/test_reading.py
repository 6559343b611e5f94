"""A file that is broken or hostile is refused with its reason, and costs nothing."""

from __future__ import annotations

import pytest

from cityloop.decide.ready import prepare
from tests.decide.support import SPACE, file, table

LOOP = (
    '<decision id="a" name="a"><informationRequirement><requiredDecision href="#b"/></informationRequirement>'
    "<literalExpression><text>b</text></literalExpression></decision>"
    '<decision id="b" name="b"><informationRequirement><requiredDecision href="#a"/></informationRequirement>'
    "<literalExpression><text>a</text></literalExpression></decision>"
)
ONE = '<decision id="{0}" name="{0}"><literalExpression><text>1</text></literalExpression></decision>'
FILES = {
    "xml": "<definitions",
    "entities": f'<!DOCTYPE d [<!ENTITY a "x">]>{file(ONE.format("a"))}',
    "large": f"<!--{'x' * 1_000_001}-->{file('')}",
    "nested": f"<definitions {SPACE}>" + "<a>" * 100 + "</a>" * 100 + "</definitions>",
    "not-dmn": '<bpmn xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"/>',
    "no-decision": file(""),
    "roots": file(ONE.format("a") + ONE.format("b")),
    "circle": file(LOOP),
    "unknown-reference": file(LOOP.replace('"#a"', '"#gone"')),
    "import": file('<import namespace="urn:x" importType="x"/>' + ONE.format("a")),
    "language": file(ONE.format("a").replace("<literalExpression>", '<literalExpression expressionLanguage="python">')),
    "policy": table(["a"], [(["1"], ["1"])], policy="BEST"),
    "aggregation": table(["a"], [(["1"], ["1", "2"])], policy="COLLECT", outputs=("x", "y"), more='aggregation="SUM"'),
    "no-priorities": table(["a"], [(["1"], ["1"])], policy="PRIORITY"),
    "output-names": table(["a"], [(["1"], ["1", "2"])], outputs=("x", "x")),
    "no-logic": file('<decision id="a" name="a"/>'),
    "function": table(["a"], [(["1"], ['__import__("os")'])]),
    "long": table(["a"], [(["1"], ["1 + " * 600 + "1"])]),
}


@pytest.mark.parametrize("code", list(FILES))
def test_a_broken_file_is_refused_with_its_reason(code: str) -> None:
    ready = prepare(FILES[code])
    assert code in {fault.code for fault in ready.faults}
    assert not ready.sound
    assert ready.check().faults[0].said.zh


def test_an_external_entity_is_never_fetched(tmp_path: object) -> None:
    xml = f'<!DOCTYPE d SYSTEM "file:///etc/passwd">{file(ONE.format("a"))}'
    assert {fault.code for fault in prepare(xml).faults} == {"entities"}


def test_titles_come_from_our_attributes_or_from_the_label() -> None:
    xml = file(ONE.format("a").replace('name="a"', 'name="a" cl:title_zh="等级" cl:title_en="level"'))
    assert prepare(xml).decision.title.model_dump() == {"zh": "等级", "en": "level"}
    labelled = prepare(file(ONE.format("a").replace('name="a"', 'name="a" label="等级 | level"')))
    assert labelled.decision.title.model_dump() == {"zh": "等级", "en": "level"}

"""A diagram that cannot run, or that should not, is refused at the element, in both languages."""

from __future__ import annotations

import time

import pytest

from cityloop.core.errors import TooLarge
from cityloop.linkage.drawing import LARGEST, read
from cityloop.linkage.lint import lint
from cityloop.linkage.lint_known import PlanNames
from cityloop.linkage.lint_phrases import MILD, PHRASES
from tests.linkage.drawings import DRILL, HEAD, NAMES, TIMER, codes, drawn, hints

PLAIN = "s1>u1 u1>e1"


def extension(body: str) -> str:
    return f"<bpmn:extensionElements>{body}</bpmn:extensionElements>"


def service(body: str) -> set[tuple[str, str]]:
    return codes(drawn("s1>v1 v1>e1", {"v1": extension(body)}))


def task(body: str) -> set[tuple[str, str]]:
    return codes(drawn(PLAIN, {"u1": extension(body)}))


def timer(text: str, kind: str = "timeDuration") -> set[tuple[str, str]]:
    body = f'<bpmn:timerEventDefinition id="d"><bpmn:{kind}>{text}</bpmn:{kind}></bpmn:timerEventDefinition>'
    return codes(drawn("s1>c1 c1>e1", {"c1": body}))


def test_a_sound_plan_has_no_faults() -> None:
    assert lint(DRILL, NAMES) == []
    assert lint(drawn(PLAIN), NAMES) == []


def test_what_is_no_diagram_says_so() -> None:
    assert codes("not xml") == {("", "not-xml")}
    assert codes(b"\xff\xfe\x00") == {("", "not-utf8")}
    assert codes("<a/>") == {("", "not-bpmn")}
    assert codes(f"{HEAD}</bpmn:definitions>") == {("", "one-process")}


@pytest.mark.parametrize(
    "head",
    [
        '<!DOCTYPE x [<!ENTITY a "b">]>',
        '<!DOCTYPE x SYSTEM "file:///etc/passwd">',
        '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>',
    ],
)
def test_document_types_and_entities_are_refused(head: str) -> None:
    assert codes(head + drawn(PLAIN)) == {("", "document-type")}


def test_a_file_of_fifty_megabytes_is_refused_before_it_is_read() -> None:
    begun = time.process_time()
    with pytest.raises(TooLarge):
        read(b"<" * 50_000_000)
    assert time.process_time() - begun < 0.5
    with pytest.raises(TooLarge):
        read("水" * (LARGEST // 3 + 1))


def test_a_hostile_depth_or_number_of_elements_ends_with_an_answer() -> None:
    assert codes(drawn(" ".join(f"u{n}>u{n + 1}" for n in range(401)))) == {("", "too-many-nodes")}
    deep = "<bpmn:extensionElements>" + "<cl:task>" * 5000 + "</cl:task>" * 5000 + "</bpmn:extensionElements>"
    assert ("", "too-deep") in codes(drawn(PLAIN, {"u1": deep}))


def test_scripts_and_foreign_extensions_have_no_place() -> None:
    script = '<bpmn:scriptTask id="z" name="z"><bpmn:script>import os</bpmn:script></bpmn:scriptTask>'
    assert ("z", "script") in codes(drawn(PLAIN, more=script))
    assert ("u1", "unknown-extension") in codes(drawn(PLAIN, {"u1": extension("<camunda:script>1</camunda:script>")}))
    assert ("u1", "unknown-extension") in codes(drawn(PLAIN).replace('id="u1"', 'id="u1" camunda:expression="${1}"'))
    assert ("u1", "unknown-extension") in task("<cl:python/>")
    assert ("u1", "unknown-attribute") in task('<cl:task run="x"/>')


@pytest.mark.parametrize(
    "text",
    [
        "().__class__.__bases__[0].__subclasses__()",
        "__import__('os').system('id')",
        "[c for c in ().__class__.__mro__]",
        "lambda x: x",
        "f'{open}'",
        "(" * 60 + "1" + ")" * 60,
        "1+" * 1500 + "1",
        "exec(1)",
    ],
)
def test_hostile_expressions_do_not_compile(text: str) -> None:
    shown = text.replace("<", "&lt;").replace("'", "&apos;")
    assert ("f1", "bad-feel") in codes(drawn("s1>x1 x1>u1?{} x1>>e1 u1>e1").replace("{}", shown))
    assert ("v1", "bad-feel") in service(
        f'<cl:service name="notify"/><cl:input name="title" value="={shown}"/><cl:input name="text" value="b"/>'
    )


def test_every_choice_has_conditions_and_a_default() -> None:
    assert codes(drawn("s1>x1 x1>u1 x1>e1 u1>e1")) >= {("x1", "no-default"), ("f1", "no-condition")}
    assert codes(drawn("s1>x1 x1>u1?a=1 x1>>e1 u1>e1")) == set()
    assert ("x1", "default-not-out") in codes(drawn("s1>x1 x1>u1?a=1 x1>>e1 u1>e1").replace('f2"', 'f9"', 1))


def test_what_nobody_comes_to_and_what_leads_nowhere_is_named() -> None:
    assert ("u9", "unreachable") in codes(drawn(f"{PLAIN} u9>e1"))
    assert ("u2", "no-way-out") in codes(drawn("s1>x1 x1>u1?a=1 x1>>u2 u2>u3 u3>u2 u1>e1"))
    assert ("f1", "loose-flow") in codes(drawn(PLAIN).replace('targetRef="e1"', 'targetRef="gone"'))


def test_a_loop_without_a_timer_or_a_person_would_spin() -> None:
    loop = "s1>v1 v1>x1 x1>v1?a=1 x1>>e1"
    assert codes(drawn(loop)) == {("v1", "rush")}
    assert codes(drawn("s1>v1 v1>x1 x1>c1?a=1 c1>v1 x1>>e1")) == set()
    assert codes(drawn("s1>u1 u1>x1 x1>u1?a=1 x1>>e1")) == set()


@pytest.mark.parametrize(
    ("flows", "where"),
    [
        ("s1>x1 x1>u1?a=1 x1>>u2 u1>p1 u2>p1 p1>e1", "p1"),
        ("s1>p1 p1>u1 p1>x1 x1>p2?a=1 x1>>e2 u1>p2 p2>e1", "p2"),
        ("s1>o1 o1>u1?a=1 o1>>u2 u1>p1 u2>p1 p1>e1", "p1"),
    ],
)
def test_a_join_that_waits_for_ever_is_a_deadlock(flows: str, where: str) -> None:
    assert (where, "deadlock") in codes(drawn(flows))


@pytest.mark.parametrize(
    "flows",
    [
        "s1>p1 p1>u1 p1>u2 u1>p2 u2>p2 p2>e1",
        "s1>o1 o1>u1?a=1 o1>>u2 u1>o2 u2>o2 o2>e1",
        "s1>p1 p1>u1 p1>u2 p1>u3 u1>p2 u2>p2 p2>p3 u3>p3 p3>e1",
        "s1>p1 p1>u1 p1>u2 u1>e1 u2>e1",
        "s1>u1 u1>x1 x1>u1?a=1 x1>>e1",
    ],
)
def test_what_joins_well_is_no_deadlock(flows: str) -> None:
    assert codes(drawn(flows)) == set()


def test_branches_that_meet_without_a_join_are_pointed_out() -> None:
    assert ("x1", "doubled") in hints(drawn("s1>p1 p1>u1 p1>u2 u1>x1 u2>x1 x1>u3 u3>e1"))


def test_many_parallel_branches_and_choices_are_walked_quickly() -> None:
    branches = " ".join(f"p1>x{n} x{n}>u{n}?a=1 x{n}>>v{n} u{n}>o{n} v{n}>o{n} o{n}>p9" for n in range(2, 8))
    begun = time.process_time()
    assert codes(drawn(f"s1>p1 {branches} p9>e1")) == set()
    assert time.process_time() - begun < 3


def test_every_task_has_somebody_who_does_it() -> None:
    assert ("u1", "no-lane") in codes(drawn(PLAIN, lane=False))
    assert ("l1", "unknown-department") in codes(drawn(PLAIN).replace('id="water"', 'id="waters"'))
    assert ("l1", "lane-of-nobody") in codes(drawn(PLAIN).replace('<cl:department id="water"/>', ""))
    assert ("l1", "unknown-post") in codes(drawn(PLAIN).replace('cl:department id="water"', 'cl:post id="king"'))


def test_a_task_says_until_when_and_what_it_asks_in_words_that_are_known() -> None:
    assert task('<cl:task limit="2小时" approval="2" four_eyes="true" escalate="police"/>') == set()
    assert ("u1", "limit-unclear") in task('<cl:task limit="尽快"/>')
    assert ("u1", "bad-value") in task('<cl:task approval="9"/>')
    assert ("u1", "unknown-post") in task('<cl:task escalate="king"/>')
    field = '<cl:field id="{}" type="{}" title_zh="甲" title_en="a"/>'
    assert ("u1", "field-kind") in task(field.format("a", "blob"))
    assert ("u1", "field-choices") in task(field.format("a", "choice"))
    assert ("u1", "bad-name") in task(field.format("a b", "text"))
    assert ("u1", "field-twice") in task(field.format("a", "text") * 2)
    assert ("u1", "field-title") in task('<cl:field id="a" type="text"/>')


def test_a_service_is_in_the_catalogue_and_given_what_it_needs() -> None:
    assert ("v1", "no-service") in codes(drawn("s1>v1 v1>e1", {"v1": "<bpmn:documentation>x</bpmn:documentation>"}))
    assert ("v1", "unknown-service") in service('<cl:service name="shell"/>')
    assert ("v1", "no-input") in service('<cl:service name="notify"/><cl:input name="title" value="a"/>')
    both = '<cl:service name="notify"/><cl:input name="title" value="a"/><cl:input name="text" value="b"/>'
    assert service(both) == set()
    assert ("v1", "unknown-input") in service(both + '<cl:input name="colour" value="red"/>')
    assert ("v1", "input-twice") in service(both + '<cl:input name="title" value="c"/>')
    assert ("v1", "unknown-department") in service(both + '<cl:input name="department" value="moon"/>')
    cap = '<cl:service name="cap"/><cl:input name="headline" value="a"/><cl:input name="text" value="b"/>'
    assert ("v1", "bad-value") in service(cap + '<cl:input name="level" value="purple"/>')


def test_results_of_two_steps_have_two_names() -> None:
    result = '<cl:service name="notify"/><cl:input name="title" value="a"/><cl:input name="text" value="b"/>' + (
        '<cl:result name="r"/>'
    )
    assert ("v2", "result-twice") in codes(
        drawn("s1>v1 v1>v2 v2>e1", {"v1": extension(result), "v2": extension(result)})
    )


def test_timers_are_bounded_and_readable() -> None:
    assert timer("PT30M") == timer("2小时") == timer("=duration(&quot;PT1H&quot;)") == set()
    assert timer("2026-12-01T08:00:00+08:00", "timeDate") == set()
    assert ("c1", "timer-too-long") in timer("P2Y")
    assert ("c1", "timer-too-long") in timer("P999999999999Y")
    assert ("c1", "timer-too-short") in timer("PT0S")
    assert ("c1", "timer-unreadable") in timer("PT")
    assert ("c1", "timer-unreadable") in timer("soon")
    assert ("c1", "timer-cycle") in timer("R/PT1M", "timeCycle")
    assert ("c1", "timer-empty") in timer("")


def test_events_that_are_not_executed_are_refused() -> None:
    signal = '<bpmn:signalEventDefinition id="d" signalRef="x"/>'
    assert ("c1", "not-run-event") in codes(drawn("s1>c1 c1>e1", {"c1": signal}))
    assert ("e1", "not-run-event") in codes(drawn(PLAIN, {"e1": '<bpmn:errorEventDefinition id="d"/>'}))
    call = '<bpmn:callActivity id="k" name="k" calledElement="x"/>'
    assert ("k", "not-run") in codes(drawn(PLAIN, more=call))


def test_triggers_name_what_there_is() -> None:
    def trigger(words: str, names: PlanNames = NAMES) -> set[tuple[str, str]]:
        return codes(drawn(PLAIN, more=extension(f"<cl:trigger {words}/>")))

    assert trigger('kind="warning" level="orange, red" area="440304" once="entity"') == set()
    assert ("small", "no-trigger-kind") in trigger('kind="magic"')
    assert ("small", "bad-value") in trigger('kind="warning" level="purple"')
    assert ("small", "unknown-thing") in trigger('kind="warning" area="1"')
    assert ("small", "bad-feel") in trigger('kind="warning" when="=warning.level ="')


def test_an_id_is_borne_once() -> None:
    assert ("u1", "id-twice") in codes(drawn(PLAIN).replace('id="e1"', 'id="u1"', 1))
    assert ("", "another-plan") not in codes(drawn(PLAIN))
    assert ("Small Plan", "bad-plan-id") in codes(drawn(PLAIN).replace('id="small"', 'id="Small Plan"'))


def test_every_sentence_stands_in_both_languages_with_its_remedy() -> None:
    for code, (what, mend) in PHRASES.table.items():
        zh, en, zh_mend, en_mend = PHRASES.parts(code)
        assert zh == en and zh_mend == en_mend, code
        assert what.zh != what.en and (mend.zh != mend.en or code == "bad-feel"), code
    assert set(PHRASES.table) >= MILD


def test_a_boundary_timer_can_be_used_in_a_loop() -> None:
    border = 'id="b1" name="late" attachedToRef="u1" cancelActivity="false"'
    late = f"<bpmn:boundaryEvent {border}>{TIMER.format('b1')}</bpmn:boundaryEvent>"
    more = late + '<bpmn:sequenceFlow id="fb" sourceRef="b1" targetRef="v1"/>'
    assert codes(drawn("s1>u1 u1>e1 v1>e2", more=more)) == set()

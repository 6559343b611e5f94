"""Boxed expressions of a DMN file, of which the decision table is one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from xml.etree.ElementTree import Element

from cityloop.core.errors import Fault
from cityloop.core.values import Title
from cityloop.decide import model
from cityloop.decide.model import Logic, Text, Variable
from cityloop.decide.phrases import PHRASES
from cityloop.decide.types import plain_type

NAMESPACE = "https://cityloop.org/ns/decision"
"""Of our attributes ``title_zh`` and ``title_en``: the titles of an element in both languages."""
_POLICIES = {
    policy[0]: policy for policy in ("UNIQUE", "FIRST", "PRIORITY", "ANY", "COLLECT", "RULE ORDER", "OUTPUT ORDER")
}
_AGGREGATIONS = ("", "SUM", "MIN", "MAX", "COUNT")
_MOST_RULES = 2_000
_BAR = " | "


def local(element: Element) -> str:
    """The name of an element without its namespace."""
    return str(element.tag).rpartition("}")[2]


def children(element: Element, *names: str) -> Iterator[Element]:
    """The elements of these names directly below."""
    return (below for below in element if local(below) in names)


def child(element: Element, *names: str) -> Element | None:
    """The first of them."""
    return next(children(element, *names), None)


def name_of(element: Element) -> str:
    """Its name with single blanks."""
    return " ".join(element.get("name", "").split())


def title_of(element: Element, otherwise: str = "") -> Title:
    """Its titles: our attributes, else ``label``, else ``name``; ``Chinese | English`` in one text gives both."""
    plain = element.get("label") or name_of(element) or otherwise
    zh, bar, en = plain.partition(_BAR)
    return Title(
        zh=element.get(f"{{{NAMESPACE}}}title_zh") or zh,
        en=element.get(f"{{{NAMESPACE}}}title_en") or (en if bar else zh),
    )


def variable_of(element: Element) -> Variable:
    """The variable of a decision or an input; its name is that of the element where it gives none."""
    found = child(element, "variable")
    if found is None:
        return Variable(name_of(element))
    return Variable(name_of(found) or name_of(element), plain_type(found.get("typeRef", "")))


def text_in(element: Element | None, where: str) -> Text:
    """The text of a cell or expression."""
    found = child(element, "text") if element is not None else None
    return Text((found.text or "").strip() if found is not None else "", where)


class Boxed:
    """Reads the logic of one file; faults are gathered in ``faults``."""

    def __init__(self, where: str, faults: list[Fault]) -> None:
        self.where, self.faults = where, faults
        self._readers: dict[str, Callable[[Element, str], Logic]] = {
            "literalExpression": self._literal,
            "decisionTable": self._table,
            "context": self._context,
            "list": self._list,
            "relation": self._relation,
            "functionDefinition": self.function,
            "invocation": self._invocation,
            "conditional": self._choice,
            "filter": self._sieve,
            "for": self._iteration,
            "some": self._iteration,
            "every": self._iteration,
        }

    def fault(self, where: str, code: str, **parts: object) -> None:
        """Note a fault."""
        self.faults.append(PHRASES.fault(where, code, **parts))

    def inside(self, element: Element | None, where: str) -> Logic | None:
        """The logic directly below an element."""
        for below in element if element is not None else ():
            read = self._readers.get(local(below))
            if read is not None:
                return read(below, where)
        return None

    def _needed(self, element: Element | None, where: str) -> Logic:
        found = self.inside(element, where)
        if found is None:
            self.fault(where, "no-logic")
        return found or model.Expression(Text("null", where))

    def _part(self, element: Element, name: str, where: str) -> Logic:
        return self._needed(child(element, name), f"{where} {name}")

    def _literal(self, element: Element, where: str) -> Logic:
        language = element.get("expressionLanguage", "FEEL")
        if "feel" not in language.lower():
            self.fault(where, "language", language=language)
        return model.Expression(text_in(element, where))

    def _context(self, element: Element, where: str) -> Logic:
        entries = []
        for entry in children(element, "contextEntry"):
            named = child(entry, "variable")
            variable = Variable(name_of(named), plain_type(named.get("typeRef", ""))) if named is not None else None
            place = f"{where} '{variable.name if variable else ''}'"
            entries.append(model.Entry(variable, self._needed(entry, place)))
        return model.Entries(tuple(entries))

    def _list(self, element: Element, where: str) -> Logic:
        return model.Items(tuple(self._of(below, where) for below in element if local(below) in self._readers))

    def _of(self, element: Element, where: str) -> Logic:
        return self._readers[local(element)](element, where)

    def _relation(self, element: Element, where: str) -> Logic:
        names = tuple(name_of(column) for column in children(element, "column"))
        rows = tuple(
            tuple(self._of(cell, where) for cell in row if local(cell) in self._readers)
            for row in children(element, "row")
        )
        for number, row in enumerate(rows, 1):
            if len(row) != len(names):
                self.fault(f"{where} row {number}", "cells", found=len(row), wanted=len(names))
        return model.Relation(names, rows)

    def function(self, element: Element, where: str) -> Logic:
        """A function with its parameters; only those of FEEL are taken."""
        if element.get("kind", "FEEL") != "FEEL":
            self.fault(where, "language", language=element.get("kind"))
            return model.Expression(Text("null", where))
        parameters = tuple(
            Variable(name_of(part), plain_type(part.get("typeRef", "")))
            for part in children(element, "formalParameter")
        )
        return model.Lambda(parameters, self._needed(element, where))

    def _invocation(self, element: Element, where: str) -> Logic:
        bindings = []
        for binding in children(element, "binding"):
            parameter = child(binding, "parameter")
            name = name_of(parameter) if parameter is not None else ""
            bindings.append((name, self._needed(binding, f"{where} '{name}'")))
        return model.Invocation(self._needed(element, where), tuple(bindings))

    def _choice(self, element: Element, where: str) -> Logic:
        condition, then, other = (self._part(element, name, where) for name in ("if", "then", "else"))
        return model.Choice(condition, then, other)

    def _sieve(self, element: Element, where: str) -> Logic:
        return model.Sieve(self._part(element, "in", where), self._part(element, "match", where))

    def _iteration(self, element: Element, where: str) -> Logic:
        form = local(element)
        body = self._part(element, "return" if form == "for" else "satisfies", where)
        return model.Iteration(form, element.get("iteratorVariable", ""), self._part(element, "in", where), body)

    def _table(self, element: Element, where: str) -> Logic:
        policy = element.get("hitPolicy", "UNIQUE")
        policy = _POLICIES.get(policy, policy)
        if policy not in _POLICIES.values():
            self.fault(where, "policy", policy=policy)
        columns = tuple(self._column(part, where) for part in children(element, "input"))
        outputs = tuple(self._output(part, where) for part in children(element, "output"))
        rules = tuple(self._rule(part, number, where) for number, part in enumerate(children(element, "rule"), 1))
        self._check_shape(element, outputs, len(rules), where)
        for number, rule in enumerate(rules, 1):
            place = f"{where} rule {number}"
            for found, wanted in ((rule.tests, columns), (rule.outputs, outputs)):
                if len(found) != len(wanted):
                    self.fault(place, "cells", found=len(found), wanted=len(wanted))
        shape = {"policy": policy, "aggregation": element.get("aggregation", "")}
        return model.Table(id=element.get("id") or where, columns=columns, outputs=outputs, rules=rules, **shape)  # type: ignore[arg-type]

    def _check_shape(self, element: Element, outputs: tuple[model.Output, ...], rules: int, where: str) -> None:
        aggregation = element.get("aggregation", "")
        if aggregation not in _AGGREGATIONS or (aggregation and len(outputs) != 1):
            self.fault(where, "aggregation", name=aggregation)
        if not outputs:
            self.fault(where, "no-columns")
        names = [output.name for output in outputs]
        if len(outputs) > 1 and ("" in names or len(set(names)) < len(names)):
            self.fault(where, "output-names")
        if rules > _MOST_RULES:
            self.fault(where, "many", size=rules, what="rules", most=_MOST_RULES)
        policy = element.get("hitPolicy", "")
        if policy in {"PRIORITY", "OUTPUT ORDER"} and outputs and all(output.allowed is None for output in outputs):
            self.fault(where, "no-priorities", policy=policy)

    def _column(self, element: Element, where: str) -> model.Column:
        expression = child(element, "inputExpression")
        text = text_in(expression, "")
        title = title_of(element, text.text)
        place = f"{where} input '{title.en}'"
        return model.Column(
            id=element.get("id", ""),
            title=title,
            expression=Text(text.text, place),
            type=plain_type(expression.get("typeRef", "")) if expression is not None else "",
            allowed=self._values(element, "inputValues", place),
        )

    def _output(self, element: Element, where: str) -> model.Output:
        default = child(element, "defaultOutputEntry")
        place = f"{where} output '{title_of(element).en}'"
        return model.Output(
            id=element.get("id", ""),
            name=name_of(element),
            title=title_of(element),
            type=plain_type(element.get("typeRef", "")),
            allowed=self._values(element, "outputValues", place),
            default=text_in(default, f"{place} default") if default is not None else None,
        )

    def _values(self, element: Element, name: str, where: str) -> Text | None:
        found = child(element, name)
        text = text_in(found, where) if found is not None else None
        return text if text and text.text else None

    def _rule(self, element: Element, number: int, where: str) -> model.Rule:
        place = f"{where} rule {number}"
        tests = [
            text_in(cell, f"{place} input {column}") for column, cell in enumerate(children(element, "inputEntry"), 1)
        ]
        outputs = [
            text_in(cell, f"{place} output {column}") for column, cell in enumerate(children(element, "outputEntry"), 1)
        ]
        return model.Rule(
            id=element.get("id") or str(number),
            tests=tuple(Text(test.text or "-", test.where) for test in tests),
            outputs=tuple(Text(output.text or "null", output.where) for output in outputs),
            reason=_reason(element),
        )


def _reason(element: Element) -> Title | None:
    """Why a rule is there: its annotation or description, ``Chinese | English``."""
    for below in children(element, "annotationEntry", "description"):
        text = (below.text or "").strip() if local(below) == "description" else text_in(below, "").text
        if text:
            zh, bar, en = text.partition(_BAR)
            return Title(zh=zh.strip(), en=en.strip() if bar else zh.strip())
    return None

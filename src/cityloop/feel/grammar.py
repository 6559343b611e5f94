"""The grammar: precedence climbing (Pratt) from a text to a tree, without backtracking."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from decimal import Decimal, DecimalException

from cityloop.feel import tree
from cityloop.feel.kinds import ANY
from cityloop.feel.phrases import fault
from cityloop.feel.reader import Reader
from cityloop.feel.scan import plain, scan
from cityloop.feel.temporal import read_moment
from cityloop.feel.tree import Node
from cityloop.feel.values import NUMBERS

OR, AND, COMPARISON, SUM, PRODUCT, POWER, UNARY, POSTFIX = range(1, 9)
_INFIX = {
    "or": OR, "and": AND,
    "=": COMPARISON, "!=": COMPARISON, "<": COMPARISON, "<=": COMPARISON, ">": COMPARISON, ">=": COMPARISON,
    "between": COMPARISON, "in": COMPARISON,
    "+": SUM, "-": SUM, "*": PRODUCT, "/": PRODUCT, "**": POWER,
    "instance": POSTFIX, ".": POSTFIX, "[": POSTFIX, "(": POSTFIX,
}  # fmt: skip
_COMPARISONS = ("=", "!=", "<", "<=", ">", ">=")
_NAMED_ARGUMENT = re.compile(r"[^\W\d][\w '-]*:")
_KEY = re.compile(r"[^\s\d:{}\[\]\",][^:{}\[\]\",]*(?=:)")
_MEMBERS = ("time offset", "start included", "end included")


class Grammar:
    """Reads one text. ``names`` are known names, ``functions`` the functions that may be called."""

    def __init__(self, text: str, names: Iterable[str], functions: Iterable[str]) -> None:
        self.functions = frozenset(functions)
        spaced = [name for name in self.functions if " " in name]
        self.reader = Reader(text, [*names, *_MEMBERS], spaced)
        self.beginnings = self._beginnings()

    def whole(self) -> Node:
        """The whole text as one expression."""
        node = self.expression()
        self.end()
        return node

    def end(self) -> None:
        """Nothing may follow."""
        if self.reader.token.kind != "end":
            raise self.reader.unexpected()

    def expression(self, power: int = 0, *, end_of_range: bool = False) -> Node:
        """An expression whose operators bind more tightly than ``power``."""
        reader = self.reader
        with reader.deeper():
            node = self._prefix()
            while True:
                token = reader.token
                binds = _INFIX.get(token.text, 0) if token.kind in {"sign", "word"} else 0
                if binds <= power or (end_of_range and token.text == "[" and self._closes_range()):
                    return node
                reader.operate()
                node = self._infix(node, token.text, binds)

    # what begins an expression

    def _prefix(self) -> Node:
        token = self.reader.token
        if token.kind in {"sign", "word"}:
            begin = self.beginnings.get(token.text)
            if begin is None:
                raise self.reader.unexpected()
            return begin()
        return self._atom()

    def _beginnings(self) -> dict[str, Callable[[], Node]]:
        return {
            "-": self._negate, "(": self._bracket, "[": self._list, "]": self._open_range, "{": self._context,
            "if": self._if, "for": self._for, "some": self._quantified, "every": self._quantified,
            "function": self._function, "true": self._constant, "false": self._constant, "null": self._constant,
            **dict.fromkeys(_COMPARISONS, self.test),
        }  # fmt: skip

    def _atom(self) -> Node:
        token = self.reader.token
        if token.kind == "end":
            raise fault("empty", 0) if not self.reader.text.strip() else self.reader.unexpected()
        self.reader.next()
        if token.kind == "name":
            return tree.Name(token.text)
        if token.kind == "text":
            return tree.Literal(token.text)
        try:
            value = NUMBERS.create_decimal(token.text) if token.kind == "number" else read_moment(token.text)
        except DecimalException as error:
            raise fault("number", token.start, text=token.text) from error
        except ValueError as error:
            raise fault("moment", token.start, text=token.text) from error
        return tree.Literal(value)

    def _constant(self) -> Node:
        return tree.Literal({"true": True, "false": False, "null": None}[self.reader.next().text])

    def _negate(self) -> Node:
        self.reader.next()
        inner = self.expression(UNARY)
        if isinstance(inner, tree.Literal) and isinstance(inner.value, Decimal):
            return tree.Literal(NUMBERS.minus(inner.value))
        return tree.Negate(inner)

    def test(self) -> Node:
        """``< 5``: a comparison of the value under test."""
        sign = self.reader.next().text
        return tree.Test(sign, self.expression(COMPARISON))

    def _bracket(self) -> Node:
        self.reader.next()
        inner = self.expression()
        if self.reader.take(".."):
            return self._range(inner, low_closed=False)
        self.reader.expect(")")
        return inner

    def _open_range(self) -> Node:
        self.reader.next()
        low = self.expression(SUM - 1)
        self.reader.expect("..")
        return self._range(low, low_closed=False)

    def _list(self) -> Node:
        self.reader.next()
        items = []
        while not self.reader.at("]"):
            items.append(self.expression())
            if len(items) == 1 and self.reader.take(".."):
                return self._range(items[0], low_closed=True)
            if not self.reader.take(","):
                break
        self.reader.expect("]")
        return tree.ListOf(tuple(items))

    def _range(self, low: Node, *, low_closed: bool) -> Node:
        high = self.expression(SUM - 1, end_of_range=True)
        close = self.reader.expect("]", ")", "[")
        return tree.RangeOf(low, high, low_closed, close.text == "]")

    def _closes_range(self) -> bool:
        """Whether the ``[`` ahead ends a range: what follows it cannot begin a filter."""
        after = scan(self.reader.text, self.reader.token.end, self.reader.names)
        if after.kind == "word":
            return after.text in {"and", "or", "then", "else", "return", "satisfies", "in", "between", "instance"}
        return after.kind == "end" or (after.kind == "sign" and after.text in {")", "]", ",", "}", ".", "=", "!="})

    def _context(self) -> Node:
        self.reader.next()
        keys: list[str] = []
        values: list[Node] = []
        while not self.reader.at("}"):
            key = self._key()
            if key in keys:
                raise self.reader.unexpected()
            self.reader.expect(":")
            values.append(self.expression())
            keys.append(key)
            self.reader.know(key)
            if not self.reader.take(","):
                break
        self.reader.expect("}")
        return tree.ContextOf(tuple(keys), tuple(values))

    def _key(self) -> str:
        if self.reader.token.kind == "text":
            return self.reader.next().text
        found = self.reader.matched(_KEY)
        if found is None:
            raise self.reader.unexpected()
        return plain(found)

    def _if(self) -> Node:
        self.reader.next()
        condition = self.expression()
        self.reader.expect("then")
        then = self.expression()
        self.reader.expect("else")
        return tree.If(condition, then, self.expression())

    def _for(self) -> Node:
        self.reader.next()
        loops = self._loops()
        self.reader.expect("return")
        return tree.For(loops, self.expression())

    def _quantified(self) -> Node:
        every = self.reader.next().text == "every"
        loops = self._loops()
        self.reader.expect("satisfies")
        return tree.Quantified(every, loops, self.expression())

    def _loops(self) -> tuple[tree.Loop, ...]:
        loops = []
        while True:
            name = self.reader.word_before("in")
            self.reader.expect("in")
            over = self.expression()
            until = self.expression() if self.reader.take("..") else None
            loops.append(tree.Loop(name, over, until))
            self.reader.know(name)
            if not self.reader.take(","):
                return tuple(loops)

    def _function(self) -> Node:
        self.reader.next()
        self.reader.expect("(")
        names, kinds = [], []
        while not self.reader.at(")"):
            names.append(self.reader.word_before(":", ",", ")"))
            kinds.append(self.reader.kind() if self.reader.take(":") else ANY)
            if not self.reader.take(","):
                break
        self.reader.expect(")")
        for name in names:
            self.reader.know(name)
        if self.reader.at("external"):
            raise fault("unsupported", self.reader.token.start, found="external")
        return tree.FunctionOf(tuple(names), tuple(kinds), self.expression())

    # what goes on with one

    def _infix(self, left: Node, sign: str, binds: int) -> Node:
        special = {
            "between": self._between, "in": self._in, "instance": self._instance,
            ".": self._path, "[": self._filter, "(": self._call,
        }.get(sign)  # fmt: skip
        if special is not None:
            return special(left)
        self.reader.next()
        right = self.expression(binds)
        if sign in _COMPARISONS:
            return tree.Comparison(sign, left, right)
        if sign == "and":
            return tree.Both(left, right)
        return tree.Either(left, right) if sign == "or" else tree.Arithmetic(sign, left, right)

    def _between(self, value: Node) -> Node:
        self.reader.next()
        low = self.expression(COMPARISON)
        self.reader.expect("and")
        return tree.Between(value, low, self.expression(COMPARISON))

    def _in(self, value: Node) -> Node:
        self.reader.next()
        if not self.reader.at("("):
            return tree.In(value, (self.expression(COMPARISON),))
        return tree.In(value, self._tests_in_brackets())

    def _tests_in_brackets(self) -> tuple[Node, ...]:
        """``(a, < b, [c..d])``; a single range may begin with the bracket itself."""
        self.reader.next()
        found = [self.expression()]
        if self.reader.take(".."):
            return (self._range(found[0], low_closed=False),)
        while self.reader.take(","):
            found.append(self.expression())
        self.reader.expect(")")
        return tuple(found)

    def _instance(self, value: Node) -> Node:
        self.reader.next()
        if self.reader.token.text != "of":
            raise self.reader.unexpected()
        self.reader.next()
        return tree.InstanceOf(value, self.reader.kind())

    def _path(self, of: Node) -> Node:
        self.reader.next()
        token = self.reader.token
        if token.kind not in {"name", "word"}:
            raise self.reader.unexpected()
        self.reader.next()
        return tree.Path(of, token.text)

    def _filter(self, of: Node) -> Node:
        self.reader.next()
        condition = self.expression()
        self.reader.expect("]")
        return tree.Filter(of, condition)

    def _call(self, function: Node) -> Node:
        if isinstance(function, tree.Name) and function.text not in self.functions | self.reader.names.all:
            raise fault("function", self.reader.token.start, name=function.text)
        self.reader.next()
        named: list[str] = []
        arguments: list[Node] = []
        while not self.reader.at(")"):
            name = self.reader.matched(_NAMED_ARGUMENT)
            if name:
                named.append(plain(name[:-1]))
            arguments.append(self.expression())
            if not self.reader.take(","):
                break
        close = self.reader.expect(")")
        if named and len(named) != len(arguments):
            raise fault("parameters", close.start, name=_called(function), takes="all named, or none")
        return tree.Call(function, tuple(arguments), tuple(named))


def _called(function: Node) -> str:
    return function.text if isinstance(function, tree.Name) else "(…)"


def read_expression(text: str, names: Iterable[str], functions: Iterable[str]) -> Node:
    """The tree of an expression; raises :class:`FeelFault`."""
    return Grammar(text, names, functions).whole()


def read_tests(text: str, names: Iterable[str], functions: Iterable[str]) -> tuple[tuple[Node, ...], bool]:
    """The tests of a cell and whether ``not(…)`` stands about them; ``-`` is none at all. Raises :class:`FeelFault`."""
    if text.strip() == "-":
        return (), False
    grammar = Grammar(text, [*names, "?"], functions)
    denied = bool(re.match(r"\s*not\s*\(", text))
    if denied:
        grammar.reader.next()
    found = _listed(grammar, opened=denied)
    if denied and grammar.reader.token.kind != "end":
        denied, grammar = False, Grammar(text, [*names, "?"], functions)
        found = _listed(grammar, opened=False)
    grammar.end()
    return found, denied


def _listed(grammar: Grammar, *, opened: bool) -> tuple[Node, ...]:
    reader = grammar.reader
    if opened:
        reader.expect("(")
    found = [grammar.expression()]
    while reader.take(","):
        found.append(grammar.expression())
    if opened:
        reader.expect(")")
    return tuple(found)

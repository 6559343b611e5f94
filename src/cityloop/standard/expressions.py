"""Conditions and derived values: a small, safe part of FEEL, parsed to a tree and compiled to columns.

Numbers, texts in double quotes, ``true``, ``false``, ``null``; names of fields, in backquotes where they hold other
signs than letters, digits and ``_``; ``+ - * / **``, comparison, ``between … and …``, ``in (…)``, ``and``, ``or``,
``not(…)``, ``if … then … else …`` and the functions of :data:`FUNCTIONS`. Nothing is ever evaluated as Python.
A missing value makes a result missing; a division by zero has no result.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Literal

import polars as pl

Type = Literal["number", "text", "flag", "any", "null"]
"""``any``: a field of a source, text that may spell a number."""


class ExpressionError(ValueError):
    """The text is no expression, or its parts do not fit each other; says where and what would."""


@dataclass(frozen=True)
class Constant:
    """A constant."""

    value: float | str | bool | None


@dataclass(frozen=True)
class Name:
    """A field or property."""

    name: str


@dataclass(frozen=True)
class Call:
    """An operator or function with its arguments."""

    function: str
    arguments: tuple[Node, ...]


Node = Constant | Name | Call


@dataclass(frozen=True)
class Expression:
    """A parsed expression; ``names`` are the fields it needs."""

    text: str
    tree: Node

    @cached_property
    def names(self) -> frozenset[str]:
        """Fields that the expression reads."""
        return frozenset(_names(self.tree))

    def type_of(self, types: Mapping[str, Type]) -> Type:
        """The kind of its result; raises :class:`ExpressionError` for unknown names and misfits."""
        return _typed(self.tree, types)[0]

    def compiled(
        self, types: Mapping[str, Type], column: Callable[[str], pl.Expr] = pl.col, wanted: Type = "any"
    ) -> pl.Expr:
        """The expression over columns; with ``wanted`` its result in that kind."""
        kind, built = _typed(self.tree, types, column)
        if wanted != "any" and not _fits(kind, wanted):
            raise ExpressionError(f"'{self.text}' gives a {kind}, not a {wanted}")
        built = _as(kind, built, wanted) if wanted != "any" else built
        return pl.when(built.is_finite()).then(built) if wanted == "number" else built


@lru_cache(maxsize=2000)
def parse(text: str) -> Expression:
    """Parse one expression; raises :class:`ExpressionError` with the position."""
    return Expression(text, _Parser(text).whole())


_TOKEN = re.compile(
    r"""\s*(?:
    (?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?|\.\d+)
    |"(?P<text>(?:[^"\\]|\\.)*)"
    |`(?P<quoted>[^`]+)`
    |(?P<word>[^\W\d]\w*)
    |(?P<sign>\*\*|<=|>=|!=|[-+*/=<>(),])
    )""",
    re.VERBOSE,
)
_WORDS = {"if", "then", "else", "and", "or", "between", "in", "true", "false", "null"}
_PHRASES = {("string", "length"), ("starts", "with"), ("ends", "with"), ("upper", "case"), ("lower", "case")}


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    at: int


class _Parser:
    def __init__(self, text: str) -> None:
        self._text = text
        self._tokens = list(self._cut())
        self._next = 0

    def whole(self) -> Node:
        node = self._expression()
        if self._peek().kind != "end":
            raise self._wrong("an operator or the end")
        return node

    def _cut(self) -> Sequence[_Token]:
        found, at = [], 0
        while self._text[at:].strip():
            match = _TOKEN.match(self._text, at)
            if match is None or match.lastgroup is None:
                raise ExpressionError(f"character {at + 1} of '{self._text}' cannot be read")
            found.append(_Token(match.lastgroup, match[match.lastgroup], match.start(match.lastgroup)))
            at = match.end()
        return [*found, _Token("end", "", len(self._text))]

    def _peek(self, offset: int = 0) -> _Token:
        return self._tokens[min(self._next + offset, len(self._tokens) - 1)]

    def _take(self, *texts: str) -> str | None:
        token = self._peek()
        if token.kind in ("word", "sign") and token.text in texts:
            self._next += 1
            return token.text
        return None

    def _need(self, text: str) -> None:
        if self._take(text) is None:
            raise self._wrong(f"'{text}'")

    def _wrong(self, wanted: str) -> ExpressionError:
        token = self._peek()
        met = f"'{token.text}'" if token.kind != "end" else "the end"
        return ExpressionError(f"character {token.at + 1} of '{self._text}': expected {wanted}, found {met}")

    def _expression(self) -> Node:
        if self._take("if"):
            condition = self._expression()
            self._need("then")
            yes = self._expression()
            self._need("else")
            return Call("if", (condition, yes, self._expression()))
        return self._chain(("or",), lambda: self._chain(("and",), self._comparison))

    def _chain(self, signs: Sequence[str], part: Callable[[], Node]) -> Node:
        node = part()
        while sign := self._take(*signs):
            node = Call(sign, (node, part()))
        return node

    def _comparison(self) -> Node:
        node = self._sum()
        if sign := self._take("=", "!=", "<", "<=", ">", ">="):
            return Call(sign, (node, self._sum()))
        if self._take("between"):
            low = self._sum()
            self._need("and")
            return Call("and", (Call(">=", (node, low)), Call("<=", (node, self._sum()))))
        if self._take("in"):
            self._need("(")
            return Call("in", (node, *self._arguments()))
        return node

    def _sum(self) -> Node:
        return self._chain(("+", "-"), lambda: self._chain(("*", "/"), self._power))

    def _power(self) -> Node:
        if self._take("-"):
            return Call("negate", (self._power(),))
        node = self._atom()
        return Call("**", (node, self._power())) if self._take("**") else node

    def _atom(self) -> Node:
        token = self._peek()
        if token.kind in ("number", "text", "quoted"):
            self._next += 1
            if token.kind == "number":
                return Constant(float(token.text))
            return Name(token.text) if token.kind == "quoted" else Constant(re.sub(r"\\(.)", r"\1", token.text))
        if self._take("("):
            node = self._expression()
            self._need(")")
            return node
        if token.kind == "word" and token.text in ("true", "false", "null"):
            self._next += 1
            return Constant({"true": True, "false": False, "null": None}[token.text])
        if token.kind == "word" and token.text not in _WORDS:
            return self._named()
        raise self._wrong("a value")

    def _named(self) -> Node:
        first = self._peek().text
        phrase = (first, self._peek(1).text)
        self._next += 2 if phrase in _PHRASES else 1
        name = " ".join(phrase) if phrase in _PHRASES else first
        if not self._take("("):
            return Name(name)
        if name not in FUNCTIONS:
            self._next -= 1
            raise ExpressionError(f"there is no function '{name}'; known: {', '.join(sorted(FUNCTIONS))}")
        arguments = self._arguments()
        least, most = FUNCTIONS[name].arity
        if not least <= len(arguments) <= most:
            raise ExpressionError(f"{name}() takes {least} to {most} values, not {len(arguments)}")
        return Call(name, arguments)

    def _arguments(self) -> tuple[Node, ...]:
        if self._take(")"):
            return ()
        found = [self._expression()]
        while self._take(","):
            found.append(self._expression())
        self._need(")")
        return tuple(found)


def _names(node: Node) -> list[str]:
    if isinstance(node, Name):
        return [node.name]
    return [name for part in node.arguments for name in _names(part)] if isinstance(node, Call) else []


@dataclass(frozen=True)
class _Function:
    """``takes`` is the kind of the arguments (the last one repeats), ``same``: all of one kind, which it gives."""

    takes: tuple[Type, ...]
    gives: Type
    arity: tuple[int, int]
    build: Callable[..., pl.Expr]
    same: bool = False


def _round(value: pl.Expr, places: pl.Expr | None = None) -> pl.Expr:
    scale = pl.lit(10.0) ** places if places is not None else pl.lit(1.0)
    return (value * scale + 0.5 * value.sign()).truncate() / scale


def _substring(text: pl.Expr, start: pl.Expr, length: pl.Expr | None = None) -> pl.Expr:
    whole = start.cast(pl.Int64)
    return text.str.slice(
        pl.when(whole > 0).then(whole - 1).otherwise(whole), length.cast(pl.Int64) if length is not None else None
    )


def _numbers(build: Callable[..., pl.Expr], least: int = 1, most: int = 1) -> _Function:
    return _Function(("number",), "number", (least, most), build)


def _texts(gives: Type, build: Callable[..., pl.Expr], count: int) -> _Function:
    return _Function(("text",), gives, (count, count), build)


FUNCTIONS: Mapping[str, _Function] = {
    "abs": _numbers(lambda x: x.abs()),
    "floor": _numbers(lambda x: x.floor()),
    "ceiling": _numbers(lambda x: x.ceil()),
    "sqrt": _numbers(lambda x: x.sqrt()),
    "round": _numbers(_round, 1, 2),
    "min": _numbers(pl.min_horizontal, 1, 20),
    "max": _numbers(pl.max_horizontal, 1, 20),
    "number": _numbers(lambda x: x),
    "string": _texts("text", lambda x: x, 1),
    "coalesce": _Function(("any",), "any", (1, 20), pl.coalesce, same=True),
    "concat": _Function(("text",), "text", (1, 20), lambda *parts: pl.concat_str(parts)),
    "substring": _Function(("text", "number"), "text", (2, 3), _substring),
    "contains": _texts("flag", lambda a, b: a.str.contains(b, literal=True), 2),
    "starts with": _texts("flag", lambda a, b: a.str.starts_with(b), 2),
    "ends with": _texts("flag", lambda a, b: a.str.ends_with(b), 2),
    "string length": _texts("number", lambda a: a.str.len_chars().cast(pl.Float64), 1),
    "upper case": _texts("text", lambda a: a.str.to_uppercase(), 1),
    "lower case": _texts("text", lambda a: a.str.to_lowercase(), 1),
    "replace": _Function(("text",), "text", (3, 3), lambda a, b, c: a.str.replace_all(b, c, literal=True)),
    "not": _Function(("flag",), "flag", (1, 1), lambda x: ~x),
}
"""Functions that expressions may call, with how many values they take and of which kind."""

_OPERATORS: Mapping[str, _Function] = {
    "+": _numbers(lambda a, b: a + b),
    "-": _numbers(lambda a, b: a - b),
    "*": _numbers(lambda a, b: a * b),
    "/": _numbers(lambda a, b: pl.when(b != 0).then(a / b)),
    "**": _numbers(lambda a, b: a**b),
    "negate": _numbers(lambda a: -a),
    "<": _Function(("any",), "flag", (2, 2), lambda a, b: a < b, same=True),
    "<=": _Function(("any",), "flag", (2, 2), lambda a, b: a <= b, same=True),
    ">": _Function(("any",), "flag", (2, 2), lambda a, b: a > b, same=True),
    ">=": _Function(("any",), "flag", (2, 2), lambda a, b: a >= b, same=True),
    "=": _Function(("any",), "flag", (2, 2), lambda a, b: a == b, same=True),
    "!=": _Function(("any",), "flag", (2, 2), lambda a, b: a != b, same=True),
    "in": _Function(("any",), "flag", (2, 99), lambda a, *b: pl.any_horizontal(*[a == one for one in b]), same=True),
    "and": _Function(("flag",), "flag", (2, 2), lambda a, b: a & b),
    "or": _Function(("flag",), "flag", (2, 2), lambda a, b: a | b),
}
_ORDERED = ("<", "<=", ">", ">=")
_DTYPES: Mapping[Type, pl.DataType] = {"number": pl.Float64(), "text": pl.String(), "flag": pl.Boolean()}
_Typed = tuple[Type, pl.Expr]


def _typed(node: Node, types: Mapping[str, Type], column: Callable[[str], pl.Expr] = pl.col) -> _Typed:
    if isinstance(node, Name):
        if node.name not in types:
            raise ExpressionError(f"unknown name '{node.name}'; known: {', '.join(sorted(types)) or 'none'}")
        return types[node.name], column(node.name)
    if isinstance(node, Constant):
        kinds: dict[type, Type] = {bool: "flag", float: "number", str: "text", type(None): "null"}
        return kinds[type(node.value)], pl.lit(node.value)
    parts = [_typed(part, types, column) for part in node.arguments]
    if node.function == "if":
        kind = _common("if", parts[1:])
        condition = _coerced("if", parts[0], "flag")
        return kind, pl.when(condition).then(_as(*parts[1], kind)).otherwise(_as(*parts[2], kind))
    if node.function in ("=", "!=") and any(kind == "null" for kind, _ in parts):
        other = parts[0][1] if parts[1][0] == "null" else parts[1][1]
        return "flag", other.is_null() if node.function == "=" else other.is_not_null()
    function = _OPERATORS.get(node.function) or FUNCTIONS[node.function]
    return _applied(node.function, function, parts)


def _applied(name: str, function: _Function, parts: Sequence[_Typed]) -> _Typed:
    if function.same:
        kind = _common(name, parts)
        kind = "number" if kind == "any" and name in _ORDERED else "text" if kind == "any" else kind
        built = function.build(*[_as(*part, kind) for part in parts])
        return (function.gives if function.gives != "any" else kind), built
    takes = [*function.takes, *[function.takes[-1]] * len(parts)][: len(parts)]
    return function.gives, function.build(*[_coerced(name, p, wanted) for p, wanted in zip(parts, takes, strict=True)])


def _common(name: str, parts: Sequence[_Typed]) -> Type:
    kinds = {kind for kind, _ in parts} - {"null"}
    sure: set[Type] = kinds - {"any"}
    if len(sure) > 1:
        raise ExpressionError(f"'{name}' compares or joins {' and '.join(sorted(sure))}; both must be of one kind")
    return next(iter(sure), "any" if kinds else "null")


def _coerced(name: str, part: _Typed, wanted: Type) -> pl.Expr:
    kind, built = part
    if not _fits(kind, wanted) and not (name in ("string", "concat") and kind == "number"):
        raise ExpressionError(f"'{name}' needs a {wanted}, not a {kind}")
    return _as(kind, built, wanted)


def _fits(kind: Type, wanted: Type) -> bool:
    return kind == wanted or kind in ("null", "any") or wanted == "any"


def _as(kind: Type, built: pl.Expr, wanted: Type) -> pl.Expr:
    if kind == wanted or wanted in ("any", "null"):
        return built
    if kind == "null":
        return built.cast(_DTYPES[wanted])
    if wanted == "number":
        number = built.cast(pl.String).str.strip_chars().cast(pl.Float64, strict=False)
        return pl.when(number.is_finite()).then(number)
    if wanted == "flag":
        text = built.cast(pl.String).str.strip_chars().str.to_lowercase()
        words = ["true", "1", "false", "0"]
        return text.replace_strict(words, [True, True, False, False], default=None, return_dtype=pl.Boolean)
    if kind == "number":
        whole = built.round() == built
        return pl.when(whole).then(built.cast(pl.Int64, strict=False).cast(pl.String)).otherwise(built.cast(pl.String))
    return built.cast(pl.String)

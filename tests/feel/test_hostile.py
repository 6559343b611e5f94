"""Whatever is written, nothing but a fault at its place comes of it, and nothing runs long."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from cityloop import feel
from cityloop.feel import FeelFault, expression
from cityloop.feel.functions import BUILT_IN

ESCAPES = [
    "().__class__.__bases__[0].__subclasses__()",
    '__import__("os").system("id")',
    "import os",
    "lambda: 0",
    "lambda x: x.__class__",
    "[c for c in ().__class__.__base__.__subclasses__()]",
    "(x for x in [1])",
    'open("/etc/passwd").read()',
    'eval("1")',
    'exec("import os")',
    'getattr(a, "b")',
    "globals()",
    "a := 1",
    'f"{a.__class__}"',
    "`id`",
    "a; b",
    "a\\b",
    'function(x) external { java: { class: "java.lang.Math", method signature: "cos(double)" } }',
    '"%s" % a',
    "a if b else c",
    "@property",
    "*args",
    "a[1:2]",
    "yield 1",
    '"unclosed',
    "/* unclosed",
    "1 +",
    "(1",
    "[1, 2",
    "{a: 1, a: 2}",
    "a b c",
    "for x in return 1",
    '"\\uD83D"',
    '"\\UFFFFFF"',
    "1e999999",
    '@"2026-13-40"',
    "",
    "   ",
]


@pytest.mark.parametrize("text", ESCAPES)
def test_what_is_not_of_the_language_is_refused_at_its_place(text: str) -> None:
    with pytest.raises(FeelFault) as caught:
        expression(text)
    assert 0 <= caught.value.position <= len(text)
    assert caught.value.mend
    assert caught.value.document()["said"]["zh"]


@pytest.mark.parametrize(
    "name", ["__class__", "__dict__", "real", "keys", "tzinfo", "__globals__", "run", "parameters"]
)
def test_no_attribute_of_python_is_reached(name: str) -> None:
    values = {"s": "x", "n": 1, "d": {"a": 1}, "l": [1]}
    for start in ("s", "n", "d", "abs", "(function(x) x)", "[1..2]", '@"P1D"'):
        assert expression(f"{start}.{name}").value(values) is None
    assert expression(f"l.{name}").value(values) == [None]
    assert expression(f'get value(d, "{name}")').value(values) is None


@pytest.mark.parametrize(
    "text",
    ["a" * 2001, "(" * 41 + "1" + ")" * 41, "[" * 900 + "]" * 900, "-" * 1500 + "1", "+".join(["1"] * 500),
     "if a then " * 100, "not(" * 60 + "true" + ")" * 60, "{a:" * 300, "1" + "[1]" * 400, "a" + ".a" * 400],
)  # fmt: skip
def test_length_depth_and_number_of_operations_are_bounded(text: str) -> None:
    with pytest.raises(FeelFault):
        expression(text)


@pytest.mark.parametrize(
    "text",
    [
        "for i in 1..999999999 return i",
        "for a in 1..9999, b in 1..9999 return a",
        "some a in 1..99999999 satisfies false",
        'count(for i in 1..60 return if i = 1 then "aa" else partial[-1] + partial[-1])',
        "string(for i in 1..60 return if i = 1 then [1, 1] else [partial[-1], partial[-1]])",
        "{f: function(g) g(g), x: f(f)}.x",
        "10 ** 999999999",
        "10 ** 6000 * 10 ** 6000",
        '@"P999999999D" * 99999',
        '@"9999-12-31" + @"P1D"',
        'replace("' + "a" * 900 + '", "a*", "' + "b" * 900 + '")',
    ],
)
def test_what_would_run_long_or_grow_large_is_null(text: str) -> None:
    assert expression(text).value({}) is None


def test_a_pattern_that_backtracks_elsewhere_runs_in_linear_time() -> None:
    text = 'matches("' + "a" * 500 + '!", "^(a+)+$")'
    assert expression(text).value({}) is False


WORDS = """1 2.5 x y.z + - * / ** = < >= ( ) [ ] { } , : .. . ? null true if then else for in return some satisfies
and or not between instance of function date item partial "a" @"P1D" """
PIECES = some.sampled_from([*WORDS.split(), *sorted(BUILT_IN)])
DATA = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats() | some.text() | some.dates() | some.datetimes()
    | some.times() | some.timedeltas(),
    lambda inner: some.lists(inner, max_size=3) | some.dictionaries(some.text(max_size=3), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(some.lists(PIECES, max_size=14), DATA)
def test_any_heap_of_words_is_refused_or_gives_a_value(pieces: list[str], data: Any) -> None:
    text = " ".join(pieces)
    for read in (
        lambda: expression(text).value({"x": data, "y": {"z": data}}),
        lambda: feel.tests(text).holds(data, {"x": 1}),
    ):
        try:
            read()
        except FeelFault:
            continue


@settings(max_examples=150, deadline=None)
@given(some.text(max_size=60))
def test_any_text_is_refused_or_gives_a_value(text: str) -> None:
    try:
        expression(text).value({})
    except FeelFault as fault:
        assert str(fault)


@settings(max_examples=300, deadline=None)
@given(some.sampled_from(sorted(BUILT_IN)), some.lists(DATA, max_size=4))
def test_a_function_takes_anything(name: str, arguments: list[Any]) -> None:
    names = [f"a{number}" for number in range(len(arguments))]
    expression(f"{name}({', '.join(names)})").value(dict(zip(names, arguments, strict=True)))

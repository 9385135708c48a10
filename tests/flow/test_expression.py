"""Texts of the symbolic stack, for the interpreter that runs the tests."""

from __future__ import annotations

import pytest

from coscope.flow import build
from coscope.flow.domains.expression import expressions
from coscope.flow.texts.text import LIMIT
from coscope.model import Code
from coscope.readers.from_function import HOST_VERSION
from tests.flow.building import built, compiled
from tests.flow.test_depth import sample

# Expressions whose text is their source, on every host.
SAME = [
    "x * z + y",
    "x * (z + y)",
    "x - (y - z)",
    "x - y - z",
    "x ** y ** z",
    "(x ** y) ** z",
    "-x ** y",
    "(-x) ** y",
    "-(x + y)",
    "~x & y | z",
    "x << y + z",
    "not x",
    "not x == y",
    "(not x) + y",
    "x is None",
    "x is not y",
    "x in y",
    "x not in y",
    "x < y",
    "x and y",
    "x or y",
    "x and y or z",
    "(x or y) and z",
    "x and (y or z)",
    "x or y and z",
    "x if y else z",
    "x if y and z else w",
    "x if not y else z",
    "x if y or z else w",
    "(x if y else z) + w",
    "x.a.b",
    "x[y]",
    "x[y, z]",
    "x[y:z]",
    "x[y:]",
    "x[:y]",
    "x[y:z:w]",
    "x[-1]",
    "(x + y).a",
    "(x + y)[z]",
    "(x + y)(z)",
    "x()",
    "x(y, z)",
    "x(y, k=z)",
    "x(*y)",
    "x(y, *z)",
    "x(**y)",
    "x(*y, k=z, **w)",
    "x.m()",
    "x.m(y).n(k=z)",
    "x(y if z else w)",
    "x(y and z)",
    "x(lambda_)(y)",
    "[x, y]",
    "[x, *y, z]",
    "(x, y)",
    "(x,)",
    "(x, *y)",
    "{x, y}",
    "{x: y, z: w}",
    "{**x, y: z}",
    "[]",
    "()",
    "{}",
    "[1, 2, 3]",
    "f'{x}'",
    "f'{x!r}'",
    "f'{x:>8}'",
    "f'a {x!s:{y}} b {{}}'",
    "1",
    "2.5",
    "'text'",
    "b'bytes'",
    "None",
    "...",
    "(1, 'a', None)",
    "(yield x)",
]

# Expressions whose text is another than their source.
OTHER = {
    "x < y < z": "x < y and y < z",
    "x < y <= z and w": "x < y and y <= z and w",
    "(x := y) + x": "y + x",
    "lambda: x": "<lambda>",
    str(10**60): "0x9f4f2726…",
    "'a' * 60": f"'{'a' * 48}…'",
    "5 .real": "(5).real",
    "(v for v in x)": "<genexpr>(iter(x))",
    "x(v for v in y)": "x(<genexpr>(iter(y)))",
    "yield from x": "yield from x",
    "x in {1, 2}": "x in frozenset({1, 2})",
}
if HOST_VERSION == "3.15":  # the generator itself asks for the iterator
    OTHER |= {"(v for v in x)": "<genexpr>(x)", "x(v for v in y)": "x(<genexpr>(y))"}


def result(source: str) -> str:
    """The text of what `source` leaves, where it is stored into `r`."""
    # The loop keeps the compiler from copying the end of the function into every branch.
    return stored(compiled(f"def f(w, x, y, z):\n    r = {source}\n    while r: r()"))


def stored(code: Code) -> str:
    """The text of what is stored into `r`."""
    frames = expressions(build(code))
    for instruction, frame in zip(code.instructions, frames, strict=True):
        names = instruction.argval
        if instruction.opname.startswith("STORE_FAST") and "r" in (
            names if isinstance(names, tuple) else (names,)
        ):
            assert frame is not None
            return str(frame[-1])
    raise AssertionError("nothing is stored into r")


@pytest.mark.parametrize("source", SAME)
def test_the_text_is_the_source(source: str) -> None:
    text = result(source)

    assert source == text


@pytest.mark.parametrize("source", OTHER)
def test_the_text_says_the_same(source: str) -> None:
    text = result(source if source != "yield from x" else f"({source})")

    assert OTHER[source] == text


STATEMENTS = {
    "import json": ("json", "STORE_FAST"),
    "import json.decoder as d": ("json.decoder", "STORE_FAST"),
    "from json import dumps": ("json.dumps", "STORE_FAST"),
    "class C(x, metaclass=y): pass": ("<class C(x, metaclass=y)>", "STORE_FAST"),
    "def g(): pass": ("<function g>", "STORE_FAST"),
    "for v in x: pass": ("next(iter(x))", "STORE_FAST"),
    "with x as v: pass": ("x.__enter__()", "STORE_FAST"),
    "x += y": ("x += y", "STORE_FAST"),
    "v, w = x": ("x[0]", "STORE_FAST"),
    "v, *w = x": ("x[0]", "STORE_FAST"),
    "raise x(y)": ("x(y)", "RAISE_VARARGS"),
    "del x[y:z]": ("slice(y, z)", "DELETE_SUBSCR"),
}


@pytest.mark.parametrize("source", STATEMENTS)
def test_statements(source: str) -> None:
    code = compiled(f"def f(x, y, z):\n    {source}")
    expected, opname = STATEMENTS[source]
    texts = [
        frame[-1]
        for instruction, frame in zip(code.instructions, expressions(build(code)), strict=True)
        if frame and instruction.opname.startswith(opname)
    ]

    assert any(expected in text for text in texts), texts


def test_the_stack_before_each_instruction() -> None:
    code = compiled("def f(x, y, z):\n    return x * z + y")
    stacks = [
        (instruction.opname, list(frame or ()))
        for instruction, frame in zip(code.instructions, expressions(build(code)), strict=True)
        if instruction.opname in ("BINARY_OP", "RETURN_VALUE")
    ]

    assert [
        ("BINARY_OP", ["x", "z"]),
        ("BINARY_OP", ["x * z", "y"]),
        ("RETURN_VALUE", ["x * z + y"]),
    ] == stacks


def test_a_handler_finds_the_exception() -> None:
    code = compiled("def f(x):\n    try: x()\n    except KeyError as r: pass")

    assert "<exception>" == stored(code)


def test_await_and_the_sent_value() -> None:
    code = compiled("async def f(x):\n    r = await x.y()")

    assert "await x.y()" == stored(code)


def test_alternatives_that_no_expression_joins() -> None:
    # What is below differs, and the test is not about it.
    code = built(
        "3.13",
        [
            ("LOAD_FAST", 0),
            ("LOAD_FAST", 0),
            ("FOR_ITER", 4),
            ("POP_TOP", 0),
            ("SWAP", 2),
            ("JUMP_BACKWARD", 6),
            ("END_FOR", 0),
            ("POP_TOP", 0),
            ("RETURN_VALUE", 0),
        ],
    )
    frames = expressions(build(code))

    assert ["a"] == list(frames[-1] or ())


def test_long_texts_are_cut() -> None:
    text = result(" + ".join(["x"] * 200))

    assert LIMIT == len(text)
    assert text.endswith("…")


def test_doubling_does_not_grow() -> None:
    code = built(
        "3.13",
        [("LOAD_FAST", 0), *[("COPY", 1), ("BUILD_TUPLE", 2)] * 500, ("RETURN_VALUE", 0)],
    )
    frames = expressions(build(code))

    assert max(len(text) for frame in frames for text in frame or ()) <= LIMIT


def test_strange_names_stay_on_one_line() -> None:
    code = compiled("def f(x):\n    r = x.a")
    renamed = type(code)(
        **{
            name: getattr(code, name)
            for name in code.__dataclass_fields__
            if name not in ("names", "_columns")
        },
        names=("a\nb\ud800\x1b[2J",),
    )
    text = stored(renamed)

    assert "x.a\\nb\\ud800\\x1b[2J" == text


def test_no_question_marks_and_no_line_ends() -> None:
    wrong = []
    for code in sample(3):
        for index, frame in enumerate(expressions(build(code))):
            top = frame.top(1)[0] if frame else ""
            shown = "'" not in top and '"' not in top and "?" in top
            if (frame and not top) or shown or "\n" in top or len(top) > LIMIT:
                wrong.append((code.filename, code.qualname, index, top))

    assert [] == wrong

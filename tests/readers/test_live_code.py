"""Live code that kills who reads `co_code`: the asker survives, and the verifier refuses.

Each victim runs in a process of its own.
"""

from __future__ import annotations

import subprocess
import sys
from types import CodeType, FunctionType
from typing import Any

import pytest

from coscope.opcodes import table
from coscope.readers.from_function import HOST_VERSION
from coscope.readers.live_code import code_bytes, without_specialization

pytestmark = pytest.mark.skipif(sys.platform == "emscripten", reason="starts processes")

HIDING = ("INSTRUMENTED_LINE", "INSTRUMENTED_INSTRUCTION", "ENTER_EXECUTOR")

PLANT = """
import resource, sys
resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
import types

def outer(a, b=1):
    captured = [a]
    def inner(x):
        return captured, x, len, b
    return inner

def planted(function, opcode, inside=False):
    code = function.__code__
    if inside:
        consts = [bad(each, opcode) if type(each) is types.CodeType else each
            for each in code.co_consts]
        code = code.replace(co_consts=tuple(consts))
    else:
        code = bad(code, opcode)
    return types.FunctionType(
        code, globals(), function.__name__, function.__defaults__, function.__closure__)

def bad(code, opcode):
    # A second copy of the code stands behind the end: it is never reached.
    return code.replace(co_code=code.co_code + bytes([opcode, 3]) + code.co_code)
"""

VERBS = {
    "read": "coscope.read(f).code.instructions[-1]",
    "show": "str(coscope.show(f))",
    "dis": "[str(each) for each in coscope.read(f).code.instructions]",
    "graph": "str(coscope.graph(f))",
    "depends": "str(coscope.depends(f))",
    "depends, transitive": "coscope.depends(f, transitive=True).to_json()",
    "closure": "str(coscope.closure(f))",
    "capture": "str(coscope.capture(f))",
    "call": "str(coscope.call(f, 1))",
    "signature": "str(coscope.signature(f))",
    "fingerprint": "str(coscope.fingerprint(f))",
    "diff": "str(coscope.diff(f, outer))",
    "code object": "str(coscope.show(f.__code__))",
    "edit": "coscope.edit(f)",
}


def opcode_of(name: str) -> int:
    row = table(HOST_VERSION).opcodes.get(name)
    if row is None:
        pytest.skip(f"CPython {HOST_VERSION} has no {name}")
    return row.code


def victim(text: str) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-c", PLANT + text]
    done = subprocess.run(words, capture_output=True, text=True, check=False, timeout=120)
    if done.returncode < 0 and "built" not in done.stdout:
        pytest.skip("this CPython dies where such code is made, before anybody reads it")
    return done


@pytest.mark.parametrize("name", HIDING)
@pytest.mark.parametrize("where", ["outer", "outer, inside", "inner"])
def test_every_verb_survives(name: str, where: str) -> None:
    function = "outer(3)" if where == "inner" else "outer"
    inside = "inside" in where
    text = f"""
f = planted({function}, {opcode_of(name)}, inside={inside})
print("built", flush=True)
import coscope
for name, verb in {VERBS!r}.items():
    print(name, flush=True)
    try:
        eval(verb)
    except coscope.CoscopeError as error:
        print(error)
print("alive")
"""
    done = victim(text)

    assert (0, "alive") == (done.returncode, done.stdout.split("\n")[-2])


@pytest.mark.parametrize("name", HIDING)
@pytest.mark.parametrize("traced", ["", "sys.settrace(lambda *each: None)"])
def test_the_verifier_refuses(name: str, traced: str) -> None:
    text = f"""
f = planted(outer, {opcode_of(name)})
print("built", flush=True)
import coscope
{traced}
report = coscope.verify(f)
sys.settrace(None)
print(report.ok, *{{each.rule for each in report.violations}})
"""
    done = victim(text)
    if HOST_VERSION == "3.11":
        pytest.skip("nothing is hidden")

    assert (0, True) == (done.returncode, done.stdout.splitlines()[-1].startswith("False"))


TRACE = """
import sys
def traced(a):
    total = 0
    for each in a:
        total += each
    return total
before = traced.__code__.co_code
"""


def check(text: str) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-c", TRACE + text]
    return subprocess.run(words, capture_output=True, text=True, check=False, timeout=120)


@pytest.mark.parametrize("opcodes", [False, True])
@pytest.mark.parametrize("stopped", [False, True])
def test_what_a_debugger_traces_is_read_as_it_was_compiled(opcodes: bool, stopped: bool) -> None:
    text = f"""
def follow(frame, event, argument):
    frame.f_trace_opcodes = {opcodes}
    return follow
sys.settrace(follow)
traced([1, 2, 3])
if {stopped}:
    sys.settrace(None)
from coscope.readers.live_code import code_bytes
from coscope.readers.from_function import HOST_VERSION
found = code_bytes(traced.__code__, HOST_VERSION)
sys.settrace(None)
assert found == before
"""
    done = check(text)

    assert (0, "") == (done.returncode, done.stderr)


@pytest.mark.skipif(not hasattr(sys, "monitoring"), reason="3.12 brought sys.monitoring")
@pytest.mark.parametrize("stopped", [False, True])
def test_what_a_tool_monitors_is_read_as_it_was_compiled(stopped: bool) -> None:
    text = f"""
m = sys.monitoring
m.use_tool_id(1, "coverage")
m.register_callback(1, m.events.LINE, lambda *each: None)
m.register_callback(1, m.events.INSTRUCTION, lambda *each: None)
m.set_local_events(1, traced.__code__, m.events.LINE | m.events.INSTRUCTION)
traced([1, 2, 3])
if {stopped}:
    m.set_local_events(1, traced.__code__, 0)
    m.free_tool_id(1)
from coscope.readers.live_code import code_bytes
from coscope.readers.from_function import HOST_VERSION
assert code_bytes(traced.__code__, HOST_VERSION) == before
"""
    done = check(text)

    assert (0, "") == (done.returncode, done.stderr)


def test_plain_code_has_the_bytes_that_cpython_shows() -> None:
    def warm(a: int) -> int:
        total = 0
        for each in range(a):
            total += each
        return total

    for _ in range(2_000):
        warm(3)
    pending: list[CodeType] = [
        each.__code__ for each in vars(subprocess).values() if type(each) is FunctionType
    ]
    pending.append(warm.__code__)

    assert [each.co_code for each in pending] == [
        code_bytes(each, HOST_VERSION) for each in pending
    ]


def test_what_ran_often_is_read_as_it_was_compiled() -> None:
    space: dict[str, Any] = {}
    text = (
        "def busy(items):\n    total = 0\n    for each in items:\n"
        "        total += each.real + len(str(each))\n    return total\n"
    )
    exec(compile(text, "<busy>", "exec"), space)
    co = space["busy"].__code__
    before = co.co_code
    for _ in range(100):
        space["busy"]([1, 2, 3])

    assert co._co_code_adaptive != before  # it is specialised
    assert without_specialization(co._co_code_adaptive, HOST_VERSION) == before

"""`coscope.show` at the plain prompt and in IPython: at once, and once."""

from __future__ import annotations

import code
import contextlib
import importlib.util
import io
import subprocess
import sys

import pytest

needs_processes = pytest.mark.skipif(sys.platform == "emscripten", reason="starts a process")
needs_ipython = pytest.mark.skipif(
    importlib.util.find_spec("IPython") is None, reason="IPython is not installed"
)

HEAD = """\
import coscope
def shown(x):
    return x + 1

def helper():
    coscope.show(shown)

def passing():
    return coscope.show(shown)

"""

# Statements of a prompt, and how many cards they show.
STATEMENTS = [
    ("coscope.show(shown)\n", 1),
    ("for each in range(3):\n    coscope.show(shown)\n\n", 3),
    ("helper()\n", 1),
    ("passing()\n", 1),
    ("card = coscope.show(shown)\n", 1),
    ("if True:\n    helper()\n    coscope.show(shown)\n\n", 2),
]


@pytest.mark.parametrize(("statement", "cards"), STATEMENTS)
def test_at_the_plain_prompt(statement: str, cards: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "ps1", ">>> ", raising=False)
    monkeypatch.setattr(sys, "displayhook", sys.__displayhook__)
    console = code.InteractiveConsole()
    printed = io.StringIO()
    for part in [part + "\n\n" for part in HEAD.split("\n\n") if part.strip()]:
        console.runsource(part.replace("import coscope\n", ""), symbol="exec")
    console.locals["coscope"] = __import__("coscope")  # type: ignore[index]
    with contextlib.redirect_stdout(printed):
        console.runsource(statement)

    assert cards == printed.getvalue().count("RETURN_VALUE")


def test_in_a_script_it_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    import coscope

    coscope.show(lambda x: x)

    assert 1 == capsys.readouterr().out.count("RETURN_VALUE")


IPYTHON = """
import sys
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

shell = InteractiveShell.instance()
shell.run_cell(HEAD)
for cell in CELLS:
    with capture_output() as found:
        shell.run_cell(cell, store_history=True)
    pages = [(each.data or {}).get("text/html", "") for each in found.outputs]
    print(sum("RETURN_VALUE" in page for page in pages) + found.stdout.count("RETURN_VALUE"))
"""
CELLS = [
    ("coscope.show(shown)", 1),
    ("coscope.show(shown)\n1", 1),
    ("for each in range(3):\n    coscope.show(shown)", 3),
    ("helper()", 1),
    ("passing()", 1),
    ("passing()\n2", 1),
    ("card = coscope.show(shown)", 1),
    ("card", 1),
    ("passing(); card", 2),
]


@needs_processes
@needs_ipython
def test_in_ipython() -> None:
    program = f"HEAD = {HEAD!r}\nCELLS = {[cell for cell, _ in CELLS]!r}\n{IPYTHON}"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=120
    )

    assert [number for _, number in CELLS] == [int(line) for line in done.stdout.split()], (
        done.stderr
    )

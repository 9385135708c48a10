"""What the command line takes for a target, and what it never runs."""

from __future__ import annotations

import compileall
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

if sys.platform == "emscripten":
    pytest.skip("Pyodide starts no process", allow_module_level=True)

MARKER = '''"""Leaves a file beside itself when it is executed."""
import pathlib
pathlib.Path(__file__).with_name("EXECUTED").write_text("yes\\n")
def f():
    return 1
'''
INSTANCES = """
import functools, threading
class Model:
    def __init__(self, k): self.k = k
    def predict(self, x): return x * self.k
    half = functools.partialmethod(predict, x=2)
    @functools.singledispatchmethod
    def chosen(self, arg, *, deep=False): return arg
m2 = Model(2); m3 = Model(3)
class L:
    def __init__(self): self.lock = threading.Lock()
    def run(self): return 1
bad = L()
"""


def run(folder: Path, *words: str, given: str | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "coscope", *words],
        cwd=folder,
        input=given,
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )


def document(folder: Path, *words: str, given: str | None = None) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run(folder, *words, "--json", given=given).stdout)
    return found


STATIC = ["show", "dis", "graph", "verify", "fingerprint", "depends", "closure", "signature"]
FORMS = [
    "marker.py:3", "marker.py:f", "marker.py:99", "./marker:f", "marker.py.f", "marker.pyc:f",
    "marker.py", "marker.py::f", "./marker.py:4:5", "linked.py:f", "plain:f", "MARKER.PY:f",
    "marker.pyw:f", "marker.pyi:f", "marker.pyo:f",
]  # fmt: skip


@pytest.mark.parametrize("command", [*STATIC, "capture", "call", "diff", "tune", "audit"])
def test_what_is_left_of_a_colon_is_never_imported_if_it_is_a_file(
    tmp_path: Path, command: str
) -> None:
    (tmp_path / "marker.py").write_text(MARKER)
    (tmp_path / "plain").write_text(MARKER)
    (tmp_path / "linked.py").symlink_to(tmp_path / "nowhere.py")
    compileall.compile_file(tmp_path / "marker.py", quiet=2, legacy=True)
    more = {"call": ["1"], "diff": ["marker.py"], "tune": ["--call", "1"]}
    # All forms in one process: what was not imported by any of them was imported by none.
    script = (
        "import sys\nfrom coscope.cli.group import coscope\n"
        f"for form in {FORMS!r}:\n"
        f"    try: coscope([{command!r}, form, *{more.get(command, [])!r}])\n"
        "    except SystemExit as end: print(form, end.code, file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        capture_output=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )

    assert len(FORMS) == sum(line.split(" ")[0] in FORMS for line in done.stderr.splitlines())
    assert "Traceback" not in done.stderr
    assert "internal error" not in done.stderr
    assert not (tmp_path / "EXECUTED").exists()


def test_a_line_of_a_file_is_the_code_that_covers_it(tmp_path: Path) -> None:
    (tmp_path / "marker.py").write_text(MARKER)

    assert "f" == document(tmp_path, "show", "marker.py:5")["codes"][0]["qualname"]
    assert "<module>" == document(tmp_path, "dis", "marker.py:3")["codes"][0]["qualname"]


def test_a_file_named_as_a_module_is_an_error_that_says_what_to_write(tmp_path: Path) -> None:
    (tmp_path / "marker.py").write_text(MARKER)
    done = run(tmp_path, "show", "marker.py:f")

    assert (2, True) == (done.returncode, "Write marker.py::f" in done.stderr)


def test_source_comes_from_standard_input(tmp_path: Path) -> None:
    source = "def f(x):\n    return x\n"

    assert "f" == document(tmp_path, "show", "-::f", given=source)["codes"][0]["qualname"]
    assert "f" == document(tmp_path, "show", "-:2", given=source)["codes"][0]["qualname"]
    assert ["<module>", "f"] == [
        code["qualname"] for code in document(tmp_path, "show", "-", given=source)["codes"]
    ]


def test_methods_of_instances_keep_what_they_are_bound_to(tmp_path: Path) -> None:
    (tmp_path / "instances.py").write_text(INSTANCES)
    values = {
        document(tmp_path, "fingerprint", f"instances:{name}.predict")["fingerprint"]["value"]
        for name in ("m2", "m3")
    }
    captured = document(tmp_path, "capture", "instances:bad.run")

    assert 2 == len(values)
    assert "self" in [step["kind"] for step in captured["verdicts"][0]["path"]]
    assert 1 == run(tmp_path, "diff", "instances:m2.predict", "instances:m3.predict").returncode


@pytest.mark.parametrize(
    ("name", "reported"), [("half", "(self, *, x=2)"), ("chosen", "(self, arg, *, deep=False)")]
)
def test_descriptors_reached_through_a_class_have_the_signature_that_inspect_reports(
    tmp_path: Path, name: str, reported: str
) -> None:
    (tmp_path / "instances.py").write_text(INSTANCES)
    found = document(tmp_path, "signature", f"instances:Model.{name}")

    assert reported == found["reported"]["shape"]["text"]
    assert 0 == run(tmp_path, "show", f"instances:Model.{name}").returncode


SOURCE = "def outer():\n    return lambda x: x\n"


@pytest.mark.parametrize("command", ["show", "dis", "graph", "depends", "closure", "fingerprint"])
def test_source_on_the_command_line_is_read_as_that_of_a_file(tmp_path: Path, command: str) -> None:
    (tmp_path / "given.py").write_text(SOURCE)
    for name in ("::outer", "outer", ""):
        file = "given.py" + (f"::{name.removeprefix('::')}" if name else "")
        of_file = run(tmp_path, command, file).stdout.replace("given.py", "<string>")
        given = run(tmp_path, command, "-c", SOURCE, *([name] if name else [])).stdout

        assert of_file.split() == given.split()


def test_a_target_is_needed(tmp_path: Path) -> None:
    done = run(tmp_path, "show")

    assert (2, True) == (done.returncode, "Missing argument 'TARGET'" in done.stderr)

"""The processes that measure: which interpreter, what they load, what they leave alone."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

from coscope.errors import InputError, InterpreterError
from coscope.tuner import processes, tune
from coscope.tuner.processes import Processes, interpreter_of


def test_where_no_process_can_be_started_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "emscripten")

    with pytest.raises(InterpreterError, match="none can be started here"):
        tune("json:dumps", "dumps(1)")


@pytest.mark.skipif(sys.platform == "emscripten", reason="Pyodide starts no process")
class TestProcesses:
    """What is seen from outside."""

    def test_this_interpreter_is_taken_if_none_is_given(self) -> None:
        assert sys.executable == interpreter_of(None)

    def test_a_file_that_is_no_program_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(InterpreterError):
            interpreter_of(str(tmp_path / "none"))

    def test_the_modules_of_the_user_come_first_and_coscope_is_not_among_them(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A module named as one of ours, or as one that ours import, is the user's own."""
        monkeypatch.chdir(tmp_path)
        (tmp_path / "forms.py").write_text("def f(n):\n    return n\n")
        (tmp_path / "statistics.py").write_text("def mean(n):\n    return n + 7\n")
        (tmp_path / "user.py").write_text(
            "import sys, statistics, forms\n"
            "def held():\n"
            "    ours = [name for name in sys.modules if name.startswith('coscope')]\n"
            "    return (forms.f(1), statistics.mean(1), ours)\n"
            "if held() != (1, 8, []): raise RuntimeError(held())\n"
        )

        told = Processes(sys.executable).ask("describe", target="user:held", against=None)

        assert "held" == told["name"]

    def test_coscope_itself_can_be_tuned(self) -> None:
        told = Processes(sys.executable).ask(
            "describe", target="coscope.tuner.inside.results:same", against=None
        )

        assert told["file"].endswith("results.py")

    def test_a_process_that_dies_is_an_error(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        (tmp_path / "dies.py").write_text("import os\nos._exit(3)\n")

        with pytest.raises(InterpreterError, match="exit status 3"):
            Processes(sys.executable).ask("describe", target="dies:f", against=None)

    def test_a_command_loads_the_sitecustomize_that_it_would_have_loaded(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("PYTHONPATH", str(tmp_path))
        (tmp_path / "sitecustomize.py").write_text("import builtins\nbuiltins.mine = 5\n")
        (tmp_path / "used.py").write_text("def f(n):\n    return n\n")
        (tmp_path / "run.py").write_text(
            "import used, sys\n"
            "assert used.f(mine) == 5\n"
            "assert not [n for n in sys.modules if n.startswith('coscope')]\n"
        )

        ran = Processes(sys.executable).run("python run.py", "used:f", [None])

        assert (0, 1) == (ran.status, ran.calls)

    def test_the_form_of_a_file_that_changed_is_refused(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        (tmp_path / "used.py").write_text(
            "def f(n):\n    return n\nf.__code__ = f.__code__.replace(co_consts=(None, 1))\n"
        )
        (tmp_path / "run.py").write_text("import used\nused.f(1)\n")

        with pytest.raises(InputError, match="does not give the code"):
            Processes(sys.executable).run("run.py", "used:f", [None, "def f(n):\n    return 2\n"])


def test_the_loader_is_python_3_8() -> None:
    """Nothing in it, or in what it loads, is of a later version."""
    texts = [processes._ANSWER, processes._SITECUSTOMIZE]
    texts += [path.read_text("utf-8") for path in Path(processes._INSIDE).glob("*.py")]
    for text in texts:
        ast.parse(text, feature_version=(3, 8))

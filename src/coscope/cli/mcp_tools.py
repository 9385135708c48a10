"""What `coscope mcp` offers: the reading commands, each a function from words to a short text.

Each call runs a command of coscope in a process of its own, with a time limit: what is imported,
if that is allowed, neither stays nor writes into the protocol. The only files are those below the
given roots.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from coscope.errors import CoscopeError, InputError
from coscope.readers.naming import parse

LONGEST = 12_000  # characters of an answer
SECONDS = 60  # that a call may take
WIDTH = 100  # cells


class Tools:
    """The tools of one server.

    Args:
        roots: Folders; what is read lies below one of them.
        allow_import: Targets such as `json:dumps` too, which import a module and so run it.
    """

    def __init__(self, roots: Sequence[str], allow_import: bool) -> None:
        self.roots = [Path(root).resolve() for root in roots]
        self.allow_import = allow_import

    def functions(self) -> list[Callable[..., str]]:
        """The functions that become tools; their docstrings are what an agent reads."""
        return [
            self.show,
            self.disassemble,
            self.graph,
            self.depends,
            self.signature,
            self.call,
            self.diff,
            self.verify,
            self.audit,
            self.rule,
            self.explain_traceback,
        ]

    def show(self, target: str) -> str:
        """Show what a Python function really is: parameters, cells, names, constants, bytecode.

        A file lists its code objects.

        Args:
            target: app/orders.py, app/orders.py::Order.total, app/orders.py:12, or a .pyc file.
        """
        return self._run("show", self._target(target))

    def disassemble(self, target: str) -> str:
        """The bytecode of a function, with the symbolic stack before each instruction.

        Args:
            target: As for show.
        """
        return self._run("dis", self._target(target))

    def graph(self, target: str) -> str:
        """The control-flow graph of a function, each edge with its condition.

        Args:
            target: As for show.
        """
        return self._run("graph", self._target(target))

    def depends(self, target: str) -> str:
        """What a function depends on: globals, builtins, modules, attributes, closure variables.

        Args:
            target: As for show.
        """
        return self._run("depends", self._target(target))

    def signature(self, target: str) -> str:
        """The signature of a function, and where what it reports differs from what it accepts.

        Args:
            target: As for show.
        """
        return self._run("signature", self._target(target))

    def call(self, target: str, arguments: str = "") -> str:
        """How a call binds to the parameters, or which TypeError it raises. Nothing is called.

        Args:
            target: As for show; one function.
            arguments: What stands between the parentheses: literals, names with =.
        """
        return self._run("call", self._target(target), arguments)

    def diff(self, old: str, new: str) -> str:
        """How two functions differ in what they do, not in how they are written.

        Args:
            old: As for show.
            new: As for show.
        """
        return self._run("diff", self._target(old), self._target(new))

    def verify(self, target: str) -> str:
        """Whether a code object could crash the interpreter.

        Args:
            target: As for show.
        """
        return self._run("verify", self._target(target))

    def audit(self, path: str) -> str:
        """Findings in files: performance, signatures, closures, dynamic code.

        Args:
            path: A file or folder.
        """
        return self._run("audit", self._file(path))

    def rule(self, code: str) -> str:
        """What a rule of the audit means, with an example and what to write instead.

        Args:
            code: Such as PERF101.
        """
        if not code.isalnum():
            raise InputError("this is not the code of a rule", found=code[:40])
        return self._run("rule", code)

    def explain_traceback(self, text: str) -> str:
        """Why a program failed, from a traceback: failing expressions, and where a None came from.

        Args:
            text: The traceback, or a log that holds some.
        """
        roots = [word for root in self.roots for word in ("--root", str(root))]
        return self._run("explain", "-", *roots, text=text)

    # What may be read

    def _target(self, target: str) -> str:
        """A target that may be read.

        Raises:
            CoscopeError: It is outside of the roots, or would import a module.
        """
        self._refuse_option(target)
        file, mark, part = target.partition("::")
        if not mark:
            line = re.fullmatch(r"(.+\.pyw?):(\d+(?::\d+)?)", target)
            file, mark, part = (line[1], ":", line[2]) if line else (target, "", "")
        if any((root / file).exists() for root in self.roots):
            return self._file(file) + mark + part
        named = parse(target)
        if named.form == "file":
            return self._file(named.left)  # says that it is not there
        if named.form == "stdin" or not self.allow_import:
            raise InputError(
                "this target would import a module, which this server may not do",
                found=target[:80],
                hint="Name a file: app/orders.py::Order.total. --allow-import would allow it.",
            )
        return target

    def _file(self, path: str) -> str:
        """A file or folder below a root, as an absolute path.

        Raises:
            InputError: It is not below one, links followed.
        """
        self._refuse_option(path)
        for root in self.roots:
            found = (root / path).resolve()
            if found.is_relative_to(root) and found.exists():
                return str(found)
        listed = ", ".join(map(str, self.roots))
        raise InputError("no such file below the roots", found=path[:200], expected=listed)

    def _refuse_option(self, word: str) -> None:
        if word.startswith("-") or "\0" in word:
            raise InputError("this is not a target", found=word[:40])

    # Running

    def _run(self, command: str, *words: str, text: str = "") -> str:
        environment = dict(os.environ, NO_COLOR="1", PYTHONIOENCODING="utf-8")
        if self.allow_import:
            environment["PYTHONPATH"] = os.pathsep.join(map(str, self.roots))
        try:
            run = subprocess.run(
                [sys.executable, "-m", "coscope", command, "--width", str(WIDTH), *words],
                cwd=self.roots[0],
                env=environment,
                input=text,
                capture_output=True,
                text=True,
                encoding="utf-8",
                errors="replace",
                timeout=SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return f"coscope {command} took longer than {SECONDS} s and was stopped."
        return shortened(run.stdout.strip() or run.stderr.strip() or "Nothing to report.")


def shortened(text: str) -> str:
    """A text of at most about LONGEST characters, whole lines, and how much is left out.

    >>> shortened("a\\nb")
    'a\\nb'
    """
    if len(text) <= LONGEST:
        return text
    kept = text[:LONGEST].rpartition("\n")[0]
    left = text[len(kept) :].count("\n")
    return f"{kept}\n... {left:,} more lines: name a smaller target, such as file.py::name"


def answered(function: Callable[..., str]) -> Callable[..., str]:
    """The function, with an error of the user's as its answer."""
    from functools import wraps

    @wraps(function)
    def run(*args: str, **kwargs: str) -> str:
        try:
            return function(*args, **kwargs)
        except CoscopeError as error:
            return f"coscope: error: {error}"

    return run

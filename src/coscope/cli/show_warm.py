"""`coscope show --warm COMMAND`: the command runs; of its processes the warmest one is shown."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

from coscope.cli.session import Session
from coscope.errors import TargetError, TargetNotFound
from coscope.readers.naming import MODULE, parse

if TYPE_CHECKING:
    from coscope.render.schemas import report as schema


def warm_document(
    session: Session,
    target: str,
    command: str,
    *,
    python: str | None,
    unwrap: bool,
    every: bool,
    fields: bool,
) -> schema.Document:
    """Run a command, and give the document of a function with what was made of its code.

    Args:
        session: How notes beside the answer are shown.
        target: "app/orders.py::Order.total" or "app.orders:Order.total".
        command: As for `coscope audit --warm`.
        python: The interpreter that runs a script: a version or a path.
        unwrap: Follow `__wrapped__`; of a module's name only.
        every: The code inside of it too.
        fields: Raw fields too.

    Raises:
        InputError: The command is empty, or cannot be started.
        TargetError, TargetNotFound: The target is not a function, or no process ran it.
        InterpreterError: No Python process reported anything.
    """
    from coscope.audits.warm.command import execute
    from coscope.cli.streams import write_lines

    file, module, name = _parts(target)
    if python is not None:
        from coscope.readers.from_interpreter import find

        python = find(python).path
    settings = {
        "child": "coscope.render.warm",
        "packages": [] if module is None else [module],
        "folders": [] if file is None else [file],
        "target": target,
        "file": file,
        "module": module,
        "name": name,
        "unwrap": unwrap,
        "every": every,
        "fields": fields,
    }
    done = execute(command, settings, python)
    if done.status:
        write_lines([f"coscope: the command exited with status {done.status}"])
    ran = [entry for entry in done.told if entry["document"] is not None]
    if not ran:
        raise _absent(target, (entry["absent"] for entry in done.told))
    most = max(ran, key=lambda entry: int(entry["ran"]))
    document: schema.Document = most["document"]
    document["warm"] = _run(most["seen"], command, done.status, len(ran))
    return document


def _absent(target: str, reasons: Iterable[str]) -> TargetNotFound:
    return TargetNotFound(
        f"no process of the command has {target}",
        found="; ".join(dict.fromkeys(reasons)),
        hint="A script's own functions are named file.py::name, imported ones module:name too.",
    )


def _run(seen: schema.WarmSeen, command: str, status: int, processes: int) -> schema.WarmRun:
    return {
        "release": seen["release"],
        "samples": seen["samples"],
        "command": command,
        "status": status,
        "processes": processes,
    }


def _parts(target: str) -> tuple[str | None, str | None, str]:
    """The file or the module, and the qualified name in it."""
    named = parse(target)
    if named.form == "file" and named.part and not named.part.startswith(MODULE):
        if not os.path.isfile(named.left):
            raise TargetNotFound(f"there is no file {named.left}")
        return os.path.abspath(named.left), None, named.part
    if named.form != "import" or not named.left or not named.part.strip(":"):
        raise TargetError(
            f"--warm shows one function, and {target!r} names none",
            expected="file.py::name or module:name",
        )
    return None, named.left, named.part

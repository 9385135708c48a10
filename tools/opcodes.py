"""Check the opcode tables against interpreters, or draft the table of a new version.

    python tools/opcodes.py check                          every native interpreter that is found
    python tools/opcodes.py check 3.12 3.13
    python tools/opcodes.py check --python path/to/python
    python tools/opcodes.py check --pyodide DIR            DIR holds node_modules/pyodide
    python tools/opcodes.py draft 3.16 --python path/to/python3.16 > cpython-3.16.toml

`opcodes_probe.py` asks the interpreter; this file compares and writes. An interpreter knows
numbers, caches, stack effects and which opcodes use names, locals or jumps. The rest of a row is
reviewed by hand: docs/internals/opcode-tables.md says how.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from coscope.errors import InterpreterError
from coscope.opcodes import VERSIONS, Opcode, Table, table
from coscope.readers.from_interpreter import find

HERE = Path(__file__).resolve().parent
TABLES = HERE.parent / "src" / "coscope" / "opcodes"

# dis.hasname, ... and the operands that mean the same. `haslocal` and `hasfree` are compared
# together: from 3.14 on `dis` counts LOAD_DEREF among the locals.
HAS = {
    ("name",): ("name", "name>>1", "name>>2"),
    ("local", "free"): ("local", "local pair", "deref"),
    ("const",): ("const", "const names"),
    ("compare",): ("compare",),
    ("jrel", "jabs"): ("jump", "jump source"),
}

# What comes before the rows, taken from the older table; an interpreter does not report it.
SECTIONS = (
    *("encoding", "lists", "numbers", "behaviour", "wording", "specialization"),
    "compiler_made",
)

FIELDS = (
    *("code", "pops", "pushes", "jump_pushes", "caches", "operand", "jump", "ends", "tests"),
    *(
        "bounds",
        "blocks",
        "access",
        "raises",
        "keeps",
        "needs",
        "makes",
        "next",
        "bonds",
        "hands_on",
        "after",
        "lands",
        "form",
    ),
    *("dis_effect", "shows"),
)


def ask(executable: str | Path) -> dict[str, Any]:
    """What a native interpreter tells of its opcodes."""
    command = [str(executable), "-I", "-S", str(HERE / "opcodes_probe.py")]
    return _run(command)


def ask_pyodide(folder: str | Path) -> dict[str, Any]:
    """What the interpreter of `folder/node_modules/pyodide` tells of its opcodes."""
    runner = [str(HERE / "pyodide_run.mjs"), str(folder), "--mount", f"{HERE}=/tools"]
    return _run(["node", *runner, "/tools/opcodes_probe.py"])


def _run(command: list[str]) -> dict[str, Any]:
    run = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    if run.returncode:
        raise SystemExit(f"{' '.join(command)}: exit {run.returncode}\n{run.stderr}")
    told: dict[str, Any] = json.loads(run.stdout.splitlines()[-1])
    return told


def differences(ours: Table, told: dict[str, Any]) -> list[str]:
    """Each point in which a table and an interpreter disagree, as one line."""
    found = []
    if told["magic"] not in ours.magics:
        found.append(f"magic number {told['magic']} is not in the table")
    numbers = {name: row.code for name, row in ours.opcodes.items() if row.form != "specialized"}
    found += _compare("number", numbers, told["numbers"])
    forms = {n: [r.code, r.base] for n, r in ours.opcodes.items() if r.form == "specialized"}
    found += _compare("specialised form", forms, told["specialized"])
    for name, items in told["lists"].items():
        if list(ours.lists.get(name, ())) != items:
            found.append(f"list {name}: {list(ours.lists.get(name, ()))} here, {items} there")
    for name, row in sorted(ours.opcodes.items()):
        if row.form in ("base", "internal") and name in told["numbers"]:
            found += _row_differences(row, told)
    return found


def _compare(what: str, ours: dict[str, Any], theirs: dict[str, Any]) -> list[str]:
    return [
        f"{name}: {what} {ours.get(name)} here, {theirs.get(name)} there"
        for name in sorted(ours.keys() | theirs.keys())
        if ours.get(name) != theirs.get(name)
    ]


def _row_differences(row: Opcode, told: dict[str, Any]) -> Iterator[str]:
    caches = told["caches"].get(row.name, 0)
    if row.caches != caches:
        yield f"{row.name}: caches {row.caches} here, {caches} there"
    for kinds, operands in HAS.items():
        theirs = any(row.name in told["has"][kind] for kind in kinds)
        if (row.operand in operands) != theirs:
            yield f"{row.name}: in dis.has{'/'.join(kinds)}?"
    if (row.jump == "absolute") != (row.name in told["has"]["jabs"]):
        yield f"{row.name}: an absolute jump?"
    if row.takes_argument != (row.name in told["has"]["arg"]):
        yield f"{row.name}: takes an argument?"
    for oparg, falls, jumps in told["effects"][row.name]:
        ours = [row.effect(oparg or 0), row.effect(oparg or 0, jump=True)]
        if ours != [falls, jumps]:
            yield f"{row.name} {oparg}: effect {ours} here, {[falls, jumps]} there (no jump, jump)"


def check(asked: list[dict[str, Any]]) -> int:
    """Print the differences of each answer; 1 if there are any."""
    failed = False
    for told in asked:
        found = differences(table(told["version"]), told)
        pairs = sum(map(len, told["effects"].values()))
        print(
            f"CPython {told['full']}: {len(told['numbers'])} opcodes, {len(told['specialized'])} "
            f"specialised forms, {2 * pairs} stack effects: {len(found)} differences"
        )
        for line in found:
            print(f"  {line}")
        failed |= bool(found)
    return int(failed)


def draft(version: str, told: dict[str, Any], like: str) -> Iterator[str]:
    """Lines of a new table: what the interpreter tells, and known rows of an older version."""
    known = tomllib.loads((TABLES / f"cpython-{like}.toml").read_text(encoding="utf-8"))
    yield f"# CPython {version}: what every opcode means. The form of this file:"
    yield "# docs/internals/opcode-tables.md. DRAFT: review each row marked `check`."
    yield ""
    yield f'version = "{version}"'
    yield f'checked = "{told["full"]}"'
    yield f"magics = [{told['magic']}]"
    yield f"release_magics = [{told['magic']}]"
    yield ""
    sections = {name: known[name] for name in SECTIONS if name in known}
    sections["lists"] = known["lists"] | told["lists"]
    for name, values in sections.items():
        yield f"[{name}]"
        yield from (f"{key} = {_toml(value)}" for key, value in values.items())
        yield ""
    yield "[opcode]"
    marked = {name for name in told["numbers"] if name.startswith("INSTRUMENTED_")}
    for name, code in sorted(told["numbers"].items(), key=lambda item: item[1]):
        if name not in marked or name not in known["instrumented"]:
            yield _drafted(name, code, told, known["opcode"].get(name))
    for part in ("intrinsic", "contract", "unconverted"):
        yield ""
        yield f"[{part}]"
        rows = known.get(part, {})
        yield from (f"{json.dumps(name)} = {_toml(value)}" for name, value in rows.items())
    yield ""
    yield "[specialized]"
    yield from (f"{name} = {_toml(pair)}" for name, pair in told["specialized"].items())
    yield ""
    yield "[instrumented]"
    for name in sorted(marked & known["instrumented"].keys(), key=told["numbers"].__getitem__):
        yield f"{name} = {_toml([told['numbers'][name], known['instrumented'][name][1]])}"


def _drafted(name: str, code: int, told: dict[str, Any], known: dict[str, Any] | None) -> str:
    """One row. A comment marks what is new, or what the known row does not explain."""
    fields = {**(known or {}), "code": code, "caches": told["caches"].get(name, 0)}
    listed: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in fields.items()}
    wrong = [*_row_differences(Opcode(name, **listed), told)]
    if known is None:
        wrong.insert(0, "new")
    comment = f"  # check: {wrong[0]}" if wrong else ""
    kept = {key: fields[key] for key in FIELDS if fields.get(key) or fields.get(key) is False}
    return f"{name} = {_toml({'code': code, **kept})}{comment}"


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {_toml(item)}" for key, item in value.items()) + " }"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def main() -> int:
    """Run from the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)
    checking = commands.add_parser("check", help="compare tables with interpreters")
    checking.add_argument("versions", nargs="*", metavar="VERSION", help="such as 3.13")
    drafting = commands.add_parser("draft", help="print a table for a new version")
    drafting.add_argument("version", help="such as 3.16")
    drafting.add_argument(
        "--like", default=VERSIONS[-1], help="take reviewed fields from this table"
    )
    for command in (checking, drafting):
        command.add_argument("--python", action="append", default=[], metavar="EXECUTABLE")
        command.add_argument("--pyodide", action="append", default=[], metavar="DIR")
    options = parser.parse_args()
    asked = [ask(path) for path in options.python] + [ask_pyodide(path) for path in options.pyodide]
    if options.command == "draft":
        if len(asked) != 1:
            parser.error("draft needs one --python or one --pyodide")
        print("\n".join(draft(options.version, asked[0], options.like)))
        return 0
    if options.versions or not asked:
        asked += [ask(path) for path in _found(options.versions or list(VERSIONS))]
    return check(asked)


def _found(versions: list[str]) -> Iterator[str]:
    """Native interpreters of these versions on this machine; says which are missing."""
    for version in versions:
        try:
            yield find(version).path
        except InterpreterError:
            print(f"CPython {version}: not found; --python or --pyodide names one", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())

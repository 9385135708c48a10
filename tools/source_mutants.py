"""Do the tests notice when coscope's own source is changed? A seeded, bounded mutation run.

    python tools/source_mutants.py --count 150 --seed 1 --out mutants.jsonl [--only facts/] [--near]

Each mutant is one change of one expression in a copy of src/. The tests that mirror its file run
first, then those of its room, then all of them; the first failure kills it. The outcomes are
lines of JSON: a run that is repeated with the same seed goes on where it stopped, and runs what
survived with --near once more against all tests when --near is left out. A mutant that
survives all tests is either a gap, or equivalent (it changes nothing that could be seen): that is
for a person to say.
"""

from __future__ import annotations

import argparse
import ast
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ROOT / "src" / "coscope"
SECONDS = 1800  # of one stage

_COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.Lt: "<=", ast.LtE: "<", ast.Gt: ">=", ast.GtE: ">", ast.Eq: "!=", ast.NotEq: "==",
    ast.Is: "is not", ast.IsNot: "is", ast.In: "not in", ast.NotIn: "in",
}  # fmt: skip
_OPERATORS: dict[type[ast.operator], str] = {
    ast.Add: "-", ast.Sub: "+", ast.Mult: "+", ast.FloorDiv: "*", ast.Mod: "*", ast.LShift: ">>",
    ast.RShift: "<<", ast.BitAnd: "|", ast.BitOr: "&",
}  # fmt: skip


@dataclass(frozen=True)
class Mutant:
    """One change of one file."""

    file: str  # relative to src/coscope
    line: int
    start: int  # offsets in the file's text
    stop: int
    old: str
    new: str
    kind: str


def mutants_of(file: Path) -> Iterator[Mutant]:
    """Every mutant of a file, in the order of its text."""
    text = file.read_text(encoding="utf-8")
    starts = [0]
    for line in text.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    lines = text.splitlines(keepends=True)

    def at(line: int, column: int) -> int:
        return starts[line - 1] + len(lines[line - 1].encode()[:column].decode())

    def made(node: ast.expr, new: str, kind: str) -> Mutant:
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        start = at(node.lineno, node.col_offset)
        stop = at(node.end_lineno, node.end_col_offset)
        name = file.relative_to(SOURCES).as_posix()
        return Mutant(name, node.lineno, start, stop, text[start:stop], new, kind)

    tree = ast.parse(text)
    types = {id(inner) for each in _annotations(tree) for inner in ast.walk(each)}
    for node in ast.walk(tree):
        if not isinstance(node, ast.expr) or id(node) in types:
            continue
        changed = _changed(node)
        if changed is not None:
            new, kind = changed
            yield made(node, new, kind)


def _annotations(tree: ast.Module) -> Iterator[ast.expr]:
    """What only type checkers read."""
    for node in ast.walk(tree):
        found: ast.expr | None = None
        if isinstance(node, ast.AnnAssign | ast.arg):
            found = node.annotation
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            found = node.returns
        if found is not None:
            yield found


def _changed(node: ast.expr) -> tuple[str, str] | None:
    """The changed text of an expression, and what was changed; None if it is of no kind."""
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        sign = _COMPARISONS[type(node.ops[0])]
        left, right = ast.unparse(node.left), ast.unparse(node.comparators[0])
        return f"(({left}) {sign} ({right}))", "comparison"
    if isinstance(node, ast.BoolOp):
        sign = " or " if isinstance(node.op, ast.And) else " and "
        return "(" + sign.join(f"({ast.unparse(each)})" for each in node.values) + ")", "and/or"
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return f"bool({ast.unparse(node.operand)})", "not"
    if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
        if any(isinstance(each, ast.Constant) and isinstance(each.value, str)
               for each in (node.left, node.right)):  # fmt: skip
            return None  # a text that is put together: its words are not the subject
        sign = _OPERATORS[type(node.op)]
        return f"(({ast.unparse(node.left)}) {sign} ({ast.unparse(node.right)}))", "operator"
    if isinstance(node, ast.IfExp):
        test, body, other = map(ast.unparse, (node.test, node.body, node.orelse))
        return f"(({other}) if ({test}) else ({body}))", "conditional"
    if isinstance(node, ast.Constant) and type(node.value) is int and not node.value > 10_000:
        return f"({node.value} + 1)", "number"
    if isinstance(node, ast.Constant) and type(node.value) is bool:
        return str(not node.value), "truth"
    return None


def drawn(count: int, seed: int, only: list[str]) -> list[Mutant]:
    """So many mutants by lot: a file by its size, then one of its mutants."""
    files = [
        file
        for file in sorted(SOURCES.rglob("*.py"))
        if not only or file.relative_to(SOURCES).as_posix().startswith(tuple(only))
    ]
    choices = {file: list(mutants_of(file)) for file in files}
    files = [file for file in files if choices[file]]
    weights = [len(choices[file]) for file in files]
    lot = random.Random(seed)
    found: dict[tuple[str, int, int], Mutant] = {}
    while len(found) < min(count, sum(weights)):
        mutant = lot.choice(choices[lot.choices(files, weights)[0]])
        found.setdefault((mutant.file, mutant.start, mutant.stop), mutant)
    return list(found.values())


def stages(file: str, *, near: bool) -> list[list[str]]:
    """Tests to run, the nearest first; all of them last, unless only those `near` are asked for."""
    parts = file.removesuffix(".py").split("/")
    rooms = [ROOT.joinpath("tests", *parts[:depth]) for depth in range(len(parts) - 1, 0, -1)]
    found = [[str(folder.relative_to(ROOT))] for folder in rooms if folder.is_dir()]
    mirror = ROOT.joinpath("tests", *parts[:-1], f"test_{parts[-1]}.py")
    if mirror.exists():
        found.insert(0, [str(mirror.relative_to(ROOT))])
    return found if near and found else [*found, ["tests"]]


def outcome_of(mutant: Mutant, copy: Path, *, near: bool) -> dict[str, object]:
    """Apply a mutant to the copy, run the tests, and take it back."""
    target = copy / "coscope" / mutant.file
    text = target.read_text(encoding="utf-8")
    changed = text[: mutant.start] + mutant.new + text[mutant.stop :]
    compile(changed, mutant.file, "exec")
    target.write_text(changed, encoding="utf-8")
    started = time.monotonic()
    try:
        for paths in stages(mutant.file, near=near):
            failed = _fails(paths, copy)
            if failed:
                return {"killed": True, "by": failed, "seconds": round(time.monotonic() - started)}
        return {"killed": False, "by": "", "seconds": round(time.monotonic() - started)}
    finally:
        target.write_text(text, encoding="utf-8")


def _fails(paths: list[str], copy: Path) -> str:
    """The first failure of these tests; "" if they pass."""
    words = [sys.executable, "-B", "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider"]
    words += ["-n", "2"] if paths == ["tests"] else []
    environment = {**os.environ, "PYTHONPATH": str(copy), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        run = subprocess.run(
            [*words, *paths], cwd=ROOT, env=environment, capture_output=True, text=True,
            timeout=SECONDS,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return "a time-out"
    if run.returncode in (0, 5):
        return ""
    named = [line for line in run.stdout.splitlines() if line.startswith(("FAILED", "ERROR"))]
    return named[0][:160] if named else f"status {run.returncode}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--count", type=int, default=150)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("mutants.jsonl"))
    parser.add_argument("--only", action="append", default=[], metavar="PREFIX")
    parser.add_argument(
        "--near", action="store_true", help="only the tests of the mutant's own room"
    )
    options = parser.parse_args()
    done = {}
    if options.out.exists():
        for line in options.out.read_text(encoding="utf-8").splitlines():
            row = json.loads(line)
            done[row["file"], row["start"], row["stop"]] = row
    with tempfile.TemporaryDirectory() as name:
        copy = Path(name) / "src"
        shutil.copytree(SOURCES, copy / "coscope", ignore=shutil.ignore_patterns("__pycache__"))
        for mutant in drawn(options.count, options.seed, options.only):
            key = mutant.file, mutant.start, mutant.stop
            earlier = done.get(key)
            if earlier is None or (
                earlier.get("near") and not earlier["killed"] and not options.near
            ):
                done[key] = {
                    **asdict(mutant),
                    "near": options.near,
                    **outcome_of(mutant, copy, near=options.near),
                }
                with options.out.open("a", encoding="utf-8") as file:
                    file.write(json.dumps(done[key]) + "\n")
                print("killed" if done[key]["killed"] else "SURVIVED", mutant, flush=True)
    killed = sum(bool(row["killed"]) for row in done.values())
    print(f"{killed} of {len(done)} killed")
    for row in done.values():
        if not row["killed"]:
            print(f"  {row['file']}:{row['line']}  {row['old']}  ->  {row['new']}")


if __name__ == "__main__":
    main()

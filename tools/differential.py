"""The proof: coscope against the `dis` of every CPython, over whole standard libraries.

    python tools/differential.py pyc 3.8 3.13        read .pyc files of these versions
    python tools/differential.py live                code objects of this very interpreter
    python tools/differential.py --all               everything; prints docs/measurements.md's table

tools/interpreters.py finds the interpreters. `pyodide-3.14` and `pyodide-3.15` are those inside
Pyodide, the platform of browsers. The exit status is 1 if anything differs.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import platform
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

import interpreters
import probe
from comparison import (
    DELIBERATE,
    Tally,
    check_file,
    check_flag_names,
    check_live,
    check_live_code,
    differences,
)

TOOLS = Path(__file__).resolve().parent
INSIDE = "pyodide-"  # before the version: inside Pyodide
EVERYWHERE = (*interpreters.VERSIONS, *(INSIDE + version for version in interpreters.PYODIDES))
CHECKS = frozenset({"dis", "stack", "encode"})
PROBE_SECONDS = 3600

Work = tuple[Callable[..., Tally], tuple[object, ...]]  # a check and its arguments


@dataclass(frozen=True)
class Request:
    """Which part of a library to compare, and how."""

    sample: int | None = None  # so many files, chosen by seed; None: all of them
    seed: int = 1
    optimize: int = 0  # as in `compile`
    jobs: int = 2
    checks: frozenset[str] = CHECKS
    root: str | None = None  # sources to compile instead of the interpreter's own library


@dataclass
class Result:
    """What came out for one interpreter."""

    label: str  # "3.13.0, .pyc"
    tally: Tally
    details: list[str]
    seconds: float

    @property
    def ok(self) -> bool:
        """True if nothing differs and something was compared."""
        return not self.tally.mismatches and self.tally.counts["code objects"] > 0


def command(version: str, out: Path, root: str | None) -> list[str]:
    """The words that start the probe in an interpreter of this version."""
    if version.startswith(INSIDE):
        base = interpreters.pyodide(version.removeprefix(INSIDE))
        if base is None:
            digits = version.removeprefix(INSIDE).replace(".", "")
            raise SystemExit(
                f"{version}: set COSCOPE_PYODIDE_{digits} to a folder with node_modules/pyodide, "
                "and have node on PATH"
            )
        words = ["node", str(TOOLS / "pyodide_run.mjs"), str(base)]
        words += ["--mount", f"{TOOLS}=/tools", "--mount", f"{out}=/out"]
        if root:
            words += ["--mount", f"{root}=/library"]
        return [*words, "/tools/probe.py", "/out", *(["--root", "/library"] if root else [])]
    words = [str(native(version)), "-I", "-X", "utf8", str(TOOLS / "probe.py"), str(out)]
    return [*words, *(["--root", root] if root else [])]


def native(version: str) -> Path:
    """The native interpreter of a version.

    Raises:
        SystemExit: There is none here.
    """
    found = interpreters.find(version)
    if found is None:
        raise SystemExit(interpreters.missing(version))
    return found


def compare_pyc(version: str, request: Request) -> Result:
    """Have an interpreter compile and describe its library; compare what coscope reads."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="coscope-") as folder:
        words = command(version, Path(folder), request.root)
        words += ["--seed", str(request.seed), "--optimize", str(request.optimize)]
        words += ["--sample", str(request.sample)] if request.sample else []
        run_probes(words, 1 if version.startswith(INSIDE) else request.jobs)
        tally = Tally()
        lines: list[str] = []
        release = version
        for index in sorted(Path(folder).glob("index-*.jsonl")):
            head, *rest = index.read_text(encoding="ascii").splitlines()
            lines += rest
            release = json.loads(head)["version"]
            for what in check_flag_names(json.loads(head)["flags"]):
                tally.miss("flag names", "", what)
        work: list[Work] = [
            (check_file, (folder, line, version.removeprefix(INSIDE), request.checks))
            for line in lines
        ]
        for part in _spread(work, request.jobs, f"{release} .pyc"):
            tally.add(part)
        details = _explain(words, folder, tally)
    label = f"{release}, .pyc" + (", Pyodide" if version.startswith(INSIDE) else "")
    label += ", another version's sources" if request.root else ""
    return Result(label, tally, details, time.monotonic() - began)


def run_probes(words: list[str], workers: int) -> None:
    """Run the probe in so many processes, each with its share of the files."""
    probes = [
        subprocess.Popen([*words, "--share", f"{n}/{workers}"], stdout=sys.stderr)
        for n in range(workers)
    ]
    failed = [p.args for p in probes if p.wait(PROBE_SECONDS)]
    if failed:
        raise SystemExit(f"the probe failed: {failed[0]!r}")


def _explain(words: list[str], folder: str, tally: Tally) -> list[str]:
    """Rows that differ, of the first files that do."""
    paths = {path for kind in probe.SECTIONS for path, _ in tally.examples.get(kind, [])[:4]}
    if not paths:
        return []
    Path(folder, "wanted").write_text("\n".join(sorted(paths)), encoding="utf-8")
    inside = "/out/wanted" if words[0] == "node" else str(Path(folder, "wanted"))
    run_probes([*words, "--details", inside], 1)
    lines = Path(folder, "details-0.jsonl").read_text(encoding="ascii").splitlines()[1:]
    found = []
    for line in lines:
        described = json.loads(line)
        found += [f"{described['path']}: {text}" for text in differences(folder, described)][:40]
    return found


def compare_live(request: Request) -> Result:
    """Compare the live code objects of this host: its library, then all that this process holds.

    The second lot has been executed, so part of it is specialised and instrumented inside.
    """
    began = time.monotonic()
    label = f"{platform.python_version()}, live"
    chosen = probe.choose(probe.sources(request.root), request.sample, request.seed)
    work: list[Work] = [
        (check_live, (name, probe.read(at, name), request.checks)) for at, name in chosen
    ]
    tally = Tally()
    for part in _spread(work, request.jobs, label):
        tally.add(part)
    for code in _alive(request):
        tally.counts["of them executed in this process"] += 1
        check_live_code(code, code.co_filename, request.checks, tally)
    return Result(label, tally, [], time.monotonic() - began)


def _alive(request: Request) -> list[CodeType]:
    """Every code object of a function of this process, or a sample, each once."""
    found = {id(f.__code__): f.__code__ for f in gc.get_objects() if type(f) is FunctionType}
    codes = list(found.values())
    if request.sample is None:
        return codes
    most = min(10 * request.sample, len(codes))
    return random.Random(request.seed).sample(codes, most)


def _spread(work: list[Work], jobs: int, label: str) -> Iterator[Tally]:
    """Do the work on several processes, with a progress bar on a terminal's stderr."""
    size = max(1, min(16, len(work) // (4 * jobs)))
    chunks = [work[at : at + size] for at in range(0, len(work), size)]
    with progress(label, len(chunks)) as advance:
        if jobs == 1:
            for chunk in chunks:
                yield _do(chunk)
                advance()
            return
        with ProcessPoolExecutor(jobs) as pool:
            for done in as_completed([pool.submit(_do, chunk) for chunk in chunks]):
                yield done.result()
                advance()


def _do(chunk: Iterable[Work]) -> Tally:
    tally = Tally()
    for check, arguments in chunk:
        tally.add(check(*arguments))
    return tally


@contextmanager
def progress(label: str, total: int) -> Iterator[Callable[[], None]]:
    """A bar on a terminal's stderr; what it gives is called for each part that is done."""
    done = 0

    def advance() -> None:
        nonlocal done
        done += 1
        if sys.stderr.isatty():
            filled = 40 * done // total
            bar = "#" * filled + "." * (40 - filled)
            print(f"\r{label} [{bar}] {done}/{total}", end="", file=sys.stderr, flush=True)

    yield advance
    if sys.stderr.isatty():
        print(file=sys.stderr)


def show(result: Result) -> None:
    """Print the counts of one comparison, and every kind of mismatch with examples."""
    tally = result.tally
    print(f"{result.label}: {'equal' if result.ok else 'DIFFERENT'} ({result.seconds:.0f} s)")
    for name, count in sorted(tally.counts.items()):
        print(f"  {count:>11,} {name}")
    for name, count in sorted(tally.deliberate.items()):
        reason = next(why for (_, opname), why in DELIBERATE.items() if opname == name)
        print(f"  {count:>11,} {name}, different on purpose: {reason}")
    for kind, count in tally.mismatches.most_common():
        print(f"  {count:>11,} MISMATCHES: {kind}")
        for path, what in tally.examples[kind]:
            print(f"              {path}: {what}")
    for line in result.details:
        print(f"    {line[:400]}")
    sys.stdout.flush()


def table_of(results: list[Result]) -> str:
    """The Markdown table of docs/measurements.md."""
    head = (
        "| read | files | not compiled | code objects | instructions | mismatches | fail to load "
        "| on purpose | stack = declared | below | above | encoded | encoded otherwise |\n"
        "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|"
    )
    return "\n".join([head, *map(_line, results)])


def _line(result: Result) -> str:
    counts, missed = result.tally.counts, result.tally.mismatches
    apart = {kind: n for kind, n in missed.items() if kind.startswith(("stack", "encode"))}
    failed = sum(n for kind, n in missed.items() if "fail to load" in kind)
    declared = [
        counts["stack equal to co_stacksize"],
        counts["stack below co_stacksize"],
        sum(n for kind, n in apart.items() if kind.startswith("stack")),
    ]
    encoded = [
        counts["encoded"],
        sum(n for kind, n in apart.items() if kind.startswith("encode")),
    ]
    cells: list[int | None] = [
        counts["files"],
        counts["files that this version does not compile"],
        counts["code objects"],
        counts["instructions"],
        missed.total() - sum(apart.values()) - failed,
        failed,
        result.tally.deliberate.total(),
        *(declared if any(declared) else [None] * len(declared)),  # None: was not checked
        *(encoded if any(encoded) else [None] * len(encoded)),
    ]
    texts = ["" if cell is None else f"{cell:,}" for cell in cells]
    return f"| {result.label} | " + " | ".join(texts) + " |"


def everything(request: Request) -> list[Result]:
    """`--all`: live on every host, .pyc of every version, and of those inside Pyodide."""
    results = []
    for version in interpreters.HOSTS:
        results.append(_live_elsewhere(version, request))
        show(results[-1])
    for version in EVERYWHERE:
        results.append(compare_pyc(version, request))
        show(results[-1])
    return results


def _live_elsewhere(version: str, request: Request) -> Result:
    """`live` on another interpreter, where coscope runs from its sources."""
    words = [str(native(version)), str(TOOLS / "differential.py"), "live", "--json"]
    words += ["--jobs", str(request.jobs), "--seed", str(request.seed)]
    words += ["--sample", str(request.sample)] if request.sample else []
    environment = {**os.environ, "PYTHONPATH": str(TOOLS.parent / "src")}
    run = subprocess.run(words, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        return from_json(run.stdout.splitlines()[-1])
    except (IndexError, ValueError):
        raise SystemExit(f"comparing live code on {version} failed") from None


def to_json(result: Result) -> str:
    """One line that `from_json` reads."""
    return json.dumps(
        {
            "label": result.label,
            "tally": vars(result.tally),
            "details": result.details,
            "seconds": result.seconds,
        }
    )


def from_json(line: str) -> Result:
    """The result that `to_json` wrote."""
    data: dict[str, Any] = json.loads(line)
    told = data["tally"]
    counters = [Counter[str](told[name]) for name in ("counts", "mismatches", "deliberate")]
    examples = {kind: [(a, b) for a, b in rows] for kind, rows in told["examples"].items()}
    tally = Tally(counters[0], counters[1], counters[2], examples)
    return Result(data["label"], tally, data["details"], data["seconds"])


def arguments() -> argparse.ArgumentParser:
    """The options of the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("what", nargs="?", choices=["pyc", "live"])
    parser.add_argument(
        "versions", nargs="*", help="for pyc: such as 3.14 or pyodide-3.14; otherwise all"
    )
    parser.add_argument("--all", action="store_true", help="everything, and the table")
    parser.add_argument("--sample", type=int, help="so many files instead of all")
    parser.add_argument("--seed", type=int, default=1, help="of the sample")
    parser.add_argument("--optimize", type=int, default=0, choices=[0, 1, 2])
    parser.add_argument("--root", help="a folder of sources instead of the standard library")
    parser.add_argument("--checks", default=",".join(sorted(CHECKS)))
    parser.add_argument("-j", "--jobs", type=int, default=2)
    parser.add_argument("--json", action="store_true", help="one line of JSON for each result")
    return parser


def main() -> int:
    """Run what the command line asks for."""
    parser = arguments()
    options = parser.parse_args()
    checks = frozenset(options.checks.split(","))
    if not checks <= CHECKS or bool(options.what) == options.all:
        parser.error("give `pyc`, `live` or --all, and --checks of " + ", ".join(sorted(CHECKS)))
    request = Request(
        options.sample, options.seed, options.optimize, options.jobs, checks, options.root
    )
    if options.all:
        results = everything(request)
        print(table_of(results))
    elif options.what == "live":
        results = [compare_live(request)]
    else:
        versions = options.versions or EVERYWHERE
        results = [compare_pyc(version, request) for version in versions]
    for result in results if not options.all else []:
        print(to_json(result)) if options.json else show(result)
    equal = all(result.ok for result in results)
    if not options.json:
        print("No mismatch." if equal else "There are MISMATCHES; see above.")
    return 0 if equal else 1


if __name__ == "__main__":
    sys.exit(main())

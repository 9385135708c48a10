"""No false rejection: `coscope.verify` over everything that the compiler has written.

    python tools/verify_corpus.py --all [--packages FOLDER]
    python tools/verify_corpus.py [VERSION...] [--packages FOLDER] [--level N...] [--sample N]

Each source file is compiled at each level of optimization and every code object of it verified;
nothing is executed, and none may be rejected. Each version compiles and verifies in itself;
tools/interpreters.py finds it.

FOLDER holds installed packages (`pip install --target FOLDER`); `{version}` in it stands for the
version that compiles them. Without a VERSION the running interpreter is the one. The exit status is
1 if a code object is rejected, a file cannot be read, or nothing was verified.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import differential
import interpreters
import probe
from coscope.errors import CoscopeError
from coscope.model import Code
from coscope.readers.from_function import HOST_VERSION, from_code_object
from coscope.verifier import verify

LEVELS = (0, 1, 2)  # of `compile(optimize=)`
UNCOMPILED = (SyntaxError, ValueError, RecursionError, MemoryError)


@dataclass(frozen=True)
class Corpus:
    """What is compiled, by which interpreter, and how."""

    version: str
    name: str  # "library", "packages"
    root: str | None  # folder of the sources; None: the interpreter's own library
    level: int
    sample: int | None = None  # so many files, chosen by seed; None: all of them
    seed: int = 1
    jobs: int = 2


@dataclass
class Tally:
    """What came out."""

    release: str = ""  # "3.13.0"
    corpus: str = ""
    level: int = 0
    files: int = 0
    skipped: int = 0  # files that the interpreter itself does not compile
    codes: int = 0
    rejected: int = 0  # code objects, or files that could not be read
    seconds: float = 0.0  # CPU time of `verify`, over all processes
    violations: list[str] = field(default_factory=list)

    def add(self, other: Tally) -> None:
        """Add what another process counted."""
        self.files += other.files
        self.skipped += other.skipped
        self.codes += other.codes
        self.rejected += other.rejected
        self.seconds += other.seconds
        self.violations += other.violations

    @property
    def ok(self) -> bool:
        """True if something was verified, and nothing rejected."""
        return self.codes > 0 and not self.rejected


# One process's work


def check_sources(files: Iterable[tuple[str, str]], level: int) -> Tally:
    """Compile files by this interpreter and verify them."""
    tally = Tally()
    for container, name in files:
        tally.files += 1
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                compiled = compile(
                    probe.read(container, name), name, "exec", dont_inherit=True, optimize=level
                )
        except UNCOMPILED:
            tally.skipped += 1
        else:
            check(tally, name, partial(from_code_object, compiled))
    return tally


def check(tally: Tally, name: str, read: Callable[[], Code]) -> None:
    """Read one file's code, verify it, and count."""
    try:
        code = read()
        began = time.process_time()
        report = verify(code, file=name)
    except CoscopeError as error:
        tally.rejected += 1
        tally.violations.append(f"{name}: {type(error).__name__}: {error}")
        return
    tally.seconds += time.process_time() - began
    tally.codes += report.codes
    tally.rejected += len({violation.number for violation in report.violations})
    tally.violations += [
        f"{name}: {violation} [{', '.join(violation.stack or ())}]"
        for violation in report.violations
    ]


# All of a corpus


def measure(corpus: Corpus) -> Tally:
    """Compile and verify a corpus, in this interpreter or in the one of its version."""
    if corpus.version != HOST_VERSION:
        return _elsewhere(corpus)
    files = probe.choose(probe.sources(corpus.root), corpus.sample, corpus.seed)
    tally = Tally(platform.python_version(), corpus.name, corpus.level)
    for part in _spread(partial(check_sources, level=corpus.level), files, corpus):
        tally.add(part)
    tally.violations.sort()
    return tally


def _elsewhere(corpus: Corpus) -> Tally:
    """Have another interpreter compile and verify, running coscope from its sources."""
    words = [str(differential.native(corpus.version)), str(Path(__file__).resolve()), "--json"]
    words += ["--level", str(corpus.level), "--jobs", str(corpus.jobs), "--seed", str(corpus.seed)]
    words += [] if corpus.sample is None else ["--sample", str(corpus.sample)]
    words += [] if corpus.root is None else ["--packages", corpus.root, "--no-library"]
    source = Path(__file__).resolve().parent.parent / "src"
    run = subprocess.run(
        words, env={**os.environ, "PYTHONPATH": str(source)}, stdout=subprocess.PIPE, text=True
    )
    try:
        return Tally(**json.loads(run.stdout.splitlines()[-1]))
    except (IndexError, ValueError):
        raise SystemExit(f"verifying on {corpus.version} failed") from None


def _spread(
    work: Callable[[list[tuple[str, str]]], Tally], files: list[tuple[str, str]], corpus: Corpus
) -> Iterator[Tally]:
    """Do the work on several processes, with a progress bar on a terminal's stderr."""
    size = max(1, min(16, len(files) // (4 * corpus.jobs)))
    chunks = [files[at : at + size] for at in range(0, len(files), size)]
    label = f"{corpus.version}, {corpus.name}, -O{corpus.level}"
    with differential.progress(label, len(chunks)) as advance:
        if corpus.jobs == 1:
            for chunk in chunks:
                yield work(chunk)
                advance()
            return
        with ProcessPoolExecutor(corpus.jobs) as pool:
            for done in as_completed([pool.submit(work, chunk) for chunk in chunks]):
                yield done.result()
                advance()


# The command


def corpora(options: argparse.Namespace) -> Iterator[Corpus]:
    """What the command line asks for."""
    for version in interpreters.HOSTS if options.all else options.versions or [HOST_VERSION]:
        places: list[tuple[str, str | None]] = []
        if not options.no_library:
            places.append(("library", None))
        if options.packages:
            places.append(("packages", options.packages.replace("{version}", version)))
        plain = Corpus(version, "", None, 0, options.sample, options.seed, options.jobs)
        for name, root in places:
            if root is not None and not Path(root).is_dir():
                raise SystemExit(f"no folder {root!r}")
            for level in options.level or LEVELS:
                yield replace(plain, name=name, root=root, level=level)


def table_of(tallies: Iterable[Tally]) -> Iterator[str]:
    """The lines of the Markdown table of docs/internals/verifier.md."""
    yield (
        "| CPython | corpus | level | files | not compiled "
        "| code objects | rejected | CPU s | a second |"
    )
    yield "|---|---|---|--:|--:|--:|--:|--:|--:|"
    total = Tally()
    for tally in tallies:
        yield line_of(tally)
        total.add(tally)
    yield (
        f"| in all | | | {total.files:,} | {total.skipped:,} "
        f"| {total.codes:,} | {total.rejected:,} | {total.seconds:.1f} | |"
    )


def line_of(tally: Tally) -> str:
    """One row of the table."""
    rate = round(tally.codes / tally.seconds) if tally.seconds else 0
    return (
        f"| {tally.release} | {tally.corpus} | -O{tally.level} | {tally.files:,} "
        f"| {tally.skipped:,} | {tally.codes:,} | {tally.rejected:,} "
        f"| {tally.seconds:.1f} | {rate:,} |"
    )


def arguments() -> argparse.ArgumentParser:
    """The options of the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n")[0])
    parser.add_argument("versions", nargs="*", help="3.11 to 3.15; if none is named, this one")
    parser.add_argument("--all", action="store_true", help="every version")
    parser.add_argument("--packages", help="a folder of packages besides the library")
    parser.add_argument("--no-library", action="store_true", help="the packages alone")
    parser.add_argument("--level", type=int, action="append", choices=LEVELS, help="default: all")
    parser.add_argument("--sample", type=int, help="so many files of each instead of all")
    parser.add_argument("--seed", type=int, default=1, help="of the sample")
    parser.add_argument("-j", "--jobs", type=int, default=2)
    parser.add_argument("--json", action="store_true", help="one line of JSON for each row")
    return parser


def main() -> int:
    """Run what the command line asks for."""
    parser = arguments()
    options = parser.parse_args()
    if (options.all and options.versions) or not set(options.versions) <= set(interpreters.HOSTS):
        parser.error("give --all or versions of " + ", ".join(interpreters.HOSTS))
    tallies = []
    for corpus in list(corpora(options)):  # a missing folder is told before the work
        tally = measure(corpus)
        tallies.append(tally)
        if options.json:
            print(json.dumps(vars(tally)), flush=True)
            continue
        print(line_of(tally), flush=True)
        for violation in tally.violations:
            print(f"    {violation}", flush=True)
    if not options.json:
        print(*table_of(tallies), sep="\n")
        print("None is rejected." if all(t.ok for t in tallies) else "REJECTED; see above.")
    return 0 if tallies and all(tally.ok for tally in tallies) else 1


if __name__ == "__main__":
    sys.exit(main())

"""Compares `coscope explain` with five other printers of tracebacks, on the same 40 failures.

python tools/explain_comparison.py            prints the table
python tools/explain_comparison.py --write    writes docs/explain-comparison.md

Needs the extra `bench`. Each printer runs in a process of its own, on the programs of
tests/explanations/failing.py, in the context "function". What is counted is counted by this
program, by the same rules for all.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

from tests.explanations.failing import EXPRESSIONS, Program, programs  # noqa: E402

PAGE = ROOT / "docs" / "explain-comparison.md"

PRINTERS = {
    "traceback": "standard traceback",
    "rich": "rich, show_locals",
    "stackprinter": "stackprinter",
    "stack_data": "stack_data",
    "better_exceptions": "better_exceptions",
    "coscope": "coscope explain",
}

# Runs in a process of its own: the printer's name and the programs' files come as JSON.
RUNNER = """\
import io, json, signal, sys, time
printer, files = json.load(sys.stdin)

if printer == "traceback":
    import traceback
    def show(error): return "".join(traceback.format_exception(error))
elif printer == "rich":
    from rich.console import Console
    from rich.traceback import Traceback
    def show(error):
        console = Console(file=io.StringIO(), width=120)
        made = Traceback.from_exception(type(error), error, error.__traceback__, show_locals=True)
        console.print(made)
        return console.file.getvalue()
elif printer == "stackprinter":
    import stackprinter
    def show(error): return stackprinter.format(error)
elif printer == "stack_data":
    from stack_data import Formatter
    def show(error):
        return "".join(Formatter(show_variables=True).format_exception(error))
elif printer == "better_exceptions":
    import better_exceptions
    better_exceptions.SUPPORTS_COLOR = False
    made = better_exceptions.ExceptionFormatter(colored=False, max_length=None)
    def show(error):
        text = made.format_exception(type(error), error, error.__traceback__)
        return "".join(text)
else:
    import coscope
    def show(error): return str(coscope.explain(error))

class TooLong(BaseException):
    pass

def over(*given):
    raise TooLong

signal.signal(signal.SIGALRM, over)
answers = []
for file in files:
    namespace = {"__name__": "made"}
    try:
        exec(compile(open(file).read(), file, "exec"), namespace)
        namespace["run"]()
    except Exception as error:
        # Not the frame of this runner, whose source nobody has.
        error.__traceback__ = error.__traceback__.tb_next
        signal.alarm(5)
        begun = time.perf_counter()
        try:
            show(error)  # what is imported or cached at first is not counted
            begun = time.perf_counter()
            text = show(error)
        except TooLong:
            text = "FAILED: it took longer than 5 s"
        except Exception as failed:
            text = "FAILED: %r" % failed
        finally:
            signal.alarm(0)
        answers.append([text, 1000 * (time.perf_counter() - begun)])
json.dump(answers, sys.stdout)
"""

HOSTILE = """\
class Loud:
    def __repr__(self):
        print("REPR RAN", file=open({file!r}, "a"))
        return "<loud>"

def run():
    loud = Loud()
    password = "hunter2-hunter2"
    return loud.missing + password
"""


class Row(NamedTuple):
    """What one printer did."""

    printer: str
    marked: int  # failures whose expression is marked exactly
    known: int  # operands whose value is shown
    origin: int  # operands of which it is said where the value came from
    repr_ran: bool
    secret_shown: bool
    failed: int  # failures of the printer itself, or more than 5 s
    milliseconds: float  # median
    characters: int  # median
    texts: list[str]


def chosen() -> list[Program]:
    """One program of each kind."""
    return [each for each in programs(every=True) if each.context == "function"]


def run(printer: str, files: list[Path]) -> list[tuple[str, float]]:
    """The printer's texts, and the milliseconds that they took."""
    done = subprocess.run(
        [sys.executable, "-c", RUNNER],
        input=json.dumps([printer, list(map(str, files))]),
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    answers: list[Any] = json.loads(done.stdout)
    return [(text, milliseconds) for text, milliseconds in answers]


_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_BORDERS = re.compile(r"[│┃╭╮╰╯]")


def is_marked(text: str, program: Program) -> bool:
    """True if a line of marks lies exactly under the expression, or the whole line is it."""
    source = program.source.splitlines()[program.start[0] - 1]
    expression = source[program.start[1] : program.stop[1]]
    lines = _COLOURS.sub("", text).splitlines()
    for at, line in enumerate(lines):
        where = line.find(source.strip())
        if where < 0:
            continue
        start = where + program.start[1] - (len(source) - len(source.lstrip()))
        marks = lines[at + 1] if at + 1 < len(lines) else ""
        part = marks[start : start + len(expression)]
        around = marks[:start] + marks[start + len(expression) :]
        if part and set(part) <= set("~^━") and not set(around) & set("~^━"):
            return True
    # CPython prints no marks where the whole line is the expression.
    last = [line.strip() for line in lines if source.strip() in line]
    return bool(last) and expression == source.strip() and "Traceback (most" in text


def is_known(text: str, name: str, value: str) -> bool:
    """True if a variable's value is shown beside its name, or below it (better_exceptions)."""
    plain = _BORDERS.sub(" ", _COLOURS.sub("", text))
    escaped = re.escape(value)
    beside = re.search(rf"(?<![\w.]){re.escape(name)}\s*(?:=|:|is)\s*{escaped}", plain)
    below = re.search(rf"└\s*{escaped}\s*$", _COLOURS.sub("", text), re.MULTILINE)
    return bool(beside or below)


def rows() -> Iterator[Row]:
    """Every printer's row."""
    with tempfile.TemporaryDirectory() as folder:
        held = chosen()
        files = [Path(folder, f"{program.kind.name}.py") for program in held]
        for file, program in zip(files, held, strict=True):
            file.write_text(program.source, encoding="utf-8")
        for printer in PRINTERS:
            noise = Path(folder, f"{printer}.ran")
            loud = Path(folder, f"loud_{printer}.py")
            loud.write_text(HOSTILE.format(file=str(noise)), encoding="utf-8")
            answers = run(printer, files)
            ((heard, _),) = run(printer, [loud])
            yield _row(printer, held, answers, heard, noise.exists())


def _row(
    printer: str, held: list[Program], answers: list[tuple[str, float]], heard: str, ran: bool
) -> Row:
    texts = [text for text, _ in answers]
    pairs = list(zip(held, texts, strict=True))
    values = [(text, name, value) for each, text in pairs for name, value in each.kind.values]
    return Row(
        printer=printer,
        marked=sum(is_marked(text, program) for program, text in pairs),
        known=sum(is_known(text, name, value) for text, name, value in values),
        origin=sum(
            bool(re.search(rf"{name} = .*line \d+|`{name}` is .* since line \d+", text))
            for text, name, _ in values
        ),
        repr_ran=ran,
        failed=sum(text.startswith("FAILED") for text in texts),
        secret_shown="hunter2" in re.sub(r'password = "hunter2-hunter2"', "", heard),
        milliseconds=sorted(time for _, time in answers)[len(answers) // 2],
        characters=sorted(map(len, texts))[len(texts) // 2],
        texts=texts,
    )


def table(found: list[Row]) -> str:
    """The table of the page."""
    count = len(chosen())
    operands = sum(len(program.kind.values) for program in chosen())
    lines = [
        f"| | expression marked exactly, of {count} | values shown, of {operands} "
        f"| origins said, of {operands} | runs `__repr__` of the program "
        "| shows a local `password` | gave up | median ms | median characters |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {PRINTERS[row.printer]} | {row.marked} | {row.known} | {row.origin} "
        f"| {'yes' if row.repr_ran else 'no'} | {'yes' if row.secret_shown else 'no'} "
        f"| {row.failed} | {row.milliseconds:.1f} | {row.characters:,} |"
        for row in found
    ]
    return "\n".join(lines)


def page(found: list[Row]) -> str:
    """The page of the documentation."""
    held = chosen()
    at = next(n for n, program in enumerate(held) if program.kind.name == "index_past_end")
    examples = "".join(
        f"\n### {PRINTERS[row.printer]}\n\n```text\n{_tidy(row.texts[at])}\n```\n" for row in found
    )
    names = ("rich", "stackprinter", "stack-data", "better-exceptions")
    versions = ", ".join(f"{name} {version(name)}" for name in names)
    return HEAD.format(
        table=table(found),
        python=sys.version.split()[0],
        versions=versions,
        contexts=len(EXPRESSIONS),
        examples=examples,
    )


def _tidy(text: str) -> str:
    """Without the runner's own frame, paths of this machine and trailing space."""
    text = re.sub(r"/tmp/[\w./-]+/(\w+\.py)", r"\1", _COLOURS.sub("", text))
    return "\n".join(line.rstrip() for line in text.strip("\n").splitlines())


HEAD = """\
# How `explain` compares

The same 40 failures, one of each kind of `tests/explanations/failing.py`, printed by six printers.
CPython {python}; {versions}.
Made by `python tools/explain_comparison.py --write`, which counts by the same rules for all.

{table}

- **Expression marked exactly**: a line of marks lies under the failing expression and nothing
  else. rich and stackprinter mark the line.
- **Values shown**: of the operands of the failing expression, those whose value is beside its
  name. Printers that show all locals show them too, among the others; coscope leaves out what the
  instruction did not take.
- **Origins**: the line that gave the variable its value.
- **Runs `__repr__`**: a local's class has a `__repr__` that writes a file. coscope shows such an
  object as its type and address: that is less than its `repr`, and cannot fail, hang or change
  anything.
- **Gave up**: an exception of the printer itself, or more than 5 s for one page.
- **Median ms**: of the second printing of the same exception, so without imports
  and caches.

What others do that coscope does not: rich colours the source and draws panels; stackprinter and
stack_data print the values of all variables in sight; better_exceptions prints every value under
its name in the line. They work on any Python; coscope needs CPython.

better_exceptions 0.3.3 prints values on CPython 3.11; on the one above it printed none.

## One failure, six pages

`rows = [1, 2]; at = 2; rows[at]`
{examples}"""


def main(words: list[str]) -> int:
    """Print the table, or write the page."""
    found = list(rows())
    if "--write" in words:
        PAGE.write_text(page(found), encoding="utf-8", newline="\n")
        print(f"written: {PAGE.relative_to(ROOT)}")
    print(table(found))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

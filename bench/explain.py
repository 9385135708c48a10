"""The time of an explanation, and what a program pays that raises nothing.

python bench/explain.py

Named rivals, in the same run: the standard `traceback.format_exception`, stackprinter, stack_data.
Needs the extra `bench`. Medians of the 40 failures of tests/explanations/failing.py.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "src")]

import coscope  # noqa: E402
from tests.explanations.failing import programs  # noqa: E402

LOOP = """\
import time
{before}
def work(n):
    total = 0
    for i in range(n):
        total += i * 2 if i & 1 else i
    return total
begun = time.process_time()
work(3_000_000)
print(time.process_time() - begun)
"""


def raised(folder: Path) -> list[BaseException]:
    """One exception of each kind."""
    found: list[BaseException] = []
    for program in programs(every=True):
        if program.context != "function":
            continue
        file = folder / f"{program.kind.name}.py"
        file.write_text(program.source, encoding="utf-8")
        namespace: dict[str, object] = {"__name__": "made"}
        try:
            exec(compile(program.source, str(file), "exec", dont_inherit=True), namespace)
            namespace["run"]()  # type: ignore[operator]
        except Exception as error:
            found.append(error)
    return found


def median(errors: list[BaseException], show: Callable[[BaseException], object]) -> float:
    """Milliseconds of CPU for one page, the second time."""
    times = []
    for error in errors:
        show(error)
        begun = time.process_time()
        show(error)
        times.append(1000 * (time.process_time() - begun))
    return statistics.median(times)


def printers() -> dict[str, Callable[[BaseException], object]]:
    """The rivals that are installed."""
    found: dict[str, Callable[[BaseException], object]] = {
        "traceback.format_exception": lambda error: "".join(traceback.format_exception(error)),
        "coscope.explain, printed": lambda error: str(coscope.explain(error)),
        "coscope.explain": coscope.explain,
    }
    try:
        import stackprinter

        found["stackprinter.format"] = stackprinter.format
    except ImportError:
        print("stackprinter is not installed")
    return found


def loop(before: str) -> float:
    """Seconds of CPU of a program that raises nothing; the best of five."""
    return min(
        float(
            subprocess.run(
                [sys.executable, "-c", LOOP.format(before=before)],
                env={"PYTHONPATH": str(ROOT / "src"), "PATH": ""},
                capture_output=True,
                text=True,
                check=True,
            ).stdout
        )
        for _ in range(5)
    )


def main() -> None:
    """Print the ratios."""
    with TemporaryDirectory() as folder:
        errors = raised(Path(folder))
        times = {name: median(errors, show) for name, show in printers().items()}
    base = times["traceback.format_exception"]
    for name, milliseconds in times.items():
        print(f"{name:<30} {milliseconds:8.2f} ms  {milliseconds / base:6.1f} x traceback")
    plain = loop("")
    hooked = loop("import coscope; coscope.install_excepthook(always=True)")
    print(f"a loop that raises nothing: {hooked / plain:.3f} x with the excepthook installed")


if __name__ == "__main__":
    main()

"""Attaching to running processes: an answer or one sentence, and the target unharmed."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from coscope.attachment import attach
from coscope.errors import CoscopeError, InputError, InterpreterError
from tests import interpreters

if sys.platform == "emscripten":
    pytest.skip("Pyodide starts no process", allow_module_level=True)

needs_remote_exec = pytest.mark.skipif(
    not hasattr(sys, "remote_exec"), reason="this CPython has no sys.remote_exec"
)

BUSY = """\
import sys, threading
class Hostile:
    def __getattribute__(self, name): print('hook', flush=True); raise SystemExit
    __repr__ = __eq__ = __hash__ = __len__ = __getattribute__

def make(rate):
    def tax(x): return x * rate
    return tax

tax = make(3)

def waiter(event): event.wait()

def work(seconds):
    import time
    hostile, api_key, total = Hostile(), "sk-123456789", 0
    end = time.monotonic() + seconds
    while time.monotonic() < end and not done:
        for i in range(100):
            total += tax(i)
    return total

def waiting():
    return sum(each.name.startswith("waiter-") for each in threading.enumerate())

done, before = [], None
def listen():
    sys.stdin.readline()
    done.append(1)

event = threading.Event()
number = 0
for number in range(20):
    threading.Thread(target=waiter, args=(event,), daemon=True, name=f"waiter-{number}").start()
threading.Thread(target=listen, daemon=True).start()
before = set(sys.modules), set(globals()), waiting()
print("ready", flush=True)
work(60)
after = set(sys.modules), set(globals()), waiting()
print([sorted(new - old) if isinstance(new, set) else new - old for old, new in zip(before, after)])
"""

SLEEPING = """\
import time
print("ready", flush=True)
time.sleep({seconds})
x = 1
print("unharmed", flush=True)
"""

COUNTING = """\
print("ready", flush=True)
sum(range(400_000_000)) if {long} else None
print("unharmed", flush=True)
"""


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., subprocess.Popen[str]]]:
    started: list[subprocess.Popen[str]] = []

    def run(text: str, *options: str, python: str = sys.executable) -> subprocess.Popen[str]:
        file = tmp_path / f"target{len(started)}.py"
        file.write_text(text, encoding="utf-8")
        process = subprocess.Popen(
            [python, *options, str(file)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        started.append(process)
        assert process.stdout is not None
        assert "ready\n" == process.stdout.readline()
        return process

    yield run
    for process in started:
        process.kill()
        process.communicate()


def _left() -> set[str]:
    return {each for each in os.listdir(tempfile.gettempdir()) if each.startswith("coscope-attach")}


@needs_remote_exec
def test_a_busy_target_answers_and_is_unharmed(start: Callable[..., subprocess.Popen[str]]) -> None:
    before = _left()
    target = start(BUSY)
    seen = [attach(target.pid) for _ in range(20)]
    function = attach(target.pid, "__main__:tax").functions[0]
    hot = attach(target.pid, "--hot").functions
    output, _ = target.communicate("stop\n", timeout=60)

    assert {22} == {len(each.threads) for each in seen}
    main = next(thread for thread in seen[-1].threads if thread.name == "MainThread")
    assert ["<module>", "work"] == [frame.function for frame in main.frames][:2]
    assert "work(60)" == main.frames[0].expression
    values = {name: value.text for name, value in main.frames[1].locals}
    assert "<redacted>" == values["api_key"]
    assert values["hostile"].startswith("<__main__.Hostile at 0x")
    assert [("rate", "3")] == [(name, value and value.text) for name, value in function.cells]
    assert "BINARY_OP_MULTIPLY_INT" in [site.executed for site in function.specialized]
    assert "__main__:work" in [each.name for each in hot]
    assert (0, "[[], [], 0]\n") == (target.returncode, output)  # nothing new in it, no hook ran
    assert before == _left()


@needs_remote_exec
def test_the_stack_is_where_each_thread_stands(
    start: Callable[..., subprocess.Popen[str]],
) -> None:
    target = start(BUSY)
    threads = attach(target.pid).threads
    waiters = [each for each in threads if (each.name or "").startswith("waiter-")]

    assert 20 == len(waiters)
    for thread in waiters:
        own = next(frame for frame in thread.frames if frame.function == "waiter")
        assert ("event.wait()", "CALL") == (own.expression, own.opname)


@needs_remote_exec
@pytest.mark.parametrize("text", [SLEEPING.format(seconds=2), COUNTING.format(long=True)])
def test_a_target_in_c_code_is_told_and_goes_on(
    text: str, start: Callable[..., subprocess.Popen[str]]
) -> None:
    before = _left()
    target = start(text)
    time.sleep(0.5)  # between the line that it printed and the call it could still answer
    with pytest.raises(InterpreterError, match=r"did not answer in 0\.2 s") as error:
        attach(target.pid, timeout=0.2)
    output, _ = target.communicate(timeout=120)

    assert "main thread" in str(error.value)
    assert (0, "unharmed\n") == (target.returncode, output)
    assert before == _left()  # what was left over removed itself


@needs_remote_exec
def test_a_longer_wait_has_the_answer(start: Callable[..., subprocess.Popen[str]]) -> None:
    target = start(SLEEPING.format(seconds=1))

    assert "<module>" == attach(target.pid, timeout=30).threads[0].frames[0].function
    assert 0 == target.wait(30)


@needs_remote_exec
def test_another_version_is_refused(start: Callable[..., subprocess.Popen[str]]) -> None:
    here = "{}.{}".format(*sys.version_info[:2])
    others = [version for version in ("3.12", "3.13", "3.14", "3.15") if version != here]
    pythons = [found for version in others if (found := interpreters.find(version)) is not None]
    if not pythons:
        pytest.skip("no other interpreter is found")
    for python in pythons:
        target = start(SLEEPING.format(seconds=1), python=str(python))
        with pytest.raises(InterpreterError, match="cannot be attached to"):
            attach(target.pid)
        assert ("unharmed\n", None) == target.communicate(timeout=30)


@needs_remote_exec
def test_a_target_that_forbids_it_is_refused(start: Callable[..., subprocess.Popen[str]]) -> None:
    target = start(SLEEPING.format(seconds=1), "-X", "disable-remote-debug")
    with pytest.raises(InterpreterError, match="cannot be attached to"):
        attach(target.pid)

    assert ("unharmed\n", None) == target.communicate(timeout=30)


@needs_remote_exec
def test_what_is_no_python_is_refused() -> None:
    process = subprocess.Popen(["sleep", "30"])
    try:
        time.sleep(0.2)
        with pytest.raises(InterpreterError, match="does not run CPython"):
            attach(process.pid)
    finally:
        process.kill()
        process.wait()


@needs_remote_exec
@pytest.mark.parametrize(("pid", "said"), [(999_999_999, "no such process"), (0, "asks")])
def test_a_process_that_is_none(pid: int, said: str) -> None:
    with pytest.raises(InputError, match=said):
        attach(pid or os.getpid())


@needs_remote_exec
@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="needs root to be nobody")
def test_without_permission_it_is_said(start: Callable[..., subprocess.Popen[str]]) -> None:
    target = start(SLEEPING.format(seconds=5))
    child = os.fork()
    if child == 0:
        try:
            os.setgid(65534)
            os.setuid(65534)
            attach(target.pid)
        except InputError as error:
            os._exit(0 if "no permission" in str(error) else 3)
        except BaseException:
            os._exit(4)
        os._exit(5)
    _, status = os.waitpid(child, 0)

    assert 0 == os.waitstatus_to_exitcode(status)


@needs_remote_exec
@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("no_such_module:f", "has not imported"),
        ("__main__:missing", "has no"),
        ("__main__:done", "not a Python function"),
        ("tax", "module:function"),
    ],
)
def test_a_function_that_is_not_there(
    name: str, said: str, start: Callable[..., subprocess.Popen[str]]
) -> None:
    target = start(BUSY)
    with pytest.raises(CoscopeError, match=said):
        attach(target.pid, name)


@pytest.mark.skipif(hasattr(sys, "remote_exec"), reason="this CPython has sys.remote_exec")
def test_an_old_host_says_what_is_missing() -> None:
    with pytest.raises(InterpreterError, match=r"needs sys\.remote_exec"):
        attach(1)


@needs_remote_exec
@pytest.mark.exhaustive
def test_a_thousand_attaches_leave_the_target_unharmed(
    start: Callable[..., subprocess.Popen[str]],
) -> None:
    target = start(BUSY.replace("work(60)", "work(3600)"))
    before = set(os.listdir(f"/proc/{target.pid}/fd"))
    for number in range(1000):
        attach(target.pid, [None, "__main__:tax", "--hot"][number % 3], timeout=60)
    after = set(os.listdir(f"/proc/{target.pid}/fd"))
    output, _ = target.communicate("stop\n", timeout=60)

    assert before == after
    assert (0, "[[], [], 0]\n") == (target.returncode, output)

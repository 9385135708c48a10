"""Run accepted mutants in forked children under limits; find who is to blame for a crash."""

from __future__ import annotations

import gc
import mmap
import os
import resource
import signal
import sys
import tempfile
import time
import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from struct import pack_into, unpack_from
from types import FrameType
from typing import NoReturn

from coscope.verifier.report import contract_of
from mutation.exercise import Damage, Stop, exercise
from mutation.mutate import Mutant

SOFT = 0.015  # seconds of CPU time, then Stop is raised, again and again
HARD = 0.15  # seconds of CPU time, then the child is killed
WALL = 60.0  # seconds for a batch that neither computes nor ends
MEMORY = 3 << 30  # bytes of address space
RECURSION = 250  # frames

RAN, HUNG, REFUSED, COMPLAINED, DAMAGED, EXCUSED = range(1, 7)  # what became of a mutant

# Assertions of debug builds that genuine code fails as well, and why they are harmless.
HARMLESS = {
    "PyStackRef_CLOSE: Assertion `!PyStackRef_IsNull(ref)' failed": (
        "3.14: POP_TOP of NULL. The compiler writes it for a `with` whose __exit__ is a static "
        "method; a release build sees that there is no reference, and drops nothing."
    ),
    **dict.fromkeys(
        (
            "set_line_delta: Assertion `adjusted <",
            "compute_line_delta: Assertion `delta > NO_LINE'",
        ),
        "3.14, 3.15: a line more than 126 before the first. compile() of an AST writes such lines; "
        "a release build reports another line to sys.monitoring.",
    ),
}
_HANGS = {signal.SIGVTALRM, signal.SIGPROF, signal.SIGXCPU, signal.SIGKILL, signal.SIGALRM}

# Up to 3.12 a jump back looks for signals when it has jumped: what a signal raises there goes to
# the handler of the unit before the target, where a genuine `os.walk` of 3.12.1 breaks as well.
_INTERRUPTS_SAFELY = sys.version_info >= (3, 13)


@dataclass
class Outcome:
    """What became of one mutant."""

    status: int  # RAN, HUNG, ... of this module, or 0 if it crashed
    signal: int = 0  # that ended the child
    said: str = ""  # the failed assertion, if it was one


def run_all(mutants: Sequence[Mutant]) -> list[Outcome]:
    """Run mutants, in as few children as their crashes allow."""
    outcomes: list[Outcome] = []
    shared = mmap.mmap(-1, 4096)
    while len(outcomes) < len(mutants):
        rest = mutants[len(outcomes) : len(outcomes) + 4000]
        shared[:] = bytes(4096)
        ended, said = _in_child(rest, shared)
        (done,) = unpack_from("<I", shared, 0)
        outcomes += [Outcome(status) for status in shared[8 : 8 + done]]
        if done < len(rest):
            status = HUNG if ended in _HANGS else EXCUSED if _harmless(said) else 0
            outcomes.append(Outcome(status, ended, said))
    return outcomes


def crashes(mutants: Sequence[Mutant]) -> int:
    """The signal that ends a child which runs these mutants, 0 if it ends well.

    Damage that it sees counts as SIGSEGV: the crash comes later.
    """
    shared = mmap.mmap(-1, 4096)
    ended, said = _in_child(mutants, shared)
    if ended in _HANGS or _harmless(said):
        return 0
    damaged = DAMAGED in shared[8 : 8 + len(mutants)]
    return ended or (int(signal.SIGSEGV) if damaged else 0)


def _harmless(said: str) -> bool:
    return any(known in said for known in HARMLESS)


def _in_child(mutants: Sequence[Mutant], shared: mmap.mmap) -> tuple[int, str]:
    """Fork, run, wait.

    Returns:
        The signal that ended the child, or -1 if it left by another way; and what it said last.
    """
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    os.set_blocking(reading, False)
    pid = os.fork()
    if pid == 0:
        _child(mutants, shared, writing)
    os.close(writing)
    try:
        ended = _ended(pid)
        return ended, _said(reading)
    finally:
        os.close(reading)


def _said(reading: int) -> str:
    try:
        text = os.read(reading, 1 << 16).decode(errors="replace")
    except BlockingIOError:
        return ""
    return next((line for line in text.splitlines() if "Assert" in line or "Fatal" in line), "")


def _ended(pid: int) -> int:
    """Wait for a child; the signal that ended it, or -1 if it left by another way."""
    until = time.monotonic() + WALL
    pause = 0.0005
    while True:
        ended, status = os.waitpid(pid, os.WNOHANG)
        if ended:
            break
        if time.monotonic() > until:
            os.kill(pid, signal.SIGKILL)
            until = float("inf")
        time.sleep(pause)
        pause = min(0.01, pause * 1.5)
    if os.WIFSIGNALED(status):
        return os.WTERMSIG(status)
    return 0 if os.WEXITSTATUS(status) == 77 else -1


def _child(mutants: Sequence[Mutant], shared: mmap.mmap, errors: int) -> NoReturn:
    try:
        _limit(errors)
        for number, one in enumerate(mutants):
            try:
                status = _one(one)
            except BaseException:  # an alarm that came just behind the run
                status = HUNG
            signal.setitimer(signal.ITIMER_PROF, 0)
            shared[8 + number] = status
            pack_into("<I", shared, 0, number + 1)
        signal.setitimer(signal.ITIMER_VIRTUAL, 2)
        gc.collect()
    except BaseException:
        os._exit(78)
    os._exit(77)


def _limit(errors: int) -> None:
    null = os.open(os.devnull, os.O_RDWR)
    for descriptor in range(2):
        os.dup2(null, descriptor)
    os.dup2(errors, 2)
    os.chdir(tempfile.gettempdir())
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    resource.setrlimit(resource.RLIMIT_CPU, (120, 120))
    for number in (signal.SIGVTALRM, signal.SIGALRM, signal.SIGSEGV, signal.SIGABRT):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGPROF, _stop if _INTERRUPTS_SAFELY else signal.SIG_DFL)
    sys.setrecursionlimit(RECURSION)
    sys.unraisablehook = lambda unraisable: None
    warnings.simplefilter("ignore")
    gc.collect()
    gc.freeze()


_running = False


def _stop(number: int, frame: FrameType | None) -> None:
    if _running:
        raise Stop


def _one(one: Mutant) -> int:
    global _running
    signal.setitimer(signal.ITIMER_VIRTUAL, HARD)
    signal.setitimer(signal.ITIMER_PROF, SOFT, 0.01)
    try:
        _running = True
        complaints = exercise(one.unit, one.code, contract_of(one.code).called, one.index)
        _running = False
    except Damage:
        return DAMAGED
    except Stop:
        _running = False
        return HUNG
    except (ValueError, TypeError, SystemError):
        return REFUSED
    except BaseException:
        return RAN
    finally:
        _running = False
    return COMPLAINED if complaints else RAN

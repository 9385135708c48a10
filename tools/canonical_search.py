"""Searches for two behaviours with one canonical form: mutates code, runs what is said the same.

python tools/canonical_search.py [--mutants 2000] [--seed 11]

Each mutant changes one instruction of a function of `tests/facts/fingerprints/shaped.py`: another
operand, another opcode of the same width, a neighbour in its place, another jump. What the verifier
refuses is left out. Where the canonical form says "the same" of different bytes, both run on the
function's arguments, in a process of their own with a limit of time, and must do the same. Prints
how many mutants there were, how many were told apart, and each on which the runs differ.
"""

from __future__ import annotations

import argparse
import importlib
import random
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

from coscope.errors import CoscopeError
from coscope.facts.fingerprints.canonical import digested
from coscope.model import Code
from coscope.readers.from_function import from_code_object
from coscope.verifier import verify

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

_SECONDS = 5
_RUN = """
import sys
sys.path.insert(0, sys.argv[1])
from types import FunctionType
from tests.facts.fingerprints import shaped
name = sys.argv[2]
bytecode = bytes.fromhex(sys.argv[3])
code = getattr(shaped, name).__code__.replace(co_code=bytecode)
function = FunctionType(code, vars(shaped), name, getattr(shaped, name).__defaults__)
import copy
for arguments in shaped.ARGUMENTS[name]:
    try:
        found = function(*copy.deepcopy(arguments))
        found = list(found) if hasattr(found, "send") else found
        print(repr(found))
    except Exception as error:
        print(type(error).__name__, error.args)
"""


def mutants_of(code: CodeType, chance: random.Random, count: int) -> list[bytes]:
    """Bytecodes of which one unit is another one."""
    units = [code.co_code[at : at + 2] for at in range(0, len(code.co_code), 2)]
    found = []
    for _ in range(count):
        changed = list(units)
        at = chance.randrange(len(units))
        opcode, oparg = changed[at]
        sort = chance.randrange(4)
        if sort == 0:
            oparg = (oparg + chance.choice((-3, -2, -1, 1, 2, 3))) % 256
        elif sort == 1:
            oparg = chance.randrange(12)
        elif sort == 2:
            opcode = chance.choice(units)[0]
        else:
            other = chance.randrange(len(units))
            changed[at], changed[other] = changed[other], changed[at]
            opcode, oparg = changed[at]
        changed[at] = bytes((opcode, oparg))
        bytecode = b"".join(changed)
        if bytecode != code.co_code:
            found.append(bytecode)
    return found


def modelled(code: CodeType, bytecode: bytes) -> Code:
    """The code with other bytes, as data: only a process of its own makes it live."""
    return replace(from_code_object(code), code=bytecode)


def form_of(code: Code) -> str:
    return digested(code, docstrings=False, local_names=False)[-1].digest


def outcome(name: str, bytecode: bytes) -> str:
    """What the code prints for each of its arguments; in another process."""
    command = [sys.executable, "-c", _RUN, str(ROOT), name, bytecode.hex()]
    try:
        done = subprocess.run(command, capture_output=True, timeout=_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return "no end"
    return f"{done.returncode} {done.stdout.decode()}"


def search(count: int, seed: int) -> tuple[Counter[str], list[str]]:
    shaped = importlib.import_module("tests.facts.fingerprints.shaped")
    counts: Counter[str] = Counter()
    wrong: list[str] = []
    functions: list[Any] = list(shaped.FUNCTIONS)
    each = -(-count // len(functions))
    for function in functions:
        assert isinstance(function, FunctionType)
        code, name = function.__code__, function.__name__
        own, expected = form_of(from_code_object(code)), outcome(name, code.co_code)
        for mutant in mutants_of(code, random.Random(f"{name} {seed}"), each):
            counts["mutants"] += 1
            try:
                form = form_of(modelled(code, mutant))
            except CoscopeError:
                counts["no instruction sequence"] += 1
                continue
            if form != own:
                counts["told apart"] += 1
            elif not verify(modelled(code, mutant)).ok:
                counts["said to be the same, refused by the verifier"] += 1
            else:
                counts["said to be the same, run"] += 1
                actual = outcome(name, mutant)
                if actual != expected:
                    pairs = zip(code.co_code, mutant, strict=True)
                    at = next(i for i, (old, new) in enumerate(pairs) if old != new)
                    wrong.append(f"{name} at {at}: {expected!r}, then {actual!r}")
    return counts, wrong


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--mutants", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=11)
    options = parser.parse_args()
    counts, wrong = search(options.mutants, options.seed)
    for what, count in counts.items():
        print(f"{count:>6}  {what}")
    print(f"{len(wrong)} behaviours differ under one canonical form")
    for line in wrong:
        print(f"  {line}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())

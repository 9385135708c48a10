"""Showing at once: in the middle of a cell, in a loop, in a function, at the plain prompt."""

from __future__ import annotations

import builtins
import sys
from importlib import import_module
from types import FrameType
from typing import Literal, Protocol

from coscope.opcodes import table
from coscope.readers.from_function import HOST_VERSION

Fate = Literal["echoed", "returned", "kept"]  # of a call's result


class Shown(Protocol):
    """What can be shown: a `Card`."""

    shown_in: int | None  # number of the cell that shows it already

    def print(self) -> None: ...


def show_now(card: Shown, caller: FrameType | None) -> None:
    """Show a card where it is asked for, unless the prompt itself shows it in a moment.

    A prompt and a notebook show the value of a statement that is an expression. Which statement a
    call belongs to is in the caller's bytecode: behind such a call stands the instruction that
    hands its result to `sys.displayhook`.

    Args:
        card: What is shown.
        caller: The frame that called `show`; None: not known.
    """
    if not in_prompt():
        card.print()
        return
    fate = _fate(caller)
    if fate == "echoed":
        return
    if not in_ipython():
        if fate != "returned":  # whoever called may be a statement that is echoed
            card.print()
        return
    import_module("IPython.display").display(card)
    if fate == "returned":
        card.shown_in = cell_number()


def in_prompt() -> bool:
    """True where the value of an expression is displayed: a prompt, a notebook."""
    return hasattr(sys, "ps1") or hasattr(builtins, "__IPYTHON__")


def in_ipython() -> bool:
    """True in IPython and Jupyter."""
    return hasattr(builtins, "__IPYTHON__") and "IPython" in sys.modules


def cell_number() -> int | None:
    """The number of the cell that runs, as in `In [3]`."""
    shell = sys.modules["IPython"].get_ipython() if in_ipython() else None
    return None if shell is None else int(shell.execution_count)


def _fate(frame: FrameType | None) -> Fate:
    """What the caller does with the result of the call that it is in."""
    if frame is None or frame.f_lasti < 0:
        return "kept"
    rows = table(HOST_VERSION).by_code
    code = frame.f_code.co_code
    here = rows[code[frame.f_lasti]]
    after = frame.f_lasti + 2 + 2 * (0 if here is None else here.caches)
    if after + 1 >= len(code):
        return "kept"
    row, argument = rows[code[after]], code[after + 1]
    if row is None:
        return "kept"
    if row.name == "PRINT_EXPR":
        return "echoed"
    if row.name == "CALL_INTRINSIC_1":
        names = table(HOST_VERSION).lists["intrinsic_1"]
        return "echoed" if names[argument] == "INTRINSIC_PRINT" else "kept"
    return "returned" if row.ends == "return" else "kept"

"""The listing of code that has run: beside each instruction the form that is executed now.

12 │ total += order.price
   │          order           14  LOAD_FAST  1 order
   │          order.price     16  LOAD_ATTR  0 price  ≠ generic for 4,094+ runs, backoff 12
   │                              └ instances hide the default Defaults.price by their own
   │ total += order.price     36  BINARY_OP 13 +=     → BINARY_OP_ADD_INT
"""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import wrap
from typing import TYPE_CHECKING

from coscope.render.document.shared import detail_of
from coscope.render.pages.listing import add_listing
from coscope.render.pages.sheet import Piece, Sheet
from coscope.render.text.measured import Pen, cells

if TYPE_CHECKING:
    from coscope.render.schemas import report as schema


# Sign, words and role of each state, in the order of the summary.
_STATES = {
    "generic": ("≠", "still generic", "generic"),
    "missing": ("!", "kept missing", "missing"),
    "specialized": ("→", "specialised", "specialized"),
    "waiting": ("·", "run too seldom to say", "faint"),
}
_INDENT = 10  # cells in front of a reason: it begins under the name of the opcode


def add_warm_listing(
    sheet: Sheet, entry: schema.Code, source: dict[str, str] | None, title: str
) -> None:
    """Add the listing under its heading, with a line that counts."""
    sheet.heading(title, "source, what each instruction covers, the form that is executed now")
    states = detail_of(entry)["warm"]["states"]
    words: list[Piece] = []
    for state, (sign, text, role) in _STATES.items():
        if states.get(state):
            words += [(f"{sign} ", role), (f"{states[state]} {text}   ", "plain")]
    sheet.add(("  ", "plain"), *(words or [("nothing in it specialises", "faint")]))
    for remark in _remarks(detail_of(entry)):
        for line in wrap(sheet.pen.clean(remark), sheet.pen.width - 2):
            sheet.add((f"  {line}", "faint"))
    add_listing(sheet, entry, source, _Executed(sheet.pen, detail_of(entry)["instructions"]))


def _remarks(detail: schema.Detail) -> Iterator[str]:
    """What the JIT did with the loops, and what was not read."""
    warm, ends = detail["warm"], detail["instructions"]
    if warm["jit"] == "off":
        yield "JIT: off"
    if warm["jit"] == "on":
        made = [each["warm"]["machine_code"] for each in ends if each["warm"]]
        traces = [size for size in made if size]
        count = f"{len(traces)} trace{'' if len(traces) == 1 else 's'}"
        yield f"JIT: on, {count} compiled to {sum(traces):,} bytes of machine code"
    if warm["unread"]:
        yield f"The locals were not read: {warm['unread']}."


def ran(run: schema.WarmRun, code: schema.DetailWarm) -> str:
    """How often coscope saw the code run."""
    calling = code["samples"] - code["running"]
    seen = "not seen in any of"
    if code["samples"]:
        seen = f"running in {code['running']:,} and calling in {calling:,} of"
    return f"after {run['command']} · {seen} {run['samples']:,} samples"


class _Executed:
    """The form of each instruction that is executed now."""

    least = 24
    first = True

    def __init__(self, pen: Pen, instructions: list[schema.Instruction]) -> None:
        self.pen = pen
        self.needed = max([self.least, *map(self.wanted, instructions)])

    def wanted(self, instruction: schema.Instruction) -> int:
        """Cells of the form and of all that its counter says."""
        return cells(self.pen.clean("".join(text for text, _ in _executed(instruction))))

    def pieces(self, instruction: schema.Instruction, room: int) -> Iterator[Piece]:
        """The form, and what its counter says."""
        pieces = _executed(instruction)
        if sum(cells(self.pen.clean(text)) for text, _ in pieces) > room:
            pieces = _executed(instruction, self.pen.ellipsis)
        for at, (text, role) in enumerate(pieces):
            sign, space, form = self.pen.clean(text).partition(" ")
            if cells(sign + space + form) > room:
                # The end of a form distinguishes it from others; the end of a count says nothing.
                form = self.pen.fit(form, room - cells(sign) - 1, keep="end")
                text = "" if at else sign + space + form
            room -= cells(self.pen.clean(text))
            yield text, role

    def below(self, instruction: schema.Instruction, room: int) -> Iterator[Piece]:
        """Why it is not specialised."""
        state = instruction["warm"]
        if state is None or state["reason"] is None:
            return
        likely = "" if state["proved"] else "likely: "
        lines = wrap(self.pen.clean(likely + state["reason"]), max(24, room - _INDENT - 2))
        for at, line in enumerate(lines):
            yield " " * _INDENT + ("  " if at else "└ ") + line, _STATES[state["state"]][2]


def _executed(instruction: schema.Instruction, cut: str = "") -> list[Piece]:
    """The form and what its counter says.

    Args:
        instruction: With `warm`.
        cut: Where room is short: the sign that replaces what can be left out.
    """
    state = instruction["warm"]
    if state is None:
        return []
    form, kind = state["executed"], state["state"]
    if kind == "uncounted":
        size = state["machine_code"]
        made = f", {size:,} bytes of machine code" if size and not cut else ""
        return [(f"→ {form}{made}", "faint")]
    sign, _, role = _STATES[kind]
    # CPython 3.11 has a generic form of another name.
    name = "generic" if form == instruction["opname"] else form
    if state["backoff"] is not None and kind == "missing":
        return [(f"{sign} {name} just now", role)]
    if kind in ("generic", "waiting"):
        return [(f"{sign} {name}", role), (_waiting(state, cut), "faint")]
    if cut:
        # The name of the family is at the left already.
        short = form.removeprefix(instruction["opname"] + "_")
        form = form if short == form else f"{cut}{short}"
    return [(f"{sign} {form}", role), (_missed(state["misses"]), "faint")]


def _missed(misses: int | None) -> str:
    return f", {misses} miss{'' if misses == 1 else 'es'}" if misses else ""


def _waiting(state: schema.Warm, cut: str) -> str:
    """How long an instruction has been generic, and how long until the next attempt."""
    runs = f" for {state['executions']:,}+ runs" if state["executions"] else ""
    backoff = f", backoff {state['backoff']}" if state["state"] == "generic" else ""
    if state["state"] == "generic" and not state["executions"]:
        runs, backoff = "", " after an attempt to specialise it"
    return backoff if cut else runs + backoff

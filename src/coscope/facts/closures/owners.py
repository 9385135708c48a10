"""The code around a function: where its free variables are made, and who else uses them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache

from coscope.errors import CoscopeError
from coscope.facts.closures.cells import Variable, diagram
from coscope.facts.names.uses import uses_of
from coscope.flow import find_loops
from coscope.flow.domains.conditions import graph
from coscope.model import Code, Function, Source
from coscope.readers.from_source import from_source


def code_around(function: Function) -> Code | None:
    """The module's code that holds the function's, compiled from its source; never executed.

    None for a function without free variables, and where the source is missing or does not
    compile.
    """
    if not function.code.freevars or function.source is None:
        return None
    return _compiled(function.source)


@lru_cache(maxsize=4)
def _compiled(source: Source) -> Code | None:
    """The module's code by this host; None if the source does not compile any more."""
    try:
        return from_source("\n".join([*source.lines, ""]), source.file).code
    except CoscopeError:
        return None


def owner_of(function: Function, variable: Variable) -> str | None:
    """Qualified name of the code that makes a free variable's cell, as far as it is known."""
    return variable.owner or _only_function_around(function.code, variable.name)


def _only_function_around(code: Code, name: str) -> str | None:
    """The owner as far as the qualified name alone shows it: if exactly one function is around."""
    around, *more = code.qualname.rpartition(".<locals>.")[0].split(".<locals>.")
    return around if around and not more and name != "__class__" else None


def seen_from_owner(function: Function, variable: Variable, within: Code | None) -> Variable:
    """The same variable with every use of it, in its owner and beside this function too."""
    owner = owner_of(function, variable)
    for code in _owners_in(function.code, within, owner):
        if variable.name in code.cellvars:
            outer = replace(function, code=code, cells=(), live=False, object=None)
            for own in diagram(outer, sharers=False).variables:
                if own.name == variable.name and own.kind == "cell":
                    return own
    return variable


def _owners_in(code: Code, within: Code | None, owner: str | None) -> Iterator[Code]:
    """Code objects of the owner's name: those that hold this very code first."""
    named = [each for each in (within.walk() if within else ()) if each.qualname == owner]
    yield from sorted(named, key=lambda each: not any(_alike(code, i) for i in each.walk()))


def _alike(code: Code, other: Code) -> bool:
    return code.qualname == other.qualname and code.firstlineno == other.firstlineno


def is_bound_late(function: Function, name: str, within: Code | None) -> bool | None:
    """True if a loop makes functions of this code and assigns the variable between them.

    All functions that such a loop makes in one call share the variable's cell, and so see what the
    last round assigned.

    Args:
        function: A function with the free variable.
        name: Of the variable.
        within: The code around, see `code_around`.

    Returns:
        None if the code that makes the functions is not known.
    """
    makers = [
        outer
        for outer in (within.walk() if within else ())
        if any(isinstance(each, Code) and _alike(function.code, each) for each in outer.consts)
    ]
    if not makers:
        return None
    return any(_loop_assigns(maker, function.code, name) for maker in makers)


def _loads_of(code: Code, maker: Code) -> list[int]:
    """Indexes of the maker's instructions that load the code."""
    columns = maker.instructions
    return [
        at
        for at in range(len(columns))
        if isinstance(found := columns.argval(at), Code) and _alike(code, found)
    ]


def _loop_assigns(maker: Code, code: Code, name: str) -> bool:
    """True if one loop of the maker loads the code and writes the variable."""
    columns = maker.instructions
    made = _loads_of(code, maker)
    written = [
        columns.at(use.offset).index
        for found, _, use in uses_of(maker)
        if found == name and use.access == "write cell"
    ]
    whole = graph(maker)
    for loop in find_loops(whole):
        blocks = [whole.blocks[at] for at in loop.blocks]
        inside = {at for block in blocks for at in range(block.start, block.stop)}
        if not inside.isdisjoint(made) and not inside.isdisjoint(written):
            return True
    return False

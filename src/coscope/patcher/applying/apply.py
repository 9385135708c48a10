"""`apply`: edits on a code object, giving another one. Nothing live is made or run here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from coscope.errors import AmbiguousEdit, InternalError, NothingSelected, PatchError, hidden_for
from coscope.model import Code
from coscope.patcher.applying.calls import insert_call
from coscope.patcher.applying.constants import replace_constants
from coscope.patcher.applying.instructions import insert, remove
from coscope.patcher.applying.instructions import replace as replace_instructions
from coscope.patcher.applying.literals import Sources
from coscope.patcher.applying.names import rename
from coscope.patcher.applying.wrapping import wrap_call
from coscope.patcher.edits.checking import check_edit
from coscope.patcher.edits.model import (
    AnyEdit,
    AtOnce,
    Insert,
    InsertCall,
    Remove,
    Rename,
    Replace,
    ReplaceConstant,
    SetMetadata,
    WrapCall,
)
from coscope.readers.selection import plain

__tracebackhide__ = hidden_for

_LAST_LINE = (1 << 31) - 1  # a C int


def apply(code: Code, edits: Iterable[AnyEdit], sources: Sources | None = None) -> Code:
    """Apply edits in order. The code object itself stays as it is.

    What no edit is about stays byte for byte: without an edit that changes something, the result
    is the same object.

    Args:
        code: The outermost code object.
        edits: The edits.
        sources: Gives the source of the code, where that is at hand: a witness of what its
            literals are. Asked only where bytecode cannot settle it.

    Raises:
        PatchError: An edit cannot be made: `ConstantNotFound` and `NothingSelected` if nothing is
            what it asks for, `AmbiguousEdit` if too much is, `Refused` if the result could not run.
        CodeError: The code object contradicts itself where it would have to be moved.
        UnknownVersion: There is no opcode table for the code's version.
    """
    for edit in edits:
        check_edit(edit)
        code = _applied(code, edit, sources)
    return code


def _applied(code: Code, edit: AnyEdit, sources: Sources | None) -> Code:
    """Rebuild the tree of code objects from the inside, changing those that are chosen."""
    order = tree_of(code)
    group = edit.edits if isinstance(edit, AtOnce) else (edit,)
    chosen = [chosen_codes(order, each) for each in group]
    done: dict[int, Code] = {}
    changed: set[int] = set()  # indexes in the group
    nothing: dict[int, NothingSelected] = {}
    # Nested code comes after the code that it is nested in, so the last is changed first; but a
    # problem is reported for the outermost code object that has it.
    for each in reversed(order):
        new = _with_nested(each, done)
        ours = [at for at, found in enumerate(chosen) if id(each) in found]
        if ours:
            root = chosen[ours[0]][id(each)]
            new, problems = _change(new, [group[at] for at in ours], root, each is root, sources)
            nothing |= {ours[at]: problem for at, problem in problems.items()}
            changed |= {at for number, at in enumerate(ours) if number not in problems}
        done[id(each)] = new
    for at, problem in sorted(nothing.items()):
        if at not in changed:
            raise problem
    return done[id(code)]


def tree_of(code: Code) -> list[Code]:
    """The code object and all nested ones, each once, and behind all that hold it."""
    found: dict[int, Code] = {}
    pending: list[tuple[Code, bool]] = [(code, False)]
    while pending:
        each, finished = pending.pop()
        if finished:
            found[id(each)] = each
        elif id(each) not in found:
            pending.append((each, True))
            inner = [constant for constant in each.consts if isinstance(constant, Code)]
            pending += [(constant, False) for constant in inner]
    return list(found.values())[::-1]


def _with_nested(code: Code, done: dict[int, Code]) -> Code:
    consts = tuple(
        done[id(constant)] if isinstance(constant, Code) else constant for constant in code.consts
    )
    if all(new is old for new, old in zip(consts, code.consts, strict=True)):
        return code
    return replace(code, consts=consts)


def chosen_codes(order: list[Code], edit: AnyEdit) -> dict[int, Code]:
    """The id() of each code object that the edit is about, and the outermost of them."""
    root = order[0] if edit.code is None else _named(order, edit.code)
    if not edit.nested:
        return {id(root): root}
    # Hooks are for what somebody wrote; what evaluates annotations the compiler did.
    hooks = isinstance(edit, InsertCall)
    return {
        id(each): root
        for each in tree_of(root)
        if each is root or not (hooks and _evaluates_annotations(each))
    }


def _evaluates_annotations(code: Code) -> bool:
    """True for a function that the compiler made of annotations or type parameters."""
    return (
        code.name == "__annotate__"
        or code.name.startswith("<generic parameters of ")
        or code.varnames[:1] == (".format",)
    )


def _named(order: list[Code], name: str) -> Code:
    """The code object of a qualified name: "outer.inner", or "outer.inner@12" by its first line."""
    wanted, at, line = name.rpartition("@")
    if not at or not line.isdecimal():
        wanted, line = name, ""
    root = order[0]
    found = _with_name(order, wanted)
    if line:
        found = [code for code in found if code.firstlineno == int(line)]
    if not found:
        raise _no_code(order, name)
    if len(found) > 1:
        lines = sorted(code.firstlineno for code in found)
        raise AmbiguousEdit(
            f"{len(found)} code objects are named {wanted!r}",
            code=root.qualname,
            found=f"first lines {', '.join(map(str, lines))}",
            hint=f"Choose one by its first line: {wanted}@{lines[0]}.",
        )
    return found[0]


def _with_name(order: list[Code], wanted: str) -> list[Code]:
    """The code objects of a name as it is, or without `<locals>` and the outermost name."""
    full = {plain(wanted), plain(f"{order[0].qualname}.{wanted}")}
    found = [code for code in order if code.qualname == wanted]
    return found or [code for code in order if plain(code.qualname) in full]


def _no_code(order: list[Code], name: str) -> NothingSelected:
    known = [code.qualname for code in order]
    return NothingSelected(
        f"there is no code object {name!r}",
        code=order[0].qualname,
        hint=f"There are: {', '.join(known[:10])}{', ...' if known[10:] else ''}.",
    )


_Problems = dict[int, NothingSelected]


def _change(
    code: Code,
    edits: Sequence[AnyEdit],
    root: Code,
    outermost: bool,
    sources: Sources | None,
) -> tuple[Code, _Problems]:
    """Change one code object: by edits of one kind at once, or by one of any kind."""
    constants = [edit for edit in edits if isinstance(edit, ReplaceConstant)]
    names = [edit for edit in edits if isinstance(edit, Rename)]
    if constants and len(constants) == len(edits):
        return replace_constants(code, constants, sources)
    if names and len(names) == len(edits):
        return rename(code, names)
    try:
        [edit] = edits
        return _changed(code, edit, root, outermost), {}
    except NothingSelected as problem:
        return code, {0: problem}


def _changed(code: Code, edit: AnyEdit, root: Code, outermost: bool) -> Code:
    match edit:
        case Insert():
            return insert(code, edit)
        case Replace():
            return replace_instructions(code, edit)
        case Remove():
            return remove(code, edit)
        case InsertCall():
            return insert_call(code, edit)
        case WrapCall():
            return wrap_call(code, edit)
        case SetMetadata():
            return _described(code, edit, root, outermost)
        case ReplaceConstant() | Rename() | AtOnce():
            raise InternalError("an edit of a group is applied alone", code=code.qualname)


def _last_line(code: Code) -> int:
    lines = [span[0] for span in code.instructions.positions if span[0] is not None]
    return max(lines, default=code.firstlineno)


def _described(code: Code, edit: SetMetadata, root: Code, outermost: bool) -> Code:
    """Other names and lines.

    Args:
        code: Chosen; what is nested in it is changed already.
        edit: What to change.
        root: The chosen code object in which it is nested, or which it is, as it was.
        outermost: It is that one.
    """
    first = edit.firstlineno
    if first is not None and not 0 <= first <= _LAST_LINE:
        raise PatchError("co_firstlineno is a line", expected="0 or more", found=repr(first)[:40])
    moved = 0 if first is None else first - root.firstlineno
    if moved > 0 and _last_line(code) + moved > _LAST_LINE:
        raise PatchError(
            "the lines behind it would be beyond the last that CPython can record",
            code=code.qualname,
            expected=f"a first line of at most {_LAST_LINE + root.firstlineno - _last_line(code)}",
            found=first,
        )
    return replace(
        code,
        name=edit.name if outermost and edit.name is not None else code.name,
        qualname=_qualname(code, edit, root, outermost),
        filename=code.filename if edit.filename is None else edit.filename,
        firstlineno=max(0, code.firstlineno + moved),
    )


def _qualname(code: Code, edit: SetMetadata, root: Code, outermost: bool) -> str:
    """The qualified name after the edit: that of nested code follows the outermost one's."""
    qualname, wanted = code.qualname, edit.qualname
    if wanted is None and edit.name is not None:
        head = root.qualname.rpartition(".")[0]
        wanted = f"{head}.{edit.name}" if head else edit.name
    if wanted is None:
        return qualname
    if outermost:
        return wanted
    if qualname.startswith(f"{root.qualname}."):
        return wanted + qualname.removeprefix(root.qualname)
    return qualname

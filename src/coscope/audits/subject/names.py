"""What names mean in a file: imports, and names that the module binds itself."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cache

from coscope.audits.subject.calls import Call
from coscope.audits.subject.subject import Subject, Unit
from coscope.errors import CodeError
from coscope.model import Code
from coscope.opcodes import table

_STORES = ("write name", "write global", "write local", "write cell")


def imports_in(code: Code) -> dict[str, str]:
    """What the imports of one code object bind: name -> dotted name of what it is.

    Relative imports keep their dots: `from . import x` binds ".x".
    """
    if "IMPORT_NAME" not in table(code.version).opcodes or not code.names:
        return {}
    try:
        return _imports_in(code)
    except CodeError:
        return {}


def _imports_in(code: Code) -> dict[str, str]:
    rows = table(code.version)
    name, part = rows.opcodes["IMPORT_NAME"].code, rows.opcodes["IMPORT_FROM"].code
    columns = code.instructions
    opcodes = bytes(columns.opcodes)
    if name not in opcodes:
        return {}
    found: dict[str, str] = {}
    module, listed, pending = "", False, ""
    for index, opcode in enumerate(opcodes):
        if opcode == name:
            level, fromlist = _literal(code, index - 2), _literal(code, index - 1)
            module = "." * (level if type(level) is int else 0) + str(columns.argval(index))
            listed, pending = fromlist is not None, module
        elif opcode == part:
            dot = "" if module.endswith(".") else "."
            pending = f"{module}{dot}{columns.argval(index)}" if listed else module
        elif pending and _stores(code, opcode):
            bound = columns.argval(index)
            bound = bound[0] if isinstance(bound, tuple) else bound
            top = module.partition(".")[0]
            found[str(bound)] = top if not listed and bound == top else pending
            pending = ""
    return found


def _literal(code: Code, index: int) -> object:
    columns = code.instructions
    constants = table(code.version).constants
    return columns.argval(index) if index >= 0 and columns.opcodes[index] in constants else 0


def _stores(code: Code, opcode: int) -> bool:
    row = table(code.version).by_code[opcode]
    return row is not None and bool(row.access) and row.access[0] in _STORES


def module_imports(unit: Unit) -> Mapping[str, str]:
    """What the module's own imports bind."""
    return {} if unit.surface is None else imports_in(unit.surface)


def module_bindings(unit: Unit) -> Mapping[str, int]:
    """The names that the module's own code binds, imports included: how often."""
    found: dict[str, int] = {}
    if unit.surface is None:
        return found
    rows = table(unit.version).by_code
    columns = unit.surface.instructions
    for index, opcode in enumerate(columns.opcodes):
        row = rows[opcode]
        if row is not None and row.access in (("write name",), ("write global",)):
            name = columns.argval(index)
            found[name] = found.get(name, 0) + 1
    return found


def resolved(subject: Subject, path: str | None, root: str | None) -> str | None:
    """A dotted path as what it means: "p.loads" after `import pickle as p` is "pickle.loads".

    Args:
        subject: The code that has the call.
        path: Of a `Call`.
        root: How its first name is found.

    Returns:
        None for what is found in a local variable that no import binds, or in a cell. A name that
        nothing binds in the file stands for itself: it is a builtin, or some star import's.
    """
    if path is None or root not in ("global", "name", "local"):
        return None
    first, dot, rest = path.partition(".")
    own = subject.fact(_own_imports)
    if root == "local" or first in own:
        meaning = own.get(first)
    else:
        module = subject.unit.fact(module_imports)
        bound = first in subject.unit.fact(module_bindings)
        meaning = module.get(first) if bound else first
    return None if meaning is None else f"{meaning}{dot}{rest}"


def imports_of(subject: Subject, *modules: str) -> bool:
    """True if the code or its module imports one of these modules, or a name of one."""
    held = (*subject.unit.fact(module_imports).values(), *subject.fact(_own_imports).values())
    return any(each.partition(".")[0] in modules for each in held)


def reads_name(subject: Subject, names: Collection[str]) -> bool:
    """True if one of the names is looked up as such, and not as an attribute alone."""
    loads = _loads(subject.version)
    columns = subject.instructions
    return any(
        opcode in loads and columns.argval(index) in names
        for index, opcode in enumerate(columns.opcodes)
    )


@cache
def _loads(version: str) -> frozenset[int]:
    rows = table(version).by_code
    wanted = ("read global", "read name", "read name or global")
    return frozenset(
        row.code for row in rows if row is not None and row.access and row.access[0] in wanted
    )


def _own_imports(subject: Subject) -> dict[str, str]:
    return imports_in(subject.code)


def callee_of(subject: Subject, call: Call) -> str | None:
    """The callee of a call as what it means."""
    return resolved(subject, call.path, call.root)

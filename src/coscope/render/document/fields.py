"""Raw fields, as `--fields` shows them: every `co_*` field and every function attribute."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from coscope.model import FAST_CELL, FAST_FREE, FAST_HIDDEN, FAST_LOCAL, Code, Function, Value
from coscope.render.document.constants import constant
from coscope.render.text.measured import without_surrogates as clean

if TYPE_CHECKING:
    from coscope.render.schemas import report as schema

# Fields of a code object in CPython's order of `code.__new__`, then what the others derive from.
_PLAIN = (
    "argcount",
    "posonlyargcount",
    "kwonlyargcount",
    "nlocals",
    "stacksize",
    "flags",
    "code",
    "consts",
    "names",
    "varnames",
    "filename",
    "name",
    "qualname",
    "firstlineno",
    "linetable",
    "exceptiontable",
    "freevars",
    "cellvars",
)
_KINDS = (
    (FAST_LOCAL, "local"),
    (FAST_CELL, "cell"),
    (FAST_FREE, "free"),
    (FAST_HIDDEN, "hidden"),
)


def fields_of(function: Function) -> list[schema.DetailField]:
    """Entries {of, name, text}: of the code object first, then of the live function."""
    code = function.code
    found = [_field("code object", f"co_{name}", _text(code, name)) for name in _PLAIN]
    found.append(_field("code object", "localsplus", _localsplus(code)))
    if function.live:
        found += [_field("function", name, text) for name, text in _attributes(function)]
    return found


def _field(of: Literal["code object", "function"], name: str, text: str) -> schema.DetailField:
    return {"of": of, "name": name, "text": clean(text)}


def _text(code: Code, name: str) -> str:
    value = getattr(code, name)
    if isinstance(value, bytes):
        return f"{len(value)} bytes: {value.hex(' ')}" if value else "0 bytes"
    if name == "consts":
        texts = [str(constant(item)["text"]) for item in value]
        return f"({', '.join(texts)}{',' if len(texts) == 1 else ''})"
    if name == "flags":
        return f"{int(value):#x}"
    return repr(value)


def _localsplus(code: Code) -> str:
    """Names of the fast locals in slot order, with their kind bits."""
    kinds = []
    for name, bits in zip(code.localsplusnames, code.localspluskinds, strict=False):
        words = [word for bit, word in _KINDS if bits & bit]
        kinds.append(f"{name}: {'+'.join(words)}")
    return ", ".join(kinds) or "none"


def _attributes(function: Function) -> list[tuple[str, str]]:
    """Attributes of the live function. Namespaces are only counted: they may hold anything."""
    live = function.object
    namespace = live.__globals__
    parameters = getattr(live, "__type_params__", ())  # 3.12+
    return [
        ("__name__", repr(function.name)),
        ("__qualname__", repr(function.qualname)),
        ("__module__", repr(function.module)),
        ("__doc__", repr(function.doc)),
        ("__defaults__", _values(function.defaults)),
        ("__kwdefaults__", _pairs(function.kwdefaults)),
        ("__annotations__", ", ".join(f"{n}: {t}" for n, t in function.annotations) or "none"),
        ("__closure__", ", ".join(f"cell of {cell.name}" for cell in function.cells) or "None"),
        ("__globals__", f"{len(namespace)} names of {function.module}"),
        ("__builtins__", f"{len(live.__builtins__)} names"),
        ("__code__", f"<code {function.code.qualname}>"),
        ("__type_params__", ", ".join(type(p).__name__ for p in parameters) or "none"),
        ("__dict__", _pairs(function.attributes)),
    ]


def _values(values: tuple[Value, ...]) -> str:
    return ", ".join(value.text for value in values) or "None"


def _pairs(pairs: tuple[tuple[str, Value], ...]) -> str:
    return ", ".join(f"{name}={value.text}" for name, value in pairs) or "none"

"""Run by another interpreter (3.8 or later, no imports of ours): what it makes of its own files.

Takes source paths as arguments, or as a JSON list from stdin. For each one that compiles it
writes a line with the path, the marshalled code in hexadecimal, and every field as that
interpreter has it after `marshal.loads`. `marshalled.py` writes the same form of our model.
"""

import dis
import json
import marshal
import struct
import sys
import types
import warnings

FIELDS = [
    "argcount", "posonlyargcount", "kwonlyargcount", "nlocals", "stacksize", "flags", "code",
    "consts", "names", "varnames", "freevars", "cellvars", "filename", "name", "qualname",
    "firstlineno", "exceptiontable",
]  # fmt: skip


def described(value):
    """JSON that tells 1, True and 1.0 apart, keeps the bits of a NaN and of a lone surrogate."""
    kind = type(value).__name__
    if isinstance(value, types.CodeType):
        return [kind, described_code(value)]
    if isinstance(value, str):
        return [kind, value.encode("utf-8", "surrogatepass").hex()]
    if isinstance(value, bytes):
        return [kind, value.hex()]
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, int):
        return [kind, hex(value)]
    if isinstance(value, float):
        return [kind, struct.pack("<d", value).hex()]
    if isinstance(value, complex):
        return [kind, struct.pack("<dd", value.real, value.imag).hex()]
    if isinstance(value, tuple):
        return [kind, [described(item) for item in value]]
    if isinstance(value, frozenset):
        return [kind, sorted((described(item) for item in value), key=json.dumps)]
    if isinstance(value, slice):
        return [kind, [described(value.start), described(value.stop), described(value.step)]]
    return [kind]


def described_code(code):
    """Every field; the line table under one name, qualnames to 3.10 from the bytecode."""
    table = "co_linetable" if hasattr(code, "co_linetable") else "co_lnotab"
    fields = {
        field: described(getattr(code, "co_" + field))
        for field in FIELDS
        if hasattr(code, "co_" + field)
    }
    fields["linetable"] = described(getattr(code, table))
    if "qualname" not in fields:
        fields["made"] = made_names(code)
    return fields


def made_names(code):
    """Qualified names that the compiler gave to nested code, in order of their making.

    A function's is the operand of MAKE_FUNCTION, a class's is stored by its body.
    """
    steps = [step for step in dis.get_instructions(code) if step.opname != "EXTENDED_ARG"]
    names = []
    for before, last, step in zip(steps, steps[1:], steps[2:]):  # noqa: B905 (3.8)
        if step.opname == "MAKE_FUNCTION":
            body = [inner for inner in dis.get_instructions(before.argval) if inner.argval]
            stores = [inner.argval for inner in body[:4]]
            is_class = stores[:2] == ["__name__", "__module__"] and stores[3:] == ["__qualname__"]
            names.append(stores[2] if is_class else last.argval)
    return names


def main():
    warnings.simplefilter("ignore")
    paths = sys.argv[1:] or json.load(sys.stdin)
    for path in paths:
        with open(path, "rb") as file:
            source = file.read()
        try:
            code = compile(source, path, "exec", dont_inherit=True)
        except (SyntaxError, ValueError, RecursionError):
            continue
        data = marshal.dumps(code)
        json.dump([path, data.hex(), described(marshal.loads(data))], sys.stdout)
        print()


if __name__ == "__main__":
    main()

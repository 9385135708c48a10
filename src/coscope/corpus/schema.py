"""The tables of a corpus and their columns: name, Arrow type, meaning. Plain data."""

from __future__ import annotations

from dataclasses import dataclass

SCHEMA_VERSION = 1  # changes whenever a column changes its name, type or meaning


@dataclass(frozen=True, slots=True)
class Column:
    """One column."""

    name: str
    type: str  # of Arrow: "int64", "string", "list<uint8>"
    doc: str
    default: object = 0  # in the rows of files that could not be read


@dataclass(frozen=True, slots=True)
class TableSchema:
    """One table: a folder of Parquet files."""

    name: str
    doc: str
    columns: tuple[Column, ...]
    detail: str | None = None  # the detail of a scan that fills it; None: every scan does

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns, in order."""
        return tuple(column.name for column in self.columns)


_FILE = Column("file", "int64", "Key of the content: see `files.file`.")
_CODE = Column("code", "int32", "Which code object of the file: 0 is the module, then depth first.")
_KEYS = (_FILE, _CODE)

_TABLES = (
    TableSchema(
        "files",
        "One row for each content that was read: a file found in two places is stored once.",
        (
            Column(
                "file",
                "int64",
                "Key of the content, positive. It follows from the bytes, the release that "
                "compiled them, the optimisation, the details asked for and the versions of "
                "coscope and of this schema.",
            ),
            Column("sha256", "string", "Of the bytes, in hex."),
            Column("bytes", "int64", "Size."),
            Column("kind", "string", "source or pyc."),
            Column(
                "version",
                "string",
                "CPython version whose bytecode it is, without the micro release.",
                None,
            ),
            Column("codes", "int32", "Code objects in it."),
            Column("instructions", "int64", "Instructions in all of them."),
            Column(
                "status",
                "string",
                "read; or why there are no code objects: does not compile, damaged, a limit, too "
                "slow, the process died, changed, unreadable.",
            ),
            Column(
                "reason", "string", "What the reader said, where the status is not `read`.", None
            ),
        ),
    ),
    TableSchema(
        "codes",
        "One row for each code object.",
        (
            *_KEYS,
            Column("parent", "int32", "`code` of the one whose constant it is; -1 for a module."),
            Column(
                "qualname",
                "string",
                "co_qualname; derived from the nesting where code objects have none.",
            ),
            Column("name", "string", "co_name."),
            Column("kind", "string", "module, function, class body, coroutine, lambda, ..."),
            Column("first_line", "int32", "co_firstlineno."),
            Column("flags", "int64", "co_flags."),
            Column("argcount", "int32", "Positional parameters, positional-only included."),
            Column("posonlyargcount", "int32", "Positional-only parameters."),
            Column("kwonlyargcount", "int32", "Keyword-only parameters."),
            Column("nlocals", "int32", "Local variables, parameters included."),
            Column("stacksize", "int32", "co_stacksize, in slots."),
            Column("bytes", "int32", "Length of co_code."),
            Column("instructions", "int32", "Instructions, EXTENDED_ARG included, caches not."),
            Column("blocks", "int32", "Basic blocks, by jump targets, handlers and ends."),
            Column("backward_jumps", "int32", "Jumps to an earlier instruction: rounds of loops."),
            Column("constants", "int32", "Length of co_consts."),
            Column("cellvars", "int32", "Own variables that nested code captures."),
            Column("freevars", "int32", "Variables captured from around it."),
            Column("regions", "int32", "Rows of the exception table, where there is one."),
            Column(
                "body",
                "int64",
                "Hash of bytecode, names, constants, nested code and exception table, without "
                "places, lines and the names of code objects: equal for copies.",
            ),
        ),
    ),
    TableSchema(
        "instructions",
        "One row for each code object, its instructions as two lists of one length. SQL sees the "
        "view of the same name: one row for each instruction, with opname and offset.",
        (
            *_KEYS,
            Column("opcodes", "list<uint8>", "Opcode numbers of the version, in order."),
            Column(
                "opargs", "list<int32>", "Opargs with EXTENDED_ARG applied; 0 where none is taken."
            ),
        ),
    ),
    TableSchema(
        "names",
        "What each code object does with names that are no fast locals.",
        (
            *_KEYS,
            Column(
                "name", "string", "A name, or a dotted path that is read in one go: os.path.join."
            ),
            Column("verb", "string", "read, write, delete or import."),
            Column(
                "space", "string", "global, name (class body or module), cell, attribute, module."
            ),
            Column("count", "int32", "How often."),
        ),
    ),
    TableSchema(
        "calls",
        "What is called, where the bytecode shows it: in that of old versions methods alone; a "
        "callee that is a local variable or the value of an expression is not here, nor are "
        "decorators.",
        (
            *_KEYS,
            Column("callee", "string", "A name or dotted path; .name for a method of any value."),
            Column(
                "line", "int32", "Where the callee is read; null where the line is not known.", None
            ),
        ),
    ),
    TableSchema(
        "constants",
        "co_consts without nested code.",
        (
            *_KEYS,
            Column("index", "int32", "Index into co_consts."),
            Column("type", "string", "str, int, tuple, ..."),
            Column(
                "text",
                "string",
                "The value: str as it is, lone surrogates as \\udcff; integers beyond 64 bits "
                "in hex; everything else as Python writes it. At most 200 characters.",
            ),
            Column(
                "length", "int64", "Characters or bytes of str and bytes, items of tuples; else 0."
            ),
        ),
    ),
    TableSchema(
        "cells",
        "Variables that closures share.",
        (
            *_KEYS,
            Column("name", "string", "The variable."),
            Column("kind", "string", "cell: made here; free: captured from around."),
            Column(
                "owner", "int32", "`code` of the one that makes the cell; -1 if it is not here."
            ),
        ),
    ),
    TableSchema(
        "regions",
        "Rows of exception tables, where there are some.",
        (
            *_KEYS,
            Column("start", "int32", "First byte of co_code that is protected."),
            Column("stop", "int32", "First byte after it."),
            Column("target", "int32", "Where the handler begins, in bytes."),
            Column("depth", "int32", "Stack slots that are kept."),
            Column("lasti", "bool", "The handler finds the offset that raised on the stack."),
        ),
    ),
    TableSchema(
        "dependencies",
        "What each file needs from elsewhere, one row for each name.",
        (
            _FILE,
            Column(
                "kind", "string", "module, builtin, or unbound: read, but nothing here binds it."
            ),
            Column("name", "string", "Module as written (relative ones begin with dots), or name."),
            Column("code", "int32", "The first code object that does so."),
            Column("count", "int32", "In how many code objects."),
        ),
    ),
    TableSchema(
        "flow",
        "The control-flow graph in numbers, by coscope's abstract machine.",
        (
            *_KEYS,
            Column("blocks", "int32", "Basic blocks that can be reached."),
            Column("edges", "int32", "Edges between them, exceptional ones included."),
            Column("exception_edges", "int32", "Of these the exceptional ones."),
            Column("loops", "int32", "Natural loops."),
            Column("nesting", "int32", "Deepest nesting of loops."),
            Column("depth", "int32", "Most stack slots in use; -1 if that cannot be followed."),
        ),
        detail="flow",
    ),
    TableSchema(
        "findings",
        "What the static rules of `coscope audit` report.",
        (
            _FILE,
            Column("qualname", "string", "The code object."),
            Column("rule", "string", "DYN101."),
            Column("severity", "string", "error, warning or info."),
            Column("confidence", "string", "proved, likely, ..."),
            Column("line", "int32", "Where; null if it is not known.", None),
            Column("message", "string", "One sentence."),
        ),
        detail="findings",
    ),
    TableSchema(
        "fingerprints",
        "Canonical digests: equal if lines, places, docstrings and local names alone differ.",
        (
            *_KEYS,
            Column("fingerprint", "string", "Hex."),
        ),
        detail="fingerprints",
    ),
)

# What the scan writes once at its end: where each content is.
CATALOG = (
    TableSchema(
        "places",
        "Where each content is.",
        (
            Column("path", "string", "Path as scanned, / between folders."),
            Column("member", "string", "Path inside an archive; empty for a file.", ""),
            Column("file", "int64", "Key in `files`."),
            Column(
                "distribution", "string", "Distribution that lists it (RECORD); empty if none.", ""
            ),
            Column("package", "string", "Top-level module or package that it belongs to."),
            Column("input", "string", "The argument of the scan under which it was found."),
        ),
    ),
    TableSchema(
        "distributions",
        "Installed distributions and wheels, from their METADATA.",
        (
            Column("distribution", "string", "Name and version: attrs 24.2.0."),
            Column("name", "string", "Name as its metadata writes it."),
            Column("version", "string", "Version."),
            Column("path", "string", "The .dist-info folder, or the archive."),
            Column("requires_python", "string", "What it says it runs on; empty if nothing.", ""),
        ),
    ),
)

TABLES: dict[str, TableSchema] = {table.name: table for table in _TABLES}
EVERY: dict[str, TableSchema] = {table.name: table for table in (*_TABLES, *CATALOG)}
DETAILS = tuple(table.detail for table in _TABLES if table.detail)

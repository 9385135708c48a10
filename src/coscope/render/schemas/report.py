"""The document of `show`, `dis` and `graph`

`--json` prints one JSON document, `Card.document` holds the same as plain dicts and lists, and a
notebook gets it as `application/vnd.coscope+json`. Everything that coscope shows, the card, the
listing, the graphs and the HTML, is made from it.

    coscope show json:dumps --json
    coscope show app/orders.py --all --json

- **Version.** `schema_version` is 1. A new key may come without a new number; a key that goes or
  changes its meaning raises it. The schema itself is
  `src/coscope/render/schema.json` (JSON Schema 2020-12); both are
  generated from the TypedDicts in `coscope.render.schemas`.
- **Strict.** Plain ASCII JSON: no `NaN` or `Infinity`. A lone surrogate is written as its Python
  escape (`\\\\udc80`), so that every string has an UTF-8 form. Control characters are escaped by
  JSON; whoever prints a string from here has to escape them again, as the terminal page does.
- **Constants are texts.** A constant is `{type, text}`: `{"type": "float", "text": "nan"}`.
  Integers beyond what Python writes in decimal are in hexadecimal. A text above 4000 characters is
  cut and says so by `shortened`.
- **What has detail.** Every code object has its identity. `detail` is null where the page shows
  only a line: nested code objects of a function, and all those of a file without `--all`.
- **Units.** Offsets are bytes in `co_code`, lines count from 1, columns are UTF-8 bytes from 0,
  stack and depth count slots. Blocks are named `B0`, `B1`, ... in code order.
- **Whole or shown.** `--json` and `Card.document` give the whole document. `findings`,
  `source.text`, `opcodes`, `producers` and `kinds` are null or absent in what a page is made from.
- **Columns.** `coscope show TARGET --columns` writes the same data in columns, a fifth of the size:
  `coscope.render.to_columns.from_columns` gives the document back. `{"~": FORM, ...}` replaces a
  list: `rows` (objects: a column for each key; `absent` says which rows lack it), `same`, `words`
  (distinct values, and which one each is), `steps` (differences), `digits` (numbers above `least`,
  in base 93, `width` printable characters each, without quote and backslash), `some` (places of
  null, the other values), `tuples` (lists of one length, a column for each place), `lists` (counts,
  and all items) and `stacks` (how much each list keeps of the one before, and what it adds). With
  `excerpts` the lines of the source and the text of each instruction are left out: they are in
  `source.text`.
- **Errors.** Bad input gives a document too: `codes` is empty, `error` says what is wrong, and the
  exit status is 2. It is null in every other document. `verify`, which takes many targets, has the
  error of each in its report.
"""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired, TypedDict

from coscope.render.schemas.shared import (
    BlockName,
    Byte,
    CodeKind,
    Confidence,
    Constant,
    Header,
    LineNumber,
    LocalKind,
    Natural,
    Positions,
    Positive,
    Severity,
    Sha256,
    Sort,
    Unit,
    User,
    Value,
    Version,
)

Binding = Annotated[str, {"enum": ["global", "builtin", "unbound", "unknown"]}]
Origin = Annotated[str, {"enum": ["live", "source", "pyc", "interpreter", "code"]}]
EdgeKind = Annotated[str, {"enum": ["next", "jump", "true", "false", "exception"]}]
WarmState = Annotated[str, {"enum": ["specialized", "missing", "generic", "waiting", "uncounted"]}]


class Source(TypedDict):
    """The source file, as far as it is shown."""

    file: str
    sha256: Sha256
    lines: dict[LineNumber, str]  # lines that shown instructions name, by number
    # all lines, each ended by a line feed, if the whole document was asked for
    text: NotRequired[str]


class WarmSeen(TypedDict):
    """What one process saw of the function."""

    release: str  # of CPython in that process
    samples: Natural  # moments at which it was looked at


class WarmRun(WarmSeen):
    """The run after which a function is shown, with `--warm`."""

    command: str  # as the user gave it
    status: int  # its exit status; negative: the signal that ended it
    processes: Positive  # that have the function; shown is the one that ran it most


class Document(Header):
    """What coscope says about one target."""

    target: str  # as the user named it
    origin: Origin | None
    live: bool | None  # read from a live function
    module: str | None
    doc: str | None
    via: list[str]  # steps from the target to the function
    source: Source | None
    codes: list[Code]  # depth first; the first is the target's own, except for a class
    findings: list[Finding] | None  # of the static rules; null: not asked for
    warnings: list[str]
    error: Error | None
    # what each opcode that occurs does, in one sentence, by name; absent: not asked for
    opcodes: NotRequired[dict[str, str]]
    warm: NotRequired[WarmRun]  # after `--warm` only: the run that the document describes
    class_shown: NotRequired[ClassShown]  # of a class only: `codes` are its functions


class Local(TypedDict):
    """One fast local."""

    slot: Natural
    name: str
    kind: LocalKind
    default: Value | None
    cell: bool  # nested code captures it


class OwnCell(TypedDict):
    """A cell variable: a call of this code makes the cell."""

    name: str
    slot: Natural
    parameter: bool
    captured_by: list[str]
    readers: list[User]
    writers: list[User]
    note: str | None


class FreeCellSharer(TypedDict):
    """Another live function that holds the same cell."""

    qualname: str
    module: str | None
    name: str  # of the variable there
    same_code: bool  # made from the same code object


class FreeCell(TypedDict):
    """A free variable: the cell comes from outside."""

    name: str
    index: Natural  # in co_freevars and __closure__
    slot: Natural
    owner: str | None  # qualified name of the code whose call makes the cell; null: not known
    readers: list[User]
    writers: list[User]
    live: bool  # the cell itself was at hand
    empty: bool | None  # null if not live
    value: Value | None
    sharers: list[FreeCellSharer]
    note: str | None


class Name(TypedDict):
    """A name, in the group that the opcodes put it in."""

    name: str
    access: list[str]  # what is done with it: read, write, delete, import, ...
    offsets: list[Natural]  # bytes, of the instructions that use it
    binding: Binding | None  # where the lookup ends
    value: Value | None  # what it is bound to now, in a live function


class ConstantUse(Constant):
    """One entry of co_consts."""

    index: Natural
    offsets: list[Natural]  # bytes, of the instructions that load it
    docstring: bool


class Instruction(TypedDict):
    """One instruction; EXTENDED_ARG is an instruction of its own, caches are not shown."""

    offset: Natural  # bytes
    opcode: Byte
    opname: str
    sort: Sort  # what it does, in one word
    pops: Natural  # stack slots that it takes
    pushes: Natural  # stack slots that it leaves, on the path that does not jump
    arg: int | None  # null if the opcode takes none
    argrepr: str  # what arg means, as dis writes it
    line: Natural | None
    positions: Positions  # line, end line, column, end column; columns in UTF-8 bytes from 0
    block: BlockName
    jump: BlockName | None  # block to which it may jump
    # symbolic stack before it, deepest first; null: no path leads here, or the stack is not known
    stack: list[str] | None
    # for each value on the stack the offsets of the instructions that may have made it; none: the
    # interpreter did; null: not known, absent: not asked for
    producers: NotRequired[list[list[Natural]] | None]
    # for each value on the stack its kind, as the verifier knows it; null: not known
    kinds: NotRequired[list[str] | None]
    source: str | None  # the exact source text under the positions
    # after `--warm` only; null of an instruction that does not specialise
    warm: NotRequired[Warm | None]


class Edge(TypedDict):
    """One way out of a block."""

    kind: EdgeKind
    target: BlockName
    label: str | None  # the condition, or the outcome of another test
    back: bool  # leads to the head of a loop around the block


class BlockStep(TypedDict):
    """What the block does that can be seen from outside the stack."""

    offset: Natural
    line: Natural | None
    text: str


class LineRange(TypedDict):
    """The source lines of some instructions."""

    line: Natural | None  # the smallest
    last_line: Natural | None  # the largest


class Block(LineRange):
    """A basic block."""

    name: BlockName
    start: Natural  # byte offset of the first instruction
    stop: Natural  # byte offset after the last one
    reachable: bool
    loop_head: bool
    edges: list[Edge]
    steps: list[BlockStep]


class Loop(TypedDict):
    """A loop."""

    head: BlockName
    blocks: list[BlockName]
    depth: Positive  # 1 for an outermost loop


class Region(TypedDict):
    """Instructions under the protection of a handler."""

    start: Natural  # byte offset, inclusive
    stop: Natural  # byte offset, exclusive
    target: Natural  # byte offset of the handler
    depth: Natural  # stack slots kept
    lasti: bool  # the handler finds the faulting offset on the stack
    first_block: BlockName | None
    last_block: BlockName | None
    handler: BlockName


class DetailStack(TypedDict):
    """Stack slots that are needed, and that the code object declares."""

    needed: Natural | None  # slots; null if the stack is not known
    declared: Natural  # co_stacksize, slots


class DetailCells(TypedDict):
    """The cells that the code owns, and those that come from outside."""

    own: list[OwnCell]
    free: list[FreeCell]
    search: str | None  # how sharers were looked for; null: not at all
    complete: bool  # false if that search stopped at its bound


class DetailNames(TypedDict):
    """Names by what the opcodes do with them."""

    globals: list[Name]
    builtins: list[Name]
    names: list[Name]  # of a module or class body: own namespace first
    attributes: list[Name]
    imports: list[Name]


class DetailInlined(TypedDict):
    """A comprehension without a code object of its own (3.12 and later)."""

    kind: str
    line: Natural | None
    offset: Natural
    names: list[str]  # its own variables
    source: str | None


class DetailField(TypedDict):
    """One raw field of the code object or of the function."""

    of: Literal["code object", "function"]
    name: str
    text: str


class DetailWarm(TypedDict):
    """after `--warm` only."""

    samples: Natural  # moments at which the code was on the stack
    running: Natural  # moments at which it ran itself
    states: dict[str, Positive]  # how many instructions are in each state
    jit: Literal["on", "off"] | None  # null: this CPython has none, or does not say
    unread: str | None  # why the locals of its frames were not read; null: they were


class Detail(TypedDict):
    """The whole card of one code object."""

    stack: DetailStack
    locals: list[Local]
    cells: DetailCells
    names: DetailNames  # Names by what the opcodes do with them.
    constants: list[ConstantUse]
    instructions: list[Instruction]
    blocks: list[Block]
    loops: list[Loop]
    regions: list[Region]
    inlined: list[DetailInlined]
    warnings: list[str]
    marked: bool  # there is source, and instructions know columns
    fields: list[DetailField] | None  # raw fields; null if not asked for
    warm: NotRequired[DetailWarm]  # after `--warm` only


class CodeFlags(TypedDict):
    """`co_flags`."""

    value: Natural
    names: list[str]


class Code(TypedDict):
    """One code object."""

    index: Natural  # in `codes`
    # survives edits elsewhere: the qualified name, from the second one of a name on with a number,
    # such as `f.<locals>.<lambda>#2`
    key: str
    parent: Natural | None  # index of the code object that holds it
    name: str
    qualname: str
    file: str
    first_line: int
    last_line: int
    version: Version  # CPython, such as 3.13
    release: str | None  # CPython, such as 3.13.0; null where only the version is known
    kind: CodeKind
    flags: CodeFlags
    bytes: Natural  # length of co_code
    instruction_count: Natural
    cellvars: list[str]
    freevars: list[str]
    detail: Detail | None
    target: NotRequired[str | None]  # in the tree of a class: what names this function


class ClassShown(TypedDict):
    """The class whose functions are shown."""

    name: str  # with its module
    bases: list[str]  # in the order of the MRO, without object
    target: str | None  # what names it; null for a class inside of a function


class FindingEvidence(TypedDict):
    """One fact on which a finding rests."""

    text: str
    offset: Natural | None
    line: int | None


class Finding(TypedDict):
    """One thing that a rule says about one place."""

    rule: str  # `DYN101`; `coscope rule` explains it
    title: str  # of the rule
    message: str
    severity: Severity
    # proved: it cannot be otherwise; measured: by a clock, here; likely: unless something unseen
    # makes it untrue
    confidence: Confidence
    code: str  # qualified name
    file: str | None
    positions: Positions | None
    offset: Natural | None
    evidence: list[FindingEvidence]
    why: str  # why it matters on this version
    instead: str  # what to write instead


class Error(TypedDict):
    """What could not be read, and why."""

    type: str  # name of the exception
    message: str  # everything in one line
    what: NotRequired[str]
    file: NotRequired[str | None]
    code: NotRequired[str | None]  # qualified name
    offset: NotRequired[int | None]  # bytes: of the file for a .pyc, else of co_code
    line: NotRequired[int | None]
    expected: NotRequired[str | int | None]
    found: NotRequired[str | int | None]
    hint: NotRequired[str | None]
    text: NotRequired[str | None]  # the source line of a syntax error
    column: NotRequired[int | None]  # from 1
    signature: NotRequired[str | None]  # of a C function
    doc: NotRequired[str | None]  # its first line
    functions: NotRequired[list[str]]  # Python functions of a class whose constructor is not one
    cause: NotRequired[str]


class WarmReason(TypedDict):
    """Why an instruction is generic, or misses."""

    reason: str | None  # null where it is not known
    proved: bool | None  # the reason was seen; else it is the likely one
    types: list[str]  # types seen there


class Warm(WarmReason):
    """What the interpreter made of one instruction.

    `specialized` fits what it meets. `missing` was specialised for something else, again and again.
    `generic` is so after 254 executions or more in a row, `waiting` was executed less often.
    `uncounted` has another form without a counter, such as `RESUME_CHECK`.
    """

    # the form that is executed now, such as LOAD_ATTR_SLOT; opname is the compiled one
    executed: str
    state: WarmState
    counter: Unit | None  # first unit of its inline cache
    backoff: Natural | None  # of a generic form: exponent of the wait until it is tried again
    executions: Natural | None  # of a generic form: executions in a row, at least
    misses: Natural | None  # of a specialised form: executions that did not fit since it was made
    # the JIT compiled the trace of the loop around it; null: it is in no loop, or no JIT runs
    traced: bool | None
    machine_code: Positive | None  # bytes that the JIT made of the trace that begins here

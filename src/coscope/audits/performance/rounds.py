"""What a round of a loop costs at least, so that a small gain in a long round is not told."""

from __future__ import annotations

from coscope.audits.performance.hot import hot_loop, tight_loop
from coscope.audits.subject.calls import Call
from coscope.audits.subject.loops import LoopFacts
from coscope.audits.subject.subject import Subject

_SHARE = 0.05  # of a round that a gain is, or it is not told
_FEW = 16  # items: a loop over fewer is over before it counts

# Nanoseconds, rather too low than too high: what they take on a machine of 2024.
_INSTRUCTION = 2.0
_QUICK = 40.0  # a builtin or method that does little
_CALL = 1_500.0  # any other: what it calls is not known, and mostly longer
_OUTSIDE = 5_000.0  # it asks the system, or writes somewhere

_QUICK_NAMES = frozenset(
    (
        *("len", "isinstance", "issubclass", "abs", "min", "max", "ord", "chr", "bool", "int"),
        *("float", "str", "type", "id", "hash", "getattr", "hasattr", "callable", "range", "zip"),
        *("enumerate", "iter", "next", "tuple", "list", "set", "dict", "divmod", "round"),
        *("append", "add", "get", "pop", "popleft", "appendleft", "startswith", "endswith"),
        *("strip", "lstrip", "rstrip", "split", "partition", "rpartition", "join", "lower"),
        *("upper", "items", "keys", "values", "extend", "insert", "format", "replace", "find"),
        *("rfind", "index", "count", "encode", "decode", "setdefault", "update", "discard"),
        *("isdigit", "isalpha", "isalnum", "isspace", "isidentifier", "islower", "isupper"),
        *(
            "suppress",
            "title",
            "zfill",
            "ljust",
            "rjust",
            "center",
            "clear",
            "copy",
            "sqrt",
            "floor",
            "ceil",
        ),
    )
)
_OUTSIDE_NAMES = frozenset(
    (
        *("open", "print", "input", "write", "writelines", "read", "readline", "readlines"),
        *("read_text", "write_text", "read_bytes", "write_bytes", "flush", "close", "recv"),
        *("send", "sendall", "connect", "accept", "remove", "unlink", "rmdir", "mkdir"),
        *("makedirs", "rename", "stat", "lstat", "exists", "isfile", "isdir", "is_file", "is_dir"),
        *("listdir", "scandir", "iterdir", "walk", "glob", "rglob", "run", "call", "check_call"),
        *("check_output", "Popen", "system", "sleep", "wait", "import_module", "__import__"),
        *("debug", "info", "warning", "warn", "error", "exception", "critical", "log", "echo"),
        *("eval", "exec", "compile", "load", "loads", "dump", "dumps", "execute", "commit"),
        *("request", "urlopen", "fetch", "fetchone", "fetchall", "post", "put", "patch", "head"),
        *("download", "upload", "send_message", "sendmail", "publish", "query", "executemany"),
    )
)


# Parts of a path that say that what is called there asks another machine.
_NETWORK = frozenset(
    (
        *("requests", "httpx", "urllib", "urllib3", "socket", "sock", "session", "client", "http"),
        *("aiohttp", "boto3", "smtplib", "ftplib", "redis", "conn", "connection", "cursor", "api"),
    )
)


def light_loop(
    subject: Subject, index: int, nanoseconds: float, share: float = _SHARE
) -> LoopFacts | None:
    """As `hot_loop`, if a gain in each round is a share of the round that somebody could notice.

    Args:
        subject: The code.
        index: The instruction at which something is gained: a call, or what is called there.
        nanoseconds: About as much as is gained there, on a round that it is part of.
        share: Of a round, that it must be.

    Returns:
        None too of a loop over a few items that the source writes, and of one with loops inside.
    """
    loop = hot_loop(subject, index)
    if loop is None or loop.inner or _is_seldom(subject, loop) or is_short(subject, loop):
        return None
    return loop if nanoseconds >= share * _cost(subject, loop, index) else None


def brief_loop(subject: Subject, index: int) -> LoopFacts | None:
    """As `tight_loop`, unless it is over the few items that the source writes."""
    loop = tight_loop(subject, index)
    if loop is None or _is_seldom(subject, loop) or is_short(subject, loop):
        return None
    return loop


_SELDOM = frozenset(
    (
        *("__repr__", "__str__", "__init_subclass__", "__set_name__", "__del__", "main", "_main"),
        *("usage", "help", "setup", "teardown", "setUp", "tearDown", "setUpClass", "tearDownClass"),
        *("setUpModule", "tearDownModule", "setup_method", "setup_class", "setup_module"),
    )
)


def _is_seldom(subject: Subject, loop: LoopFacts) -> bool:
    """True of functions that people look at the result of, and where others run between rounds."""
    parent = subject.parent
    if subject.code.name in _SELDOM or (parent is not None and parent.name in _SELDOM):
        return True
    if is_test(subject):
        return True
    if subject.code.kind == "generator expression":
        return False
    yields = subject.where("YIELD_VALUE")
    return any(index in loop.indexes for index in yields)


def is_test(subject: Subject) -> bool:
    """True for code of a test: of a file, class or function that is named as test runners ask."""
    parts = subject.unit.file.replace("\\", "/").rsplit("/", 2)[-2:]
    name = parts[-1].removesuffix(".py")
    if name.startswith("test_") or name.endswith("_test") or name in ("conftest", "tests"):
        return True
    if parts[0] in ("tests", "test") and len(parts) > 1:
        return True
    around = subject.code.qualname.split(".")
    return any(each.startswith(("test_", "Test")) or each.endswith("TestCase") for each in around)


def _cost(subject: Subject, loop: LoopFacts, index: int) -> float:
    """Nanoseconds that each round takes at least, without the call that is looked at."""
    total = _INSTRUCTION * len(loop.every_round)
    for call in subject.calls:
        if call.index in loop.every_round and call.index != index and index not in call.callee:
            total += _cost_of(subject, call)
    return total


def _cost_of(subject: Subject, call: Call) -> float:
    name = (call.path or "").rpartition(".")[2]
    if not name and len(call.callee) == 1 and min(call.callee) >= 0:  # `"{}".format`, `f().get`
        (made,) = call.callee
        row = subject.rules.by_code[subject.instructions.opcodes[made]]
        if row is not None and "read attribute" in row.access:
            name = str(subject.instructions.argval(made))
    if name in _OUTSIDE_NAMES or not _NETWORK.isdisjoint((call.path or "").lower().split(".")):
        return _OUTSIDE
    return _QUICK if name in _QUICK_NAMES else _CALL


def is_short(subject: Subject, loop: LoopFacts) -> bool:
    """True of a loop over a literal of few items, or a `range` of few."""
    if loop.iterates is None:
        return False
    taken = subject.takers.get(loop.iterates)
    makers = taken[1][-1] if taken is not None and taken[1] else frozenset()
    if makers and all(subject.instructions.argval(at) == ".0" for at in makers if at >= 0):
        return _is_given_few(subject)
    return bool(makers) and all(_few(subject, at) for at in makers)


def _is_given_few(subject: Subject) -> bool:
    """The same of a comprehension or generator expression that is code of its own."""
    if subject.parent is None:
        return False
    outer = Subject(subject.parent, subject.unit)
    for call in outer.calls:
        made = [at for at in call.callee if at > 0 and outer.opnames[at] == "MAKE_FUNCTION"]
        loads = [outer.instructions.argval(each) for at in made for each in (at - 1, at - 2)]
        if any(each is subject.code for each in loads) and len(call.positional) == 1:
            return all(_few(outer, at) for at in call.positional[0])
    return False


def _few(subject: Subject, index: int) -> bool:
    if index < 0:
        return False
    columns, name = subject.instructions, subject.opnames[index]
    row = subject.rules.by_code[columns.opcodes[index]]
    if row is not None and row.operand == "const":
        held = columns.argval(index)
        return isinstance(held, tuple | frozenset | str) and len(held) <= _FEW
    if name in ("BUILD_LIST", "BUILD_TUPLE", "BUILD_SET"):
        return 0 < columns.opargs[index] <= _FEW
    taken = subject.takers.get(index)
    if taken is None:
        return False
    if name in ("GET_ITER", "LIST_EXTEND", "SET_UPDATE"):
        return any(_few(subject, at) for at in taken[1][-1])
    call = next((call for call in subject.calls if call.index == index), None)
    if call is None or call.path != "range" or len(call.positional) not in (1, 2):
        return False
    return all(_is_small(subject, at) for bound in call.positional for at in bound)


def _is_small(subject: Subject, index: int) -> bool:
    columns = subject.instructions
    if index < 0 or columns.opcodes[index] not in subject.rules.constants:
        return False
    held = columns.argval(index)
    return type(held) is int and held <= _FEW

"""What has been checked on every path to an instruction, and of which values."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from coscope.audits.dynamic.flows.meaning import definitions_of, meanings_of
from coscope.audits.dynamic.flows.places import text_at
from coscope.audits.dynamic.flows.scope import Scope
from coscope.audits.dynamic.flows.sources import CONSTANT, NUMBER_METHODS
from coscope.audits.dynamic.flows.walk import Walk
from coscope.audits.subject.calls import Call
from coscope.flow.domains.makers import NOTHING, Makers
from coscope.flow.dominators import dominates
from coscope.flow.graph import Block, Edge

_CHECKS = re.compile(
    r"_*(?:is_|are_|has_)?(?:valid|validate|check|verify|ensure|assert|sanitize|require|allow"
    r"|authenticate|authorize|permit|trusted|safe|whitelist|allowlist|known|compare_digest)\w*",
    re.IGNORECASE,
)
_REFUSING = frozenset(  # they raise for what is not a number, a literal or the like
    (
        *("builtins.int", "builtins.float", "builtins.complex", "ast.literal_eval", "uuid.UUID"),
        *("decimal.Decimal", "ipaddress.ip_address", "ipaddress.ip_network"),
        *("datetime.datetime.strptime", "datetime.date.fromisoformat"),
    )
)
_SETS = frozenset({"builtins.set", "builtins.frozenset"})
_MATCHES = frozenset({"match", "fullmatch", "search", "findall"})
_SIGNATURES = frozenset({"compare_digest", "verify", "check_signature", "verify_signature"})
_OF_TEXT = frozenset({"isdigit", "isdecimal", "isnumeric", "isalnum", "isalpha", "isidentifier"})


class Guard(NamedTuple):
    """One check that every path has passed."""

    makers: Makers  # of what was checked; NOTHING: of whatever comes
    safe: bool  # what passes is harmless; False: it may be
    reason: str


def guards_at(scope: Scope, index: int) -> list[Guard]:
    """The checks that are passed on every path to an instruction."""
    graph = scope.subject.graph
    if graph is None or not scope.takers:
        return []
    target = graph.block_of(index)
    found = [
        guard
        for guard, edges in scope.fact(_tests).items()
        if not _avoidable(scope, {edge for same in edges for edge in same}, target)
    ]
    above = scope.dominators
    for block, start, guards in scope.fact(_refusals):
        inside = block.index == target.index and start < index
        over = block.index != target.index and dominates(above, block.index, target.index)
        handlers = [edge for edge in block.edges if edge.kind == "exception"]
        if (inside or over) and not any(_reaches(scope, e, block, target) for e in handlers):
            found += guards
    return found


Edges = set[tuple[int, int, bool]]  # source, target, whether it is the jump


def _tests(scope: Scope) -> dict[Guard, list[Edges]]:
    """What is known of values on the edges out of tests; the same about a value together."""
    graph = scope.subject.graph
    assert graph is not None
    found: dict[tuple[Makers, bool], tuple[Guard, list[Edges]]] = {}
    for block in graph.blocks:
        last = block.stop - 1
        row, taken = scope.row(last), scope.takers.get(last)
        if row is None or taken is None or row.tests not in _TRUTHS:
            continue
        for edge in block.edges:
            if edge.kind == "exception":
                continue
            true = (row.tests in ("true", "not none")) == edge.jumps
            for maker in taken[1][-1]:
                for guard in _of_condition(scope, maker, true, 4):
                    key = guard.makers, guard.safe
                    held = found.setdefault(key, (guard, []))
                    held[1].append({(edge.source, edge.target, edge.jumps)})
    return dict(found.values())


_TRUTHS = ("true", "false", "none", "not none")


def _avoidable(scope: Scope, edges: Edges, target: Block) -> bool:
    """True if a path leads to the target over none of the edges."""
    graph = scope.subject.graph
    assert graph is not None
    seen: set[int] = set()
    pending = [0]
    while pending:
        at = pending.pop()
        if at == target.index:
            return True
        if at not in seen:
            seen.add(at)
            pending += [
                edge.target
                for edge in graph.blocks[at].edges
                if (edge.source, edge.target, edge.jumps) not in edges
            ]
    return False


def _reaches(scope: Scope, edge: Edge, block: Block, target: Block) -> bool:
    """True if the target is reached over an edge without coming back to the block."""
    graph = scope.subject.graph
    assert graph is not None
    seen = {block.index}
    pending = [edge.target]
    while pending:
        at = pending.pop()
        if at == target.index:
            return True
        if at not in seen:
            seen.add(at)
            pending += [each.target for each in graph.blocks[at].edges]
    return False


def _of_condition(scope: Scope, maker: int, true: bool, depth: int) -> Iterator[Guard]:
    """The guards that a condition is, known that it is true or not."""
    if maker < 0 or not depth:
        return
    name = scope.row_name(maker)
    taken = scope.takers.get(maker)
    if taken is None:
        return
    operands = taken[1]
    if name in ("UNARY_NOT", "TO_BOOL"):
        for each in operands[0]:
            yield from _of_condition(scope, each, true != (name == "UNARY_NOT"), depth - 1)
    elif name in ("CONTAINS_OP", "COMPARE_OP", "IS_OP"):
        yield from _of_comparison(scope, maker, operands, true, depth)
    elif maker in scope.calls:
        yield from _of_call(scope, scope.calls[maker], true)


def _of_comparison(
    scope: Scope, maker: int, operands: tuple[Makers, ...], true: bool, depth: int
) -> Iterator[Guard]:
    shown = scope.code.instructions.argrepr(maker)
    shown = shown.removeprefix("bool(").removesuffix(")").strip()
    name = scope.row_name(maker)
    negative = shown in ("not in", "!=", "is not") or _inverts(scope, maker, name)
    holds = true != negative
    if name == "CONTAINS_OP" or shown in ("in", "not in"):
        if holds:
            yield _membership(scope, operands)
    elif name == "IS_OP" or shown in ("is", "is not"):
        if scope.constant(operands[1]) is None:
            for each in operands[0]:
                yield from _of_condition(scope, each, not holds, depth - 1)
    elif shown in ("==", "!="):
        for value, other in (operands, operands[::-1]):
            if holds and scope.constant(other) is not Scope:
                yield Guard(value, True, f"it is compared with {text_at(scope, min(other))} first")
    elif shown in ("<=", "<", ">=", ">"):
        for each in operands[0]:
            call = scope.calls.get(each)
            if call is None or meanings_of(scope, call.callee).isdisjoint(_SETS):
                continue
            for makers in call.positional:
                yield Guard(makers, False, "its parts are compared with a set first")


def _inverts(scope: Scope, maker: int, name: str) -> bool:
    """True for `not in` and `is not`, which some versions write as an oparg alone."""
    return name in ("CONTAINS_OP", "IS_OP") and bool(scope.code.instructions.opargs[maker] & 1)


def _membership(scope: Scope, operands: tuple[Makers, ...]) -> Guard:
    """`value in container`: harmless if all that the container holds is constant."""
    value, container = operands[:2]
    sources = Walk("").run(scope, container)
    fixed = bool(sources) and all(each.kind == CONSTANT for each in sources)
    text = text_at(scope, min(container))
    return Guard(value, fixed, f"it is one of {text}" if fixed else f"it is looked up in {text}")


def _of_call(scope: Scope, call: Call, true: bool) -> Iterator[Guard]:
    callees = meanings_of(scope, call.callee)
    owners: list[Makers] = []
    method = ""
    for at in call.callee:
        if at >= 0 and scope.access(at) == "read attribute":
            method = scope.name(at)
            owners.append(scope.owner(at))
    given = [*owners, *call.positional, *(value for _, value in call.keywords)]
    text = text_at(scope, call.index)
    if method in _OF_TEXT and true:
        for owner in owners:
            yield Guard(owner, True, f"{text} is true")
    elif method in _MATCHES:
        for makers in given:
            yield Guard(makers, False, f"a regular expression checks it first: {text}")
    elif "builtins.isinstance" in callees and true and len(call.positional) > 1:
        if _is_numeric(scope, call.positional[1]):
            yield Guard(call.positional[0], True, f"{text} is true")
    elif callees & {"builtins.any", "builtins.all", "builtins.set.issubset"} or method in (
        *("issubset", "issuperset"),
    ):
        for makers in given:
            yield from _parts(scope, makers, text)
    elif method in _SIGNATURES or any(each.endswith("compare_digest") for each in callees):
        yield Guard(NOTHING, False, f"a signature is compared first: {text}")
    elif method not in NUMBER_METHODS:
        yield from _of_check(scope, call, given, method, callees, text)


def _of_check(
    scope: Scope,
    call: Call,
    given: list[Makers],
    method: str,
    callees: frozenset[str],
    text: str,
) -> Iterator[Guard]:
    """A function whose name says that it checks."""
    names = {method, *(each.rpartition(".")[2] for each in callees)}
    names |= {code.name for code in definitions_of(scope, call.callee)}
    if any(_CHECKS.fullmatch(name) for name in names if name):
        for makers in given:
            yield Guard(makers, False, f"{text} checks it first")


def _parts(scope: Scope, makers: Makers, text: str) -> Iterator[Guard]:
    """A check of each character: of what the generator goes over."""
    yield Guard(makers, False, f"its parts are checked first: {text}")
    for maker in makers:
        call = scope.calls.get(maker)
        for given in call.positional if call is not None else ():
            for each in given:
                taken = scope.takers.get(each)
                if taken is not None and scope.row_name(each) == "GET_ITER":
                    yield Guard(taken[1][0], False, f"its parts are checked first: {text}")
            yield Guard(given, False, f"its parts are checked first: {text}")


def _is_numeric(scope: Scope, makers: Makers) -> bool:
    names = meanings_of(scope, makers)
    for maker in makers:
        taken = scope.takers.get(maker)
        if taken is not None and scope.row_name(maker) == "BUILD_TUPLE":
            names |= {name for each in taken[1] for name in meanings_of(scope, each)}
    wanted = {f"builtins.{each}" for each in ("int", "float", "bool", "complex")}
    return bool(names) and names <= wanted


def _refusals(scope: Scope) -> list[tuple[Block, int, list[Guard]]]:
    """Calls that raise for what is not harmless: their blocks, where, and what they refuse."""
    graph = scope.subject.graph
    assert graph is not None
    found = []
    for index, call in scope.calls.items():
        if not call.positional:
            continue
        names = meanings_of(scope, call.callee)
        last = {each.rpartition(".")[2] for each in names}
        last |= {code.name for code in definitions_of(scope, call.callee)}
        if not names & _REFUSING and not any(_CHECKS.fullmatch(each) for each in last if each):
            continue
        reason = f"{text_at(scope, index)} refuses what is not meant"
        guards = [Guard(makers, False, reason) for makers in call.positional]
        found.append((graph.block_of(index), index, guards))
    return found

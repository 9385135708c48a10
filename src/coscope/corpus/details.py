"""What a scan computes only if asked, since each costs more than the rest: flow, findings, ..."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from coscope.audits.running.engine import audit_unit, unit_of
from coscope.audits.selection import Selection
from coscope.corpus.rows import Rows
from coscope.corpus.tasks import Task
from coscope.errors import CodeError, StackError
from coscope.facts.fingerprints.canonical import digested
from coscope.flow import build, find_loops, run
from coscope.flow.domains.depth import Depth
from coscope.model import Code
from coscope.readers.from_source import static_function

if TYPE_CHECKING:
    from coscope.flow import Graph


def _flow(rows: Rows, task: Task, root: Code, optimize: int) -> None:
    for index, code in enumerate(root.walk()):
        graph = build(code)
        loops = find_loops(graph)
        reached = [block for block in graph.blocks if block.reachable]
        edges = [edge for block in reached for edge in block.edges]
        rows.add(
            "flow",
            file=task.file,
            code=index,
            blocks=len(reached),
            edges=len(edges),
            exception_edges=sum(edge.kind == "exception" for edge in edges),
            loops=len(loops),
            nesting=max((loop.depth for loop in loops), default=0),
            depth=_depth(graph),
        )


def _depth(graph: Graph) -> int:
    try:
        return run(graph, Depth()).peak
    except (StackError, CodeError):
        return -1


def _findings(rows: Rows, task: Task, root: Code, optimize: int) -> None:
    function = static_function(root, task.kind, None)
    for finding in audit_unit(unit_of(function, task.path), Selection().rules()).findings:
        rows.add(
            "findings",
            file=task.file,
            qualname=finding.code,
            rule=finding.rule,
            severity=finding.severity,
            confidence=finding.confidence,
            line=finding.span.lineno,
            message=finding.message,
        )


def _fingerprints(rows: Rows, task: Task, root: Code, optimize: int) -> None:
    # What is shared is digested once, but is in the tree more than once.
    digests = {id(each.code): each.digest for each in digested(root)}
    for index, code in enumerate(root.walk()):
        rows.add("fingerprints", file=task.file, code=index, fingerprint=digests[id(code)])


ADD: dict[str, Callable[[Rows, Task, Code, int], None]] = {
    "flow": _flow,
    "findings": _findings,
    "fingerprints": _fingerprints,
}

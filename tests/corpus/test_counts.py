"""Every table against an independent count with `dis`, `marshal`-free live code and `symtable`."""

from __future__ import annotations

import dis
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import CodeType

import pytest

pytest.importorskip("pyarrow", reason="coscope[corpus] is not installed")
pytest.importorskip("duckdb", reason="coscope[corpus] is not installed")

from coscope.corpus import Corpus


def _codes(tree: Path) -> Iterator[tuple[str, int, CodeType]]:
    """Every code object of the different contents of the tree: path, number, live object."""
    seen: set[bytes] = set()
    for file in sorted(tree.rglob("*.py")):
        data = file.read_bytes()
        if data in seen:
            continue
        seen.add(data)
        try:
            root = compile(data, "x", "exec", dont_inherit=True)
        except SyntaxError:
            continue
        pending, number = [root], 0
        while pending:
            co = pending.pop()
            yield file.name, number, co
            number += 1
            pending += [each for each in reversed(co.co_consts) if isinstance(each, CodeType)]


@pytest.fixture(scope="module")
def live(tree: Path) -> list[CodeType]:
    return [co for _file, _number, co in _codes(tree)]


def _one(corpus: Corpus, query: str) -> object:
    return corpus.sql(query).rows()[0][0]


def test_code_objects(corpus: Corpus, live: list[CodeType]) -> None:
    fields = "qualname, argcount, kwonlyargcount, stacksize, bytes, flags, first_line"
    expected = Counter(
        (co.co_qualname, co.co_argcount, co.co_kwonlyargcount, co.co_stacksize, len(co.co_code),
         co.co_flags, co.co_firstlineno)
        for co in live
    )  # fmt: skip

    assert expected == Counter(corpus.sql(f"select {fields} from codes").rows())


def test_opcodes(corpus: Corpus, live: list[CodeType]) -> None:
    expected = Counter(
        (each.opname, each.arg or 0) for co in live for each in dis.get_instructions(co)
    )
    found = corpus.sql("select opname, oparg, count(*) from instructions group by all").rows()

    assert expected == Counter({(name, arg): count for name, arg, count in found})


def test_offsets(corpus: Corpus, tree: Path) -> None:
    wanted = (
        'select index, opname, "offset" from located_instructions join codes using (file, code) '
        "where qualname = 'make.<locals>.push' order by index"
    )
    (push,) = [co for file, _n, co in _codes(tree) if co.co_qualname == "make.<locals>.push"]
    expected = [
        (at, each.opname, each.offset) for at, each in enumerate(dis.get_instructions(push))
    ]

    assert expected == corpus.sql(wanted).rows()


def test_constants(corpus: Corpus, live: list[CodeType]) -> None:
    expected = Counter(
        type(each).__name__
        for co in live
        for each in co.co_consts
        if not isinstance(each, CodeType)
    )
    found = corpus.sql("select type, count(*) from constants group by type").rows()

    assert expected == Counter(dict(found))


def test_text_constants_are_whole_up_to_the_limit(corpus: Corpus, live: list[CodeType]) -> None:
    expected = Counter(
        each[:200]
        for co in live
        for each in co.co_consts
        if type(each) is str and each[:200].isascii()
    )
    found = corpus.sql("select text, count(*) from constants where type = 'str' group by 1").rows()

    assert expected == Counter({text: n for text, n in found if str(text).isascii()})


def test_cells(corpus: Corpus, live: list[CodeType]) -> None:
    expected = Counter(
        (name, kind)
        for co in live
        for kind, names in (("free", co.co_freevars), ("cell", co.co_cellvars))
        for name in names
    )
    found = corpus.sql("select name, kind, count(*) from cells group by all").rows()

    assert expected == Counter({(name, kind): count for name, kind, count in found})


def test_the_owner_of_a_cell_makes_it(corpus: Corpus) -> None:
    orphans = """
        select count(*) from cells free
        where kind = 'free' and not exists (
            select 1 from cells own where own.file = free.file and own.code = free.owner
            and own.name = free.name and own.kind = 'cell')
    """

    assert 0 == _one(corpus, orphans)


@pytest.mark.skipif(sys.version_info < (3, 11), reason="exception tables came with 3.11")
def test_regions(corpus: Corpus, live: list[CodeType]) -> None:
    parse = dis._parse_exception_table  # type: ignore[attr-defined]
    expected = Counter(
        (each.start, each.end, each.target, each.depth, each.lasti)
        for co in live
        for each in parse(co)
    )

    assert expected == Counter(
        corpus.sql("select start, stop, target, depth, lasti from regions").rows()
    )


def test_attributes(corpus: Corpus, live: list[CodeType]) -> None:
    """Attributes that are written or deleted: no dotted path hides them."""
    expected: Counter[tuple[str, str]] = Counter(
        (each.argval, {"STORE_ATTR": "write", "DELETE_ATTR": "delete"}[each.opname])
        for co in live
        for each in dis.get_instructions(co)
        if each.opname in ("STORE_ATTR", "DELETE_ATTR")
    )
    found = corpus.sql(
        "select name, verb, sum(count)::bigint from names where space = 'attribute' "
        "and verb <> 'read' group by all"
    ).rows()

    assert expected == Counter({(name, verb): count for name, verb, count in found})


def test_global_roots(corpus: Corpus, live: list[CodeType]) -> None:
    expected = Counter(
        each.argval
        for co in live
        for each in dis.get_instructions(co)
        if each.opname == "LOAD_GLOBAL"
    )
    found = corpus.sql(
        "select split_part(name, '.', 1), sum(count)::bigint from names "
        "where space = 'global' and verb = 'read' group by 1"
    ).rows()

    assert expected == Counter(dict(found))


def test_calls_are_those_that_the_source_has(corpus: Corpus) -> None:
    found = corpus.sql(
        "select qualname, callee, line from calls join codes using (file, code) "
        "join places p using (file) where p.path like '%orders.py' order by line, callee"
    ).rows()

    assert [
        ("<module>", "frozenset", 7),
        ("total", "sum", 15),
        ("total", "eval", 17),
        ("make.<locals>.push", "os.path.join", 24),
        ("make.<locals>.push", "str", 24),
        ("make.<locals>.push", "str", 24),
        ("fetch", ".pages", 28),
    ] == found


def test_dependencies(corpus: Corpus) -> None:
    found = corpus.sql(
        "select distinct d.kind, d.name from dependencies d join places p using (file) "
        "where p.path like '%orders.py' order by all"
    ).rows()

    assert [
        ("builtin", "TypeError"),
        ("builtin", "eval"),
        ("builtin", "frozenset"),
        ("builtin", "str"),
        ("builtin", "sum"),
        ("module", ".models"),
        ("module", "imp"),
        ("module", "os.path"),
    ] == found


def test_a_content_in_two_places_is_stored_once(corpus: Corpus) -> None:
    found = corpus.sql(
        "select count(*), count(distinct file) from places where path like '%orders.py' "
        "or path like '%copy.py'"
    ).rows()

    assert [(2, 1)] == found


def test_what_does_not_compile_is_a_row_with_a_reason(corpus: Corpus) -> None:
    found = corpus.sql("select status, reason, codes from files where status <> 'read'").rows()

    assert 1 == len(found)
    assert ("does not compile", 0) == (found[0][0], found[0][2])
    assert "line 1" in str(found[0][1])


def test_large_integers_are_hexadecimal(corpus: Corpus) -> None:
    found = dict(
        corpus.sql(
            "select type, text from constants join places using (file) "
            "where path like '%orders.py' and type = 'int' and length(text) > 10"
        ).rows()
    )

    assert {"int": hex(2**80)} == found


def test_flow_agrees_with_the_declared_stack(corpus: Corpus) -> None:
    assert 0 == _one(
        corpus, "select count(*) from flow join codes using (file, code) where depth > stacksize"
    )
    assert _one(corpus, "select count(*) from codes") == _one(corpus, "select count(*) from flow")


def test_loops_are_those_of_the_source(corpus: Corpus) -> None:
    assert [(1, 1)] == corpus.sql(
        "select loops, nesting from flow join codes using (file, code) join places using (file) "
        "where path like '%orders.py' and qualname = 'total.<locals>.<genexpr>'"
    ).rows()


def test_findings_are_those_of_the_audit(corpus: Corpus, tree: Path) -> None:
    from coscope.audits.running.engine import audit_file
    from coscope.audits.selection import Selection

    path = str(tree / "shop" / "orders.py")
    expected = sorted(
        (each.rule, each.span.lineno) for each in audit_file(path, Selection().rules()).findings
    )
    found = corpus.sql(
        "select rule, line from findings join places using (file) where path like '%orders.py'"
    ).rows()

    assert expected == sorted(found)


def test_fingerprints_are_equal_for_copies_alone(corpus: Corpus, live: list[CodeType]) -> None:
    assert len(live) == _one(corpus, "select count(*) from fingerprints")
    assert 1 == _one(
        corpus,
        "select count(distinct fingerprint) from fingerprints join codes using (file, code) "
        "where qualname = 'make.<locals>.push'",
    )

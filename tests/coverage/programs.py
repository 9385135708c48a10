"""Programs made by seed, and a brute-force instrumentation of their expressions."""

from __future__ import annotations

import ast
import random
from typing import Any

Place = tuple[int, int, int, int]


class Maker:
    """Makes one program whose expressions run or not by chance."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.depth = 0

    def program(self) -> str:
        body = "\n".join(self.statement(1) for _ in range(self.random.randint(3, 7)))
        calls = "\n".join(
            f"try:\n    run({self.random.randint(0, 3)}, {self.random.randint(0, 3)})\n"
            "except Exception:\n    pass"
            for _ in range(self.random.randint(1, 3))
        )
        tell = "def tell(*given):\n    return len(given) % 2\n\n"
        return f"{tell}def run(a, b):\n{body}\n    return a\n\n{calls}\n"

    def statement(self, level: int) -> str:
        pad = "    " * level
        kind = self.random.randrange(9 if level < 3 else 4)
        test = self.expression()
        if kind <= 1:
            return f"{pad}a = {test}"
        if kind == 2:
            return f"{pad}b = tell({self.expression()},\n{pad}         {test})"
        if kind == 3:
            return f"{pad}b = {self.atom()} if {test} else {self.expression()}"
        inner = "\n".join(self.statement(level + 1) for _ in range(self.random.randint(1, 2)))
        if kind == 4:
            return f"{pad}if {test}:\n{inner}"
        if kind == 5:
            return f"{pad}for c in range(tell({test})):\n{inner}"
        if kind == 6:
            inner += f"\n{pad}    b = a // tell(b, b)"
            return f"{pad}try:\n{inner}\n{pad}finally:\n{pad}    b = {test}"
        if kind == 7:
            inner += f"\n{pad}    tell(1 / tell(a, b))"
            return f"{pad}try:\n{inner}\n{pad}except ZeroDivisionError:\n{pad}    b = {test}"
        return f"{pad}while tell({test}) and a:\n{inner}\n{pad}    break"

    def expression(self) -> str:
        self.depth += 1
        try:
            if self.depth > 3:
                return self.atom()
            return self.random.choice(self.FORMS)(self)
        finally:
            self.depth -= 1

    def atom(self) -> str:
        return self.random.choice(["a", "b", "tell(a)", "tell(a, b)", "tell()"])

    FORMS = (
        atom,
        lambda self: f"({self.expression()} and {self.expression()})",
        lambda self: f"({self.expression()} or {self.expression()} or {self.atom()})",
        lambda self: f"({self.expression()} if {self.expression()} else {self.expression()})",
        lambda self: f"tell({self.expression()}, {self.expression()})",
        lambda self: f"(not {self.expression()})",
        lambda self: f"(tell({self.expression()}) + tell({self.expression()}))",
        lambda self: f"tell({self.atom()}) < tell({self.expression()}) < tell({self.expression()})",
        lambda self: f"len([{self.expression()} for d in range(tell({self.atom()}))"
        f" if {self.expression()}])",
        lambda self: f"sum(tell({self.expression()}) for d in range(2) if {self.expression()})",
        lambda self: f"(lambda: {self.expression()})",
        lambda self: f"len({{tell(d): {self.expression()} for d in range(tell({self.atom()}))}})",
        lambda self: f"tell(f'{{{self.atom()}}}', *[{self.expression()}], e={self.atom()})"
        .replace(", e=", ", "),
        lambda self: f"[{self.expression()}, {self.expression()}][tell({self.atom()})]",
    )  # fmt: skip


class _Instrument(ast.NodeTransformer):
    """Every expression `e` becomes `(_ran(place), e)[1]`."""

    def visit(self, node: ast.AST) -> Any:
        node = super().visit(node) if not isinstance(node, ast.JoinedStr) else self.joined(node)
        if not isinstance(node, ast.expr) or not isinstance(
            getattr(node, "ctx", ast.Load()), ast.Load
        ):
            return node
        if isinstance(node, ast.Starred | ast.FormattedValue):
            return node
        return _noting(node)

    def joined(self, node: ast.JoinedStr) -> ast.JoinedStr:
        for part in node.values:
            if isinstance(part, ast.FormattedValue):
                part.value = self.visit(part.value)
        return node


def place_of(node: ast.expr) -> Place:
    return (node.lineno, node.col_offset, node.end_lineno or 0, node.end_col_offset or 0)


def _noting(node: ast.expr) -> ast.expr:
    made = ast.parse(f"(_ran({place_of(node)!r}), 0)[1]", mode="eval").body
    assert isinstance(made, ast.Subscript)
    assert isinstance(made.value, ast.Tuple)
    made.value.elts[1] = node
    return made


def brute_force(source: str) -> set[Place]:
    """The expressions whose evaluation began, by their places."""
    ran: set[Place] = set()
    tree = ast.fix_missing_locations(_Instrument().visit(ast.parse(source)))
    exec(compile(tree, "<instrumented>", "exec", dont_inherit=True), {"_ran": ran.add})
    return ran

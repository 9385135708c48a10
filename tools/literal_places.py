"""Where a literal can stand: small functions over every place, for `literal_differential.py`."""

from __future__ import annotations

import ast
import textwrap
from collections.abc import Iterator

# V is the literal, W another one of its kind.
_PLACES = """
return V
return (V)
return V if a else W
return [V, a]
return [V, W, V]
return {V, a}
return {V: a, a: V}
return {a: V, **a}
return (a, V)
return (V, W)
return a[V]
return a[V:a]
return a[:V]
return a[V:]
return a[a:V:a]
return a[::V]
return a[:]
a[V] = V
a[V:] = a
del a[V]
x = y = V; return x, y
x = V; x += V; return x
x, y = V, W; return x, y
a.b = V
return a(V)
return a(k=V)
return a(*a, k=V)
return a(**a, k=V), 'k', V
return a(**a, k=V, x=W), 'k', V
return a(V, **{'k': V})
return a.b(V)
return a == V
return a != V < a
return a in (V, W)
return a in [V, W]
return a in {V, W}
return a not in (V,)
return a is V
return a is not V
return not V
return a or V
return a and V or W
return V + a
return a % V
return V and a
if V: return a
while V: return a
while a: break
else: return V
for x in (V, W): a(x)
for x in V: a(x)
for x in [V]: a(x)
return f'{a}{V}'
return f'x{a:>{V}}'
return f'{V!r}'
assert a, V
assert a is V
raise a(V)
raise a from V
with a(V): return V
with a: return V
with a: return
with a: pass
with a as x, a(V): a(V)
with a: a(V); return a
try: return V
finally: a(V)
try: a(V)
except a: return V
try: a()
except a as x: a(V)
try: a()
except a as x: return V
try: a()
except a: pass
else: return V
try: a()
except (a, W) as x: raise
finally: a(); return V
for x in a:
    if x is V: continue
    if x == V: break
else: return V
def g(x=V): return x
def g(*, k=V): return k
def g(x): return V
g = lambda x=V: (x, V); return g
class C(a, k=V): x = V
@a(V)
def g(): return V
return [x for x in a if x == V]
return [V for x in a]
return {x: V for x in (V, W)}
return {V for x in a if x is not V}
return (V for x in (V, a))
return any(x is V for x in a)
return all(x == V for x in a), V
return tuple(V for x in a)
global q; q = V
import a.b; return V
from . import b; return V
from a import b as c; return V, c
(x := V); return x
return (x := a(V)) is V
match a:
    case V: return W
match a:
    case [V, x, *y]: return V
match a:
    case {'k': V, **x}: return V
match a:
    case (V | W) as x: return x
match a:
    case C(V, k=V): return V
match a:
    case [x, y]: return V
x: int = V; return x
e = V; del e; return V
return
pass
a(V)
V
return lambda: V
return a.k if a is V else V
return -a, V
return a[V][V], a[a.b(V)]
return print(a, sep=V)
return a(V)(V)
return a, (V, (V, W))
""".strip()

_IN_GENERATORS = """
yield V
yield
x = yield V; yield x
yield from a; yield V
yield from (V, W)
with a: yield V
return V
try: yield V
finally: a(V)
for x in a: yield x, V
"""
_IN_COROUTINES = """
await a; return V
return await a(V)
async with a: return V
async with a(V) as x: a(V)
async for x in a: a(x, V)
return [x async for x in a if x is V]
yield V
"""
_VALUES = {
    "V": ("None", "True", "False", "0", "1", "30", "1000", "'t'", "2.5", "b'q'", "..."),
    "W": ("a", "False", "True", "1", "2", "31", "2000", "'u'", "3.5", "b'r'", "9"),
}
_FOLDED = """
return 60 * 60, 60
return -30, 30
return not True, True
return 1 << 10, 1
return 'a' 'b', 'a'
return 'ab' + 'cd', 'ab'
return (1, 2)[0], 1
return 'x%s' % a, 'x'
return '%s(x=%r, %s)' % (a.x, a.y, ', '.join(a)), 'x'
return 'x%s, %s' % (a, a.y), 'x', ', '
return '%s, %s, %s' % (a.x, 1, ', '), ', '
return f'x{a}, {a}, {a.x}', 'x', ', '
return f'{a}, {a.y!r}, {a!s:>3}, {1}', ', '
return 2 ** 8 - 1, 1
return ~7, 7
return 3 + 4j, 3
return 'abc'[1], 1
return (60 * 60, 24), 24
return a[1:2], a[:2], 2
"""


def _statements(places: str) -> Iterator[str]:
    """Each place: a line, with the lines after it that continue it."""
    lines: list[str] = []
    for line in places.strip().splitlines():
        goes_on = line.startswith((" ", "else", "except", "finally")) or (
            bool(lines) and lines[-1].startswith("@")
        )
        if lines and not goes_on:
            yield "\n".join(lines)
            lines = []
        lines.append(line)
    yield "\n".join(lines)


def places() -> Iterator[tuple[str, list[object]]]:
    """Each function over a place, and the literals to exchange in it."""
    kinds = (("def f(a):", _PLACES), ("def f(a):\n    yield", _IN_GENERATORS))
    for head, bodies in (*kinds, ("async def f(a):", _IN_COROUTINES)):
        for body in _statements(bodies):
            for v, w in zip(*_VALUES.values(), strict=True):
                names = {"V": v, "W": w}
                text = "".join(names.get(part, part) for part in _split(body))
                source = f"{head}\n{textwrap.indent(text, '    ')}\n"
                # The value itself, and what the compiler is likely to load for itself.
                olds = {repr(x): x for x in (ast.literal_eval(v), None, 0, 1, True, "k")}
                yield source, list(olds.values())
    for body in _FOLDED.strip().splitlines():
        source = f"def f(a):\n    {body}\n"
        found = {node.value for node in ast.walk(ast.parse(source)) if type(node) is ast.Constant}
        yield source, list(found)


def _split(body: str) -> list[str]:
    parts, word = [], ""
    for character in body:
        if character.isidentifier() or character.isdigit():
            word += character
            continue
        parts += [word, character]
        word = ""
    return [*parts, word]

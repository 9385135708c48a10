"""One failure as the sentences about it see it: the exception, the instruction and its operands."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from difflib import get_close_matches
from functools import cached_property
from typing import NamedTuple

from coscope.explanations.kinds import is_exactly
from coscope.explanations.model import THEN, Origin
from coscope.explanations.origins import origins_of, text_of_made
from coscope.explanations.secrets import Redaction
from coscope.explanations.standing import Standing
from coscope.explanations.values import Known, Scene
from coscope.flow.domains.made import Made
from coscope.opcodes import Opcode
from coscope.readers.attributes import MISSING, is_a, mro_of, namespace_of
from coscope.readers.values import shortened, text_of, type_name_of

_SHOWN = 60  # characters of an expression in a sentence
_COMPARED = 2000  # names that are compared with a missing one


class Taken(NamedTuple):
    """One operand of an instruction."""

    role: str  # name of the stack slot
    text: str  # the expression
    node: Made
    known: Known | None


class Case:
    """An exception and the frame in which it was raised.

    Args:
        error: The exception.
        scene: The frame's values.
        redaction: Hides secrets.
        innermost: The instruction itself raised; else what it called did.
        stores: By variable name, the store that ran last, if the run was recorded.
    """

    def __init__(
        self,
        error: BaseException,
        scene: Scene,
        redaction: Redaction,
        *,
        innermost: bool,
        stores: dict[str, int] | None = None,
    ) -> None:
        self.error = error
        self.scene = scene
        self.redaction = redaction
        self.innermost = innermost
        self.stores = stores or {}
        if innermost:
            self._learn()

    @property
    def standing(self) -> Standing:
        return self.scene.standing

    @cached_property
    def row(self) -> Opcode:
        """The failing instruction's row."""
        return self.standing.effect().row

    @cached_property
    def operation(self) -> str:
        """The failing instruction's symbol or name: "+", "<", "total"."""
        return self.standing.instructions.argrepr(self.standing.index)

    @cached_property
    def message(self) -> str:
        """`str()` of a built-in exception, as its arguments say; no user's `__str__` is called."""
        return message_of(self.error)

    def is_a(self, kind: type) -> bool:
        """True if the exception's real type is `kind` or below it."""
        return any(each is kind for each in mro_of(type(self.error)))

    def taken(self, index: int | None = None) -> list[Taken]:
        """The operands of the failing instruction, or of another one, deepest first."""
        at = self.standing.index if index is None else index
        nodes = self.standing.taken(at)
        texts = self.standing.operand_texts(at)
        found = []
        for name, start, count in self.standing.effect(at).pops:
            for place in range(start, start + count):
                if place < len(nodes):
                    symbolic = texts[place] if place < len(texts) else "?"
                    text = text_of_made(self.standing, nodes[place]) or symbolic
                    if symbolic == "NULL" or symbolic.startswith("~"):
                        text = symbolic  # it has the source range of the callee
                    found.append(Taken(name, text, nodes[place], self.scene.value(nodes[place])))
        return found

    @cached_property
    def operands(self) -> list[Taken]:
        """Of the failing instruction."""
        return self.taken()

    def operand(self, *roles: str) -> Taken | None:
        """The first operand of one of these roles."""
        return next((each for each in self.operands if each.role in roles), None)

    def _learn(self) -> None:
        """Take from the exception what the interpreter wrote into it."""
        if self.is_a(AttributeError) and "attribute" in " ".join(self.row.access):
            name = built_in(AttributeError, "name", self.error)
            owner = next((each for each in self._nodes("owner")), None)
            argument = self.standing.instructions.argval(self.standing.index)
            thing = built_in(AttributeError, "obj", self.error)
            # None is also what a member says that nobody set.
            known = thing is not MISSING and (thing is not None or "'NoneType'" in self.message)
            if owner is not None and known and type(name) is str and name == argument:
                self.scene.facts[id(owner)] = Known(thing, THEN)

    def _nodes(self, role: str) -> Iterator[Made]:
        taken = self.standing.taken(self.standing.index)
        for name, start, count in self.standing.effect().pops:
            if name == role:
                yield from taken[start : start + count]

    def origins(self, node: Made) -> tuple[Origin, ...]:
        """Where a variable's value came from; what cannot have given it is left out."""
        name = None if node.variable is None else self.standing.name(node.variable)
        recorded = self.stores.get(name) if name is not None else None
        found = origins_of(self.standing, node, recorded)
        known = self.scene.value(node)
        if known is None or len(found) < 2:
            return found
        likely = tuple(each for each in found if may_give(each, known.thing))
        return likely or found

    # Words

    def value(self, taken: Taken) -> str:
        """A value in a sentence."""
        assert taken.known is not None
        return shortened(self.redaction.value(taken.text, taken.known.thing).text, _SHOWN)

    def named(self, taken: Taken) -> str:
        """An expression in a sentence."""
        return f"`{shortened(' '.join(taken.text.split()), _SHOWN)}`"

    def described(self, thing: object) -> str:
        """A value's type, and how much is in it."""
        return described(thing)

    def since(self, taken: Taken) -> str | None:
        """A sentence on where a value came from; None if there is nothing to say."""
        return since(self, taken)


def since(case: Case, taken: Taken) -> str | None:
    """Such as "`order` is None since line 12: `orders.get(key)`."."""
    origins = case.origins(taken.node)
    subject = case.named(taken)
    value = f" is {case.value(taken)}" if taken.known is not None else " was set"
    if not origins:
        source = _source_of(case, taken)
        return source and f"{subject}{value if taken.known else ''} {source}".replace("  ", " ")
    if len(origins) == 1:
        return _one(subject, value, origins[0])
    places = " or ".join(_place(each) for each in origins)
    return f"{subject}{value}; depending on the path, it comes from {places}."


def _one(subject: str, value: str, origin: Origin) -> str | None:
    text = f"`{origin.text}`" if origin.text else None
    line = f"line {origin.line}"
    if origin.how == "argument":
        return f"{subject}{value}: the caller passed it as an argument."
    if origin.how == "loop":
        return f"{subject}{value}, an item of {text or 'the loop'} (line {origin.line})."
    if origin.how == "unpacked":
        return f"{subject}{value}, unpacked from {text or 'a value'} at {line}."
    if origin.how == "with":
        return f"{subject}{value}: what {text or 'the context manager'} gave at {line}."
    if origin.how == "enclosing":
        return f"{subject}{value}; an enclosing function assigns it."
    if origin.how in ("unassigned", "deleted", "caught"):
        return None
    if text is None or text == f"`{value.removeprefix(' is ')}`":
        return f"{subject}{value} since {line}."
    return f"{subject}{value} since {line}: {text}."


def _place(origin: Origin) -> str:
    if origin.how == "argument":
        return "the caller's argument"
    if origin.how == "enclosing":
        return "an enclosing function"
    if origin.how == "unassigned":
        return "nowhere (unassigned)"
    text = f": `{origin.text}`" if origin.text else ""
    return f"line {origin.line}{text}"


def _source_of(case: Case, taken: Taken) -> str | None:
    """Of a value that is no variable: what made it."""
    index = taken.node.index
    if index < 0 or taken.known is None:
        return None
    if case.standing.effect(index).row.shows == "{call}":
        return ": that is what the call returned."
    return None


def may_give(origin: Origin, thing: object) -> bool:
    """False if an origin is a literal of another value."""
    if origin.how == "unassigned":
        return False
    if origin.how != "assigned" or origin.text is None:
        return True
    if origin.text.startswith(("[", "{", "(")) and is_exactly(thing, list, dict, set, tuple):
        return True  # its contents may have changed
    try:
        literal = ast.literal_eval(origin.text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return True
    plain = (int, float, str, bytes, bool, type(None), list, dict, set, tuple)
    if not is_exactly(thing, *plain):
        return False
    return type(literal) is type(thing) and bool(literal == thing)


def described(thing: object) -> str:
    """A value's type, with how much is in it.

    >>> described([1, 2, 3]), described(None), described("ab")
    ('a list of 3 items', 'None', 'a str of 2 characters')
    """
    if thing is None:
        return "None"
    kind = type_name_of(thing)
    article = "an" if kind[:1].lower() in "aeio" else "a"
    for exact, word in _SIZED:
        if type(thing) is exact:
            count = len(thing)
            return f"{article} {kind} of {count:,} {word}{'' if count == 1 else 's'}"
    return f"{article} {kind}"


_SIZED = (
    (list, "item"), (tuple, "item"), (set, "item"), (frozenset, "item"), (dict, "item"),
    (str, "character"), (bytes, "byte"),
)  # fmt: skip


def near(name: str, names: list[str]) -> list[str]:
    """Up to three names that resemble a missing one."""
    if len(name) > 200:
        return []
    few = [each for each in names if len(each) <= 200][:_COMPARED]
    same = [each for each in few if each.lower() == name.lower() and each != name]
    close = get_close_matches(name, few, 3, 0.7)
    return list(dict.fromkeys([*same, *(each for each in close if each != name)]))[:3]


def listed(names: list[str], last: str = "or") -> str:
    """Names in a sentence: "`a`, `b` or `c`"."""
    quoted = [f"`{name}`" for name in names]
    if len(quoted) < 2:
        return "".join(quoted)
    return f"{', '.join(quoted[:-1])} {last} {quoted[-1]}"


def built_in(kind: type, name: str, error: BaseException) -> object:
    """What a built-in exception type keeps in a C-level member; else MISSING."""
    descriptor = namespace_of(kind).get(name)
    if descriptor is None:
        return MISSING
    try:
        return descriptor.__get__(error)
    except (AttributeError, TypeError):
        return MISSING


def message_of(error: BaseException) -> str:
    """The message, from the arguments alone. A class with a `__str__` of its own is not asked."""
    args = built_in(BaseException, "args", error)
    if type(args) is not tuple:
        return ""
    if is_a(error, BaseExceptionGroup):
        return _message_of_group(error)
    own = next(
        (cls for cls in mro_of(type(error)) if "__str__" in namespace_of(cls)), BaseException
    )
    if type.__dict__["__module__"].__get__(own) == "builtins" and _are_plain(args):
        try:
            written = namespace_of(own)["__str__"](error)  # C code, and on plain arguments alone
            return shortened(written, 1000)
        except Exception:  # of a broken exception: what its arguments say is enough
            return ", ".join(map(text_of, args))
    if len(args) == 1 and type(args[0]) is str:
        return shortened(args[0], 1000)
    return ", ".join(text_of(arg) for arg in args[:5])


def _message_of_group(error: BaseException) -> str:
    message = built_in(BaseExceptionGroup, "message", error)
    members = built_in(BaseExceptionGroup, "exceptions", error)
    count = len(members) if type(members) is tuple else 0
    text = message if type(message) is str else text_of(message)
    return f"{shortened(text, 1000)} ({count} sub-exception{'' if count == 1 else 's'})"


def _are_plain(args: tuple[object, ...]) -> bool:
    kinds = (str, int, float, bool, bytes, type(None))
    return all(
        is_exactly(arg, *kinds) or (type(arg) is tuple and len(arg) < 10 and _are_plain(arg))
        for arg in args
    )

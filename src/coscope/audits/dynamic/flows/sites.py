"""The sinks of a code object: which calls, which of their arguments, and on which conditions."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from coscope.audits.dynamic.flows.meaning import class_bodies, meanings_of
from coscope.audits.dynamic.flows.scope import Scope
from coscope.audits.dynamic.flows.sinks import FUNCTIONS, METHODS, NOT_CALLING, SHELL, Sink
from coscope.audits.subject.calls import Call
from coscope.flow.domains.makers import Makers
from coscope.model import Code


@dataclass(frozen=True, slots=True)
class Site:
    """One call that runs, loads or starts what it is given.

    Attributes:
        index: Of the call.
        sink: What it is.
        values: The arguments that must not be anybody's.
        call: The call.
        meant: Why it is harmless or meant, whatever comes; "" if it is not.
        quiet: It is reported with `--strict` alone.
    """

    index: int
    sink: Sink
    values: tuple[Makers, ...]
    call: Call
    meant: str = ""
    quiet: bool = False


@dataclass(frozen=True, slots=True)
class Held:
    """What a condition says of a call: not a sink at all, or one with a reason."""

    sink: bool
    meant: str = ""
    quiet: bool = False
    values: tuple[Makers, ...] | None = None  # instead of the argument itself


_YES = Held(True)
_NO = Held(False)


def sites_of(scope: Scope) -> Iterator[Site]:
    """The sinks of a code object, in code order."""
    for call in scope.calls.values():
        for meaning in sorted(meanings_of(scope, call.callee)):
            sink = FUNCTIONS.get(meaning)
            if sink is not None:
                site = _site(scope, _bound(scope, call), sink)
                if site is not None:
                    yield site
                break
            if meaning.endswith("operator.methodcaller()"):
                yield from _by_name(scope, call)
        else:
            yield from _method(scope, call)
            yield from _handed_on(scope, call)
            yield from _subclass(scope, call)
            yield from _asks_for_a_shell(scope, call)


def _site(scope: Scope, call: Call, sink: Sink) -> Site | None:
    held = _CONDITIONS[sink.when](scope, call) if sink.when else _YES
    if not held.sink:
        return None
    values = held.values if held.values is not None else _values(scope, call, sink)
    if not values:
        return None
    return Site(call.index, sink, values, call, held.meant, held.quiet)


def _values(scope: Scope, call: Call, sink: Sink) -> tuple[Makers, ...]:
    """The arguments of a call that a sink is about."""
    if sink.at is None:
        return _receivers(scope, call)
    if sink.at < 0:
        return call.positional
    named = dict(call.keywords)
    if len(call.positional) > sink.at:
        return (call.positional[sink.at],)
    for keyword in sink.keywords:
        if keyword in named:
            return (named[keyword],)
    if call.starred:
        effect, operands = scope.takers[call.index]
        held = (*effect.operand(operands, "callargs"), *effect.operand(operands, "kwargs"))
        return tuple(held)
    return ()


def _receivers(scope: Scope, call: Call) -> tuple[Makers, ...]:
    """That whose method is called."""
    return tuple(
        scope.owner(at)
        for at in sorted(call.callee)
        if at >= 0 and scope.access(at) == "read attribute"
    )


def _bound(scope: Scope, call: Call) -> Call:
    """A call of a partial with the arguments that the partial holds."""
    for at in call.callee:
        inner = scope.calls.get(at)
        if inner is not None and "functools.partial" in meanings_of(scope, inner.callee):
            return replace(
                call,
                positional=(*inner.positional[1:], *call.positional),
                keywords=(*inner.keywords, *call.keywords),
            )
    return call


def _subclass(scope: Scope, call: Call) -> Iterator[Site]:
    """An instance of a class of the file that extends a sink, such as `pickle.Unpickler`."""
    if not _imports(scope, _EXTENDED):
        return
    for body, bases, holder in class_bodies(scope, call.callee):
        for base in bases:
            for meaning in meanings_of(holder, base):
                sink = FUNCTIONS.get(meaning)
                if sink is None or not call.positional:
                    continue
                own = any(isinstance(c, Code) and c.name == "find_class" for c in body.consts)
                why = "its find_class() restricts what is loaded" if own else ""
                yield Site(call.index, sink, call.positional[:1], call, why, quiet=own)
                return


_EXTENDED = ("pickle", "_pickle", "dill", "cloudpickle", "yaml", "shelve")


def _asks_for_a_shell(scope: Scope, call: Call) -> Iterator[Site]:
    """A call of an unknown function with `shell=True`."""
    shell = dict(call.keywords).get("shell")
    wraps = not meanings_of(scope, call.callee).isdisjoint({"functools.partial"})
    if shell is None or wraps or not call.positional or scope.constant(shell) in (False, None):
        return
    why = "whether a shell reads it is decided by the function that is called"
    quiet = scope.constant(shell) is not True
    yield Site(call.index, _ASKED, call.positional[:1], call, why, quiet)


_ASKED = Sink(SHELL, "a function with shell=True")


def _by_name(scope: Scope, call: Call) -> Iterator[Site]:
    """`methodcaller("system", command)(os)`."""
    for at in call.callee:
        inner = scope.calls.get(at)
        if inner is None or not inner.positional or not call.positional:
            continue
        name = scope.constant(inner.positional[0])
        for owner in meanings_of(scope, call.positional[0]):
            sink = FUNCTIONS.get(f"{owner}.{name}")
            if sink is not None and inner.positional[1:]:
                yield Site(call.index, sink, inner.positional[1:], call)


def _method(scope: Scope, call: Call) -> Iterator[Site]:
    """A sink that is a method of a value of unknown class."""
    for at in call.callee:
        if at < 0 or scope.access(at) != "read attribute":
            continue
        held = METHODS.get(scope.name(at))
        if held is None or (held.modules and not _imports(scope, held.modules)):
            continue
        owner = scope.owner(at)
        if held.receiver and not _RECEIVERS[held.receiver](scope, owner, call):
            continue
        site = _site(scope, call, held.sink)
        if site is not None:
            yield site
        return


def _imports(scope: Scope, modules: tuple[str, ...]) -> bool:
    held = [each.partition(".")[0] for each in scope.file.imports.values()]
    return any(module in held or module in scope.code.names for module in modules)


def _handed_on(scope: Scope, call: Call) -> Iterator[Site]:
    """A call that is given a sink to call, and what to give it: `map(eval, lines)`."""
    given = [*call.positional, *(value for _, value in call.keywords)]
    for at, makers in enumerate(given):
        if not any(maker >= 0 and _may_be_function(scope, maker) for maker in makers):
            continue
        for meaning in meanings_of(scope, makers):
            sink = FUNCTIONS.get(meaning)
            if sink is None or sink.when or _only_keeps(scope, call):
                continue
            others = tuple(each for number, each in enumerate(given) if number != at)
            if others:
                yield Site(call.index, sink, others, call)
            return


def _may_be_function(scope: Scope, maker: int) -> bool:
    access = scope.access(maker)
    return access.startswith("read") or access == "import attribute" or maker in scope.calls


def _only_keeps(scope: Scope, call: Call) -> bool:
    """True if a call does not call what it is given."""
    names = {each.rpartition(".")[2] for each in meanings_of(scope, call.callee)}
    names |= {scope.name(at) for at in call.callee if at >= 0 and scope.access(at)}
    return not NOT_CALLING.isdisjoint(names) or "partial" in names


# Conditions


def _argument(scope: Scope, call: Call, at: int, *names: str) -> Makers | None:
    """An argument by its position or one of its names; also of `**kwargs` made in sight."""
    if len(call.positional) > at:
        return call.positional[at]
    named = dict(call.keywords)
    for name in names:
        if name in named:
            return named[name]
    if call.starred:
        effect, operands = scope.takers[call.index]
        for makers in effect.operand(operands, "kwargs"):
            for name in names:
                found = _in_mapping(scope, makers, name, 4)
                if found is not None:
                    return found
    return None


def _in_mapping(scope: Scope, makers: Makers, name: str, depth: int) -> Makers | None:
    """What a mapping holds under a name, if it is made in sight."""
    for maker in scope.behind(makers) if depth else ():
        if maker < 0:
            continue
        call = scope.calls.get(maker)
        if call is not None and name in dict(call.keywords):
            return dict(call.keywords)[name]
        taken = scope.takers.get(maker)
        operands = taken[1] if taken is not None else ()
        if scope.row_name(maker) == "BUILD_CONST_KEY_MAP":
            keys = scope.constant(operands[-1])
            if isinstance(keys, tuple) and name in keys:
                return operands[keys.index(name)]
        for key, value in zip(operands[::2], operands[1::2], strict=False):
            if scope.constant(key) == name:
                return value
        for _, put in scope.growth.get(maker, ()):
            found = _in_mapping(scope, put, name, depth - 1)
            if found is not None:
                return found
    return None


def _makes_code(scope: Scope, call: Call) -> Held:
    """`compile`, but for syntax trees, for what is dropped, and for what `exec` runs here."""
    flags = _argument(scope, call, 3, "flags")
    if flags is not None:
        names = meanings_of(scope, flags)
        if scope.constant(flags) not in (Scope, 0) or any("ONLY_AST" in each for each in names):
            return _NO
    after = call.index + 1
    if after < len(scope.code.instructions) and scope.row_name(after) == "POP_TOP":
        return Held(True, "only whether it parses is asked", quiet=True)
    for other in scope.calls.values():
        runs = meanings_of(scope, other.callee) & {"builtins.exec", "builtins.eval"}
        if runs and any(call.index in makers for makers in other.positional[:1]):
            return _NO
    file = _argument(scope, call, 1, "filename")
    if file is not None and scope.constant(file) is Scope:
        return Held(True, "it is compiled under the name of its file")
    return _YES


def _not_weights_only(scope: Scope, call: Call) -> Held:
    only = _argument(scope, call, 3, "weights_only")
    if only is None:
        return _YES
    if scope.constant(only) is True:
        return Held(True, "weights_only=True admits tensors alone", quiet=True)
    return _YES


def _allows_pickle(scope: Scope, call: Call) -> Held:
    allowed = _argument(scope, call, 2, "allow_pickle")
    if allowed is None:
        return _YES if call.starred else _NO
    value = scope.constant(allowed)
    if value is Scope:
        return Held(True, "whether pickles are allowed is decided elsewhere")
    return _YES if value else _NO


_SHELLS = re.compile(
    r"(?:.*[/\\])?(?:ba|da|z|k|c|tc|fi)?sh(?:\.exe)?|(?:.*\\)?cmd(?:\.exe)?|p(?:ower)?w?sh(?:ell)?(?:\.exe)?"
)
_RUNS_TEXT = re.compile(r"-\w*c|/[cCkK]|-[cC]ommand|-EncodedCommand")


def _through_a_shell(scope: Scope, call: Call) -> Held:
    shell = _argument(scope, call, 8, "shell")
    if shell is None:
        return _names_a_shell(scope, call)
    value = scope.constant(shell)
    if value is Scope:
        return Held(True, "whether a shell runs it is decided elsewhere")
    return _YES if value else _names_a_shell(scope, call)


def _names_a_shell(scope: Scope, call: Call) -> Held:
    """`["sh", "-c", command]`; without a shell, the program alone can be anybody's."""
    parts = list(call.positional)
    given = _argument(scope, call, 0, "args")
    for maker in given or ():
        if maker >= 0 and scope.row_name(maker) in ("BUILD_LIST", "BUILD_TUPLE"):
            parts = list(scope.takers[maker][1]) if maker in scope.takers else []
    for at, part in enumerate(parts[:4]):
        text = scope.constant(part)
        after = scope.constant(parts[at + 1]) if at + 2 < len(parts) else None
        if not (isinstance(text, str) and isinstance(after, str)):
            continue
        if _SHELLS.fullmatch(text) and _RUNS_TEXT.fullmatch(after):
            return Held(True, values=tuple(parts[at + 2 :]))
    return Held(True, "no shell reads it: the arguments are data", quiet=True)


def _sh_c(scope: Scope, call: Call) -> Held:
    return _names_a_shell(scope, call)


_SAFE_LOADERS = ("SafeLoader", "BaseLoader")


def _not_safe(scope: Scope, call: Call) -> Held:
    loader = _argument(scope, call, 1, "Loader")
    if loader is not None and _is_safe_loader(scope, loader, 3):
        return Held(True, "a safe loader makes plain data alone", quiet=True)
    return _YES


def _is_safe_loader(scope: Scope, makers: Makers, depth: int) -> bool:
    names = meanings_of(scope, makers)
    if names and all(each.endswith(_SAFE_LOADERS) for each in names):
        return True
    for _, bases, holder in class_bodies(scope, makers) if depth else ():
        if any(_is_safe_loader(holder, base, depth - 1) for base in bases):
            return True
    return False


_CONDITIONS: dict[str, Callable[[Scope, Call], Held]] = {
    "makes code": _makes_code,
    "not weights only": _not_weights_only,
    "allows pickle": _allows_pickle,
    "through a shell": _through_a_shell,
    "sh -c": _sh_c,
    "not safe": _not_safe,
}


# Receivers


def _is_text(scope: Scope, owner: Makers, call: Call) -> bool:
    """A template: not a constant of the source, and not what only a class would have."""
    return any(maker < 0 or not scope.is_constant(maker) for maker in owner)


_FRAMES = re.compile(r"\??(?:\w*_)?(?:df|frame|dataframe|data_frame|table|data)\d*", re.IGNORECASE)


def _is_frame(scope: Scope, owner: Makers, call: Call) -> bool:
    """A data frame, by what made it or by the name of the variable."""
    names = meanings_of(scope, owner)
    if any(each.startswith("pandas.") for each in names):
        return True
    return any(_FRAMES.fullmatch(each.rpartition(".")[2]) for each in names)


_RECEIVERS: dict[str, Callable[[Scope, Makers, Call], bool]] = {
    "text": _is_text,
    "frame": _is_frame,
}

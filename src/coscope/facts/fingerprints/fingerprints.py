"""A fingerprint: a hash that changes whenever a function's behaviour might."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import FunctionType
from typing import Any

from coscope.errors import InputError
from coscope.facts.fingerprints.canonical import SCHEME
from coscope.facts.fingerprints.components import Change, Component, Part, Unknown, changes
from coscope.facts.fingerprints.literals import digest
from coscope.facts.fingerprints.search import Inputs
from coscope.facts.fingerprints.unchanged import Witness
from coscope.model import Code
from coscope.readers import locate
from coscope.readers.attributes import is_a
from coscope.readers.from_function import HOST_VERSION
from coscope.readers.values import exact_text, name_of_class, type_name_of
from coscope.result import Result

KEPT = 128  # fingerprints that are kept, with what they were made from, until it changes


@dataclass(frozen=True, slots=True)
class Fingerprint(Result):
    """The fingerprint of a function, and what went into it."""

    value: str  # "coscope:2:cpython-3.13:sha256:..."
    name: str  # of the target; it does not count
    live: bool  # False for a file: then only the code counts
    version: str  # of CPython, "3.13"
    scheme: int
    docstrings: bool  # they count
    parts: tuple[Part, ...] = field(repr=False)  # the target's first
    unknown: tuple[Unknown, ...]  # inputs that do not count by their content

    @property
    def complete(self) -> bool:
        """True if every input is identified by its content or version."""
        return not self.unknown

    def explain(self, new: Fingerprint | Mapping[str, object]) -> tuple[Change, ...]:
        """What changed from this fingerprint to a newer one.

        Args:
            new: A fingerprint, or the document of one (`to_json()`) that was kept.

        Raises:
            InputError: It is neither.
        """
        newer = new if isinstance(new, Fingerprint) else from_document(new)
        about = [
            Change("", label, str(old), str(now))
            for label, old, now in (
                ("CPython", self.version, newer.version),
                ("scheme", self.scheme, newer.scheme),
                ("docstrings count", self.docstrings, newer.docstrings),
            )
            if old != now
        ]
        return (*about, *changes(self.parts, newer.parts))


def from_document(document: Mapping[str, Any]) -> Fingerprint:
    """The fingerprint that this JSON document describes.

    Raises:
        InputError: It is not the document of a fingerprint.
    """
    try:
        kept = document["fingerprint"]
        return Fingerprint(
            value=kept["value"],
            name=document["target"],
            live=document["live"],
            version=kept["version"],
            scheme=kept["scheme"],
            docstrings=kept["docstrings"],
            parts=tuple(
                Part(
                    each["path"],
                    each["kind"],
                    tuple(Component(c["label"], c["value"]) for c in each["components"]),
                    each["owner"],
                )
                for each in kept["parts"]
            ),
            unknown=tuple(Unknown(**each) for each in kept["unknown"]),
        )
    except (KeyError, TypeError) as error:
        raise InputError(
            "this is not the document of a fingerprint", expected="what `fingerprint --json` writes"
        ) from error


# Target and option -> the fingerprint and what it was made from, the last used last.
_kept: OrderedDict[tuple[int, bool], tuple[object, Witness, Fingerprint]] = OrderedDict()


def fingerprint(
    target: object,
    *,
    docstrings: bool = False,
    python: str | None = None,
    code_version: str | None = None,
) -> Fingerprint:
    """Identify a function's behaviour by one text, without running any of it.

    The text is the same in every process, whatever the hash seed, the path, the lines, comments
    and docstrings, and the names of plain locals. It changes with code, constants, defaults,
    cells, the globals that are read, the helpers and classes behind them, and the versions of
    libraries. What its content does not identify is listed in `unknown`.

    A fingerprint is kept, together with what it was made from, as long as nothing of that has
    changed; at most `KEPT` of them.

    Args:
        target: Whatever `coscope.read` takes; of a class, the class, not its constructor.
        docstrings: Let docstrings count.
        python: Compile a source file by another interpreter, see `coscope.read`.
        code_version: The file is a code object without a header, of this CPython: "3.12".

    Raises:
        TargetError, SourceError, InterpreterError, PycError: See `coscope.read`.
        CodeError: A code object is not an instruction sequence of its version.

    >>> before = fingerprint(lambda x: x + 1)
    >>> before.value == fingerprint(lambda y: y + 1).value
    False
    >>> [change.label for change in before.explain(fingerprint(lambda x: x + True))]
    ['code', 'constants']
    """
    kept = _kept.get((id(target), docstrings))
    if kept is not None and kept[0] is target and kept[1].unchanged():
        return kept[2]
    meant = locate(target, python=python, code_version=code_version)
    thing = meant.thing
    if not meant.live or meant.carries_code:
        return _of_code(meant.code, docstrings)
    inputs = Inputs(docstrings)
    inputs.start(thing)
    found = _made(inputs, _name_of(thing), True, HOST_VERSION)
    if thing is target:
        _keep((id(target), docstrings), (target, inputs.witness, found))
    return found


def digest_of(value: object) -> tuple[str, bool]:
    """The digest of any live value as an input of a function; False if it is not all there."""
    inputs = Inputs(False)
    text = inputs.start(value)
    return digest("\n\n".join([text, *inputs.texts])), not inputs.unknown


def _keep(key: tuple[int, bool], entry: tuple[object, Witness, Fingerprint]) -> None:
    _kept[key] = entry
    _kept.move_to_end(key)
    while len(_kept) > KEPT:
        _kept.popitem(last=False)


def forget() -> None:
    """Let go of the fingerprints that are kept, and of the objects that they were made from."""
    _kept.clear()


def _of_code(code: Code, docstrings: bool) -> Fingerprint:
    inputs = Inputs(docstrings)
    inputs.add_code(code)
    return _made(inputs, code.qualname, False, code.version)


def _made(inputs: Inputs, name: str, live: bool, version: str) -> Fingerprint:
    sum_of_all = digest("\n\n".join(inputs.texts))
    return Fingerprint(
        value=f"coscope:{SCHEME}:cpython-{version}:sha256:{sum_of_all}",
        name=name,
        live=live,
        version=version,
        scheme=SCHEME,
        docstrings=inputs.docstrings,
        parts=tuple(inputs.parts),
        unknown=tuple(inputs.unknown),
    )


def _name_of(thing: Any) -> str:
    if type(thing) is FunctionType:
        return exact_text(thing.__qualname__)
    return name_of_class(thing) if is_a(thing, type) else type_name_of(thing)

"""Inside of the command that `coscope audit --warm` runs: watches, and at the end writes findings.

`warm.py` puts a `sitecustomize` before the command's Python, which calls `begin`.
"""

from __future__ import annotations

import atexit
import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from types import CodeType, FunctionType, ModuleType
from typing import Any

from coscope.audits.options import Options
from coscope.audits.running.documents import to_entry
from coscope.audits.running.engine import audit_subjects
from coscope.audits.subject.live import functions_of, subjects_of
from coscope.audits.subject.objects import Live
from coscope.audits.subject.subject import Subject, Unit
from coscope.audits.warm.reasons import code_of, reasons_of
from coscope.audits.warm.samples import Recorder, recorder, seen_of, use
from coscope.audits.warm.shares import index_of, instructions_a_round, samples_around
from coscope.audits.warm.specialization import codes_in
from coscope.errors import CoscopeError
from coscope.model import Finding
from coscope.readers.attributes import is_a, member
from coscope.readers.from_function import HOST_RELEASE, from_code_object
from coscope.rules import discover

Tell = Callable[[dict[str, object]], dict[str, object]]


def begin(settings: dict[str, object], tell: Tell | None = None) -> None:
    """Start to watch.

    Args:
        settings: Those of `warm.execute`; of `packages` and `folders` the code is watched.
        tell: Makes what is written at the end from the settings; the findings, if not given.
    """
    watch = _Watch(settings, tell or _findings)
    watch.start()
    atexit.register(watch.finish)
    if hasattr(os, "register_at_fork"):
        # Of a process with a second thread CPython 3.12 and later warn when it forks.
        os.register_at_fork(
            before=watch.pause, after_in_parent=watch.resume, after_in_child=watch.start_forked
        )


class _Watch:
    """The watching of one process, and of those that it forks."""

    def __init__(self, settings: dict[str, Any], tell: Tell) -> None:
        self.settings = settings
        self.tell = tell
        self.finished = False

    def start(self) -> None:
        """Begin with nothing seen."""
        self.recorder = Recorder(self._wants)
        use(self.recorder)
        self.recorder.start()

    def pause(self) -> None:
        """Have no thread."""
        self.recorder.stop()

    def resume(self) -> None:
        """Go on."""
        if not self.finished:
            self.recorder.start()

    def start_forked(self) -> None:
        """Begin in a fork. That of multiprocessing ends without what `atexit` holds."""
        self.finished = False
        self.start()
        util = sys.modules.get("multiprocessing.util")
        if util is not None:
            util.register_after_fork(self, _finish_with_multiprocessing)

    def finish(self) -> None:
        """Write what was seen."""
        if not self.finished:
            self.finished = True
            self.recorder.stop()
            _write(self.settings, self.tell)

    def _wants(self, co: CodeType, namespace: dict[str, object]) -> bool:
        name = namespace.get("__name__")
        return type(name) is str and (
            _is_within(name, self.settings["packages"])
            or _lies_in(co.co_filename, self.settings["folders"])
        )


def _finish_with_multiprocessing(watch: _Watch) -> None:
    sys.modules["multiprocessing.util"].Finalize(None, watch.finish, exitpriority=0)


def _write(settings: dict[str, Any], tell: Tell) -> None:
    entry: dict[str, object] = {"release": HOST_RELEASE, "error": None}
    try:
        entry.update(tell(settings))
    except CoscopeError as error:
        entry["error"] = str(error)
    path = os.path.join(settings["results"], f"{os.getpid()}.json")
    try:
        with open(f"{path}.part", "w", encoding="utf-8") as file:
            json.dump(entry, file)
        os.replace(f"{path}.part", path)
    except FileNotFoundError:
        return  # this process outlived the command, and nobody reads it any more


def _findings(settings: dict[str, object]) -> dict[str, object]:
    watcher = recorder()
    seen = [] if watcher is None else list(watcher.seen.values())
    interval = 0.0 if watcher is None else watcher.interval
    places = [
        (
            os.path.abspath(each.co.co_filename),
            each.co.co_qualname,
            each.co.co_firstlineno,
            each.samples * interval,
            sorted(each.places.items()),
        )
        for each in seen
    ]
    return {
        "findings": list(_found(settings)),
        "watched": places,
        "unread": [each.co.co_qualname for each in seen if each.unread],
    }


def _found(settings: dict[str, Any]) -> Iterator[dict[str, object]]:
    options = Options(**settings["options"])
    # A process is about to end, and may be waited for: other rules are not loaded.
    every = [rule for family in settings["families"] for rule in discover(family)]
    rules = [rule for rule in every if rule.code in settings["rules"]]
    seen: set[tuple[str, str | None, str, int | None]] = set()
    for package in packages_of(settings["packages"], settings["folders"]):
        functions = _seen_to_run(functions_of(package))
        codes = {id(function.__code__) for function in functions}
        subjects = list(subjects_of(package, options, warm=True, codes=codes))
        subjects += nested(subjects, functions)
        for subject in subjects:
            for finding in audit_subjects([subject], rules):
                key = (finding.rule, finding.file, finding.code, finding.offset)
                if key in seen or not _asked_for(finding, settings):
                    continue
                seen.add(key)
                yield {
                    "finding": to_entry(finding),
                    "loops": subject.loop_at(index_of(subject, finding)) is not None,
                    "round": instructions_a_round(subject, finding),
                    "samples": samples_around(subject, finding, places_of(subject)),
                    "most": most_executions(subject, finding),
                    "seconds": seconds_of(subject),
                }


def _seen_to_run(functions: Sequence[FunctionType]) -> list[FunctionType]:
    """The functions whose code, or code in it, was seen to run: of others nothing is told."""
    return [
        function
        for function in functions
        if any(seen_of(co) is not None for co, _ in codes_in([function]))
    ]


def packages_of(packages: Sequence[str], folders: Sequence[str]) -> list[str]:
    """The packages given by name, and those of loaded modules whose files lie in the folders."""
    found = dict.fromkeys(packages)
    for name, module in list(sys.modules.items()):
        file = _file_of(module)
        if file is not None and _lies_in(file, folders):
            found[name.partition(".")[0]] = None
    return list(found)


def _file_of(module: object) -> str | None:
    """The file of a module; `__main__` has lost the name of its file when the program ends."""
    if not is_a(module, ModuleType):
        return None
    namespace = member(ModuleType, "__dict__", module)
    file = dict.get(namespace, "__file__")
    if type(file) is str:
        return file
    for thing in list(dict.values(namespace)):
        if type(thing) is FunctionType and thing.__globals__ is namespace:
            return thing.__code__.co_filename
    return None


class _Nested(Subject):
    """Code that is nested in a live function, and is no function at this moment."""

    def __init__(self, co: CodeType, unit: Unit, live: Live) -> None:
        super().__init__(from_code_object(co), unit, live)
        self.co = co


def nested(subjects: Sequence[Subject], functions: Sequence[FunctionType]) -> list[Subject]:
    """The code objects inside of live functions that are not themselves subjects."""
    units = {subject.unit.file: subject.unit for subject in subjects}
    own = {
        id(subject.live.function.__code__)
        for subject in subjects
        if subject.live is not None and subject.live.function is not None
    }
    found: list[Subject] = []
    for co, function in codes_in(functions):
        unit = units.get(co.co_filename)
        if id(co) not in own and unit is not None:
            live = Live(function, function, target=co.co_qualname)
            found.append(_Nested(co, unit, live))
    return found


def most_executions(subject: Subject, finding: Finding) -> int | None:
    """How often a generic site was executed at most; None: nothing limits it."""
    sites = (reason.site for reason in subject.fact(reasons_of))
    site = next((site for site in sites if site.offset == finding.offset), None)
    return None if site is None else site.most_executions


def seconds_of(subject: Subject) -> float:
    """How long its code ran, as far as samples tell."""
    co, watcher = code_of(subject), recorder()
    seen = None if co is None else seen_of(co)
    return 0.0 if seen is None or watcher is None else seen.samples * watcher.interval


def places_of(subject: Subject) -> dict[int, int]:
    """The samples of its code, by offset in co_code."""
    co = code_of(subject)
    seen = None if co is None else seen_of(co)
    return {} if seen is None else seen.places


def _asked_for(finding: Finding, settings: dict[str, Any]) -> bool:
    """True unless the file lies outside of what was given, as other parts of the package do."""
    if settings["packages"] or finding.file is None:
        return True
    return _lies_in(finding.file, settings["folders"])


def _is_within(name: str, packages: Sequence[str]) -> bool:
    return any(name == each or name.startswith(f"{each}.") for each in packages)


def _lies_in(file: str, folders: Sequence[str]) -> bool:
    path = os.path.abspath(file)
    return any(path == each or path.startswith(each + os.sep) for each in folders)

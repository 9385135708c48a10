"""From what a user names to a report: what is there, its judging in pieces, and the conclusion."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache, partial

from coscope.errors import InternalError, TargetError, TargetNotFound
from coscope.readers.archives import holds_archive, kind_of
from coscope.readers.files import standard_input
from coscope.readers.from_interpreter import kept
from coscope.readers.naming import STDIN
from coscope.trust import folders, packed
from coscope.trust.abilities import abilities_of
from coscope.trust.answers import BYTECODE, Answer, Task
from coscope.trust.cache import Cache
from coscope.trust.conclude import concluded
from coscope.trust.judging import Given, Judge
from coscope.trust.model import FileTrust, TrustReport

_BATCH = 48  # files in one task

# Does every task, in order: `map`, or over processes.
Work = Callable[[Callable[[Task], Answer], Sequence[Task]], Iterable[Answer]]


def trust(
    path: str | os.PathLike[str],
    *others: str | os.PathLike[str],
    python: str | None = None,
    cache: str | os.PathLike[str] | None = None,
    work: Work = map,
    progress: Callable[[int, int], None] | None = None,
) -> TrustReport:
    """Say whether bytecode comes from its source, and what may be hidden in it. Nothing runs.

    Each .pyc file's source is compiled by the release that wrote the file, if that is here, and
    compared with it byte by byte.

    Args:
        path: A folder (of modules, an environment), a .pyc file, a wheel or another archive.
        others: More of them.
        python: Compile by this interpreter first: a version, a release or a path.
        cache: Folder of verdicts that are taken again for files that have not changed.
        work: How tasks are done; in this process if not given.
        progress: Called with how many tasks are done, and how many there are.

    Returns:
        A verdict for each bytecode file, and signs of all that is to be looked at.

    Raises:
        TargetNotFound: There is no such file or folder.
        TargetError: It is neither bytecode nor holds any.
        InterpreterError: There is no interpreter `python`.
    """
    targets = [os.fspath(each) for each in (path, *others)]
    held = Cache(None if cache is None else os.fspath(cache), python, targets)
    found = Answer()
    tasks: list[Task] = []
    for target in targets:
        tasks += _tasks_of(target, found, held, python)
    with kept():
        for done, answer in enumerate(work(partial(do, python=python), tasks), 1):
            held.learn(tasks[done - 1], answer)
            _add(found, answer)
            if progress is not None:
                progress(done, len(tasks))
    held.save()
    order = {each.file: each for each in found.files}
    return TrustReport(
        target=" ".join(targets),
        files=tuple(concluded(order[file] for file in sorted(order))),
        others=tuple(dict.fromkeys(found.signs)),
        listed=tuple(dict.fromkeys(found.listed)),
        read=found.read,
    )


def _add(found: Answer, answer: Answer) -> None:
    found.files += answer.files
    found.signs += answer.signs
    found.listed += answer.listed
    found.read += answer.read


def do(task: Task, *, python: str | None = None) -> Answer:
    """Do one task, in whatever process."""
    if task.kind == "files":
        return folders.judge_files(task, judge_for(python))
    if task.kind == "site":
        return folders.check_site(task)
    if task.kind == "archive":
        return packed.judge_archive(task.root, judge_for(python), found=bool(task.paths))
    raise InternalError(f"there is no task of kind {task.kind!r}")


@lru_cache(maxsize=4)
def judge_for(python: str | None) -> Judge:
    """The judge of this process: it remembers what fitted."""
    return Judge(python)


def _tasks_of(target: str, found: Answer, cache: Cache, python: str | None) -> Iterator[Task]:
    """What is to be done for one target; what the cache knows is added at once."""
    if os.path.isdir(target):
        walked = folders.walk(target)
        if not (walked.bytecode or walked.archives or walked.sites or walked.signs):
            raise TargetNotFound("the folder holds no bytecode", file=target)
        found.signs += walked.signs
        for site in walked.sites:
            task = Task("site", target, (site,))
            known = cache.site(task)
            if known is None:
                yield task
            else:
                _add(found, known)
        for inner in walked.archives:
            task = Task("archive", folders.joined(target, inner), ("found",))
            known = cache.archive(task)
            if known is None:
                yield task
            else:
                _add(found, known)
        yield from _batches(target, walked.bytecode, found, cache)
        return
    if target == STDIN:
        _add(found, _of_input(judge_for(python)))
        return
    if not os.path.lexists(target):
        raise TargetNotFound("there is no such file or folder", file=target)
    if not target.lower().endswith(BYTECODE) and holds_archive(target):
        yield Task("archive", target, ())
        return
    if not target.lower().endswith(BYTECODE) and not _is_bytecode(target):
        raise TargetError(
            "this is neither a folder, bytecode, nor an archive that can be read",
            file=target,
            hint="Give folders, .pyc files, wheels and other archives, or programs of PyInstaller.",
        )
    folder, name = os.path.split(target)
    yield Task("files", folder, (name,))


def _is_bytecode(path: str) -> bool:
    """True for a file without the suffix that begins as a .pyc does."""
    return folders.read(path, folders.LARGEST)[2:4] == b"\r\n"


def _of_input(judge: Judge) -> Answer:
    """Bytecode or an archive on standard input."""
    text = standard_input().text
    data = text if isinstance(text, bytes) else text.encode()
    label = "<stdin>"
    if data[2:4] != b"\r\n" and kind_of(data) is not None:
        return packed.judge_bytes(data, label, judge)
    trusted, code = judge.judge(Given(label, data, None, None, None))
    answer = Answer(read=1)
    if code is not None:
        able, signs = abilities_of(code, label)
        trusted = replace(trusted, abilities=able, signs=(*trusted.signs, *signs))
    answer.files.append(trusted)
    return answer


def _batches(root: str, paths: Sequence[str], found: Answer, cache: Cache) -> Iterator[Task]:
    batch: list[str] = []
    for path in paths:
        known: FileTrust | None = cache.file(root, path)
        if known is not None:
            found.files.append(known)
            found.read += 1
            continue
        batch.append(path)
        if len(batch) == _BATCH:
            yield Task("files", root, tuple(batch))
            batch = []
    if batch:
        yield Task("files", root, tuple(batch))

"""`coscope audit`: rules over files that are never executed, or over packages that are imported."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from coscope.cli.options import common, completer, of_target
from coscope.cli.session import Session
from coscope.render.formats import formats_of, help_of, written

if TYPE_CHECKING:
    from collections import Counter

    from coscope.audits.options import Options
    from coscope.audits.running.baseline import Mark
    from coscope.audits.running.config import Config
    from coscope.audits.selection import Selection
    from coscope.model import Finding
    from coscope.render.results.audit import Outcome
    from coscope.rules import Rule

Given = dict[str, Any]  # the options of the command line, as click gives them

FOUND = 1  # exit status

_FAIL_ON = ("error", "warning", "info", "never")


@click.command("audit", short_help="Audit files, or imported packages with --live.")
@click.option(
    "--live", is_flag=True, help="TARGETs are packages: import them, look at objects too."
)
@click.option(
    "--warm", metavar="COMMAND", help="Run COMMAND with coscope inside, then read what it ran."
)
@click.option(
    "--top",
    type=click.IntRange(min=1),
    metavar="N",
    help="With --warm: only the N by which most can be saved.",
)
@click.option(
    "--python", metavar="VERSION", help="As compiled by, and for: a version, a release or a path."
)
@click.option(
    "--select",
    shell_complete=completer("of_rule"),
    multiple=True,
    metavar="CODES",
    help="Only rules that begin so: PERF,SIG1.",
)
@click.option(
    "--ignore",
    multiple=True,
    metavar="CODES",
    shell_complete=completer("of_rule"),
    help="No rules that begin so.",
)
@click.option(
    "--format",
    "form",
    type=click.Choice(formats_of("audit")),
    default="text",
    show_default=True,
    help=help_of("audit"),
)
@click.option("--baseline", metavar="FILE", help="Report only what is not in FILE.")
@click.option(
    "--write-baseline", metavar="FILE", help="Write all findings to FILE, and report none."
)
@click.option("--fix", is_flag=True, help="Write what can be fixed safely, and show the diff.")
@click.option("--diff", is_flag=True, help="Show what --fix would do; write nothing.")
@click.option(
    "--unsafe-fixes", is_flag=True, help="With --fix and --diff: also what may change results."
)
@click.option("--fix-hints", is_flag=True, help="Show the example of each rule, too.")
@click.option("--statistics", is_flag=True, help="End with a table of the rules.")
@click.option("--pickle", is_flag=True, help="Names must lead back to their functions (SIG109).")
@click.option("--strict", is_flag=True, help="DYN: every sink that is not given a constant.")
@click.option(
    "--fail-on",
    type=click.Choice(_FAIL_ON),
    help="The least severity that makes the exit status 1; warning if not given.",
)
@click.option("--exclude", multiple=True, metavar="PATTERN", help="Leave files out: '*/tests/*'.")
@click.option(
    "--force-exclude", is_flag=True, help="Leave named files out, too, if a pattern fits."
)
@click.option("--config", metavar="FILE", help="A pyproject.toml; the nearest one if not given.")
@click.option("--no-config", is_flag=True, help="Read no pyproject.toml.")
@click.option("--no-cache", is_flag=True, help="Neither read nor write the cache.")
@click.option(
    "-j",
    "--jobs",
    type=click.IntRange(min=0),
    metavar="COUNT",
    help="Processes; 0: as many as there are cores. If not given: as many, where they pay.",
)
@click.argument("targets", nargs=-1, required=True, metavar="TARGET...", shell_complete=of_target)
@common
def command(session: Session, targets: tuple[str, ...], **given: Any) -> int:
    """Report what is true about the code of each TARGET, and worth changing.

    \b
    coscope audit src/                        files: compiled, never executed
    coscope audit --live mypkg                imports mypkg: signatures, closures
    coscope audit --warm 'pytest -q' mypkg    runs the command: what was not specialised
    coscope audit --python 3.13 src/          as compiled by, and for, that version

    "coscope rule CODE" explains a finding. "# coscope: ignore[CODE]" on its line takes it away;
    [tool.coscope] in pyproject.toml has what a project always wants.

    Exit status: 0 nothing of the severity of --fail-on, 1 findings, 2 a target could not be read.
    """
    from coscope.audits.selection import selected
    from coscope.cli.streams import write_lines
    from coscope.render.text.measured import Pen

    session.target = " ".join(targets)
    form = "json" if session.json else given["form"]
    session.json = form == "json"
    config = _config(targets, given)
    given["fail_on"] = given["fail_on"] or config.fail_on or "warning"
    python = given["python"] or config.python
    write_lines(f"coscope: note: {Pen(ascii=session.ascii).clean(each)}" for each in config.notes)
    selection = selected(given["select"] or config.select, given["ignore"] or config.ignore)
    rules = selection.rules()
    options = replace(
        config.options,
        pickle=config.options.pickle or given["pickle"],
        strict=config.options.strict or given["strict"],
    )
    known = None if given["write_baseline"] else _known(given["baseline"] or config.baseline)
    outcome = _audited(
        session=session,
        targets=targets,
        selection=selection,
        options=options,
        config=config,
        given=given,
        python=python,
    )
    _finish(outcome, rules, options)
    outcome.top = given["top"]
    if given["write_baseline"]:
        return _write_baseline(outcome, Path(given["write_baseline"]))
    if known is not None:
        _drop_known(outcome, *known)
    if given["fix"] or given["diff"]:
        from coscope.cli.audit_fix import fix_files

        fix_files(outcome, options, write=given["fix"], unsafe=given["unsafe_fixes"])
    return _write(session, outcome, form, rules, given)


def _audited(
    session: Session,
    targets: Sequence[str],
    selection: Selection,
    options: Options,
    config: Config,
    given: Given,
    python: str | None,
) -> Outcome:
    """What the rules find, by the mode that the options ask for."""
    from coscope.errors import InputError

    if (given["fix"] or given["diff"]) and (given["warm"] or given["live"]):
        raise InputError("--fix and --diff go with files, without --live and --warm")
    if given["top"] and not given["warm"]:
        raise InputError(
            "--top ranks by what could be saved, which only a run knows",
            hint="coscope audit --warm 'pytest -q' --top 10 mypkg",
        )
    if given["warm"]:
        return _warm(session, targets, given["warm"], selection, options, python)
    if given["live"]:
        return _live(session, targets, selection, options, config, given)
    return _static(
        session=session,
        targets=targets,
        selection=selection,
        options=options,
        config=config,
        given=given,
        python=python,
    )


def _config(targets: Sequence[str], given: Given) -> Config:
    from coscope.audits.running.config import Config, find_config, read_config

    if given["no_config"]:
        return Config()
    path = Path(given["config"]) if given["config"] else find_config(targets)
    return Config() if path is None else read_config(path)


def _static(
    session: Session,
    targets: Sequence[str],
    selection: Selection,
    options: Options,
    config: Config,
    given: Given,
    python: str | None,
) -> Outcome:
    """Files, compiled and never executed."""
    from coscope.audits.running.cache import Cache, default_folder
    from coscope.cli.audit_work import audit_items, host, wanted
    from coscope.cli.files import items_of
    from coscope.cli.progress import Progress
    from coscope.cli.streams import write_lines
    from coscope.render.document.report import producer_version
    from coscope.render.results.audit import Outcome

    compiler = host()
    if python is not None:
        from coscope.readers.from_interpreter import find

        found = find(python)
        python, compiler = found.path, f"{found.release} {found.path}"
    items = items_of(targets, compiled=python is None, notebooks=True)
    exclude = (*config.exclude, *given["exclude"])
    force = config.force_exclude or given["force_exclude"]
    items = wanted(items, targets, exclude, force=force)
    cache = None
    if not given["no_cache"]:
        rules = selection.rules()
        place = _here()
        cache = Cache(default_folder(), rules, options, compiler, producer_version(), place)
    outcome = Outcome(session.target or "", "static")
    findings: list[Finding] = []
    with Progress("files") as progress:
        for read in audit_items(
            items, selection, options, python=python, jobs=_jobs(given["jobs"]),
            cache=cache, session=session, progress=progress,
        ):  # fmt: skip
            if read.lines:
                with progress.aside():
                    write_lines(read.lines)
            if read.error is not None:
                outcome.errors.append(read.error)
            if read.audited is None:
                continue
            outcome.files += 1
            outcome.codes += read.audited.codes
            findings += read.audited.findings
    outcome.findings = findings
    return outcome


def _here() -> str:
    try:
        return os.getcwd()
    except OSError:  # it was taken away
        return ""


def _jobs(given: int | None) -> int | None:
    from coscope.cli.processes import cores

    return cores() if given == 0 else given


def _live(
    session: Session,
    targets: Sequence[str],
    selection: Selection,
    options: Options,
    config: Config,
    given: dict[str, object],
) -> Outcome:
    """Packages: imported, their files audited, and their live objects."""
    from coscope.audits.running.engine import audit_subjects, in_order
    from coscope.audits.subject.live import files_of, modules_of, subjects_of
    from coscope.errors import InputError
    from coscope.readers.importing import import_module

    if given["python"]:
        raise InputError("--live looks at objects of this interpreter, --python names another")
    with redirect_stdout(sys.stderr):  # what a module prints is not part of the answer
        for target in targets:
            _check_name(target)
            import_module(target)
    modules = [module for target in targets for module in modules_of(target)]
    outcome = _static(
        session=session,
        targets=files_of(modules),
        selection=selection,
        options=options,
        config=config,
        given=given,
        python=None,
    )
    outcome.mode, outcome.target = "live", session.target or ""
    found = list(outcome.findings)
    for target in targets:
        found += audit_subjects(subjects_of(target, options), selection.rules())
    outcome.findings = in_order(found)
    return outcome


def _check_name(target: str) -> None:
    from coscope.errors import TargetNotFound

    if not all(part.isidentifier() for part in target.split(".")):
        raise TargetNotFound(
            f"{target!r} is no name of a package",
            hint="--live takes names as in an import statement: mypkg, mypkg.orders.",
        )


def _warm(
    session: Session,
    targets: Sequence[str],
    line: str,
    selection: Selection,
    options: Options,
    python: str | None,
) -> Outcome:
    """A command that runs the packages' code, and what its processes report about it."""
    from coscope.audits.warm.command import watch
    from coscope.cli.streams import write_lines
    from coscope.readers.frames import UNREAD
    from coscope.render.results.audit import Outcome
    from coscope.render.text.measured import Pen

    found = watch(line, list(targets), selection.rules(), options, python)
    pen = Pen(ascii=session.ascii)
    write_lines(
        f"coscope: nothing is known about a process: {pen.clean(error)}" for error in found.errors
    )
    write_lines(
        f"coscope: the locals of {pen.clean(name)} were not read: {UNREAD}" for name in found.unread
    )
    if found.status:
        write_lines([f"coscope: the command exited with status {found.status}"])
    seen = found.files, found.functions
    return Outcome(session.target or "", "warm", found.findings, *seen)


def _finish(outcome: Outcome, rules: Sequence[Rule], options: Options) -> None:
    """Measure what findings cost here, and take away what comments in the source ignore."""
    from coscope.audits.running.engine import with_bounds
    from coscope.audits.running.suppression import sift
    from coscope.audits.selection import all_rules

    findings = outcome.findings
    if outcome.mode != "warm":  # there the processes of the command have measured
        findings = with_bounds(findings, rules, options)
    # A comment may be meant for a rule that did not run: only a whole audit can call it unused.
    whole = outcome.mode == "live" and len(rules) == len(all_rules())
    files = {finding.file for finding in findings if finding.file} if whole else set()
    sifted = sift(findings, sorted(files))
    outcome.findings = sifted.findings
    outcome.ignored, outcome.unused = sifted.ignored, sifted.unused


def _write_baseline(outcome: Outcome, path: Path) -> int:
    from coscope.audits.running.baseline import baseline_text
    from coscope.audits.running.small_files import write_text
    from coscope.audits.running.suppression import line_of
    from coscope.cli.failures import FAILED
    from coscope.errors import InputError

    if outcome.errors and not outcome.files:  # a mistyped target must not empty a baseline
        raise InputError("no target could be read, so the baseline is not written", file=path)
    text = baseline_text(outcome.findings, path.resolve().parent, line_of)
    try:
        write_text(path, text)
    except OSError as error:
        raise InputError(f"cannot write the baseline: {error.strerror}", file=path) from error
    count = len(outcome.findings)
    sys.stderr.write(f"{count:,} finding{'' if count == 1 else 's'} written to {path}\n")
    return FAILED if outcome.errors else 0


def _known(path: str | Path | None) -> tuple[Counter[Mark], Path] | None:
    """A baseline and its folder; it is read before the work, because it may be bad."""
    from coscope.audits.running.baseline import read_baseline

    return None if path is None else (read_baseline(Path(path)), Path(path).resolve().parent)


def _drop_known(outcome: Outcome, known: Counter[Mark], folder: Path) -> None:
    from coscope.audits.running.baseline import without_known
    from coscope.audits.running.suppression import line_of

    outcome.findings, outcome.known = without_known(outcome.findings, known, folder, line_of)


def _write(
    session: Session, outcome: Outcome, form: str, rules: Sequence[Rule], given: Given
) -> int:
    from coscope.cli.failures import FAILED
    from coscope.cli.pages import write_sheet
    from coscope.cli.streams import write_text
    from coscope.render.results.audit import document, sheet

    found = document(outcome)
    if form != "text":
        write_text(written("audit", form, found, *([rules] if form == "sarif" else [])))
    else:
        hints, counts = given["fix_hints"], given["statistics"]
        write_sheet(session, sheet(found, session.pen(), hints=hints, counts=counts))
    if outcome.errors:
        return FAILED
    fatal = _FAIL_ON[: _FAIL_ON.index(given["fail_on"]) + 1] if given["fail_on"] != "never" else ()
    return FOUND if any(each.severity in fatal for each in outcome.findings) else 0

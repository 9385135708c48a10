"""`coscope corpus`: whole libraries, environments and archives as tables."""

from __future__ import annotations

from functools import partial

import click

from coscope.cli.options import common, completer
from coscope.cli.session import Session

DETAILS = ("flow", "findings", "fingerprints")


@click.group("corpus", short_help="Whole libraries and environments as tables, for SQL.")
def command() -> None:
    """Read files, folders and archives into Parquet tables, and ask them questions.

    \b
    coscope corpus scan .venv/lib src/ dist/*.whl -o corpus/
    coscope corpus ask corpus/ dynamic-code-sites

    Needs the packages of coscope[corpus].

    Exit status: 0 done, 1 two corpora differ, 2 bad use or input.
    """


@command.command("scan", short_help="Read code into a corpus.")
@click.argument("paths", nargs=-1, required=True, metavar="PATH...")
@click.option("-o", "--output", "target", required=True, metavar="FOLDER", help="The corpus.")
@click.option(
    "--python",
    metavar="VERSION",
    help="Compile sources by another interpreter: a version, a release or a path.",
)
@click.option(
    "--optimize", type=click.IntRange(0, 2), default=0, metavar="0|1|2",
    help="Compile as python, python -O or python -OO would.",
)  # fmt: skip
@click.option(
    "--with", "details", multiple=True, type=click.Choice([*DETAILS, "all"]),
    help="Fill more tables; each costs more than all others together.",
)  # fmt: skip
@click.option(
    "-j", "--jobs", type=click.IntRange(min=0), default=0, metavar="N",
    help="Processes; all cores if not given.",
)  # fmt: skip
@click.option("--dask", metavar="ADDRESS", help="Run on a Dask cluster: tcp://scheduler:8786.")
@click.option("--pycache", is_flag=True, help="Read .pyc files whose source is beside them too.")
@common
def scan_command(
    session: Session,
    paths: tuple[str, ...],
    target: str,
    python: str | None,
    optimize: int,
    details: tuple[str, ...],
    jobs: int,
    dask: str | None,
    pycache: bool,
) -> None:
    """Read PATHs into a corpus. Sources are compiled, never executed.

    \b
    coscope corpus scan site-packages/ -o corpus/
    coscope corpus scan src/ dist/app.whl --python 3.12 -o corpus/

    A PATH is a file (.py, .pyw, .pyc), a folder, or an archive (wheel, zip, egg, zipapp, sdist).
    The corpus holds what the last scan was given: unchanged files are not read again, those that
    are gone are removed, and an interrupted scan goes on where it stopped.

    Exit status: 0 scanned, 2 bad use or input.
    """
    from coscope.cli.output import write
    from coscope.cli.processes import cores
    from coscope.cli.progress import Progress
    from coscope.corpus.scanning import scan
    from coscope.render.results.corpus import scan_document, scan_sheet

    with Progress("files") as progress:
        report = scan(
            paths,
            target,
            python=python,
            optimize=optimize,
            details=DETAILS if "all" in details else details,
            processes=jobs or cores(),
            dask=dask,
            pycache=pycache,
            progress=progress.advance,
        )
    write(session, scan_document(report), scan_sheet)


@command.command("sql", short_help="Ask a corpus in SQL.")
@click.argument("target", metavar="FOLDER")
@click.argument("query")
@click.option("--memory", default="2GB", show_default=True, help="What DuckDB may use.")
@click.option(
    "--limit", type=click.IntRange(min=0), default=1000, show_default=True,
    help="Rows that are shown; 0: all of them.",
)  # fmt: skip
@common
def sql_command(session: Session, target: str, query: str, memory: str, limit: int) -> None:
    """Run QUERY, in DuckDB's SQL, over the tables of the corpus in FOLDER.

    \b
    coscope corpus sql corpus/ "select kind, count(*) from codes group by kind"
    coscope corpus sql corpus/ "select * from calls where callee = 'eval'" --json

    `coscope corpus schema` lists the tables and says what their columns mean.

    Exit status: 0 answered, 2 bad use or input.
    """
    from coscope.cli.output import write
    from coscope.corpus.ask import open_corpus
    from coscope.render.results.corpus import answer_document, answer_sheet

    with open_corpus(target, memory=memory) as corpus:
        document = answer_document(target, corpus.sql(query), None, limit or None)
    write(session, document, answer_sheet)


@command.command("ask", short_help="Answer a built-in question; without one, list them.")
@click.argument("target", metavar="FOLDER")
@click.argument("question", required=False, shell_complete=completer("of_question"))
@click.option("--plot", metavar="FILE", help="Draw the answer: a file that ends in .svg or .html.")
@click.option("--sql", "shown", is_flag=True, help="Show the question's SQL instead.")
@click.option("--memory", default="2GB", show_default=True, help="What DuckDB may use.")
@common
def ask_command(
    session: Session, target: str, question: str | None, plot: str | None, shown: bool, memory: str
) -> None:
    """Answer QUESTION from the corpus in FOLDER.

    \b
    coscope corpus ask corpus/                              the questions that there are
    coscope corpus ask corpus/ opcode-pairs --plot pairs.svg

    Exit status: 0 answered, 2 bad use or input.
    """
    from coscope.cli.output import write
    from coscope.cli.streams import write_text
    from coscope.corpus.ask import open_corpus, questions
    from coscope.render.results import corpus as pages

    with open_corpus(target, memory=memory) as corpus:
        if question is None:
            listed = list(questions().values())
            write(session, pages.questions_document(target, listed), pages.questions_sheet)
            return
        answer = corpus.ask(question)
        if shown:
            write_text(answer.question.sql + "\n")
            return
        if plot is not None:
            from coscope.corpus.pictures import save

            save(answer, plot)
        document = pages.answer_document(target, corpus.ask(question).relation, answer.question)
    write(session, document, partial(pages.answer_sheet, picture=answer.question.picture))


@command.command("schema", short_help="What the tables and columns mean.")
@common
def schema_command(session: Session) -> None:
    """List the tables of a corpus, and say what each column means.

    \b
    coscope corpus schema
    coscope corpus schema --json

    Exit status: 0 shown, 2 bad use.
    """
    from coscope.cli.output import write
    from coscope.render.results.corpus import schema_document, schema_sheet

    write(session, schema_document(), schema_sheet)


@command.command("diff", short_help="What changed between two corpora.")
@click.argument("target", metavar="BEFORE")
@click.argument("other", metavar="AFTER")
@common
def diff_command(session: Session, target: str, other: str) -> int:
    """Compare two corpora: files, code objects, opcodes.

    \b
    coscope corpus diff monday/ tuesday/
    coscope corpus diff by-3.13/ by-3.15/

    Exit status: 0 the same, 1 they differ, 2 bad use or input.
    """
    from coscope.cli.output import write
    from coscope.corpus.changes import diff
    from coscope.render.results.corpus import diff_document, diff_sheet

    changes = diff(target, other)
    write(session, diff_document(changes), diff_sheet)
    return 1 if changes.any else 0

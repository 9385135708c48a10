"""Answers as pictures: SVG, or one HTML file that needs no network. Drawn by Altair."""

from __future__ import annotations

from pathlib import Path

from coscope.corpus.ask import Answer
from coscope.errors import CoscopeError, InputError, MissingExtra

MOST = 40  # bars
_FORMATS = (".svg", ".html", ".png")


def save(answer: Answer, path: str) -> None:
    """Draw an answer.

    Args:
        answer: To a question that has a picture.
        path: Ends in .svg, .html or .png.

    Raises:
        InputError: The question has no picture, or the file another ending.
        CoscopeError: The file cannot be written.
        MissingExtra: Altair is not installed.
    """
    target = Path(path)
    if target.suffix.lower() not in _FORMATS:
        raise InputError(
            f"{path} is not a picture that can be drawn", hint="End it in .svg, .html or .png."
        )
    if not answer.question.picture:
        raise InputError(
            f"the question {answer.question.name} has no picture",
            hint="Its answer is a list of places: leave --plot out.",
        )
    try:
        import altair
    except ImportError as error:
        raise MissingExtra("corpus", str(error)) from error
    _kind, label, length = answer.question.picture
    columns = answer.relation.columns
    # The same label may be in two rows (functions of one name): each gets a bar of its own.
    values = [
        {"at": at, "label": str(row[columns.index(label)]), "length": row[columns.index(length)]}
        for at, row in enumerate(answer.relation.rows(MOST))
    ]
    bars = altair.Chart(altair.Data(values=values)).encode(
        y=altair.Y("at:O", axis=None),
        x=altair.X("length:Q", title=length),
        tooltip=[altair.Tooltip("label:N", title=label), altair.Tooltip("length:Q", title=length)],
    )
    names = (
        altair.Chart(altair.Data(values=values))
        .mark_text(align="right", dx=-4)
        .encode(y=altair.Y("at:O", axis=None), text="label:N", x=altair.value(0))
    )
    chart = altair.layer(bars.mark_bar(), names).properties(
        title=altair.TitleParams(answer.question.title, anchor="start"),
        width=640,
        padding={"left": 260, "right": 10, "top": 10, "bottom": 10},
    )
    try:
        if target.suffix.lower() == ".html":
            chart.save(str(target), format="html", inline=True)
        else:
            chart.save(str(target), format=target.suffix.lower()[1:])
    except OSError as error:
        raise CoscopeError(f"cannot write the picture: {error.strerror}", file=path) from error

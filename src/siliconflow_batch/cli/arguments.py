"""
The arguments and options that several commands share, and what their values must be.
"""

import math
from pathlib import Path
from typing import Annotated

import typer


def _finite(seconds: float | None) -> float | None:
    if seconds is not None and not math.isfinite(seconds):
        raise typer.BadParameter(f"{seconds} is no number of seconds.")
    return seconds


def _no_stdin(files: list[Path]) -> list[Path]:
    if Path("-") in files:
        raise typer.BadParameter(
            "standard input is not read: an input file is read twice, to check it and to send it. "
            "Write it to a file first."
        )
    return files


def _each_once(ids: list[str] | None) -> list[str]:
    return list(dict.fromkeys(ids or ()))


def pairs(given: list[str]) -> dict[str, str]:
    """KEY=VALUE as a mapping; a key twice is refused."""
    notes: dict[str, str] = {}
    for pair in given:
        key, equals, value = pair.partition("=")
        if not key or not equals:
            raise typer.BadParameter(f"{pair!r} is not KEY=VALUE.", param_hint="--metadata")
        if key in notes:
            raise typer.BadParameter(f"{key!r} is given twice.", param_hint="--metadata")
        notes[key] = value
    return notes


InputFiles = Annotated[
    list[Path],
    typer.Argument(metavar="FILE...", callback=_no_stdin, help="Input files, JSON Lines."),
]
Ids = Annotated[
    list[str], typer.Argument(metavar="ID...", callback=_each_once, help="Ids of batches.")
]
MaybeIds = Annotated[
    list[str] | None,
    typer.Argument(metavar="[ID...]", callback=_each_once, help="Ids of batches."),
]
Model = Annotated[
    str | None,
    typer.Option("--model", metavar="MODEL", help="Runs every line, instead of its own model."),
]
Seconds = Annotated[
    float | None,
    typer.Option(
        "--timeout",
        metavar="SECONDS",
        min=0,
        callback=_finite,
        help="How long to wait at the most.",
    ),
]
Interval = Annotated[
    float,
    typer.Option(
        "--interval",
        metavar="SECONDS",
        min=0.01,
        callback=_finite,
        help="Pause before the second look; the next ones grow, up to a minute.",
    ),
]
BaseUrl = Annotated[
    str | None,
    typer.Option(
        "--base-url",
        metavar="URL",
        help="The site, with its /v1; by default SILICONFLOW_BASE_URL or the China site.",
    ),
]
Json = Annotated[
    bool, typer.Option("--json", help="JSON on stdout, errors as JSON on stderr, no bars.")
]

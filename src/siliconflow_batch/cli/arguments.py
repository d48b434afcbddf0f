"""
The arguments and options that several commands share, and their validation.
"""

import math
import sys
from pathlib import Path
from typing import Annotated, BinaryIO

import typer

from ..errors import ArgumentInvalid


def _finite(seconds: float | None) -> float | None:
    if seconds is not None and not math.isfinite(seconds):
        raise typer.BadParameter(f"must be a finite number of seconds, not {seconds}.")
    return seconds


def _unique(ids: list[str] | None) -> list[str]:
    return list(dict.fromkeys(ids or ()))


def metadata(pairs: list[str]) -> dict[str, str]:
    """Parses KEY=VALUE pairs; raises `typer.BadParameter` for a repeated key."""
    parsed: dict[str, str] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not key or not equals:
            raise typer.BadParameter(f"{pair!r} is not KEY=VALUE.", param_hint="--metadata")
        if key in parsed:
            raise typer.BadParameter(f"{key!r} occurs twice.", param_hint="--metadata")
        parsed[key] = value
    return parsed


def input_source(path: Path) -> Path | BinaryIO:
    """The file that a path names; raises `ArgumentInvalid` for a closed standard input."""
    if path != Path("-"):
        return path
    if sys.stdin is None:
        raise ArgumentInvalid("Cannot read standard input: it is closed.")
    return sys.stdin.buffer


InputFiles = Annotated[
    list[Path],
    typer.Argument(
        metavar="FILE...", help="Input files in JSON Lines format; - is standard input."
    ),
]
Ids = Annotated[list[str], typer.Argument(metavar="ID...", callback=_unique, help="Batch ids.")]
MaybeIds = Annotated[
    list[str] | None,
    typer.Argument(metavar="[ID...]", callback=_unique, help="Batch ids."),
]
Model = Annotated[
    str | None,
    typer.Option(
        "--model", metavar="MODEL", help="Model for all lines; overrides the models in the file."
    ),
]
Seconds = Annotated[
    float | None,
    typer.Option(
        "--timeout",
        metavar="SECONDS",
        min=0,
        callback=_finite,
        help="Maximum time to wait.",
    ),
]
Interval = Annotated[
    float,
    typer.Option(
        "--interval",
        metavar="SECONDS",
        min=0.01,
        callback=_finite,
        help="Pause before the second request; later pauses grow up to a minute.",
    ),
]
BaseUrl = Annotated[
    str | None,
    typer.Option(
        "--base-url",
        metavar="URL",
        help="Base URL, including /v1. Default: SILICONFLOW_BASE_URL, or the China site.",
    ),
]
Json = Annotated[
    bool, typer.Option("--json", help="Print results and errors as JSON, without progress bars.")
]

"""
Reports as data: what report.json holds, and how it is read again.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs
import msgspec

from ..requirements import Requirement
from ..verdicts import Run
from .matrix import sentence
from .records import RunRecord, records

SCHEMA = 1


class ReportUnreadable(ValueError):
    """A file that is no report of this suite, or one of a later version."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(path, reason)
        self.path, self.reason = path, reason

    def __str__(self) -> str:
        return (
            f"{self.path}: {self.reason}\n\nA report is the report.json that a run of this suite "
            "wrote. Leave the file out, or make the report anew."
        )


def as_json(
    runs: Sequence[Run | RunRecord],
    catalogue: Mapping[str, Requirement],
    *,
    secrets: tuple[str, ...] = (),
) -> dict[str, Any]:
    """Plain data, its keys in one order: the catalogue's, and those of the records' fields."""
    place = {id: number for number, id in enumerate(catalogue)}
    ordered = [
        attrs.evolve(
            run,
            verdicts={
                id: run.verdicts[id]
                for id in sorted(run.verdicts, key=lambda id: (place.get(id, len(place)), id))
            },
        )
        for run in records(runs, secrets)
    ]
    requirements = {id: attrs.asdict(sentence(row)) for id, row in catalogue.items()}
    return {"schema": SCHEMA, "requirements": requirements, "runs": msgspec.to_builtins(ordered)}


def read(path: Path | str) -> list[RunRecord]:
    """The runs of a report.json; raises `ReportUnreadable`."""
    path = Path(path)
    try:
        data = json.loads(path.read_bytes())
        schema = data["schema"]
        if schema != SCHEMA:
            raise ReportUnreadable(path, f"its schema is {schema!r}; this version reads {SCHEMA}")
        return msgspec.convert(data["runs"], list[RunRecord])
    except ReportUnreadable:
        raise
    except OSError as error:
        raise ReportUnreadable(path, error.strerror or str(error)) from error
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        raise ReportUnreadable(path, f"no report: {error}") from error

"""
Writes and reads report.json.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs
import msgspec

from ..requirements import Requirement
from ..verdicts import Run
from .matrix import requirement_record
from .records import RunRecord, records

SCHEMA = 1


class ReportUnreadable(ValueError):
    """A file is not a report of this suite, or has an unsupported version."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(path, reason)
        self.path, self.reason = path, reason

    def __str__(self) -> str:
        return (
            f"{self.path}: {self.reason}\n\nThe file must be a report.json written by --report. "
            "Omit it, or run the suite again to write a new one."
        )


def as_json(
    runs: Sequence[Run | RunRecord],
    catalogue: Mapping[str, Requirement],
    *,
    secrets: tuple[str, ...] = (),
) -> dict[str, Any]:
    """The report as plain data, with verdicts in the order of the catalogue."""
    position = {id: number for number, id in enumerate(catalogue)}
    ordered = [
        attrs.evolve(
            run,
            verdicts={
                id: run.verdicts[id]
                for id in sorted(run.verdicts, key=lambda id: (position.get(id, len(position)), id))
            },
        )
        for run in records(runs, secrets)
    ]
    requirements = {id: attrs.asdict(requirement_record(row)) for id, row in catalogue.items()}
    return {"schema": SCHEMA, "requirements": requirements, "runs": msgspec.to_builtins(ordered)}


def read(path: Path | str) -> list[RunRecord]:
    """Reads the runs of a report.json; raises `ReportUnreadable`."""
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
        raise ReportUnreadable(path, f"not a report: {error}") from error

"""
A folder of reports: for people, for the next run, for CI and for a pull request.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..atomic_file import write_file
from ..requirements import Requirement
from ..verdicts import Run
from .json_report import as_json
from .junit import as_junit
from .markdown import as_markdown
from .page import as_html
from .records import RunRecord, records
from .redaction import redacted

PAGE, DATA, JUNIT, MARKDOWN, SCRIPTS = (
    "report.html",
    "report.json",
    "junit.xml",
    "report.md",
    "repro",
)


def write(
    folder: Path | str,
    runs: Sequence[Run | RunRecord],
    catalogue: Mapping[str, Requirement],
    previous: Sequence[Run | RunRecord] | None = None,
    scripts: Mapping[str, str] | None = None,
    *,
    secrets: tuple[str, ...] = (),
) -> None:
    """
    Every report of `runs`, each file whole or not at all.

    Scripts of an earlier report are removed: what is in `repro` repeats a failure of this one.
    """
    folder, told = Path(folder), redacted(dict(scripts or {}), secrets)
    kept, last = records(runs, secrets), records(previous or (), secrets)
    data = as_json(kept, catalogue)
    texts = {
        PAGE: as_html(kept, catalogue, last, scripts=told),
        JUNIT: as_junit(kept, catalogue),
        MARKDOWN: as_markdown(kept, catalogue, last),
        DATA: json.dumps(data, ensure_ascii=False, indent=1) + "\n",
    }
    repro = folder / SCRIPTS
    repro.mkdir(parents=True, exist_ok=True)
    for name, text in texts.items():
        write_file(folder / name, text, mode=0o644)
    for id in catalogue:
        script = repro / f"{id}.sh"
        if id in told:
            write_file(script, told[id], mode=0o755)
        else:
            script.unlink(missing_ok=True)

"""
The report folder: HTML, JSON, JUnit XML, Markdown and scripts.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from siliconflow_batch.state.atomic_file import write_file

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
    strict: bool = False,
) -> None:
    """
    Writes all reports of `runs`; each file is replaced atomically.

    Removes the scripts of earlier reports from the folder `repro`.
    """
    folder, texts = Path(folder), redacted(dict(scripts or {}), secrets)
    current, last = records(runs, secrets), records(previous or (), secrets)
    data = as_json(current, catalogue)
    files = {
        PAGE: as_html(current, catalogue, last, scripts=texts),
        JUNIT: as_junit(current, catalogue, strict=strict),
        MARKDOWN: as_markdown(current, catalogue, last),
        DATA: json.dumps(data, ensure_ascii=False, indent=1) + "\n",
    }
    repro = folder / SCRIPTS
    repro.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        write_file(folder / name, text, mode=0o644)
    for id in catalogue:
        script = repro / f"{id}.sh"
        if id in texts:
            write_file(script, texts[id], mode=0o755)
        else:
            script.unlink(missing_ok=True)

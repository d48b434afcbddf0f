"""Files that are written completely or not at all."""

import os
import tempfile
from pathlib import Path


def write_file(path: Path, text: str, *, mode: int = 0o600) -> None:
    """
    Writes a text in UTF-8 and replaces the file at `path`.

    A failure leaves an existing file as it was, and no other file in its folder.
    """
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        Path(name).chmod(mode)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise

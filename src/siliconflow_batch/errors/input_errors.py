"""What is refused before anything is sent."""

from collections.abc import Sequence
from pathlib import Path

from attrs import define

from .base_error import SiliconFlowError


class StateUnusable(SiliconFlowError):
    """A file in the state folder cannot be written. What would be sent next must not be sent."""

    def __init__(self, path: Path | str, reason: object) -> None:
        super().__init__(path, reason)
        self.path, self.reason = path, reason

    def __str__(self) -> str:
        return (
            f"Cannot write {self.path}: {self.reason}\n\n"
            "Every batch is recorded there before it is created. "
            "Set SILICONFLOW_STATE to a folder that can be written."
        )


class FileNotWritten(SiliconFlowError):
    """A file cannot be written. It is as it was before."""

    def __init__(self, path: Path | str, reason: object) -> None:
        super().__init__(path, reason)
        self.path, self.reason = path, reason

    def __str__(self) -> str:
        return f"Cannot write {self.path}: {self.reason}."


class InputError(SiliconFlowError):
    """An argument or an input file was refused; no batch was created of it."""


class KeyMissing(InputError):
    """There is no usable API key; `reason` says what is wrong, and never contains the key."""

    def __init__(self, reason: str = "There is no API key.") -> None:
        super().__init__(reason)
        self.reason = reason

    def __str__(self) -> str:
        return (
            f"{self.reason}\n\nSet SILICONFLOW_API_KEY, or pass key=…; "
            "create a key at https://cloud.siliconflow.cn/account/ak."
        )


class ArgumentInvalid(InputError):
    """An argument is one that the service would refuse, or that is not safe to send."""


@define(frozen=True)
class LineFault:
    """A fault of an input file. `line` counts from 1; 0 means the file as a whole."""

    file: str
    line: int
    field: str
    reason: str

    def __str__(self) -> str:
        place = f"{self.file}, line {self.line}" if self.line else self.file
        return f"{place}: {self.field + ': ' if self.field else ''}{self.reason}"


class InputFileChanged(InputError):
    """An input file changed after it was checked. No batch was created of it."""

    def __init__(self, file: str) -> None:
        super().__init__(file)
        self.file = file

    def __str__(self) -> str:
        return (
            f"{self.file} has changed since it was checked, so it was not sent completely. "
            "No batch was created.\n\nSubmit it again when no program writes to it."
        )


class InputFileInvalid(InputError):
    """An input file is invalid. Nothing was uploaded."""

    def __init__(self, faults: Sequence[LineFault]) -> None:
        super().__init__(faults)
        self.faults = tuple(faults)

    def __str__(self) -> str:
        return "\n".join(map(str, self.faults)) + "\n\nNothing was uploaded."

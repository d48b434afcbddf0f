"""
Input files: JSON Lines, one chat request a line, checked before anything is sent.

Rule 1: a line ends at the byte `\\n` alone; U+2028 and its like are data inside a JSON string.
Rule 2: no more of a file is held than one line, and the custom_ids seen so far.
Rule 3: what a quick look does not pass (`usual`) is judged here; it refuses nothing itself.
"""

import io
import json
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from itertools import islice
from pathlib import Path
from reprlib import Repr
from typing import IO, Any

import msgspec
from attrs import define, field, frozen

from ..errors import ArgumentInvalid, InputFileInvalid, LineFault
from . import fast_lines

Source = str | os.PathLike[str] | bytes | IO[bytes]
Found = list[tuple[str, str]]  # fields, and what is wrong with them

ROLES = ("system", "user", "assistant")
FIXED = {"method": "POST", "url": "/v1/chat/completions"}
THINKING_BUDGET = (128, 32_768)
BOM, UTF_16 = b"\xef\xbb\xbf", (b"\xff\xfe", b"\xfe\xff")

_decode = msgspec.json.Decoder().decode
_short = Repr()
_short.maxstring = _short.maxother = 80


@frozen
class Limits:
    """The most a file may have; `line`, in bytes, is this package's own and keeps memory flat."""

    lines: int = 5_000
    bytes: int = 10**9
    line: int = 32_000_000


LIMITS = Limits()


@frozen
class InputSummary:
    """What is known of a file without faults; `model` is what its lines run on."""

    lines: int
    bytes: int
    model: str


@define
class Inspection:
    """One reading of a file; `ids` and `models` hold the line where each was first seen."""

    name: str
    model: str | None
    limits: Limits = LIMITS
    lines: int = 0
    size: int = 0
    ids: dict[str, int] = field(factory=dict)
    models: dict[str | None, int] = field(factory=dict)

    def faults(self, file: IO[bytes]) -> Iterator[LineFault]:
        for raw in self._read(file):
            if self.lines <= self.limits.lines and not self._is_usual(raw):
                for place, reason in self._judge_line(raw):
                    yield LineFault(self.name, self.lines, place, reason)
        for place, reason in self._judge_file():
            yield LineFault(self.name, 0, place, reason)

    def _read(self, file: IO[bytes]) -> Iterator[bytes]:
        """Yields each line; of one that is too long, its beginning, which is too long as well."""
        most = self.limits.line + 2  # with \r\n
        while raw := file.readline(most):
            if not isinstance(raw, bytes):
                raise ArgumentInvalid(f"{self.name} is open as text; open it in binary mode")
            self.lines += 1
            self.size += len(raw)
            yield raw
            while len(raw) == most and not raw.endswith(b"\n"):
                raw = file.readline(most)
                self.size += len(raw)

    def _judge_line(self, raw: bytes) -> Found:
        if len(raw) > self.limits.line and len(raw.rstrip(b"\r\n")) > self.limits.line:
            return [("", f"the line is longer than {self.limits.line:,} bytes")]
        if self.lines == 1 and raw.startswith(BOM):
            mark = "the file begins with a byte order mark; save it as UTF-8 without one"
            return [("", mark), *self._judge_json(raw.removeprefix(BOM))]
        return self._judge_json(raw)

    def _is_usual(self, raw: bytes) -> bool:
        """Whether a quick look is enough, as it is for most lines, to know that it has no fault."""
        found = fast_lines.read(raw) if len(raw) <= self.limits.line else None
        if found is None or found.body.model not in self.models:
            return False
        return self.ids.setdefault(found.custom_id, self.lines) == self.lines

    def _judge_json(self, raw: bytes) -> Found:
        try:
            request = _decode(raw)
            if repeated := _repeated_keys(raw):
                return [(key, "stands in the line more than once") for key in repeated]
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return [("", _why_not_json(raw.rstrip(b"\r\n")))]
        if not isinstance(request, dict):
            return [("", f"a line must be a JSON object, not {_short.repr(request)}")]
        return self.judge(request)

    def judge(self, request: dict[str, Any]) -> Found:
        found: Found = []
        self._judge_id(request, found)
        for key, only in FIXED.items():
            if request.get(key, only) != only:
                found.append((key, f"must be {only!r}, not {_short.repr(request[key])}"))
        if isinstance(body := request.get("body"), dict):
            _judge_messages(body, found)
            _judge_parameters(body, found)
            self._judge_model(body.get("model"), found)
        else:
            found.append(("body", f"must be an object{_but(request, 'body')}"))
        return found

    def _judge_id(self, request: dict[str, Any], found: Found) -> None:
        custom_id = request.get("custom_id")
        if not isinstance(custom_id, str) or not custom_id:
            found.append(("custom_id", f"must be a non-empty string{_but(request, 'custom_id')}"))
        elif (line := self.ids.setdefault(custom_id, self.lines)) != self.lines:
            found.append(("custom_id", f"{_short.repr(custom_id)} is already that of line {line}"))

    def _judge_model(self, model: object, found: Found) -> None:
        """Adds one fault a file: at the first line that names another model than those before."""
        if model is not None and (not isinstance(model, str) or not model):
            found.append(("body.model", f"must be a model's name, not {_short.repr(model)}"))
        elif model not in self.models:
            self.models[model] = self.lines
            if len(self.models) == 2 and self.model is None:
                (first, line), _ = self.models.items()
                here, there = (_short.repr(name) if name else "none" for name in (model, first))
                reason = f"must be one in all lines: here it is {here}, in line {line} {there}"
                found.append(("body.model", reason))

    def _judge_file(self) -> Iterator[tuple[str, str]]:
        if self.lines == 0:
            yield "", "the file has no lines"
        for unit, size in (("lines", self.lines), ("bytes", self.size)):
            if size > (most := getattr(self.limits, unit)):
                yield "", f"the file has {size:,} {unit}, and {most:,} are allowed; split it"
        if self.model is None and set(self.models) == {None}:
            yield "body.model", "no line names a model; name one in every line, or in `replace`"


def check(
    source: Source, *, model: str | None = None, name: str | None = None, limits: Limits = LIMITS
) -> Iterator[LineFault]:
    """
    Yields what is wrong with an input file, line by line, however large it is.

    `source` is a path, the bytes themselves, or a file open for reading bytes, which is read to its
    end; `model` is that of the batch's `replace`, `name` stands in the faults.
    """
    with _opened(source) as file:
        yield from Inspection(name or _name(source), model, limits).faults(file)


def validate(
    source: Source,
    *,
    model: str | None = None,
    name: str | None = None,
    most: int = 20,
    limits: Limits = LIMITS,
) -> InputSummary:
    """As `check`, but raises `InputFileInvalid` with the first `most` faults, if there are any."""
    inspection = Inspection(name or _name(source), model, limits)
    with _opened(source) as file:
        if faults := list(islice(inspection.faults(file), max(most, 1))):
            raise InputFileInvalid(faults)
    named = model or next(filter(None, inspection.models))
    return InputSummary(inspection.lines, inspection.size, named)


def _judge_messages(body: dict[str, Any], found: Found) -> None:
    messages, place = body.get("messages"), "body.messages"
    if not isinstance(messages, list) or not messages:
        found.append((place, f"must be a list of messages{_but(body, 'messages')}"))
        return
    role = None
    for index, message in enumerate(messages):
        role = message.get("role") if isinstance(message, dict) else None
        if not isinstance(message, dict):
            found.append((f"{place}[{index}]", f"must be an object, not {_short.repr(message)}"))
        elif role not in ROLES:
            found.append(
                (f"{place}[{index}].role", f"must be one of {ROLES}{_but(message, 'role')}")
            )
    if role != "user" and role in ROLES:
        found.append((place, f"the last message must come from 'user', not {role!r}"))


def _judge_parameters(body: dict[str, Any], found: Found) -> None:
    budget, (least, most) = body.get("thinking_budget"), THINKING_BUDGET
    if budget is not None and (not isinstance(budget, int) or not least <= budget <= most):
        reason = f"must be an integer from {least} to {most}, not {_short.repr(budget)}"
        found.append(("body.thinking_budget", reason))
    if body.get("stream"):
        found.append(("body.stream", "a batch does not stream; leave it out"))


def _but(mapping: dict[str, Any], key: str) -> str:
    return f", not {_short.repr(mapping[key])}" if key in mapping else "; it is missing"


def _repeated_keys(raw: bytes) -> set[str]:
    """The keys that the outermost object, which is the last to be read, has more than once."""
    if raw.count(b'"custom_id"') < 2 and raw.count(b'"body"') < 2:
        return set()
    keys: list[str] = []
    json.loads(
        raw, object_pairs_hook=lambda pairs: keys.__setitem__(slice(None), [p[0] for p in pairs])
    )
    return {key for key in keys if keys.count(key) > 1}


def _why_not_json(raw: bytes) -> str:
    if not raw.strip():
        return "the line is empty; remove it"
    if raw.startswith(UTF_16):
        return "the file is UTF-16; save it as UTF-8"
    try:
        json.loads(raw.decode())
    except UnicodeDecodeError as error:
        return f"byte {error.start + 1} of the line is not UTF-8"
    except json.JSONDecodeError as error:
        return f"not JSON: {error.msg.removesuffix(' at')} at character {error.pos + 1}"
    except RecursionError:
        return "nested too deeply"
    except ValueError as error:
        return str(error)
    return "not JSON: NaN, Infinity, a number out of range, or half a surrogate pair like \\ud83d"


def _opened(source: Source) -> AbstractContextManager[IO[bytes]]:
    if isinstance(source, bytes):
        return io.BytesIO(source)
    if isinstance(source, str | os.PathLike):
        try:
            return Path(source).open("rb")
        except OSError as error:
            raise ArgumentInvalid(f"{source!s} cannot be read: {error.strerror}.") from error
    if hasattr(source, "readline"):
        return nullcontext(source)
    raise ArgumentInvalid(f"a {type(source).__name__} is no path, no bytes and no file of bytes")


def _name(source: Source) -> str:
    if isinstance(source, str | os.PathLike):
        return os.fspath(source)
    name = getattr(source, "name", None)
    return name if isinstance(name, str) else "input"

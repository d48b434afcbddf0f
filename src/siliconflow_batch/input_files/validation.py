"""
Input files: JSON Lines, one chat request a line, checked before anything is sent.

Rule 1: only the byte `\\n` ends a line; U+2028 and similar characters are data.
Rule 2: no more of a file is kept in memory than one line, and the custom_ids.
Rule 3: a line that does not pass `fast_lines` is checked here, so a fault is found here only.
"""

import contextlib
import hashlib
import json
from collections.abc import Iterator
from itertools import islice
from reprlib import Repr
from typing import IO, Any

import msgspec
from attrs import define, field, frozen

from ..errors import InputFileInvalid, LineFault
from . import fast_lines
from .file_kinds import other_kind, why_not_json
from .sources import MOST_BYTES, InputFile, Source, opened

Faults = list[tuple[str, str]]  # the field and the reason of each

ROLES = ("system", "user", "assistant")
FIXED = {"method": "POST", "url": "/v1/chat/completions"}
THINKING_BUDGET = (128, 32_768)
NUMBERS = ("max_tokens", "temperature", "top_p", "top_k", "min_p", "frequency_penalty", "n")
BOM = b"\xef\xbb\xbf"

_decode = msgspec.json.Decoder().decode
_short = Repr()
_short.maxstring = _short.maxother = 80


@frozen
class Limits:
    """
    The limits of a file. `line` limits a line in bytes; it is this package's own and limits memory.
    """

    lines: int = 5_000
    bytes: int = MOST_BYTES
    line: int = 16_000_000


LIMITS = Limits()


@frozen
class InputSummary:
    """The size of a valid file, the model of its lines, and the SHA-256 of its bytes."""

    lines: int
    bytes: int
    model: str
    sha256: str


@define
class Inspection:
    """One reading of a file; `ids` and `models` hold the line where each was first seen."""

    name: str
    model: str | None
    limits: Limits = LIMITS
    lines: int = 0
    size: int = 0
    hash: Any = field(factory=hashlib.sha256)  # of the lines read
    ids: dict[str, int] = field(factory=dict)
    models: dict[str | None, int] = field(factory=dict)

    def faults(self, file: IO[bytes]) -> Iterator[LineFault]:
        for raw in self._read(file):
            if self.lines == 1 and (kind := other_kind(raw)):
                yield LineFault(self.name, 0, "", f"the file is {kind}")
                return
            if self.lines <= self.limits.lines and not self._passes_fast_check(raw):
                for place, reason in self._check_line(raw):
                    yield LineFault(self.name, self.lines, place, reason)
        for place, reason in self._check_file():
            yield LineFault(self.name, 0, place, reason)

    def _read(self, file: IO[bytes]) -> Iterator[bytes]:
        """Yields each line; of a line that is too long, a beginning that is too long as well."""
        most = self.limits.line + 2  # with \r\n
        while raw := file.readline(most):
            self.lines += 1
            self.size += len(raw)
            self.hash.update(raw)
            yield raw
            while len(raw) == most and not raw.endswith(b"\n"):
                raw = file.readline(most)
                self.size += len(raw)

    def _passes_fast_check(self, raw: bytes) -> bool:
        request = fast_lines.read(raw) if len(raw) <= self.limits.line else None
        if request is None or request.body.model not in self.models:
            return False
        return self.ids.setdefault(request.custom_id, self.lines) == self.lines

    def _check_line(self, raw: bytes) -> Faults:
        if len(raw) > self.limits.line and len(raw.rstrip(b"\r\n")) > self.limits.line:
            return [("", f"the line has more than {self.limits.line:,} bytes; shorten it")]
        if self.lines == 1 and raw.startswith(BOM):
            reason = "the file begins with a byte order mark; save it as UTF-8 without one"
            return [("", reason), *self._check_json(raw.removeprefix(BOM))]
        return self._check_json(raw)

    def _check_json(self, raw: bytes) -> Faults:
        try:
            request = _decode(raw)
            if repeated := _repeated_keys(raw):
                return [(key, "appears more than once in the line; keep one") for key in repeated]
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            return [("", why_not_json(raw.rstrip(b"\r\n")))]
        if not isinstance(request, dict):
            return [("", f"a line must be a JSON object, not {_short.repr(request)}")]
        return self.check_request(request)

    def check_request(self, request: dict[str, Any]) -> Faults:
        faults = self._check_id(request)
        for key, only in FIXED.items():
            if request.get(key, only) != only:
                faults.append((key, f"must be {only!r}, not {_short.repr(request[key])}"))
        body = request.get("body")
        if not isinstance(body, dict):
            return [*faults, ("body", f"must be an object{_actual(request, 'body')}")]
        faults += _check_messages(body)
        faults += _check_parameters(body)
        return faults + self._check_model(body.get("model"))

    def _check_id(self, request: dict[str, Any]) -> Faults:
        custom_id = request.get("custom_id")
        if not isinstance(custom_id, str) or not custom_id:
            reason = f"must be a non-empty string{_actual(request, 'custom_id')}"
        elif (line := self.ids.setdefault(custom_id, self.lines)) != self.lines:
            reason = f"{_short.repr(custom_id)} is already used in line {line}; use each once"
        else:
            return []
        return [("custom_id", reason)]

    def _check_model(self, model: object) -> Faults:
        """Only the first line with another model than the lines before is a fault."""
        if model is not None and (not isinstance(model, str) or not model):
            return [("body.model", f"must be the name of a model, not {_short.repr(model)}")]
        if model in self.models:
            return []
        self.models[model] = self.lines
        if len(self.models) != 2 or self.model is not None:
            return []
        (first, line), _ = self.models.items()
        here, there = (_short.repr(name) if name else "missing" for name in (model, first))
        reason = f"must be the same in all lines: it is {here} here and {there} in line {line}"
        return [("body.model", reason)]

    def _check_file(self) -> Faults:
        faults: Faults = []
        if self.lines == 0:
            faults.append(("", "the file is empty; add at least one line"))
        for unit, size in (("lines", self.lines), ("bytes", self.size)):
            if size > (most := getattr(self.limits, unit)):
                faults.append(("", f"the file has {size:,} {unit}; split it, {most:,} are allowed"))
        if self.model is None and set(self.models) == {None}:
            reason = "no line has a model; add one to every line, or pass `model`"
            faults.append(("body.model", reason))
        return faults


def check(
    source: Source | InputFile,
    *,
    model: str | None = None,
    name: str | None = None,
    limits: Limits = LIMITS,
) -> Iterator[LineFault]:
    """
    Yields the faults of an input file, line by line. Memory does not grow with the file.

    `source` is a path, bytes, a binary file, which is read from its current position, or an
    iterable of lines. `model` is the model that the batch will use instead of those of the lines.
    `name` is the name of the file in the faults.
    """
    with _opened(source, name) as (label, file):
        yield from Inspection(label, model, limits).faults(file)


def validate(
    source: Source | InputFile,
    *,
    model: str | None = None,
    name: str | None = None,
    most: int = 20,
    limits: Limits = LIMITS,
) -> InputSummary:
    """
    Checks an input file as `check` does, and returns its size and model.

    Raises `InputFileInvalid` with the first `most` faults if there are any.
    """
    with _opened(source, name) as (label, file):
        inspection = Inspection(label, model, limits)
        if faults := list(islice(inspection.faults(file), max(most, 1))):
            raise InputFileInvalid(faults)
    used = model or next(filter(None, inspection.models))
    return InputSummary(inspection.lines, inspection.size, used, inspection.hash.hexdigest())


def _check_messages(body: dict[str, Any]) -> Faults:
    messages, place = body.get("messages"), "body.messages"
    if not isinstance(messages, list) or not messages:
        return [(place, f"must be a non-empty list of messages{_actual(body, 'messages')}")]
    faults: Faults = []
    role = None
    for index, message in enumerate(messages):
        role = message.get("role") if isinstance(message, dict) else None
        if not isinstance(message, dict):
            faults.append((f"{place}[{index}]", f"must be an object, not {_short.repr(message)}"))
        elif role not in ROLES:
            reason = f"must be one of {ROLES}{_actual(message, 'role')}"
            faults.append((f"{place}[{index}].role", reason))
        elif not _is_content(message.get("content"), role):
            reason = f"must be a text or a list of parts{_actual(message, 'content')}"
            faults.append((f"{place}[{index}].content", reason))
    if role != "user" and role in ROLES:
        faults.append((place, f"the last message must have role 'user', not {role!r}"))
    return faults


def _is_content(content: object, role: str) -> bool:
    """Whether a message may have this content; that of an assistant who calls tools is null."""
    is_list = isinstance(content, list) and bool(content)
    return is_list or isinstance(content, str) or (content is None and role == "assistant")


def _check_parameters(body: dict[str, Any]) -> Faults:
    faults: Faults = []
    budget, (least, most) = body.get("thinking_budget"), THINKING_BUDGET
    if budget is not None and (not isinstance(budget, int) or not least <= budget <= most):
        reason = f"must be an integer from {least} to {most}, not {_short.repr(budget)}"
        faults.append(("body.thinking_budget", reason))
    for name in NUMBERS:
        number = body.get(name)
        if number is not None and (isinstance(number, bool) or not isinstance(number, int | float)):
            faults.append((f"body.{name}", f"must be a number, not {_short.repr(number)}"))
    if not isinstance(body.get("stream"), bool | None):
        reason = f"must be true or false, not {_short.repr(body['stream'])}"
        faults.append(("body.stream", reason))
    return faults


def _actual(mapping: dict[str, Any], key: str) -> str:
    return f", not {_short.repr(mapping[key])}" if key in mapping else "; it is missing"


def _repeated_keys(raw: bytes) -> set[str]:
    """The keys that the outermost object, the last one to be parsed, has more than once."""
    if raw.count(b'"custom_id"') < 2 and raw.count(b'"body"') < 2:
        return set()
    keys: list[str] = []
    json.loads(
        raw, object_pairs_hook=lambda pairs: keys.__setitem__(slice(None), [p[0] for p in pairs])
    )
    return {key for key in keys if keys.count(key) > 1}


@contextlib.contextmanager
def _opened(source: Source | InputFile, name: str | None) -> Iterator[tuple[str, IO[bytes]]]:
    """The name of a source in faults, and the file to read."""
    with contextlib.ExitStack() as stack:
        if not isinstance(source, InputFile):
            source = stack.enter_context(opened(source, name=name))
        yield source.label, stack.enter_context(source.open())

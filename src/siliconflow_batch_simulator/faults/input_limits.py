"""
Faults of limits, in input files.

The documents: at most 5,000 lines, each with a unique custom_id; messages have three roles and end
with a user message; nothing else is required; without replace.model all lines name the same model.
"""

from collections.abc import Callable

import orjson
from attrs import evolve

from ..batches.lifecycle import Batch
from ..files.inspection import InputFileError, Inspection, inspect
from ..files.storage import File
from ..hooks import Replacement, replaces
from ..service.refusals import bad_request
from ..service.service import Service
from ..switches.altering import Body, Create
from ..switches.switchboard import Behaviour

HELLO = [{"role": "user", "content": "Hello"}]


def named_file(service: Service, body: object) -> File | None:
    """The input file that the body of a creation names."""
    file_id = body.get("input_file_id") if isinstance(body, dict) else None
    file = service.storage.files.get(file_id) if isinstance(file_id, str) else None
    return file if file is not None and file.inspection is not None else None


def _inspecting(change: Callable[[Inspection], Inspection | None]) -> Replacement:
    """A creation uses the inspection that `change` returns; None leaves it unchanged."""

    @replaces(Service.create)
    def create(original: Create, service: Service, account: str, body: object) -> Batch:
        file = named_file(service, body)
        inspection = change(file.inspection) if file and file.inspection else None
        if file is None or inspection is None:
            return original(account, body)
        service.storage.files[file.id] = evolve(file, inspection=inspection)
        try:
            return original(account, body)
        finally:
            service.storage.files[file.id] = file

    return create


def _ignoring(error: InputFileError, lines: int | None = None) -> Replacement:
    """A file with this error, and with so many lines if given, is accepted and its lines run."""

    def change(inspection: Inspection) -> Inspection | None:
        if inspection.error is not error or lines not in (None, inspection.lines):
            return None
        changed = evolve(inspection, error=None, message=None)
        return changed if len(changed.models) == 1 else evolve(changed, models={"a-model"})

    return _inspecting(change)


def _repairing(error: InputFileError, repair: Callable[[Body], Body]) -> Replacement:
    """
    A creation from a file with this error repairs the file's lines, so that they can run.

    `repair` gets each line with its `number`, and nothing else of a line that is not JSON.
    """

    @replaces(Service.create)
    def create(original: Create, service: Service, account: str, body: object) -> Batch:
        file = named_file(service, body)
        if file and file.inspection and file.inspection.error is error:
            rows = enumerate(file.path.read_bytes().splitlines(), 1)
            lines = [orjson.dumps(repair(_line(number, raw))) for number, raw in rows]
            path = file.path.with_name(f"{file.id}_repaired")
            path.write_bytes(b"\n".join(lines))
            inspection = evolve(inspect(path), models={"a-model"})
            service.storage.files[file.id] = evolve(file, path=path, inspection=inspection)
        return original(account, body)

    return create


def _line(number: int, raw: bytes) -> Body:
    try:
        line = orjson.loads(raw)
    except orjson.JSONDecodeError:
        line = {}
    return {"number": number, **(line if isinstance(line, dict) else {})}


def _with_custom_id(line: Body) -> Body:
    return {"custom_id": f"line-{line['number']}", **line}


def _with_messages(line: Body) -> Body:
    body = {"model": "a-model", **line.get("body", {})}
    return {**line, "body": {**body, "messages": body.get("messages") or HELLO}}


@replaces(Service.create)
def _url_required(original: Create, service: Service, account: str, body: object) -> Batch:
    file = named_file(service, body)
    lines = file.path.read_bytes().splitlines() if file else []
    if any(b'"url"' not in line for line in lines):
        raise bad_request("Every line needs a url.")
    return original(account, body)


@replaces(Service.create)
def _stream_refused(original: Create, service: Service, account: str, body: object) -> Batch:
    file = named_file(service, body)
    if file and b'"stream": true' in file.path.read_bytes():
        raise bad_request("Batches cannot stream.")
    return original(account, body)


def _lines_5000_refused(inspection: Inspection) -> Inspection | None:
    if inspection.lines != 5000:
        return None
    error = InputFileError.TOO_MANY_LINES
    return Inspection(inspection.lines, inspection.models, error, "the file has too many lines")


def _models_mixed(inspection: Inspection) -> Inspection | None:
    if len(inspection.models - {None}) <= 1:
        return None
    return evolve(inspection, models={"a-model"})


FAULTS = {
    "lines-5001-taken": Behaviour(
        "a file of 5,001 lines is accepted", _ignoring(InputFileError.TOO_MANY_LINES, lines=5001)
    ),
    "lines-5000-refused": Behaviour(
        "a file of 5,000 lines is refused", _inspecting(_lines_5000_refused)
    ),
    "custom-id-twice": Behaviour(
        "a custom_id may be repeated in a file", _ignoring(InputFileError.CUSTOM_ID_REPEATED)
    ),
    "custom-id-optional": Behaviour(
        "a line without custom_id is accepted",
        _repairing(InputFileError.CUSTOM_ID_INVALID, _with_custom_id),
    ),
    "messages-optional": Behaviour(
        "a line without messages is accepted",
        _repairing(InputFileError.MESSAGES_INVALID, _with_messages),
    ),
    "line-broken-taken": Behaviour(
        "a line that is not JSON is accepted",
        _repairing(InputFileError.NOT_JSON, lambda line: _with_custom_id(_with_messages(line))),
    ),
    "role-any": Behaviour("messages may have any role", _ignoring(InputFileError.ROLE_UNKNOWN)),
    "last-role-any": Behaviour(
        "the last message may have any role", _ignoring(InputFileError.LAST_ROLE_NOT_USER)
    ),
    "url-required": Behaviour("a line without `url` is refused", _url_required),
    "stream-refused": Behaviour('a line with `"stream": true` is refused', _stream_refused),
    "models-mixed": Behaviour("lines may name different models", _inspecting(_models_mixed)),
}

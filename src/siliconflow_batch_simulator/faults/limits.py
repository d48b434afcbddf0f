"""
Faults of limits: a value just inside a limit is refused, or one just outside is accepted.

The documents: a window of 24 to 336 hours; up to 16 pairs of metadata, keys up to 64 characters,
values up to 512; one endpoint; one purpose; `limit` is at least 1. `input_limits` has the limits of
input files.
"""

import codecs
import re
from collections.abc import Callable
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ..batches.lifecycle import Batch
from ..files.storage import File
from ..hooks import Replacement, replaces
from ..http.app import Application, label
from ..service.batch_request import ENDPOINT
from ..service.refusals import bad_request, not_found
from ..service.service import Service
from ..switches.altering import (
    FILES,
    LIST,
    UPLOAD,
    Body,
    Create,
    ListBatches,
    Page,
    Upload,
    altering_queries,
)
from ..switches.switchboard import Behaviour
from .input_limits import named_file

PURPOSE = re.compile(rb'(name="?purpose"?\r\n(?:[^\r\n]+\r\n)*\r\n)[^\r\n]*')


def _refusing(field: str, when: Callable[[Any], bool]) -> Replacement:
    """Creations are refused if `when` is true for the value of a field."""

    @replaces(Service.create)
    def create(original: Create, _: Service, account: str, body: object) -> Batch:
        if isinstance(body, dict) and field in body and when(body[field]):
            raise bad_request(f"{field} is not allowed.")
        return original(account, body)

    return create


def _accepting(
    field: str, when: Callable[[Any], bool], legal: Any, **attributes: Any
) -> Replacement:
    """
    Creations are accepted if `when` is true for the value of a field, as if it were `legal`.

    The attributes are set on the new batch.
    """

    @replaces(Service.create)
    def create(original: Create, _: Service, account: str, body: object) -> Batch:
        if not isinstance(body, dict) or not when(body.get(field)):
            return original(account, body)
        batch = original(account, {**body, field: legal})
        if field == "metadata":
            batch.metadata = body[field]
        for name, value in attributes.items():
            setattr(batch, name, value)
        return batch

    return create


def _accepting_metadata(when: Callable[[Body], bool]) -> Replacement:
    return _accepting("metadata", lambda value: isinstance(value, dict) and when(value), {})


def _refusing_metadata(when: Callable[[Body], bool]) -> Replacement:
    return _refusing("metadata", lambda value: isinstance(value, dict) and when(value))


def _texts(metadata: Body) -> list[str]:
    return [value for value in metadata.values() if isinstance(value, str)]


def _hours(window: object) -> int:
    match = re.fullmatch(r"([0-9]+)h", window) if isinstance(window, str) else None
    return int(match[1]) if match else 0


@replaces(Service.upload)
def _upload_bom_refused(original: Upload, _: Service, file: File) -> Body:
    if file.path.read_bytes().startswith(codecs.BOM_UTF8):
        raise bad_request("The file begins with a byte order mark.")
    return original(file)


@replaces(Service.create)
def _unknown_file_accepted(original: Create, service: Service, account: str, body: object) -> Batch:
    uploads = service.accounts[account].uploads
    file_id = body.get("input_file_id") if isinstance(body, dict) else None
    is_unknown = isinstance(file_id, str) and file_id and named_file(service, body) is None
    if isinstance(body, dict) and is_unknown and uploads:
        body = {**body, "input_file_id": uploads[-1].id}
    return original(account, body)


@replaces(Service.create)
def _null_metadata_404(original: Create, _: Service, account: str, body: object) -> Batch:
    if isinstance(body, dict) and body.get("metadata", {}) is None:
        raise not_found()
    return original(account, body)


@replaces(Service.list_batches)
def _limit_1_refused(
    original: ListBatches, _: Service, account: str, limit: int, after: str | None
) -> Page:
    if limit == 1:
        raise bad_request("limit must be at least 2.")
    return original(account, limit, after)


def _accepting_limit(operation: str, pattern: bytes) -> Replacement:
    """A limit that matches the pattern is read as 1."""
    return altering_queries(
        lambda query: re.sub(rb"\blimit=" + pattern + rb"(?=&|$)", b"limit=1", query), operation
    )


@replaces(Application.respond)
async def _purpose_any(
    original: ASGIApp, _: Application, scope: Scope, receive: Receive, send: Send
) -> None:
    async def receive_with_purpose() -> Message:
        message, body = await receive(), bytearray()
        while message["type"] == "http.request":  # the field may be split between messages
            body += message.get("body", b"")
            if not message.get("more_body"):
                return {"type": "http.request", "body": PURPOSE.sub(rb"\1batch", bytes(body))}
            message = await receive()
        return message

    await original(scope, receive_with_purpose if label(scope) == UPLOAD else receive, send)


FAULTS = {
    "window-23-taken": Behaviour(
        "a window of 23h is accepted",
        _accepting("completion_window", lambda value: value == "23h", "24h", window_hours=23),
    ),
    "window-337-taken": Behaviour(
        "a window of 337h is accepted",
        _accepting("completion_window", lambda value: value == "337h", "336h", window_hours=337),
    ),
    "window-336-refused": Behaviour(
        "a window of 336h is refused",
        _refusing("completion_window", lambda value: value == "336h"),
    ),
    "window-25-refused": Behaviour(
        "a window that is not a whole number of days is refused",
        _refusing("completion_window", lambda value: _hours(value) % 24 > 0),
    ),
    "window-optional": Behaviour(
        "`completion_window` is optional",
        _accepting("completion_window", lambda value: value is None, "24h"),
    ),
    "endpoint-any": Behaviour(
        "every endpoint is accepted",
        _accepting("endpoint", lambda value: isinstance(value, str), ENDPOINT),
    ),
    "unknown-file-taken": Behaviour(
        "a creation from an unknown file uses the latest upload", _unknown_file_accepted
    ),
    "metadata-17-taken": Behaviour(
        "17 pairs of metadata are accepted",
        _accepting_metadata(lambda metadata: len(metadata) == 17),
    ),
    "metadata-16-refused": Behaviour(
        "16 pairs of metadata are refused",
        _refusing_metadata(lambda metadata: len(metadata) == 16),
    ),
    "key-65-taken": Behaviour(
        "a metadata key of 65 characters is accepted",
        _accepting_metadata(lambda metadata: any(len(key) == 65 for key in metadata)),
    ),
    "key-64-refused": Behaviour(
        "a metadata key of 64 characters is refused",
        _refusing_metadata(lambda metadata: any(len(key) == 64 for key in metadata)),
    ),
    "value-513-taken": Behaviour(
        "a metadata value of 513 characters is accepted",
        _accepting_metadata(lambda metadata: any(len(text) == 513 for text in _texts(metadata))),
    ),
    "value-512-refused": Behaviour(
        "a metadata value of 512 characters is refused",
        _refusing_metadata(lambda metadata: any(len(text) == 512 for text in _texts(metadata))),
    ),
    "value-bytes-counted": Behaviour(
        "metadata values are limited to 512 bytes instead of 512 characters",
        _refusing_metadata(
            lambda metadata: any(len(text.encode()) > 512 for text in _texts(metadata))
        ),
    ),
    "value-number-taken": Behaviour(
        "a metadata value may be a number",
        _accepting_metadata(
            lambda metadata: any(type(value) is int for value in metadata.values())
        ),
    ),
    "null-metadata-404": Behaviour("`metadata: null` returns 404", _null_metadata_404),
    "limit-0-taken": Behaviour("a limit of 0 is accepted", _accepting_limit(LIST, b"0")),
    "limit-word-taken": Behaviour("a limit may be a word", _accepting_limit(LIST, rb"[A-Za-z]+")),
    "limit-1-refused": Behaviour("a limit of 1 is refused", _limit_1_refused),
    "files-limit-0-taken": Behaviour(
        "a limit of 0 files is accepted", _accepting_limit(FILES, b"0")
    ),
    "upload-bom-refused": Behaviour(
        "a file that begins with a byte order mark is refused", _upload_bom_refused
    ),
    "purpose-any": Behaviour("a file may have any purpose", _purpose_any),
}

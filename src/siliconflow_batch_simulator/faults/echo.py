"""
Faults of the echo: what a client sent is lost or changed, or has additions, when it is returned.

The documents: a batch names the file, endpoint, window and metadata of its creation; replace.model
overrides the lines' models; a file keeps its name, size, purpose and bytes; custom_id ties results
to the input; the body of a result is a chat completion.
"""

import re
from collections.abc import Callable
from typing import BinaryIO

import orjson
from attrs import evolve

from ..batches import completions
from ..batches.execution import Execution
from ..batches.lifecycle import Batch
from ..files.storage import File, Storage
from ..hooks import Replacement, replaces
from ..service.service import Service
from ..switches.altering import (
    CONTENT,
    UPLOAD,
    Body,
    Create,
    KeepInput,
    Reply,
    Response,
    altering,
    altering_batch,
    altering_json,
    altering_listed_batches,
    altering_listed_files,
)
from ..switches.switchboard import Behaviour

BOM = b"\xef\xbb\xbf"


def _metadata(change: Callable[[dict[str, str]], dict[str, str]]) -> Replacement:
    """`change` gets the metadata and returns the new one; a batch without metadata is unchanged."""

    def rewrite(body: Body, _: Batch) -> None:
        if body["metadata"] is not None:
            body["metadata"] = change(body["metadata"])

    return altering_batch(rewrite)


def _metadata_values(change: Callable[[str], str]) -> Replacement:
    return _metadata(lambda metadata: {key: change(value) for key, value in metadata.items()})


def _metadata_invented(body: Body, _: Batch) -> None:
    if body["metadata"] is None:
        body["metadata"] = {"description": "batch"}


def _ascii(text: str) -> str:
    return text.encode("ascii", "replace").decode()


@replaces(Service.create)
def _replace_ignored(original: Create, _: Service, account: str, body: object) -> Batch:
    batch = original(account, body)
    batch.model = None
    return batch


@replaces(Execution.reply)
def _replace_first_line(
    original: Reply, _: Execution, batch: Batch, request: Body, id: str, at: int
) -> Body:
    is_first = id == completions.line_id(batch.id, 0)
    model = batch.model if is_first else request["body"].get("model", batch.model)
    return original(evolve(batch, model=model), request, id, at)


def _renaming(change: Callable[[str], str]) -> Replacement:
    """Uploads are stored with another name."""

    @replaces(Storage.keep_input)
    def keep_input(
        original: KeepInput, _: Storage, account: str, name: str, source: BinaryIO, at: float
    ) -> File:
        return original(account, change(name), source, at)

    return keep_input


def _storing(change: Callable[[File], File]) -> Replacement:
    """`change` gets the file of an upload and returns the new one."""

    @replaces(Storage.keep_input)
    def keep_input(
        original: KeepInput, _: Storage, account: str, name: str, source: BinaryIO, at: float
    ) -> File:
        return change(original(account, name, source, at))

    return keep_input


def _with_character_count(file: File) -> File:
    return evolve(file, bytes=len(file.path.read_text(encoding="utf-8", errors="replace")))


def _content(change: Callable[[bytes], bytes]) -> Replacement:
    def rewrite(response: Response) -> None:
        response.body = change(response.body)

    return altering(rewrite, CONTENT)


def results(change: Callable[[Body], Body]) -> Replacement:
    """`change` gets each result line and returns the new one."""

    @replaces(Execution.reply)
    def reply(original: Reply, _: Execution, batch: Batch, request: Body, id: str, at: int) -> Body:
        return change(original(batch, request, id, at))

    return reply


def _without_error(line: Body) -> Body:
    return {name: value for name, value in line.items() if name != "error" or value}


def _with_body_as_text(line: Body) -> Body:
    text = orjson.dumps(line["response"]["body"]).decode()
    return {**line, "response": {**line["response"], "body": text}}


FAULTS = {
    "metadata-lost": Behaviour(
        "metadata is not stored", altering_batch(lambda body, _: body.update(metadata=None))
    ),
    "metadata-invented": Behaviour(
        "a batch that was created without metadata has some", altering_batch(_metadata_invented)
    ),
    "metadata-added": Behaviour(
        "metadata has a pair that was not sent",
        _metadata(lambda metadata: {**metadata, "source": "api"}),
    ),
    "metadata-pair-lost": Behaviour(
        "the last of several metadata pairs is lost",
        _metadata(lambda metadata: dict(list(metadata.items())[: max(1, len(metadata) - 1)])),
    ),
    "metadata-keys-lowered": Behaviour(
        "metadata keys are converted to lower case",
        _metadata(lambda metadata: {key.lower(): value for key, value in metadata.items()}),
    ),
    "metadata-trimmed": Behaviour(
        "metadata values lose leading and trailing spaces", _metadata_values(str.strip)
    ),
    "metadata-ascii": Behaviour(
        "metadata values have ? in place of characters outside ASCII", _metadata_values(_ascii)
    ),
    "endpoint-shortened": Behaviour(
        "`endpoint` lacks /v1",
        altering_batch(lambda body, _: body.update(endpoint="/chat/completions")),
    ),
    "window-always-24h": Behaviour(
        "`completion_window` is always 24h",
        altering_batch(lambda body, _: body.update(completion_window="24h")),
    ),
    "input-file-name": Behaviour(
        "`input_file_id` is the name of the file",
        altering_batch(lambda body, batch: body.update(input_file_id=batch.file_name)),
    ),
    "replace-ignored": Behaviour("`replace.model` has no effect", _replace_ignored),
    "replace-first-line": Behaviour(
        "`replace.model` affects the first line only", _replace_first_line
    ),
    "upload-renamed": Behaviour(
        "the name of an upload is changed",
        _renaming(lambda name: name.lower().replace(" ", "_")),
    ),
    "upload-name-ascii": Behaviour(
        "a file name has ? in place of characters outside ASCII", _renaming(_ascii)
    ),
    "upload-characters": Behaviour(
        "`bytes` of a file counts its characters", _storing(_with_character_count)
    ),
    "upload-purpose": Behaviour(
        "the response to an upload has the purpose `user_data`",
        altering_json(
            lambda body: {**body, "data": {**body["data"], "purpose": "user_data"}}, UPLOAD
        ),
    ),
    "listed-purpose": Behaviour(
        "a listed file has the purpose `user_data`",
        altering_listed_files(lambda file: {**file, "purpose": "user_data"}),
    ),
    "upload-local-time": Behaviour(
        "the time of an upload is in a time zone eight hours ahead",
        _storing(lambda file: evolve(file, created=file.created + 8 * 3600)),
    ),
    "listed-file-name": Behaviour(
        "`file_name` of a listed batch is the id of its file",
        altering_listed_batches(lambda batch: {**batch, "file_name": batch["input_file_id"]}),
    ),
    "content-crlf": Behaviour(
        "the lines of a downloaded file end with \\r\\n",
        _content(lambda data: re.sub(rb"(?<!\r)\n", b"\r\n", data)),
    ),
    "content-lf": Behaviour(
        "a downloaded file has \\n in place of \\r\\n",
        _content(lambda data: data.replace(b"\r\n", b"\n")),
    ),
    "content-bom-lost": Behaviour(
        "a downloaded file lacks its byte order mark",
        _content(lambda data: data.removeprefix(BOM)),
    ),
    "content-newline-lost": Behaviour(
        "a downloaded file lacks its last newline",
        _content(lambda data: data.removesuffix(b"\n")),
    ),
    "custom-id-lowered": Behaviour(
        "a custom_id is converted to lower case",
        results(lambda line: {**line, "custom_id": line["custom_id"].lower()}),
    ),
    "record-ids-shared": Behaviour(
        "all results have the same id", results(lambda line: {**line, "id": "batch_req_1"})
    ),
    "record-error-omitted": Behaviour(
        "the record of a successful line has no `error`", results(_without_error)
    ),
    "answer-as-text": Behaviour(
        "the body of a result is a JSON string", results(_with_body_as_text)
    ),
}

"""
Faults of the echo: what a caller sent comes back lost, changed or with additions.

The documents: a batch names the file, endpoint, window and metadata of its creation; replace.model
wins over the lines' models; a file keeps its name, size, purpose and bytes; custom_id ties results
to the input; the body of a response is a chat completion.
"""

import re
from collections.abc import Callable
from typing import Any

import orjson
from attrs import evolve

from ..batches import completions
from ..batches.lifecycle import Batch
from ..service import Service
from ..state.storage import File
from ..switches.switchboard import Behaviour, saying
from .altering import (
    CONTENT,
    UPLOAD,
    Answer,
    Body,
    Replace,
    altering,
    altering_files,
    altering_json,
    altering_listed,
)

BOM = b"\xef\xbb\xbf"


def _metadata(change: Callable[[dict[str, str]], dict[str, str]]) -> Replace:
    """Metadata comes back as `change` leaves it; where there is none, so it stays."""

    def rewrite(body: Body, _: Batch) -> None:
        if body["metadata"] is not None:
            body["metadata"] = change(body["metadata"])

    return saying(rewrite)


def _values(change: Callable[[str], str]) -> Replace:
    return _metadata(lambda given: {key: change(text) for key, text in given.items()})


def _invented(body: Body, _: Batch) -> None:
    if body["metadata"] is None:
        body["metadata"] = {"description": "batch"}


def _ascii(text: str) -> str:
    return text.encode("ascii", "replace").decode()


def _replace_ignored(sound: Any, _: Service) -> Any:
    def create(account: str, body: object) -> Batch:
        batch: Batch = sound(account, body)
        batch.model = None
        return batch

    return create


def _replace_once(sound: Any, _: Service) -> Any:
    def reply(batch: Batch, request: Body, id: str, at: int) -> Any:
        first = id == completions.line_id(batch.id, 0)
        seen = batch if first else evolve(batch, model=request["body"].get("model", batch.model))
        return sound(seen, request, id, at)

    return reply


def _named(change: Callable[[str], str]) -> Replace:
    """Uploads are kept under another name."""
    return lambda sound, _: (
        lambda account, name, source, at: sound(account, change(name), source, at)
    )


def _characters(sound: Any, _: Service) -> Any:
    def keep_input(*arguments: Any) -> File:
        file: File = sound(*arguments)
        return evolve(file, bytes=len(file.path.read_text(encoding="utf-8", errors="replace")))

    return keep_input


def _east(sound: Any, _: Service) -> Any:
    def keep_input(*arguments: Any) -> File:
        file: File = sound(*arguments)
        return evolve(file, created=file.created + 8 * 3600)

    return keep_input


def _uploaded(change: Callable[[Body], Body]) -> Replace:
    """An upload is answered with what `change` makes of the file."""
    return altering_json(
        lambda body: {**body, "data": {**body["data"], **change(body["data"])}}, UPLOAD
    )


def _content(change: Callable[[bytes], bytes]) -> Replace:
    def rewrite(answer: Answer) -> None:
        answer.body = change(answer.body)

    return altering(rewrite, CONTENT)


def _results(change: Callable[[Body], Body]) -> Replace:
    """Each line is answered with what `change` makes of its result."""

    def replace(sound: Any, _: Service) -> Any:
        return lambda *arguments: (lambda line: {**line, **change(line)})(sound(*arguments))

    return replace


def _error_omitted(sound: Any, _: Service) -> Any:
    def reply(*arguments: Any) -> Body:
        return {name: said for name, said in sound(*arguments).items() if name != "error" or said}

    return reply


def _text_body(line: Body) -> Body:
    return {
        "response": {**line["response"], "body": orjson.dumps(line["response"]["body"]).decode()}
    }


FAULTS = {
    "metadata-lost": Behaviour(
        "metadata is not kept", "view", saying(lambda body, _: body.update(metadata=None))
    ),
    "metadata-invented": Behaviour(
        "a batch without metadata comes back with some", "view", saying(_invented)
    ),
    "metadata-added": Behaviour(
        "metadata comes back with a pair of the service's own",
        "view",
        _metadata(lambda given: {**given, "source": "api"}),
    ),
    "metadata-pair-lost": Behaviour(
        "the last of several metadata pairs is lost",
        "view",
        _metadata(lambda given: dict(list(given.items())[: max(1, len(given) - 1)])),
    ),
    "metadata-keys-lowered": Behaviour(
        "metadata keys come back in lower case",
        "view",
        _metadata(lambda given: {key.lower(): text for key, text in given.items()}),
    ),
    "metadata-trimmed": Behaviour(
        "metadata values lose the spaces at their ends", "view", _values(str.strip)
    ),
    "metadata-ascii": Behaviour(
        "metadata values have ? in place of what is not ASCII", "view", _values(_ascii)
    ),
    "endpoint-shortened": Behaviour(
        "the endpoint comes back without /v1",
        "view",
        saying(lambda body, _: body.update(endpoint="/chat/completions")),
    ),
    "window-always-24h": Behaviour(
        "the window comes back as 24h, whatever was sent",
        "view",
        saying(lambda body, _: body.update(completion_window="24h")),
    ),
    "input-file-name": Behaviour(
        "`input_file_id` is the name of the file",
        "view",
        saying(lambda body, batch: body.update(input_file_id=batch.file_name)),
    ),
    "replace-ignored": Behaviour("`replace.model` changes nothing", "create", _replace_ignored),
    "replace-first-line": Behaviour(
        "`replace.model` changes the first line alone", "execution.reply", _replace_once
    ),
    "upload-renamed": Behaviour(
        "the name of an upload is changed",
        "storage.keep_input",
        _named(lambda name: name.lower().replace(" ", "_")),
    ),
    "upload-name-ascii": Behaviour(
        "a file name has ? in place of what is not ASCII", "storage.keep_input", _named(_ascii)
    ),
    "upload-characters": Behaviour(
        "the bytes of a file are its characters", "storage.keep_input", _characters
    ),
    "upload-purpose": Behaviour(
        "an upload comes back with the purpose `user_data`",
        "app",
        _uploaded(lambda _: {"purpose": "user_data"}),
    ),
    "listed-purpose": Behaviour(
        "a listed file has the purpose `user_data`",
        "app",
        altering_files(lambda file: {**file, "purpose": "user_data"}),
    ),
    "upload-local-time": Behaviour(
        "the time of an upload is that of a clock eight hours east", "storage.keep_input", _east
    ),
    "listed-file-name": Behaviour(
        "`file_name` of a listed batch is the id of its file",
        "app",
        altering_listed(lambda batch: {**batch, "file_name": batch["input_file_id"]}),
    ),
    "content-crlf": Behaviour(
        "a file is read back with \\r\\n at the end of its lines",
        "app",
        _content(lambda data: re.sub(rb"(?<!\r)\n", b"\r\n", data)),
    ),
    "content-lf": Behaviour(
        "a file is read back with \\n where it had \\r\\n",
        "app",
        _content(lambda data: data.replace(b"\r\n", b"\n")),
    ),
    "content-bom-lost": Behaviour(
        "a file is read back without its byte order mark",
        "app",
        _content(lambda data: data.removeprefix(BOM)),
    ),
    "content-newline-lost": Behaviour(
        "a file is read back without its last newline",
        "app",
        _content(lambda data: data.removesuffix(b"\n")),
    ),
    "custom-id-lowered": Behaviour(
        "a custom_id comes back in lower case",
        "execution.reply",
        _results(lambda line: {"custom_id": line["custom_id"].lower()}),
    ),
    "record-ids-shared": Behaviour(
        "every result has the same id",
        "execution.reply",
        _results(lambda _: {"id": "batch_req_1"}),
    ),
    "record-error-omitted": Behaviour(
        "the record of an answer has no `error`", "execution.reply", _error_omitted
    ),
    "answer-as-text": Behaviour(
        "the body of a response is a string of JSON", "execution.reply", _results(_text_body)
    ),
}

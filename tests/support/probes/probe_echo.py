"""Probes that compare what was sent with what is returned."""

from typing import Any

from support.account import Account
from support.probes.requests import (
    CONTENT,
    GOOD,
    METADATA,
    NAME,
    SECOND,
    Probe,
    completed,
    content,
    custom_ids,
    files,
    listed,
    new_batch,
    records,
    upload,
)


def echoes(name: str, sent: Any, **fields: Any) -> Probe:
    """A field of a new batch has the value that was sent."""
    return lambda api, _: new_batch(api, **{name: sent}, **fields)[name] == sent


def models(api: Account) -> list[str]:
    lines = records(api, completed(api, GOOD, SECOND, replace={"model": "n"}))
    return [record["response"]["body"]["model"] for record in lines]


def file_is_unchanged(api: Account) -> bool:
    """Whether name, size, purpose and content of a file are those that were sent."""
    file = upload(api, CONTENT, NAME)
    returned = [file[name] for name in ("filename", "bytes", "purpose")]
    return (*returned, content(api, file["id"])) == (NAME, len(CONTENT), "batch", CONTENT)


def names_its_file(api: Account) -> bool:
    file = upload(api)
    return bool(api.create(file["id"]).json()["input_file_id"] == file["id"])


PROBES: dict[str, Probe] = {
    **dict.fromkeys(
        (
            *("metadata-lost", "metadata-added", "metadata-pair-lost", "metadata-keys-lowered"),
            *("metadata-trimmed", "metadata-ascii"),
        ),
        echoes("metadata", METADATA),
    ),
    "metadata-invented": lambda api, _: new_batch(api)["metadata"] is None,
    "endpoint-shortened": echoes("endpoint", "/v1/chat/completions"),
    "window-always-24h": echoes("completion_window", "336h"),
    "input-file-name": lambda api, _: names_its_file(api),
    "replace-ignored": lambda api, _: models(api) == ["n", "n"],
    "replace-first-line": lambda api, _: models(api) == ["n", "n"],
    **dict.fromkeys(
        (
            *("upload-renamed", "upload-name-ascii", "upload-characters", "upload-purpose"),
            *("content-crlf", "content-lf", "content-bom-lost", "content-newline-lost"),
        ),
        lambda api, _: file_is_unchanged(api),
    ),
    "listed-purpose": lambda api, _: upload(api) and files(api)[0]["purpose"] == "batch",
    "upload-local-time": lambda api, _: (
        abs(upload(api)["createdAt"] - api.simulator.clock.now()) < 60
    ),
    "listed-file-name": lambda api, _: listed(api, new_batch(api)["id"])["file_name"] == "in.jsonl",
    "custom-id-lowered": lambda api, _: custom_ids(api, completed(api)) == ["Good"],
    "record-ids-shared": lambda api, _: (
        len({record["id"] for record in records(api, completed(api, GOOD, SECOND))}) == 2
    ),
    "record-error-omitted": lambda api, _: "error" in records(api, completed(api))[0],
    "answer-as-text": lambda api, _: (
        "choices" in records(api, completed(api))[0]["response"]["body"]
        and isinstance(records(api, completed(api))[0]["response"]["body"], dict)
    ),
}

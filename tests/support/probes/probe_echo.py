"""What was sent, held against what comes back."""

from typing import Any

from support.account import Account
from support.probes.requests import (
    ALSO,
    CONTENT,
    GOOD,
    METADATA,
    NAME,
    Probe,
    content,
    custom_ids,
    done,
    entry,
    files,
    new,
    records,
    upload,
)


def echoes(name: str, sent: Any, **fields: Any) -> Probe:
    """A field of a new batch is as it was sent."""
    return lambda api, _: new(api, **{name: sent}, **fields)[name] == sent


def models(api: Account) -> list[str]:
    found = records(api, done(api, GOOD, ALSO, replace={"model": "n"}))
    return [record["response"]["body"]["model"] for record in found]


def kept(api: Account) -> bool:
    """A file is called, measured, meant and read back as it was sent."""
    file = upload(api, CONTENT, NAME)
    said = [file[name] for name in ("filename", "bytes", "purpose")]
    return (*said, content(api, file["id"])) == (NAME, len(CONTENT), "batch", CONTENT)


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
    "metadata-invented": lambda api, _: new(api)["metadata"] is None,
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
        lambda api, _: kept(api),
    ),
    "listed-purpose": lambda api, _: upload(api) and files(api)[0]["purpose"] == "batch",
    "upload-local-time": lambda api, _: (
        abs(upload(api)["createdAt"] - api.simulator.clock.now()) < 60
    ),
    "listed-file-name": lambda api, _: entry(api, new(api)["id"])["file_name"] == "in.jsonl",
    "custom-id-lowered": lambda api, _: custom_ids(api, done(api)) == ["Good"],
    "record-ids-shared": lambda api, _: (
        len({record["id"] for record in records(api, done(api, GOOD, ALSO))}) == 2
    ),
    "record-error-omitted": lambda api, _: "error" in records(api, done(api))[0],
    "answer-as-text": lambda api, _: (
        "choices" in records(api, done(api))[0]["response"]["body"]
        and isinstance(records(api, done(api))[0]["response"]["body"], dict)
    ),
}

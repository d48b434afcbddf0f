"""Probes with values just inside and just outside a limit."""

from support.account import Account, json_lines, line
from support.probes.requests import GOOD, Batch, Probe, accepts, refuses, returns, upload


def conversation(*roles: str) -> Batch:
    return line(messages=[{"role": role, "content": "Hi"} for role in roles])


def lines(count: int) -> bytes:
    return json_lines(*(line(str(number)) for number in range(count)))


def wrong_purpose(api: Account) -> int:
    file = {"file": ("in.jsonl", json_lines(GOOD))}
    return api.http.post("files", data={"purpose": "fine-tune"}, files=file).status_code


def refuses_file(*lines: Batch, data: bytes | None = None) -> Probe:
    sent = json_lines(*lines) if data is None else data
    return lambda api, _: api.create(sent).status_code == 400


PROBES: dict[str, Probe] = {
    "window-23-taken": refuses(completion_window="23h"),
    "window-337-taken": refuses(completion_window="337h"),
    "window-336-refused": accepts(completion_window="336h"),
    "window-25-refused": accepts(completion_window="25h"),
    "window-optional": refuses(completion_window=None),
    "endpoint-any": refuses(endpoint="/v1/embeddings"),
    "unknown-file-taken": lambda api, _: upload(api) and api.create("file-x").status_code == 400,
    "metadata-17-taken": refuses(metadata={str(n): "" for n in range(17)}),
    "metadata-16-refused": accepts(metadata={str(n): "" for n in range(16)}),
    "key-65-taken": refuses(metadata={"k" * 65: ""}),
    "key-64-refused": accepts(metadata={"k" * 64: ""}),
    "value-513-taken": refuses(metadata={"k": "v" * 513}),
    "value-512-refused": accepts(metadata={"k": "v" * 512}),
    "value-bytes-counted": accepts(metadata={"k": "ü" * 500}),
    "value-number-taken": refuses(metadata={"k": 1}),
    "limit-0-taken": returns(400, "batches?limit=0"),
    "limit-word-taken": returns(400, "batches?limit=ten"),
    "limit-1-refused": returns(200, "batches?limit=1"),
    "files-limit-0-taken": returns(400, "files?limit=0"),
    "upload-bom-refused": lambda api, _: api.upload(b"\xef\xbb\xbf{}\n").status_code == 200,
    "purpose-any": lambda api, _: wrong_purpose(api) == 400,
    "lines-5001-taken": refuses_file(data=lines(5001)),
    "lines-5000-refused": lambda api, _: api.create(lines(5000)).status_code == 200,
    "custom-id-twice": refuses_file(line("a"), line("a")),
    "custom-id-optional": refuses_file(GOOD, {"body": line()["body"]}),
    "messages-optional": refuses_file(GOOD, line(messages=None)),
    "line-broken-taken": refuses_file(data=json_lines(GOOD) + b"{\n"),
    "role-any": refuses_file(conversation("tool", "user")),
    "last-role-any": refuses_file(conversation("user", "assistant")),
    "url-required": accepts(),
    "stream-refused": lambda api, _: (
        api.create(json_lines(line("a", stream=True))).status_code == 200
    ),
    "null-metadata-404": refuses(metadata=None),
    "models-mixed": refuses_file(line("a", model="m"), line("b", model="n")),
}

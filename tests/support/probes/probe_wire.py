"""Probes of status codes, media types, JSON and methods."""

import httpx

from support.account import Account, json_lines
from support.probes.requests import (
    GOOD,
    METADATA,
    Probe,
    accepts,
    is_json,
    new_batch,
    page,
    refuses,
    returns,
    upload,
    with_key,
)


def is_complete(api: Account, path: str) -> bool:
    try:
        return bool(api.http.get(path).content)
    except httpx.RemoteProtocolError:
        return False


PROBES: dict[str, Probe] = {
    "errors-as-objects": lambda api, _: isinstance(api.http.get("batches/x").json(), str),
    "unknown-invented": returns(404, "batches/x"),
    "unknown-500": returns(404, "batches/x"),
    "metadata-201": accepts(metadata=METADATA),
    "purpose-omitted-404": returns(200, "files"),
    "refusal-200": refuses(completion_window="1h"),
    "refusal-422": refuses(completion_window="1h"),
    "refusal-as-text": lambda api, _: isinstance(api.create("file-x").json(), dict),
    "unauthorized-403": lambda api, _: with_key(api, "Bearer sk-x") == 401,
    "unauthorized-as-object": lambda api, _: isinstance(
        api.http.get("batches", headers={"Authorization": "Bearer sk-x"}).json(), str
    ),
    "unknown-content-empty": returns(404, "files/file-x/content"),
    "length-too-long": lambda api, _: is_complete(api, "files"),
    "json-as-html": lambda api, _: (
        api.http.get("batches").headers["content-type"] == "application/json"
    ),
    "json-trailing-comma": lambda api, _: is_json(api.create(json_lines(GOOD))),
    "json-key-twice": lambda api, _: is_json(api.create(json_lines(GOOD))),
    "json-in-latin-1": lambda api, _: is_json(api.create(json_lines(GOOD), metadata=METADATA)),
    "batch-enveloped": lambda api, _: "id" in new_batch(api),
    "has-more-as-text": lambda api, _: page(api)["has_more"] is False,
    "times-as-text": lambda api, _: type(new_batch(api)["created_at"]) is int,
    "times-zero": lambda api, _: new_batch(api)["completed_at"] is None,
    "upload-flat": lambda api, _: "data" in api.upload(b"{}").json(),
    "upload-status-false": lambda api, _: api.upload(b"{}").json()["status"] is True,
    "upload-snake-case": lambda api, _: "createdAt" in upload(api),
    "files-flat": lambda api, _: isinstance(api.http.get("files").json()["data"], dict),
    "allow-missing": lambda api, _: "allow" in api.http.delete("batches").headers,
    "put-taken": returns(405, "batches", "PUT"),
    "options-broken": returns(405, "batches", "OPTIONS"),
    "unknown-path-200": returns(404, "nothing"),
}

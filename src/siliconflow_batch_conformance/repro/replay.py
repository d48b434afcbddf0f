"""
Sends and judges the requests of a script that repeats a failure.

Each script contains this module, and `replay.sh` calls it for each request. In the folder `work`,
step 3 has the files 3.json (the request), 3.sent, 3.curl (curl's configuration),
3.head and 3.body (the response). `learned` lists where responses contain the new value of an id.

Rule 1: this module imports the standard library, `exchange`, `ids` and `curl` only.
Rule 2: a key is written to curl's configuration, for the base URL only, and is never printed.
Rule 3: an error in this module is never a defect of the service: only `check` and `compare` return
DEFECT.
"""

import base64
import importlib
import json
import os
import re
import sys
import time
import traceback
import zlib
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from ..checks.exchange import FINAL_STATUSES, Exchange
from .curl import configuration, fetch, read_exchange, read_step
from .ids import dig, pattern, quoted, renamed, renamed_bytes, variable

SOUND, DEFECT, INCONCLUSIVE = 0, 10, 2
TRIES = 200  # requests for a batch until it has the awaited status
END = "an-end"
RANKS = {"validating": 0, "in_queue": 1, "in_progress": 2, "finalizing": 3, "cancelling": 3}
LAST = 4  # completed, failed, expired, cancelled


def unpack(work: Path) -> int:
    """Writes the compressed body from standard input to a file."""
    packed = base64.b64decode(sys.stdin.read())
    (work / "body").write_bytes(zlib.decompress(packed))
    return SOUND


def request(
    work: Path,
    step: str,
    credentials: str,
    sent_type: str,
    sender: str,
    method: str,
    target: str,
    was: str,
    until: str = "",
) -> int:
    """Sends one request; repeats it until the batch has the status `until`, if there is one."""
    description = {"method": method, "request_type": sent_type, "sender": sender}
    if not _prepare(work, step, credentials, target, description, int(was), awaited=bool(until)):
        return SOUND
    fetch(work, step)
    if until:
        _await(work, step, until)
    return _report(work, step)


def _prepare(
    work: Path,
    step: str,
    credentials: str,
    target: str,
    request: dict[str, Any],
    was: int,
    *,
    awaited: bool,
) -> bool:
    """Writes the files of a step; returns False if it needs an id that was not issued."""
    ids = _ids(work)
    body = (work / "body").read_bytes()
    lost = [id for id, new in ids.items() if new is None]
    if pattern([*lost, *map(quoted, lost)]).search(target + " " + body.decode("latin-1")):
        _print(f"{step}. {request['method']} {target}: skipped; this run issued no such id")
        return False
    issued = {id: new for id, new in ids.items() if new is not None}
    body = renamed_bytes(body, issued)
    authorization = None if credentials == "-" else credentials[2:]
    target, authorization = _retarget(target, authorization, issued)
    (work / f"{step}.sent").write_bytes(body)
    path, _, query = target.partition("?")
    request |= {"path": path, "query": dict(parse_qsl(query, keep_blank_values=True))}
    if "://" in target:
        request |= {"path": target, "query": {}}
    request |= {"authorization": authorization, "number": int(step), "awaited": awaited}
    (work / f"{step}.json").write_text(json.dumps({"request": request, "was": was}))
    options = configuration(work / f"{step}.sent", target, request)
    (work / f"{step}.curl").write_text("\n".join(options) + "\n", encoding="utf-8")
    return True


def _retarget(
    target: str, authorization: str | None, ids: dict[str, str]
) -> tuple[str, str | None]:
    """
    The target of this run, and its Authorization header.

    One service names a result file by URL and another by id, so each may replace the other.
    """
    content = re.fullmatch("/files/([^/]+)/content", target)
    for id, new in ids.items():
        if target == id or (content and content[1] == quoted(id)):
            if new.startswith(("http://", "https://")):
                return new, None
            was_url = target == id
            return f"/files/{quoted(new)}/content", "Bearer {key}" if was_url else authorization
    return renamed(target, {quoted(id): quoted(new) for id, new in ids.items()}), authorization


def _await(work: Path, step: str, status: str) -> None:
    """Repeats a request until the batch has reached a status or passed it."""
    tries = int(os.environ.get("SILICONFLOW_TRIES") or TRIES)
    for attempt in range(1, tries + 1):
        if _has_reached(read_exchange(work, step), status):
            return
        if attempt < tries:
            time.sleep(min(0.05 * 1.15**attempt, 30))
            fetch(work, step)
    if status != END:
        raise SystemExit(f"Step {step}: the batch is not {status} after {tries} attempts.")


def _has_reached(response: Exchange, awaited: str) -> bool:
    """Whether a batch has reached a status or passed it, or the response is an error."""
    status = dig(response.json, "status")
    if response.status == 200 and isinstance(status, str):
        rank = LAST if status in FINAL_STATUSES else RANKS.get(status, -1)
        return status == awaited or rank >= RANKS.get(awaited, LAST)
    return not _is_busy(response.status)


def _report(work: Path, step: str) -> int:
    """Prints the response's status; returns INCONCLUSIVE if the service is busy now."""
    response, was = read_exchange(work, step), read_step(work, step)["was"]
    query = "&".join(f"{name}={value}" for name, value in response.query.items())
    target = response.path + (f"?{query}" if query else "")
    _print(f"{step}. {response.method} {target}: {response.status}")
    if _is_busy(response.status) and response.status != was:
        _print(f"The service is busy or broken: {response.status} {response.text[:300]}")
        return INCONCLUSIVE
    return SOUND


def probe(work: Path, sender: str) -> int:
    """Whether the service is a Batch API that accepts the key; the suite checks the same."""
    request = {"method": "GET", "request_type": "", "sender": sender}
    _prepare(work, "0", "= Bearer {key}", "/batches?limit=1", request, 200, awaited=False)
    fetch(work, "0")
    response = read_exchange(work, "0")
    name, base = variable(response.sender), os.environ["SILICONFLOW_BASE_URL"]
    if response.status in (401, 403):
        _print(f"{base} rejected the key in {name} with {response.status}.")
    elif _is_busy(response.status):
        _print(f"{base} is busy or broken: GET /batches returned {response.status}.")
    elif response.status == 404 or not response.text.lstrip().startswith(("{", "[", '"')):
        _print(
            f"{base} is not a Batch API: GET /batches returned {response.status} "
            f"{response.text[:80]!r}. Does the base URL end in /v1?"
        )
    else:
        return SOUND
    return INCONCLUSIVE


def check(work: Path, module: str, name: str, raised: str) -> int:
    """Calls the check with the responses of this run."""
    ids = {id: new for id, new in _ids(work).items() if new is not None}
    lost: list[int] = []
    arguments = [_argument(work, value, ids, lost) for value in _recorded_values(work)]
    function = getattr(importlib.import_module(module), name)
    try:
        actual = function(*arguments)
    except Exception as error:
        if type(error).__name__ != raised or lost:
            raise
        actual = f"{type(error).__name__}: {error}"
    if actual is None:
        _print("\nThe requirement holds here.")
        return SOUND
    _print("\nThe requirement does not hold here.")
    _print(f"  expected:  {os.environ['EXPECTED']}\n  actual:    {actual}")
    return DEFECT


def compare(work: Path, step: str) -> int:
    """Returns DEFECT if the response equals the recorded one; for failures without a check."""
    response = read_exchange(work, step)
    ids = {id: new for id, new in _ids(work).items() if new is not None}
    _print(f"\n{response.status} {response.headers.get('content-type', '')}\n{response.text}\n")
    status, media, body = _recorded_values(work)
    same = (response.status, response.headers.get("content-type", "")) == (status, media)
    if same and response.text == renamed(body, ids):
        _print(f"The response equals the recorded one.\n  expected:  {os.environ['EXPECTED']}")
        return DEFECT
    _print(
        "The response differs from the recorded one. Compare it with the expectation:"
        f" {os.environ['EXPECTED']}"
    )
    return INCONCLUSIVE


def _argument(work: Path, value: Any, ids: dict[str, str], lost: list[int]) -> Any:
    """An argument of the check; a skipped step is None, and is missing from lists."""
    if isinstance(value, dict) and value.keys() == {"$step"}:
        step = str(value["$step"])
        if (work / f"{step}.json").exists():
            return read_exchange(work, step)
        lost.append(value["$step"])
        return None
    if isinstance(value, list):
        pairs = [(item, _argument(work, item, ids, lost)) for item in value]
        return [new for item, new in pairs if new is not None or item is None]
    if isinstance(value, dict):
        return {renamed(n, ids): _argument(work, item, ids, lost) for n, item in value.items()}
    return renamed(value, ids)


def _recorded_values(work: Path) -> list[Any]:
    return list(json.loads((work / "recorded").read_text()))


def _ids(work: Path) -> dict[str, str | None]:
    """The ids of this run by recorded id; None for one that was not issued."""
    rows = (work / "learned").read_text().splitlines()
    ids: dict[str, str | None] = {}
    for step, field, id in zip(rows[::3], rows[1::3], rows[2::3], strict=True):
        sent = (work / f"{step}.json").exists()
        new = dig(read_exchange(work, step).json, field) if sent else None
        ids[id] = new if isinstance(new, str) and new else ids.get(id)
    return ids


def _is_busy(status: int) -> bool:
    return status in (408, 429) or status >= 500


def _print(text: str) -> None:
    keys = [key for name, key in os.environ.items() if name.startswith("SILICONFLOW_API_KEY")]
    for key in sorted(keys, key=len, reverse=True):
        text = text.replace(key, "…") if key else text
    print(text.encode("utf-8", "backslashreplace").decode(), flush=True)  # noqa: T201


VERBS = (unpack, request, probe, check, compare)


def main(work: str, verb: str, *arguments: str) -> int:
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    try:
        verb_function: Any = {each.__name__: each for each in VERBS}[verb]
        return int(verb_function(Path(work), *arguments))
    except SystemExit as end:
        _print(str(end))
    except BaseException:
        _print("The script itself failed:\n" + traceback.format_exc())
    return INCONCLUSIVE

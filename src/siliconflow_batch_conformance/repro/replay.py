"""
Inside a script that repeats a failure: what is recorded becomes what is sent, and is judged.

`repro` puts this file into each script, and `replay.sh` calls it between two calls of curl. In the
folder `work`, step 3 has 3.json (the request), 3.sent, 3.curl (its configuration), 3.head and
3.body (the answer); `learned` says which answers tell what the recorded ids are called now.

Rule 1: the standard library, `exchange`, `naming` and `curl` alone.
Rule 2: a key goes into curl's configuration, for the base URL only, and into nothing that is said.
Rule 3: whatever goes wrong in here is no defect of the service: only `judge` says DEFECT.
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

from ..checks.exchange import FINAL_STATUSES
from .curl import answered, configuration, recorded
from .ids import dig, pattern, quoted, renamed, renamed_bytes, variable

SOUND, DEFECT, NOTHING, NOT_YET, LEFT_OUT = 0, 10, 2, 3, 4
END = "an-end"
RANKS = {"validating": 0, "in_queue": 1, "in_progress": 2, "finalizing": 3, "cancelling": 3}
LAST = 4  # completed, failed, expired, cancelled: there is no way on


def unpack(work: Path) -> int:
    """Writes the body that comes packed on the standard input."""
    packed = base64.b64decode(sys.stdin.read())
    (work / "body").write_bytes(zlib.decompress(packed))
    return SOUND


def prepare(
    work: Path,
    step: str,
    given: str,
    sent_type: str,
    sender: str,
    method: str,
    target: str,
    was: str,
    until: str = "",
) -> int:
    """Makes a step ready for curl; one that needs an id which never came is left out."""
    ids = _ids(work)
    body = (work / "body").read_bytes()
    lost = [id for id, now in ids.items() if now is None]
    if pattern([*lost, *map(quoted, lost)]).search(target + " " + body.decode("latin-1")):
        _say(f"{step}. {method} {target}: left out; no such id was issued this time")
        return LEFT_OUT
    known = {id: now for id, now in ids.items() if now is not None}
    body = renamed_bytes(body, known)
    authorization = None if given == "-" else given[2:]
    target, authorization = _aimed(target, authorization, known)
    (work / f"{step}.sent").write_bytes(body)
    path, _, query = target.partition("?")
    request: dict[str, Any] = {"method": method, "request_type": sent_type, "sender": sender}
    request |= {"path": path, "query": dict(parse_qsl(query, keep_blank_values=True))}
    if "://" in target:
        request |= {"path": target, "query": {}}
    request |= {"authorization": authorization, "number": int(step), "awaited": bool(until)}
    (work / f"{step}.json").write_text(json.dumps({"request": request, "was": int(was)}))
    options = configuration(work / f"{step}.sent", target, request)
    (work / f"{step}.curl").write_text("\n".join(options) + "\n", encoding="utf-8")
    return SOUND


def _aimed(target: str, authorization: str | None, ids: dict[str, str]) -> tuple[str, str | None]:
    """Where a request goes now. A result may be named by URL there and by id here, or reversed."""
    content = re.fullmatch("/files/([^/]+)/content", target)
    for id, now in ids.items():
        if target == id or (content and content[1] == quoted(id)):
            if now.startswith(("http://", "https://")):
                return now, None
            known = target != id
            return f"/files/{quoted(now)}/content", authorization if known else "Bearer {key}"
    return renamed(target, {quoted(id): quoted(now) for id, now in ids.items()}), authorization


def arrive(work: Path, step: str) -> int:
    """Says what came. A service that is busy just now says nothing about itself."""
    answer, was = answered(work, step), recorded(work, step)["was"]
    query = "&".join(f"{name}={value}" for name, value in answer.query.items())
    place = answer.path + (f"?{query}" if query else "")
    _say(f"{step}. {answer.method} {place}: {answer.status}")
    if _is_busy(answer.status) and answer.status != was:
        _say(f"The service is busy or broken for now: {answer.status} {answer.text[:300]}")
        return NOTHING
    return SOUND


def reached(work: Path, step: str, wanted: str, tried: str) -> int:
    """Whether a batch is where it is awaited, or beyond; pauses where it is not."""
    answer = answered(work, step)
    status = dig(answer.json, "status")
    if answer.status == 200 and isinstance(status, str):
        goal = RANKS.get(wanted, LAST)
        rank = LAST if status in FINAL_STATUSES else RANKS.get(status, -1)
        if status == wanted or rank >= goal:
            return SOUND
    elif not _is_busy(answer.status):
        return SOUND
    time.sleep(min(0.05 * 1.15 ** int(tried), 30))
    return NOT_YET


def probe(work: Path, step: str) -> int:
    """Whether this is a Batch API that takes the key, as the suite asks before it begins."""
    answer = answered(work, step)
    name, base = variable(answer.sender), os.environ["SILICONFLOW_BASE_URL"]
    if answer.status in (401, 403):
        _say(f"{base} does not take the key in {name}: {answer.status}.")
    elif _is_busy(answer.status):
        _say(f"{base} is busy or broken: GET /batches is answered with {answer.status}.")
    elif answer.status == 404 or not answer.text.lstrip().startswith(("{", "[", '"')):
        _say(f"{base} is no Batch API: {answer.status} {answer.text[:80]!r}. Does it end in /v1?")
    else:
        return SOUND
    return NOTHING


def judge(work: Path, module: str, name: str, raised: str) -> int:
    """Calls the check as the suite did, with the answers that came now."""
    known = {id: now for id, now in _ids(work).items() if now is not None}
    lost: list[int] = []
    given = [_argument(work, value, known, lost) for value in _given(work)]
    check = getattr(importlib.import_module(module), name)
    try:
        said = check(*given)
    except Exception as error:
        if type(error).__name__ != raised or lost:
            raise
        said = f"{type(error).__name__}: {error}"
    if said is None:
        _say("\nIt holds here.")
        return SOUND
    _say(f"\nIt does not hold here.\n  expected:  {os.environ['EXPECTED']}\n  actual:    {said}")
    return DEFECT


def compare(work: Path, step: str) -> int:
    """Where no check is known: the recorded answer again is the recorded defect again."""
    answer = answered(work, step)
    known = {id: now for id, now in _ids(work).items() if now is not None}
    _say(f"\n{answer.status} {answer.headers.get('content-type', '')}\n{answer.text}\n")
    status, media, body = _given(work)
    same = (answer.status, answer.headers.get("content-type", "")) == (status, media)
    if same and answer.text == renamed(body, known):
        _say(f"The recorded answer again, to the letter.\n  expected:  {os.environ['EXPECTED']}")
        return DEFECT
    _say(f"Another answer than recorded; judge by eye. Expected: {os.environ['EXPECTED']}")
    return NOTHING


def _argument(work: Path, value: Any, ids: dict[str, str], lost: list[int]) -> Any:
    """An argument of the check; a step that could not be sent is None, and missing in lists."""
    if isinstance(value, dict) and value.keys() == {"$step"}:
        step = str(value["$step"])
        if (work / f"{step}.json").exists():
            return answered(work, step)
        lost.append(value["$step"])
        return None
    if isinstance(value, list):
        made = [(item, _argument(work, item, ids, lost)) for item in value]
        return [now for item, now in made if now is not None or item is None]
    if isinstance(value, dict):
        return {renamed(n, ids): _argument(work, item, ids, lost) for n, item in value.items()}
    return renamed(value, ids)


def _given(work: Path) -> list[Any]:
    return list(json.loads((work / "given").read_text()))


def _ids(work: Path) -> dict[str, str | None]:
    """What the recorded ids are called now; None for one that did not come."""
    rows = (work / "learned").read_text().splitlines()
    found: dict[str, str | None] = {}
    for step, field, id in zip(rows[::3], rows[1::3], rows[2::3], strict=True):
        sent = (work / f"{step}.json").exists()
        now = dig(answered(work, step).json, field) if sent else None
        found[id] = now if isinstance(now, str) and now else found.get(id)
    return found


def _is_busy(status: int) -> bool:
    return status in (408, 429) or status >= 500


def _say(text: str) -> None:
    keys = [key for name, key in os.environ.items() if name.startswith("SILICONFLOW_API_KEY")]
    for key in sorted(keys, key=len, reverse=True):
        text = text.replace(key, "…") if key else text
    print(text.encode("utf-8", "backslashreplace").decode(), flush=True)  # noqa: T201


VERBS = (unpack, prepare, arrive, reached, probe, judge, compare)


def main(work: str, verb: str, *arguments: str) -> int:
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    try:
        does: Any = {known.__name__: known for known in VERBS}[verb]
        return int(does(Path(work), *arguments))
    except SystemExit as end:
        _say(str(end))
    except BaseException:
        _say("The replay itself came to nothing:\n" + traceback.format_exc())
    return NOTHING

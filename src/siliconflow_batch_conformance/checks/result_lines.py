"""
Checks of result files: against their input, and against the batch that names them.

`files` are the answers to downloads, the output file first where there is one.
Rule: nothing but `exchange` and the standard library (see there).
"""

import json
from typing import Any

from .exchange import Exchange, the_batch, uploaded


def are_there(downloads: list[Exchange]) -> str | None:
    """result files that can be read, one at least"""
    said = [answer.status for answer in downloads]
    return None if said and set(said) == {200} else f"{said}"


def is_json_lines(file: Exchange) -> str | None:
    """JSON Lines: every line an object with custom_id, response and error"""
    for number, line in enumerate(_lines(file.body), 1):
        record = _json(line)
        if not isinstance(record, dict) or not {"custom_id", "response", "error"} <= record.keys():
            return f"line {number}: {line[:200]!r}"
    return None


def answers_every_line(upload: Exchange, results: list[Exchange]) -> str | None:
    """every custom_id of the input once"""
    _, data = uploaded(upload)
    asked = sorted(str(_object(line).get("custom_id")) for line in _lines(data))
    told = sorted(str(row.get("custom_id")) for file in results for row in _records(file))
    return None if told == asked else f"{told}, and {asked} were asked"


def numbers_its_records(file: Exchange) -> str | None:
    """an id of its own for every record"""
    told = [str(row.get("id")) for row in _records(file)]
    return None if len(set(told)) == len(told) else f"{told}"


def holds_answers(file: Exchange) -> str | None:
    """in the output file, answered lines alone: status_code 200, error null"""
    return _first_wrong(file, _is_answered)


def holds_failures(file: Exchange) -> str | None:
    """in the error file, failed lines alone, each with its reason"""
    return _first_wrong(file, lambda row: not _is_answered(row) and _has_a_reason(row))


def holds_completions(file: Exchange) -> str | None:
    """a chat completion as the body of an answer, as an object and not as a string of JSON"""
    return _first_wrong(file, _is_completion)


def comes_from(file: Exchange, model: str) -> str | None:
    """the model that replace.model names"""
    models = {str(_body(row).get("model")) for row in _records(file) if _body(row)}
    return None if models <= {model} else f"{sorted(models)}, and {model} was asked for"


def tells_what_expired(batch: Exchange, file: Exchange) -> str | None:
    """batch_expired for what an expired batch left undone, and for no line of another batch"""
    late = [row for row in _records(file) if _code(row) == "batch_expired"]
    status = the_batch(batch).get("status")
    if status != "expired":
        return f"{json.dumps(late[0])[:300]}, and the batch is {status}" if late else None
    undone = [row for row in _records(file) if row.get("response") is None]
    return f"{json.dumps(undone[0])[:300]}" if undone and not late else None


def counts_agree(batch: Exchange, kind: str, file: Exchange) -> str | None:
    """as many lines in a result file as request_counts says"""
    counts = the_batch(batch).get("request_counts") or {}
    due, found = counts.get(kind), len(_lines(file.body))
    return None if due in (None, found) else f"{found} lines, and request_counts {counts}"


def _lines(data: bytes) -> list[bytes]:
    return [line for line in data.split(b"\n") if line.strip()]


def _json(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        return None


def _object(raw: bytes) -> dict[str, Any]:
    found = _json(raw)
    return found if isinstance(found, dict) else {}


def _records(file: Exchange) -> list[dict[str, Any]]:
    return [_object(line) for line in _lines(file.body)]


def _body(record: dict[str, Any]) -> dict[str, Any]:
    response = record.get("response")
    body = response.get("body") if isinstance(response, dict) else None
    return body if isinstance(body, dict) else {}


def _is_answered(record: dict[str, Any]) -> bool:
    response = record.get("response")
    answered = isinstance(response, dict) and response.get("status_code") == 200
    return answered and record.get("error") is None


def _code(record: dict[str, Any]) -> object:
    error = record.get("error")
    return error.get("code") if isinstance(error, dict) else None


def _has_a_reason(record: dict[str, Any]) -> bool:
    return bool(record.get("error")) or bool(_body(record))


def _is_completion(record: dict[str, Any]) -> bool:
    choices = _body(record).get("choices")
    message = choices[0].get("message") if isinstance(choices, list) and choices else None
    return isinstance(message, dict) and "content" in message


def _first_wrong(file: Exchange, holds: Any) -> str | None:
    for record in _records(file):
        if not holds(record):
            return json.dumps(record, ensure_ascii=False)[:300]
    return None

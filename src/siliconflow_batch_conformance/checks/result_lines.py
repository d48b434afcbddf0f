"""
Checks of result files: against their input file, and against the batch that names them.

`file` is the response to a download. A result is one line of it: an object with `custom_id`,
`response` and `error`.
"""

import json
from collections.abc import Callable
from typing import Any

from .exchange import Exchange, json_object, parsed_json, the_batch, uploaded
from .listed import differ

Result = dict[str, Any]
BYTE_ORDER_MARK = b"\xef\xbb\xbf"


def can_be_downloaded(downloads: list[Exchange]) -> str | None:
    """at least one result file, and 200 for each"""
    statuses = [download.status for download in downloads]
    return None if statuses and set(statuses) == {200} else f"{statuses}"


def is_json_lines(file: Exchange) -> str | None:
    """JSON Lines: an object with custom_id, response and error in each line"""
    if file.body.startswith(BYTE_ORDER_MARK):
        return "a byte order mark before the first line"
    for number, line in enumerate(file.body.removesuffix(b"\n").split(b"\n"), 1):
        result = parsed_json(line)
        if not isinstance(result, dict) or not {"custom_id", "response", "error"} <= result.keys():
            return f"line {number}: {line[:200]!r}"
    return None


def covers_every_line(upload: Exchange, files: list[Exchange]) -> str | None:
    """every custom_id of the input file once"""
    _, content = uploaded(upload)
    expected = sorted(str(json_object(line).get("custom_id")) for line in _lines(content))
    ids = sorted(str(result.get("custom_id")) for file in files for result in _results(file))
    return differ(ids, expected)


def record_ids_are_unique(file: Exchange) -> str | None:
    """a different id in each line"""
    ids = [str(result.get("id")) for result in _results(file)]
    return None if len(set(ids)) == len(ids) else f"{ids}"


def holds_successes(file: Exchange) -> str | None:
    """only successful lines in the output file: status_code 200, error null"""
    return _first_wrong(file, _is_success)


def holds_failures(file: Exchange) -> str | None:
    """only failed lines in the error file, each with a reason"""
    return _first_wrong(file, lambda result: not _is_success(result) and _has_reason(result))


def holds_completions(file: Exchange) -> str | None:
    """a chat completion in each response body, as an object and not as a string of JSON"""
    return _first_wrong(file, _is_completion)


def uses_model(file: Exchange, model: str) -> str | None:
    """the model of replace.model"""
    models = {str(_body(result).get("model")) for result in _results(file) if _body(result)}
    return None if models <= {model} else f"{sorted(models)}, and replace.model is {model}"


def marks_expired_lines(batch: Exchange, file: Exchange) -> str | None:
    """batch_expired for the unfinished lines of an expired batch, and for no other line"""
    expired = [result for result in _results(file) if _error_code(result) == "batch_expired"]
    status = the_batch(batch).get("status")
    if status != "expired":
        return f"{_shown(expired[0])}, and the batch is {status}" if expired else None
    unfinished = [result for result in _results(file) if result.get("response") is None]
    return _shown(unfinished[0]) if unfinished and not expired else None


def counts_match(batch: Exchange, count: str, file: Exchange) -> str | None:
    """as many lines in a result file as request_counts says"""
    counts = the_batch(batch).get("request_counts") or {}
    expected, lines = counts.get(count), len(_lines(file.body))
    return None if expected in (None, lines) else f"{lines} lines, and request_counts {counts}"


def _lines(content: bytes) -> list[bytes]:
    return [line for line in content.split(b"\n") if line.strip()]


def _results(file: Exchange) -> list[Result]:
    return [json_object(line) for line in _lines(file.body)]


def _body(result: Result) -> dict[str, Any]:
    response = result.get("response")
    body = response.get("body") if isinstance(response, dict) else None
    return body if isinstance(body, dict) else {}


def _is_success(result: Result) -> bool:
    response = result.get("response")
    is_ok = isinstance(response, dict) and response.get("status_code") == 200
    return is_ok and result.get("error") is None


def _error_code(result: Result) -> object:
    error = result.get("error")
    return error.get("code") if isinstance(error, dict) else None


def _has_reason(result: Result) -> bool:
    return bool(result.get("error")) or bool(_body(result))


def _is_completion(result: Result) -> bool:
    choices = _body(result).get("choices")
    message = choices[0].get("message") if isinstance(choices, list) and choices else None
    return isinstance(message, dict) and "content" in message


def _first_wrong(file: Exchange, is_right: Callable[[Result], bool]) -> str | None:
    return next((_shown(result) for result in _results(file) if not is_right(result)), None)


def _shown(result: Result) -> str:
    return json.dumps(result, ensure_ascii=False)[:300]

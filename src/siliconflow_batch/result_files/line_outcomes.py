"""
How a line ended, read leniently from its record.

Rule 1: a line is answered if its status code is 200, neither the record nor the body has an error,
and the message of the first choice has some content. The status code alone shows nothing.
Rule 2: a line that is not answered has a message: that of the service, or else why it counts as
not answered.
"""

import json
import sys
from typing import Annotated, Any, NamedTuple

import msgspec

MESSAGES = ("message", "msg", "detail")  # where an error has its text
OK = 200
SHOWN = 200  # characters of a body in a message

Tokens = Annotated[int, msgspec.Meta(ge=0)]

_decode = msgspec.json.Decoder().decode


class Usage(msgspec.Struct, frozen=True):
    """The tokens of one response, or of many."""

    prompt: Tokens = msgspec.field(name="prompt_tokens")
    completion: Tokens = msgspec.field(name="completion_tokens")
    total: Tokens = msgspec.field(name="total_tokens")

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            self.prompt + other.prompt, self.completion + other.completion, self.total + other.total
        )


NO_TOKENS = Usage(0, 0, 0)


class Outcome(NamedTuple):
    """How a line ended. `message` is None if it was answered."""

    status_code: int | None
    text: str | None
    usage: Usage | None
    code: str | None
    message: str | None


def outcome(record: dict[str, Any]) -> Outcome:
    response = as_object(record.get("response"))
    status, body = _integer(response.get("status_code")), response.get("body")
    content = _unwrapped(as_object(body))
    message = _message(content)
    text = message.get("content")
    text, usage = text if isinstance(text, str) else None, _usage(content.get("usage"))
    errors = (record.get("error"), content.get("error"))
    error = next((as_object(one) or one for one in errors if _is_error(one)), None)
    if error is not None:
        code, reason = _error(error)
        reason = reason or f"the error has no message: {_as_json(error)[:SHOWN]}"
        return Outcome(status, text, usage, code, reason)
    if status == OK and (text is not None or any(message[key] for key in {*message} - {"role"})):
        return Outcome(status, text, usage, None, None)
    code, reason = _error(content or body)
    return Outcome(status, text, usage, code, reason or _reason(response, status, body))


def as_object(value: object) -> dict[str, Any]:
    """`value` if it is an object or a string that encodes one; otherwise an empty object."""
    if isinstance(value, str) and value.lstrip().startswith("{"):
        try:
            value = _decode(value)
        except (msgspec.MsgspecError, UnicodeEncodeError, RecursionError):
            return {}
    return value if isinstance(value, dict) else {}


def decode_leniently(raw: bytes) -> Any:
    """Decodes JSON; what only a lenient parser accepts is decoded as well."""
    try:
        return _decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        text = raw.decode(errors="replace").removeprefix("\ufeff")
        record = json.loads(text, parse_int=_number)
        text = json.dumps(record, ensure_ascii=False)
        return json.loads(text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))


def _number(digits: str) -> int | str:
    """An integer; Python refuses very long ones, which stay text."""
    most = sys.get_int_max_str_digits()
    return digits if most and len(digits) > most else int(digits)


def _unwrapped(body: dict[str, Any]) -> dict[str, Any]:
    """A completion, also from the envelope in which the service puts other objects."""
    inner = as_object(body.get("data"))
    return inner if "choices" in inner and "choices" not in body else body


def _message(content: dict[str, Any]) -> dict[str, Any]:
    choices = content.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    return as_object(as_object(choice).get("message"))


def _is_error(error: object) -> bool:
    """Whether an `error` reports one; a success may have one that is empty."""
    fields = as_object(error)
    return any(fields.values()) if fields else bool(error)


def _error(error: object) -> tuple[str | None, str | None]:
    """The code and the message of an error, as far as it has them."""
    if isinstance(error, str):
        return None, error.strip() or None
    if not isinstance(error, dict):
        return None, _as_json(error) if error else None
    code = error.get("code")
    message = next((error[key] for key in MESSAGES if error.get(key)), None)
    return _text(code), _text(message)


def _reason(response: dict[str, Any], status: int | None, body: object) -> str:
    """Why a line without a message of the service is not answered."""
    if not response:
        return "the record has no response and no error"
    shown = _as_json(body)[:SHOWN]
    if status == OK:
        return f"the response has no answer: {shown}"
    status = response.get("status_code")
    return f"the response has status {status!r:.20} and {'no body' if body is None else shown}"


def _usage(usage: object) -> Usage | None:
    if not isinstance(usage, dict):
        return None
    names = ("prompt_tokens", "completion_tokens", "total_tokens")
    prompt, completion, total = (_integer(usage.get(name)) for name in names)
    if prompt is completion is total is None:
        return None
    prompt, completion = max(prompt or 0, 0), max(completion or 0, 0)
    return Usage(prompt, completion, prompt + completion if total is None else max(total, 0))


def _integer(value: object) -> int | None:
    """A whole number, also if it came as text or as 200.0."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = int(value)
    except (ValueError, OverflowError):
        return None
    return number if isinstance(value, str) or number == value else None


def _text(value: object) -> str | None:
    if value is None or value == "":
        return None
    return value if isinstance(value, str) else _as_json(value)


def _as_json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)

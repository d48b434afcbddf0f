"""
Result files: JSON Lines, one record for each line of the input file.

Rule 1: a response that was paid for is not lost because of careless JSON. A record that cannot be
assigned to its request is a failed result without a `custom_id`.
Rule 2: a line is answered if it has an answer: the status is 200, neither the record nor the body
has an error, and the first choice has a message. Any other line failed, and has a message.
"""

import json
from functools import cached_property
from typing import Any, Literal

import msgspec
from msgspec import structs

OK = (200, "200")
INVALID = "invalid_record"  # the `error_code` of a record that cannot be read
SHOWN = 200  # characters of a response in a message

_decode = msgspec.json.Decoder().decode


class _Response(msgspec.Struct):
    status_code: Literal[200]
    body: msgspec.Raw


class _Record(msgspec.Struct):
    """The record of a line with a response, as most are; its body is decoded later."""

    custom_id: str
    response: _Response
    id: str | None = None
    error: None = None


class _Message(msgspec.Struct):
    content: str


class _Choice(msgspec.Struct):
    message: msgspec.Raw


class _Completion(msgspec.Struct):
    """The part of a chat completion that tells whether it is an answer."""

    choices: list[_Choice]
    error: None = None

    def answers(self) -> bool:
        message = bytes(self.choices[0].message) if self.choices else b""
        return message[:1] == b"{" and message != b"{}"


class _Tokens(msgspec.Struct):
    prompt_tokens: int = 0
    completion_tokens: int = 0
    total_tokens: int = 0


class _Used(msgspec.Struct):
    usage: _Tokens | None = None


_decode_record = msgspec.json.Decoder(_Record).decode
_decode_completion = msgspec.json.Decoder(_Completion).decode
_decode_used = msgspec.json.Decoder(_Used).decode
_decode_message = msgspec.json.Decoder(_Message).decode


class Usage(msgspec.Struct, frozen=True):
    """The tokens of one response, or of many; a number that the service does not name is 0."""

    prompt: int = 0
    completion: int = 0
    total: int = 0

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(
            self.prompt + other.prompt, self.completion + other.completion, self.total + other.total
        )


# Not an attrs class: each line of a file makes one, and msgspec makes it ten times as fast.
class Result(msgspec.Struct, frozen=True, dict=True, eq=False):
    """
    The result of one line. `ok` is True if it has an answer.

    `body` is the body of the response, usually a chat completion. `error_code` and `error_message`
    are those of the record's `error`, or of the body; a failed line always has a message. `raw`
    is the whole record, `line` its number in the result file, from 1, and `content` its bytes.
    `body` and `raw` are decoded when they are first used.

    A record that cannot be read has an empty `custom_id`, an empty `raw`, and the `error_code`
    `invalid_record`.
    """

    custom_id: str
    id: str | None
    status_code: int | None
    error_code: str | None
    error_message: str | None
    ok: bool
    line: int
    content: bytes
    _body: msgspec.Raw | dict[str, Any] | None

    def __repr__(self) -> str:
        return (
            f"Result(custom_id={self.custom_id!r}, ok={self.ok!r}, "
            f"error_message={self.error_message!r})"
        )

    @property
    def expired(self) -> bool:
        """Whether the completion window ended before the line was processed."""
        return self.error_code == "batch_expired"

    @cached_property
    def body(self) -> dict[str, Any] | None:
        return _lenient(bytes(self._body)) if isinstance(self._body, msgspec.Raw) else self._body

    @cached_property
    def raw(self) -> dict[str, Any]:
        record: dict[str, Any] = {} if self.error_code == INVALID else _lenient(self.content)
        return record

    @property
    def text(self) -> str | None:
        """The content of the first choice's message, if the body has one."""
        if isinstance(self._body, msgspec.Raw):
            try:
                return _decode_message(_decode_completion(self._body).choices[0].message).content
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, IndexError):
                pass  # another shape, or careless JSON
        choices = (self.body or {}).get("choices")
        choice = choices[0] if isinstance(choices, list) and choices else None
        content = (_object(_object(choice).get("message"))).get("content")
        return content if isinstance(content, str) else None

    @property
    def usage(self) -> Usage | None:
        """The tokens of the response, if it names them."""
        if isinstance(self._body, msgspec.Raw):
            try:
                tokens = _decode_used(self._body).usage
            except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
                pass  # another shape, or careless JSON
            else:
                return None if tokens is None else Usage(*structs.astuple(tokens))
        usage = (self.body or {}).get("usage")
        if not isinstance(usage, dict):
            return None
        numbers = (usage.get(f"{name}_tokens") for name in ("prompt", "completion", "total"))
        return Usage(*(number if type(number) is int else 0 for number in numbers))


def parse(raw: bytes, line: int) -> Result:
    """
    Parses one record, whose number is `line`.

    JSON with a NaN, a number out of range, half of a surrogate pair, or a byte outside the
    custom_id that is not UTF-8 is accepted; the half and the byte become U+FFFD.
    """
    try:
        record = _decode_record(raw)
        body = record.response.body
        is_answer = _decode_completion(body).answers()
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        is_answer = False
    if not is_answer:
        return _parse_leniently(raw, line)
    return Result(record.custom_id, record.id, 200, None, None, True, line, raw, body)


def _parse_leniently(raw: bytes, line: int) -> Result:
    """Parses the record of a line that failed, or one with careless JSON."""
    try:
        record = _lenient(raw)
    except (ValueError, RecursionError) as reason:
        return _invalid(raw, line, f"not JSON ({reason})")
    if not isinstance(record, dict):
        return _invalid(raw, line, "a record must be a JSON object")
    custom_id = record.get("custom_id")
    if not isinstance(custom_id, str):
        return _invalid(raw, line, "a record must have a custom_id, a string")
    if "\ufffd" in custom_id and not _is_utf8(raw):
        return _invalid(raw, line, "not JSON (the custom_id is not UTF-8)")
    response = _object(record.get("response"))
    status, body, id = response.get("status_code"), response.get("body"), record.get("id")
    content = _object(body) or (body if isinstance(body, dict) else None)
    is_answer = status in OK and not record.get("error") and _answers(content)
    code, message = (None, None) if is_answer else _failure(record.get("error"), status, body)
    return Result(
        custom_id,
        id if isinstance(id, str) else None,
        _status(status),
        code,
        message,
        is_answer,
        line,
        raw,
        content,
    )


def _invalid(raw: bytes, line: int, reason: str) -> Result:
    message = f"line {line} of the result file: {reason}"
    return Result("", None, None, INVALID, message, False, line, raw, None)


def _answers(body: dict[str, Any] | None) -> bool:
    """Whether the body of a response is an answer."""
    choices = (body or {}).get("choices")
    first = choices[0] if isinstance(choices, list) and choices else None
    return not (body or {}).get("error") and bool(_object(_object(first).get("message")))


def _status(status: object) -> int | None:
    if isinstance(status, str) and status.isdecimal() and len(status) == len("200"):
        return int(status)
    return status if type(status) is int else None


def _failure(error: object, status: object, body: object) -> tuple[str | None, str]:
    """The code and the message of a line that failed."""
    content = _object(body)
    code, message = _error(error or content.get("error") or content or body)
    if message:
        return code, message
    if error or body:
        shown = json.dumps(error or body, ensure_ascii=False)[:SHOWN]
        if error:
            return code, f"the error has no message: {shown}"
        what = "has no answer" if status in OK else f"has status {status!r}"
        return code, f"the response {what}: {shown}"
    if status is None:
        return code, "the record has no response and no error"
    return code, f"the response has status {status!r} and no body"


def _is_utf8(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


def _lenient(raw: bytes) -> Any:
    """Decodes JSON; what only a lenient parser accepts is decoded as well."""
    try:
        return _decode(raw)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        record = json.loads(raw.decode(errors="replace").removeprefix("\ufeff"))
        text = json.dumps(record, ensure_ascii=False)
        return json.loads(text.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))


def _object(value: object) -> dict[str, Any]:
    """`value` if it is an object or a string that encodes one; otherwise an empty object."""
    if isinstance(value, str) and value.lstrip().startswith("{"):
        try:
            value = _decode(value)
        except (msgspec.MsgspecError, UnicodeEncodeError, RecursionError):
            return {}
    return value if isinstance(value, dict) else {}


def _error(error: object) -> tuple[str | None, str | None]:
    """The code and the message of an error, which is an object, a string or null."""
    if isinstance(error, str):
        error = _object(error) or {"message": error or None}
    if not isinstance(error, dict):
        return None, None if error is None else json.dumps(error)
    code, message = error.get("code"), error.get("message")
    return None if code is None else str(code), None if message is None else str(message)

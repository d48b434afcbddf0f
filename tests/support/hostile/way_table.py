"""
WAYS: the ways to lose or spoil the answer to a creation.

A row is a name, an answer, how the connection ends, and the forms that make sense:

    done    the batch is made before the answer is spoiled
    none    nothing is made
    late    the batch is made after the answer, within the patience of the client
    beyond  the batch is made when the patience of the client has ended

A way is called NAME:FORM.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from . import spoiled_answers as spoiled
from .raw_http import answer, as_json
from .spoiled_answers import OVERLOAD, RATE_LIMIT, REFUSAL, Answer, fixed

KEEP, FIN, RESET, SILENCE = "keep", "fin", "reset", "silence"
# From then on, each request on the connection gets the answer to the one before it.
BEHIND = "behind"
NOTHING, HEADERS, ALL = "nothing", "headers", "all"
# When a late batch is made, in patiences after the request.
DELAYS = {"done": 0.0, "none": 0.0, "late": 0.3, "beyond": 20.0}

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
PROCESSING = b"HTTP/1.1 102 Processing\r\n\r\n"
HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n"
TIMEOUT_ON_IDLE = answer(408, b"", "Connection: close")


@dataclass(frozen=True)
class Way:
    """
    `read` is how much of the request is read before the connection ends.

    `refusal`: the answer says plainly that nothing was made, so the client may raise an error.
    """

    base: str
    form: str
    answer: Answer
    end: str = KEEP
    read: str = ALL
    refusal: bool = False

    @property
    def name(self) -> str:
        return f"{self.base}:{self.form}"

    @property
    def delay(self) -> float:
        return DELAYS[self.form]


@dataclass(frozen=True)
class Row:
    base: str
    answer: Answer
    end: str = KEEP
    forms: str = "none done"
    read: str = ALL
    refusal: bool = False

    def ways(self) -> Iterator[Way]:
        for form in self.forms.split():
            yield Way(self.base, form, self.answer, self.end, self.read, self.refusal)


def _cuts() -> Iterator[Row]:
    yield Row("reset-before-reading", spoiled.nothing, RESET, "none", NOTHING)
    yield Row("reset-after-half-the-request", spoiled.nothing, RESET, "none", HEADERS)
    yield Row("reset-after-reading", spoiled.nothing, RESET, "none late beyond")
    yield Row("reset-after-working", spoiled.nothing, RESET, "done")
    yield Row("keepalive-closed-as-the-request-arrives", spoiled.nothing, FIN, "none", NOTHING)
    yield Row("408-on-a-connection-that-was-idle", lambda _: TIMEOUT_ON_IDLE, FIN, "none", NOTHING)
    yield Row("fin-without-a-byte", spoiled.nothing, FIN, "none done late beyond")
    yield Row("silence", spoiled.nothing, SILENCE, "none done late")
    for name, keep in {
        "half-a-status-line": spoiled.in_the_status_line,
        "status-line-only": spoiled.after_the_status_line,
        "half-the-headers": spoiled.in_the_headers,
        "headers-without-body": spoiled.after_the_headers,
        "body-cut-before-the-id": spoiled.before_the_id,
        "body-cut-after-the-id": spoiled.after_the_id,
        "body-cut-before-the-last-byte": spoiled.before_the_last_byte,
    }.items():
        yield Row(name, spoiled.cut_answer(keep), FIN)
    yield Row("half-the-headers-and-reset", spoiled.cut_answer(spoiled.in_the_headers), RESET)
    yield Row("body-cut-and-reset", spoiled.cut_answer(spoiled.after_the_id), RESET)
    yield Row("headers-and-silence", spoiled.cut_answer(spoiled.after_the_headers), SILENCE)


def _frames() -> Iterator[Row]:
    yield Row("chunks-cut-between-two", spoiled.first_chunk_only, FIN)
    yield Row("chunks-cut-in-one", spoiled.chunked(whole=False), FIN)
    yield Row("chunk-size-is-no-number", spoiled.bad_chunk_size, FIN)
    yield Row("chunks-without-the-last", spoiled.chunked(b"\r\n", whole=True), FIN)
    yield Row("chunks-without-the-last-and-silence", spoiled.chunked(b"\r\n", whole=True), SILENCE)
    yield Row("length-too-long", spoiled.lengths(lambda size: size + 10), FIN)
    yield Row("length-too-long-and-silence", spoiled.lengths(lambda size: size + 10), SILENCE)
    yield Row("length-too-short", spoiled.lengths(lambda size: size // 2), FIN)
    yield Row("length-zero", spoiled.lengths(lambda size: 0), FIN)
    yield Row("length-negative", spoiled.lengths(lambda size: -size), FIN)
    yield Row("length-is-no-number", spoiled.lengths(lambda size: "many"), FIN)
    yield Row(
        "two-lengths-that-differ", spoiled.lengths(lambda size: size, lambda size: size + 1), FIN
    )
    yield Row("length-and-chunked", spoiled.with_headers("Transfer-Encoding: chunked"), FIN)
    for name, interim in {"100-continue": CONTINUE, "103-early-hints": HINTS}.items():
        yield Row(f"{name}-then-fin", spoiled.text(interim), FIN)
        yield Row(f"{name}-then-silence", spoiled.text(interim), SILENCE)
        yield Row(f"{name}-then-the-answer", spoiled.before_the_answer(interim))
    yield Row("102-five-times-then-reset", spoiled.text(PROCESSING * 5), RESET)
    yield Row("garbage-status-line", spoiled.with_status_line("%&! what"), FIN)
    yield Row("status-of-four-digits", spoiled.with_status_line("HTTP/1.1 2000 OK"), FIN)
    yield Row("unknown-http-version", spoiled.with_status_line("HTTP/7.3 200 OK"), FIN)
    yield Row("http-0.9", spoiled.without_head, FIN)
    yield Row("header-without-colon", spoiled.with_headers("a line of no header"), FIN)
    yield Row("header-with-nul", spoiled.with_headers("X-Note: a\0b"), FIN)
    yield Row("headers-of-200-kb", spoiled.with_headers("X-Note: " + "a" * 200_000), FIN)
    yield Row("gzip-claimed", spoiled.with_headers("Content-Encoding: gzip"))
    yield Row("deflate-claimed", spoiled.with_headers("Content-Encoding: deflate"))
    yield Row("unknown-encoding-claimed", spoiled.with_headers("Content-Encoding: br"))
    yield Row("gzip-cut", spoiled.compressed_and_cut)


def _stale() -> Iterator[Row]:
    yield Row("stale-creation-in-front", spoiled.stale(lambda case: case.another))
    yield Row("stale-id-in-front", spoiled.stale(lambda case: {"id": case.another["id"]}))
    yield Row("stale-list-in-front", spoiled.stale(lambda case: case.page))
    yield Row("stale-upload-in-front", spoiled.stale(lambda case: case.file))
    for name, body in {
        "a-creation": lambda case: case.another,
        "an-id": lambda case: {"id": case.another["id"]},
        "a-list": lambda case: case.page,
    }.items():
        yield Row(f"one-answer-behind-after-{name}", spoiled.only(body), BEHIND)
    yield Row("answer-twice", spoiled.true_answer_twice, forms="done")


def _bodies() -> Iterator[Row]:
    for name, body in {
        "html": spoiled.html(200),
        "empty": b"",
        "null": b"null",
        "empty-array": b"[]",
        "empty-object": b"{}",
        "string": b'"Ok"',
        "half-a-json": b'{"object": "batch", "endpoint": "/v1/ch',
        "overload-envelope": as_json(OVERLOAD),
        "envelope-without-data": b'{"code": 20000, "message": "Ok", "status": true, "data": null}',
    }.items():
        yield Row(f"200-{name}", fixed(200, body, kind="application/json"))
    yield Row("half-a-json-with-id", spoiled.encoded(lambda body: body[:200]), forms="done")
    yield Row("garbage-behind-the-json", spoiled.encoded(lambda body: body + b"}}"))
    yield Row("two-objects", spoiled.encoded(lambda body: body + b"\n" + body))
    yield Row("byte-order-mark", spoiled.encoded(lambda body: b"\xef\xbb\xbf" + body))
    yield Row("utf-16", spoiled.encoded(lambda body: body.decode().encode("utf-16")), forms="done")
    yield Row("bytes-of-no-text", spoiled.encoded(lambda body: b"\xff\xfe\xfd" + body))
    for name, change in _changes():
        yield Row(f"200-{name}", change, forms="done")


def _changes() -> Iterator[tuple[str, Answer]]:
    """The batch with odd fields beside its id, or with an odd id."""
    yield "in-an-envelope", spoiled.altered(_enveloped)
    yield "id-only", spoiled.altered(lambda batch: {"id": batch["id"]})
    for name in ("id", "object", "status", "input_file_id", "metadata", "errors", "created_at"):
        yield f"{name.replace('_', '-')}-missing", spoiled.without(name)
    yield "errors-an-object", spoiled.with_values(errors={"object": "list", "data": []})
    yield "errors-a-string", spoiled.with_values(errors="none")
    yield "times-null", spoiled.with_values(created_at=None, expires_at=None)
    yield "times-as-text", spoiled.with_values(created_at="2026-11-26T10:00:00Z", expires_at="soon")
    yield "times-with-a-fraction", spoiled.with_values(created_at=1764151200.5)
    yield "status-null", spoiled.with_values(status=None)
    yield "status-unknown", spoiled.with_values(status="accepted")
    yield "counts-as-text", spoiled.with_values(request_counts={"total": "1"})
    yield "metadata-null", spoiled.with_values(metadata=None)
    yield "metadata-a-list", spoiled.with_values(metadata=[])
    yield "id-null", spoiled.with_values(id=None)
    yield "id-a-number", spoiled.with_values(id=12345)
    yield "id-empty", spoiled.with_values(id="")


def _enveloped(batch: dict[str, object]) -> dict[str, object]:
    return {"code": 20000, "message": "Ok", "status": True, "data": batch}


def _statuses() -> Iterator[Row]:
    for status in (201, 202):
        yield Row(f"{status}-with-the-batch", spoiled.with_batch(status), forms="done")
        yield Row(f"{status}-empty", fixed(status), forms="none done late")
    yield Row("204", lambda _: answer(204, length=False))
    yield Row("206-with-the-batch", spoiled.with_batch(206), forms="done")
    for status in (301, 302, 303, 307, 308):
        yield Row(f"{status}-with-location", spoiled.redirect(status))
    limited, overloaded = as_json(RATE_LIMIT), as_json(OVERLOAD)
    later = "Retry-After: 0"
    yield Row("429-retry-after", fixed(429, limited, later, kind="application/json"))
    yield Row("503-retry-after", fixed(503, overloaded, later, kind="application/json"))
    bodies = {429: limited, 503: overloaded, 500: b'"Internal Server Error"'}
    for status in (408, 409, 425, 429, 499, 500, 502, 503, 504, 520, 522, 524, 529):
        forms = "none done late" if status in (408, 499, 502, 504, 524) else "none done"
        forms += " beyond" if status == 504 else ""
        yield Row(f"{status}", fixed(status, bodies.get(status, spoiled.html(status))), forms=forms)
        yield Row(f"{status}-with-the-batch", spoiled.with_batch(status), forms="done")
    yield Row("status-999", fixed(999, b"?"))


def _refusals() -> Iterator[Row]:
    for status in (404, 405, 413):
        page = fixed(status, spoiled.html(status))
        yield Row(f"{status}-html-of-a-gateway", page, forms="none", refusal=True)
    for status, body in {
        400: as_json(REFUSAL),
        401: b'"Invalid token"',
        403: as_json({"code": 30001, "message": "Account balance is insufficient", "data": None}),
        404: b'"404 page not found"',
    }.items():
        plain = fixed(status, body, kind="application/json")
        yield Row(f"{status}-refusal", plain, forms="none", refusal=True)
    envelope = fixed(200, as_json({**REFUSAL, "status": False}), kind="application/json")
    yield Row("200-refusal-in-an-envelope", envelope, forms="none", refusal=True)


def _table(*groups: Iterable[Row]) -> dict[str, Way]:
    ways = [way for rows in groups for row in rows for way in row.ways()]
    table = {way.name: way for way in ways}
    assert len(table) == len(ways), "two ways have one name"
    return table


WAYS = _table(_cuts(), _frames(), _stale(), _bodies(), _statuses(), _refusals())

"""
Everything that can be judged from traffic alone, whoever caused it: a case, schemathesis, a HAR.

Rule 1: an answer that only says "not now" (`BUSY`) is judged by its form and by nothing else.
Rule 2: what belongs to nobody that was seen here is not judged against anything.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from attrs import define, field

from .checks import history, pages, result_lines, shapes
from .checks.creation import MUST_BE_REFUSED
from .checks.exchange import BEARER, Exchange, batches, files, the_batch
from .recordings.judgments import Judgment
from .rules import (
    ALONE,
    BUSY,
    CANCEL,
    CONTENT,
    CREATE,
    FILES,
    LATER,
    LIST,
    MALFORMED,
    RETRIEVE,
    UPLOAD,
    Check,
    Due,
    is_creation,
)


@define(frozen=True)
class Finding:
    """A requirement that did not hold in what was seen."""

    requirement: str
    check: Check
    arguments: tuple[Any, ...]
    actual: str


@define
class Known:
    """A batch: who made it, and the answers that showed it."""

    sender: str
    created: Exchange | None = None
    retrieved: Exchange | None = None
    latest: Exchange | None = None


@define(eq=False)
class Observer:
    """
    Sees exchanges one by one; `findings` is what was wrong, `judged` how often each was due, and
    `judgments` what the cases asked besides.
    """

    exchanges: list[Exchange] = field(factory=list)
    findings: list[Finding] = field(factory=list)
    judged: Counter[str] = field(factory=Counter)
    judgments: list[Judgment] = field(factory=list)
    _batches: dict[str, Known] = field(factory=dict)
    _uploads: dict[str, Exchange] = field(factory=dict)
    _downloads: dict[str, Exchange] = field(factory=dict)
    _cancels: list[Exchange] = field(factory=list)
    _lost: set[str] = field(factory=set)

    def see(self, exchange: Exchange, *, settled: bool = False) -> None:
        """`settled` says that the service was asked often enough to mean what it says."""
        self.exchanges.append(exchange)
        for requirement, check, arguments in self._due(exchange, settled):
            self.judge(requirement, check, *arguments)
        if exchange.authorization == BEARER or exchange.status == 200:
            self._remember(exchange)

    def lose(self, path: str) -> None:
        """A request was not answered: what it did to the batch that it names is not known."""
        self._lost.add(Exchange(0, "POST", path, 0).path_id)

    def expect(self, requirement: str, check: Check, *arguments: Any) -> str | None:
        """As `judge`, for what a case alone knows to ask; a recording keeps it."""
        self.judgments.append(Judgment(requirement, check, arguments))
        return self.judge(requirement, check, *arguments)

    def judge(self, requirement: str, check: Check, *arguments: Any) -> str | None:
        """What is wrong, which is kept as a finding; None where all is well."""
        try:
            actual = check(*arguments)
        except MALFORMED:
            return None  # the shape is wrong, which is another requirement's matter
        self.judged[requirement] += 1
        if actual is not None:
            self.findings.append(Finding(requirement, check, arguments, actual))
        return actual

    def _due(self, e: Exchange, settled: bool) -> Iterator[Due]:
        for requirement, when, check, more in ALONE:
            if when(e):
                yield requirement, check, (e, *more)
        if e.status in BUSY and not settled:
            return
        if e.operation and e.authorization != BEARER:
            yield self._refused_key(e)
            return
        if not e.operation:
            yield from self._strange(e)
        if is_creation(e) and not e.request_json and e.request_body != b"{}":
            yield "CREATE-17", shapes.is_refused, (e,)
        elif is_creation(e):
            for requirement, wrong in MUST_BE_REFUSED.items():
                if wrong(e.request_json):
                    yield requirement, shapes.is_refused, (e,)
        yield from self._foreign(e)
        yield from self._later(e)
        yield from self._of_files(e)
        yield from self._of_results(e)

    def _refused_key(self, e: Exchange) -> Due:
        match (e.authorization or "").split(" "):
            case ["Bearer", key] if key:
                return "AUTH-2", shapes.status_is, (e, 401)
        return "AUTH-1" if e.authorization is None else "AUTH-3", shapes.status_is, (e, 401)

    def _strange(self, e: Exchange) -> Iterator[Due]:
        """What is asked of no operation: another method, another path."""
        if "://" not in e.path and e.method != "OPTIONS":
            yield "HTTP-1", shapes.status_is, (e, 404, 405)
        if e.status == 405:
            yield "HTTP-2", shapes.names_what_is_allowed, (e,)

    def _foreign(self, e: Exchange) -> Iterator[Due]:
        """What one account asks of another's."""
        owner = self._owner(e.path_id)
        if owner not in (None, e.sender):
            rows = {RETRIEVE: "OWNER-1", CANCEL: "OWNER-3", CONTENT: "OWNER-4"}
            yield rows[e.operation], shapes.status_is, (e, 404)
        if e.operation == CREATE and self._owner(e.request_json.get("input_file_id")) not in (
            None,
            e.sender,
        ):
            yield "OWNER-5", shapes.status_is, (e, 400, 403, 404)
        if e.operation in (LIST, FILES) and e.status == 200:
            others = [
                *(known.created for known in self._batches.values() if known.sender != e.sender),
                *(upload for upload in self._uploads.values() if upload.sender != e.sender),
            ]
            if others:
                requirement = "OWNER-2" if e.operation == LIST else "OWNER-6"
                yield requirement, pages.leaves_out, (e, [one for one in others if one])

    def _owner(self, id: object) -> str | None:
        if not isinstance(id, str):  # whatever was sent as one
            return None
        if id in self._batches:
            return self._batches[id].sender
        return self._uploads[id].sender if id in self._uploads else None

    def _later(self, e: Exchange) -> Iterator[Due]:
        """What is said of batches that were seen before."""
        named = self._batches.get(e.path_id)
        if named is not None and named.sender == e.sender:
            if e.operation == RETRIEVE and named.created:
                yield "RETRIEVE-4", history.is_found, (named.created, e)
            if e.operation == CANCEL and named.latest:
                yield "CANCEL-4", history.refuses_what_is_finished, (named.latest, e)
        known = [self._batches[id] for id in batches(e) if id in self._batches]
        mine = [batch for batch in known if batch.sender == e.sender]
        if e.operation == CREATE:
            made = [batch.created for batch in mine if batch.created]
            yield "CREATE-20", history.is_a_new_batch, (e, made)
            return
        asked = [cancel for cancel in self._cancels if cancel.sender == e.sender]
        if e.operation == CANCEL:
            asked = [*asked, e]
        created = [batch.created for batch in mine if batch.created]
        made_here = [one for one in created if not self._lost & batches(one).keys()]
        if made_here:
            yield "CANCEL-9", history.was_asked_to_cancel, (e, made_here, asked)
        for before in _once(batch.latest for batch in mine) if e.operation != LIST else ():
            for requirement, check in LATER:
                yield requirement, check, (before, e)
        if e.operation == LIST:
            for before in _once(batch.retrieved for batch in mine):
                yield "LIST-9", history.is_listed_as_retrieved, (before, e)
            inputs = {str(batch.get("input_file_id")) for batch in batches(e).values()}
            for upload in _once(self._uploads.get(id) for id in inputs):
                yield "LIST-10", history.carries_its_file_name, (upload, e)
        else:
            for batch in mine:
                if batch.retrieved:
                    yield "LIFE-6", history.keeps_what_was_asked, (batch.retrieved, e)
                elif batch.created:
                    yield "RETRIEVE-1", history.agrees_with_its_creation, (batch.created, e)

    def _of_files(self, e: Exchange) -> Iterator[Due]:
        if e.operation == UPLOAD:
            same = [self._uploads[id] for id in files(e) if id in self._uploads]
            yield "UPLOAD-7", history.is_a_new_file, (e, same)
        if e.operation == FILES:
            for upload in _once(self._uploads.get(id) for id in files(e)):
                yield "FILES-1", history.lists_the_upload, (upload, e)
                yield "FILES-3", history.has_one_time, (upload, e)
        upload_read = self._uploads.get(e.path_id) if e.operation == CONTENT else None
        if upload_read is not None and upload_read.sender == e.sender and e.status == 200:
            yield "CONTENT-1", history.reads_back, (upload_read, e)

    def _of_results(self, e: Exchange) -> Iterator[Due]:
        """What is read in the result files of a batch that was seen."""
        found = self._reference(e)
        if found is None:
            return
        known, kind = found
        if e.path in self._downloads:
            yield "RESULT-8", history.is_the_same_file, (self._downloads[e.path], e)
        if e.path in self._downloads or e.status != 200:
            return
        yield "RESULT-10", result_lines.numbers_its_records, (e,)
        yield "RESULT-7", result_lines.is_json_lines, (e,)
        right = result_lines.holds_answers if kind == "completed" else result_lines.holds_failures
        yield "RESULT-2", right, (e,)
        yield "RESULT-11", result_lines.tells_what_expired, (known.latest, e)
        yield "COUNT-4", result_lines.counts_agree, (known.latest, kind, e)
        if kind == "completed":
            yield "RESULT-4", result_lines.holds_completions, (e,)
            model = ((known.created and known.created.request_json.get("replace")) or {}).get(
                "model"
            )
            if model:
                yield "RESULT-3", result_lines.comes_from, (e, model)
        yield from self._complete(known, e)

    def _complete(self, known: Known, e: Exchange) -> Iterator[Due]:
        """Once all result files are read: do they answer every line?"""
        batch = the_batch(known.latest) if known.latest else {}
        upload = self._uploads.get(str(batch.get("input_file_id")))
        paths = [_path(batch[n]) for n in ("output_file_id", "error_file_id") if batch.get(n)]
        read = [e if path == e.path else self._downloads.get(path) for path in paths]
        if upload is not None and None not in read:
            yield "RESULT-1", result_lines.answers_every_line, (upload, read)

    def _reference(self, e: Exchange) -> tuple[Known, str] | None:
        """The batch that names what was downloaded as its results, and what it counts them as."""
        for known in self._batches.values() if e.method == "GET" else ():
            batch = the_batch(known.latest) if known.latest else {}
            for name, kind in (("output_file_id", "completed"), ("error_file_id", "failed")):
                if batch.get(name) and _path(batch[name]) == e.path:
                    return known, kind
        return None

    def _remember(self, e: Exchange) -> None:
        if e.operation == CANCEL:
            self._cancels.append(e)
        for id in files(e) if e.operation == UPLOAD else ():
            self._uploads.setdefault(id, e)
        for id in batches(e):
            known = self._batches.setdefault(id, Known(e.sender))
            if known.sender != e.sender:
                continue
            if e.operation == CREATE:
                known.created = known.created or e
            elif e.operation != LIST:
                known.retrieved = e
            if e.operation != LIST or known.latest is None:
                known.latest = e
        if e.status == 200 and ("://" in e.path or e.operation == CONTENT):
            self._downloads.setdefault(e.path, e)


def _path(reference: str) -> str:
    return reference if "://" in reference else f"/files/{reference}/content"


def _once(found: Any) -> list[Exchange]:
    return list({one.number: one for one in found if one is not None}.values())

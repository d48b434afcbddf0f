"""
Faults of limits, in input files.

The documents: at most 5,000 lines, each with a custom_id of its own and messages of three roles
that end with the user's; nothing else is required; without replace.model all name the same model.
"""

from collections.abc import Callable
from typing import Any

import orjson
from attrs import evolve

from ..inputs.inspection import Inspection, inspect
from ..refusals import bad_request
from ..service import Service
from ..switches.switchboard import Behaviour
from .altering import Body, Replace, named_file

HELLO = [{"role": "user", "content": "Hello"}]


def _judging(judge: Callable[[Inspection], Inspection | None]) -> Replace:
    """A creation sees of its input file what `judge` makes of it; None leaves it as it is."""

    def replace(sound: Any, service: Service) -> Any:
        def create(account: str, body: object) -> Any:
            file = named_file(service, body)
            seen = judge(file.inspection) if file and file.inspection else None
            if file is None or seen is None:
                return sound(account, body)
            service.storage.files[file.id] = evolve(file, inspection=seen)
            try:
                return sound(account, body)
            finally:
                service.storage.files[file.id] = file

        return create

    return replace


def _overlooking(words: str) -> Replace:
    """The fault of a file whose verdict has these words is overlooked; its lines are run."""

    def judge(found: Inspection) -> Inspection | None:
        if words not in (found.fault or ""):
            return None
        return Inspection(found.lines, found.models if len(found.models) == 1 else {"a-model"})

    return _judging(judge)


def _mending(words: str, mend: Callable[[Body], Body]) -> Replace:
    """
    Lines that could not be run are mended when a batch is made of them, and answered.

    `mend` gets each line with its `number`; one that is no JSON has nothing else.
    """

    def replace(sound: Any, service: Service) -> Any:
        def create(account: str, body: object) -> Any:
            file = named_file(service, body)
            if file and file.inspection and words in (file.inspection.fault or ""):
                rows = enumerate(file.path.read_bytes().splitlines(), 1)
                lines = [orjson.dumps(mend(_line(number, raw))) for number, raw in rows]
                mended = file.path.with_name(f"{file.id}_mended")
                mended.write_bytes(b"\n".join(lines))
                found = evolve(inspect(mended), models={"a-model"})
                service.storage.files[file.id] = evolve(file, path=mended, inspection=found)
            return sound(account, body)

        return create

    return replace


def _line(number: int, raw: bytes) -> Body:
    try:
        found = orjson.loads(raw)
    except orjson.JSONDecodeError:
        found = {}
    return {"number": number, **(found if isinstance(found, dict) else {})}


def _with_id(line: Body) -> Body:
    return {"custom_id": f"line-{line['number']}", **line}


def _with_messages(line: Body) -> Body:
    body = {"model": "a-model", **line.get("body", {})}
    return {**line, "body": {**body, "messages": body.get("messages") or HELLO}}


def _url_required(sound: Any, service: Service) -> Any:
    def create(account: str, body: object) -> Any:
        file = named_file(service, body)
        lines = file.path.read_bytes().splitlines() if file else []
        if any(b'"url"' not in line for line in lines):
            raise bad_request("Every line needs a url.")
        return sound(account, body)

    return create


def _too_long(found: Inspection) -> Inspection | None:
    return Inspection(found.lines, found.models, "too long") if found.lines == 5000 else None


def _models(found: Inspection) -> Inspection | None:
    return evolve(found, models={"a-model"}) if len(found.models - {None}) > 1 else None


FAULTS = {
    "lines-5001-taken": Behaviour(
        "a file of 5,001 lines is taken", "create", _overlooking("has 5001 lines")
    ),
    "lines-5000-refused": Behaviour(
        "a file of 5,000 lines is refused", "create", _judging(_too_long)
    ),
    "custom-id-twice": Behaviour(
        "a custom_id may stand twice in a file", "create", _overlooking("in an earlier line")
    ),
    "custom-id-optional": Behaviour(
        "a line without custom_id is answered",
        "create",
        _mending("custom_id must be", _with_id),
    ),
    "messages-optional": Behaviour(
        "a line without messages is answered",
        "create",
        _mending("body.messages must be", _with_messages),
    ),
    "line-broken-taken": Behaviour(
        "a line that is not JSON is answered",
        "create",
        _mending("not JSON", lambda line: _with_id(_with_messages(line))),
    ),
    "role-any": Behaviour("messages may have any role", "create", _overlooking("a message's role")),
    "last-role-any": Behaviour(
        "the last message may be anybody's", "create", _overlooking("the last message must")
    ),
    "url-required": Behaviour("a line without `url` is refused", "create", _url_required),
    "models-mixed": Behaviour("lines may name different models", "create", _judging(_models)),
}

"""
Variants of files: the order of their list, its parameter, and whether content can be read by id.
"""

import re

from ..files.storage import File
from ..hooks import replaces
from ..service.refusals import not_found
from ..service.service import Service
from ..switches.altering import FILES, NO_LIMIT, Body, Content, ListFiles, altering_queries
from ..switches.switchboard import Behaviour


@replaces(Service.list_files)
def _oldest_first(original: ListFiles, _: Service, account: str, limit: int) -> Body:
    body = original(account, NO_LIMIT)
    body["data"]["data"] = body["data"]["data"][::-1][:limit]
    return body


def _with_empty_purpose(query: bytes) -> bytes:
    """An empty purpose is refused, after the key has been checked."""
    return query if re.search(rb"(^|&)purpose=", query) else query + b"&purpose="


@replaces(Service.content)
def _content_missing(original: Content, _: Service, account: str, file_id: str) -> File:
    raise not_found()


VARIANTS = {
    "files-oldest-first": Behaviour(
        "the oldest file is listed first", _oldest_first, question="files-order"
    ),
    "purpose-required": Behaviour(
        "the list of files is refused without `purpose`",
        altering_queries(_with_empty_purpose, FILES),
        question="files-purpose",
    ),
    "file-content-missing": Behaviour(
        "the content of a file cannot be read by its id", _content_missing, question="file-content"
    ),
}

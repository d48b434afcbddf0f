"""
One creation of the public client against one way and one list, and what is to be said of it.

Rule: a promise is never softened for a client. What a list cannot show in time, and hides in a list
that looks complete, is marked `deceptive` in `list_table`; only that is excused.
"""

import functools
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from siliconflow_batch import AsyncSiliconFlowBatch, Patience, SiliconFlowBatch, errors
from support.blocking import Blocking

from .batch_store import StoredBatch
from .hostile_server import HostileServer
from .list_table import LISTS, Listing
from .way_table import SILENCE, WAYS, Way

CLIENTS = ("sync", "async")
PATIENCE = 0.25  # seconds
SILENT, WAITS = (
    0.5,
    10.0,
)  # the client's timeouts in seconds, where silence is the way and elsewhere
MOST_REQUESTS = 60  # of one creation, the upload not counted
LINE = (
    b'{"custom_id": "a", "method": "POST", "url": "/v1/chat/completions",'
    b' "body": {"messages": [{"role": "user", "content": "Hello"}]}}\n'
)

SECOND = "safety 1: no second batch"
WRONG = "safety 2: the returned batch is that of this creation"
UNREPORTED = "safety 3: no batch exists that was neither returned nor reported"
LIVENESS = "liveness: the creation ends in one batch, returned"
REFUSED = "a plain refusal is raised as what it is, and nothing is created"
REQUESTS = f"at most {MOST_REQUESTS} requests a creation"
PROMISES = (SECOND, WRONG, UNREPORTED, LIVENESS, REFUSED, REQUESTS)


@dataclass
class Trial:
    """What came of a creation. `made` are the batches that the client's requests made."""

    way: Way
    listing: Listing
    client: str
    times: int = 1
    foreign: bool = False
    file_id: str = ""
    returned: Any = None
    error: BaseException | None = None
    made: list[StoredBatch] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def name(self) -> str:
        times = f" × {self.times}" if self.times > 1 else ""
        foreign = ", a file that others used" if self.foreign else ""
        return f"{self.way.name}{times} | {self.listing.name} | {self.client}{foreign}"

    @property
    def unknown(self) -> bool:
        return isinstance(self.error, errors.CreateOutcomeUnknown)

    @property
    def ours(self) -> bool:
        """Whether the returned batch is one that this creation made."""
        return self.returned is not None and self.returned.id in {one.id for one in self.made}

    @property
    def excused(self) -> bool:
        """Whether the list hid a batch, as its name says, and looked complete."""
        return self.way.form != "none" and self.listing.deceives(self.way.delay)

    @property
    def outcome(self) -> str:
        if self.returned is not None:
            result = f"returned {self.returned.id}"
        else:
            result = f"raised {type(self.error).__name__}: {str(self.error).splitlines()[:1]}"
        return (
            f"{result}; made {[one.id for one in self.made]}; {len(self.requests)} requests"
            f" in {self.seconds:.2f} s"
        )

    def broken(self) -> dict[str, str]:
        """The promises that were not kept, each with its message."""
        kept = {
            SECOND: len(self.made) <= 1 or self.excused,
            WRONG: self.returned is None or self.ours,
            UNREPORTED: not self.made or self.unknown or self.ours,
            LIVENESS: not self._must_end() or (self.ours and len(self.made) == 1),
            REFUSED: not self.way.refusal or self._refused(),
            REQUESTS: len(self.requests) <= MOST_REQUESTS,
        }
        return {name: f"{name}: {self.name}: {self.outcome}" for name in PROMISES if not kept[name]}

    @property
    def category(self) -> str:
        """One column of the report."""
        if len(self.made) > 1:
            return "second"
        if self.returned is not None:
            return "right" if self.ours else "wrong"
        if self.unknown:
            return "unknown"
        if self.made:
            return "unreported"
        return "right" if self.way.refusal and self._refused() else "other"

    def _must_end(self) -> bool:
        """Whether the client can and must end with a batch."""
        if self.way.refusal or self.foreign or not self.listing.honest:
            return False
        if self.way.form == "none":
            return self.listing.history > 0
        return self.listing.shows(self.way.delay)

    def _refused(self) -> bool:
        if self.way.base == "400-refusal" and not isinstance(self.error, errors.BadRequest):
            return False
        documented = isinstance(self.error, errors.APIError) or self.unknown
        return (documented and not self.made) or (self.ours and len(self.made) == 1)


def carry_out(way: str, listing: str, client: str, times: int = 1, foreign: bool = False) -> Trial:
    """
    Uploads a file and creates a batch of it.

    `foreign`: another program uploaded the file and made a batch of it ten minutes ago.
    """
    trial = Trial(WAYS[way], LISTS[listing], client, times, foreign)
    with (
        HostileServer(trial.way, trial.listing, times, PATIENCE) as server,
        _client(trial, server) as public,
    ):
        if foreign:
            trial.file_id = server.store.upload(len(LINE))["id"]
            server.store.add_old_batch(trial.file_id)
        else:
            trial.file_id = public.upload(LINE, name="requests.jsonl").id
        server.requests.clear()
        began = time.monotonic()
        try:
            trial.returned = public.create(trial.file_id)
        except Exception as error:  # what it is, is judged
            trial.error = error
        trial.seconds = time.monotonic() - began
        trial.made = server.made_of(trial.file_id)
        trial.requests = list(server.requests)
        assert not server.errors, (trial.name, server.errors)
    return trial


@contextmanager
def _client(trial: Trial, server: HostileServer) -> Iterator[Any]:
    read = SILENT if trial.way.end == SILENCE else WAITS
    options: dict[str, Any] = {
        "key": "sk-hostile",
        "base_url": server.base_url,
        "timeout": httpx.Timeout(WAITS, read=read),
        "patience": Patience(seconds=PATIENCE),
    }
    if trial.client == "sync":
        with httpx.Client(verify=_context(), trust_env=False) as http:
            yield SiliconFlowBatch(**options, http_client=http)
        return
    http_client = httpx.AsyncClient(verify=_context(), trust_env=False)
    public = Blocking(AsyncSiliconFlowBatch(**options, http_client=http_client))
    try:
        yield public
    finally:
        public.run(http_client.aclose())
        public.stop()


@functools.cache
def _context() -> ssl.SSLContext:
    """One for all clients: making it costs more than a trial, and nothing here is encrypted."""
    return ssl.create_default_context()

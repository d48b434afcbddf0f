"""Runs that create batches, some of them killed, and the clean-up after them."""

import signal
import subprocess
import sys
from typing import Any

import httpx
import pytest
from attrs import define, field

from siliconflow_batch_conformance.checks.exchange import Exchange
from siliconflow_batch_conformance.service.cleanup import CleanUp, clean_up
from siliconflow_batch_conformance.service.journal import Journal
from siliconflow_batch_simulator import Simulator
from support.account import Account, asked, json_lines, line

NOW = 1_741_685_413.0
KEY = "sk-simulator"


@define
class FakeClock:
    """A clock that only `sleep` advances."""

    now: float = 0.0
    slept: list[float] = field(factory=list)

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(round(seconds, 6))
        self.now += seconds


@define
class JournaledService:
    """A simulator with one account and its journals, and a clock that only sleeping advances."""

    simulator: Simulator
    account: Account
    clock: FakeClock

    def journal(self, key: str = KEY) -> Journal:
        return Journal.open(self.simulator.base_url, key, clock=self.clock)

    def send(self, method: str, path: str, query: dict[str, Any]) -> Exchange:
        response = self.account.http.request(method, path, params=query)
        headers = dict(response.headers)
        return Exchange(
            0, method, path, response.status_code, headers=headers, body=response.content
        )

    def clean_up(self, journal: Journal) -> CleanUp:
        return clean_up(self.send, journal, clock=self.clock, sleep=self.clock.sleep)

    def clean_up_in_next_run(self, *, later: float = 0) -> CleanUp:
        """Cleans up with the journal of a new run, `later` seconds from now."""
        self.clock.now += later
        with self.journal() as journal:
            return self.clean_up(journal)

    def status(self, batch_id: str) -> str:
        return str(self.account.retrieve(batch_id)["status"])

    def cancels(self) -> list[str]:
        """The ids in the cancel requests."""
        return [row.split("/")[3] for row in asked(self.simulator) if row.endswith("/cancel")]


RUN = """
import os, signal, sys
import httpx
from siliconflow_batch_conformance.service.journal import Journal

base_url, file_id, last = sys.argv[1:]

def reach(step):
    if step == last:
        os.kill(os.getpid(), signal.SIGKILL)

journal = Journal.open(base_url, "sk-simulator")
reach("opened")
creation = journal.intend()
reach("intended")
body = {"input_file_id": file_id, "endpoint": "/v1/chat/completions",
        "completion_window": "24h", "metadata": {"by": "us", **creation.metadata}}
response = httpx.post(base_url + "/batches", json=body,
                      headers={"Authorization": "Bearer sk-simulator"})
reach("response lost")
journal.record_response(creation.token, response.status_code, response.json())
reach("recorded")
print(response.json()["id"], flush=True)
sys.stdin.read()
"""


def start_run(service: JournaledService, last: str) -> "subprocess.Popen[str]":
    """Starts a run in a process that kills itself at the step `last`, or else waits."""
    file_id = service.account.upload(json_lines(line())).json()["data"]["id"]
    arguments = [sys.executable, "-c", RUN, service.simulator.base_url, file_id, last]
    return subprocess.Popen(  # noqa: S603 - a fixed script
        arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def run_until_killed(service: JournaledService, last: str) -> None:
    with start_run(service, last) as process:
        process.communicate()
    assert process.returncode == -signal.SIGKILL


def create(service: JournaledService, journal: Journal, **fields: Any) -> str:
    """Creates a batch and records the response."""
    creation = journal.intend()
    response = service.account.create(json_lines(line()), metadata=creation.metadata, **fields)
    journal.record_response(creation.token, response.status_code, response.json())
    return str(response.json()["id"])


def create_and_lose_response(
    service: JournaledService, journal: Journal, *, marked: bool = True
) -> str:
    """Creates a batch whose response never arrives; returns its id."""
    creation = journal.intend(marked=marked)
    fields = {"metadata": creation.metadata} if marked else {}
    service.simulator.faults.add("reset-after", "POST /batches", times=1)
    with pytest.raises(httpx.TransportError):
        service.account.create(json_lines(line()), **fields)
    return str(service.account.http.get("batches", params={"limit": 1}).json()["data"][0]["id"])


def raise_disk_full(_: int) -> None:
    """Replaces `os.fsync`."""
    raise OSError("No space left on device")

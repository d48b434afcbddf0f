"""A place for runs that are killed, and for whoever cleans up behind them."""

import signal
import subprocess
import sys
from typing import Any

import httpx
import pytest
from attrs import define, field

from siliconflow_batch_conformance.checks.exchange import Exchange
from siliconflow_batch_conformance.service.cleanup import Cleaned, clean_up
from siliconflow_batch_conformance.service.journal import Journal, digest
from siliconflow_batch_simulator import Simulator
from support.account import Account, asked, json_lines, line

NOW = 1_741_685_413.0
KEY = "sk-simulator"


@define
class Time:
    """Passes when somebody sleeps."""

    now: float = 0.0
    slept: list[float] = field(factory=list)

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(round(seconds, 6))
        self.now += seconds


@define
class Site:
    """A simulator, one account's hands and journal, and a clock that passes by sleeping."""

    simulator: Simulator
    account: Account
    time: Time

    def journal(self, key: str = KEY) -> Journal:
        return Journal.open(self.simulator.base_url, digest(key), clock=self.time)

    def send(self, method: str, path: str, query: dict[str, Any]) -> Exchange:
        answer = self.account.http.request(method, path, params=query)
        headers = dict(answer.headers)
        return Exchange(0, method, path, answer.status_code, headers=headers, body=answer.content)

    def clean_up(self, journal: Journal) -> Cleaned:
        return clean_up(self.send, journal, clock=self.time, sleep=self.time.sleep)

    def next_run(self, *, later: float = 0) -> Cleaned:
        """What a run finds to do that comes after all others."""
        self.time.now += later
        with self.journal() as journal:
            return self.clean_up(journal)

    def status(self, batch_id: str) -> str:
        return str(self.account.retrieve(batch_id)["status"])

    def cancels(self) -> list[str]:
        """The batches whose cancel was asked for."""
        return [words.split("/")[3] for words in asked(self.simulator) if words.endswith("/cancel")]


RUN = """
import os, signal, sys
import httpx
from siliconflow_batch_conformance.service.journal import Journal, digest

base_url, file_id, last = sys.argv[1:]

def reach(step):
    if step == last:
        os.kill(os.getpid(), signal.SIGKILL)

journal = Journal.open(base_url, digest("sk-simulator"))
reach("opened")
entry = journal.intend()
reach("intended")
body = {"input_file_id": file_id, "endpoint": "/v1/chat/completions",
        "completion_window": "24h", "metadata": {"by": "us", **entry.metadata}}
answer = httpx.post(base_url + "/batches", json=body,
                    headers={"Authorization": "Bearer sk-simulator"})
reach("answer lost")
journal.heard(entry.token, answer.status_code, answer.json())
reach("made")
print(answer.json()["id"], flush=True)
sys.stdin.read()
"""


def run(site: Site, last: str) -> "subprocess.Popen[str]":
    """A run in a process of its own, which is killed at a step, or else waits."""
    file_id = site.account.upload(json_lines(line())).json()["data"]["id"]
    arguments = [sys.executable, "-c", RUN, site.simulator.base_url, file_id, last]
    return subprocess.Popen(  # noqa: S603 - our own words
        arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def killed(site: Site, last: str) -> None:
    with run(site, last) as process:
        process.communicate()
    assert process.returncode == -signal.SIGKILL


def created(site: Site, journal: Journal, **fields: Any) -> str:
    """A batch as a run creates it."""
    entry = journal.intend()
    answer = site.account.create(json_lines(line()), metadata=entry.metadata, **fields)
    journal.heard(entry.token, answer.status_code, answer.json())
    return str(answer.json()["id"])


def lost(site: Site, journal: Journal, *, marked: bool = True) -> str:
    """A batch that was created without anybody hearing of it."""
    entry = journal.intend(marked=marked)
    fields = {"metadata": entry.metadata} if marked else {}
    site.simulator.faults.add("reset-after", "POST /batches", times=1)
    with pytest.raises(httpx.TransportError):
        site.account.create(json_lines(line()), **fields)
    return str(site.account.http.get("batches", params={"limit": 1}).json()["data"][0]["id"])


def full_disk(_: int) -> None:
    """What fsync says where nothing fits any more."""
    raise OSError("No space left on device")

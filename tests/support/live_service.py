"""A live service: a simulator at a network address, and runs of the command on it."""

import contextlib
import io
import json
import os
import subprocess
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import httpx
import pytest
from attrs import define

from siliconflow_batch_conformance import command
from siliconflow_batch_conformance.service import rig
from siliconflow_batch_conformance.service.budget import Budget
from siliconflow_batch_simulator import Pace, Simulator
from support.account import Account, json_lines, line
from support.journaled_runs import FakeClock
from support.shell import start

KEYS = ("sk-live-own-secret", "sk-live-other-secret")
QUICK = Pace(queued=0.1, running=0.1, finalizing=0.1, cancelling=0.1)
HOURS = Pace(queued=36_000, cancelling=36_000)
ENDED = {"completed", "failed", "expired", "cancelled", "cancelling"}


@define
class LiveService:
    """A simulator at a network address, and runs of the command on it with journals in `state`."""

    simulator: Simulator
    base_url: str
    state: Path

    def run(
        self, *arguments: str, keys: int = 1, clock: FakeClock | None = None
    ) -> tuple[int, str]:
        """Runs the command in this process; returns its exit status and its output."""
        return run_conformance(self.base_url, self.state, *arguments, keys=KEYS[:keys], clock=clock)

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        """Starts the command in a process."""
        kept = {name: value for name, value in os.environ.items() if "SILICONFLOW" not in name}
        return start(
            *command_line(self.base_url, *arguments),
            stderr=subprocess.STDOUT,
            cwd="/",
            env=kept | variables(self.state, KEYS[:1]),
        )

    def batches(self, account: int = 0) -> list[dict[str, Any]]:
        """All batches of an account, newest first."""
        batches: list[dict[str, Any]] = []
        query: dict[str, Any] = {"limit": 100}
        while True:
            page = httpx.get(
                self.simulator.base_url + "/batches",
                headers=self.simulator.headers(account),
                params=query,
            ).json()
            batches += page["data"]
            if not page["has_more"]:
                return batches
            query["after"] = page["last_id"]

    def create_others(self, number: int, account: int = 0) -> list[dict[str, Any]]:
        """Creates batches outside of any run."""
        base_url, headers = self.simulator.base_url + "/", self.simulator.headers(account)
        with httpx.Client(base_url=base_url, headers=headers) as http:
            client = Account(self.simulator, http)
            file_id = client.upload(json_lines(line())).json()["data"]["id"]
            for _ in range(number):
                assert client.create(file_id).status_code == 200
        return self.batches(account)

    def posts(self, end: str = "") -> int:
        """The number of POST requests whose path ends so."""
        return sum(
            request.method == "POST" and request.path.endswith(end)
            for request in self.simulator.requests
        )


def command_line(base_url: str, *arguments: str) -> list[str]:
    return ["conformance", "--base-url", base_url, "--rate", "200", "--core", *arguments]


def variables(state: Path, keys: tuple[str, ...]) -> dict[str, str]:
    names = ("SILICONFLOW_API_KEY", "SILICONFLOW_API_KEY_2")
    return {**dict(zip(names, keys, strict=False)), "SILICONFLOW_STATE": str(state)}


def run_conformance(
    base_url: str,
    state: Path,
    *arguments: str,
    keys: tuple[str, ...],
    clock: FakeClock | None = None,
) -> tuple[int, str]:
    """Runs the command in this process; with a `clock`, pauses between requests take no time."""
    output = io.StringIO()
    with (
        pytest.MonkeyPatch.context() as patch,
        contextlib.redirect_stdout(output),
        contextlib.redirect_stderr(output),
    ):
        for name in [name for name in os.environ if "SILICONFLOW" in name]:
            patch.delenv(name)
        if clock is not None:
            patch.setattr(rig, "Budget", partial(Budget, clock=clock, sleep=clock.sleep))
        for name, value in variables(state, keys).items():
            patch.setenv(name, value)
        status = command.main(command_line(base_url, *arguments)[1:])
    return status, output.getvalue()


Open = Callable[..., AbstractContextManager[LiveService]]


def statuses(batches: list[dict[str, Any]]) -> set[str]:
    return {batch["status"] for batch in batches}


class EchoHandler(BaseHTTPRequestHandler):
    """Repeats the request's key in every response."""

    def do_GET(self) -> None:
        self.respond()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self.respond()

    do_OPTIONS = do_GET  # noqa: N815

    def respond(self) -> None:
        body = json.dumps(
            {"object": "list", "data": [], "you": self.headers["authorization"]}
        ).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-You", str(self.headers["authorization"]))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass

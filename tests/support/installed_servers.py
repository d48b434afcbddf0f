"""
Servers that other people wrote, installed in a folder of their own and run on this machine.

Rule: versions are pinned; a server listens on the loopback interface, if its command can say so.
"""

import contextlib
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from support.required_tools import required_tool

ATTEMPTS, PAUSE = 300, 0.2  # to reach a server that starts


def virtual_environment(folder: Path, requirement: str, least: tuple[int, int]) -> Path:
    """The folder of the programs of a package that needs at least this version of Python."""
    name = "python" + ".".join(map(str, least))
    python = sys.executable if sys.version_info >= least else required_tool(name)
    for command in (
        [python, "-m", "venv", str(folder)],
        [str(folder / "bin/python"), "-m", "pip", "install", "--quiet", requirement],
    ):
        subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - a pinned version
    return folder / "bin"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def running(command: list[str], ready: str, log: Path) -> Iterator[None]:
    """Runs a server until the block ends; it is ready when the URL `ready` responds."""
    with (
        log.open("w") as output,
        subprocess.Popen(  # noqa: S603 - a pinned version
            command, stdout=output, stderr=subprocess.STDOUT, cwd=log.parent
        ) as process,
    ):
        try:
            _wait_until(ready, log)
            yield
        finally:
            process.terminate()


def _wait_until(url: str, log: Path) -> None:
    for _ in range(ATTEMPTS):
        try:
            httpx.get(url, trust_env=False)
        except httpx.TransportError:
            time.sleep(PAUSE)
        else:
            return
    pytest.fail(f"{url} does not respond: {log.read_text()[-2000:]}")


@contextlib.contextmanager
def chat_server(*models: str) -> Iterator[str]:
    """The base URL of a server of chat completions, which answers every prompt with "ok"."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._send(
                {"object": "list", "data": [{"id": name, "object": "model"} for name in models]}
            )

        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
            message = {"role": "assistant", "content": "ok"}
            choice = {"index": 0, "finish_reason": "stop", "message": message}
            completion = {"id": "chat-1", "object": "chat.completion", "created": 1}
            self._send({**completion, "model": asked["model"], "choices": [choice]})

        def _send(self, value: object) -> None:
            body = json.dumps(value).encode()
            self.send_response(200)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/v1"
        server.shutdown()

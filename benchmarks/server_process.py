"""
A server in a process of its own, and what it costs.

Rule: cost is CPU time of the server's process, not time on the wall: another load on the machine
changes it little, and the client's own slowness not at all.
"""

import contextlib
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from attrs import define

TICKS = os.sysconf("SC_CLK_TCK")


@define
class Server:
    """A process that listens on a port of this machine."""

    pid: int
    port: int

    def cpu(self) -> float:
        """Seconds of CPU so far, of the process and its threads."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def peak_memory(self) -> int:
        return peak_memory(self.pid)

    def ask(self, request: bytes, times: int = 1) -> bytes:
        """Sends a request many times over one connection, and returns the last body."""
        with socket.create_connection(("127.0.0.1", self.port)) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for _ in range(times):
                connection.sendall(request)
                body = read(connection)
        return body

    def cpu_of(self, request: bytes, times: int) -> float:
        """CPU seconds of one request, the mean of many."""
        before = self.cpu()
        self.ask(request, times)
        return (self.cpu() - before) / times

    def rate_of(self, request: bytes, times: int) -> float:
        """Requests a second, sixteen under way at a time, so that the client is not the limit."""
        with socket.create_connection(("127.0.0.1", self.port)) as connection:
            answers = connection.makefile("rb")
            began = time.perf_counter()
            for _ in range(times // 16):
                connection.sendall(request * 16)
                for _ in range(16):
                    length = 0
                    while (line := answers.readline()) != b"\r\n":
                        if line.lower().startswith(b"content-length:"):
                            length = int(line.partition(b":")[2])
                    answers.read(length)
            return times // 16 * 16 / (time.perf_counter() - began)


def peak_memory(pid: int | str) -> int:
    """The largest resident size of a process so far, in bytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.findall(r"VmHWM:\s+(\d+)", status)[0]) * 1024


def python(code: str) -> contextlib.AbstractContextManager[Server]:
    """Runs code that prints its port once it listens."""
    return running("-c", code)


@contextlib.contextmanager
def running(*arguments: str) -> Iterator[Server]:
    """Runs what prints its port once it listens: a script and its arguments."""
    with subprocess.Popen(  # noqa: S603 - our own code
        [sys.executable, *arguments], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None
            yield Server(process.pid, int(process.stdout.readline()))
        finally:
            process.kill()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def wait_for(port: int, seconds: float) -> None:
    """Returns when somebody listens on the port; `TimeoutError` when nobody does."""
    deadline = time.monotonic() + seconds
    while True:
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        if time.monotonic() > deadline:
            raise TimeoutError(f"nobody listens on port {port} after {seconds} s")
        time.sleep(0.2)


def read(connection: socket.socket) -> bytes:
    received = b""
    while b"\r\n\r\n" not in received:
        received += _more(connection)
    head, _, body = received.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(f"the server answered {head[:200]!r} {body[:200]!r}")
    length = int(re.findall(rb"(?i)content-length: *(\d+)", head)[0])
    while len(body) < length:
        body += _more(connection)
    return body


def _more(connection: socket.socket) -> bytes:
    piece = connection.recv(1 << 20)
    if not piece:
        raise RuntimeError("the server closed the connection")
    return piece

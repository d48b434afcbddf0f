"""
Starts a server in a process of its own and measures its CPU time and memory.

Rule: cost is the CPU time of the server's process. Other load on the machine changes it little, and
the speed of the client not at all.
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

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")


@define
class Server:
    """A process that listens on a port of this machine."""

    pid: int
    port: int

    def cpu_seconds(self) -> float:
        """The CPU time of the process and its threads so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND

    def peak_memory(self) -> int:
        return peak_memory(self.pid)

    def send(self, request: bytes, times: int = 1) -> bytes:
        """Send a request many times over one connection and return the last body."""
        with socket.create_connection(("127.0.0.1", self.port)) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for _ in range(times):
                connection.sendall(request)
                body = read_body(connection)
        return body

    def cpu_per_request(self, request: bytes, times: int) -> float:
        """The mean CPU time of one request, in seconds."""
        before = self.cpu_seconds()
        self.send(request, times)
        return (self.cpu_seconds() - before) / times

    def requests_per_second(self, request: bytes, times: int) -> float:
        """Sixteen requests are sent at a time, so that the client is not the limit."""
        with socket.create_connection(("127.0.0.1", self.port)) as connection:
            responses = connection.makefile("rb")
            start = time.perf_counter()
            for _ in range(times // 16):
                connection.sendall(request * 16)
                for _ in range(16):
                    length = 0
                    while (line := responses.readline()) != b"\r\n":
                        if line.lower().startswith(b"content-length:"):
                            length = int(line.partition(b":")[2])
                    responses.read(length)
            return times // 16 * 16 / (time.perf_counter() - start)


def peak_memory(pid: int | str) -> int:
    """The peak resident size of a process, in bytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(re.findall(r"VmHWM:\s+(\d+)", status)[0]) * 1024


def running_code(code: str) -> contextlib.AbstractContextManager[Server]:
    """Run code that prints its port when it is ready."""
    return running("-c", code)


@contextlib.contextmanager
def running(*arguments: str) -> Iterator[Server]:
    """Run Python with arguments for a script that prints its port when it is ready."""
    with subprocess.Popen(  # noqa: S603 - our own scripts
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


def wait_for_port(port: int, seconds: float) -> None:
    """Return when a server listens on the port. Raises `TimeoutError`."""
    deadline = time.monotonic() + seconds
    while True:
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        if time.monotonic() > deadline:
            raise TimeoutError(f"no server listens on port {port} after {seconds} seconds")
        time.sleep(0.2)


def read_body(connection: socket.socket) -> bytes:
    received = b""
    while b"\r\n\r\n" not in received:
        received += _receive(connection)
    head, _, body = received.partition(b"\r\n\r\n")
    if not head.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(f"unexpected response {head[:200]!r} {body[:200]!r}")
    length = int(re.findall(rb"(?i)content-length: *(\d+)", head)[0])
    while len(body) < length:
        body += _receive(connection)
    return body


def _receive(connection: socket.socket) -> bytes:
    piece = connection.recv(1 << 20)
    if not piece:
        raise RuntimeError("the server closed the connection")
    return piece

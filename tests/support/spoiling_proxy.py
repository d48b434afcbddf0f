"""A proxy in front of a simulator that spoils the bytes of some responses."""

import contextlib
import re
import socket
import socketserver
import threading
from collections.abc import Callable, Iterator

import httpx

from siliconflow_batch_simulator import Simulator
from support.hostile.raw_http import ConnectionEnded, Incoming, answer, finish

Spoil = Callable[[bytes], bytes]
KEPT = (
    "location",
    "retry-after",
    "allow",
)  # the headers that are passed on, apart from those of the body


@contextlib.contextmanager
def spoiled(simulator: Simulator, requests: str, spoil: Spoil) -> Iterator[str]:
    """
    The base URL of the proxy.

    `spoil` changes the whole response, status line and headers included, of each request for which
    the pattern `requests` matches its method and its path below the base URL.
    """
    pattern = re.compile(requests)
    origin = simulator.base_url.removesuffix("/v1")

    class Handler(socketserver.BaseRequestHandler):
        request: socket.socket

        def handle(self) -> None:
            with contextlib.suppress(ConnectionEnded, OSError):
                received = Incoming(self.request).whole()
                response = client.request(
                    received.method,
                    origin + received.target,
                    headers={
                        name: text for name, text in received.headers.items() if name != "host"
                    },
                    content=received.body,
                )
                raw = answer(
                    response.status_code,
                    response.content,
                    "Connection: close",
                    *(
                        f"{name}: {response.headers[name]}"
                        for name in KEPT
                        if name in response.headers
                    ),
                    kind=response.headers.get("content-type", "text/plain"),
                )
                named = f"{received.method} {received.path.removeprefix('/v1')}"
                self.request.sendall(spoil(raw) if pattern.search(named) else raw)
                finish(self.request)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    with (
        httpx.Client(timeout=30, trust_env=False) as client,
        Server(("127.0.0.1", 0), Handler) as server,
    ):
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/v1"
        finally:
            server.shutdown()

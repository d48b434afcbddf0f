"""A server on a real socket that gives the responses of a script, one after the other."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from attrs import define, field

JSON = "application/json"


@define(frozen=True)
class Answer:
    """A response; `headers` are added to the length, and to JSON as the media type."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(factory=dict)


def answer(value: Any, status: int = 200, **headers: str) -> Answer:
    """A response with `value` as JSON; an underscore in a header's name is sent as a hyphen."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return Answer(status, json.dumps(value).encode(), named)


class ScriptedServer:
    """
    Gives the response of each request from `script`; the last one is repeated.

    `received` has the path and the headers of each request.
    """

    def __init__(self, *script: Answer) -> None:
        self.script = list(script)
        self.received: list[tuple[str, dict[str, str]]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/v1"

    def __enter__(self) -> Self:
        serve = self._server.serve_forever
        threading.Thread(target=serve, kwargs={"poll_interval": 0.01}, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True  # else each response waits for an acknowledgement

            def respond(self) -> None:
                self.rfile.read(int(self.headers.get("content-length") or 0))
                names = {name.lower(): value for name, value in self.headers.items()}
                server.received.append((self.path, names))
                script = server.script
                response = script[0] if len(script) == 1 else script.pop(0)
                self.send_response(response.status, "Status")
                headers = {"content-type": JSON, **response.headers}
                if response.status != 204:
                    headers["content-length"] = str(len(response.body))
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(response.body)

            do_GET = do_POST = respond  # noqa: N815 - the names that http.server calls

            def log_message(self, *_: object) -> None:
                pass

        return Handler

"""
A server with prepared responses, for measurements of clients.

`python benchmarks/responses_server.py [FILE]` prints its port and serves until it is killed. It
returns the same batch, the same page of 1,000 batches, and FILE as the content of every file.
Uploads are read and discarded.

Rule 1: one thread per connection and no HTTP library: the server costs less than any client.
Rule 2: its responses are valid under openapi.yaml.
"""

import json
import os
import socket
import sys
import threading
from pathlib import Path
from typing import Any

ITEMS = 1_000
BATCH: dict[str, Any] = {
    "id": "batch_rdyqgrcgjg",
    "object": "batch",
    "endpoint": "/v1/chat/completions",
    "errors": None,
    "input_file_id": "file-jkvytbjtow",
    "completion_window": "24h",
    "status": "completed",
    "output_file_id": "file-output",
    "error_file_id": None,
    "created_at": 1749023566,
    "in_progress_at": 1749023570,
    "expires_at": 1749109966,
    "finalizing_at": 1749023900,
    "completed_at": 1749023910,
    "failed_at": None,
    "expired_at": None,
    "cancelling_at": None,
    "cancelled_at": None,
    "request_counts": {"total": 5000, "completed": 4990, "failed": 10},
    "metadata": {"description": "benchmark"},
}
UPLOADED = {
    "code": 20000,
    "message": "Ok",
    "status": True,
    "data": {
        "id": "file-jkvytbjtow",
        "object": "file",
        "bytes": 1_000_000_000,
        "createdAt": 1749023566,
        "filename": "requests.jsonl",
        "purpose": "batch",
    },
}


def page() -> dict[str, Any]:
    data = [BATCH | {"id": f"batch_{number}", "file_name": "in.jsonl"} for number in range(ITEMS)]
    first, last = data[0]["id"], data[-1]["id"]
    return {"object": "list", "data": data, "first_id": first, "last_id": last, "has_more": False}


def response(body: bytes) -> bytes:
    head = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    return (head % len(body)).encode() + body


RETRIEVE, PAGE, UPLOAD = (
    response(json.dumps(body, separators=(",", ":")).encode()) for body in (BATCH, page(), UPLOADED)
)


def serve(connection: socket.socket, content: Path | None) -> None:
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    buffer = bytearray(1 << 20)
    received = b""
    while True:
        while b"\r\n\r\n" not in received:
            if not (count := connection.recv_into(buffer)):
                return
            received += buffer[:count]
        head, _, received = received.partition(b"\r\n\r\n")
        if head.startswith(b"POST"):
            left = int(head.lower().partition(b"content-length:")[2].split()[0]) - len(received)
            received = b""
            while left > 0:
                left -= connection.recv_into(buffer)
            connection.sendall(UPLOAD)
        elif b"/content" in head.partition(b"\r\n")[0]:
            assert content is not None
            send_file(connection, content)
        else:
            connection.sendall(PAGE if head.startswith(b"GET /v1/batches?") else RETRIEVE)


def send_file(connection: socket.socket, content: Path) -> None:
    with content.open("rb") as file:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n")
        connection.sendall(b"Content-Length: %d\r\n\r\n" % os.fstat(file.fileno()).st_size)
        connection.sendfile(file)


def main() -> None:
    content = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    with socket.create_server(("127.0.0.1", 0), backlog=256) as listener:
        print(listener.getsockname()[1], flush=True)  # noqa: T201 - read by the process that started this one
        while True:
            connection, _ = listener.accept()
            threading.Thread(target=serve, args=(connection, content), daemon=True).start()


if __name__ == "__main__":
    main()

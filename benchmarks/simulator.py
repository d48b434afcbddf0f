"""
What the simulator costs, beside a bare Starlette application and Prism, in one run.

`python benchmarks/simulator.py` prints a table; with `--write` it goes into benchmarks/README.md.
Linux only: CPU and memory are read from /proc.
"""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from costs import in_turns
from server_process import Server, free_port, python, read, wait_for
from table import Row, main

CONTRACT = Path(__file__).parent.parent / "openapi.yaml"
PRISM = "@stoplight/prism-cli@5.16.0"
KEY = b"sk-simulator"
REQUESTS = 4_000
MANY = 100_000

SIMULATOR = """
from siliconflow_batch_simulator import Pace, Simulator
simulator = Simulator(keep_requests=0, pace=Pace(queued=0, running=0, finalizing=0))
print(simulator.base_url.split(":")[2].split("/")[0], flush=True)
simulator.serve()
"""
BARE = """
import socket, uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

BATCH = {batch!r}

async def create(request):
    await request.json()
    return JSONResponse(BATCH)

async def retrieve(request):
    return JSONResponse(BATCH)

app = Starlette(routes=[
    Route("/v1/batches", create, methods=["POST"]),
    Route("/v1/batches/{{batch_id}}", retrieve),
])
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
uvicorn.Server(uvicorn.Config(
    app, access_log=False, log_level="warning", lifespan="off", proxy_headers=False,
)).run(sockets=[listener])
"""


def get(path: str) -> bytes:
    return b"GET %s HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %s\r\n\r\n" % (
        path.encode(),
        KEY,
    )


def post(path: str, body: bytes, media_type: str = "application/json") -> bytes:
    head = f"Content-Type: {media_type}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    return get(path).replace(b"GET", b"POST", 1)[:-2] + head + body


def upload_of(data: bytes) -> bytes:
    part = b'--x\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n%s\r\n'
    body = part % (b"purpose", b"", b"batch") + part % (b"file", b'; filename="in.jsonl"', data)
    return post("/v1/files", body + b"--x--\r\n", "multipart/form-data; boundary=x")


def lines(count: int) -> bytes:
    body = {"model": "m", "messages": [{"role": "user", "content": "What is the answer?"}]}
    rows = ({"custom_id": f"line-{number}", "body": body} for number in range(count))
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def creation(server: Server, count: int) -> bytes:
    """A request that creates a batch of `count` lines, which are uploaded first."""
    file = json.loads(server.ask(upload_of(lines(count))))["data"]
    body = {
        "input_file_id": file["id"],
        "endpoint": "/v1/chat/completions",
        "completion_window": "24h",
        "metadata": {"description": "benchmark"},
    }
    return post("/v1/batches", json.dumps(body).encode())


def created(server: Server, request: bytes) -> dict[str, Any]:
    batch: dict[str, Any] = json.loads(server.ask(request))
    return batch


def against_bare() -> Iterator[Row]:
    with python(SIMULATOR) as simulator:
        create = creation(simulator, 1)
        batch = created(simulator, create)
        with python(BARE.format(batch=batch)) as bare:
            retrieve = get(f"/v1/batches/{batch['id']}")
            for name, request in (("retrieve", retrieve), ("create", create)):
                servers = {"bare": bare, "simulator": simulator}
                found = in_turns(
                    {key: partial(it.cpu_of, request, REQUESTS) for key, it in servers.items()}
                )
                mine, other = found["simulator"], found["bare"]
                ratio = mine / other
                measured = f"{ratio:.2f}× ({mine * 1e6:.0f} µs against {other * 1e6:.0f} µs)"
                yield Row(f"{name}, CPU a request", measured, "≤ 2× bare Starlette", ratio <= 2)


def against_prism() -> Iterator[Row]:
    goal = "≥ 5× Prism"
    if shutil.which("npx") is None:
        yield Row("retrieve, requests a second", "not measured: no npx", goal, False)
        return
    port = free_port()
    command = ["npx", "--yes", PRISM, "mock", "--port", str(port), str(CONTRACT)]
    with subprocess.Popen(  # noqa: S603 - pinned
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    ) as process:
        try:
            wait_for(port, 180)
            prism = Server(process.pid, port)
            with python(SIMULATOR) as simulator:
                batch = created(simulator, creation(simulator, 1))
                ours, theirs = get(f"/v1/batches/{batch['id']}"), get("/batches/batch_x")
                prism.ask(theirs, 500)
                turns = [
                    (simulator.rate_of(ours, REQUESTS), prism.rate_of(theirs, 500))
                    for _ in range(5)
                ]
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, 9)
    mine, other = (sorted(turn[side] for turn in turns)[2] for side in (0, 1))
    ratio = mine / other
    measured = f"{ratio:.1f}× ({mine:,.0f}/s against {other:,.0f}/s)"
    yield Row("retrieve, requests a second, sixteen at a time", measured, goal, ratio >= 5)


def with_many_batches() -> Iterator[Row]:
    with python(SIMULATOR) as simulator:
        create = creation(simulator, 1)
        simulator.ask(create, 100)
        batch = created(simulator, create)
        requests = {
            "retrieve": get(f"/v1/batches/{batch['id']}"),
            "list": get("/v1/batches?limit=20"),
            "list from the middle": get(f"/v1/batches?limit=20&after={batch['id']}"),
            "create": create,
        }
        few = {name: middle(simulator, request) for name, request in requests.items()}
        simulator.ask(create, MANY - 10_000)
        for name, request in requests.items():
            many = middle(simulator, request)
            ratio = many / few[name]
            measured = f"{ratio:.2f}× ({many * 1e6:.0f} µs against {few[name] * 1e6:.0f} µs)"
            work = f"{name} with {MANY:,} batches stored, CPU a request"
            yield Row(work, measured, "flat: ≤ 1.25× that with 100", ratio <= 1.25)


def middle(server: Server, request: bytes) -> float:
    """The median of five turns."""
    return sorted(server.cpu_of(request, 2_000) for _ in range(5))[2]


def large_upload() -> Iterator[Row]:
    size, piece = 1_000_000_000, b"x" * 999_999 + b"\n"
    with python(SIMULATOR) as simulator:
        simulator.ask(upload_of(lines(10)))
        before = simulator.peak_memory()
        head, _, tail = upload_of(b"DATA").partition(b"DATA")
        length = len(head.partition(b"\r\n\r\n")[2]) + size + len(tail)
        start = head.partition(b"Content-Length: ")[0] + b"Content-Length: %d\r\n\r\n" % length
        began = time.perf_counter()
        with socket.create_connection(("127.0.0.1", simulator.port)) as connection:
            connection.sendall(start + head.partition(b"\r\n\r\n")[2])
            for _ in range(size // len(piece)):
                connection.sendall(piece)
            connection.sendall(tail)
            answer = read(connection)
        if b'"bytes":%d' % size not in answer:
            raise RuntimeError(f"the upload was answered {answer[:300]!r}")
        seconds = time.perf_counter() - began
        added = (simulator.peak_memory() - before) / (1 << 20)
    measured = f"{added:.0f} MB (in {seconds:.1f} s)"
    yield Row("upload of 1 GB, added resident memory", measured, "≤ 32 MB", added <= 32)


def large_batch() -> Iterator[Row]:
    with python(SIMULATOR) as simulator:
        before = simulator.cpu()
        batch = created(simulator, creation(simulator, 5_000))
        request = get(f"/v1/batches/{batch['id']}")
        while json.loads(simulator.ask(request))["status"] != "completed":
            pass
        spent = simulator.cpu() - before
    yield Row("batch of 5,000 lines, CPU in all", f"{spent:.2f} s", "< 2 s", spent < 2)


if __name__ == "__main__":
    main(
        "simulator",
        __doc__,
        (against_bare, large_batch, large_upload, with_many_batches, against_prism),
    )

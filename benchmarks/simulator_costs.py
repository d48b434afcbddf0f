"""
Measures the simulator next to a minimal Starlette application and Prism.

`python benchmarks/simulator_costs.py` prints a table; `--write` writes it to benchmarks/README.md.
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
from statistics import median
from typing import Any

from costs import medians
from server_process import Server, free_port, read_body, running_code, wait_for_port
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


def upload_request(data: bytes) -> bytes:
    part = b'--x\r\nContent-Disposition: form-data; name="%s"%s\r\n\r\n%s\r\n'
    body = part % (b"purpose", b"", b"batch") + part % (b"file", b'; filename="in.jsonl"', data)
    return post("/v1/files", body + b"--x--\r\n", "multipart/form-data; boundary=x")


def request_lines(count: int) -> bytes:
    body = {"model": "m", "messages": [{"role": "user", "content": "What is the answer?"}]}
    rows = ({"custom_id": f"line-{number}", "body": body} for number in range(count))
    return b"".join(json.dumps(row).encode() + b"\n" for row in rows)


def create_request(server: Server, count: int) -> bytes:
    """Upload a file of `count` lines and return the request that creates a batch from it."""
    file = json.loads(server.send(upload_request(request_lines(count))))["data"]
    body = {
        "input_file_id": file["id"],
        "endpoint": "/v1/chat/completions",
        "completion_window": "24h",
        "metadata": {"description": "benchmark"},
    }
    return post("/v1/batches", json.dumps(body).encode())


def create_batch(server: Server, request: bytes) -> dict[str, Any]:
    batch: dict[str, Any] = json.loads(server.send(request))
    return batch


def compare_with_starlette() -> Iterator[Row]:
    with running_code(SIMULATOR) as simulator:
        create = create_request(simulator, 1)
        batch = create_batch(simulator, create)
        with running_code(BARE.format(batch=batch)) as bare:
            retrieve = get(f"/v1/batches/{batch['id']}")
            for name, request in (("retrieve", retrieve), ("create", create)):
                seconds = medians(
                    {
                        "bare": partial(bare.cpu_per_request, request, REQUESTS),
                        "simulator": partial(simulator.cpu_per_request, request, REQUESTS),
                    }
                )
                ours, theirs = seconds["simulator"], seconds["bare"]
                ratio = ours / theirs
                measured = f"{ratio:.2f}× ({ours * 1e6:.0f} µs against {theirs * 1e6:.0f} µs)"
                yield Row(f"{name}, CPU per request", measured, "≤ 2× bare Starlette", ratio <= 2)


def compare_with_prism() -> Iterator[Row]:
    goal = "≥ 5× Prism"
    if shutil.which("npx") is None:
        yield Row("retrieve, requests per second", "not measured: no npx", goal, False)
        return
    port = free_port()
    command = ["npx", "--yes", PRISM, "mock", "--port", str(port), str(CONTRACT)]
    with subprocess.Popen(  # noqa: S603 - pinned
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True
    ) as process:
        try:
            wait_for_port(port, 180)
            prism = Server(process.pid, port)
            with running_code(SIMULATOR) as simulator:
                batch = create_batch(simulator, create_request(simulator, 1))
                to_simulator, to_prism = get(f"/v1/batches/{batch['id']}"), get("/batches/batch_x")
                prism.send(to_prism, 500)
                rates = medians(
                    {
                        "simulator": partial(simulator.requests_per_second, to_simulator, REQUESTS),
                        "prism": partial(prism.requests_per_second, to_prism, 500),
                    }
                )
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, 9)
    ours, theirs = rates["simulator"], rates["prism"]
    ratio = ours / theirs
    measured = f"{ratio:.1f}× ({ours:,.0f}/s against {theirs:,.0f}/s)"
    yield Row("retrieve, requests per second, 16 at a time", measured, goal, ratio >= 5)


def measure_many_batches() -> Iterator[Row]:
    with running_code(SIMULATOR) as simulator:
        create = create_request(simulator, 1)
        simulator.send(create, 100)
        batch = create_batch(simulator, create)
        requests = {
            "retrieve": get(f"/v1/batches/{batch['id']}"),
            "list": get("/v1/batches?limit=20"),
            "list from the middle": get(f"/v1/batches?limit=20&after={batch['id']}"),
            "create": create,
        }
        few = {name: median_cpu(simulator, request) for name, request in requests.items()}
        simulator.send(create, MANY - 10_000)
        for name, request in requests.items():
            many = median_cpu(simulator, request)
            ratio = many / few[name]
            measured = f"{ratio:.2f}× ({many * 1e6:.0f} µs against {few[name] * 1e6:.0f} µs)"
            task = f"{name} with {MANY:,} batches stored, CPU per request"
            yield Row(task, measured, "flat: ≤ 1.25× that with 100", ratio <= 1.25)


def median_cpu(server: Server, request: bytes) -> float:
    """The median CPU time of one request in five rounds."""
    return median(server.cpu_per_request(request, 2_000) for _ in range(5))


def measure_large_upload() -> Iterator[Row]:
    size, piece = 1_000_000_000, b"x" * 999_999 + b"\n"
    with running_code(SIMULATOR) as simulator:
        simulator.send(upload_request(request_lines(10)))
        before = simulator.peak_memory()
        head, _, tail = upload_request(b"DATA").partition(b"DATA")
        headers, _, first_part = head.partition(b"\r\n\r\n")
        length = len(first_part) + size + len(tail)
        headers = headers.partition(b"Content-Length: ")[0] + b"Content-Length: %d" % length
        start = time.perf_counter()
        with socket.create_connection(("127.0.0.1", simulator.port)) as connection:
            connection.sendall(headers + b"\r\n\r\n" + first_part)
            for _ in range(size // len(piece)):
                connection.sendall(piece)
            connection.sendall(tail)
            body = read_body(connection)
        if b'"bytes":%d' % size not in body:
            raise RuntimeError(f"unexpected response to the upload: {body[:300]!r}")
        seconds = time.perf_counter() - start
        added = (simulator.peak_memory() - before) / (1 << 20)
    measured = f"{added:.0f} MB (in {seconds:.1f} s)"
    yield Row("upload of 1 GB, added resident memory", measured, "≤ 32 MB", added <= 32)


def measure_large_batch() -> Iterator[Row]:
    with running_code(SIMULATOR) as simulator:
        before = simulator.cpu_seconds()
        batch = create_batch(simulator, create_request(simulator, 5_000))
        request = get(f"/v1/batches/{batch['id']}")
        while json.loads(simulator.send(request))["status"] != "completed":
            pass
        seconds = simulator.cpu_seconds() - before
    yield Row("batch of 5,000 lines, total CPU", f"{seconds:.2f} s", "< 2 s", seconds < 2)


if __name__ == "__main__":
    main(
        "simulator",
        __doc__,
        (
            compare_with_starlette,
            measure_large_batch,
            measure_large_upload,
            measure_many_batches,
            compare_with_prism,
        ),
    )

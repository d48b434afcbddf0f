"""
What checking input files and reading result files costs, beside orjson and the standard library.

`python benchmarks/files.py` prints a table, made in one run; the JSON libraries take turns, so that
all see the same machine. msgspec and orjson are needed, msgspec alone by the package.
"""

import json
import os
import platform
import random
import tempfile
import time
import tracemalloc
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import orjson

from siliconflow_batch.lines import Limits, check, validate
from siliconflow_batch.records import read

LIBRARIES: dict[str, Callable[[bytes], Any]] = {
    "msgspec": msgspec.json.Decoder().decode,
    "orjson": orjson.loads,
    "json": json.loads,
}
WORDS = (
    "summarise this review in one sentence and say whether it is good or bad the kettle boils "
    "quickly but its lid does not close and I would buy it again 请用一句话总结这条评论 “naïve”"
)
TURNS = 5
LINES, RECORDS = 200_000, 300_000_000  # lines of input, bytes of results
Row = tuple[str, str, str]


def prose(words: int) -> str:
    return " ".join(random.choices(WORDS.split(), k=words))  # noqa: S311 - not for secrets


def requests(count: int) -> Iterator[bytes]:
    contents = [prose(random.randint(10, 120)) for _ in range(1_000)]  # noqa: S311
    system = {"role": "system", "content": "You are a helpful assistant that answers briefly."}
    for number in range(count):
        messages = [system, {"role": "user", "content": contents[number % 1_000]}]
        body = {"model": "deepseek-ai/DeepSeek-V3", "messages": messages, "max_tokens": 1024}
        line = {"custom_id": f"request-{number}", "method": "POST", "body": body}
        yield json.dumps(line, ensure_ascii=False).encode() + b"\n"


def records(size: int) -> Iterator[bytes]:
    contents = [prose(random.randint(50, 600)) for _ in range(1_000)]  # noqa: S311
    usage = {"prompt_tokens": 31, "completion_tokens": 410, "total_tokens": 441}
    number = 0
    while size > 0:
        message = {"role": "assistant", "content": contents[number % 1_000]}
        choices = [{"index": 0, "message": message, "finish_reason": "stop"}]
        body = {"id": f"c-{number}", "model": "m", "choices": choices, "usage": usage}
        response = {"status_code": 200, "request_id": f"q-{number}", "body": body}
        line = {"id": f"r-{number}", "custom_id": f"request-{number}", "response": response}
        raw = json.dumps(line | {"error": None}, ensure_ascii=False).encode() + b"\n"
        size, number = size - len(raw), number + 1
        yield raw


def write(path: Path, lines: Iterable[bytes]) -> int:
    with path.open("wb") as file:
        file.writelines(lines)
    return path.stat().st_size


def in_turns(works: dict[str, Callable[[], object]]) -> dict[str, float]:
    """The median of the seconds that each of the works takes."""
    taken: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(TURNS):
        for name, work in works.items():
            began = time.perf_counter()
            work()
            taken[name].append(time.perf_counter() - began)
    return {name: sorted(seconds)[TURNS // 2] for name, seconds in taken.items()}


def decode_all(path: Path, decode: Callable[[bytes], Any]) -> None:
    with path.open("rb") as file:
        deque(map(decode, file), maxlen=0)


def decoders(path: Path) -> dict[str, Callable[[], object]]:
    return {
        f"{name} alone": lambda decode=decode: decode_all(path, decode)  # type: ignore[misc]
        for name, decode in LIBRARIES.items()
    }


def checking(path: Path) -> Iterator[Row]:
    size = write(path, requests(LINES))
    what = f"check {LINES:,} lines of {size // LINES} bytes"
    unlimited = Limits(lines=LINES)
    works = {"validate": lambda: validate(path, limits=unlimited), **decoders(path)}
    for name, seconds in in_turns(works).items():
        goal = "≥ 150,000 lines/s" if name == "validate" else ""
        yield f"{what}: {name}", f"{LINES / seconds:,.0f} lines/s", goal
    write(path, requests(5_000))
    tracemalloc.start()
    deque(check(path), maxlen=0)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    yield "check 5,000 lines, peak memory", f"{peak / 1e6:.1f} MB", "flat"


def reading(path: Path) -> Iterator[Row]:
    size = write(path, records(RECORDS))
    works = {"read": lambda: deque(read(path), maxlen=0), **decoders(path)}
    for name, seconds in in_turns(works).items():
        goal = "≤ 0.4 s" if name == "read" else ""
        measured = f"{seconds:.2f} s ({size / seconds / 1e6:,.0f} MB/s)"
        yield f"read {size // 10**6} MB of results: {name}", measured, goal


def main() -> None:
    random.seed(1)
    print(  # noqa: T201
        f"{time.strftime('%Y-%m-%d')}, {os.cpu_count()} cores, Python "
        f"{platform.python_version()}, msgspec {msgspec.__version__}, orjson {orjson.__version__}."
        "\n\n| work | measured | goal |\n|---|---|---|"
    )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "lines.jsonl"
        for measure in (checking, reading):
            for row in measure(path):
                print("|", " | ".join(row), "|", flush=True)  # noqa: T201


if __name__ == "__main__":
    main()

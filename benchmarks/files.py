"""
Measures the validation of input files and the reading of result files, next to JSON libraries.

Rates and times are CPU time, which other load on the machine changes less than elapsed time.
"""

import json
import tempfile
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import orjson

from costs import Cost, Preparation, Work, cost_in_new_process, costs_in_new_processes
from siliconflow_batch.input_files.validation import Limits, validate
from siliconflow_batch.result_files.reading import read
from table import Row

LIBRARIES: dict[str, Callable[[bytes], Any]] = {
    "msgspec": msgspec.json.Decoder().decode,
    "orjson": orjson.loads,
    "json": json.loads,
}
VOCABULARY = (
    "summarise this review in one sentence and say whether it is good or bad the kettle boils "
    "quickly but its lid does not close and I would buy it again 请用一句话总结这条评论 “naïve”"
)
RANDOM = Random(1)  # noqa: S311 - not for secrets
INPUT_SIZE, RESULT_SIZE = 1_000_000_000, 300_000_000  # bytes


def random_text(words: int) -> str:
    return " ".join(RANDOM.choices(VOCABULARY.split(), k=words))


def request_lines(size: int, repeat: int = 1) -> Iterator[bytes]:
    """Lines of an input file of `size` bytes. Each line has about 640 bytes times `repeat`."""
    contents = [random_text(RANDOM.randint(10, 120)) for _ in range(1_000)]
    system = {"role": "system", "content": "You are a helpful assistant that answers briefly."}
    number = 0
    while size > 0:
        messages = [system, {"role": "user", "content": contents[number % 1_000] * repeat}]
        body = {"model": "deepseek-ai/DeepSeek-V3", "messages": messages, "max_tokens": 1024}
        line = {"custom_id": f"request-{number}", "method": "POST", "body": body}
        raw = json.dumps(line, ensure_ascii=False).encode() + b"\n"
        size, number = size - len(raw), number + 1
        yield raw


def result_lines(size: int) -> Iterator[bytes]:
    contents = [random_text(RANDOM.randint(50, 600)) for _ in range(1_000)]
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
    """Returns the number of lines."""
    with path.open("wb") as file:
        return sum(1 for line in lines if file.write(line))


def prepare_validation(path: str) -> Work:
    return lambda: validate(path, limits=Limits(lines=10**9, bytes=10**12))


def prepare_reading(path: str) -> Work:
    return lambda: sum(len(result.text or "") for result in read(path))


def prepare_decoding(path: str, library: str) -> Work:
    return lambda: decode_all(Path(path), LIBRARIES[library])


def decode_all(path: Path, decode: Callable[[bytes], Any]) -> None:
    with path.open("rb") as file:
        deque(map(decode, file), maxlen=0)


def costs_with_libraries(name: str, prepare: Callable[..., Work], path: Path) -> dict[str, Cost]:
    """The cost of reading a file, and that of decoding it with each JSON library alone."""
    preparations: dict[str, Preparation] = {name: (prepare, (str(path),))}
    for library in LIBRARIES:
        preparations[f"{library} alone"] = (prepare_decoding, (str(path), library))
    return costs_in_new_processes(preparations)


def measure_validation() -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "in.jsonl"
        lines = write(path, request_lines(INPUT_SIZE))
        costs = costs_with_libraries("`validate`", prepare_validation, path)
        rates = {name: lines / cost.cpu for name, cost in costs.items()}
        measured = "; ".join(f"{name} {rate:,.0f} lines/s" for name, rate in rates.items())
        memory = costs["`validate`"].memory / lines
        yield Row(
            f"validate 1 GB of input, {lines:,} lines, CPU",
            f"{measured}; {memory:.0f} bytes of memory per line",
            "≥ 150,000 lines/s",
            rates["`validate`"] >= 150_000,
        )
        lines = write(path, request_lines(INPUT_SIZE, repeat=320))
        megabytes = cost_in_new_process(prepare_validation, str(path)).megabytes
        task = f"validate 1 GB of input, {lines:,} lines, added memory"
        yield Row(task, f"{megabytes:.0f} MB", "flat: ≤ 16 MB", megabytes <= 16)


def measure_reading() -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "results.jsonl"
        write(path, result_lines(RESULT_SIZE))
        costs = costs_with_libraries("`results.read`", prepare_reading, path)
    measured = "; ".join(f"{name} {cost.cpu:.2f} s" for name, cost in costs.items())
    met = costs["`results.read`"].cpu <= 0.4
    yield Row("read 300 MB of results from disk and each text, CPU", measured, "≤ 0.4 s", met)

"""
What checking input files and reading result files costs, beside orjson and the standard library.

Rates and times are by CPU time, which another load on the machine changes less than the clock.
msgspec and orjson are needed, msgspec alone by the package.
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

from costs import Cost, Prepared, Work, fresh, fresh_in_turns
from siliconflow_batch.input_files.validation import Limits, validate
from siliconflow_batch.result_files.results import read
from table import Row

LIBRARIES: dict[str, Callable[[bytes], Any]] = {
    "msgspec": msgspec.json.Decoder().decode,
    "orjson": orjson.loads,
    "json": json.loads,
}
WORDS = (
    "summarise this review in one sentence and say whether it is good or bad the kettle boils "
    "quickly but its lid does not close and I would buy it again 请用一句话总结这条评论 “naïve”"
)
CHANCE = Random(1)  # noqa: S311 - not for secrets
INPUT, RECORDS = 1_000_000_000, 300_000_000  # bytes of input, bytes of results


def prose(words: int) -> str:
    return " ".join(CHANCE.choices(WORDS.split(), k=words))


def requests(size: int, longer: int = 1) -> Iterator[bytes]:
    """Lines of input, `size` bytes in all, of some 640 bytes or `longer` times that."""
    contents = [prose(CHANCE.randint(10, 120)) for _ in range(1_000)]
    system = {"role": "system", "content": "You are a helpful assistant that answers briefly."}
    number = 0
    while size > 0:
        messages = [system, {"role": "user", "content": contents[number % 1_000] * longer}]
        body = {"model": "deepseek-ai/DeepSeek-V3", "messages": messages, "max_tokens": 1024}
        line = {"custom_id": f"request-{number}", "method": "POST", "body": body}
        raw = json.dumps(line, ensure_ascii=False).encode() + b"\n"
        size, number = size - len(raw), number + 1
        yield raw


def records(size: int) -> Iterator[bytes]:
    contents = [prose(CHANCE.randint(50, 600)) for _ in range(1_000)]
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


def validation(path: str) -> Work:
    return lambda: validate(path, limits=Limits(lines=10**9, bytes=10**12))


def reading_of(path: str) -> Work:
    return lambda: sum(len(result.text or "") for result in read(path))


def decoding(path: str, library: str) -> Work:
    return lambda: decode_all(Path(path), LIBRARIES[library])


def decode_all(path: Path, decode: Callable[[bytes], Any]) -> None:
    with path.open("rb") as file:
        deque(map(decode, file), maxlen=0)


def beside(name: str, prepare: Callable[..., Work], path: Path) -> dict[str, Cost]:
    """What a work costs that reads a file, and what each library alone does."""
    works: dict[str, Prepared] = {name: (prepare, (str(path),))}
    for library in LIBRARIES:
        works[f"{library} alone"] = (decoding, (str(path), library))
    return fresh_in_turns(works)


def checking() -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "in.jsonl"
        lines = write(path, requests(INPUT))
        found = beside("`validate`", validation, path)
        rates = {name: lines / cost.cpu for name, cost in found.items()}
        measured = "; ".join(f"{name} {rate:,.0f} lines/s" for name, rate in rates.items())
        held = found["`validate`"].added / lines
        yield Row(
            f"validate 1 GB of input, {lines:,} lines, CPU",
            f"{measured}; {held:.0f} bytes held of each line",
            "≥ 150,000 lines/s",
            rates["`validate`"] >= 150_000,
        )
        lines = write(path, requests(INPUT, longer=320))
        added = fresh(validation, str(path)).megabytes
        work = f"validate 1 GB of input, {lines:,} lines, added memory"
        yield Row(work, f"{added:.0f} MB", "flat: ≤ 16 MB", added <= 16)


def reading() -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "results.jsonl"
        write(path, records(RECORDS))
        found = beside("`records.read`", reading_of, path)
    measured = "; ".join(f"{name} {cost.cpu:.2f} s" for name, cost in found.items())
    met = found["`records.read`"].cpu <= 0.4
    yield Row("read 300 MB of results from disk, and each text, CPU", measured, "≤ 0.4 s", met)

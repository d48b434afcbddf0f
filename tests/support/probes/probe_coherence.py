"""Probes that compare responses with each other and with the result files."""

import pytest

from support.account import Account, json_lines
from support.probes.requests import (
    BAD,
    GOOD,
    SECOND,
    Batch,
    Probe,
    cancelled,
    completed,
    custom_ids,
    files,
    listed,
    new_batch,
    records,
    upload,
)


def in_order(batch: Batch) -> bool:
    times = [batch[f"{name}_at"] for name in ("created", "in_progress", "finalizing", "completed")]
    return None not in times and times == sorted(times)


def window(batch: Batch) -> int:
    return int(batch["expires_at"] - batch["created_at"])


def counts_are_right(api: Account) -> bool:
    counts = completed(api, GOOD, SECOND, BAD)["request_counts"]
    return bool(counts == {"total": 3, "completed": 2, "failed": 1})


def stays(api: Account, *names: str) -> bool:
    """Whether these fields are the same at creation, at the end, and when retrieved again."""
    first = new_batch(api)
    last, again = api.advance(first["id"], seconds=2), api.retrieve(first["id"])
    return all(first[name] == last[name] == again[name] for name in names)


def lines_in_their_files(api: Account) -> bool:
    """Whether each line is once in the output file or in the error file."""
    batch = completed(api, GOOD, SECOND, BAD)
    lines = (custom_ids(api, batch), custom_ids(api, batch, "error"))
    return lines == (["Good", "also"], ["bad"])


def listed_as_uploaded(api: Account) -> bool:
    file = upload(api, json_lines(GOOD, SECOND))
    (item,) = (item for item in files(api) if item["id"] == file["id"])
    expected = {**file, "created_at": file["createdAt"], "line_count": 2}
    return item == {name: expected[name] for name in item}


def listed_as_retrieved(api: Account) -> bool:
    batch = completed(api)
    return listed(api, batch["id"]) == {**batch, "file_name": "in.jsonl"}


PROBES: dict[str, Probe] = {
    "milliseconds": lambda api, _: (
        new_batch(api)["created_at"] == pytest.approx(api.simulator.clock.now(), abs=2)
    ),
    "window-ignored": lambda api, _: window(new_batch(api, completion_window="48h")) == 48 * 3600,
    **dict.fromkeys(
        (
            *("start-forgotten", "completed-before-created", "finalizing-after-completed"),
            "completed-without-time",
        ),
        lambda api, _: in_order(completed(api)),
    ),
    "cancelled-without-time": lambda api, _: cancelled(api)["cancelled_at"] is not None,
    "ended-twice": lambda api, _: completed(api)["failed_at"] is None,
    "end-foretold": lambda api, _: new_batch(api)["completed_at"] is None,
    "created-at-moves": lambda api, _: stays(api, "created_at", "expires_at"),
    "input-file-changes": lambda api, _: stays(api, "input_file_id"),
    "failed-line-expired": lambda api, _: all(
        record["error"] is None or record["error"]["code"] != "batch_expired"
        for record in records(api, completed(api, GOOD, BAD), "error")
    ),
    **dict.fromkeys(
        ("errors-when-completed", "errors-as-numbers"),
        lambda api, _: not completed(api)["errors"],
    ),
    "counts-missing": lambda api, _: "request_counts" in new_batch(api),
    "cancelled-errors-late": lambda api, _: not api.retrieve(cancelled(api)["id"])["errors"],
    **dict.fromkeys(
        ("counts-twice", "total-short", "counts-stay-zero"), lambda api, _: counts_are_right(api)
    ),
    "counts-early": lambda api, _: not new_batch(api)["request_counts"],
    "output-early": lambda api, _: new_batch(api)["output_file_id"] is None,
    "error-file-always": lambda api, _: not completed(api)["error_file_id"],
    **dict.fromkeys(
        (
            *("output-missing", "error-file-missing", "files-exchanged", "results-gone"),
            *("line-lost", "line-repeated", "line-unasked", "results-mixed"),
        ),
        lambda api, _: lines_in_their_files(api),
    ),
    **dict.fromkeys(
        ("finished-unlisted", "listed-earlier", "listed-input-id", "listed-metadata"),
        lambda api, _: listed_as_retrieved(api),
    ),
    **dict.fromkeys(
        ("line-count-off", "listed-bytes-zero", "listed-file-earlier"),
        lambda api, _: listed_as_uploaded(api),
    ),
}

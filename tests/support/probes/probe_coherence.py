"""Answers held against each other, and against the result files."""

import pytest

from support.account import Account, json_lines
from support.probes.requests import (
    ALSO,
    BAD,
    GOOD,
    Batch,
    Probe,
    cancelled,
    custom_ids,
    done,
    entry,
    files,
    new,
    records,
    upload,
)


def in_order(batch: Batch) -> bool:
    times = [batch[f"{name}_at"] for name in ("created", "in_progress", "finalizing", "completed")]
    return None not in times and times == sorted(times)


def counted(api: Account) -> bool:
    counts = done(api, GOOD, ALSO, BAD)["request_counts"]
    return bool(counts == {"total": 3, "completed": 2, "failed": 1})


def stays(api: Account, *names: str) -> bool:
    """A batch looks the same from its creation to its end, and the next time."""
    first = new(api)
    last, again = api.advance(first["id"], seconds=2), api.retrieve(first["id"])
    return all(first[name] == last[name] == again[name] for name in names)


def sorted_out(api: Account) -> bool:
    """Every line is in the file where it belongs, once."""
    batch = done(api, GOOD, ALSO, BAD)
    found = (custom_ids(api, batch), custom_ids(api, batch, "error"))
    return found == (["Good", "also"], ["bad"])


def listed_as_uploaded(api: Account) -> bool:
    file = upload(api, json_lines(GOOD, ALSO))
    (found,) = (entry for entry in files(api) if entry["id"] == file["id"])
    same = {**file, "created_at": file["createdAt"], "line_count": 2}
    return found == {name: same[name] for name in found}


def listed_as_retrieved(api: Account) -> bool:
    batch = done(api)
    return entry(api, batch["id"]) == {**batch, "file_name": "in.jsonl"}


PROBES: dict[str, Probe] = {
    "milliseconds": lambda api, _: (
        new(api)["created_at"] == pytest.approx(api.simulator.clock.now(), abs=2)
    ),
    "window-ignored": lambda api, _: (
        (lambda batch: batch["expires_at"] - batch["created_at"])(new(api, completion_window="48h"))
        == 48 * 3600
    ),
    **dict.fromkeys(
        (
            *("start-forgotten", "completed-before-created", "finalizing-after-completed"),
            "completed-without-time",
        ),
        lambda api, _: in_order(done(api)),
    ),
    "cancelled-without-time": lambda api, _: cancelled(api)["cancelled_at"] is not None,
    "ended-twice": lambda api, _: done(api)["failed_at"] is None,
    "end-foretold": lambda api, _: new(api)["completed_at"] is None,
    "created-at-moves": lambda api, _: stays(api, "created_at", "expires_at"),
    "input-file-changes": lambda api, _: stays(api, "input_file_id"),
    "failed-line-expired": lambda api, _: all(
        record["error"] is None or record["error"]["code"] != "batch_expired"
        for record in records(api, done(api, GOOD, BAD), "error")
    ),
    "errors-when-completed": lambda api, _: not done(api)["errors"],
    "cancelled-errors-late": lambda api, _: not api.retrieve(cancelled(api)["id"])["errors"],
    **dict.fromkeys(("counts-twice", "total-short", "counts-zero"), lambda api, _: counted(api)),
    "counts-early": lambda api, _: not new(api)["request_counts"],
    "output-early": lambda api, _: new(api)["output_file_id"] is None,
    "error-file-always": lambda api, _: not done(api)["error_file_id"],
    **dict.fromkeys(
        (
            *("output-missing", "error-file-missing", "files-exchanged", "results-gone"),
            *("line-lost", "line-repeated", "line-unasked", "results-mixed"),
        ),
        lambda api, _: sorted_out(api),
    ),
    **dict.fromkeys(
        ("finished-unlisted", "listed-earlier"), lambda api, _: listed_as_retrieved(api)
    ),
    **dict.fromkeys(
        ("line-count-off", "listed-bytes-zero", "listed-file-earlier"),
        lambda api, _: listed_as_uploaded(api),
    ),
}

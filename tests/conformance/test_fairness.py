"""What a legal service may do, though no document of this API says so."""

import json
from pathlib import Path

import pytest

from siliconflow_batch_conformance.recordings import har
from siliconflow_batch_conformance.run import judge_recorded, selected
from siliconflow_batch_conformance.verdicts import FAILS, HOLDS, NOT_JUDGED
from support.conformance_command import conformance_here
from support.har_entries import BASE, entry, saved


def outcome(id: str, path: Path) -> str:
    capture = har.capture(path)
    return judge_recorded(capture.exchanges, capture.base_url, selected()).verdicts[id].outcome


@pytest.mark.parametrize(
    ("status", "expected"),
    [(402, HOLDS), (413, HOLDS), (451, HOLDS), (418, FAILS), (422, FAILS), (501, FAILS)],
)
def test_statuses_that_need_no_document(tmp_path: Path, status: int, expected: str) -> None:
    """A service may want money, refuse a large body, or obey a court; other statuses fail."""
    path = saved(tmp_path, entry(), entry(status=status, text='"no"'))

    assert outcome("WIRE-3", path) == expected


@pytest.mark.parametrize(
    ("status", "expected"), [(404, HOLDS), (405, HOLDS), (501, HOLDS), (200, FAILS), (400, FAILS)]
)
def test_a_method_of_no_operation(tmp_path: Path, status: int, expected: str) -> None:
    """A server that does not know a method says 501, by RFC 9110."""
    path = saved(tmp_path, entry(), entry(method="PATCH", status=status, text='"no"'))

    assert outcome("HTTP-1", path) == expected


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_result_url_may_redirect(tmp_path: Path, status: int) -> None:
    """A redirect on the way to a result file violates nothing."""
    url = "https://files.example/result"
    batch = f'{{"id": "batch_a", "object": "batch", "output_file_id": "{url}"}}'
    redirect = entry(url, key=None, status=status, text="")
    path = saved(tmp_path, entry(f"{BASE}/batches/batch_a", text=batch), redirect)

    capture = har.capture(path)
    run = judge_recorded(capture.exchanges, capture.base_url, selected())

    assert len(capture.exchanges) == 2
    results = [run.verdicts[id].outcome for id in run.verdicts if id.startswith("RESULT-")]
    assert {*results} <= {HOLDS, NOT_JUDGED}


@pytest.mark.parametrize(
    ("reference", "expected"),
    [
        ("file-abc_1", NOT_JUDGED),
        ("https://files.example/a?b=%20c#d", NOT_JUDGED),
        ("http://[::1]:8000/a", NOT_JUDGED),
        ("", NOT_JUDGED),
        ("ftp://files.example/a", FAILS),
        ("https:///a", FAILS),
        ("//files.example/a", FAILS),
        ("/results/a", FAILS),
        ("javascript:alert(1)", FAILS),
        ("https://files.example/a b", FAILS),
    ],
)
def test_the_address_of_a_result_file(tmp_path: Path, reference: str, expected: str) -> None:
    """It can be downloaded only if it is an id, or an http or https URL with a host."""
    batch = {"id": "batch_a", "object": "batch", "output_file_id": reference}

    path = saved(tmp_path, entry(f"{BASE}/batches/batch_a", text=json.dumps(batch)))

    assert outcome("RESULT-9", path) == expected


def test_a_batch_of_another_account_is_a_must() -> None:
    """A service that shows it to others is not conformant, without --strict."""
    done = conformance_here("--fault", "retrieve-shared", "--only", "OWNER-1")

    assert done.returncode == 1, done.stdout


@pytest.mark.parametrize("variants", [("result-redirect",), ("result-ids", "result-redirect")])
def test_results_are_judged_behind_a_redirect(variants: tuple[str, ...]) -> None:
    """Whether a batch names a URL or an id, the file to which it redirects is its result."""
    faults = [argument for name in variants for argument in ("--fault", name)]

    done = conformance_here(*faults, "--only", "RESULT-1", "--only", "COUNT-4")

    assert done.returncode == 0, done.stdout
    assert "2 of 2 requirements judged" in done.stdout


def test_a_batch_is_found_on_any_page() -> None:
    """The oldest batches may come first, on pages that are shorter than asked for."""
    faults = ("--fault", "list-oldest-first", "--fault", "page-capped")

    done = conformance_here("--core", "--strict", *faults)

    assert done.returncode == 0, done.stdout

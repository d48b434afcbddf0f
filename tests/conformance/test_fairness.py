"""What a legal service may do, though no document of this API says so."""

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


def test_a_batch_of_another_account_is_a_must() -> None:
    """A service that shows it to others is not conformant, without --strict."""
    done = conformance_here("--fault", "retrieve-shared", "--only", "OWNER-1")

    assert done.returncode == 1, done.stdout

"""A service that breaks HTTP itself fails WIRE-4; a lost response is no failure."""

import re
from pathlib import Path

import pytest

from siliconflow_batch_conformance.causes import fundamental_first
from siliconflow_batch_conformance.repro.script import script
from siliconflow_batch_conformance.requirements import load
from siliconflow_batch_conformance.run import judge, selected
from siliconflow_batch_conformance.service.rig import Rig
from siliconflow_batch_conformance.verdicts import FAILS, INCONCLUSIVE, Run
from siliconflow_batch_simulator import Simulator
from support.repeated_scripts import KEYS, QUICK
from support.script_stories import keys, start_script, write_script
from support.spoiling_proxy import Spoil, spoiled

OPERATIONS = {
    "retrieve": "^GET /batches/",
    "create": "^POST /batches$",
    "upload": "^POST /files$",
    "cancel": "/cancel$",
    "download": "/content$",
}


def with_header(line: bytes) -> Spoil:
    return lambda raw: raw.replace(b"\r\n", b"\r\n" + line + b"\r\n", 1)


def in_one_endless_chunk(raw: bytes) -> bytes:
    head, _, body = re.sub(rb"\r\nContent-Length: \d+", b"", raw).partition(b"\r\n\r\n")
    return head + b"\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n" % len(body) + body + b"\r\n"


def with_byte_order_mark(raw: bytes) -> bytes:
    head, _, body = raw.partition(b"\r\n\r\n")
    length = b"Content-Length: %d" % (len(body) + 3)
    return re.sub(rb"Content-Length: \d+", length, head) + b"\r\n\r\n\xef\xbb\xbf" + body


SPOILED: dict[str, Spoil] = {
    "garbage for a status line": lambda raw: b"HELLO " + raw,
    "a body that ends early": lambda raw: raw[:-5],
    "a wrong Content-Encoding": with_header(b"Content-Encoding: gzip"),
    "an unknown Content-Encoding": with_header(b"Content-Encoding: rot13"),
    "a chunked body without an end": in_one_endless_chunk,
}


def run_through(base_url: str) -> Run:
    rig = Rig.at(base_url, *KEYS, writes=True, patience=2, unmetered=True)
    try:
        return judge(rig, 1, selected(core=True)).run()
    finally:
        rig.close()


def failed(run: Run) -> list[str]:
    ids = [id for id, verdict in run.verdicts.items() if verdict.outcome == FAILS]
    return fundamental_first(ids, load())


@pytest.mark.parametrize("operation", OPERATIONS)
@pytest.mark.parametrize("name", SPOILED)
def test_a_broken_response_is_a_failure(
    operation: str, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """WIRE-4 fails, alone; nothing else is accused, and nothing ends the run."""
    with (
        Simulator(keys=KEYS, pace=QUICK) as simulator,
        spoiled(simulator, OPERATIONS[operation], SPOILED[name]) as url,
        capsys.disabled(),
    ):
        run = run_through(url)

    assert (failed(run), run.errors) == (["WIRE-4"], [])


def test_a_byte_order_mark_is_not_json(capsys: pytest.CaptureFixture[str]) -> None:
    """JSON in UTF-8 has none (RFC 8259)."""
    with (
        Simulator(keys=KEYS, pace=QUICK) as simulator,
        spoiled(simulator, OPERATIONS["retrieve"], with_byte_order_mark) as url,
        capsys.disabled(),
    ):
        run = run_through(url)

    assert failed(run) == ["WIRE-1"]


@pytest.mark.parametrize("operation", ["retrieve", "create"])
def test_a_lost_response_is_inconclusive(
    operation: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A connection that closes without a response says nothing about the service."""
    with (
        Simulator(keys=KEYS, pace=QUICK) as simulator,
        spoiled(simulator, OPERATIONS[operation], lambda _: b"") as url,
        capsys.disabled(),
    ):
        run = run_through(url)

    outcomes = {verdict.outcome for verdict in run.verdicts.values()}
    assert (failed(run), run.errors) == ([], [])
    assert INCONCLUSIVE in outcomes


@pytest.mark.parametrize("name", SPOILED)
def test_its_script_repeats_it(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The script of the failure exits with 1 on the same service, and with 0 on a sound one."""
    with (
        Simulator(keys=KEYS, pace=QUICK) as simulator,
        spoiled(simulator, OPERATIONS["retrieve"], SPOILED[name]) as url,
        capsys.disabled(),
    ):
        verdict = run_through(url).verdicts["WIRE-4"]
        text = script(load()["WIRE-4"], verdict.failures[0], url)
        path = write_script(text, tmp_path)
        statuses = []
        for base_url in (url, simulator.base_url):
            process = start_script(path, base_url, **keys(simulator))
            output, _ = process.communicate()
            statuses.append((process.returncode, output))

    assert [status for status, _ in statuses] == [1, 0], statuses

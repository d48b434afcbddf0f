"""
The command on a service that is not on this machine: what it sends, what it leaves, what it says.

The service is a simulator that is reached by this machine's address in its network.
"""

import json
import os
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import httpx
import pytest
from attrs import define

from siliconflow_batch_conformance.checks.exchange import without_keys
from siliconflow_batch_simulator import Pace, Rule, Simulator
from support.account import Account, json_lines, line
from support.shell import start

KEYS = ("sk-live-own-not-to-be-told", "sk-live-other-not-to-be-told")
QUICK = Pace(queued=0.1, running=0.1, finalizing=0.1, cancelling=0.1)
HOURS = Pace(queued=36_000, cancelling=36_000)
ENDED = {"completed", "failed", "expired", "cancelled", "cancelling"}


@pytest.fixture(scope="module")
def address() -> str:
    """This machine's address in its network; nothing is sent to find it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            pytest.skip("this machine has no network, so that nothing is elsewhere")
        found = str(probe.getsockname()[0])
    if found.startswith("127."):
        pytest.skip("this machine has no address but the loopback's")
    return found


@define
class Site:
    """A service, and the command that is run on it; `state` is where its journals are."""

    simulator: Simulator
    base_url: str
    state: Path

    def start(self, *arguments: str, keys: int = 1) -> "subprocess.Popen[str]":
        return command(self.base_url, self.state, *arguments, keys=KEYS[:keys])

    def run(self, *arguments: str, keys: int = 1) -> tuple[int, str]:
        """The exit status, and all that was said."""
        with self.start(*arguments, keys=keys) as running:
            said, _ = running.communicate()
        return running.returncode, said

    def batches(self, account: int = 0) -> list[dict[str, Any]]:
        """All of an account, the newest first."""
        found: list[dict[str, Any]] = []
        query: dict[str, Any] = {"limit": 100}
        while True:
            page = httpx.get(
                self.simulator.base_url + "/batches",
                headers=self.simulator.headers(account),
                params=query,
            ).json()
            found += page["data"]
            if not page["has_more"]:
                return found
            query["after"] = page["last_id"]

    def theirs(self, number: int, account: int = 0) -> list[dict[str, Any]]:
        """Batches that no run made."""
        base, headers = self.simulator.base_url + "/", self.simulator.headers(account)
        with httpx.Client(base_url=base, headers=headers) as http:
            hands = Account(self.simulator, http)
            file_id = hands.upload(json_lines(line())).json()["data"]["id"]
            for _ in range(number):
                assert hands.create(file_id).status_code == 200
        return self.batches(account)

    def posts(self, end: str = "") -> int:
        return sum(
            request.method == "POST" and request.path.endswith(end)
            for request in self.simulator.requests
        )


Open = Callable[..., Any]


@pytest.fixture
def site(address: str, tmp_path: Path) -> Open:
    @contextmanager
    def opened(pace: Pace = QUICK, faults: tuple[str | Rule, ...] = ()) -> Iterator[Site]:
        with Simulator(host="0.0.0.0", keys=KEYS, pace=pace, faults=faults) as simulator:  # noqa: S104
            base_url = simulator.base_url.replace("0.0.0.0", address)  # noqa: S104
            yield Site(simulator, base_url, tmp_path / "state")

    return opened


def command(
    base_url: str, state: Path, *arguments: str, keys: tuple[str, ...]
) -> "subprocess.Popen[str]":
    kept = {name: text for name, text in os.environ.items() if "SILICONFLOW" not in name}
    given = dict(zip(("SILICONFLOW_API_KEY", "SILICONFLOW_API_KEY_2"), keys, strict=False))
    words = ["conformance", "--base-url", base_url, "--rate", "200", "--core", *arguments]
    return start(
        *words,
        stderr=subprocess.STDOUT,
        cwd="/",
        env={**kept, **given, "SILICONFLOW_STATE": str(state)},
    )


def statuses(batches: list[dict[str, Any]]) -> set[str]:
    return {batch["status"] for batch in batches}


class TestReading:
    def test_a_full_account_is_read_and_stays_as_it_was(self, site: Open) -> None:
        """Without --writes nothing is created or stopped; lists tell of what others made."""
        with site(HOURS) as live:
            before = live.theirs(105), live.theirs(3, account=1)
            sent = live.posts()

            status, said = live.run(keys=2)

            assert (status, live.batches(), live.batches(1)) == (0, *before), said
            assert live.posts() - sent <= 60
            assert live.posts("/batches") > 108  # refusals were sent
        judged = said.partition("not judged: LIST-")[2].partition("\n")[0]
        assert "LIST-5" not in judged
        assert "reading only" in said

    def test_a_dry_run_sends_nothing(self, site: Open) -> None:
        """It says what would be run, and what that costs at most."""
        with site() as live:
            status, said = live.run("--dry-run", "--writes")

            assert (status, live.simulator.requests) == (0, [])
        assert "at most 0.01 yuan" in said

    def test_what_changed_since_the_last_run_is_in_its_report(self, site: Open) -> None:
        """With one key, others' batches are enough for the lists; a fault appears as a change."""
        with site(HOURS) as live:
            live.theirs(101)
            folder = live.state.with_name("report")
            sound, said = live.run("--only", "LIST", "--report", str(folder))
            live.simulator.faults.add("first-id-last")

            broken, more = live.run("--only", "LIST", "--report", str(folder))

        assert (sound, broken) == (0, 1), said + more
        rows = (folder / "report.md").read_text(encoding="utf-8").splitlines()
        assert [row for row in rows if "**LIST-1**" in row and "(new)" in row], rows


class TestWriting:
    def test_five_batches_tell_most(self, site: Open, tmp_path: Path) -> None:
        """A sound service conforms; 5 batches and 60 writes are not passed, and nothing runs on."""
        with site() as live:
            files = ("--record", str(tmp_path / "run.har"), "--report", str(tmp_path / "report"))

            status, said = live.run("--writes", "--patience", "30", *files)

            made = live.batches()
            assert (status, len(made) <= 5, live.posts() <= 60) == (0, True, True), said
            assert statuses(made) <= ENDED
            assert {len(batch["metadata"]) for batch in made} > {1}
        assert said.index("yuan") < said.index("not judged")
        unjudged = " ".join(row for row in said.splitlines() if row.startswith("not judged"))
        told = ("CREATE-1,", "CREATE-2,", "LIFE-7", "RESULT-1,", "RESULT-9", "CANCEL-1,", "LIST-5")
        assert [id for id in told if id in unjudged] == []
        for path in (path for path in tmp_path.rglob("*") if path.is_file()):
            assert KEYS[0].encode() not in path.read_bytes(), path
        assert KEYS[0] not in said

    def test_hours_are_inconclusive(self, site: Open) -> None:
        """A batch that does not end in the time given says nothing against the service."""
        with site(HOURS) as live:
            theirs = live.theirs(101)
            cancelled = live.posts("/cancel")

            status, said = live.run("--writes", "--patience", "0.2")

            made = live.batches()[: -len(theirs)]
            assert status == 0, said
            assert statuses(made) == {"cancelling"}
            assert live.batches()[len(made) :] == theirs
            assert live.posts("/cancel") > cancelled
        assert "inconclusive: LIFE-5" in said
        assert "still 'in_queue' when patience ended" in said
        assert "kept for the next time" not in said

    @pytest.mark.parametrize(
        ("fault", "family"),
        [("window-23-taken", "CREATE-8"), ("any-key", "AUTH")],
    )
    def test_what_was_taken_by_mistake_is_cancelled(
        self, site: Open, fault: str, family: str
    ) -> None:
        """A creation that had to be refused and was not is found, named and stopped."""
        with site(HOURS, (fault,)) as live:
            status, said = live.run("--writes", "--patience", "0.2", "--only", family)

            made = live.batches()
            assert (status, 1 <= len(made) <= 5) == (1, True), said
            assert statuses(made) == {"cancelling"}, said


class TestTrouble:
    def test_a_creation_that_is_repeated_after_429_is_cancelled(self, site: Open) -> None:
        """Refused first, taken then: there is one batch, and the run stops it."""
        again = Rule("rate-limited-retry-after", "POST /batches", times=1)
        with site(HOURS, (again,)) as live:
            status, said = live.run("--writes", "--only", "CREATE-21")

            assert (status, live.posts("/batches")) == (0, 2), said
            assert [batch["status"] for batch in live.batches()] == ["cancelling"], said

    def test_an_overload_without_end_is_no_verdict(self, site: Open) -> None:
        """A service that has no time at all is asked a few times, and nothing is said of it."""
        with site(faults=("rate-limited-retry-after",)) as live:
            status, said = live.run("--writes")

            assert (status, len(live.simulator.requests) <= 6) == (2, True), said
        assert "has no time for a run" in said
        assert "Traceback" not in said

    @pytest.mark.parametrize("trouble", ["timeout-html", "reset-after"])
    def test_a_creation_whose_answer_says_nothing_is_not_repeated(
        self, site: Open, trouble: str
    ) -> None:
        """A batch may have come of it: it is looked for, and none is paid for twice."""
        with site(HOURS, (Rule(trouble, "POST /batches", times=1),)) as live:
            theirs = live.theirs(0)
            status, said = live.run("--writes", "--only", "CREATE-21")

            made = live.batches()
            assert (theirs, live.posts("/batches")) == ([], 1), said
            assert status == 2, said  # nothing was judged
            assert statuses(made) <= {"cancelling"}
            assert len(made) == (trouble == "reset-after")
        assert "inconclusive: CREATE-21" in said

    def test_a_storm_at_the_end_is_sat_out(self, site: Open) -> None:
        """What runs on is cancelled although cancels are answered with errors for a while."""
        storm = Rule("server-error", "POST /batches/{batch_id}/cancel", times=2)
        with site(HOURS, (storm,)) as live:
            status, said = live.run("--writes", "--only", "CREATE-21")

            assert (status, live.posts("/cancel")) == (0, 3), said
            assert statuses(live.batches()) == {"cancelling"}, said


class TestEnd:
    @pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
    def test_what_runs_on_is_cancelled(self, site: Open, number: int) -> None:
        """Told to end, a run stops what it made; killed, it leaves that to --clean-up."""
        with site(HOURS) as live:
            theirs = live.theirs(101)
            with live.start("--writes", "--patience", "600", "--only", "LIFE") as running:
                while live.posts("/batches") == len(theirs) or len(live.batches()) == len(theirs):
                    assert running.poll() is None
                running.send_signal(number)
                said, _ = running.communicate()
            if number == signal.SIGKILL:
                assert "in_queue" in statuses(live.batches()[: -len(theirs)])
                status, said = live.run("--clean-up")
                assert status == 0, said
            else:
                assert running.returncode == 2, said

            assert statuses(live.batches()[: -len(theirs)]) == {"cancelling"}, said
            assert live.batches()[-len(theirs) :] == theirs
            assert list(live.state.rglob("*.jsonl")) == []

    def test_two_runs_leave_each_other_alone(self, site: Open) -> None:
        """Each stops its own batches, and none of the other's."""
        with site(HOURS) as live:
            with live.start("--writes", "--only", "CREATE-2", "--only", "CREATE-21") as first:
                status, said = live.run("--writes", "--only", "CREATE-2", "--only", "CREATE-21")
                more, _ = first.communicate()

            made = live.batches()
            assert (status, first.returncode, len(made)) == (0, 0, 4), said + more
            assert statuses(made) == {"cancelling"}
            assert live.posts("/cancel") == len(made)


class Echo(BaseHTTPRequestHandler):
    """Says the key back in every answer."""

    def do_GET(self) -> None:
        self.answer()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self.answer()

    do_OPTIONS = do_GET  # noqa: N815

    def answer(self) -> None:
        body = json.dumps(
            {"object": "list", "data": [], "you": self.headers["authorization"]}
        ).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-You", str(self.headers["authorization"]))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


def test_a_key_that_the_service_says_back_is_told_nowhere(address: str, tmp_path: Path) -> None:
    """Neither what is printed nor any file of the run has it."""
    with ThreadingHTTPServer((address, 0), Echo) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        base_url = f"http://{address}:{server.server_port}/v1"
        files = ("--record", str(tmp_path / "run.har"), "--report", str(tmp_path / "report"))
        with command(base_url, tmp_path / "state", "--writes", *files, keys=KEYS) as running:
            said, _ = running.communicate()
        server.shutdown()
        thread.join()

    assert running.returncode == 1, said
    assert (tmp_path / "run.har").exists()
    for key in (*KEYS, *map(str.swapcase, KEYS)):
        assert key not in said
        for path in (path for path in tmp_path.rglob("*") if path.is_file()):
            assert key.encode() not in path.read_bytes(), path


def test_a_key_in_the_other_letters_is_told_as_little() -> None:
    """A case sends it so; who reads it has the key."""
    assert without_keys("a sk-Live, b SK-lIVE", ["sk-Live"]) == "a …, b …"

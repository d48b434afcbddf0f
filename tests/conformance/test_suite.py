"""The suite itself: its catalogue, its exit status, and whether it sees what is broken."""

import ast
import json
import re
import signal
import subprocess
from pathlib import Path

import pytest
import yaml

from siliconflow_batch_conformance import requirements
from siliconflow_batch_conformance.checks import shapes
from siliconflow_batch_conformance.exit_status import exit_status
from siliconflow_batch_conformance.rules import OBSERVED, SHOWN_BY_CASES
from siliconflow_batch_conformance.run import judge, selected
from siliconflow_batch_conformance.service.rig import Rig
from siliconflow_batch_conformance.verdicts import BROKEN, FAILS, HOLDS
from siliconflow_batch_simulator import Simulator
from siliconflow_batch_simulator.faults import CLASSES, FAULTS
from support.conformance_command import conformance
from support.shell import SCRIPT

ROOT = Path(__file__).parents[2]
REQUESTS = {"CreateBatchRequest", "ModelReplacement", "UploadFileRequest"}
CASES = Path(requirements.__file__).parent / "cases"
HAND_WRITTEN = sorted({id.partition("-")[0] for id in requirements.load()} - {"SCHEMA"})

# Of each class some faults, with the requirement that is told first; FAULTS.md has them all.
CAUGHT_BY = {
    "errors-as-objects": "WIRE-5",
    "json-key-twice": "WIRE-1",
    "window-23-taken": "CREATE-8",
    "lines-5001-taken": "INPUT-6",
    "length-too-long": "WIRE-4",
    "after-ignored": "LIST-3",
    "has-more-false": "LIST-6",
    "never-started": "LIFE-7",
    "cancel-finished": "CANCEL-4",
    "milliseconds": "TIME-1",
    "line-lost": "RESULT-1",
    "metadata-lost": "CREATE-2",
    "content-crlf": "CONTENT-1",
    "create-twice": "CREATE-22",
    "download-changes": "RESULT-8",
    "retrieve-shared": "OWNER-1",
    "any-key": "AUTH-1",
    "key-any-case": "AUTH-2",
}


def only(*families: str) -> list[str]:
    return [word for family in families for word in ("--only", family)]


def _name(argument: ast.arg) -> str:
    return argument.arg


class TestCatalogue:
    def test_every_requirement_has_a_case_and_every_case_a_requirement(self) -> None:
        """The ids of the catalogue are the ids that the cases name, no more and no fewer."""
        named = set(OBSERVED)
        for module in CASES.glob("test_*.py"):
            named |= set(re.findall(r'"([A-Z]+-\d+)"', module.read_text(encoding="utf-8")))

        generated = {f"SCHEMA-{number}" for number in range(1, 8)}
        assert named | generated == requirements.load().keys()

    def test_what_cases_show_and_traffic_does_not_is_known(self) -> None:
        """Of what is observed, a case that asks for more is what a recording cannot replace."""
        asked = set()
        for module in CASES.glob("test_*.py"):
            for case in ast.parse(module.read_text(encoding="utf-8")).body:
                if isinstance(case, ast.FunctionDef) and "expect" in map(_name, case.args.args):
                    asked |= set(re.findall(r"requirement\('(.+?)'\)", ast.unparse(case)))

        assert asked & set(OBSERVED) == set(SHOWN_BY_CASES)

    def test_every_status_and_every_field_is_covered(self) -> None:
        """Whatever an operation may answer is the matter of a requirement."""
        contract = yaml.safe_load((ROOT / "openapi.yaml").read_text(encoding="utf-8"))
        covered = {entry for row in requirements.load().values() for entry in row.covers}
        answers = {name for name in contract["components"]["schemas"] if name not in REQUESTS}

        fields = {
            f"{name}.{field}"
            for name in answers
            for field in contract["components"]["schemas"][name].get("properties", ())
        }
        statuses = {
            (f"{method.upper()} {path}", status)
            for path, item in contract["paths"].items()
            for method, operation in item.items()
            if "responses" in operation
            for status in operation["responses"]
        }
        assert fields - covered == set()
        assert {
            f"{operation} {status}"
            for operation, status in statuses
            if not {f"{operation} {status}", f"* {status}"} & covered
        } == set()

    def test_needs_lead_back_to_no_requirement(self) -> None:
        """What blocks is known, and no failure hides behind itself."""
        rows = requirements.load()

        def needed(id: str, path: tuple[str, ...]) -> None:
            assert id not in path, path
            for other in rows[id].needs:
                if other != "*":
                    needed(other, (*path, id))

        for id in rows:
            needed(id, ())

    def test_every_source_is_known(self) -> None:
        """A requirement names a document that the report can name."""
        for row in requirements.load().values():
            assert row.source in requirements.SOURCES, row.id
            assert row.tier in requirements.TIERS, row.id
            assert row.confidence in ("high", "medium", "low"), row.id

    def test_what_no_document_says_is_not_a_must(self) -> None:
        """Public programs are no document, and HTTP's own rules are hygiene."""
        tiers = {(row.source, row.tier) for row in requirements.load().values()}

        assert {tier for source, tier in tiers if source == "U"} == {"should"}
        assert {source for source, tier in tiers if tier == "hygiene"} == {"H"}

    def test_the_page_is_written_from_the_catalogue(self) -> None:
        """REQUIREMENTS.md says what the catalogue says."""
        assert (ROOT / "docs" / "requirements.md").read_text(
            encoding="utf-8"
        ) == requirements.as_markdown()


class TestFaults:
    @pytest.mark.parametrize(("fault", "requirement"), CAUGHT_BY.items(), ids=CAUGHT_BY)
    def test_a_fault_is_caught_and_named(
        self, fault: str, requirement: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """A simulator with one defect does not conform, and the first cause is told."""
        with Rig.simulated((fault,)) as rig, capsys.disabled():
            run = judge(rig, 1, selected(core=True)).run()

        failed = [id for id, verdict in run.verdicts.items() if verdict.outcome == FAILS]
        assert requirement in failed
        assert len(failed) <= 3

    def test_every_fault_has_been_tried(self) -> None:
        """FAULTS.md is about the faults that there are, and of a run that met every bar."""
        page = (ROOT / "docs" / "faults.md").read_text(encoding="utf-8")
        rows = {row.split("`")[1]: row for row in page.splitlines() if row.startswith("| `")}

        assert rows.keys() == FAULTS.keys()
        assert "**missed**" not in page

    def test_every_class_has_a_fault_here(self) -> None:
        """The sample is of all classes."""
        assert all(CAUGHT_BY.keys() & rows.keys() for rows in CLASSES.values())


class TestExitStatus:
    def test_a_sound_simulator_conforms(self) -> None:
        """Without a fault every requirement that is written by hand holds."""
        done = conformance("--strict", *only(*HAND_WRITTEN))

        assert done.returncode == 0, done.stdout
        assert "fails" not in done.stdout

    def test_a_should_alone_is_reported_and_not_fatal(self) -> None:
        """What no document promises fails nobody, unless asked."""
        done = conformance("--fault", "upload-renamed", *only("UPLOAD"))

        assert done.returncode == 0
        assert "UPLOAD-3" in done.stdout

    def test_a_must_behind_a_should_is_fatal(self) -> None:
        """The first cause is told, and what fails for it counts."""
        done = conformance("--fault", "page-reversed", *only("LIST"))

        assert done.returncode == 1
        assert "LIST-2  GET /batches: the newest batch comes first  [should]" in done.stdout
        assert "[must]" not in done.stdout

    def test_nobody_there_is_no_verdict(self) -> None:
        """A service that does not answer is neither conformant nor not."""
        done = conformance("--base-url", "http://127.0.0.1:9/v1", SILICONFLOW_API_KEY="sk-x")

        assert done.returncode == 2
        assert "does not respond" in done.stderr

    def test_a_wrong_key_is_no_verdict(self) -> None:
        """A key that is not taken says nothing about the service."""
        with Simulator() as simulator:
            done = conformance("--base-url", simulator.base_url, SILICONFLOW_API_KEY="sk-wrong")

        assert done.returncode == 2
        assert "rejected the key" in done.stderr
        assert "sk-wrong" not in done.stdout + done.stderr

    def test_something_else_is_no_verdict(self) -> None:
        """A base URL without its /v1 is a mistake of the caller, not of the service."""
        with Simulator() as simulator:
            base_url = simulator.base_url.removesuffix("/v1")
            done = conformance("--base-url", base_url, SILICONFLOW_API_KEY="sk-simulator")

        assert done.returncode == 2
        assert "Does the base URL end in /v1?" in done.stderr

    def test_an_interrupted_run_is_no_verdict(self) -> None:
        """What was not run does not count as held."""
        command = [SCRIPT, "conformance", *only("LIFE", "AUTH")]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd="/") as running:  # noqa: S603
            assert running.stdout is not None
            running.stdout.readline()
            running.send_signal(signal.SIGTERM)
            said = running.stdout.read()

        assert running.returncode == 2
        assert "interrupted" in said
        assert "conformant" not in said

    def test_a_mistake_of_the_suite_is_no_verdict(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """A check that cannot be applied at all is not the service's failure."""

        def mistaken(*_: object) -> str:
            raise NameError("no such name")

        monkeypatch.setattr(shapes, "status_is", mistaken)
        with Rig.simulated() as rig, capsys.disabled():
            run = judge(rig, 1, selected(["RETRIEVE-2", "LIST-4"])).run()

        outcomes = {id: verdict.outcome for id, verdict in run.verdicts.items()}
        assert outcomes == {"RETRIEVE-2": BROKEN, "LIST-4": HOLDS}
        assert run.errors == ["test_unknown: NameError: no such name"]
        assert exit_status(run, {}) == 2

    @pytest.mark.parametrize(("fault", "status"), [("limit-word-taken", 1), ("", 2)])
    @pytest.mark.parametrize("option", ["--record", "--report"])
    def test_what_cannot_be_written_hides_no_failure(
        self, tmp_path: Path, option: str, fault: str, status: int
    ) -> None:
        """A failure that was found counts first; without one, a run that keeps nothing is none."""
        (tmp_path / "report.html" / "in the way").mkdir(parents=True)
        # A temporary file's name, which is longer, is too long.
        given = tmp_path / ("r" * 250) if option == "--record" else tmp_path
        broken = ["--fault", fault] if fault else []
        done = conformance(option, str(given), *only("LIST-8"), *broken)

        assert done.returncode == status
        assert str(tmp_path) in done.stderr

    @pytest.mark.parametrize(
        ("arguments", "reason"),
        [
            (("--base-url", "http://127.0.0.1:9/v1"), "Set SILICONFLOW_API_KEY"),
            (("--patience", "nan"), "--patience must be"),
            (("--core", *only("SCHEMA-1")), "--core leaves out all"),
            (("--deviations", "/nowhere.yaml", *only("HTTP")), "/nowhere.yaml"),
            (("--report", "/dev/null/x", *only("HTTP")), "/dev/null/x"),
            (("--record", "/dev/null/x/run.har", *only("HTTP")), "/dev/null/x"),
            (("--record", "/", *only("HTTP")), "--record names a file, and / is a folder"),
            (("--only", "LIST-99"), "no requirement 'LIST-99'"),
            (("--fault", "nonsense"), "no fault or variant 'nonsense'"),
            (("--fault", "any-key", "--base-url", "http://127.0.0.1:9/v1"), "leave out --base-url"),
        ],
    )
    def test_options_that_make_no_sense_are_refused(
        self, arguments: tuple[str, ...], reason: str
    ) -> None:
        """Nothing is sent when the question is not clear."""
        done = conformance(*arguments)

        assert done.returncode == 2
        assert reason in done.stderr


class TestAgainstAServer:
    def test_another_server_is_judged_with_two_accounts(self) -> None:
        """The suite needs a base URL and keys, nothing else."""
        with Simulator(keys=("sk-one", "sk-two")) as simulator:
            done = conformance(
                *("--base-url", simulator.base_url, *only("OWNER", "LIFE", "RESULT")),
                SILICONFLOW_API_KEY="sk-one",
                SILICONFLOW_API_KEY_2="sk-two",
            )

        assert done.returncode == 0, done.stdout
        assert "not judged" not in done.stdout

    def test_without_a_second_account_isolation_is_not_judged(self) -> None:
        """What was not looked at is said."""
        with Simulator() as simulator:
            done = conformance(
                *("--base-url", simulator.base_url, *only("OWNER", "LIST")),
                SILICONFLOW_API_KEY="sk-simulator",
            )

        assert done.returncode == 0
        assert "not judged: OWNER-1" in done.stdout

    def test_the_replay_is_the_request_that_deviated(self) -> None:
        """What a stranger was told is asked again with the stranger's key."""
        done = conformance("--fault", "list-shared", *only("OWNER-2"))

        (replay,) = re.findall(r"replay: +(.*)", done.stdout)
        assert replay.startswith("curl -X GET ")
        assert "/v1/batches?limit=100" in replay
        assert replay.endswith('"Authorization: Bearer $SILICONFLOW_API_KEY_2"')

    def test_two_targets_stand_side_by_side(self, tmp_path: Path) -> None:
        """The report of one service takes in that of another."""
        first, both = tmp_path / "first", tmp_path / "both"
        conformance("--report", str(first), *only("HTTP"))

        conformance(
            *("--fault", "put-taken", "--report", str(both), *only("HTTP")),
            *("--beside", str(first / "report.json")),
        )

        runs = json.loads((both / "report.json").read_text(encoding="utf-8"))["runs"]
        assert len({run["target"] for run in runs}) == 2
        outcomes = [run["verdicts"]["HTTP-1"]["outcome"] for run in runs]
        assert outcomes == ["fails", "holds"]

    def test_a_key_is_in_no_report(self) -> None:
        """Failures are told with the key left to the environment."""
        with Simulator(keys=("sk-not-to-be-told",), faults=("after-inclusive",)) as simulator:
            done = conformance(
                *("--base-url", simulator.base_url, *only("LIST", "SCHEMA-2")),
                SILICONFLOW_API_KEY="sk-not-to-be-told",
            )

        assert done.returncode == 1
        assert "sk-not-to-be-told" not in done.stdout + done.stderr
        assert "$SILICONFLOW_API_KEY" in done.stdout

    def test_a_live_service_is_only_read_unless_allowed(self) -> None:
        """Nothing is uploaded or paid for on another machine by accident."""
        rig = Rig.at("https://api.siliconflow.invalid/v1", "sk-x", None, writes=False, patience=1)

        with pytest.raises(pytest.skip.Exception, match="--writes"):
            rig.target.upload(b"")
        rig.close()

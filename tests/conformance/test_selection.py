"""What a run of each kind judges, and each requirement and each fault alone (`--only`)."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from siliconflow_batch_conformance import requirements
from siliconflow_batch_conformance.causes import fundamental_first
from siliconflow_batch_conformance.exit_status import exit_status
from siliconflow_batch_conformance.rules import OBSERVED
from siliconflow_batch_conformance.run import judge, selected
from siliconflow_batch_conformance.service import sender, target
from siliconflow_batch_conformance.service.rig import Rig
from siliconflow_batch_conformance.verdicts import FAILS, HOLDS, Run
from siliconflow_batch_simulator import Pace, Simulator
from support.conformance_command import conformance_here

CATALOGUE = requirements.load()
TIERS = {id: row.tier for id, row in CATALOGUE.items()}
ALONE = sorted(selected(core=True) - {*OBSERVED})
FAULTS_PAGE = Path(__file__).parents[2] / "docs" / "faults.md"
KEYS = ("sk-of-the-run", "sk-of-another")


@pytest.fixture
def simulator() -> Iterator[Simulator]:
    pace = Pace(queued=0.1, running=0.1, finalizing=0.1, cancelling=0.1)
    with Simulator(keys=KEYS, pace=pace) as simulator:
        yield simulator


def run_on(
    simulator: Simulator,
    second_key: str | None = None,
    *,
    writes: bool = False,
    unmetered: bool = False,
) -> tuple[Rig, Run]:
    rig = Rig.at(
        *(simulator.base_url, KEYS[0], second_key),
        writes=writes,
        unmetered=unmetered,
        patience=5,
        rate=1_000,
    )
    try:
        return rig, judge(rig, 1, selected(core=True)).run()
    finally:
        rig.close()


class TestAccess:
    @pytest.mark.parametrize("second_key", [None, KEYS[1]])
    @pytest.mark.parametrize(
        "access",
        [
            {"writes": False, "unmetered": False},
            {"writes": True, "unmetered": False},
            {"writes": True, "unmetered": True},
        ],
    )
    def test_a_run_judges_what_it_has_access_to(
        self,
        simulator: Simulator,
        access: dict[str, bool],
        second_key: str | None,
        capsys: pytest.CaptureFixture[str],
    ) -> None:
        """On a sound service with batches every such requirement holds; the exit status is 0."""
        with capsys.disabled():
            run_on(simulator, writes=True, unmetered=True)
            rig, run = run_on(simulator, second_key, **access)

        judgeable = {id for id in run.verdicts if rig.access.issuperset(CATALOGUE[id].access)}
        held = {id for id, verdict in run.verdicts.items() if verdict.outcome == HOLDS}
        assert judgeable - held == set()
        assert exit_status(run, TIERS, strict=True) == 0

    def test_an_empty_account_is_inconclusive(
        self, simulator: Simulator, capsys: pytest.CaptureFixture[str]
    ) -> None:
        """A run that may only read judges nothing about batches where there is none."""
        with capsys.disabled():
            _, run = run_on(simulator, writes=False)

        assert run.verdicts["BATCH-4"].outcome == "not judged"
        assert exit_status(run, TIERS) == 2
        assert exit_status(run, TIERS, allow_inconclusive=True) == 0


class TestAlone:
    @pytest.mark.parametrize("id", ALONE)
    def test_a_requirement_alone_holds(self, id: str, capsys: pytest.CaptureFixture[str]) -> None:
        """`--only` with one requirement judges it, and nothing else."""
        with capsys.disabled(), Rig.simulated() as rig:
            run = judge(rig, 1, frozenset({id})).run()

        assert {name: verdict.outcome for name, verdict in run.verdicts.items()} == {id: HOLDS}

    def test_observed_requirements_get_their_traffic(self) -> None:
        """`--only` with families that have no cases of their own runs the cases that show them."""
        families = sorted({id.partition("-")[0] for id in OBSERVED})

        done = conformance_here("--strict", *(f"--only={name}" for name in families))

        assert done.returncode == 0, done.stdout
        assert "not judged" not in done.stdout


def caught_by() -> dict[str, str]:
    """The faults of docs/faults.md, each with the most fundamental requirement that catches it."""
    page = FAULTS_PAGE.read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(.+?)`: .*? \| ([A-Z]+-\d+(?:, [A-Z]+-\d+)*) \|", page, re.MULTILINE)
    return {fault: fundamental_first(ids.split(", "), CATALOGUE)[0] for fault, ids in rows}


@pytest.mark.parametrize(("fault", "requirement"), caught_by().items())
def test_a_fault_fails_its_requirement_alone(
    fault: str,
    requirement: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """`--fault` with `--only` and the requirement that catches the fault fails."""
    monkeypatch.setattr(target, "LIST_LAG", 1.5)
    monkeypatch.setattr(sender, "PAUSES", (0.001,) * 5)
    with Rig.simulated((fault,)) as rig, capsys.disabled():
        rig.target.patience = 2
        run = judge(rig, 1, frozenset({requirement})).run()

    assert run.verdicts[requirement].outcome == FAILS

"""`submit`, killed at random moments and run again: one batch for each file."""

import contextlib
import random
import subprocess
from pathlib import Path

import pytest

from siliconflow_batch_simulator import Simulator
from support.account import json_lines, line
from support.shell import Shell, start, until, wait_for_exit

SAMPLE, ALL = 5, 200
START, LATER = 0.4, 0.01  # seconds after the start, or after a request, within which it is killed


def kill_at_random(
    process: "subprocess.Popen[str]", site: Simulator, chance: random.Random, requests: int
) -> int:
    """Kills a process at some request, or some time after one; returns its exit status."""
    seen, number = len(site.requests), chance.randrange(requests)
    until(lambda: len(site.requests) >= seen + number or process.poll() is not None)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(chance.uniform(0, LATER if number else START))
    process.kill()
    return wait_for_exit(process).status


@pytest.mark.soak
def test_a_killed_command_is_finished_by_the_same_command(
    shell: Shell, site: Simulator, soak: bool
) -> None:
    """Each file has one batch, and its id is printed by the last run."""
    Path("other.jsonl").write_bytes(json_lines(line("other")))
    shell("submit", "other.jsonl")  # so that the list is not empty
    kills = 0
    for seed in range(ALL if soak else SAMPLE):
        chance = random.Random(seed)  # noqa: S311 - not for secrets
        names = [f"{seed}-{number}.jsonl" for number in range(1 + chance.randrange(3))]
        for name in names:
            Path(name).write_bytes(json_lines(line(name)))
        command = ("submit", *names, "--patience", "0.5")
        before = {*site.service.batches}
        while kill_at_random(start(*command), site, chance, 2 * len(names)) != 0:
            kills += 1
            if chance.random() < 0.5:  # some are killed again
                break
        else:
            continue  # this run was faster than its kill
        last = shell(*command)

        made = {*site.service.batches} - before
        assert last.status == 0, f"seed {seed}: {last.err}"
        assert len(made) == len(names), f"seed {seed}: {last.err}"
        assert {*last.out.split()} == made, f"seed {seed}: {last.err}"
    assert kills >= (100 if soak else 1)

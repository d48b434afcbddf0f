"""
Measures which faults of the simulator the suite catches: `make faults`.

The core of the suite runs against each fault alone, against the legal variants, and against the
sound simulator with many seeds; the last two must not fail. The script of each fault's first
failure is run against the fault and against a sound simulator. Plain schemathesis runs against a
sample. The results are written to docs/faults.md. The exit status is 1 if a target is missed.
"""

import argparse
import contextlib
import io
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from statistics import median
from xml.etree import ElementTree

from attrs import define, evolve

from siliconflow_batch_conformance.run import judge, selected
from siliconflow_batch_conformance.service.rig import Rig
from siliconflow_batch_conformance.verdicts import FAILS
from siliconflow_batch_simulator import Simulator
from siliconflow_batch_simulator.faults import CLASSES
from siliconflow_batch_simulator.switches.switchboard import Rule
from siliconflow_batch_simulator.variants import VARIANTS
from support.repeated_scripts import KEYS, QUICK, Scripts, repeat, scripts

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "faults.md"
SEEDS = range(1, 21)
CORES = os.cpu_count() or 1
RUNS_AT_ONCE, SCRIPTS_AT_ONCE = 4 * CORES, 3 * CORES  # both are idle part of the time
SAMPLE = 3  # faults of each class for plain schemathesis
NOISE = range(1, 6)  # seeds for schemathesis on the sound simulator
OVERALL, PER_CLASS, MEDIAN = 0.95, 0.90, 2
REQUESTS, CORE_SECONDS, ALL_SECONDS = 300, 5, 60
# Variants that would break every request occur with these rates.
RATES = {
    **dict.fromkeys(("slow", "slow-after", "rate-limited-retry-after"), 0.01),
    **dict.fromkeys(
        (
            *("rate-limited", "rate-limited-plain", "forbidden", "server-error"),
            *("overloaded-string", "overloaded-object", "timeout-string", "timeout-html"),
            *("timeout-empty", "reset-before", "reset-after", "download-truncated"),
            "upload-refused-midway",
        ),
        0.05,
    ),
}
# Faults whose script cannot repeat the failure, with the reason.
NOT_REPEATED = dict.fromkeys(
    ("id-prefix-found", "id-any-case", "after-any-case"),
    "no: it replaces whole ids, and not what is made of one",
)
Fault = str | Rule


@define(frozen=True)
class FaultRun:
    """A run against a fault: failed and noticed (failed or blocked) requirements, and its cost."""

    name: str
    failed: tuple[str, ...]
    noticed: tuple[str, ...]
    requests: int
    seconds: float
    scripts: Scripts
    repeated: str = ""


def run(name: str, faults: tuple[Fault, ...], seed: int = 1, *, core: bool = True) -> FaultRun:
    began = time.monotonic()
    quiet = io.StringIO()
    with Rig.simulated(faults) as rig, contextlib.redirect_stdout(quiet):
        result = judge(rig, seed, selected(core=core)).run()
    seconds = time.monotonic() - began
    failed = [id for id, verdict in result.verdicts.items() if verdict.outcome == FAILS]
    noticed = [id for id, verdict in result.verdicts.items() if verdict.failures]
    return FaultRun(
        name, tuple(failed), tuple(noticed), result.requests, seconds, scripts(result, failed)
    )


def plain_schemathesis(name: str = "", seed: int = 1) -> frozenset[str]:
    """The findings of `schemathesis run`, as codes and operations."""
    with (
        Simulator(keys=KEYS, faults=(name,) if name else (), pace=QUICK) as simulator,
        tempfile.TemporaryDirectory() as folder,
    ):
        command = [
            *(sys.executable, "-m", "schemathesis.cli", "run", str(ROOT / "openapi.yaml")),
            *("--url", simulator.base_url, "-H", f"Authorization: Bearer {KEYS[0]}"),
            *("--max-examples", "20", "--seed", str(seed), "--workers", "1"),
            *("--report", "junit", "--report-dir", folder),
        ]
        subprocess.run(command, capture_output=True, check=False, cwd=folder)  # noqa: S603
        (report,) = Path(folder).glob("*.xml")
        cases = ElementTree.parse(report).getroot().iter("testcase")  # noqa: S314 - written by schemathesis
        return frozenset(
            f"{code} {case.get('name')}"
            for case in cases
            for failure in (*case.iter("failure"), *case.iter("error"))
            for code in re.findall(r"^- (ST\d+)", failure.text or "", re.MULTILINE)
        )


def _fault(name: str) -> FaultRun:
    return run(name, (name,))


def _repeated(outcome: FaultRun) -> FaultRun:
    return evolve(outcome, repeated=repeat(outcome.name, outcome.scripts))


def _again(outcome: FaultRun) -> FaultRun:
    fine = not outcome.repeated or outcome.repeated.startswith("yes")
    return outcome if fine else _repeated(outcome)


def _variant(name: str) -> FaultRun:
    return run(name, (Rule(name, rate=RATES[name]) if name in RATES else name,))


def _sound(seed: int) -> FaultRun:
    return run(f"seed {seed}", (), seed)


def _everything() -> FaultRun:
    return run("everything", (), core=False)


def _workers(number: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(number, mp_context=get_context("spawn"))


def _printed(outcomes: Iterable[FaultRun]) -> Iterator[FaultRun]:
    for outcome in outcomes:
        failed = ", ".join(outcome.failed) or "nothing"
        print(f"{outcome.name}: {failed} ({outcome.repeated or '-'})", flush=True)  # noqa: T201
        yield outcome


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--scripts",
        type=int,
        default=1_000,
        help="number of faults of each class whose scripts are run",
    )
    parser.add_argument(
        "--sample", type=int, default=SAMPLE, help="number of faults of each class for schemathesis"
    )
    options = parser.parse_args()
    sample = [name for rows in CLASSES.values() for name in list(rows)[: options.sample]]
    with _workers(RUNS_AT_ONCE) as pool:
        found = {kind: list(_printed(pool.map(_fault, rows))) for kind, rows in CLASSES.items()}
        variants = list(_printed(pool.map(_variant, VARIANTS)))
        sound = list(_printed(pool.map(_sound, SEEDS)))
        plain = dict(zip(sample, pool.map(plain_schemathesis, sample), strict=True))
        noise = frozenset().union(*pool.map(plain_schemathesis, [""] * len(NOISE), NOISE))
    with _workers(SCRIPTS_AT_ONCE) as pool:
        caught = {
            kind: [
                *_printed(pool.map(_repeated, rows[: options.scripts])),
                *rows[options.scripts :],
            ]
            for kind, rows in found.items()
        }
    # Without concurrency: scripts that may have been too slow, and the measured durations.
    caught = {kind: list(map(_again, rows)) for kind, rows in caught.items()}
    alone = [_sound(1), _everything()]
    missed = list(missed_targets(caught, variants, sound, alone))
    plain = {name: seen - noise for name, seen in plain.items()}
    PAGE.write_text(markdown_page(caught, variants, sound, alone, plain, missed), encoding="utf-8")
    print("\n".join(missed) or "all targets are met")  # noqa: T201
    return 1 if missed else 0


def missed_targets(
    caught: dict[str, list[FaultRun]],
    variants: list[FaultRun],
    sound: list[FaultRun],
    alone: list[FaultRun],
) -> Iterator[str]:
    """The targets that are missed."""
    everything = [outcome for rows in caught.values() for outcome in rows]
    for kind, rows, least in (
        ("all classes", everything, OVERALL),
        *((kind, rows, PER_CLASS) for kind, rows in caught.items()),
    ):
        share = sum(bool(outcome.failed) for outcome in rows) / len(rows)
        if share < least:
            yield f"{kind}: {share:.0%} of the faults are caught, not {least:.0%}"
    for outcome in (*variants, *sound, *alone):
        if outcome.failed:
            yield f"false alarm: {outcome.name}: {', '.join(outcome.failed)}"
    noticed = {id for outcome in everything for id in outcome.noticed}
    if idle := [id for id in selected(core=True) if id not in noticed]:
        yield f"requirements that catch no fault: {', '.join(sorted(idle))}"
    if (number := median(len(outcome.failed) for outcome in everything if outcome.failed)) > MEDIAN:
        yield f"the median of failed requirements is {number}, not at most {MEDIAN}"
    for outcome in everything:
        is_known = outcome.name in NOT_REPEATED
        if outcome.repeated and not outcome.repeated.startswith("yes") and not is_known:
            yield f"{outcome.name}: its script exits with {outcome.repeated}, not 1 and 0"
    core, whole = alone
    if core.seconds > CORE_SECONDS or core.requests > REQUESTS:
        yield f"the core takes {core.seconds:.1f} s and {core.requests} requests"
    if whole.seconds > ALL_SECONDS:
        yield f"everything takes {whole.seconds:.1f} s"


def markdown_page(
    caught: dict[str, list[FaultRun]],
    variants: list[FaultRun],
    sound: list[FaultRun],
    alone: list[FaultRun],
    plain: dict[str, frozenset[str]],
    missed: list[str],
) -> str:
    everything = [outcome for rows in caught.values() for outcome in rows]
    found = sum(bool(outcome.failed) for outcome in everything)
    core, whole = alone
    lines = [
        "# What the suite catches",
        "",
        f"Written by `{' '.join(['support.fault_report', *sys.argv[1:]])}` (`make faults`) on "
        f"{time.strftime('%Y-%m-%d')}: {os.cpu_count()} cores, Python "
        f"{platform.python_version()}. The suite without the cases that schemathesis generates ran "
        "against each fault of the simulator. The script of the first failure ran against it "
        f"and against a sound simulator, for {sum(bool(o.repeated) for o in everything)} faults.",
        "",
        f"- {found} of {len(everything)} faults are caught; the median of failed requirements is "
        f"{median(len(o.failed) for o in everything if o.failed)}.",
        f"- {len(variants)} legal variants and {len(sound)} seeds of the sound simulator: "
        f"{sum(bool(o.failed) for o in (*variants, *sound))} false alarms.",
        f"- A single run takes {core.seconds:.1f} s and {core.requests} requests without the "
        f"generated cases, and {whole.seconds:.1f} s and {whole.requests} requests with them. The "
        f"seconds below were measured with {RUNS_AT_ONCE} concurrent runs.",
        f"- Plain `schemathesis run` with the same contract finds something in "
        f"{sum(map(bool, plain.values()))} of {len(plain)} faults, the first ones of each class, "
        "that it does not find in the sound simulator.",
        *(f"- **missed**: {line}" for line in missed),
    ]
    for kind, rows in caught.items():
        share = f"{sum(bool(o.failed) for o in rows)} of {len(rows)}"
        lines += ["", f"## {kind}: {share}", "", HEAD, "|---|---|---|---|---|---|---|"]
        lines += [_row(outcome, CLASSES[kind][outcome.name].description, plain) for outcome in rows]
    return "\n".join(lines) + "\n"


HEAD = "| fault | caught by | blocked | script | requests | seconds | schemathesis |"


def _row(outcome: FaultRun, description: str, plain: dict[str, frozenset[str]]) -> str:
    found = ""
    if outcome.name in plain:
        found = ", ".join(sorted(plain[outcome.name])) or "nothing"
    cells = [
        f"`{outcome.name}`: {description}",
        ", ".join(outcome.failed) or "**not caught**",
        str(len(outcome.noticed) - len(outcome.failed)),
        NOT_REPEATED.get(outcome.name, outcome.repeated),
        str(outcome.requests),
        f"{outcome.seconds:.1f}",
        found,
    ]
    return "| " + " | ".join(cells) + " |"


if __name__ == "__main__":
    sys.exit(main())

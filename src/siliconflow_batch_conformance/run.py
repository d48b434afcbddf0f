"""
A run of the suite in this process, and a verdict on traffic that was recorded elsewhere.
"""

import os
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis.configuration import set_hypothesis_home_dir

from .checks.exchange import Exchange
from .collector import Report, blocked
from .observer import Observer
from .recordings.judgments import Judgment
from .requirements import load
from .rules import OBSERVED, SHOWN_BY_CASES
from .service.rig import Rig
from .verdicts import FAILS, HOLDS, NOT_JUDGED, Failure, Run, Verdict

CASES = Path(__file__).parent / "cases"


def selected(names: Iterable[str] = (), *, core: bool = False) -> frozenset[str]:
    """The requirements that are named, alone or by their family; all of them without names."""
    wanted = set(names)
    return frozenset(
        id
        for id in load()
        if (not wanted or wanted & {id, id.partition("-")[0]})
        and not (core and id.startswith("SCHEMA-"))
    )


def judge(rig: Rig, seed: int, only: frozenset[str], *, collect: bool = False) -> Report:
    """Runs the cases of the requirements `only`; `collect` runs none."""
    report = Report(rig, seed, only)
    os.environ["SILICONFLOW_CONFORMANCE_SEED"] = str(seed)
    os.environ.pop("PYTEST_ADDOPTS", None)
    set_hypothesis_home_dir(tempfile.gettempdir())  # not into the caller's folder
    generated = any(id.startswith("SCHEMA-") for id in only)
    pytest.main(
        [
            *("-c", str(CASES / "pytest.ini"), "--rootdir", str(CASES), str(CASES)),
            f"--hypothesis-seed={seed}",
            *([] if generated else [f"--ignore={CASES / 'test_schema.py'}"]),
            *(["--collect-only"] if collect else []),
        ],
        plugins=[report],
    )
    return report


def judge_recorded(
    exchanges: list[Exchange],
    base_url: str,
    only: frozenset[str],
    judgments: Iterable[Judgment] = (),
) -> Run:
    """What traffic can tell, and what the cases of a recorded run judged; nothing is sent."""
    began, observer = time.time(), Observer()
    for exchange in exchanges:
        observer.observe(exchange)
    for asked in judgments:
        observer.judge_for_case(asked.requirement, asked.check, *asked.arguments)
    verdicts = {id: _recorded(id, observer) for id in load() if id in only}
    took = time.time() - began
    return Run(base_url, 0, began, took, len(exchanges), blocked(verdicts, load()))


def _recorded(id: str, observer: Observer) -> Verdict:
    story = tuple(observer.exchanges)
    failures = [
        Failure("recorded", (f.check.__doc__ or "").strip(), f.actual, f.check, f.arguments, story)
        for f in observer.findings
        if f.requirement == id
    ]
    if failures:
        return Verdict(id, FAILS, failures, cases=observer.judged[id])
    shown = any(asked.requirement == id for asked in observer.judgments)
    if shown or (observer.judged[id] and id not in SHOWN_BY_CASES):
        return Verdict(id, HOLDS, cases=observer.judged[id])
    why = "nothing was recorded that could tell" if id in OBSERVED else "a recording cannot tell"
    if observer.judged[id]:
        why = "nothing recorded speaks against it; only a run shows that it holds"
    return Verdict(id, NOT_JUDGED, reason=why)

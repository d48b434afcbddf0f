"""
Runs the suite in this process, and judges recorded traffic.
"""

import os
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis.configuration import set_hypothesis_home_dir

from .causes import with_causes
from .checks.exchange import Exchange
from .collector import Report
from .facts.suspension import without_explained
from .observer import Observer
from .recordings.judgments import Judgment
from .requirements import expectation, load
from .rules import OBSERVED, SHOWN_BY_CASES
from .service.rig import Rig
from .verdicts import FAILS, HOLDS, NOT_JUDGED, Failure, Run, Verdict, rows_of

CASES = Path(__file__).parent / "cases"


def selected(names: Iterable[str] = (), *, core: bool = False) -> frozenset[str]:
    """The ids of requirements, from ids and families; all of them without names."""
    selection = set(names)
    return frozenset(
        id
        for id in load()
        if (not selection or selection & {id, id.partition("-")[0]})
        and not (core and id.startswith("SCHEMA-"))
    )


def judge(rig: Rig, seed: int, only: frozenset[str], *, collect: bool = False) -> Report:
    """Runs the cases of the requirements `only`; with `collect` it only collects them."""
    report = Report(rig, seed, only)
    os.environ["SILICONFLOW_CONFORMANCE_SEED"] = str(seed)
    os.environ.pop("PYTEST_ADDOPTS", None)
    set_hypothesis_home_dir(tempfile.gettempdir())  # not in the working directory
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
    """Judges recorded traffic by the rules and by the recorded judgments; sends nothing."""
    began, observer = time.time(), Observer()
    for exchange in exchanges:
        observer.observe(exchange)
    for judgment in judgments:
        observer.judge_for_case(judgment.requirement, judgment.check, *judgment.arguments)
    verdicts = {id: _recorded(id, observer) for id in load() if id in only}
    verdicts = without_explained(verdicts, exchanges)
    seconds = time.time() - began
    verdicts = with_causes(verdicts, load(), observer.findings)
    return Run(base_url, 0, began, seconds, len(exchanges), verdicts)


def _recorded(id: str, observer: Observer) -> Verdict:
    story = tuple(observer.exchanges)
    failures = [
        Failure(
            *("recorded", expectation(one.check), one.actual, one.check, one.arguments, story),
            rows=rows_of(one.actual),
        )
        for one in observer.findings
        if one.requirement == id
    ]
    if failures:
        return Verdict(id, FAILS, failures, cases=observer.judged[id])
    by_case = any(judgment.requirement == id for judgment in observer.judgments)
    if by_case or (observer.judged[id] and id not in SHOWN_BY_CASES):
        return Verdict(id, HOLDS, cases=observer.judged[id])
    if observer.judged[id]:
        reason = "no recorded exchange violates it; only a run can show that it holds"
    elif id in OBSERVED:
        reason = "no recorded exchange could be judged"
    else:
        reason = "only a run can judge it"
    return Verdict(id, NOT_JUDGED, reason=reason, excused=True)

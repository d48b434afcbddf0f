"""The requirements that every exchange of the run is judged by; these cases run last."""

import pytest

from ..observer import Observer
from ..requirements import Deviation, NotJudged, requirement
from ..rules import OBSERVED


@pytest.mark.parametrize("id", [pytest.param(id, marks=requirement(id)) for id in OBSERVED])
def test_observed(id: str, observer: Observer) -> None:
    """No exchange of the run violates the requirement."""
    for finding in observer.findings:
        if finding.requirement == id:
            raise Deviation(finding.check, finding.arguments, finding.actual)
    if not observer.judged[id]:
        raise NotJudged("no exchange of the run could be judged")

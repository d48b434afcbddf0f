"""What every answer of the run is judged by, whichever case caused it; the last of the cases."""

import pytest

from ..observer import Observer
from ..requirements import Deviation, NotJudged, requirement
from ..rules import OBSERVED


@pytest.mark.parametrize("id", [pytest.param(id, marks=requirement(id)) for id in OBSERVED])
def test_observed(id: str, observer: Observer) -> None:
    """Nothing that was seen in the run speaks against the requirement."""
    for finding in observer.findings:
        if finding.requirement == id:
            raise Deviation(finding.check, finding.arguments, finding.actual)
    if not observer.judged[id]:
        raise NotJudged("nothing was seen that could tell")

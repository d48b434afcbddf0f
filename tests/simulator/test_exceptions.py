"""The exceptions of the simulator."""

import copy
import pickle

import pytest

from siliconflow_batch_simulator.batches.lifecycle import TransitionRefused
from siliconflow_batch_simulator.files.inspection import InputFileError, LineInvalid
from siliconflow_batch_simulator.launcher import OptionInvalid
from siliconflow_batch_simulator.service.database import FolderUnusable
from siliconflow_batch_simulator.service.refusals import bad_request

EXCEPTIONS = [
    LineInvalid(InputFileError.LINE_EMPTY, "the line is empty"),
    TransitionRefused("batch_a", "completed", "cancel"),
    bad_request("The body must be a JSON object."),
    FolderUnusable("/data cannot be used: database is locked."),
    OptionInvalid("--backend-model needs --backend."),
]


@pytest.mark.parametrize("exception", EXCEPTIONS, ids=lambda exception: type(exception).__name__)
def test_an_exception_survives_copying(exception: Exception) -> None:
    """A pickled or copied exception has the same text and attributes."""
    for copied in (pickle.loads(pickle.dumps(exception)), copy.deepcopy(exception)):  # noqa: S301
        assert str(copied) == str(exception)
        assert vars(copied) == vars(exception)

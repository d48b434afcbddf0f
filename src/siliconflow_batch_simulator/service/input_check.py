"""
Whether a batch can be created from an input file.

Rule: the file was inspected when it was uploaded; only the models depend on the creation.
"""

from ..files.inspection import InputFileError, Inspection
from ..files.storage import File
from .refusals import Reason

# The reason for a 400; every other error is one of a line.
REASONS = {
    InputFileError.NO_LINES: Reason.FILE_EMPTY,
    InputFileError.TOO_MANY_LINES: Reason.TOO_MANY_LINES,
    InputFileError.CUSTOM_ID_REPEATED: Reason.CUSTOM_ID_REPEATED,
}


def input_error(file: File, model: str | None) -> str | None:
    """Why a batch cannot be created from an input file; `model` is `replace.model`."""
    inspection = file.inspection
    if inspection is None:
        return "it is a result file"
    return inspection.message or _model_error(inspection, model)


def input_reason(file: File) -> Reason:
    error = file.inspection.error if file.inspection else None
    return Reason.OTHER if error is None else REASONS.get(error, Reason.LINE)


def _model_error(inspection: Inspection, replacement: str | None) -> str | None:
    if replacement is not None or (len(inspection.models) == 1 and None not in inspection.models):
        return None
    if inspection.models == {None}:
        return "no line names a model, and replace.model is missing"
    models = sorted(str(model) for model in inspection.models)
    return f"without replace.model every line must name the same model, not {models}"

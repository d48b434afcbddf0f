"""
What a recording says about each open question.

    the alternatives that every sighting allows    outcome
    the first alone                                confirmed
    the first is not among them                    refuted
    none                                           contradicted
    the first and others, or no sighting           not seen

Rule: each question has a function in FINDERS or a reason in UNANSWERABLE.
"""

from collections.abc import Mapping

from attrs import define

from ..checks.exchange import Exchange
from . import batch_questions, file_questions, list_questions, result_questions
from .assumptions import Assumptions, Question
from .sightings import Exchanges, Finder, Sighting

CONFIRMED, REFUTED, NOT_SEEN, CONTRADICTED = "confirmed", "refuted", "not seen", "contradicted"

FINDERS: Mapping[str, Finder] = {
    "list-order": list_questions.list_order,
    "list-paging": list_questions.list_paging,
    "list-metadata": list_questions.list_metadata,
    "list-lag": list_questions.list_lag,
    "list-default-limit": list_questions.list_default_limit,
    "unknown-after": list_questions.unknown_after,
    "unknown-batch": batch_questions.unknown_batch,
    "created-status": batch_questions.created_status,
    "invalid-input": file_questions.invalid_input,
    "batch-errors": batch_questions.batch_errors,
    "no-errors": batch_questions.no_errors,
    "optional-fields": batch_questions.optional_fields,
    "no-counts": batch_questions.no_counts,
    "expires-at": batch_questions.expires_at,
    "waiting-status": batch_questions.waiting_status,
    "null-in-request": batch_questions.null_in_request,
    "finished-cancel": batch_questions.finished_cancel,
    "result-reference": result_questions.result_reference,
    "result-redirect": result_questions.result_redirect,
    "result-encoding": result_questions.result_encoding,
    "result-length": result_questions.result_length,
    "result-expiry": result_questions.result_expiry,
    "result-delay": result_questions.result_delay,
    "no-failures": result_questions.no_failures,
    "file-content": result_questions.file_content,
    "files-order": file_questions.files_order,
    "files-purpose": file_questions.files_purpose,
    "error-code": file_questions.error_code,
    "error-shape": file_questions.error_shape,
}
UNANSWERABLE: Mapping[str, str] = {
    "late-response": "a recording has no exchange for a response that came too late",
}


@define(frozen=True)
class Conclusion:
    """
    `alternatives` are those that remain possible: one where the question is answered, two where
    sightings contradict each other. `exchange` shows it, and `contradicted_by` is the exchange that
    shows another alternative.
    """

    question: Question
    outcome: str
    alternatives: tuple[str, ...] = ()
    exchange: Exchange | None = None
    contradicted_by: Exchange | None = None
    reason: str = ""

    @property
    def variant(self) -> str | None:
        """The simulator's variant that shows the alternative; None for the default."""
        if len(self.alternatives) != 1 or self.outcome == CONTRADICTED:
            return None
        return self.question.alternative(self.alternatives[0]).variant


def conclude(exchanges: Exchanges, assumptions: Assumptions) -> list[Conclusion]:
    """A conclusion for each question, in the order of the questions."""
    return [answer(question, exchanges) for question in assumptions.questions.values()]


def answer(question: Question, exchanges: Exchanges) -> Conclusion:
    if question.id in UNANSWERABLE:
        return Conclusion(question, NOT_SEEN, reason=UNANSWERABLE[question.id])
    possible = frozenset(one.name for one in question.alternatives)
    narrowed_by: Sighting | None = None
    for sighting in FINDERS[question.id](exchanges):
        remaining = possible & sighting.alternatives
        if not remaining:
            return _contradicted(question, narrowed_by or sighting, sighting)
        if remaining < possible:
            possible, narrowed_by = remaining, sighting
    if narrowed_by is None:
        return Conclusion(question, NOT_SEEN, reason="no exchange shows it")
    names = tuple(one.name for one in question.alternatives if one.name in possible)
    if question.chosen.name not in possible:
        return Conclusion(question, REFUTED, names, narrowed_by.exchange)
    if len(names) == 1:
        return Conclusion(question, CONFIRMED, names, narrowed_by.exchange)
    reason = f"{' or '.join(names)}: no exchange tells them apart"
    return Conclusion(question, NOT_SEEN, names, narrowed_by.exchange, reason=reason)


def _contradicted(question: Question, first: Sighting, second: Sighting) -> Conclusion:
    sets = (first.alternatives, second.alternatives)
    names = tuple(" or ".join(sorted(alternatives)) or "none" for alternatives in sets)
    return Conclusion(question, CONTRADICTED, names, first.exchange, second.exchange)

"""
The exceptions of this package, as one tree.

    SiliconFlowError
    ├── APIError                  the service responded with an error
    │   ├── BadRequest            400: the request is invalid; nothing was changed
    │   ├── KeyRefused            401: the API key is missing or invalid
    │   ├── AccessDenied          403: the account is not allowed to do this
    │   ├── NotFound              404: the account has no such object, or the path is wrong
    │   ├── RateLimited           429: too many requests; `retry_after` is in seconds
    │   ├── ServiceUnavailable    5xx: the service or a gateway failed; try again later
    │   ├── EnvelopedFailure      200, but the body reports a failure
    │   └── UnreadableAnswer      200, but the body is not what the contract declares
    ├── TransportError            no response, or only a part of one
    │   ├── CertificateRefused    the certificate of the service cannot be verified
    │   └── DownloadTruncated     a download ended early; nothing was written
    ├── CreateOutcomeUnknown      a batch may exist, and was not found
    ├── ListIncomplete            the service shows only a part of a list, or may do so
    ├── BatchNotCompleted         a batch is final, but not completed
    │   ├── BatchFailed           the service rejected the batch as a whole
    │   ├── BatchExpired          the completion window ended first
    │   └── BatchCancelled        the batch was cancelled
    ├── WaitTimedOut              a batch was not final in time; it continues to run
    ├── ResultsIncomplete         lines are missing, repeated, unknown or cannot be read
    ├── FileNotWritten            a file cannot be written, and is as it was
    ├── StateUnusable             a file in the state folder cannot be written
    └── InputError                refused, and no batch was created
        ├── KeyMissing            there is no usable API key
        ├── ArgumentInvalid       an argument is invalid
        ├── InputFileChanged      an input file is not the one that was checked any more
        └── InputFileInvalid      an input file is invalid; `faults` lists why

Rule 1: no message, repr or attribute contains the key.
Rule 2: the text is what happened and where, an empty line, and what to do next.
Rule 3: every exception can be pickled and copied.
"""

from .base_error import SiliconFlowError
from .batch_errors import (
    BatchCancelled,
    BatchExpired,
    BatchFailed,
    BatchNotCompleted,
    CreateOutcomeUnknown,
    ListIncomplete,
    ResultsIncomplete,
    WaitTimedOut,
)
from .input_errors import (
    ArgumentInvalid,
    FileNotWritten,
    InputError,
    InputFileChanged,
    InputFileInvalid,
    KeyMissing,
    LineFault,
    StateUnusable,
)
from .service_errors import (
    AccessDenied,
    APIError,
    BadRequest,
    CertificateRefused,
    DownloadTruncated,
    EnvelopedFailure,
    KeyRefused,
    NotFound,
    RateLimited,
    ServiceUnavailable,
    TransportError,
    UnreadableAnswer,
)

__all__ = [
    "APIError",
    "AccessDenied",
    "ArgumentInvalid",
    "BadRequest",
    "BatchCancelled",
    "BatchExpired",
    "BatchFailed",
    "BatchNotCompleted",
    "CertificateRefused",
    "CreateOutcomeUnknown",
    "DownloadTruncated",
    "EnvelopedFailure",
    "FileNotWritten",
    "InputError",
    "InputFileChanged",
    "InputFileInvalid",
    "KeyMissing",
    "KeyRefused",
    "LineFault",
    "ListIncomplete",
    "NotFound",
    "RateLimited",
    "ResultsIncomplete",
    "ServiceUnavailable",
    "SiliconFlowError",
    "StateUnusable",
    "TransportError",
    "UnreadableAnswer",
    "WaitTimedOut",
]

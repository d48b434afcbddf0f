"""
The models of the generated client: the request and response bodies as the contract declares them.
"""

from siliconflow_batch_api.models import (
    Batch,
    BatchErrorList,
    BatchMetadata,
    BatchPage,
    BatchStatus,
    CreateBatchRequest,
    ErrorBody,
    FileList,
    ListedFile,
    ListFilesResponse,
    ModelReplacement,
    RequestCounts,
    UploadedFile,
    UploadFileRequest,
    UploadFileResponse,
)

__all__ = [
    "Batch",
    "BatchErrorList",
    "BatchMetadata",
    "BatchPage",
    "BatchStatus",
    "CreateBatchRequest",
    "ErrorBody",
    "FileList",
    "ListFilesResponse",
    "ListedFile",
    "ModelReplacement",
    "RequestCounts",
    "UploadFileRequest",
    "UploadFileResponse",
    "UploadedFile",
]

"""
The models of the generated client: the request and response bodies as the contract declares them.
"""

from siliconflow_batch_api.models import (
    Batch,
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

"""Contains all the data models used in inputs/outputs"""

from .batch import Batch
from .batch_error_list import BatchErrorList
from .batch_metadata import BatchMetadata
from .batch_page import BatchPage
from .batch_status import BatchStatus
from .create_batch_request import CreateBatchRequest
from .error_body import ErrorBody
from .file_list import FileList
from .list_files_response import ListFilesResponse
from .listed_file import ListedFile
from .model_replacement import ModelReplacement
from .request_counts import RequestCounts
from .upload_file_request import UploadFileRequest
from .upload_file_response import UploadFileResponse
from .uploaded_file import UploadedFile

__all__ = (
    "Batch",
    "BatchErrorList",
    "BatchMetadata",
    "BatchPage",
    "BatchStatus",
    "CreateBatchRequest",
    "ErrorBody",
    "FileList",
    "ListedFile",
    "ListFilesResponse",
    "ModelReplacement",
    "RequestCounts",
    "UploadedFile",
    "UploadFileRequest",
    "UploadFileResponse",
)

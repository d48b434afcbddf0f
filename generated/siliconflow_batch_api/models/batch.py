from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, BinaryIO, Generator, TextIO, TypeVar, cast

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..models.batch_status import BatchStatus
from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.batch_error_list import BatchErrorList
    from ..models.batch_metadata import BatchMetadata
    from ..models.request_counts import RequestCounts


T = TypeVar("T", bound="Batch")


@_attrs_define
class Batch:
    """A batch. All times are Unix seconds. A time is null until its event happens.

    Attributes:
        id (str):
        object_ (str): Always `batch`.
        endpoint (str):
        errors (BatchErrorList | list[Any] | None): Errors of the batch as a whole. The published examples are null and
            `[]`. No example shows an error,
            so nobody knows whether errors are strings, objects, or OpenAI's list object with `data`.
        input_file_id (str):
        completion_window (str):
        status (BatchStatus | str): The status of the batch. It may be a value that no document names.
        output_file_id (None | str): The file with the successful lines, as a download URL or as a file id.
        error_file_id (None | str): The file with the failed and expired lines, as a download URL or as a file id.
        created_at (int):
        in_progress_at (int | None):
        expires_at (int): `created_at` plus `completion_window` in the reference pages. The guide's example differs.
        completed_at (int | None):
        failed_at (int | None):
        expired_at (int | None):
        request_counts (None | RequestCounts): The number of lines by outcome. The examples are null, an empty object
            and all three counts.
        metadata (BatchMetadata | None): The metadata of the creation request.
        finalizing_at (int | None | Unset):
        cancelling_at (int | None | Unset):
        cancelled_at (int | None | Unset):
        file_name (str | Unset): The name of the input file. Only items of the list have this field.
    """

    id: str
    object_: str
    endpoint: str
    errors: BatchErrorList | list[Any] | None
    input_file_id: str
    completion_window: str
    status: BatchStatus | str
    output_file_id: None | str
    error_file_id: None | str
    created_at: int
    in_progress_at: int | None
    expires_at: int
    completed_at: int | None
    failed_at: int | None
    expired_at: int | None
    request_counts: None | RequestCounts
    metadata: BatchMetadata | None
    finalizing_at: int | None | Unset = UNSET
    cancelling_at: int | None | Unset = UNSET
    cancelled_at: int | None | Unset = UNSET
    file_name: str | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.batch_error_list import BatchErrorList  # noqa: PLC0415
        from ..models.batch_metadata import BatchMetadata  # noqa: PLC0415
        from ..models.request_counts import RequestCounts  # noqa: PLC0415

        id = self.id

        object_ = self.object_

        endpoint = self.endpoint

        errors: dict[str, Any] | list[Any] | None
        if isinstance(self.errors, list):
            errors = self.errors

        elif isinstance(self.errors, BatchErrorList):
            errors = self.errors.to_dict()
        else:
            errors = self.errors

        input_file_id = self.input_file_id

        completion_window = self.completion_window

        status: str
        if isinstance(self.status, BatchStatus):
            status = self.status.value
        else:
            status = self.status

        output_file_id: None | str
        output_file_id = self.output_file_id

        error_file_id: None | str
        error_file_id = self.error_file_id

        created_at = self.created_at

        in_progress_at: int | None
        in_progress_at = self.in_progress_at

        expires_at = self.expires_at

        completed_at: int | None
        completed_at = self.completed_at

        failed_at: int | None
        failed_at = self.failed_at

        expired_at: int | None
        expired_at = self.expired_at

        request_counts: dict[str, Any] | None
        if isinstance(self.request_counts, RequestCounts):
            request_counts = self.request_counts.to_dict()
        else:
            request_counts = self.request_counts

        metadata: dict[str, Any] | None
        if isinstance(self.metadata, BatchMetadata):
            metadata = self.metadata.to_dict()
        else:
            metadata = self.metadata

        finalizing_at: int | None | Unset
        if isinstance(self.finalizing_at, Unset):
            finalizing_at = UNSET
        else:
            finalizing_at = self.finalizing_at

        cancelling_at: int | None | Unset
        if isinstance(self.cancelling_at, Unset):
            cancelling_at = UNSET
        else:
            cancelling_at = self.cancelling_at

        cancelled_at: int | None | Unset
        if isinstance(self.cancelled_at, Unset):
            cancelled_at = UNSET
        else:
            cancelled_at = self.cancelled_at

        file_name = self.file_name

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "id": id,
                "object": object_,
                "endpoint": endpoint,
                "errors": errors,
                "input_file_id": input_file_id,
                "completion_window": completion_window,
                "status": status,
                "output_file_id": output_file_id,
                "error_file_id": error_file_id,
                "created_at": created_at,
                "in_progress_at": in_progress_at,
                "expires_at": expires_at,
                "completed_at": completed_at,
                "failed_at": failed_at,
                "expired_at": expired_at,
                "request_counts": request_counts,
                "metadata": metadata,
            }
        )
        if finalizing_at is not UNSET:
            field_dict["finalizing_at"] = finalizing_at
        if cancelling_at is not UNSET:
            field_dict["cancelling_at"] = cancelling_at
        if cancelled_at is not UNSET:
            field_dict["cancelled_at"] = cancelled_at
        if file_name is not UNSET:
            field_dict["file_name"] = file_name

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.batch_error_list import BatchErrorList  # noqa: PLC0415
        from ..models.batch_metadata import BatchMetadata  # noqa: PLC0415
        from ..models.request_counts import RequestCounts  # noqa: PLC0415

        d = dict(src_dict)
        id = d.pop("id")

        object_ = d.pop("object")

        endpoint = d.pop("endpoint")

        def _parse_errors(data: object) -> BatchErrorList | list[Any] | None:
            if data is None:
                return data
            try:
                if not isinstance(data, list):
                    raise TypeError()
                errors_type_0 = cast(list[Any], data)

                return errors_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                errors_batch_error_list = BatchErrorList.from_dict(data)

                return errors_batch_error_list
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(BatchErrorList | list[Any] | None, data)

        errors = _parse_errors(d.pop("errors"))

        input_file_id = d.pop("input_file_id")

        completion_window = d.pop("completion_window")

        def _parse_status(data: object) -> BatchStatus | str:
            try:
                if not isinstance(data, str):
                    raise TypeError()
                status_type_0 = BatchStatus(data)

                return status_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(BatchStatus | str, data)

        status = _parse_status(d.pop("status"))

        def _parse_output_file_id(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        output_file_id = _parse_output_file_id(d.pop("output_file_id"))

        def _parse_error_file_id(data: object) -> None | str:
            if data is None:
                return data
            return cast(None | str, data)

        error_file_id = _parse_error_file_id(d.pop("error_file_id"))

        created_at = d.pop("created_at")

        def _parse_in_progress_at(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        in_progress_at = _parse_in_progress_at(d.pop("in_progress_at"))

        expires_at = d.pop("expires_at")

        def _parse_completed_at(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        completed_at = _parse_completed_at(d.pop("completed_at"))

        def _parse_failed_at(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        failed_at = _parse_failed_at(d.pop("failed_at"))

        def _parse_expired_at(data: object) -> int | None:
            if data is None:
                return data
            return cast(int | None, data)

        expired_at = _parse_expired_at(d.pop("expired_at"))

        def _parse_request_counts(data: object) -> None | RequestCounts:
            if data is None:
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                request_counts_type_0 = RequestCounts.from_dict(data)

                return request_counts_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(None | RequestCounts, data)

        request_counts = _parse_request_counts(d.pop("request_counts"))

        def _parse_metadata(data: object) -> BatchMetadata | None:
            if data is None:
                return data
            try:
                if not isinstance(data, dict):
                    raise TypeError()
                metadata_type_0 = BatchMetadata.from_dict(data)

                return metadata_type_0
            except (TypeError, ValueError, AttributeError, KeyError):
                pass
            return cast(BatchMetadata | None, data)

        metadata = _parse_metadata(d.pop("metadata"))

        def _parse_finalizing_at(data: object) -> int | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(int | None | Unset, data)

        finalizing_at = _parse_finalizing_at(d.pop("finalizing_at", UNSET))

        def _parse_cancelling_at(data: object) -> int | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(int | None | Unset, data)

        cancelling_at = _parse_cancelling_at(d.pop("cancelling_at", UNSET))

        def _parse_cancelled_at(data: object) -> int | None | Unset:
            if data is None:
                return data
            if isinstance(data, Unset):
                return data
            return cast(int | None | Unset, data)

        cancelled_at = _parse_cancelled_at(d.pop("cancelled_at", UNSET))

        file_name = d.pop("file_name", UNSET)

        batch = cls(
            id=id,
            object_=object_,
            endpoint=endpoint,
            errors=errors,
            input_file_id=input_file_id,
            completion_window=completion_window,
            status=status,
            output_file_id=output_file_id,
            error_file_id=error_file_id,
            created_at=created_at,
            in_progress_at=in_progress_at,
            expires_at=expires_at,
            completed_at=completed_at,
            failed_at=failed_at,
            expired_at=expired_at,
            request_counts=request_counts,
            metadata=metadata,
            finalizing_at=finalizing_at,
            cancelling_at=cancelling_at,
            cancelled_at=cancelled_at,
            file_name=file_name,
        )

        batch.additional_properties = d
        return batch

    @property
    def additional_keys(self) -> list[str]:
        return list(self.additional_properties.keys())

    def __getitem__(self, key: str) -> Any:
        return self.additional_properties[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self.additional_properties[key] = value

    def __delitem__(self, key: str) -> None:
        del self.additional_properties[key]

    def __contains__(self, key: str) -> bool:
        return key in self.additional_properties

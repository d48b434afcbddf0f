from __future__ import annotations

from collections.abc import Mapping
from typing import (
    TYPE_CHECKING,
    Any,
    BinaryIO,
    Generator,
    Literal,
    TextIO,
    TypeVar,
    cast,
)

from attrs import define as _attrs_define
from attrs import field as _attrs_field

from ..types import UNSET, Unset

if TYPE_CHECKING:
    from ..models.batch_metadata import BatchMetadata
    from ..models.model_replacement import ModelReplacement


T = TypeVar("T", bound="CreateBatchRequest")


@_attrs_define
class CreateBatchRequest:
    """The input file of a new batch and its options.

    Attributes:
        input_file_id (str): The id of an uploaded input file.
        endpoint (Literal['/v1/chat/completions']): The path that every line is sent to. This is the only supported
            value.
        completion_window (str): The longest time that the batch may take, in whole hours from 24h to 336h (14 days).
        metadata (BatchMetadata | Unset): At most 16 pairs of strings. Keys have at most 64 characters, values at most
            512.
        replace (ModelReplacement | Unset): Values that replace those of the lines.
    """

    input_file_id: str
    endpoint: Literal["/v1/chat/completions"]
    completion_window: str
    metadata: BatchMetadata | Unset = UNSET
    replace: ModelReplacement | Unset = UNSET
    additional_properties: dict[str, Any] = _attrs_field(init=False, factory=dict)

    def to_dict(self) -> dict[str, Any]:
        from ..models.batch_metadata import BatchMetadata  # noqa: PLC0415
        from ..models.model_replacement import ModelReplacement  # noqa: PLC0415

        input_file_id = self.input_file_id

        endpoint = self.endpoint

        completion_window = self.completion_window

        metadata: dict[str, Any] | Unset = UNSET
        if not isinstance(self.metadata, Unset):
            metadata = self.metadata.to_dict()

        replace: dict[str, Any] | Unset = UNSET
        if not isinstance(self.replace, Unset):
            replace = self.replace.to_dict()

        field_dict: dict[str, Any] = {}
        field_dict.update(self.additional_properties)
        field_dict.update(
            {
                "input_file_id": input_file_id,
                "endpoint": endpoint,
                "completion_window": completion_window,
            }
        )
        if metadata is not UNSET:
            field_dict["metadata"] = metadata
        if replace is not UNSET:
            field_dict["replace"] = replace

        return field_dict

    @classmethod
    def from_dict(cls: type[T], src_dict: Mapping[str, Any]) -> T:
        from ..models.batch_metadata import BatchMetadata  # noqa: PLC0415
        from ..models.model_replacement import ModelReplacement  # noqa: PLC0415

        d = dict(src_dict)
        input_file_id = d.pop("input_file_id")

        endpoint = cast(Literal["/v1/chat/completions"], d.pop("endpoint"))
        if endpoint != "/v1/chat/completions":
            raise ValueError(
                f"endpoint must match const '/v1/chat/completions', got '{endpoint}'"
            )

        completion_window = d.pop("completion_window")

        _metadata = d.pop("metadata", UNSET)
        metadata: BatchMetadata | Unset
        if isinstance(_metadata, Unset):
            metadata = UNSET
        else:
            metadata = BatchMetadata.from_dict(_metadata)

        _replace = d.pop("replace", UNSET)
        replace: ModelReplacement | Unset
        if isinstance(_replace, Unset):
            replace = UNSET
        else:
            replace = ModelReplacement.from_dict(_replace)

        create_batch_request = cls(
            input_file_id=input_file_id,
            endpoint=endpoint,
            completion_window=completion_window,
            metadata=metadata,
            replace=replace,
        )

        create_batch_request.additional_properties = d
        return create_batch_request

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

"""
A program with mistakes. Type checkers report every marked line, and no other line.

A mark names the error code that mypy reports and the rule that pyright reports.
"""

import siliconflow_batch
from siliconflow_batch import (
    AsyncSiliconFlowBatch,
    Batch,
    SiliconFlowBatch,
    models,
    operations,
)
from siliconflow_batch.errors import APIError, BatchFailed, BatchNotCompleted
from siliconflow_batch.models import Batch as BatchModel
from siliconflow_batch.models import Batches  # wrong: attr-defined, reportAttributeAccessIssue
from siliconflow_batch_api import AuthenticatedClient
from siliconflow_batch_simulator import Simulator


def misspelt_attributes(batch: Batch) -> None:
    print(batch.state)  # wrong: attr-defined, reportAttributeAccessIssue
    print(batch.counts.done)  # wrong: attr-defined, reportAttributeAccessIssue
    print(batch.model.state)  # wrong: attr-defined, reportAttributeAccessIssue
    print(batch.model.created_at.year)  # wrong: attr-defined, reportAttributeAccessIssue
    print(siliconflow_batch.SiliconFlowBach)  # wrong: attr-defined, reportAttributeAccessIssue
    batch.id = "batch_2"  # wrong: misc, reportAttributeAccessIssue


def wrong_types(batch: Batch, model: BatchModel) -> int:
    name: str = batch.model.output_file_id  # wrong: assignment, reportAssignmentType
    count: int = batch.status  # wrong: assignment, reportAssignmentType
    other: Batch = model  # wrong: assignment, reportAssignmentType
    print(name, count, other)
    return batch.created_at  # wrong: return-value, reportReturnType


def wrong_arguments(client: SiliconFlowBatch, batch: Batch) -> None:
    client.retrieve(1)  # wrong: arg-type, reportArgumentType
    client.retrieve(batch.created_at)  # wrong: arg-type, reportArgumentType
    client.results(batch.counts)  # wrong: arg-type, reportArgumentType
    client.create("file-1", window=24.5)  # wrong: arg-type, reportArgumentType
    client.create("file-1", metadata={"job": 1})  # wrong: dict-item, reportArgumentType
    client.create("file-1", windows=24)  # wrong: call-arg, reportCallIssue
    client.upload()  # wrong: call-arg, reportCallIssue
    client.submit("in.jsonl", "a model")  # wrong: call-arg, reportCallIssue
    client.wait("batch_1", on_update=print_name)  # wrong: arg-type, reportArgumentType
    SiliconFlowBatch(retries=3)  # wrong: arg-type, reportArgumentType
    Simulator(port="8700")  # wrong: arg-type, reportArgumentType


def print_name(name: str) -> None:
    print(name)


def errors(failed: BatchFailed, ended: BatchNotCompleted, refused: APIError) -> None:
    print(failed.batch.state)  # wrong: attr-defined, reportAttributeAccessIssue
    print(ended.batch.model.state)  # wrong: attr-defined, reportAttributeAccessIssue
    print(refused.status_code)  # wrong: attr-defined, reportAttributeAccessIssue


def generated_client(client: AuthenticatedClient) -> None:
    operations.retrieve_batch.sync(1, client=client)  # wrong: arg-type, reportArgumentType
    operations.retrieve_batch.sync("batch_1")  # wrong: call-arg, reportCallIssue
    print(operations.get_batch)  # wrong: attr-defined, reportAttributeAccessIssue
    models.Batch(id="batch_1")  # wrong: call-arg, reportCallIssue


async def not_awaited(client: AsyncSiliconFlowBatch) -> None:
    batch = client.retrieve("batch_1")
    print(batch.id)  # wrong: attr-defined, reportAttributeAccessIssue

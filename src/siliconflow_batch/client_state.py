"""What a client knows while it runs, and how it prepares a creation; it sends nothing."""

from abc import ABC
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

from .creations.create_once import create_all
from .creations.evidence import Creation
from .creations.orders import BatchSettings, Order, new_token
from .creations.remembered import Memory
from .objects import Batch, moment
from .retries import Patience
from .steps import Call, Flow
from .transport.logs import log_retries
from .transport.settings import Settings

if TYPE_CHECKING:
    from .state.submissions import SubmissionFile


class ClientState(ABC):
    """The settings and the memory of a client, and the orders that it makes of them."""

    _settings: Settings
    _patience: Patience
    _memory: Memory

    def _recorded(
        self, key: str | None, settings: BatchSettings, content: str
    ) -> AbstractContextManager["SubmissionFile | None"]:
        """
        The record of a creation with an idempotency key, locked; None without a key.

        `content` is what the batch is made of, as a file id or a digest.
        """
        return nullcontext() if key is None else self._open_record(key, settings, content)

    def _account(self) -> str:
        """The digest that names the account in the state folder."""
        from .state.digests import account_digest

        return account_digest(self._settings.base_url, self._settings.authorization.key)

    def _open_record(
        self,
        key: str | None,
        settings: BatchSettings,
        content: str,
        *,
        name: str = "",
        source: str = "",
        command: str = "",
    ) -> "SubmissionFile":
        """The record of a creation, by its key, or else by its content and a `name`."""
        from .state.digests import digest
        from .state.submissions import SubmissionFile

        account = self._account()
        request = settings.digest(content)
        token = new_token(key)
        file_name = digest(request, name) if key is None else token
        return SubmissionFile.open(
            account, file_name, request, token=token, source=source, command=command
        )

    def _order(
        self,
        settings: BatchSettings,
        record: "SubmissionFile | None" = None,
        *,
        file_id: str | None = None,
        source: Callable[[], AbstractContextManager[Call]] | None = None,
        is_keyed: bool = False,
    ) -> Order:
        """
        An order for one batch, of a file or of the upload that `source` opens.

        With a `record`, it goes on where the record ends.
        """
        submission = record.submission if record is not None else None
        is_own, uploaded_at = self._memory.take_file(file_id)
        if source is not None and submission is not None and submission.file_id is not None:
            is_own, file_id = True, submission.file_id
            uploaded_at = moment(submission.uploaded_at)
        creation = Creation(
            submission.token if submission is not None else new_token(),
            file_id,
            is_own,
            uploaded_at,
            before=frozenset(self._memory.batches),
            is_new_account=self._patience.new_account,
        )
        order = Order(settings, creation, source, is_keyed=is_keyed, record=record)
        if submission is not None:
            order.made = submission.batch_id
            order.is_resumed = submission.creating is not None
        return order

    def _flow(self, *orders: Order, on_end: Callable[[Order], None] = lambda _: None) -> Flow[None]:
        return create_all(orders, self._patience, known=self._memory.batches, on_end=on_end)

    def _made(self, order: Order) -> Batch:
        """The batch of an order that has ended; raises its error."""
        if order.batch is None:
            if order.is_refused and order.record is not None:
                order.record.forget()  # no batch can exist
            raise order.error or AssertionError
        self._memory.add_batch(order.batch)
        return order.batch

    def _attempts(self, repeatable: bool = True) -> Any:
        """The attempts of one request, for a `for` or `async for` loop."""
        import stamina  # it imports asyncio, so it is imported when it is first needed

        log_retries()
        retries = self._settings.retries
        return stamina.retry_context(
            on=lambda error: retries.again(error, repeatable), **retries.arguments()
        )

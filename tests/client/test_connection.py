"""connect(): what a user is protected from."""

import subprocess
import sys

import pytest

from siliconflow_batch import CHINA, File, UnexpectedStatus, connect, models, operations
from siliconflow_batch_simulator import Simulator

LINE = (
    b'{"custom_id": "a", "body": {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}}'
)

CREATION = models.CreateBatchRequest("file-x", "/v1/chat/completions", "24h")


class TestConnect:
    def test_the_key_comes_from_the_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """SILICONFLOW_API_KEY and SILICONFLOW_BASE_URL are enough."""
        with Simulator(keys=("sk-env",)) as simulator:
            monkeypatch.setenv("SILICONFLOW_API_KEY", "sk-env\n")
            monkeypatch.setenv("SILICONFLOW_BASE_URL", simulator.base_url)

            with connect() as client:
                page = operations.list_batches.sync(client=client)

        assert isinstance(page, models.BatchPage)

    def test_without_a_base_url_it_is_the_china_site(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The default is the site whose documents say the most."""
        monkeypatch.delenv("SILICONFLOW_BASE_URL", raising=False)

        assert CHINA in repr(connect("sk-x"))

    @pytest.mark.parametrize("key", ["", "  ", "sk-é", "sk\nx"])
    def test_a_key_that_cannot_be_sent_is_refused(self, key: str) -> None:
        """An unusable key is found before anything is sent, and is not repeated in the error."""
        with pytest.raises(ValueError, match="no usable API key") as refused:
            connect(key)

        assert not key.strip() or key not in str(refused.value)

    def test_the_key_is_in_no_repr(self) -> None:
        """Printing the client does not print the key."""
        client = connect("sk-secret")

        assert "sk-secret" not in repr(client) + str(client) + f"{client!r:>10}"

    def test_timeouts_are_finite(self) -> None:
        """Nothing waits for ever."""
        timeout = connect("sk-x").get_httpx_client().timeout

        assert None not in timeout.as_dict().values()

    def test_an_undocumented_status_is_an_exception(self) -> None:
        """What the contract does not name is not taken for None: here, 405 of another path."""
        with Simulator() as simulator:
            elsewhere = simulator.base_url + "/batches"

            with connect("sk-simulator", elsewhere) as client, pytest.raises(UnexpectedStatus):
                operations.create_batch.sync(client=client, body=CREATION)


class TestFlow:
    def test_upload_create_and_retrieve_are_typed(self) -> None:
        """The generated operations do the talking against a live simulator."""
        with Simulator() as simulator, connect("sk-simulator", simulator.base_url) as client:
            uploaded = operations.upload_file.sync(client=client, body=upload(LINE))
            assert isinstance(uploaded, models.UploadFileResponse)
            assert isinstance(uploaded.data, models.UploadedFile)
            batch = operations.create_batch.sync(
                client=client,
                body=models.CreateBatchRequest(
                    input_file_id=uploaded.data.id,
                    endpoint="/v1/chat/completions",
                    completion_window="24h",
                ),
            )
            assert isinstance(batch, models.Batch)
            found = operations.retrieve_batch.sync(batch.id, client=client)

        assert isinstance(found, models.Batch)
        assert (found.id, found.expires_at) == (batch.id, batch.created_at + 86_400)


def upload(data: bytes) -> models.UploadFileRequest:
    from io import BytesIO

    file = File(payload=BytesIO(data), file_name="requests.jsonl")
    return models.UploadFileRequest(purpose="batch", file=file)


def test_importing_the_client_loads_attrs_and_httpx_alone() -> None:
    """Who imports the client gets no server, no test tool and no command line with it."""
    code = (
        "import sys, attrs, httpx; before = {*sys.modules}; import siliconflow_batch; "
        "print({name.partition('.')[0] for name in {*sys.modules} - before}"
        " - {*sys.stdlib_module_names})"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)  # noqa: S603

    assert eval(done.stdout) == {"siliconflow_batch", "siliconflow_batch_api"}  # noqa: S307

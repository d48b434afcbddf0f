"""The environment that httpx reads: mistakes are named, and this machine needs no proxy."""

import contextlib
import socket
import ssl
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme
from httpcore._synchronization import ThreadLock

from siliconflow_batch import Retries, SiliconFlowBatch, errors
from siliconflow_batch_simulator import Simulator
from support.scripted_server import Answer, ScriptedServer, answer
from support.shell import Shell

Open = Callable[..., Any]
WRONG = [
    ("ALL_PROXY", "socks://127.0.0.1:9", "its scheme is 'socks'. For a SOCKS proxy, use socks5://"),
    ("all_proxy", "ftp://127.0.0.1:9", "its scheme is 'ftp'"),
    ("HTTPS_PROXY", "http://user:word@[::1", "it is no URL"),
    ("NO_PROXY", "localhost,[::1]:80", "no host or address"),
    ("SSL_CERT_FILE", "/nowhere/ca.pem", "No such file or directory"),
    ("SSL_CERT_DIR", "/nowhere", "it is no folder"),
]


@pytest.mark.parametrize(("variable", "value", "reason"), WRONG)
def test_a_mistake_in_the_environment_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, variable: str, value: str, reason: str
) -> None:
    """It names the variable, and not the password of a proxy."""
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.setenv(variable, value)

    with pytest.raises(errors.ArgumentInvalid, match=variable) as raised:
        SiliconFlowBatch("sk-x", "http://127.0.0.1:9/v1")

    assert reason in str(raised.value)
    assert "word" not in str(raised.value)


@pytest.mark.parametrize(("variable", "value", "_"), WRONG)
def test_the_command_line_names_the_variable(
    shell: Shell,
    site: Simulator,
    monkeypatch: pytest.MonkeyPatch,
    variable: str,
    value: str,
    _: str,
) -> None:
    """The exit status is that of a usage error; commands with event loops do the same."""
    monkeypatch.delenv("SSL_CERT_FILE", raising=False)
    monkeypatch.setenv(variable, value)

    for command in (["list"], ["wait", "batch_a"]):
        result = shell(*command)
        assert (result.status, result.out) == (2, "")
        assert variable in result.err
        assert "Traceback" not in result.err


def test_a_certificate_file_without_certificates(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The message names the variable and the path."""
    path = tmp_path / "bad.pem"
    path.write_text("no certificate\n")
    monkeypatch.setenv("SSL_CERT_FILE", str(path))

    with pytest.raises(errors.ArgumentInvalid, match=r"SSL_CERT_FILE='.*bad.pem'"):
        SiliconFlowBatch("sk-x")


def test_a_socks_proxy_is_used(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the extra, a request goes to the proxy; nothing listens there."""
    monkeypatch.setenv("ALL_PROXY", "socks5://127.0.0.1:1")
    client = opened(key="sk-x", base_url="http://service.invalid/v1", retries=Retries(attempts=1))

    with pytest.raises(errors.TransportError, match=r"refused|failed"):
        client.retrieve("batch_a")


def test_without_the_extra_its_name_is_given(tmp_path: Path) -> None:
    """A process without socksio says how to install it."""
    program = (
        "import sys; sys.modules['socksio'] = None\n"
        "from siliconflow_batch import SiliconFlowBatch\n"
        "try: SiliconFlowBatch('sk-x')\n"
        "except Exception as error: print(type(error).__name__, error)"
    )
    done = subprocess.run(  # noqa: S603 - this interpreter
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        env={"ALL_PROXY": "socks5://127.0.0.1:1", "PYTHONPATH": ":".join(sys.path)},
    )

    assert done.stdout.startswith("ArgumentInvalid ALL_PROXY names a SOCKS proxy")
    assert "siliconflow-batch[socks]" in done.stdout


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.1"])
def test_this_machine_is_reached_without_a_proxy(
    opened: Open, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    """A proxy that cannot reach this machine does not matter."""
    batch = {"id": "batch_a", "status": "in_queue"}
    with ScriptedServer(answer(batch)) as server, ScriptedServer(Answer(502)) as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url.removesuffix("/v1"))
        client = opened(key="sk-x", base_url=server.url.replace("127.0.0.1", host))

        assert client.retrieve("batch_a").id == "batch_a"
        assert proxy.received == []


def test_another_machine_is_reached_through_the_proxy(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the environment says."""
    batch = {"id": "batch_a", "status": "in_queue"}
    with ScriptedServer(answer(batch)) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url.removesuffix("/v1"))
        client = opened(key="sk-x", base_url="http://service.invalid/v1")

        assert client.retrieve("batch_a").id == "batch_a"
        assert proxy.received[0][0] == "http://service.invalid/v1/batches/batch_a"


class TestCertificates:
    def test_a_certificate_that_is_not_trusted(self, opened: Open) -> None:
        """The message names SSL_CERT_FILE, and the request is not repeated."""
        with untrusted_server() as (url, connections):
            client = opened(key="sk-x", base_url=url, retries=Retries(attempts=4))

            with pytest.raises(errors.CertificateRefused, match="SSL_CERT_FILE") as raised:
                client.retrieve("batch_a")

        assert not raised.value.sent
        assert connections == ["accepted"]

    def test_the_certificate_of_a_company(
        self, opened: Open, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        """With SSL_CERT_FILE as the message says, the request succeeds."""
        authority = trustme.CA()
        authority.cert_pem.write_to_path(str(tmp_path / "company.pem"))
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "company.pem"))
        with untrusted_server(authority) as (url, _):
            client = opened(key="sk-x", base_url=url)

            assert client.retrieve("batch_a").id == "batch_a"


@contextlib.contextmanager
def untrusted_server(authority: trustme.CA | None = None) -> Iterator[tuple[str, list[str]]]:
    """A TLS server with one batch, its URL, and an entry for each connection."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    (authority or trustme.CA()).issue_cert("localhost").configure_cert(context)
    connections: list[str] = []
    body = b'{"id": "batch_a", "status": "in_queue"}'

    def serve(listener: socket.socket) -> None:
        while True:
            try:
                plain, _ = listener.accept()
                connections.append("accepted")
                with context.wrap_socket(plain, server_side=True) as connection:
                    connection.recv(65_536)
                    head = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n"
                    connection.sendall(head % len(body) + body)
            except ssl.SSLError:
                continue
            except OSError:
                return

    with socket.create_server(("127.0.0.1", 0)) as listener:
        threading.Thread(target=serve, args=(listener,), daemon=True).start()
        yield f"https://localhost:{listener.getsockname()[1]}/v1", connections


def test_an_interruption_leaves_no_lock(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After Ctrl-C while the connection pool is locked, the client works and can be closed."""
    release = ThreadLock.__exit__
    signals = [KeyboardInterrupt]

    def interrupted(self: ThreadLock, *arguments: Any) -> None:
        if signals:
            raise signals.pop()
        release(self, *arguments)

    ended = []

    def use() -> None:
        with SiliconFlowBatch(simulator.api_key, simulator.base_url) as client:
            monkeypatch.setattr(ThreadLock, "__exit__", interrupted)
            with pytest.raises(KeyboardInterrupt):
                list(client.batches())
            ended.append(list(client.batches()))

    thread = threading.Thread(target=use, daemon=True)  # it must not block the tests
    thread.start()
    thread.join(30)
    assert ended == [[]]
    assert not thread.is_alive()

"""Which addresses a result link may name, and which are reached without a proxy."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from siliconflow_batch import Retries, errors
from siliconflow_batch.transport.addresses import check_result_url, is_local
from support.scripted_server import Answer, ScriptedServer

Open = Callable[..., Any]
SERVICE = "https://api.siliconflow.cn/v1"
REFUSED = [
    *("http://127.0.0.1/x", "http://127.1/x", "http://2130706433/x", "http://0x7f.1/x"),
    *("http://0177.0.0.1/x", "http://0/x", "http://127.0.0.1./x", "https://localhost/x"),
    *("http://LOCALHOST./x", "http://a.localhost/x", "http://[::1]/x", "http://[::]/x"),
    *("http://[::ffff:127.0.0.1]/x", "http://[::ffff:7f00:1]/x", "http://[64:ff9b::7f00:1]/x"),
    *("http://[2002:7f00:1::]/x", "http://[fe80::1%25eth0]/x", "http://[fd00::1]/x"),
    *("http://10.0.0.1/x", "http://172.16.0.1/x", "http://192.168.1.1/x"),
    *("http://169.254.169.254/latest/meta-data", "http://100.64.0.1/x", "http://0.0.0.0/x"),
    *("http://127\u30020\u30020\u30021/x", "http://127\uff610.0.1/x", "http://[::127.0.0.1]/x"),
    *("http://[::ffff:0:127.0.0.1]/x", "http://[fec0::1]/x", "http://[ff02::1]/x"),
    *("http://224.0.0.1/x", "http://[64:ff9b:1::7f00:1]/x", "http://%31%32%37.0.0.1/x"),
    *("http://127%2e0.0.1/x", "http://127.0.0.1 /x", "http://good.example\\@127.0.0.1/x"),
    *("http://user:word@127.0.0.1/x", "http://\uff11\uff12\uff17.0.0.1/x", "HTTP://127.0.0.1/x"),
    *("file:///etc/passwd", "ftp://host/x", "https:///x", "http://", "gopher://host/x"),
]
ALLOWED = [
    *("https://results.example.com/x?Signature=1", "http://8.8.8.8/x", "https://[2606:4700::1]/x"),
    *("https://127.example.com/x", "https://localhost.example.com/x", "http://fe80.example/x"),
]


@pytest.mark.parametrize("url", REFUSED)
def test_a_service_elsewhere_may_not_name_this_network(url: str) -> None:
    """However the address is written."""
    with pytest.raises(errors.ArgumentInvalid):
        check_result_url(url, SERVICE)


@pytest.mark.parametrize("url", ALLOWED)
def test_other_hosts_are_allowed(url: str) -> None:
    """Names are not resolved."""
    check_result_url(url, SERVICE)


@pytest.mark.parametrize("base", ["http://127.0.0.1:8700/v1", "http://[::1]/v1", "http://10.1.2.3"])
def test_a_service_in_this_network_may(base: str) -> None:
    """As the simulator does."""
    check_result_url("http://127.0.0.1:9/x", base)


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("http://127.0.0.1:8700/v1", True),
        ("http://localhost/v1", True),
        ("http://[::1]:1/v1", True),
        ("http://127.1/v1", True),
        ("http://10.0.0.1/v1", False),
        (SERVICE, False),
        ("http://[", False),
    ],
)
def test_this_machine_is_recognised(url: str, local: bool) -> None:
    """By its address, or as localhost."""
    assert is_local(url) == local


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    with ScriptedServer() as server:
        yield server


def test_a_message_has_no_signature(opened: Open, tmp_path: Path) -> None:
    """The query of a signed link is as secret as a key."""
    client = opened(key="sk-x", base_url=SERVICE)

    with pytest.raises(errors.ArgumentInvalid) as raised:
        client.download("http://10.0.0.1/file?Signature=secret", tmp_path / "x")

    assert "secret" not in str(raised.value)


def test_a_redirect_is_checked(opened: Open, server: ScriptedServer, tmp_path: Path) -> None:
    """A link may not lead to another scheme by a redirect."""
    client = opened(key="sk-x", base_url=server.url, retries=Retries(attempts=1))
    server.script = [Answer(302, b"", {"location": "ftp://127.0.0.1/x"})]

    with pytest.raises(errors.ArgumentInvalid, match="http or https"):
        client.download("file-a", tmp_path / "x")


def test_a_redirect_is_followed_and_keeps_the_key_here(
    opened: Open, server: ScriptedServer, tmp_path: Path
) -> None:
    """The key goes along to the same origin, and to no other."""
    client = opened(key="sk-x", base_url=server.url)
    with ScriptedServer(Answer(200, b"content")) as other:
        server.script = [
            Answer(307, b"", {"location": "/v1/elsewhere"}),
            Answer(302, b"", {"location": other.url + "/signed"}),
        ]

        path = client.download("file-a", tmp_path / "x")

    assert path.read_bytes() == b"content"
    assert [headers.get("authorization") for _, headers in server.received] == ["Bearer sk-x"] * 2
    assert [headers.get("authorization") for _, headers in other.received] == [None]


def test_redirects_end(opened: Open, server: ScriptedServer, tmp_path: Path) -> None:
    """A link that leads to itself is an error."""
    client = opened(key="sk-x", base_url=server.url, retries=Retries(attempts=1))
    server.script = [Answer(302, b"", {"location": "/v1/files/file-a/content"})]

    with pytest.raises(errors.TransportError, match="too many redirects"):
        client.download("file-a", tmp_path / "x")

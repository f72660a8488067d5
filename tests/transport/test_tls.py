"""TLS on the way out: opportunistic, required, implicit; what happens when it fails."""

import ssl
from pathlib import Path

import pytest

from appliance.net.tls import CA_FILE, CERTIFICATE_FILE, KEY_FILE
from appliance.transport import smarthost
from appliance.transport.smarthost import Smarthost, TlsMode
from tests.net.conftest import client_context, tls_directory
from tests.transport.conftest import Sending

__all__ = ["client_context", "tls_directory"]


@pytest.fixture
def server_tls(tls_directory: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tls_directory / CERTIFICATE_FILE, tls_directory / KEY_FILE)
    return context


def trusting(tls_directory: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(tls_directory / CA_FILE))


def via(sending: Sending, port: int, mode: TlsMode, host: str = "localhost") -> None:
    sending.office.write(lambda txn: smarthost.put(txn, Smarthost(host, port, mode)))


def test_tls_where_it_is_offered(sending: Sending, server_tls: ssl.SSLContext) -> None:
    async def test(s: Sending) -> None:
        remote = await s.remote("STARTTLS", domain="far.test", tls=server_tls)
        s.put("a@far.test")
        await s.idle()
        assert len(remote.got) == 1
        assert remote.lines[:3] == ["EHLO mail.example.test", "STARTTLS", "EHLO mail.example.test"]

    sending.run(test)


def test_plain_text_where_tls_fails(sending: Sending, tls_directory: Path) -> None:
    async def test(s: Sending) -> None:
        remote = await s.remote("STARTTLS", domain="far.test")
        remote.answers["STARTTLS"] = "454 4.7.0 not today"
        s.put("a@far.test")
        await s.idle()
        assert len(remote.got) == 1
        assert remote.connections == 2

    sending.run(test)


def test_a_smart_host_is_verified(sending: Sending, server_tls: ssl.SSLContext, tls_directory: Path) -> None:
    async def test(s: Sending) -> None:
        remote = await s.remote("STARTTLS", tls=server_tls)
        via(s, remote.port, TlsMode.STARTTLS)
        s.put("a@far.test")
        await s.idle()
        assert remote.got == []
        (entry,) = s.office.queue()
        assert "certificate verify failed" in entry.last_answer

    sending.run(test)


def test_a_smart_host_with_a_known_authority(
    sending: Sending, server_tls: ssl.SSLContext, tls_directory: Path
) -> None:
    sending.verified = trusting(tls_directory)

    async def test(s: Sending) -> None:
        remote = await s.remote("STARTTLS", tls=server_tls)
        via(s, remote.port, TlsMode.STARTTLS)
        s.put("a@far.test")
        await s.idle()
        assert len(remote.got) == 1
        assert "STARTTLS" in remote.lines

    sending.run(test)


def test_a_smart_host_that_lost_its_tls(sending: Sending) -> None:
    async def test(s: Sending) -> None:
        remote = await s.remote()
        via(s, remote.port, TlsMode.STARTTLS)
        s.put("a@far.test")
        await s.idle()
        assert remote.got == []
        assert not any(line.startswith("MAIL") for line in remote.lines)
        assert len(s.office.queue()) == 1

    sending.run(test)


def test_implicit_tls(sending: Sending, server_tls: ssl.SSLContext, tls_directory: Path) -> None:
    sending.verified = trusting(tls_directory)

    async def test(s: Sending) -> None:
        remote = await s.remote(implicit=server_tls)
        via(s, remote.port, TlsMode.IMPLICIT)
        s.put("a@far.test")
        await s.idle()
        assert len(remote.got) == 1

    sending.run(test)

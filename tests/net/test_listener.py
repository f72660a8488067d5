"""Floods, refusals, services that fail; a new certificate for new connections."""

import asyncio
import logging
import ssl
from pathlib import Path

import pytest

from appliance.net import authority
from appliance.net.connection import Connection
from appliance.net.der import signature_algorithm
from appliance.net.limits import Limits
from appliance.net.listener import Network
from appliance.net.tls import TlsIdentity, first_certificate, server_end_point
from tests.net.conftest import NOW, connect, serve


async def polite(connection: Connection) -> None:
    connection.write(b"hello\r\n")
    while True:
        line = await connection.read_line()
        if line == b"login\r\n":
            connection.settle()
        connection.write(line)


def test_half_open_connections_do_not_keep_others_out() -> None:
    limits = Limits(total=200, per_address=200, unsettled=40, unsettled_per_address=20)

    async def test(network: Network, port: int) -> None:
        user = await connect(port)
        await user.reader.readline()
        assert await user.ask(b"login\r\n") == b"login\r\n"
        flood = []
        for _ in range(300):
            flood.append(await connect(port))
        late = await connect(port)
        assert await late.reader.readline() == b"hello\r\n"
        assert await late.ask(b"login\r\n") == b"login\r\n"
        assert await user.ask(b"still\r\n") == b"still\r\n"
        gate = network.gate("test")
        assert gate.unsettled <= 20
        assert network.connections("test") <= 22
        for client in (*flood, user, late):
            await client.close()

    serve(polite, test, limits=limits)


def test_a_refused_peer_is_told() -> None:
    limits = Limits(total=1, per_address=1, unsettled=1, unsettled_per_address=1)

    async def test(network: Network, port: int) -> None:
        user = await connect(port)
        await user.reader.readline()
        await user.ask(b"login\r\n")
        other = await connect(port)
        assert await other.reader.read() == b"busy\r\n"
        assert network.gate("test").refused == 1
        await other.close()
        await user.close()

    serve(polite, test, limits=limits, busy=b"busy\r\n")


def test_a_service_that_fails_ends_its_connection_alone(caplog: pytest.LogCaptureFixture) -> None:
    async def fail(connection: Connection) -> None:
        line = await connection.read_line()
        if line == b"fail\r\n":
            raise ZeroDivisionError("oops")
        connection.write(line)

    async def test(network: Network, port: int) -> None:
        good, bad = await connect(port), await connect(port)
        bad.writer.write(b"fail\r\n")
        assert await bad.reader.read() == b""
        assert await good.ask(b"fine\r\n") == b"fine\r\n"
        await good.close()
        await bad.close()

    with caplog.at_level(logging.ERROR):
        serve(fail, test)
    assert [record.exc_info[0] for record in caplog.records if record.exc_info] == [ZeroDivisionError]


def test_a_new_certificate_is_for_new_connections(tmp_path: Path) -> None:
    authority.make_authority(tmp_path, "Example Ltd")
    authority.issue(tmp_path, "one.example.test", [], NOW)
    identity = TlsIdentity(tmp_path)
    context = ssl.create_default_context(cafile=str(tmp_path / "ca.pem"))

    async def test(network: Network, port: int) -> None:
        async def certificate() -> bytes:
            client = await connect(port, context)
            assert await client.reader.readline() == b"hello\r\n"
            peer = client.writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
            assert await client.ask(b"x\r\n") == b"x\r\n"
            await client.close()
            return bytes(peer)

        old = await certificate()
        assert not identity.reload_if_changed()
        authority.issue(tmp_path, "two.example.test", [], NOW)
        assert identity.reload_if_changed()
        new = await certificate()
        assert new != old
        assert identity.end_point == server_end_point(new)
        (tmp_path / "key.pem").write_text("broken")
        with pytest.raises(ssl.SSLError):
            identity.reload()
        assert await certificate() == new

    serve(polite, test, tls=identity, implicit_tls=True)


def test_signature_algorithm_and_damaged_certificates(tls_directory: Path) -> None:
    der = first_certificate((tls_directory / "cert.pem").read_text())
    assert signature_algorithm(der) == "1.2.840.10045.4.3.2"
    for end in range(0, len(der), 7):
        with pytest.raises(ValueError):
            signature_algorithm(der[:end])


def test_two_listeners_do_not_share_a_port() -> None:
    async def test(network: Network, port: int) -> None:
        service = network.listeners[0].service
        with pytest.raises(OSError, match=f"127.0.0.1 port {port}"):
            await network.listen(service, "127.0.0.1", port)
        with pytest.raises(ValueError, match="without a certificate"):
            await network.listen(service, "127.0.0.1", 0, implicit_tls=True)
        await asyncio.sleep(0)

    serve(polite, test)

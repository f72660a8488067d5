"""A private CA for the tests, and a network on the loopback."""

import asyncio
import datetime
import ssl
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from appliance.net import authority
from appliance.net.connection import Connection
from appliance.net.limits import Limits
from appliance.net.listener import Network, Service
from appliance.net.terms import Timeouts
from appliance.net.tls import CA_FILE, TlsIdentity

NOW = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)


@pytest.fixture(scope="session")
def tls_directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("tls")
    authority.make_authority(directory, "Example Ltd")
    authority.issue(directory, "mail.example.test", [], NOW)
    return directory


@pytest.fixture(scope="session")
def client_context(tls_directory: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(tls_directory / CA_FILE))


class Client:
    """Streams to a service, for tests."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    async def ask(self, data: bytes) -> bytes:
        self.writer.write(data)
        return await self.reader.readline()

    async def close(self) -> None:
        self.writer.close()
        try:
            await self.writer.wait_closed()
        except (OSError, ssl.SSLError):
            return


def serve(
    serve: Callable[[Connection], Awaitable[None]],
    test: Callable[[Network, int], Awaitable[Any]],
    *,
    tls: TlsIdentity | None = None,
    implicit_tls: bool = False,
    timeouts: Timeouts | None = None,
    limits: Limits | None = None,
    busy: bytes = b"",
) -> Any:
    """Run `test` against a service in a fresh loop; the loop may leave nothing behind."""

    async def run() -> Any:
        network = Network(tls=tls)
        service = Service("test", serve, timeouts or Timeouts(), limits or Limits(), busy)
        listener = await network.listen(service, "127.0.0.1", 0, implicit_tls=implicit_tls)
        try:
            return await asyncio.wait_for(test(network, listener.port), 20)
        finally:
            await network.drain(0.2)

    return asyncio.run(run(), debug=False)


async def connect(port: int, context: ssl.SSLContext | None = None) -> Client:
    reader, writer = await asyncio.open_connection(
        "127.0.0.1", port, ssl=context, server_hostname="localhost" if context else None
    )
    return Client(reader, writer)

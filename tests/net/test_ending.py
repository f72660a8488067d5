"""The end of a server: who had been accepted but not served yet is sent away too."""

import asyncio
import socket
from collections.abc import Callable

import pytest
import uvloop

from appliance.net.connection import Connection
from appliance.net.hosted import Hosted, HostedService
from appliance.net.listener import AnyService, Network, Service

TURNS = 8
"""Turns of the loop after which a connection is certainly being served, on either loop."""

LOOPS = {"asyncio": asyncio.new_event_loop, "uvloop": uvloop.new_event_loop}


async def polite(connection: Connection) -> None:
    connection.write(b"hello\r\n")
    while True:
        connection.write(await connection.read_line())


class Greeter:
    """A guest that says hello and ends when it is told to."""

    def __init__(self, hosted: Hosted) -> None:
        self.hosted = hosted

    def connection_made(self, transport: Hosted) -> None:
        transport.write(b"hello\r\n")

    def data_received(self, data: bytes) -> None: ...

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, exc: Exception | None) -> None: ...

    def pause_writing(self) -> None: ...

    def resume_writing(self) -> None: ...

    def expired(self) -> None: ...

    def stop(self) -> None:
        self.hosted.close()


SERVICES: dict[str, AnyService] = {
    "connection": Service("test", polite),
    "hosted": HostedService("test", Greeter),
}


def heard(sock: socket.socket) -> bytes:
    """What has come, when the connection has ended. BlockingIOError: it has not."""
    pieces = []
    try:
        while piece := sock.recv(100):
            pieces.append(piece)
    except ConnectionError:
        return b""
    return b"".join(pieces)


@pytest.mark.parametrize("service", SERVICES.values(), ids=SERVICES)
@pytest.mark.parametrize("loop", LOOPS.values(), ids=LOOPS)
@pytest.mark.parametrize("turns", range(TURNS))
def test_nobody_is_left_hanging(
    loop: Callable[[], asyncio.AbstractEventLoop], service: AnyService, turns: int
) -> None:
    """The kernel has completed both connections; the server ends `turns` turns of its loop later."""

    async def run() -> list[bytes]:
        network = Network()
        listener = await network.listen(service, "127.0.0.1", 0)
        # connect() returns when the kernel has put the connection into the backlog: it needs no turn of ours
        socks = [socket.create_connection(("127.0.0.1", listener.port)) for _ in range(2)]
        for _ in range(turns):
            await asyncio.sleep(0)
        await network.drain(0.5)
        assert network.connections("test") == 0
        for sock in socks:
            sock.setblocking(False)
        told = [heard(sock) for sock in socks]
        for sock in socks:
            sock.close()
        return told

    with asyncio.Runner(loop_factory=loop) as runner:
        told = runner.run(run())
    assert set(told) <= {b"", b"hello\r\n"}
    if turns == TURNS - 1:
        assert told == [b"hello\r\n"] * 2

"""Reading and writing of connections, over real sockets."""

import asyncio
import contextlib
import hashlib
import ssl
import zlib
from pathlib import Path

import pytest

from appliance.net.connection import READ_HIGH, Connection
from appliance.net.errors import LineTooLong, PeerGone, ShuttingDown, TimedOut
from appliance.net.listener import Network
from appliance.net.terms import Timeouts
from appliance.net.tls import TlsIdentity
from tests.net.conftest import connect, serve

SHORT = Timeouts(greeting=0.5, idle=0.5, command=0.5, least_rate=1000.0)


async def echo(connection: Connection) -> None:
    """Lines back; says what is wrong with one."""
    while True:
        try:
            line = await connection.read_line(100)
        except LineTooLong:
            line = b"too long\r\n"
        connection.write(line)
        if line == b"quit\r\n":
            return


def test_lines_come_whole_and_in_pieces() -> None:
    async def test(network: Network, port: int) -> None:
        client = await connect(port)
        assert await client.ask(b"one\r\n") == b"one\r\n"
        for octet in b"two\n":
            client.writer.write(bytes([octet]))
            await client.writer.drain()
        assert await client.reader.readline() == b"two\n"
        client.writer.write(b"a\r\nb\r\nquit\r\n")
        assert await client.reader.read() == b"a\r\nb\r\nquit\r\n"
        await client.close()

    serve(echo, test)


def test_an_overlong_line_is_skipped_and_the_next_is_served() -> None:
    async def test(network: Network, port: int) -> None:
        client = await connect(port)
        assert await client.ask(b"x" * 98 + b"\r\n") == b"x" * 98 + b"\r\n"
        assert await client.ask(b"x" * 99 + b"\r\n") == b"too long\r\n"
        assert await client.ask(b"y" * 300_000 + b"\r\n") == b"too long\r\n"
        assert await client.ask(b"fine\r\n") == b"fine\r\n"
        await client.close()

    serve(echo, test)


def test_a_line_without_end_ends_the_connection() -> None:
    left: list[int] = []

    async def read(connection: Connection) -> None:
        with pytest.raises(PeerGone, match="without end"):
            await connection.read_line(100)
        left.append(connection.buffered)

    async def test(network: Network, port: int) -> None:
        client = await connect(port)
        client.writer.write(b"z" * (3 << 20))
        with contextlib.suppress(ConnectionError):  # the rest of the line was never read
            assert await client.reader.read() == b""
        await client.close()

    serve(read, test)
    assert left[0] <= READ_HIGH + (1 << 18)


def test_bodies_are_read_in_bounded_pieces_and_reading_pauses() -> None:
    size = 5 << 20
    got, most = 0, 0

    async def take(connection: Connection) -> None:
        nonlocal got, most
        await connection.read_line()
        await asyncio.sleep(0.05)
        most = connection.buffered
        while got < size:
            piece = await connection.read_some(min(65536, size - got))
            assert 0 < len(piece) <= 65536
            got += len(piece)
        connection.write(await connection.read_line())

    async def test(network: Network, port: int) -> None:
        client = await connect(port)
        client.writer.write(b"go\r\n" + bytes(size) + b"done\r\n")
        assert await client.reader.readline() == b"done\r\n"
        await client.close()

    serve(take, test)
    assert got == size
    assert READ_HIGH < most <= READ_HIGH + (1 << 18)


def test_exact_and_given_back() -> None:
    async def take(connection: Connection) -> None:
        assert await connection.read_exactly(5) == b"ab\r\nc"
        assert await connection.read_exactly(0) == b""
        connection.unread(b"x")
        connection.write(await connection.read_line())

    async def test(network: Network, port: int) -> None:
        client = await connect(port)
        assert await client.ask(b"ab\r\ncde\r\n") == b"xde\r\n"
        await client.close()

    serve(take, test)


@pytest.mark.parametrize("send", [b"", b"half a li", b"\x00"])
def test_silent_peers_time_out(send: bytes) -> None:
    seen: list[type[Exception]] = []

    async def wait(connection: Connection) -> None:
        try:
            await connection.read_line()
        except TimedOut as error:
            seen.append(type(error))
            connection.write(b"bye\r\n")

    async def test(network: Network, port: int) -> None:
        client = await connect(port)
        assert await client.ask(send) == b"bye\r\n"
        await client.close()

    serve(wait, test, timeouts=SHORT)
    assert seen == [TimedOut]


def test_a_trickling_body_times_out_though_it_never_stops() -> None:
    seen: list[type[Exception]] = []

    async def take(connection: Connection) -> None:
        try:
            while True:
                await connection.read_some(100)
        except TimedOut as error:
            seen.append(type(error))
            connection.write(b"bye\r\n")

    async def test(network: Network, port: int) -> None:
        client = await connect(port)
        answer = asyncio.ensure_future(client.reader.readline())
        while not answer.done():
            client.writer.write(b".")
            await asyncio.wait([answer], timeout=0.05)
        assert answer.result() == b"bye\r\n"
        await client.close()

    serve(take, test, timeouts=SHORT)
    assert seen == [TimedOut]


def test_a_peer_that_does_not_read_stops_the_writer_and_times_out() -> None:
    seen: list[object] = []

    async def send(connection: Connection) -> None:
        sent = 0
        try:
            while True:
                connection.write(bytes(65536))
                sent += 65536
                await connection.drain()
        except TimedOut:
            seen.append(sent)

    async def test(network: Network, port: int) -> None:
        client = await connect(port)
        client.writer.transport.pause_reading()  # type: ignore[attr-defined]
        while not seen:
            await asyncio.sleep(0.01)
        await client.close()

    serve(send, test, timeouts=Timeouts(command=0.2, least_rate=1e9))
    assert seen
    assert isinstance(seen[0], int)
    assert seen[0] < 32 << 20


def test_the_end_of_input_is_served_after_what_came_before() -> None:
    async def test(network: Network, port: int) -> None:
        client = await connect(port)
        client.writer.write(b"a\r\nb\r\nunfinished")
        client.writer.write_eof()
        assert await client.reader.read() == b"a\r\nb\r\n"
        await client.close()

    serve(echo, test)


def test_waiting_ends_by_input_by_wake_and_by_time() -> None:
    told: list[object] = []

    async def idle(connection: Connection) -> None:
        told.append(await connection.wait_input(0.01))
        asyncio.get_running_loop().call_later(0.01, connection.wake)
        told.append(await connection.wait_input())
        connection.wake()
        told.append(await connection.wait_input())
        connection.write(b"+\r\n")
        told.append(await connection.wait_input())
        told.append(await connection.read_line())
        told.append(await connection.wait_input())  # the end counts as input
        with pytest.raises(PeerGone):
            await connection.read_line()

    async def test(network: Network, port: int) -> None:
        client = await connect(port)
        assert await client.reader.readline() == b"+\r\n"
        client.writer.write(b"DONE\r\n")
        client.writer.write_eof()
        assert await client.reader.read() == b""
        await client.close()

    serve(idle, test)
    assert told == [False, False, False, True, b"DONE\r\n", True]


def test_who_is_who() -> None:
    async def tell(connection: Connection) -> None:
        assert connection.is_loopback
        assert not connection.is_secure
        assert not connection.can_start_tls
        connection.write(f"{connection.peer} {connection.local} {connection.local_port}\r\n".encode())

    async def test(network: Network, port: int) -> None:
        client = await connect(port)
        assert await client.reader.readline() == f"127.0.0.1 127.0.0.1 {port}\r\n".encode()
        await client.close()

    serve(tell, test)


def test_draining_ends_idle_peers_and_lets_commands_finish() -> None:
    async def work(connection: Connection) -> None:
        connection.write(b"+\r\n")
        line = await connection.read_line()
        try:
            if line == b"body\r\n":
                while len(await connection.read_some(1)) and await connection.read_some(1) != b".":
                    pass
                connection.write(b"done\r\n")
            await connection.read_line()
        except ShuttingDown:
            connection.write(b"* BYE\r\n")

    async def test(network: Network, port: int) -> None:
        idle, busy = await connect(port), await connect(port)
        assert await idle.reader.readline() == b"+\r\n"
        assert await busy.reader.readline() == b"+\r\n"
        idle.writer.write(b"x\r\n")
        busy.writer.write(b"body\r\n")
        await asyncio.sleep(0.05)
        draining = asyncio.ensure_future(network.drain(5.0))
        assert await idle.reader.read() == b"* BYE\r\n"
        busy.writer.write(b"a.")
        assert await busy.reader.read() == b"done\r\n* BYE\r\n"
        await draining
        with pytest.raises(OSError):
            await connect(port)
        await idle.close()
        await busy.close()

    serve(work, test)


async def starttls(connection: Connection) -> None:
    """A service with STARTTLS that repeats lines with what it knows of the connection."""
    while True:
        line = await connection.read_line()
        if line == b"STARTTLS\r\n":
            await connection.start_tls(b"go\r\n")
        else:
            mark = b"secure " if connection.is_secure else b"plain "
            connection.write(mark + line)


def test_starttls_drops_what_was_injected(tls_directory: Path, client_context: ssl.SSLContext) -> None:
    async def test(network: Network, port: int) -> None:
        client = await connect(port)
        assert await client.ask(b"one\r\n") == b"plain one\r\n"
        assert await client.ask(b"STARTTLS\r\nevil\r\n") == b"go\r\n"
        await client.writer.start_tls(client_context, server_hostname="localhost")
        assert await client.ask(b"two\r\n") == b"secure two\r\n"
        await client.close()

    serve(starttls, test, tls=TlsIdentity(tls_directory))


def test_plain_text_instead_of_a_handshake_ends_the_connection(tls_directory: Path) -> None:
    async def test(network: Network, port: int) -> None:
        client = await connect(port)
        assert await client.ask(b"STARTTLS\r\n") == b"go\r\n"
        client.writer.write(b"QUIT\r\n")
        rest = await client.reader.read()
        assert rest[:1] in (b"", b"\x15")  # an alert at most
        assert b"secure" not in rest
        assert b"plain" not in rest
        await client.close()

    serve(starttls, test, tls=TlsIdentity(tls_directory))


def test_implicit_tls_with_its_channel_binding(tls_directory: Path, client_context: ssl.SSLContext) -> None:
    seen: list[tuple[bytes | None, str]] = []

    async def tell(connection: Connection) -> None:
        seen.append((connection.tls_server_end_point, connection.tls_version))
        connection.write(b"x" * 300_000 + b"\r\n")
        await connection.drain()
        connection.write(await connection.read_line())

    async def test(network: Network, port: int) -> bytes:
        client = await connect(port, client_context)
        peer = client.writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
        assert len(await client.reader.readexactly(300_002)) == 300_002
        assert await client.ask(b"hello\r\n") == b"hello\r\n"
        assert await client.reader.read() == b""  # a proper close_notify
        await client.close()
        return bytes(peer)

    certificate = serve(tell, test, tls=TlsIdentity(tls_directory), implicit_tls=True)
    assert seen == [(hashlib.sha256(certificate).digest(), "TLSv1.3")]


def test_a_silent_peer_of_implicit_tls_is_cut_off_unserved(tls_directory: Path) -> None:
    async def never(connection: Connection) -> None:
        raise AssertionError("served without a handshake")

    async def test(network: Network, port: int) -> None:
        client = await connect(port)
        assert await client.reader.read() == b""
        await client.close()

    serve(never, test, tls=TlsIdentity(tls_directory), implicit_tls=True, timeouts=SHORT)


async def compressing(connection: Connection) -> None:
    while True:
        line = await connection.read_line()
        if line == b"COMPRESS\r\n":
            connection.start_deflate(b"OK\r\n")
        else:
            connection.write(line)


def test_deflate_both_ways() -> None:
    async def test(network: Network, port: int) -> None:
        client = await connect(port)
        assert await client.ask(b"COMPRESS\r\n") == b"OK\r\n"
        deflate, inflate = zlib.compressobj(wbits=-15), zlib.decompressobj(-15)
        for text in (b"hello\r\n", b"x" * 7000 + b"\r\n"):
            client.writer.write(deflate.compress(text) + deflate.flush(zlib.Z_SYNC_FLUSH))
            plain = b""
            while not plain.endswith(b"\r\n"):
                plain += inflate.decompress(await client.reader.read(65536))
            assert plain == text
        client.writer.write(b"\xff\xff\xff\xffgarbage")
        assert await client.reader.read() == b""
        await client.close()

    serve(compressing, test)


def test_a_deflate_bomb_is_inflated_in_bounded_steps() -> None:
    size = 64 << 20
    most = got = 0

    async def take(connection: Connection) -> None:
        nonlocal most, got
        await connection.read_line()
        connection.start_deflate(b"OK\r\n")
        while got < size:
            got += len(await connection.read_some(4096))
            most = max(most, connection.buffered)
        connection.write(await connection.read_line())

    async def test(network: Network, port: int) -> None:
        client = await connect(port)
        assert await client.ask(b"COMPRESS\r\n") == b"OK\r\n"
        deflate, inflate = zlib.compressobj(wbits=-15), zlib.decompressobj(-15)
        bomb = deflate.compress(bytes(size)) + deflate.compress(b"end\r\n")
        client.writer.write(bomb + deflate.flush(zlib.Z_SYNC_FLUSH))
        assert inflate.decompress(await client.reader.read(100)) == b"end\r\n"
        await client.close()

    serve(take, test)
    assert got == size
    assert most <= 2 * READ_HIGH

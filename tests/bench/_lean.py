"""A client of MAPI over HTTP that costs next to nothing, so that the server is what is measured.

It takes over the context and the connection's terms of a `MapiClient` and sends ready bytes over one kept
connection. It reads what it must: the cookies, the chunks, and that the Execute was good.
"""

import re
import socket
from collections.abc import Sequence

from appliance.protocols.mapihttp.bodies.emsmdb import ExecuteFlags, ExecuteRequest
from appliance.rop import batch, buffers
from appliance.rop.batch import NO_HANDLE
from tests.mapiclient import MAX_ROP_OUT, MapiClient
from tests.rop.kit import Ask

PLAIN = ExecuteFlags.NO_COMPRESSION | ExecuteFlags.NO_XOR_MAGIC
_COOKIE = re.compile(rb"set-cookie: ([^=]+)=([^;\r]+)", re.IGNORECASE)
_GOOD = bytes(12)  # StatusCode, ErrorCode, Flags


class Wire:
    """A kept connection to a port of this machine."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._file = self._socket.makefile("rb", 1 << 18)

    def close(self) -> None:
        """Close the connection."""
        self._file.close()
        self._socket.close()

    def exchange(self, request: bytes) -> tuple[bytes, bytes]:
        """Send a request; the response's head and body. Raises AssertionError for another status than 200."""
        self._socket.sendall(request)
        lines = []
        while (line := self._file.readline()) != b"\r\n":
            lines.append(line)
        head = b"".join(lines)
        assert head.startswith(b"HTTP/1.1 200"), head
        if (found := re.search(rb"content-length: (\d+)", head, re.IGNORECASE)) is not None:
            return head, self._file.read(int(found[1]))
        pieces = []
        while size := int(self._file.readline(), 16):
            pieces.append(self._file.read(size))
            self._file.readline()
        self._file.readline()
        return head, b"".join(pieces)


class Lean:
    """The context of a client, on a connection of its own."""

    def __init__(self, client: MapiClient, port: int) -> None:
        self._wire, self._cookies = Wire(port), dict(client.wire.cookies)
        headers = client.wire.headers("Execute")
        headers.pop("Cookie")
        self._head = "POST /mapi/emsmdb/ HTTP/1.1\r\nHost: localhost\r\n"
        self._head += "".join(f"{name}: {value}\r\n" for name, value in headers.items())

    def close(self) -> None:
        """Close the connection."""
        self._wire.close()

    def take_over(self, client: MapiClient) -> None:
        """Go on where the client stands: its context's cookies change with every request."""
        self._cookies = dict(client.wire.cookies)

    def give_back(self, client: MapiClient) -> None:
        """Let the client go on."""
        client.wire.cookies = dict(self._cookies)

    def execute(self, body: bytes) -> bytes:
        """Execute a request of `execute_body`: the response's ROP buffer, extended."""
        cookies = "; ".join(f"{name}={value}" for name, value in self._cookies.items())
        head = f"{self._head}Cookie: {cookies}\r\nContent-Length: {len(body)}\r\n\r\n"
        answer, content = self._wire.exchange(head.encode() + body)
        for name, value in _COOKIE.findall(answer):
            self._cookies[name.decode()] = value.decode()
        response = content[content.index(b"\r\n\r\n") + 4 :]
        assert response.startswith(_GOOD), response[:12].hex()
        size = int.from_bytes(response[12:16], "little")
        return response[16 : 16 + size]


def execute_body(
    asks: Sequence[Ask],
    handles: Sequence[int] = (),
    *,
    flags: ExecuteFlags = PLAIN,
    limit: int = MAX_ROP_OUT,
) -> bytes:
    """The body of an Execute with these requests; `handles` is filled up with empty slots."""
    slots = 1 + max((slot for ask in asks for slot in ask.slots), default=-1)
    table = [*handles, *[NO_HANDLE] * (slots - len(handles))]
    rops = batch.pack(b"".join(ask.pack() for ask in asks), table)
    return ExecuteRequest(flags, buffers.pack([rops]), limit).pack()

"""HTTP in bytes: a connection that sends what it is told and reads responses strictly (RFC 9112).

`Answer.user` tells whom the server took the client for, where the request was `whoami`: Connect of
MS-OXCMAPIHTTP 2.2.4.1 with somebody's distinguished name succeeds for that person only.
"""

import base64
import itertools
import re
import socket
import ssl
from dataclasses import dataclass
from types import TracebackType

from tests.conformance.client import CONTENT_TYPE, EMSMDB, connect_body
from tests.conformance.office import Person

TIMEOUT = 60.0
"""Seconds."""

_sources = (f"127.{a}.{b}.{c}" for a, b, c in itertools.product(range(1, 250), repeat=3))

_TOKEN = re.compile(rb"[!#$%&'*+\-.^_`|~0-9A-Za-z]+")


@dataclass(frozen=True, slots=True)
class Answer:
    """A response; names of headers in lower case, in their order."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    def all(self, name: str) -> list[str]:
        """The values of a header."""
        return [value for key, value in self.headers if key == name]

    def one(self, name: str) -> str:
        """The value of a header that comes once."""
        (value,) = self.all(name)
        return value


class Wire:
    """A connection to a port of 127.0.0.1, from an address of its own: who fails to log on slows down his own
    address only."""

    def __init__(self, port: int, tls: ssl.SSLContext | None = None) -> None:
        plain = socket.create_connection(("127.0.0.1", port), TIMEOUT, (next(_sources), 0))
        self.socket: socket.socket = tls.wrap_socket(plain, server_hostname="localhost") if tls else plain
        self._read = b""

    def __enter__(self) -> "Wire":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        """Send bytes; a peer that closed already is no error."""
        try:
            self.socket.sendall(data)
        except (ConnectionResetError, BrokenPipeError):
            return

    def request(
        self, method: str, target: str, headers: dict[str, str] | None = None, body: bytes | None = None
    ) -> Answer:
        """A whole request, and its response."""
        self.send(request(method, target, headers, body))
        return self.answer(method)

    def answer(self, method: str = "GET") -> Answer:
        """The next response, strictly; interim ones (1xx) too."""
        status_line = self._line()
        found = re.fullmatch(rb"HTTP/1\.1 ([1-5]\d\d) [\t -\x7e\x80-\xff]*", status_line)
        assert found, status_line
        status = int(found[1])
        headers: list[tuple[str, str]] = []
        while line := self._line():
            name, colon, value = line.partition(b":")
            assert colon
            assert _TOKEN.fullmatch(name), line
            headers.append((name.decode().lower(), value.decode("latin-1").strip(" \t")))
        names = [name for name, _ in headers]
        for name in ("content-length", "transfer-encoding", "content-type", "date", "connection"):
            assert names.count(name) <= 1, name
        if status < 200 or status in (204, 304) or method == "HEAD":
            return Answer(status, headers, b"")
        values = dict(headers)
        if "transfer-encoding" in values:
            assert values["transfer-encoding"] == "chunked"
            assert "content-length" not in values, "RFC 9112 6.2"
            return Answer(status, headers, self._chunks())
        if "content-length" in values:
            return Answer(status, headers, self._take(int(values["content-length"])))
        assert values.get("connection") == "close", "a body without a length ends with the connection"
        return Answer(status, headers, self.rest())

    def rest(self) -> bytes:
        """What comes until the server closes; a reset is an end too."""
        try:
            while piece := self.socket.recv(65536):
                self._read += piece
        except ConnectionResetError:
            pass
        rest, self._read = self._read, b""
        return rest

    def is_closed(self) -> bool:
        """Whether the server closes without another word."""
        return self.rest() == b""

    def _line(self) -> bytes:
        while b"\r\n" not in self._read:
            assert len(self._read) < 65536, "a line without an end"
            self._more()
        line, _, self._read = self._read.partition(b"\r\n")
        return line

    def _take(self, size: int) -> bytes:
        while len(self._read) < size:
            self._more()
        taken, self._read = self._read[:size], self._read[size:]
        return taken

    def _more(self) -> None:
        piece = self.socket.recv(65536)
        if not piece:
            raise EOFError(f"closed after {self._read[:200]!r}")
        self._read += piece

    def _chunks(self) -> bytes:
        made = b""
        while size := int(self._line(), 16):
            made += self._take(size)
            assert self._take(2) == b"\r\n"
        assert self._line() == b"", "no trailers are announced"
        return made


def request(
    method: str, target: str, headers: dict[str, str] | None = None, body: bytes | None = None
) -> bytes:
    """The bytes of a request."""
    lines = [f"{method} {target} HTTP/1.1"]
    named = {"Host": "mail.example.test", **(headers or {})}
    if body is not None and "Transfer-Encoding" not in named and "Content-Length" not in named:
        named["Content-Length"] = str(len(body))
    lines += [f"{name}: {value}" for name, value in named.items()]
    return "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + (body or b"")


def basic(name: str, password: str, encoding: str = "utf-8") -> str:
    """An Authorization header of RFC 7617."""
    return "Basic " + base64.b64encode(f"{name}:{password}".encode(encoding)).decode()


def whoami(person: Person, authorization: str | None = None) -> bytes:
    """A request that succeeds for one person alone."""
    headers = {
        "Content-Type": CONTENT_TYPE,
        "X-RequestType": "Connect",
        "X-RequestId": "{E2EA6C1C-E61B-49E9-9CFB-38184F907552}:1",
        "X-ClientInfo": "{2F94A2BF-A2E6-4CCCC-BF98-B5F22C542226}",
        "X-ClientApplication": "Outlook/15.0.4815.1002",
    }
    if authorization is not None:
        headers["Authorization"] = authorization
    return request("POST", EMSMDB, headers, connect_body(person.dn))


def is_for(answer: Answer) -> bool:
    """Whether the answer to `whoami` is for the person that was named."""
    assert answer.status == 200
    assert answer.one("x-responsecode") == "0"
    _, _, body = answer.body.partition(b"\r\n\r\n")
    return body[:8] == bytes(8)

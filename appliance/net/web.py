"""What is served over HTTP, as its services see it: a table of routes, and an exchange for each request.

A service gives rows of `Route`; the front door finds the row, makes sure of TLS and of who asks, and calls
its handler with an `Exchange`. The handler returns a `Response`, or streams one (`start`, `write`, `finish`)
and returns None. It may raise `HttpError`; `Gone` (from reading and writing) may pass through.

Invariants:
- A body is never read beyond the route's `max_body`, and the peer is not asked for one that is too long.
- `write` waits while the peer does not keep up: a stream costs no more memory than a few pieces.
- A handler that waits for something else than the peer watches `gone` as well.
"""

import asyncio
import ipaddress
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, MutableMapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote

from appliance.directory.authenticate import Login
from appliance.directory.model import Protocol
from appliance.net.errors import PeerGone
from appliance.net.hosted import Hosted

MAX_BODY = 1 << 20
"""Bytes of a request's body, unless its route says otherwise."""

MAX_QUERY_FIELDS = 64
NO_BODY = frozenset({204, 304})
"""Statuses whose responses have no body (RFC 9110 6.4.1)."""

Headers = Iterable[tuple[str, str]]


class Gone(PeerGone):
    """The peer left before the exchange was over."""


class HttpError(Exception):
    """A request that is answered with an error status. `detail` is shown to the client."""

    def __init__(self, status: int, detail: str = "", headers: Headers = ()) -> None:
        super().__init__(f"{status} {detail}")
        self.status, self.detail, self.headers = status, detail, tuple(headers)


@dataclass(frozen=True, slots=True)
class Response:
    """A whole response."""

    status: int = 200
    body: bytes = b""
    content_type: str = ""
    headers: tuple[tuple[str, str], ...] = ()


class Exchange:
    """One request and its response, over the connection `peer`."""

    def __init__(
        self,
        scope: MutableMapping[str, Any],
        receive: Callable[[], Awaitable[MutableMapping[str, Any]]],
        send: Callable[[MutableMapping[str, Any]], Awaitable[None]],
        peer: Hosted,
    ) -> None:
        self.peer = peer
        self.method: str = scope["method"]
        self.http_version: str = scope["http_version"]
        self.target = scope["raw_path"].decode("ascii")
        """The path as it was written (RFC 9112 3.2), without the query."""
        self.path: str = scope["path"]
        """The path with its escapes resolved."""
        self.query_text: str = scope["query_string"].decode("ascii")
        self._headers: list[tuple[bytes, bytes]] = scope["headers"]
        self._receive, self._send = receive, send
        self.login: Login | None = None
        """Who asks, where the route wants to know."""
        self.max_body = MAX_BODY
        self.body_read = not self._announces_body()
        """Whether the request was received to its end."""
        self.status = 0
        """Of the response, once it has begun."""
        self.sent = 0
        """Bytes of the response's body so far."""
        self.finished = False
        self.added: list[tuple[str, str]] = []
        """Headers that the response gets in any case."""
        self._resolve_target()

    def _resolve_target(self) -> None:
        """Take a target in absolute form for its path (RFC 9112 3.2.2)."""
        scheme, separator, rest = self.target.partition("://")
        if separator and scheme.lower() in ("http", "https"):
            _, slash, path = rest.partition("/")
            self.target = slash + path or "/"
            self.path = unquote(self.target)

    # -- the request -----------------------------------------------------------------------------------

    def header(self, name: str, default: str = "") -> str:
        """A header's value, its first line; names in any case."""
        wanted = name.lower().encode()
        for found, value in self._headers:
            if found == wanted:
                return value.decode("latin-1")
        return default

    def header_lines(self, name: str) -> list[str]:
        """All lines of a header."""
        wanted = name.lower().encode()
        return [value.decode("latin-1") for found, value in self._headers if found == wanted]

    def query(self) -> dict[str, str]:
        """The query's fields by name in lower case, the first of each. Raises HttpError."""
        try:
            fields = parse_qsl(self.query_text, keep_blank_values=True, max_num_fields=MAX_QUERY_FIELDS)
        except ValueError as error:
            raise HttpError(400, "too many fields in the query") from error
        found: dict[str, str] = {}
        for name, value in fields:
            found.setdefault(name.lower(), value)
        return found

    def host(self, default: str) -> str:
        """The host that the client asked, without port; `default` where it named none or nonsense."""
        text = self.header("host").strip()
        name = text[: text.find("]") + 1] if text.startswith("[") else text.partition(":")[0]
        return name if is_host(name) else default

    @property
    def is_private(self) -> bool:
        """Whether nobody listens in: TLS, or a peer on this machine."""
        return self.peer.is_secure or self.peer.is_loopback

    def _announces_body(self) -> bool:
        length = self.header("content-length", "0").strip()
        return bool(self.header("transfer-encoding")) or length.strip("0") != ""

    @property
    def content_length(self) -> int | None:
        """The announced length of the body; None where it comes in chunks."""
        if self.header("transfer-encoding"):
            return None
        return int(self.header("content-length", "0"))  # the parser has seen that it is a number

    @property
    def expects_continue(self) -> bool:
        """Whether the client waits for 100 before it sends the body (RFC 9110 10.1.1)."""
        return self.header("expect").lower() == "100-continue" and not self.body_read

    async def body(self) -> bytes:
        """The whole body. Raises HttpError where it is too long, Gone."""
        return b"".join([piece async for piece in self.pieces()])

    async def pieces(self) -> AsyncIterator[bytes]:
        """The body as it comes. Raises HttpError where it is too long, Gone."""
        if (self.content_length or 0) > self.max_body:
            raise HttpError(413, "the request is too long")
        size, more = 0, not self.body_read
        while more:
            message = await self._receive()
            if message["type"] != "http.request":
                raise Gone("the peer left within its request")
            piece, more = message.get("body", b""), message.get("more_body", False)
            self.body_read = not more
            size += len(piece)
            if size > self.max_body:
                raise HttpError(413, "the request is too long")
            if piece:
                yield piece

    async def gone(self) -> None:
        """Wait until the peer has left (or the response is finished). The body must have been read."""
        while (await self._receive())["type"] != "http.disconnect":
            await asyncio.sleep(0)

    # -- the response ----------------------------------------------------------------------------------

    async def respond(self, response: Response) -> None:
        """Send a whole response."""
        headers = list(response.headers)
        if response.status not in NO_BODY:
            headers.append(("Content-Length", str(len(response.body))))
            if response.content_type:
                headers.append(("Content-Type", response.content_type))
        await self.start(response.status, headers)
        await self.finish(response.body if response.status not in NO_BODY else b"")

    async def start(self, status: int, headers: Headers = ()) -> None:
        """Send status and headers; without Content-Length the body goes out in chunks."""
        self.status = status
        lines = [*headers, *self.added]
        raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in lines]
        await self._send({"type": "http.response.start", "status": status, "headers": raw})

    async def write(self, data: bytes) -> None:
        """Send a piece of the body. Waits while the peer does not keep up."""
        if data:
            self.sent += len(data)
            await self._send({"type": "http.response.body", "body": data, "more_body": True})

    async def finish(self, data: bytes = b"") -> None:
        """Send the last piece."""
        self.sent += len(data)
        self.finished = True
        await self._send({"type": "http.response.body", "body": data, "more_body": False})


Handler = Callable[[Exchange], Awaitable[Response | None]]


@dataclass(frozen=True, slots=True)
class Route:
    """A row of the table. `path` is compared without regard to case; one that ends in `/*` takes everything
    below. `methods`: what reaches the handler (HEAD follows GET), empty for any. `login`: somebody must log
    on, who may use `protocol`. `loopback`: others than peers on this machine find nothing. `plain`: answered
    without TLS too. `headers` are added to every response, errors included. `name` stands in the metrics."""

    name: str
    path: str
    methods: tuple[str, ...]
    handler: Handler
    login: bool = True
    protocol: Protocol | None = None
    loopback: bool = False
    plain: bool = False
    max_body: int = MAX_BODY
    headers: tuple[tuple[str, str], ...] = ()


def is_host(text: str) -> bool:
    """Whether `text` is a DNS name or an address, as it stands in a URL."""
    if text.startswith("["):
        try:
            ipaddress.IPv6Address(text[1:-1])
        except ValueError:
            return False
        return True
    labels = text.removesuffix(".").split(".")
    return len(text) <= 253 and all(
        label and len(label) <= 63 and label.replace("-", "a").replace("_", "a").isalnum() and label.isascii()
        for label in labels
    )

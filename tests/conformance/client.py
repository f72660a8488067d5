"""A strict client of MAPI over HTTP, in bytes: one object is one Session Context of one endpoint.

mapi = Mapi(port, user, password)
assert mapi.connect(dn).code == 0
responses, handles = mapi.execute(rops, [0xFFFFFFFF])

`post` fails (AssertionError) on every breach of the common response format (MS-OXCMAPIHTTP 2.2.2.2): headers
that are missing or not returned as sent, a wrong Content-Type, meta-tags out of order, cookies not set again.
`exchange` is for requests that are wrong on purpose: it checks nothing but HTTP itself.
"""

import base64
import http.client
import itertools
import struct
import uuid
from dataclasses import dataclass
from types import TracebackType

from tests.conformance.lz77 import decompress

EMSMDB = "/mapi/emsmdb/"
NSPI = "/mapi/nspi/"
CONTENT_TYPE = "application/mapi-http"
TIMEOUT = 60.0
"""Seconds."""

NO_COMPRESSION = 0x1
NO_XOR = 0x2
CHAIN = 0x4
"""Flags of an Execute request: MS-OXCMAPIHTTP 2.2.4.2.1."""

COMPRESSED = 0x1
XOR_MAGIC = 0x2
LAST = 0x4
"""Flags of RPC_HEADER_EXT: MS-OXCRPC 2.2.2.1."""

_OUTSIDE_A_SESSION = frozenset(("Connect", "Bind"))


@dataclass(frozen=True, slots=True)
class Reply:
    """A response. Names of `headers` are in lower case. `code` is the last X-ResponseCode, None without one.
    `tags` and `extra` are the meta-tags and the headers after DONE; `body` is what follows them, or all of it
    where there are no meta-tags."""

    status: int
    headers: dict[str, str]
    cookies: dict[str, str]
    code: int | None
    tags: list[str]
    extra: dict[str, str]
    body: bytes
    chunked: bool = False


class Mapi:
    """One session with one endpoint: its cookies, its connection, its counter of requests.

    `credentials` is the Authorization header, None for an anonymous client."""

    def __init__(self, port: int, user: str, password: str, path: str = EMSMDB) -> None:
        self.port = port
        self.path = path
        self.cookies: dict[str, str] = {}
        self.guid = str(uuid.uuid4()).upper()
        self.credentials: str | None = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
        self._counter = itertools.count(1)
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)

    def __enter__(self) -> "Mapi":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __del__(self) -> None:
        self.close()

    def twin(self) -> "Mapi":
        """Another connection of the same client, with the session's cookies of now."""
        made = Mapi(self.port, "", "", self.path)
        made.credentials, made.guid, made.cookies = self.credentials, self.guid, dict(self.cookies)
        made._counter = self._counter
        return made

    def close(self) -> None:
        """Leave, without a word to the server."""
        self._connection.close()

    def headers(self, request_type: str) -> dict[str, str]:
        """The headers of the next request, as a real client sends them."""
        made = {
            "Content-Type": CONTENT_TYPE,
            "X-RequestType": request_type,
            "X-RequestId": f"{self.guid}:{next(self._counter)}",
            "X-ClientInfo": f"{{{self.guid}}}:1",
            "X-ClientApplication": "Outlook/16.0.10325.20118",
            "User-Agent": "Microsoft Office/16.0",
        }
        if self.credentials is not None:
            made["Authorization"] = self.credentials
        if self.cookies:
            made["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        return made

    def send(
        self,
        request_type: str,
        body: bytes = b"",
        headers: dict[str, str | None] | None = None,
        method: str = "POST",
    ) -> dict[str, str]:
        """Send a request; the headers that it had. A header whose value is None is left out."""
        merged: dict[str, str | None] = {**self.headers(request_type), **(headers or {})}
        sent = {name: value for name, value in merged.items() if value is not None}
        self._connection.request(method, self.path, body=body, headers=sent)
        return sent

    def receive(self) -> Reply:
        """The response to what was sent; nothing but HTTP is checked. Its cookies are not kept."""
        response = self._connection.getresponse()
        content = response.read()
        pairs = response.getheaders()
        cookies: dict[str, str] = {}
        for name, value in pairs:
            if name.lower() == "set-cookie":
                key, _, rest = value.partition("=")
                cookies[key] = rest.partition(";")[0]
        named = {name.lower(): value for name, value in pairs}
        code = int(named["x-responsecode"]) if "x-responsecode" in named else None
        tags, extra, rest_ = _meta(content) if code == 0 else ([], {}, content)
        if "x-responsecode" in extra:
            code = int(extra["x-responsecode"])
        chunked = named.get("transfer-encoding") == "chunked"
        return Reply(response.status, named, cookies, code, tags, extra, rest_, chunked)

    def exchange(
        self,
        request_type: str,
        body: bytes = b"",
        headers: dict[str, str | None] | None = None,
        method: str = "POST",
    ) -> Reply:
        """A request that may be wrong, and its response; cookies are neither kept nor required."""
        self.send(request_type, body, headers, method)
        return self.receive()

    def post(
        self, request_type: str, body: bytes = b"", headers: dict[str, str | None] | None = None
    ) -> Reply:
        """A request and its response, which must be right in form; its cookies are kept."""
        sent = self.send(request_type, body, headers)
        reply = self.receive()
        check_form(sent, reply)
        if reply.code == 0:
            if request_type in _OUTSIDE_A_SESSION:
                self.cookies.clear()
            assert reply.cookies or not self.cookies, "a response of a session sets its cookies again"
            self.cookies.update(reply.cookies)
        return reply

    def connect(self, dn: str, flags: int = 0, code_page: int = 1252, lcid: int = 1033) -> Reply:
        """Connect as the mailbox's user; the body of the answer is unread. MS-OXCMAPIHTTP 2.2.4.1.1."""
        return self.post("Connect", connect_body(dn, flags, code_page, lcid))

    def execute(
        self, rops: bytes, handles: list[int], max_out: int = 0x10008, flags: int = NO_COMPRESSION | NO_XOR
    ) -> tuple[bytes, list[int]]:
        """Run a batch: ROP requests one behind the other; the ROP responses and the handles.

        Every buffer of a chained answer adds its responses; the handles are those of the first."""
        reply = self.post("Execute", execute_body(rop_buffer(rops, handles), max_out, flags))
        assert reply.code == 0, f"X-ResponseCode {reply.code}"
        buffers = execute_buffers(reply.body, max_out)
        return b"".join(rops for rops, _ in buffers), buffers[0][1]

    def disconnect(self) -> Reply:
        """End the session. MS-OXCMAPIHTTP 2.2.4.3.1."""
        return self.post("Disconnect", struct.pack("<I", 0))


def check_form(sent: dict[str, str], reply: Reply) -> None:
    """Assert the common response format. MS-OXCMAPIHTTP 2.2.2.2."""
    headers = reply.headers
    assert reply.status == 200, f"HTTP status {reply.status}"
    assert "x-responsecode" in headers
    for name in ("X-RequestType", "X-RequestId", "X-ClientInfo"):
        if name in sent:
            assert headers.get(name.lower()) == sent[name], name
    assert headers.get("x-serverapplication", "").startswith("Exchange/"), "2.2.3.3.7"
    assert ("content-length" in headers) != reply.chunked, "either a length or chunks"
    if headers["x-responsecode"] != "0":
        assert headers["content-type"].startswith("text/html"), "2.2.3.2.2"
        return
    assert headers["content-type"] == CONTENT_TYPE, "2.2.3.2.2"
    assert int(headers["x-pendingperiod"]) > 0, "2.2.3.3.5"
    assert int(headers["x-expirationinfo"]) > 0, "2.2.3.3.6"
    assert reply.tags[0] == "PROCESSING"
    assert reply.tags[-1] == "DONE"
    assert set(reply.tags[1:-1]) <= {"PENDING"}, "2.2.7"
    assert reply.extra["x-elapsedtime"].isdigit(), "2.2.3.3.9"
    assert reply.extra["x-starttime"], "2.2.3.3.10"


def _meta(content: bytes) -> tuple[list[str], dict[str, str], bytes]:
    """Meta-tags, additional headers and the response body. MS-OXCMAPIHTTP 2.2.7."""
    tags: list[str] = []
    while not tags or tags[-1] != "DONE":
        line, mark, content = content.partition(b"\r\n")
        assert mark, "a line of meta-tags does not end"
        assert line in (b"PROCESSING", b"PENDING", b"DONE"), line
        tags.append(line.decode())
    extra: dict[str, str] = {}
    while True:
        line, mark, content = content.partition(b"\r\n")
        assert mark, "the additional headers do not end"
        if not line:
            return tags, extra, content
        name, colon, value = line.decode().partition(":")
        assert colon, line
        extra[name.lower()] = value.strip()


def connect_body(
    dn: str, flags: int = 0, code_page: int = 1252, lcid: int = 1033, auxiliary: bytes = b""
) -> bytes:
    """MS-OXCMAPIHTTP 2.2.4.1.1."""
    numbers = struct.pack("<IIII", flags, code_page, lcid, lcid)
    return dn.encode("ascii") + b"\0" + numbers + struct.pack("<I", len(auxiliary)) + auxiliary


def execute_body(buffer: bytes, max_out: int = 0x10008, flags: int = 3, auxiliary: bytes = b"") -> bytes:
    """MS-OXCMAPIHTTP 2.2.4.2.1."""
    head = struct.pack("<II", flags, len(buffer)) + buffer
    return head + struct.pack("<II", max_out, len(auxiliary)) + auxiliary


def rop_buffer(rops: bytes, handles: list[int]) -> bytes:
    """An extended ROP buffer of one plain payload. MS-OXCRPC 2.2.2.1, MS-OXCROPS 2.2.1."""
    payload = struct.pack("<H", len(rops) + 2) + rops + struct.pack(f"<{len(handles)}I", *handles)
    return struct.pack("<HHHH", 0, LAST, len(payload), len(payload)) + payload


def execute_parts(body: bytes) -> tuple[int, int, int, bytes, bytes]:
    """StatusCode, ErrorCode, Flags, RopBuffer and AuxiliaryBuffer. MS-OXCMAPIHTTP 2.2.4.2.2."""
    status, error, flags, size = struct.unpack_from("<IIII", body)
    buffer = body[16 : 16 + size]
    assert len(buffer) == size, "the ROP buffer is shorter than it says"
    (auxiliary_size,) = struct.unpack_from("<I", body, 16 + size)
    auxiliary = body[20 + size :]
    assert len(auxiliary) == auxiliary_size, "something is left over behind the auxiliary buffer"
    return status, error, flags, buffer, auxiliary


def execute_buffers(body: bytes, max_out: int = 0x10008) -> list[tuple[bytes, list[int]]]:
    """ROP responses and handles of every buffer of a successful Execute."""
    status, error, flags, buffer, _ = execute_parts(body)
    assert (status, error) == (0, 0), f"StatusCode {status:#x}, ErrorCode {error:#x}"
    assert flags == 0, "the flags are reserved: MS-OXCMAPIHTTP 2.2.4.2.2"
    assert len(buffer) <= max_out, "more than MaxRopOut"
    return [rop_payload(payload) for payload in extended_payloads(buffer)]


def extended_payloads(buffer: bytes) -> list[bytes]:
    """The payloads of an extended buffer, in plain; only the last is flagged so. MS-OXCRPC 2.2.2.1."""
    payloads = []
    while True:
        version, flags, size, actual = struct.unpack_from("<HHHH", buffer)
        payload, buffer = buffer[8 : 8 + size], buffer[8 + size :]
        assert version == 0
        assert flags & ~(COMPRESSED | XOR_MAGIC | LAST) == 0
        assert len(payload) == size, "the payload is shorter than it says"
        if flags & XOR_MAGIC:
            payload = bytes(byte ^ 0xA5 for byte in payload)
        if flags & COMPRESSED:
            assert size < actual, "compression made it bigger"
            payload = decompress(payload, actual)
        assert len(payload) == actual
        payloads.append(payload)
        assert (flags & LAST == 0) == bool(buffer), "the last payload is flagged, and nothing is behind it"
        if flags & LAST:
            return payloads


def rop_payload(payload: bytes) -> tuple[bytes, list[int]]:
    """The ROP responses and the handles of a payload. MS-OXCROPS 2.2.1."""
    (size,) = struct.unpack_from("<H", payload)
    assert 2 <= size <= len(payload)
    table = payload[size:]
    assert len(table) % 4 == 0, "handles are of four bytes"
    return payload[2:size], list(struct.unpack(f"<{len(table) // 4}I", table))

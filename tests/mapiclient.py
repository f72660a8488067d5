"""A client of MAPI over HTTP, made of the server's own records: for tests that talk over the wire.

    client = MapiClient(port, "anna@example.test", "pass word")    # port of plain HTTP on loopback
    client.connect(legacy_dn)
    handle = client.logon()
    reply = client.do(open_folder.ROP, open_folder.Request(...), on=handle)

`MapiClient` has the calls of `tests.rop.kit.Client` (`raw`, `batch`, `ask`, `do`, `logon`), so that what is
written for the engine runs over the wire as well. `Wire` beneath it is one request at a time: headers,
cookies, meta-tags; it is strict on all of them. `nspi()` gives another client, for the address book.
"""

import base64
import http.client
import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, TypeVar

from appliance.mapi.errors import MapiError
from appliance.protocols.mapihttp.bodies import emsmdb as bodies
from appliance.protocols.mapihttp.bodies.common import Failure
from appliance.protocols.mapihttp.bodies.emsmdb import ExecuteFlags
from appliance.rop import buffers
from appliance.wire.record import Record
from tests.rop.kit import Client

R = TypeVar("R", bound=Record)

EMSMDB, NSPI = "/mapi/emsmdb/", "/mapi/nspi/"
TIMEOUT = 60.0
MAX_ROP_OUT = 0x10008
_DATE = re.compile(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT")


class Refused(Exception):
    """A request that was not served: its X-ResponseCode."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(f"X-ResponseCode {code}: {text}")
        self.code, self.text = code, text


@dataclass(slots=True)
class Answer:
    """A response taken apart. `headers` in lower case; `tags` are the meta-tags, `more` the additional
    headers behind DONE."""

    status: int
    headers: dict[str, str]
    set_cookies: list[str] = field(default_factory=list)
    tags: list[str] = field(default_factory=list)
    more: dict[str, str] = field(default_factory=dict)
    body: bytes = b""

    @property
    def code(self) -> int:
        """The final X-ResponseCode."""
        return int(self.more.get("x-responsecode", self.headers.get("x-responsecode", "-1")))


def take_apart(answer: Answer, content: bytes) -> Answer:
    """Read meta-tags, additional headers and body; anything out of order fails."""
    if answer.headers.get("content-type") != "application/mapi-http":
        answer.body = content
        return answer
    while not answer.tags or answer.tags[-1] != "DONE":
        line, end, content = content.partition(b"\r\n")
        assert end, "the response ends within its meta-tags"
        answer.tags.append(line.decode("ascii"))
    assert answer.tags[0] == "PROCESSING"
    assert set(answer.tags[1:-1]) <= {"PENDING"}
    while True:
        line, end, content = content.partition(b"\r\n")
        assert end, "the response ends within its additional headers"
        if not line:
            break
        name, _, value = line.decode("ascii").partition(": ")
        assert name.lower() not in answer.more
        answer.more[name.lower()] = value
    assert answer.more["x-elapsedtime"].isdecimal()
    assert _DATE.fullmatch(answer.more["x-starttime"])
    answer.body = content
    return answer


class Wire:
    """Requests to one endpoint, over a connection of its own. `answer`: of the last request."""

    def __init__(
        self,
        port: int,
        user: str,
        password: str,
        path: str = EMSMDB,
        *,
        open: Callable[[], http.client.HTTPConnection] | None = None,
    ) -> None:
        self._open = open or (lambda: http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT))
        self.path = path
        self.credentials = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
        self.cookies: dict[str, str] = {}
        self.request_guid, self.client_info = str(uuid.uuid4()).upper(), f"{{{uuid.uuid4()}}}:1"
        self.count = 0
        self.connection: http.client.HTTPConnection | None = None
        self.answer = Answer(0, {})
        self._asked: dict[str, str] = {}
        self._response: http.client.HTTPResponse

    def close(self) -> None:
        if self.connection is not None:
            self.connection.close()
            self.connection = None

    def headers(self, request_type: str) -> dict[str, str]:
        """The headers of the next request (2.2.2.1)."""
        self.count += 1
        headers = {
            "Authorization": self.credentials,
            "Content-Type": "application/mapi-http",
            "X-RequestType": request_type,
            "X-RequestId": f"{self.request_guid}:{self.count}",
            "X-ClientInfo": self.client_info,
            "X-ClientApplication": "Outlook/16.0.4266.1001",
        }
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        return headers

    def send(self, request_type: str, body: bytes = b"", **changed: str | None) -> Answer:
        """One request; `changed` sets headers (underscores for hyphens), None leaves one out."""
        headers = self.headers(request_type)
        for name, value in changed.items():
            headers.pop(name.replace("_", "-"), None)
            if value is not None:
                headers[name.replace("_", "-")] = value
        return self.exchange("POST", body, headers)

    def exchange(self, method: str, body: bytes, headers: dict[str, str]) -> Answer:
        """A request as it is given. Cookies of the response are kept."""
        self.start(method, body, headers)
        return self.finish()

    def start(self, method: str, body: bytes, headers: dict[str, str]) -> None:
        """A request, up to the head of its response: from then on it runs."""
        if self.connection is None:
            self.connection = self._open()
        self.connection.request(method, self.path, body, headers)
        self._asked, self._response = headers, self.connection.getresponse()

    def finish(self) -> Answer:
        """The rest of the response."""
        response = self._response
        lines = response.getheaders()
        answer = Answer(response.status, {name.lower(): value for name, value in lines})
        answer.set_cookies = [value for name, value in lines if name.lower() == "set-cookie"]
        content = response.read()
        if response.will_close:
            self.close()
        self.answer = take_apart(answer, content)
        for cookie in answer.set_cookies:
            name, _, value = cookie.partition(";")[0].partition("=")
            self.cookies[name] = value
        if self._asked.get("X-RequestId") and answer.status == 200:
            assert answer.headers["x-requestid"] == self._asked["X-RequestId"]
        return self.answer

    def ask(self, request_type: str, request: Record | None, response: type[R], **changed: str | None) -> R:
        """A request that is served: its response's record. Raises Refused, and MapiError with the StatusCode
        of a failure body."""
        answer = self.send(request_type, request.pack() if request is not None else b"", **changed)
        if answer.status != 200 or answer.code != 0:
            raise Refused(answer.code, answer.body.decode("utf-8", "replace"))
        status = int.from_bytes(answer.body[:4], "little")
        if status:
            raise MapiError(Failure.parse(answer.body).status_code)
        return response.parse(answer.body)

    def ping(self) -> Answer:
        """PING (2.2.6)."""
        answer = self.send("PING")
        if answer.code:
            raise Refused(answer.code, answer.body.decode())
        assert answer.body == b""
        return answer


class MapiClient(Client):
    """The mailbox endpoint. `flags` and `max_rop_out` are those of every Execute."""

    def __init__(
        self,
        port: int,
        user: str,
        password: str,
        *,
        open: Callable[[], http.client.HTTPConnection] | None = None,
    ) -> None:
        self.wire = Wire(port, user, password, open=open)
        self._arguments = (port, user, password)
        self._opener = open
        self.flags = ExecuteFlags(0)
        self.display_name = ""
        self.user: Any = SimpleNamespace(legacy_dn="")

    def nspi(self) -> Wire:
        """A client of the address book, of the same user."""
        return Wire(*self._arguments, NSPI, open=self._opener)

    def close(self) -> None:
        """Close the connection; the context stays."""
        self.wire.close()

    def connect(self, legacy_dn: str, *, flags: int = 0, auxiliary: bytes = b"") -> bodies.ConnectResponse:
        """Connect. Raises MapiError with the ErrorCode."""
        request = bodies.ConnectRequest(legacy_dn, flags, 1252, 1033, 1033, auxiliary)
        response = self.wire.ask("Connect", request, bodies.ConnectResponse)
        if response.error_code:
            raise MapiError(response.error_code)
        self.user = SimpleNamespace(legacy_dn=legacy_dn)
        self.display_name = response.display_name
        return response

    def disconnect(self) -> bodies.DisconnectResponse:
        """Disconnect."""
        response = self.wire.ask("Disconnect", bodies.DisconnectRequest(), bodies.DisconnectResponse)
        assert response.error_code == 0
        return response

    def execute(self, rop_buffer: bytes, max_rop_out: int = MAX_ROP_OUT) -> bytes:
        """Execute an extended buffer as it is; the response's. Raises MapiError with the ErrorCode."""
        request = bodies.ExecuteRequest(self.flags, rop_buffer, max_rop_out)
        response = self.wire.ask("Execute", request, bodies.ExecuteResponse)
        assert response.flags == 0
        assert len(response.rop_buffer) <= max_rop_out
        if response.error_code:
            assert response.rop_buffer == b""
            raise MapiError(response.error_code)
        return response.rop_buffer

    def raw(self, data: bytes, limit: int = MAX_ROP_OUT - 8, *, chain: bool = False) -> list[bytes]:
        """Execute a ROP buffer; the responses' buffers, of which there is one unless `chain` allows more."""
        flags = self.flags
        if chain:
            self.flags |= ExecuteFlags.CHAIN
        try:
            return buffers.unpack(self.execute(buffers.pack([data]), limit + buffers.HEADER_SIZE))
        finally:
            self.flags = flags

    def poll(self) -> "Poll":
        """NotificationWait on this client's context, beside its requests; it runs when this returns."""
        wire = Wire(*self._arguments, open=self._opener)
        wire.cookies = dict(self.wire.cookies)
        wire.start("POST", bodies.NotificationWaitRequest(0).pack(), wire.headers("NotificationWait"))
        return Poll(wire)

    def wait(self) -> bool:
        """NotificationWait: whether there are notifications."""
        request = bodies.NotificationWaitRequest(0)
        response = self.wire.ask("NotificationWait", request, bodies.NotificationWaitResponse)
        if response.error_code:
            raise MapiError(response.error_code)
        assert response.event_pending in (0, 1)
        return bool(response.event_pending)


class Poll:
    """A NotificationWait under way."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire

    def end(self) -> bodies.NotificationWaitResponse:
        """Wait for the response."""
        answer = self.wire.finish()
        self.wire.close()
        assert answer.code == 0, answer.body
        return bodies.NotificationWaitResponse.parse(answer.body)

    def leave(self) -> None:
        """Cut the connection off."""
        self.wire._response.close()
        self.wire.close()

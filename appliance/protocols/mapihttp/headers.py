"""Headers of requests and responses, and the codes that say what became of a request (MS-OXCMAPIHTTP 2.2.3).

A request that cannot be served is a `Fault`. It is answered with status 200, its code in X-ResponseCode and
some words in HTML (2.2.2.2, 2.2.3.2.2); other statuses belong to the front door (401) and to our own errors.
"""

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

from appliance.net.web import Exchange, Response

CONTENT_TYPE = "application/mapi-http"
FAULT_TYPE = "text/html"
SERVER_APPLICATION = "Exchange/15.01.2507.006"
"""X-ServerApplication (2.2.3.3.7): the version whose functions clients find here."""

_APPLICATION = re.compile(r"[^/]+/(\d{1,5})\.(\d{1,5})\.(\d{1,5})(?:\.\d{1,5})?")
_LEAST_VERSION = (15, 0, 0)
"""Of clients that say none: the first that spoke this protocol."""


class ResponseCode(IntEnum):
    """X-ResponseCode (2.2.3.3.3)."""

    SUCCESS = 0
    UNKNOWN_FAILURE = 1
    INVALID_VERB = 2
    INVALID_PATH = 3
    INVALID_HEADER = 4
    INVALID_REQUEST_TYPE = 5
    INVALID_CONTEXT_COOKIE = 6
    MISSING_HEADER = 7
    ANONYMOUS_NOT_ALLOWED = 8
    TOO_LARGE = 9
    CONTEXT_NOT_FOUND = 10
    NO_PRIVILEGE = 11
    INVALID_REQUEST_BODY = 12
    MISSING_COOKIE = 13
    INVALID_SEQUENCE = 15
    ENDPOINT_DISABLED = 16
    INVALID_RESPONSE = 17
    ENDPOINT_SHUTTING_DOWN = 18


class Fault(Exception):
    """A request that is not served. `text` is shown to the client. `cookies`: of the context, if any."""

    def __init__(self, code: ResponseCode, text: str, cookies: tuple[str, ...] = ()) -> None:
        super().__init__(f"{code.name}: {text}")
        self.code, self.text, self.cookies = code, text, cookies


@dataclass(frozen=True, slots=True)
class Head:
    """What a request's headers say."""

    request_type: str
    request_id: str
    client_info: str
    client_version: tuple[int, int, int]
    cookies: dict[str, str]

    @classmethod
    def of(cls, exchange: Exchange) -> "Head":
        """Raises Fault for headers that are missing or wrong."""
        if exchange.method != "POST":
            raise Fault(ResponseCode.INVALID_VERB, "Requests are made with POST.")
        for name in ("X-RequestType", "X-RequestId", "Content-Type"):
            if not exchange.header(name):
                raise Fault(ResponseCode.MISSING_HEADER, f"The header {name} is missing.")
        if media_type(exchange.header("Content-Type")) != CONTENT_TYPE:
            raise Fault(ResponseCode.INVALID_HEADER, f"The Content-Type is not {CONTENT_TYPE}.")
        return cls(
            exchange.header("X-RequestType"),
            exchange.header("X-RequestId"),
            exchange.header("X-ClientInfo"),
            client_version(exchange.header("X-ClientApplication")),
            cookies(exchange.header_lines("Cookie")),
        )


def media_type(text: str) -> str:
    """A Content-Type without parameters, in lower case (RFC 9110 8.3.1)."""
    return text.partition(";")[0].strip().lower()


def client_version(text: str) -> tuple[int, int, int]:
    """Major, minor and build of X-ClientApplication (2.2.3.3.6)."""
    found = _APPLICATION.fullmatch(text.strip())
    return (int(found[1]), int(found[2]), int(found[3])) if found else _LEAST_VERSION


def cookies(lines: list[str]) -> dict[str, str]:
    """The cookies of a request (2.2.3.2.4); of several with one name the last counts."""
    pairs = (part.partition("=") for line in lines for part in line.split(";"))
    return {name.strip(): value.strip() for name, separator, value in pairs if separator}


def common(
    exchange: Exchange, code: int, expiration: float, cookies: tuple[str, ...]
) -> Iterator[tuple[str, str]]:
    """The headers of every response (2.2.2.2). `expiration`: seconds of life without requests."""
    for name in ("X-RequestType", "X-RequestId", "X-ClientInfo"):
        if value := exchange.header(name):
            yield name, value  # returned as they came: 2.2.3.3.2, 2.2.3.3.4
    yield "X-ResponseCode", str(int(code))
    yield "X-ServerApplication", SERVER_APPLICATION
    yield "X-ExpirationInfo", str(int(expiration * 1000))
    yield "Cache-Control", "private"
    for cookie in cookies:
        yield "Set-Cookie", cookie


def page(fault: Fault) -> bytes:
    """Some words about a fault, for who looks at it (2.2.2.2)."""
    title = fault.code.name.replace("_", " ").capitalize()
    head = f"<html><head><title>{title}</title></head><body><h1>{title}</h1>"
    return f"{head}<p>{html.escape(fault.text)}</p></body></html>\r\n".encode()


def refusal(exchange: Exchange, fault: Fault, expiration: float, cookies: tuple[str, ...]) -> Response:
    """The response to a request that is not served."""
    headers = common(exchange, fault.code, expiration, cookies)
    return Response(200, page(fault), FAULT_TYPE, tuple(headers))

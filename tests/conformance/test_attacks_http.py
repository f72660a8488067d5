"""A client that means ill, over HTTP: heads that two readers would read in two ways, bodies that lie about
their length, paths that climb, and slow or greedy peers. RFC 9110, RFC 9112.

Where a request could be read in two ways the connection ends with its refusal, so that no second request
comes out of the bytes of the first.
"""

import gzip
import random
import socket
import struct
import zlib

import pytest

from tests.conformance.client import CONTENT_TYPE, EMSMDB
from tests.conformance.http_wire import Answer, Wire, basic, is_for, request, whoami
from tests.conformance.office import Office, Person

pytestmark = pytest.mark.usefixtures("unharmed")

POX = "/autodiscover/autodiscover.xml"
HOST = b"Host: mail.example.test\r\n"
SMUGGLED = b"GET /smuggled HTTP/1.1\r\n" + HOST + b"\r\n"


def first_and_last(wire: Wire) -> int:
    """The status of the first answer, after which the connection ends; what followed is no request."""
    wire.socket.shutdown(socket.SHUT_WR)
    answer = wire.answer()
    rest = wire.rest()
    assert not rest or rest.startswith(b"HTTP/1.1 400 ")
    assert rest.count(b"HTTP/1.1 ") <= 1
    return answer.status


# Requests that can be read in two ways


@pytest.mark.parametrize(
    "fields",
    [
        b"Content-Length: 5\r\nContent-Length: 6\r\n",
        b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
        b"Content-Length: 5, 6\r\n",
        b"Content-Length: +5\r\n",
        b"Content-Length: -1\r\n",
        b"Content-Length: 0x5\r\n",
        b"Content-Length: 5 5\r\n",
        b"Content-Length: 5;\r\n",
        b"Content-Length: \xb2\r\n",
        b"Content-Length: 1e1\r\n",
        b"Content-Length: 99999999999999999999999999999999\r\n",
        b"Content-Length:\r\n",
        b"Content-Length : 5\r\n",
        b"Content-Length\r\n",
        b"Content-Length: 5\r\n Content-Length: 6\r\n",
        b"Transfer-Encoding: xchunked\r\n",
        b"Transfer-Encoding: identity\r\n",
        b"Transfer-Encoding: gzip, chunked\r\n",
        b"Transfer-Encoding: chunked, identity\r\n",
        b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
        b"Transfer-Encoding: \x0bchunked\r\n",
        b"Transfer-Encoding : chunked\r\n",
        b"Transfer-Encoding:\r\n",
        b" Transfer-Encoding: chunked\r\n",
        b"X: y\r\n\tTransfer-Encoding: chunked\r\n",
        b"X\0: y\r\n",
        b"X: a\0b\r\n",
        b"X: a\rb\r\n",
        b"X\r\n",
        b": y\r\n",
        b"X Y: z\r\n",
        b"\xff: y\r\n",
        b"Host: other.test\r\n",
    ],
)
def test_heads_of_two_meanings(anna: Person, fields: bytes) -> None:
    """Refused, or answered as the one request that it is; nothing behind it is a request of its own unless it
    really is the next."""
    body = b"0\r\n\r\n"
    with Wire(anna.port) as wire:
        wire.send(b"POST " + POX.encode() + b" HTTP/1.1\r\n" + HOST + fields + b"\r\n" + body + SMUGGLED)
        assert first_and_last(wire) in (400, 401, 411, 413, 501)


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"GET",
        b"GET /",
        b"GET / HTTP/2.0",
        b"GET / HTTP/1.2.3",
        b"GET / http/1.1",
        b"GET  / HTTP/1.1",
        b"GET /\tHTTP/1.1",
        b"GET / HTTP/1.1 ",
        b" GET / HTTP/1.1",
        b"GET / a HTTP/1.1",
        b"G\xc3\x89T / HTTP/1.1",
        b"GET /\0 HTTP/1.1",
        b"GET \\ HTTP/1.1",
        b"PRI * HTTP/2.0",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"\x80\x2e\x01\x00\x02",
        b"EHLO client.test",
        b"a001 LOGIN anna pass",
        bytes(range(256)),
    ],
)
def test_what_is_no_request_line(anna: Person, line: bytes) -> None:
    with Wire(anna.port) as wire:
        wire.send(line + b"\r\n" + HOST + b"\r\n" + SMUGGLED)
        wire.socket.shutdown(socket.SHUT_WR)
        rest = wire.rest()
        assert rest.startswith(b"HTTP/1.1 4")
        assert rest.count(b"HTTP/1.1 ") <= 2
        assert b" 200 " not in rest


def test_no_host_and_two(anna: Person) -> None:
    """RFC 9112 3.2."""
    for host in (b"", HOST + b"Host: other.test\r\n", b"Host: a b\r\n", b"Host: a/b@c\r\n"):
        with Wire(anna.port) as wire:
            wire.send(b"GET /nothing HTTP/1.1\r\n" + host + b"\r\n")
            assert wire.answer().status in (400, 404)
    with Wire(anna.port) as wire:
        wire.send(b"GET /nothing HTTP/1.1\r\n\r\n")
        assert wire.answer().status == 400


CHUNKS = {
    "size": b"FFFFFFFFFFFFFFFFF\r\n",
    "signed": b"-1\r\nx",
    "plus": b"+1\r\nx\r\n0\r\n\r\n",
    "hex": b"0x1\r\nx\r\n0\r\n\r\n",
    "blank": b" 1\r\nx\r\n0\r\n\r\n",
    "no size": b"\r\nx\r\n",
    "letters": b"zz\r\n",
    "extension": b"1;" + b"a" * 100_000,
    "short": b"2\r\nx\r\n0\r\n\r\n",
    "long": b"1\r\nxx\r\n0\r\n\r\n",
    "line feed": b"1\nx\n0\n\n",
    "trailers": b"0\r\n" + b"X: y\r\n" * 20_000 + b"\r\n",
    "trailer": b"0\r\nX" + b"y" * 100_000,
}


@pytest.mark.parametrize("case", CHUNKS)
def test_chunks_that_lie(anna: Person, case: str) -> None:
    head = request(
        "POST", POX, {"Transfer-Encoding": "chunked", "Authorization": basic(anna.address, anna.password)}
    )
    with Wire(anna.port) as wire:
        wire.send(head + CHUNKS[case] + b"\r\n" + SMUGGLED)
        wire.socket.shutdown(socket.SHUT_WR)
        rest = wire.rest()
        assert b"smuggled" not in rest
        assert rest.count(b"HTTP/1.1 2") <= 1


def test_pipelined_requests_keep_their_users_apart(anna: Person, ben: Person) -> None:
    with Wire(anna.port) as wire:
        people = [(anna, anna), (ben, ben), (anna, ben), (ben, anna), (anna, anna)]
        wire.send(b"".join(whoami(who, basic(by.address, by.password)) for who, by in people))
        assert [is_for(wire.answer("POST")) for _ in people] == [who is by for who, by in people]


# Sizes


def test_long_heads(anna: Person) -> None:
    """RFC 6585 5; RFC 9110 15.5.15."""
    for data in (
        b"GET /" + b"a" * 200_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n",
        b"GET / HTTP/1.1\r\n" + HOST + b"X: " + b"a" * 200_000 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\n" + HOST + b"X: y\r\n" * 50_000 + b"\r\n",
        b"GET / HTTP/1.1\r\n" + HOST + b"".join(b"X%d: y\r\n" % n for n in range(20_000)) + b"\r\n",
    ):
        with Wire(anna.port) as wire:
            wire.send(data)
            assert wire.answer().status in (400, 414, 431)
            assert wire.rest() == b""


def test_a_cookie_of_every_length(anna: Person) -> None:
    for size in (0, 1, 100, 4000, 12_000):
        cookies = "; ".join(("MapiContext=" + "A" * size, "MapiSequence=" + "1-" + "B" * size, "=;;=; x"))
        with Wire(anna.port) as wire:
            data = whoami(anna, basic(anna.address, anna.password))
            wire.send(
                data.replace(b"X-RequestType: Connect", f"X-RequestType: PING\r\nCookie: {cookies}".encode())
            )
            answer = wire.answer("POST")
            assert answer.status == 200
            assert answer.one("x-responsecode") != "0"


@pytest.mark.parametrize("path", [POX, "/autodiscover/autodiscover.svc", EMSMDB, "/mapi/nspi/"])
def test_a_body_beyond_the_limit(anna: Person, path: str) -> None:
    """Announced: refused before it is read. In chunks: as soon as it passes the limit."""
    login = {"Authorization": basic(anna.address, anna.password), "Content-Type": CONTENT_TYPE}
    with Wire(anna.port) as wire:
        wire.send(request("POST", path, {**login, "Content-Length": str(1 << 40), "Expect": "100-continue"}))
        answer = wire.answer("POST")
        assert answer.status != 100
        assert answer.status in (200, 413)
        assert wire.rest() == b""
    with Wire(anna.port) as wire:
        wire.send(request("POST", path, {**login, "Transfer-Encoding": "chunked"}))
        piece = b"10000\r\n" + bytes(0x10000) + b"\r\n"
        for _ in range(100):  # 6.5 MB
            wire.send(piece)
        assert wire.answer("POST").status in (200, 413)
        assert wire.rest() == b""


def test_packed_bodies(anna: Person) -> None:
    """Bombs of megabytes: nothing unpacks them. The body is taken as it is, or its coding refused (415)."""
    packed = {
        "gzip": gzip.compress(bytes(100 << 20), 9)[:60_000],
        "deflate": zlib.compress(bytes(40 << 20), 9)[:60_000],
    }
    for coding, body in packed.items():
        for path in (POX, EMSMDB):
            headers = {"Content-Encoding": coding, "Authorization": basic(anna.address, anna.password)}
            headers |= {"Content-Type": CONTENT_TYPE, "X-RequestType": "Connect"}
            with Wire(anna.port) as wire:
                answer = wire.request("POST", path, headers, body)
                assert answer.status in (200, 415)
                if path == EMSMDB and answer.status == 200:
                    assert answer.one("x-responsecode") != "0"


# Paths


@pytest.mark.parametrize(
    "path",
    [
        "/../../../../etc/passwd",
        "/autodiscover/../../etc/passwd",
        "/autodiscover/..%2f..%2f..%2fetc/passwd",
        "/autodiscover/%2e%2e/%2e%2e/%2e%2e/etc/passwd",
        "/autodiscover/..%255c..%255cetc",
        "/..\\..\\etc\\passwd",
        "/autodiscover/autodiscover.json/v1.0/..%2f..%2fetc%2fpasswd?Protocol=Ews",
        "/.well-known/autoconfig/mail/..%2f..%2fconfig",
        "/mail/../metrics",
        "//etc/passwd",
        "/%00",
        "/autodiscover/autodiscover.xml%00.html",
        "/%c0%ae%c0%ae/etc/passwd",
        "/%ff%fe",
        "/%",
        "/%zz",
        "/.git/config",
        "/?" + "a=b&" * 5000,
        "http://127.0.0.1:1/../../etc/passwd",
    ],
)
def test_paths_that_climb(anna: Person, path: str) -> None:
    with Wire(anna.port) as wire:
        answer = wire.request("GET", path)
        assert answer.status in (400, 401, 404, 414)
        assert b"root:" not in answer.body
        assert b"satchel" not in answer.body.lower()
        assert str(anna.port).encode() not in answer.body, "nothing of the inside is shown"


@pytest.mark.parametrize(
    "method",
    ["TRACE", "CONNECT", "DEBUG", "PROPFIND", "PUT", "DELETE", "PATCH", "FOO", "post", "RPC_IN_DATA"],
)
def test_unusual_methods(anna: Person, method: str) -> None:
    with Wire(anna.port) as wire:
        answer = wire.request(method, EMSMDB, {"Authorization": basic(anna.address, anna.password)}, b"")
        assert answer.status in (200, 405)
        if answer.status == 200:
            assert answer.one("x-responsecode") == "2", "Invalid Verb: MS-OXCMAPIHTTP 2.2.3.3.3"
    for path in (POX, "/nothing", "/rpc/rpcproxy.dll"):
        with Wire(anna.port) as wire:
            answer = wire.request(method, path, {"Authorization": basic(anna.address, anna.password)}, b"")
            assert answer.status in (400, 404, 405, 501)
            assert basic(anna.address, anna.password).encode() not in answer.body, (
                "TRACE shows no credentials"
            )


def test_head_is_get_without_a_body(anna: Person) -> None:
    with Wire(anna.port) as wire:
        answers: list[Answer] = []
        for method in ("GET", "HEAD"):
            answers.append(wire.request(method, "/mail/config-v1.1.xml?emailaddress=anna@example.test"))
        assert [answer.status for answer in answers] == [200, 200]
        assert answers[0].one("content-length") == answers[1].one("content-length")
        assert answers[0].one("content-type") == answers[1].one("content-type")


def test_headers_cannot_be_written_by_the_client(anna: Person) -> None:
    """What is given back (X-RequestId, X-ClientInfo) comes as it was, and never as a field of its own."""
    for evil in ("{x}:1\x0bSet-Cookie: a=b", "{x}:1%0d%0aSet-Cookie: a=b", "x" * 5000, "{\xff}:1"):
        data = whoami(anna, basic(anna.address, anna.password))
        data = data.replace(b"{E2EA6C1C-E61B-49E9-9CFB-38184F907552}:1", evil.encode("latin-1"))
        with Wire(anna.port) as wire:
            wire.send(data)
            answer = wire.answer("POST")
            assert answer.status in (200, 400)
            assert not [value for value in answer.all("set-cookie") if value.startswith("a=")]


# Slow ones


def test_a_head_byte_by_byte(anna: Person) -> None:
    with Wire(anna.port) as wire:
        for byte in whoami(anna, basic(anna.address, anna.password)):
            wire.send(bytes((byte,)))
        assert is_for(wire.answer("POST"))


def test_expectations(anna: Person) -> None:
    """RFC 9110 10.1.1: 100-continue alone is known, in any case of letters."""
    login = {"Authorization": basic(anna.address, anna.password)}
    with Wire(anna.port) as wire:
        wire.send(request("POST", POX, {**login, "Expect": "100-Continue", "Content-Length": "4"}))
        assert wire.answer("POST").status == 100
        wire.send(b"<x/>")
        assert wire.answer("POST").status == 200
        wire.send(request("POST", POX, {"Expect": "100-continue", "Content-Length": "4"}))
        assert wire.answer("POST").status == 401, "without leave: nobody logged on"


def test_noise(anna: Person) -> None:
    noise = random.Random(80)
    for _ in range(150):
        data = bytearray(whoami(anna, basic(anna.address, anna.password)))
        for _ in range(noise.choice((1, 3, 20))):
            at = noise.randrange(len(data))
            data[at : at + noise.choice((0, 1, 4))] = noise.randbytes(noise.choice((0, 1, 4)))
        with Wire(anna.port) as wire:
            wire.send(bytes(data))
            wire.socket.shutdown(socket.SHUT_WR)
            rest = wire.rest()
            assert not rest or rest.startswith(b"HTTP/1.1 ")
            assert not rest.startswith(b"HTTP/1.1 5")


@pytest.mark.parametrize("depth", [50, 5000])
@pytest.mark.parametrize("path", [POX, "/autodiscover/autodiscover.svc"])
def test_deep_xml(anna: Person, path: str, depth: int) -> None:
    wide = "<a " + " ".join(f'x{number}="y"' for number in range(depth)) + "/>"
    for body in ("<a>" * depth + "</a>" * depth, "<a>" * depth, wide, "<a>" + "<b/>" * depth + "</a>"):
        with Wire(anna.port) as wire:
            login = {"Authorization": basic(anna.address, anna.password), "Content-Type": "text/xml"}
            answer = wire.request("POST", path, login, body.encode())
            assert answer.status == (200 if path == POX else 500)
            assert b"<ErrorCode>600</ErrorCode>" in answer.body or b"Fault>" in answer.body


def test_another_protocol_behind_tls_ports(office: Office) -> None:
    """Plain text where TLS is expected, and half a handshake."""
    for data in (
        SMUGGLED,
        b"\x16\x03\x01\xff\xff" + bytes(70_000),
        b"\x16\x03\x03\x00\x00",
        struct.pack(">I", 1) * 99,
    ):
        with Wire(office.served.offset + 443) as wire:
            wire.send(data)
            wire.socket.shutdown(socket.SHUT_WR)
            assert b"200" not in wire.rest()

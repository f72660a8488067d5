"""Log-ons over HTTP as strangers make them: Basic (RFC 7617), NTLM and Negotiate (MS-NTHT, RFC 4559).

NTLM messages are impacket's, SPNEGO tokens are pyspnego's; what neither would send is made here in bytes.
"""

import base64
import hashlib
import random
import ssl
import struct
from collections.abc import Callable

import pytest
import requests
import spnego
from impacket import ntlm
from requests.auth import AuthBase, HTTPBasicAuth
from requests_ntlm import HttpNtlmAuth
from spnego.channel_bindings import GssChannelBindings

from tests.conformance.http_wire import Answer, Wire, basic, is_for, request, whoami
from tests.conformance.office import Office, Person

SIGNATURE = b"NTLMSSP\0"
POX = "/autodiscover/autodiscover.xml"
EWS_LIKE = "/mapi/emsmdb/"


def open_wire(person: Person) -> Wire:
    """A connection to the person's server."""
    return Wire(person.port)


def ask(wire: Wire, person: Person, authorization: str | None = None) -> Answer:
    """Whether I am that person."""
    wire.send(whoami(person, authorization))
    return wire.answer("POST")


def offers(answer: Answer) -> list[str]:
    """The schemes of a refusal, in their order."""
    assert answer.status == 401
    return [value.partition(" ")[0].lower() for value in answer.all("www-authenticate")]


def token(answer: Answer, scheme: str = "NTLM") -> bytes:
    """The server's token; nothing else is offered with it."""
    name, _, text = answer.one("www-authenticate").partition(" ")
    assert name == scheme
    return base64.b64decode(text, validate=True)


def header(data: bytes, scheme: str = "NTLM") -> str:
    """An Authorization header."""
    return f"{scheme} {base64.b64encode(data).decode()}"


# What is offered


@pytest.mark.parametrize("target", [EWS_LIKE, "/mapi/nspi/", POX, "/autodiscover/autodiscover.svc"])
def test_who_says_nothing_is_told_the_ways(anna: Person, target: str) -> None:
    with open_wire(anna) as wire:
        for _ in range(2):
            answer = wire.request("POST", target, {"Content-Type": "text/xml"}, b"x")
            assert offers(answer) == ["basic", "ntlm", "negotiate"], "each in a field of its own"
            assert answer.all("www-authenticate")[1:] == ["NTLM", "Negotiate"]
            assert 'realm="' in answer.all("www-authenticate")[0]
            assert not answer.all("set-cookie"), "a stranger gets no context"


def test_a_path_that_does_not_exist_is_not_worth_a_log_on(anna: Person) -> None:
    with open_wire(anna) as wire:
        assert wire.request("GET", "/nothing").status == 404


# Basic


def test_basic_is_for_one_request(anna: Person, ben: Person) -> None:
    with open_wire(anna) as wire:
        assert is_for(ask(wire, anna, basic(anna.address, anna.password)))
        assert is_for(ask(wire, ben, basic(ben.address, ben.password)))
        assert not is_for(ask(wire, anna, basic(ben.address, ben.password)))
        assert ask(wire, anna).status == 401


@pytest.mark.parametrize("scheme", ["basic", "BASIC", "Basic  ", "bAsIc "])
def test_the_scheme_is_of_any_case(anna: Person, scheme: str) -> None:
    text = basic(anna.address, anna.password).partition(" ")[2]
    with open_wire(anna) as wire:
        assert is_for(ask(wire, anna, f"{scheme} {text}"))


@pytest.mark.parametrize(
    "form",
    [
        lambda person: person.address,
        lambda person: person.address.upper(),
        lambda person: person.address.partition("@")[0],
        lambda person: "example.test\\" + person.address.partition("@")[0],
        lambda person: "EXAMPLE\\" + person.address.partition("@")[0],
    ],
)
def test_names_in_every_form(anna: Person, form: Callable[[Person], str]) -> None:
    with open_wire(anna) as wire:
        assert is_for(ask(wire, anna, basic(form(anna), anna.password)))


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("{}", "wrong"),
        ("{}", ""),
        ("{}", "pass word "),
        ("{}", "PASS WORD"),
        ("", "pass word"),
        ("nobody@example.test", "pass word"),
        ("{}\0", "pass word"),
        ("{}", "pass word\0"),
        ("{}", "x" * 3000),
        ("é" * 200, "pass word"),
        ("*", "*"),
        ("(&(uid=*))", "pass word"),
        ("../../{}", "pass word"),
    ],
)
def test_wrong_names_and_passwords(anna: Person, name: str, password: str) -> None:
    with open_wire(anna) as wire:
        answer = ask(wire, anna, basic(name.format(anna.address), password))
        assert offers(answer) == ["basic", "ntlm", "negotiate"]
        assert is_for(ask(wire, anna, basic(anna.address, anna.password))), "the connection goes on"


@pytest.mark.parametrize(
    "authorization",
    [
        "",
        "Basic",
        "Basic ",
        "Basic =",
        "Basic ====",
        "Basic \xff\xfe",
        "Basic YW5uYQ==",
        "Basic " + "A" * 20_000,
        "Basic Og==, NTLM TlRMTVNTUAAB",
        "Bearer eyJhbGciOiJub25lIn0.e30.",
        "Digest username=anna, realm=x, nonce=y, uri=/, response=z",
        "Anonymous",
        "NTLM",
        "NTLM !!!",
        "NTLM " + base64.b64encode(b"x" * 40).decode(),
        "NTLM " + "A" * 30_000,
        "Negotiate",
        "Negotiate AAAA",
        "Negotiate " + base64.b64encode(b"\x60\x84\xff\xff\xff\xff" + bytes(20)).decode(),
        "Negotiate " + base64.b64encode(b"\x60\x80" + b"\x30\x80" * 4000).decode(),
        "Kerberos " + base64.b64encode(b"\x60\x00").decode(),
    ],
)
def test_what_is_no_log_on(anna: Person, authorization: str) -> None:
    with open_wire(anna) as wire:
        answer = ask(wire, anna, authorization)
        assert answer.status in (401, 431)
        if answer.status == 401:
            assert offers(answer)
            assert is_for(ask(wire, anna, basic(anna.address, anna.password)))


def test_two_authorization_headers(anna: Person, ben: Person) -> None:
    """The first, the last or none may count (RFC 9110 5.3 forbids two): never a mixture."""
    plain = whoami(anna, basic(anna.address, anna.password))
    more = f"Authorization: {basic(ben.address, 'wrong')}\r\n".encode()
    with open_wire(anna) as wire:
        wire.send(plain.replace(b"Authorization:", more + b"Authorization:"))
        answer = wire.answer("POST")
        assert answer.status in (200, 400, 401)
        if answer.status == 200:
            assert is_for(answer)


# NTLM


def first() -> ntlm.NTLMAuthNegotiate:
    """A NEGOTIATE_MESSAGE."""
    return ntlm.getNTLMSSPType1("", "")


def third(person: Person, challenge: bytes, password: str | None = None, **options: object) -> bytes:
    """An AUTHENTICATE_MESSAGE for a challenge."""
    secret = person.password if password is None else password
    user, _, domain = person.address.partition("@")
    made, _ = ntlm.getNTLMSSPType3(first(), challenge, user, secret, domain, service="HTTP", **options)
    data: bytes = made.getData()
    return data


def handshake(wire: Wire, person: Person, password: str | None = None, **options: object) -> Answer:
    """A log-on by NTLM; the answer to its last message."""
    challenge = token(ask(wire, person, header(first().getData())))
    return ask(wire, person, header(third(person, challenge, password, **options)))


def fields(challenge: bytes) -> tuple[int, bytes, dict[int, bytes]]:
    """Flags, challenge and target information of a CHALLENGE_MESSAGE. MS-NLMP 2.2.1.2."""
    assert challenge[:8] == SIGNATURE
    kind, name_size, _, name_at, flags = struct.unpack_from("<IHHII", challenge, 8)
    assert kind == 2
    assert 48 <= name_at <= name_at + name_size <= len(challenge)
    assert challenge[32:40] == bytes(8), "reserved"
    size, _, at = struct.unpack_from("<HHI", challenge, 40)
    rest = challenge[at : at + size]
    pairs: dict[int, bytes] = {}
    assert len(rest) == size
    while True:
        number, length = struct.unpack_from("<HH", rest)
        value, rest = rest[4 : 4 + length], rest[4 + length :]
        assert len(value) == length
        if number == 0:
            assert not rest, "the end is the end"
            return flags, challenge[24:32], pairs
        pairs[number] = value


UNICODE, REQUEST_TARGET, NTLM, EXTENDED, TARGET_INFO = 0x1, 0x4, 0x200, 0x80000, 0x800000


def test_a_challenge(anna: Person) -> None:
    seen = set()
    with open_wire(anna) as wire:
        for _ in range(3):
            answer = ask(wire, anna, header(first().getData()))
            assert answer.status == 401
            flags, challenge, pairs = fields(token(answer))
            assert (
                flags & (UNICODE | NTLM | EXTENDED | TARGET_INFO) == UNICODE | NTLM | EXTENDED | TARGET_INFO
            )
            assert set(pairs) >= {1, 2, 3, 4, 7}, "MS-NLMP 2.2.2.1: names and MsvAvTimestamp"
            assert len(pairs[7]) == 8
            assert pairs[4].decode("utf-16-le") == "example.test"
            seen.add(challenge)
    assert len(seen) == 3, "a challenge is used once"


def test_ntlm_is_for_the_connection(anna: Person, ben: Person) -> None:
    with open_wire(anna) as wire, open_wire(anna) as other:
        assert is_for(handshake(wire, anna))
        assert is_for(ask(wire, anna)), "requests without credentials are hers"
        assert not is_for(ask(wire, ben))
        assert ask(other, anna).status == 401, "on that connection alone"
        assert is_for(handshake(wire, ben)), "somebody else may log on over it"
        assert not is_for(ask(wire, anna))
        assert ask(wire, ben, header(first().getData())).status == 401
        assert ask(wire, ben).status == 401, "a log-on that has begun ends the one before"


def test_a_body_goes_with_every_step(anna: Person) -> None:
    """Clients send the body at once, or an empty one until they are known."""
    empty = request("POST", EWS_LIKE, {"Authorization": header(first().getData())}, b"")
    with open_wire(anna) as wire:
        wire.send(empty)
        challenge = token(wire.answer("POST"))
        assert is_for(ask(wire, anna, header(third(anna, challenge))))
        assert is_for(ask(wire, anna))


@pytest.mark.parametrize("password", ["wrong", "", "pass wor", "PASS WORD", "x" * 200])
def test_wrong_passwords_of_ntlm(anna: Person, password: str) -> None:
    with open_wire(anna) as wire:
        assert offers(handshake(wire, anna, password)) == ["basic", "ntlm", "negotiate"]
        assert ask(wire, anna).status == 401
        assert is_for(handshake(wire, anna)), "the next attempt is a new one"


def test_nobody_is_refused_at_the_same_step(anna: Person) -> None:
    stranger = Person("stranger@example.test", "x", anna.dn, "x", anna.port)
    with open_wire(anna) as wire:
        challenge = token(ask(wire, anna, header(first().getData())))
        assert len(fields(challenge)[1]) == 8
        assert offers(ask(wire, anna, header(third(stranger, challenge)))) == ["basic", "ntlm", "negotiate"]


def test_version_1_is_refused(anna: Person) -> None:
    with open_wire(anna) as wire:
        assert handshake(wire, anna, use_ntlmv2=False).status == 401
        assert ask(wire, anna).status == 401


def test_the_anonymous_are_refused(anna: Person) -> None:
    with open_wire(anna) as wire:
        token(ask(wire, anna, header(first().getData())))
        empty = struct.pack("<HHI", 0, 0, 64) * 5
        message = SIGNATURE + struct.pack("<I", 3) + empty + struct.pack("<HHI", 0, 0, 64)
        message += struct.pack("<I", UNICODE | NTLM | EXTENDED | 0x800)
        assert ask(wire, anna, header(message)).status == 401
        assert ask(wire, anna).status == 401


def test_an_answer_is_good_for_its_challenge_alone(anna: Person) -> None:
    with open_wire(anna) as wire, open_wire(anna) as other:
        challenge = token(ask(wire, anna, header(first().getData())))
        answer = header(third(anna, challenge))
        assert ask(other, anna, answer).status == 401, "no log-on was begun here"
        token(ask(other, anna, header(first().getData())))
        assert ask(other, anna, answer).status == 401, "another challenge"
        assert is_for(ask(wire, anna, answer))
    with open_wire(anna) as wire:
        token(ask(wire, anna, header(first().getData())))
        assert ask(wire, anna, answer).status == 401, "a replay"


def test_every_truncation_is_refused(anna: Person) -> None:
    """Of the last message, at every fourth byte; and with each byte of its head turned over."""
    with open_wire(anna) as wire:
        whole = third(anna, token(ask(wire, anna, header(first().getData()))))
    pieces = [whole[:size] for size in range(1, len(whole), 7)]
    pieces += [whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :] for at in range(64)]
    for piece in pieces:
        with open_wire(anna) as wire:
            token(ask(wire, anna, header(first().getData())))
            answer = ask(wire, anna, header(piece))
            assert answer.status == 401
            assert ask(wire, anna).status == 401


def test_noise(anna: Person) -> None:
    noise = random.Random(4178)
    with open_wire(anna) as wire:
        for number in range(120):
            data = noise.randbytes(noise.choice((1, 8, 16, 33, 64, 200)))
            if number % 3:
                data = SIGNATURE + struct.pack("<I", noise.choice((1, 2, 3, 9))) + data
            answer = ask(wire, anna, header(data, noise.choice(("NTLM", "Negotiate"))))
            assert answer.status == 401
        assert is_for(ask(wire, anna, basic(anna.address, anna.password)))


# Negotiate


def negotiate(
    wire: Wire, person: Person, protocol: str, bindings: bytes | None = None, password: str | None = None
) -> Answer:
    """A log-on with pyspnego; the last answer, whose token it takes."""
    binding = GssChannelBindings(application_data=bindings) if bindings is not None else None
    client = spnego.client(
        person.address, password or person.password, "mail.example.test", "HTTP",
        channel_bindings=binding, protocol=protocol,
    )  # fmt: skip
    answer = ask(wire, person, header(client.step() or b"", "Negotiate"))
    while answer.status == 401 and len(answer.all("www-authenticate")) == 1:
        made = client.step(token(answer, "Negotiate"))
        assert made is not None
        answer = ask(wire, person, header(made, "Negotiate"))
    if answer.status == 200 and answer.all("www-authenticate"):
        client.step(token(answer, "Negotiate"))
    assert client.complete or answer.status != 200
    return answer


@pytest.mark.parametrize("protocol", ["negotiate", "ntlm"])
def test_negotiate(anna: Person, ben: Person, protocol: str) -> None:
    with open_wire(anna) as wire:
        answer = negotiate(wire, anna, protocol)
        assert is_for(answer)
        assert is_for(ask(wire, anna))
        assert not is_for(ask(wire, ben))
        if protocol == "negotiate":
            assert token(answer, "Negotiate")[:1] == b"\xa1", "RFC 4178 4.2.2: accept-completed goes with it"


def test_a_wrong_password_of_negotiate(anna: Person) -> None:
    with open_wire(anna) as wire:
        answer = negotiate(wire, anna, "negotiate", password="wrong")
        assert offers(answer) == ["basic", "ntlm", "negotiate"]
        assert ask(wire, anna).status == 401


KERBEROS = bytes.fromhex("2a864886f712010202")


def der(tag: int, content: bytes) -> bytes:
    """A short DER element."""
    assert len(content) < 128
    return bytes([tag, len(content)]) + content


def test_kerberos_alone_is_refused(anna: Person) -> None:
    """A client that has nothing but Kerberos: RFC 4178 4.2.2, reject, or the offers anew."""
    types = der(0xA0, der(0x30, der(0x06, KERBEROS)))
    first = der(0x60, der(0x06, bytes.fromhex("2b0601050502")) + der(0xA0, der(0x30, types)))
    with open_wire(anna) as wire:
        answer = ask(wire, anna, header(first, "Negotiate"))
        assert answer.status == 401
        assert ask(wire, anna).status == 401
        assert is_for(negotiate(wire, anna, "negotiate"))


# Channel bindings


@pytest.fixture(scope="module")
def context(office: Office) -> ssl.SSLContext:
    """Trusts the server's own authority; names are not looked at."""
    made = ssl.create_default_context(cafile=office.data / "tls" / "ca.pem")
    made.check_hostname = False
    return made


@pytest.mark.parametrize("protocol", ["negotiate", "ntlm"])
@pytest.mark.parametrize(
    ("kind", "let_in"), [("right", True), ("none", True), ("wrong", False), ("empty", False)]
)
def test_channel_bindings(
    office: Office, anna: Person, context: ssl.SSLContext, protocol: str, kind: str, let_in: bool
) -> None:
    """MS-NLMP 3.2.5.1.2, RFC 5929 4: who binds the log-on binds it to this channel."""
    with Wire(office.served.offset + 443, context) as wire:
        assert isinstance(wire.socket, ssl.SSLSocket)
        certificate = wire.socket.getpeercert(binary_form=True)
        assert certificate is not None
        end_point = b"tls-server-end-point:" + hashlib.sha256(certificate).digest()
        wrong = b"tls-server-end-point:" + bytes(32)
        bindings = {"right": end_point, "none": None, "wrong": wrong, "empty": b"tls-server-end-point:"}[kind]
        answer = negotiate(wire, anna, protocol, bindings)
        assert answer.status == (200 if let_in else 401)
        assert ask(wire, anna).status == answer.status


# Programs


@pytest.mark.parametrize(
    "auth",
    [
        lambda person: HTTPBasicAuth(person.address, person.password),
        lambda person: HttpNtlmAuth(person.address, person.password),
        lambda person: HttpNtlmAuth("example.test\\" + person.address.partition("@")[0], person.password),
    ],
)
def test_requests(anna: Person, auth: Callable[[Person], AuthBase]) -> None:
    with requests.Session() as session:
        session.trust_env = False
        session.auth = auth(anna)
        for _ in range(3):
            reply = session.post(f"http://127.0.0.1:{anna.port}{POX}", data=b"<x/>")
            assert reply.status_code == 200
            assert "<ErrorCode>600</ErrorCode>" in reply.text

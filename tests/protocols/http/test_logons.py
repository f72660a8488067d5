"""Log-ons: Basic, NTLM, Negotiate, judged by curl, requests and pyspnego."""

import base64
import hashlib
import shutil
import socket
import ssl
import subprocess
from collections.abc import Callable

import pytest
import requests
import spnego
from requests.auth import HTTPBasicAuth
from requests_ntlm import HttpNtlmAuth
from spnego.channel_bindings import GssChannelBindings

from appliance.directory import credentials
from appliance.directory.model import Protocol
from appliance.net.tls import CA_FILE
from appliance.net.web import Route
from tests.protocols.webserver import ANNA, NOW, PASSWORD, Office, Running

NAME_AND_PASSWORD = f"{ANNA}:{PASSWORD}"


def curl(running: Running, *arguments: str, tls: bool = True, path: str = "/mine") -> str:
    program = shutil.which("curl")
    if program is None:
        pytest.skip("curl is not installed")
    url = f"https://localhost:{running.tls_port}" if tls else f"http://127.0.0.1:{running.port}"
    ca = ["--cacert", str(running._tls / CA_FILE)] if tls and running._tls else []
    command = [program, "-sS", "--max-time", "20", *ca, *arguments, url + path]
    done = subprocess.run(command, capture_output=True, timeout=30, check=False)
    return done.stdout.decode() + done.stderr.decode()


def offers(running: Running, *, tls: bool = False) -> list[str]:
    client = running.client(tls=tls)
    client.request("GET", "/mine")
    reply = client.getresponse()
    assert reply.status == 401
    client.close()
    return reply.headers.get_all("WWW-Authenticate", [])


BASIC = 'Basic realm="mail.example.test", charset="UTF-8"'


def test_offers_stand_in_the_order_of_the_setting(serve: Callable[..., Running]) -> None:
    assert offers(serve()) == [BASIC, "NTLM", "Negotiate"]
    assert offers(serve(auth=("negotiate", "ntlm", "basic")), tls=True) == ["Negotiate", "NTLM", BASIC]
    assert offers(serve(auth=("basic",))) == [BASIC]


def test_basic_is_not_offered_nor_taken_in_the_clear(serve: Callable[..., Running]) -> None:
    running = serve(plain_on_loopback=False)
    assert offers(running) == ["NTLM", "Negotiate"]
    assert offers(running, tls=True)[0] == BASIC
    assert "401" in curl(running, "-u", NAME_AND_PASSWORD, "-w", "%{http_code}", tls=False)


@pytest.mark.parametrize("tls", [False, True])
@pytest.mark.parametrize("scheme", ["--basic", "--ntlm", "--negotiate"])
def test_curl_logs_on(running: Running, scheme: str, tls: bool) -> None:
    if scheme == "--negotiate" and "GSS-API" in curl(running, "-V"):
        pytest.skip("curl speaks Negotiate through GSS-API, which needs Kerberos")
    if scheme == "--negotiate" and "SPNEGO" not in curl(running, "-V"):
        pytest.skip("this curl has no SPNEGO")
    reply = curl(running, scheme, "-u", NAME_AND_PASSWORD, "-d", "some body", tls=tls)
    assert reply == f"{ANNA}\nsome body"


@pytest.mark.parametrize("offered", [("basic",), ("ntlm",), ("basic", "ntlm")])
def test_curl_chooses_what_it_is_offered(serve: Callable[..., Running], offered: tuple[str, ...]) -> None:
    reply = curl(serve(auth=offered), "--anyauth", "-u", NAME_AND_PASSWORD, "-d", "some body")
    assert reply == f"{ANNA}\nsome body"


def test_curl_sends_a_big_body_with_expect(
    running: Running, tmp_path_factory: pytest.TempPathFactory
) -> None:
    body = tmp_path_factory.mktemp("body") / "body"
    body.write_bytes(b"x" * 900_000)
    for scheme in ("--basic", "--ntlm"):
        arguments = (
            scheme,
            "-u",
            NAME_AND_PASSWORD,
            "--data-binary",
            f"@{body}",
            "-H",
            "Expect: 100-continue",
        )
        assert curl(running, *arguments) == f"{ANNA}\n" + "x" * 900_000


def test_wrong_passwords_are_refused(running: Running) -> None:
    for scheme in ("--basic", "--ntlm"):
        reply = curl(running, scheme, "-u", f"{ANNA}:wrong", "-w", "%{http_code}", "-o", "/dev/null")
        assert reply == "401"


@pytest.mark.parametrize("name", [ANNA, "anna", "a.aermel@example.org", "EXAMPLE\\anna"])
def test_requests_log_on_with_every_form_of_the_name(running: Running, name: str) -> None:
    with requests.Session() as session:
        session.trust_env = False
        session.auth = HttpNtlmAuth(name, PASSWORD)
        reply = session.get(f"http://127.0.0.1:{running.port}/mine")
        assert (reply.status_code, reply.text) == (200, ANNA + "\n")
        session.auth = HTTPBasicAuth(name.encode(), PASSWORD.encode())
        assert session.get(f"http://127.0.0.1:{running.port}/mine").text == ANNA + "\n"


def test_passwords_beyond_ascii(running: Running, office: Office) -> None:
    office.add("uwe@example.test", password="päßwörter €")
    with requests.Session() as session:
        session.trust_env = False
        session.auth = HttpNtlmAuth("uwe@example.test", "päßwörter €")
        assert session.get(f"http://127.0.0.1:{running.port}/mine").text == "uwe@example.test\n"
        session.auth = HTTPBasicAuth(b"uwe@example.test", "päßwörter €".encode())
        assert session.get(f"http://127.0.0.1:{running.port}/mine").text == "uwe@example.test\n"
    office.add("ida@example.test", password="ältere Wörter")
    reply = base64.b64encode(b"ida@example.test:" + "ältere Wörter".encode("latin-1")).decode()
    client = running.client()
    client.request("GET", "/mine", headers={"Authorization": f"basic {reply}"})
    assert client.getresponse().status == 200
    client.close()


def certificate_hash(running: Running) -> bytes:
    with (
        socket.create_connection(("127.0.0.1", running.tls_port)) as sock,
        running.context().wrap_socket(sock, server_hostname="localhost") as tls,
    ):
        certificate = tls.getpeercert(binary_form=True)
        assert certificate is not None
        return hashlib.sha256(certificate).digest()


def handshake(running: Running, scheme: str, protocol: str, bindings: bytes | None) -> list[int]:
    """The statuses of a log-on over one TLS connection, and of one more request without credentials."""
    binding = GssChannelBindings(application_data=bindings) if bindings else None
    client = spnego.client(ANNA, PASSWORD, "localhost", "HTTP", channel_bindings=binding, protocol=protocol)
    connection = running.client(tls=True)
    statuses, token = [], b""
    while not client.complete:
        made = client.step(token)
        if made is None:
            break
        connection.request(
            "GET", "/mine", headers={"Authorization": f"{scheme} {base64.b64encode(made).decode()}"}
        )
        reply = connection.getresponse()
        reply.read()
        statuses.append(reply.status)
        answer = next(
            (v for v in reply.headers.get_all("WWW-Authenticate", []) if v.startswith(scheme)), scheme
        )
        token = base64.b64decode(answer.removeprefix(scheme).strip())
        if not token:
            break
    connection.request("GET", "/mine")
    reply = connection.getresponse()
    reply.read()
    statuses.append(reply.status)
    connection.close()
    return statuses


@pytest.mark.parametrize(
    ("scheme", "protocol"), [("NTLM", "ntlm"), ("Negotiate", "negotiate"), ("Negotiate", "ntlm")]
)
def test_log_ons_are_bound_to_the_channel_and_the_connection(
    running: Running, scheme: str, protocol: str
) -> None:
    right = b"tls-server-end-point:" + certificate_hash(running)
    assert handshake(running, scheme, protocol, right) == [401, 200, 200]
    assert handshake(running, scheme, protocol, None) == [401, 200, 200]
    wrong = b"tls-server-end-point:" + bytes(32)
    assert handshake(running, scheme, protocol, wrong) == [401, 401, 401]


def test_a_bound_connection_follows_the_account(running: Running, office: Office) -> None:
    with requests.Session() as session:
        session.trust_env = False
        session.auth = HttpNtlmAuth(ANNA, PASSWORD)
        url = f"http://127.0.0.1:{running.port}/mine"
        assert session.get(url).status_code == 200
        session.auth = None
        assert session.get(url).status_code == 200
        entry = office.write(lambda txn: credentials.get(txn, 16))
        assert entry is not None
        office.write(
            lambda txn: credentials.put(
                txn, 16, credentials.prepare("another password", salt=bytes(16), now=NOW)
            )
        )
        assert session.get(url).status_code == 401
        assert session.get(url).status_code == 401


def test_a_protocol_that_is_switched_off(serve: Callable[..., Running], office: Office) -> None:
    def rows(parts: object) -> list[Route]:
        return [Route("ews", "/ews", ("GET",), running_handler, protocol=Protocol.EWS)]

    async def running_handler(exchange: object) -> None:
        raise AssertionError("never called")

    running = serve(sites=[rows])
    office.change(ANNA, disabled_protocols=frozenset({Protocol.EWS}))
    for scheme in ("--basic", "--ntlm"):
        reply = curl(running, scheme, "-u", NAME_AND_PASSWORD, "-w", "%{http_code}", path="/ews")
        assert reply.endswith("403")
        assert curl(running, scheme, "-u", NAME_AND_PASSWORD) == ANNA + "\n"
    office.change(ANNA, enabled=False)
    for scheme in ("--basic", "--ntlm"):
        assert curl(running, scheme, "-u", NAME_AND_PASSWORD, "-w", "%{http_code}").endswith("401")


@pytest.mark.parametrize(
    "header",
    [
        "Basic",
        "Basic !!!",
        "Basic " + base64.b64encode(b"no colon").decode(),
        "Basic " + base64.b64encode(b"a\0:b").decode(),
        "Basic " + "A" * 30000,
        "NTLM",
        "NTLM TlRMTVNTUAA=",
        "NTLM " + base64.b64encode(b"NTLMSSP\0\x03\0\0\0" + bytes(60)).decode(),
        "NTLM YGg=",
        "Negotiate " + base64.b64encode(b"\x60\x84\xff\xff\xff\xff").decode(),
        "Negotiate oQcwBaADCgEA",
        "Bearer abc",
        "Digest username=x",
        ",",
    ],
)
def test_nonsense_is_answered_with_the_offers(running: Running, header: str) -> None:
    client = running.client()
    for _ in range(2):
        client.request("GET", "/mine", headers={"Authorization": header})
        reply = client.getresponse()
        reply.read()
        assert reply.status == 401
        assert len(reply.headers.get_all("WWW-Authenticate", [])) == 3
    client.close()


def test_no_secret_reaches_the_log(running: Running, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    curl(running, "--basic", "-u", NAME_AND_PASSWORD, path="/mine?token=hidden")
    curl(running, "--basic", "-u", f"{ANNA}:verysecret", path="/mine?token=hidden")
    text = "\n".join(record.getMessage() for record in caplog.records)
    assert "path=/mine" in text
    assert f"user={ANNA}" in text
    assert "hidden" not in text
    assert "verysecret" not in text
    assert base64.b64encode(NAME_AND_PASSWORD.encode()).decode() not in text


def test_tls_is_1_3_and_never_older_than_1_2(running: Running) -> None:
    with (
        socket.create_connection(("127.0.0.1", running.tls_port)) as sock,
        running.context().wrap_socket(sock, server_hostname="localhost") as tls,
    ):
        assert tls.version() == "TLSv1.3"
    old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    old.check_hostname, old.verify_mode = False, ssl.CERT_NONE
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    with socket.create_connection(("127.0.0.1", running.tls_port)) as sock, pytest.raises(OSError):
        old.wrap_socket(sock)

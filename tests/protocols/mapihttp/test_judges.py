"""Clients that we did not write: curl with its own cookies, requests with NTLM."""

import re
import shutil
import struct
import subprocess
from pathlib import Path

import pytest
import requests
from requests_ntlm import HttpNtlmAuth

from appliance.directory.model import Entry
from appliance.net.tls import CA_FILE
from appliance.rop import buffers
from tests.protocols.webserver import ANNA, PASSWORD, Running

NO_ROPS = struct.pack("<II", 3, 10) + buffers.pack([b"\x02\x00"]) + struct.pack("<II", 0x8000, 0)


def connect_body(entry: Entry) -> bytes:
    return entry.legacy_dn.encode() + b"\0" + struct.pack("<5I", 0, 1252, 1033, 1033, 0)


def headers(request_type: str, number: int) -> dict[str, str]:
    return {
        "Content-Type": "application/mapi-http",
        "X-RequestType": request_type,
        "X-RequestId": f"{{E2EA6C1C-E61B-49E9-9CFB-38184F907552}}:{number}",
        "X-ClientInfo": "{2EF33C39-49C8-421C-B876-CDF7F2AC3AA0}:123",
        "X-ClientApplication": "Outlook/15.00.4420.1017",
    }


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
@pytest.mark.parametrize("tls", [False, True])
def test_curl_keeps_a_session(
    running: Running, tls_directory: Path, tmp_path: Path, anna: Entry, tls: bool
) -> None:
    """curl takes cookies by their paths, and waits for 100 before a body."""
    place = f"https://localhost:{running.tls_port}" if tls else f"http://127.0.0.1:{running.port}"
    jar = tmp_path / "jar"

    def ask(request_type: str, body: bytes, number: int, *more: str) -> tuple[str, bytes]:
        (tmp_path / "body").write_bytes(body)
        line = ["curl", "-sS", "-i", "--max-time", "30", "--cacert", str(tls_directory / CA_FILE)]
        line += ["-u", f"{ANNA}:{PASSWORD}", "-b", str(jar), "-c", str(jar), *more]
        for name, value in headers(request_type, number).items():
            line += ["-H", f"{name}: {value}"]
        line += ["--data-binary", f"@{tmp_path / 'body'}", f"{place}/mapi/emsmdb/?MailboxId=x@example.test"]
        done = subprocess.run(line, capture_output=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr
        parts = done.stdout.split(b"\r\n\r\n")
        while parts[0].startswith(b"HTTP/1.1 100"):
            del parts[0]
        assert re.search(rb"X-ResponseCode: 0\r\n", parts[0], re.IGNORECASE), parts[0]
        return parts[0].decode(), b"\r\n\r\n".join(parts[1:])

    head, content = ask("Connect", connect_body(anna), 1)
    assert content.startswith(b"PROCESSING\r\nDONE\r\nX-ResponseCode: 0\r\n")
    assert head.startswith("HTTP/1.1 200 OK")
    assert jar.read_text().count("/mapi/emsmdb\t") == 2
    for number in range(3):
        head, content = ask("Execute", NO_ROPS, 2 + number, "-H", "Expect: 100-continue")
        assert "chunked" in head.lower()
        assert content.endswith(
            b"\r\n\r\n" + struct.pack("<4I", 0, 0, 0, 10) + buffers.pack([b"\x02\x00"]) + bytes(4)
        )
    ask("PING", b"", 9)
    head, content = ask("Disconnect", bytes(4), 10)
    assert content.endswith(bytes(12))


@pytest.mark.parametrize("path", ["emsmdb", "nspi"])
def test_requests_with_ntlm(running: Running, anna: Entry, path: str) -> None:
    """A session of requests keeps the cookies; NTLM binds the connection."""
    url = f"http://127.0.0.1:{running.port}/mapi/{path}/"
    bodies = {
        "emsmdb": [("Connect", connect_body(anna)), ("Execute", NO_ROPS), ("Disconnect", bytes(4))],
        "nspi": [("Bind", bytes(9)), ("QueryColumns", bytes(12)), ("Unbind", bytes(8))],
    }
    with requests.Session() as session:
        session.trust_env = False
        session.auth = HttpNtlmAuth(ANNA, PASSWORD)
        for number, (request_type, body) in enumerate(bodies[path]):
            response = session.post(url, body, headers=headers(request_type, number), timeout=30)
            assert response.status_code == 200
            assert response.headers["X-ResponseCode"] == "0", response.text
            assert response.headers["Content-Type"] == "application/mapi-http"
            status = response.content.partition(b"\r\n\r\n")[2][:4]
            assert status == bytes(4)
            assert {cookie.path for cookie in session.cookies} == {f"/mapi/{path}"}

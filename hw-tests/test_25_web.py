"""Outlook's way in: Autodiscover and MAPI over HTTP. curl judges certificate, HTTP and cookies."""

import re
import shutil
import struct
import subprocess
from pathlib import Path

import people
import pytest
from machine import Board, Qemu

pytestmark = [
    pytest.mark.quick,
    pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl (apt: curl)"),
]

HOST = f"mail.{people.DOMAIN}"
ANNA = f"anna@{people.DOMAIN}"
SCHEMAS = "http://schemas.microsoft.com/exchange/autodiscover/outlook"
NO_SUCH_AUTHORITY = 60
"""curl's exit code for a certificate that nobody vouches for."""

QUESTION = f"""<?xml version="1.0" encoding="utf-8"?>
<Autodiscover xmlns="{SCHEMAS}/requestschema/2006"><Request><EMailAddress>{ANNA}</EMailAddress>
<AcceptableResponseSchema>{SCHEMAS}/responseschema/2006a</AcceptableResponseSchema></Request></Autodiscover>
"""


@pytest.fixture(scope="module")
def authority(office: Qemu | Board, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The certificate of the machine's own authority, as the console shows it to a person."""
    people.log_in(office)
    people.read(office, "Network and smart host")
    said = people.read(office, "Authority: show its certificate")
    people.log_out(office)
    found = re.search(r"-----BEGIN CERTIFICATE-----.*-----END CERTIFICATE-----", said, re.S)
    assert found, said
    path = tmp_path_factory.mktemp("web") / "authority.crt"
    path.write_text(found[0].replace("\r", "") + "\n")
    return path


def curl(machine: Qemu | Board, *arguments: str | Path) -> subprocess.CompletedProcess[bytes]:
    """curl to the machine, by its name and with standard ports in every URL."""
    host, port = machine.address(443)
    there = ["--connect-to", f"{HOST}:443:{host}:{port}", "--connect-timeout", "60", "--max-time", "180"]
    return subprocess.run(["curl", "-sS", *there, *arguments], capture_output=True, check=False, timeout=240)


def test_a_stranger_does_not_trust_it(office: Qemu | Board) -> None:
    assert curl(office, f"https://{HOST}/").returncode == NO_SUCH_AUTHORITY


def test_outlook_finds_its_mailbox(office: Qemu | Board, authority: Path, tmp_path: Path) -> None:
    """POX Autodiscover (MS-OXDSCLI 3.1.5), then Connect, an empty Execute and Disconnect (MS-OXCMAPIHTTP)."""
    me = f"{ANNA}:{people.PASSWORDS['anna']}"
    said = curl(
        office, "--cacert", authority, "-u", me, "-H", "Content-Type: text/xml",
        "-H", "X-MapiHttpCapability: 1", "--data-binary", QUESTION,
        f"https://{HOST}/autodiscover/autodiscover.xml",
    )  # fmt: skip
    assert said.returncode == 0, said.stderr
    answer = said.stdout.decode()
    (legacy_dn,) = re.findall(r"<LegacyDN>([^<]+)</LegacyDN>", answer)
    (place,) = re.findall(r"<MailStore>.*?<ExternalUrl>([^<]+)</ExternalUrl>", answer, re.S)
    assert place.startswith(f"https://{HOST}/mapi/emsmdb/")

    def ask(request_type: str, number: int, body: bytes) -> bytes:
        (tmp_path / "body").write_bytes(body)
        jar = tmp_path / "jar"
        said = curl(
            office, "-i", "--cacert", authority, "-u", me, "-b", jar, "-c", jar,
            "-H", "Content-Type: application/mapi-http", "-H", f"X-RequestType: {request_type}",
            "-H", f"X-RequestId: {{E2EA6C1C-E61B-49E9-9CFB-38184F907552}}:{number}",
            "-H", "X-ClientInfo: {2EF33C39-49C8-421C-B876-CDF7F2AC3AA0}:123",
            "-H", "X-ClientApplication: Outlook/15.00.4420.1017",
            "--data-binary", f"@{tmp_path / 'body'}", place.replace("&amp;", "&"),
        )  # fmt: skip
        assert said.returncode == 0, said.stderr
        head, _, content = said.stdout.partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), said.stdout
        assert re.search(rb"(?i)X-ResponseCode: 0\r\n", head), head
        assert content.startswith(b"PROCESSING\r\n"), content
        return content.partition(b"\r\n\r\n")[2]

    body = ask("Connect", 1, legacy_dn.encode() + b"\0" + struct.pack("<5I", 0, 1252, 1033, 1033, 0))
    status, error = struct.unpack_from("<2I", body)
    assert (status, error) == (0, 0)
    assert "Anna Example".encode("utf-16-le") in body
    no_rops = struct.pack("<4H", 0, 4, 2, 2) + b"\x02\x00"
    body = ask("Execute", 2, struct.pack("<2I", 3, len(no_rops)) + no_rops + struct.pack("<2I", 0x8000, 0))
    assert struct.unpack_from("<2I", body) == (0, 0)
    assert struct.unpack_from("<2I", ask("Disconnect", 3, bytes(4))) == (0, 0)


def test_a_wrong_password_is_refused(office: Qemu | Board, authority: Path) -> None:
    said = curl(
        office, "-o", "/dev/null", "-w", "%{http_code}", "--cacert", authority, "-u", f"{ANNA}:wrong",
        f"https://{HOST}/autodiscover/autodiscover.xml",
    )  # fmt: skip
    assert said.stdout == b"401"

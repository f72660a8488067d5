"""fetchmail over IMAP and POP3, plain and with TLS, with a password and with NTLM (its is version 1), into a
delivery agent."""

from pathlib import Path

import pytest

from tests.clients.conftest import admin, need, run
from tests.protocols.imap.office import message
from tests.served import PASSWORD, Served, address


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
@pytest.mark.parametrize(("protocol", "auth"), [("imap", "password"), ("imap", "ntlm"), ("pop3", "password")])
def test_fetch(server: Served, tmp_path: Path, protocol: str, auth: str, tls: bool) -> None:
    fetchmail = need("fetchmail")
    with server.smtp() as smtp:
        for number in range(3):
            raw = message(f"dots {number}", ".\r\n..\r\n.dot\r\nlast line without end")
            smtp.sendmail("out@elsewhere.test", [address("ben")], raw)
    port = server.offset + {("imap", False): 143, ("imap", True): 993, ("pop3", False): 110}.get(
        (protocol, tls), 995
    )
    (tmp_path / "ca.pem").write_text(admin(server, "tls", "export-ca"))
    security = f"ssl sslcertck sslcertfile {tmp_path}/ca.pem" if tls else 'sslproto ""'
    sink = tmp_path / "sink"
    config = tmp_path / "rc"
    config.write_text(
        f"poll localhost service {port} protocol {protocol} auth {auth}\n"
        f'  user "{address("ben")}" password "{PASSWORD}" mda "cat >> {sink}" {security} fetchall\n'
    )
    config.chmod(0o600)
    run(fetchmail, "-f", config, "--nosyslog", "--pidfile", tmp_path / "pid", "-N", home=tmp_path)
    assert sink.read_bytes().count(b"\n.\n..\n.dot\nlast line without end") == 3
    with_ben = server.imap("ben")
    assert with_ben.select("INBOX", readonly=True) == ("OK", [b"0"])
    with_ben.logout()

"""The server, judged by poplib, curl and raw sockets."""

import base64
import poplib
import shutil
import socket
import ssl
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.mailbox import items
from appliance.mailbox.actor import SYSTEM
from appliance.net.tls import CA_FILE
from appliance.protocols.pop3 import replies
from appliance.store import contents
from appliance.store.contents import RowFlag
from appliance.store.mailboxes import Special
from tests.protocols.pop3.conftest import NOW, PASSWORD, Office, Running

ANNA = "anna@example.test"
Serve = Callable[..., Running]


def mail(number: int, body: bytes = b"Hello\r\n.dot\r\n") -> bytes:
    return b"From: a@example.test\r\nSubject: mail %d\r\nMessage-ID: <%d@x>\r\n\r\n" % (number, number) + body


def log_in(running: Running) -> poplib.POP3:
    client = poplib.POP3("127.0.0.1", running.port, timeout=20)
    client.encoding = "utf-8"
    try:
        client.user(ANNA)
        client.pass_(PASSWORD)
    except poplib.error_proto:
        client.close()
        raise
    return client


def rows(office: Office) -> list[contents.Row]:
    with office.store.read() as txn:
        return list(contents.rows(txn, office.mailboxes[ANNA], Special.INBOX))


def test_reading_and_deleting(office: Office, serve: Serve) -> None:
    prefix = b"Return-Path: <a@example.test>\r\n"
    for number in range(3):
        office.deliver(ANNA, mail(number), prefix)
    running = serve()
    client = log_in(running)
    size = len(prefix + mail(0))
    assert client.stat() == (3, 3 * size)
    assert client.list()[1] == [b"%d %d" % (number, size) for number in (1, 2, 3)]
    _, lines, octets = client.retr(2)
    assert b"\r\n".join(lines) + b"\r\n" == prefix + mail(1)
    assert octets == size
    assert client.top(1, 1)[1] == (prefix + mail(0)).split(b"\r\n")[:6]
    before = client.uidl()[1]
    assert len(set(before)) == 3
    client.dele(1)
    assert client.stat() == (2, 2 * size)
    client.quit()
    assert {row.uid: bool(row.flags & RowFlag.SEEN) for row in rows(office)} == {2: True, 3: False}
    again = log_in(running)
    assert [line.split()[1] for line in again.uidl()[1]] == [line.split()[1] for line in before[1:]]
    again.quit()


def test_a_session_that_breaks_off_changes_nothing(office: Office, serve: Serve) -> None:
    office.deliver(ANNA, mail(1))
    running = serve()
    client = log_in(running)
    client.retr(1)
    client.dele(1)
    client.close()
    again = log_in_when_free(running)
    assert again.stat()[0] == 1
    again.close()
    assert [row.flags & RowFlag.SEEN for row in rows(office)] == [0]


def log_in_when_free(running: Running) -> poplib.POP3:
    """The server notices the end of the other session a moment after its client."""
    for _ in range(200):
        try:
            return log_in(running)
        except poplib.error_proto as error:
            if b"[IN-USE]" not in error.args[0]:
                raise
    raise AssertionError("the mailbox stayed in use")


def test_one_session_at_a_time_and_numbers_stay(office: Office, serve: Serve) -> None:
    for number in range(2):
        office.deliver(ANNA, mail(number))
    running = serve()
    client = log_in(running)
    with pytest.raises(poplib.error_proto, match="IN-USE"):
        log_in(running)
    mailbox = office.mailboxes[ANNA]
    office.write(lambda txn: items.delete(txn, SYSTEM, mailbox, Special.INBOX, [1], now=NOW))
    office.deliver(ANNA, mail(7))
    assert client.stat()[0] == 2
    assert client.retr(2)[1][1] == b"Subject: mail 1"
    with pytest.raises(poplib.error_proto, match="SYS/TEMP"):
        client.retr(1)
    client.dele(1)
    assert client.quit().startswith(b"+OK")


@pytest.mark.parametrize("mechanism", ["PLAIN", "LOGIN"])
def test_sasl(office: Office, serve: Serve, mechanism: str) -> None:
    running = serve()
    with (
        socket.create_connection(("127.0.0.1", running.port), timeout=20) as sock,
        sock.makefile("rwb") as file,
    ):

        def ask(line: bytes) -> bytes:
            file.write(line + b"\r\n")
            file.flush()
            return file.readline()

        assert file.readline() == replies.READY
        name, password = ANNA.encode(), PASSWORD.encode()
        if mechanism == "PLAIN":
            assert ask(b"AUTH PLAIN") == b"+ \r\n"
            assert ask(b"*") == replies.CANCELLED
            assert (
                ask(b"AUTH PLAIN " + base64.b64encode(b"\0" + name + b"\0wrong")) == replies.WRONG_CREDENTIALS
            )
            answer = ask(b"AUTH PLAIN " + base64.b64encode(b"\0" + name + b"\0" + password))
        else:
            assert ask(b"AUTH LOGIN").startswith(b"+ ")
            assert ask(base64.b64encode(name)).startswith(b"+ ")
            answer = ask(base64.b64encode(password))
        assert answer == b"+OK 0 messages (0 octets)\r\n"


def test_pipelining(office: Office, serve: Serve) -> None:
    for number in range(2):
        office.deliver(ANNA, mail(number))
    running = serve()
    with socket.create_connection(("127.0.0.1", running.port), timeout=20) as sock:
        script = f"USER {ANNA}\r\nPASS {PASSWORD}\r\nSTAT\r\nRETR 1\r\nDELE 1\r\nNOPE\r\nQUIT\r\n"
        sock.sendall(script.encode())
        answer = b""
        while data := sock.recv(65536):
            answer += data
    assert b"+OK message 1 deleted\r\n-ERR unknown command\r\n+OK bye\r\n" in answer
    assert len(rows(office)) == 1


def test_stls_and_implicit_tls(office: Office, serve: Serve, tls_directory: Path) -> None:
    running = serve(plain_on_loopback=False)
    context = ssl.create_default_context(cafile=str(tls_directory / CA_FILE))
    client = poplib.POP3("localhost", running.port, timeout=20)
    assert "STLS" in client.capa()
    assert "USER" not in client.capa()
    with pytest.raises(poplib.error_proto, match="over TLS"):
        client.user(ANNA)
    client.stls(context)
    client.encoding = "utf-8"
    client.user(ANNA)
    client.pass_(PASSWORD)
    client.quit()
    secure = poplib.POP3_SSL("localhost", running.tls_port, context=context, timeout=20)
    assert "STLS" not in secure.capa()
    secure.encoding = "utf-8"
    secure.user(ANNA)
    secure.pass_(PASSWORD)
    assert secure.stat() == (0, 0)
    secure.quit()


def test_big_messages_stream(office: Office, serve: Serve) -> None:
    line = b".x" * 30 + b"\r\n"
    message = mail(1, line * 60_000)
    office.deliver(ANNA, message)
    client = log_in(serve())
    _, lines, octets = client.retr(1)
    assert octets == len(message)
    assert b"\r\n".join(lines) + b"\r\n" == message
    assert len(client.top(1, 50_000)[1]) == 4 + 50_000
    client.quit()


def test_login_delay(office: Office, serve: Serve) -> None:
    running = serve(login_delay=60)
    log_in(running).quit()
    with pytest.raises(poplib.error_proto, match="LOGIN-DELAY"):
        log_in(running)


def test_the_server_says_goodbye_when_it_ends(office: Office, serve: Serve) -> None:
    running = serve()
    with (
        socket.create_connection(("127.0.0.1", running.port), timeout=20) as sock,
        sock.makefile("rb") as file,
    ):
        assert file.readline() == replies.READY
        running._loop.call_soon_threadsafe(running._end.set)
        assert file.readline() == replies.SHUTTING_DOWN
        assert file.read() == b""


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl")
@pytest.mark.parametrize("options", [["AUTH=PLAIN"], ["AUTH=LOGIN"], ["AUTH=NTLM"], ["stls"], ["pop3s"]])
def test_curl_reads_mail(office: Office, serve: Serve, tls_directory: Path, options: list[str]) -> None:
    version = subprocess.run(["curl", "--version"], capture_output=True, text=True).stdout
    if "NTLM" in options[0] and "NTLM" not in version:
        pytest.skip("this curl has no NTLM")
    office.add_user("bert@example.test", "plain words")  # curl's NTLM knows ASCII passwords only
    office.deliver("bert@example.test", mail(1))
    running = serve(plain_on_loopback=options[0] not in ("stls", "pop3s"))
    scheme, port = ("pop3s", running.tls_port) if options[0] == "pop3s" else ("pop3", running.port)
    command = ["curl", "-sS", f"{scheme}://localhost:{port}/1", "--user", "bert@example.test:plain words"]
    command += ["--cacert", str(tls_directory / CA_FILE)]
    if options[0] == "stls":
        command += ["--ssl-reqd"]
    elif options[0] != "pop3s":
        command += ["--login-options", options[0]]
    done = subprocess.run(command, capture_output=True, timeout=30)
    assert done.stderr == b""
    assert done.stdout == mail(1)

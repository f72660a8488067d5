"""What raw connections see: limits, TLS, compression, big messages, silence."""

import re
import socket
import ssl
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from appliance.mailbox import folders, quotas
from appliance.mailbox.actor import SYSTEM
from appliance.net.terms import Timeouts
from appliance.net.tls import TlsIdentity
from appliance.store.store import Store
from tests.conftest import EPOCH
from tests.net.conftest import client_context, tls_directory
from tests.protocols.imap.office import (
    PASSWORD,
    Office,
    Talk,
    add_message,
    close_office,
    message,
    open_office,
)

__all__ = ["client_context", "tls_directory"]
Connect = Callable[..., Talk]


@pytest.fixture
def tls_office(store: Store, tls_directory: Path) -> Iterator[Office]:
    made = open_office(store, tls=TlsIdentity(tls_directory), trust_loopback=False)
    yield made
    close_office(made)


def test_no_password_goes_in_clear(tls_office: Office, client_context: ssl.SSLContext) -> None:
    talk = Talk(tls_office.port)
    assert b"STARTTLS" in talk.greeting
    assert b"LOGINDISABLED" in talk.greeting
    assert b"AUTH=PLAIN" not in talk.greeting
    assert b"AUTH=NTLM" in talk.greeting
    assert talk.run(f'LOGIN alice "{PASSWORD}"')[-1].startswith(b"t NO [PRIVACYREQUIRED]")
    assert talk.run("AUTHENTICATE PLAIN AGEAYg==")[-1].startswith(b"t NO [PRIVACYREQUIRED]")
    # what is pipelined behind STARTTLS in clear is never run under TLS
    talk.send(b"s STARTTLS\r\nx CAPABILITY\r\n")
    assert talk.reply().startswith(b"s OK")
    talk.file.close()
    talk.socket = client_context.wrap_socket(talk.socket, server_hostname="localhost")
    talk.file = talk.socket.makefile("rb")
    replies = talk.run("CAPABILITY")
    assert b"STARTTLS" not in replies[0]
    assert b"AUTH=PLAIN" in replies[0]
    assert not any(reply.startswith(b"x ") for reply in replies)
    talk.login()
    assert talk.run("STARTTLS")[-1].startswith(b"t BAD")
    talk.close()


def test_compression(talk: Connect) -> None:
    connection = talk("alice")
    assert connection.run("COMPRESS DEFLATE")[-1].startswith(b"t OK")
    deflate = zlib.compressobj(9, zlib.DEFLATED, -15)
    inflate = zlib.decompressobj(-15)
    connection.send(
        deflate.compress(b'a COMPRESS DEFLATE\r\nb LIST "" INBOX\r\n') + deflate.flush(zlib.Z_SYNC_FLUSH)
    )
    got = b""
    while b"b OK" not in got:
        got += inflate.decompress(connection.socket.recv(4096))
    assert b"a NO [COMPRESSIONACTIVE]" in got
    assert b'* LIST (\\HasNoChildren) "/" INBOX' in got


@pytest.mark.slow
def test_a_message_of_50_mb_passes_through(talk: Connect) -> None:
    connection = talk("alice")
    line = b"x" * 76 + b"\r\n"
    raw = message("big") + line * (50 * 1024 * 1024 // len(line))
    connection.send(b"a APPEND INBOX {%d}\r\n" % len(raw))
    assert connection.reply().startswith(b"+")
    connection.send(raw + b"\r\n")
    assert connection.until(b"a")[-1].startswith(b"a OK [APPENDUID")
    connection.run("SELECT INBOX")
    got = connection.run("FETCH 1 (RFC822.SIZE BODY.PEEK[])")
    assert got[0] == b"* 1 FETCH (RFC822.SIZE %d BODY[] {%d}\r\n%s)" % (len(raw), len(raw), raw)
    part = connection.run("FETCH 1 BODY.PEEK[]<40000000.600000>")
    assert part[0] == b"* 1 FETCH (BODY[]<40000000> {600000}\r\n%s)" % raw[40_000_000:40_600_000]


def test_a_large_attachment_is_decoded_as_it_streams(talk: Connect, office: Office) -> None:
    import base64
    import random

    data = random.Random(1).randbytes(900_000)
    raw = message(
        "att", Content_Type='application/octet-stream; name="x"', Content_Transfer_Encoding="base64"
    ).replace(b"Hello.\r\n", base64.encodebytes(data).replace(b"\n", b"\r\n"))
    add_message(office.store, office.mailbox("alice"), raw)
    connection = talk("alice")
    connection.run("SELECT INBOX")
    assert connection.run("FETCH 1 BINARY.SIZE[1]")[0] == b"* 1 FETCH (BINARY.SIZE[1] 900000)"
    got = connection.run("FETCH 1 BINARY.PEEK[1]")
    assert got[0] == b"* 1 FETCH (BINARY[1] ~{900000}\r\n" + data + b")"
    got = connection.run("FETCH 1 BINARY.PEEK[1]<100000.300000>")
    assert got[0] == b"* 1 FETCH (BINARY[1]<100000> ~{300000}\r\n" + data[100_000:400_000] + b")"


def test_a_non_synchronising_literal_that_is_too_big_ends_the_session(talk: Connect) -> None:
    connection = talk("alice")
    connection.send(b"a APPEND INBOX {10000000000+}\r\nxxxx")
    assert connection.reply().startswith(b"a NO [TOOBIG]")
    assert connection.reply().startswith(b"* BYE")
    assert connection.closed()


def test_too_much_nonsense_ends_the_session(talk: Connect) -> None:
    connection = talk()
    connection.send(b"x y\r\n" * 30)
    replies = [connection.reply() for _ in range(20)]
    assert all(reply.startswith(b"x BAD") for reply in replies)
    assert connection.reply().startswith(b"* BYE")


def test_a_line_that_is_too_long(talk: Connect) -> None:
    connection = talk()
    connection.send(b"a LOGIN " + b"x" * 100_000 + b"\r\n")
    assert connection.reply().startswith(b"a BAD [TOOBIG]")
    assert connection.run("NOOP")[-1].startswith(b"t OK")


def test_a_command_a_byte_at_a_time(talk: Connect) -> None:
    connection = talk()
    connection.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for byte in b"a CAPABILITY\r\n":
        connection.send(bytes([byte]))
    assert connection.until(b"a")[-1].startswith(b"a OK")


def test_silence_ends_a_session(store: Store) -> None:
    office = open_office(store, timeouts=Timeouts(greeting=0.2, idle=0.2))
    try:
        connection = Talk(office.port)
        assert connection.reply().startswith(b"* BYE Autologout")
        connection.close()
    finally:
        close_office(office)


def test_quota(talk: Connect, office: Office) -> None:
    office.store.write(lambda txn: quotas.set_quota(txn, office.mailbox("alice"), 2048)).result()
    connection = talk("alice")
    assert connection.append("INBOX", message("fits"))[-1].startswith(b"t OK")
    assert connection.run("GETQUOTAROOT INBOX")[1] == b'* QUOTA "" (STORAGE 1 2)'
    assert connection.append("INBOX", message("too much", "x" * 3000))[-1].startswith(b"t NO [OVERQUOTA]")
    connection.send(b"a APPEND INBOX {4000}\r\n")
    assert connection.reply().startswith(b"a NO [OVERQUOTA]")


def test_a_folder_with_a_quota_of_its_own(talk: Connect, office: Office) -> None:
    alice = office.mailbox("alice")
    connection = talk("alice")
    for name in ("Gr&APw-n", "Other"):
        assert connection.run(f"CREATE {name}")[-1].startswith(b"t OK")
    with office.store.read() as txn:
        fid = folders.require_path(txn, SYSTEM, alice, ("Gr\u00fcn",)).fid
    office.store.write(lambda txn: quotas.set_folder_quota(txn, alice, fid, 2000, now=EPOCH)).result()
    assert connection.append("Gr&APw-n", message("fits"))[-1].startswith(b"t OK")
    assert connection.run("GETQUOTAROOT Gr&APw-n")[:-1] == [
        b'* QUOTAROOT Gr&APw-n "" Gr&APw-n',
        b'* QUOTA "" ()',
        b"* QUOTA Gr&APw-n (STORAGE 1 2)",
    ]
    assert connection.run("GETQUOTA Gr&APw-n")[0] == b"* QUOTA Gr&APw-n (STORAGE 1 2)"
    assert connection.run("GETQUOTA Other")[0].startswith(b"t NO [NONEXISTENT]")
    assert connection.run("GETQUOTAROOT Other")[0] == b'* QUOTAROOT Other ""'
    large = message("too much", "x" * 3000)
    assert connection.append("Gr&APw-n", large)[-1].startswith(b"t NO [OVERQUOTA]")
    assert connection.append("Other", large)[-1].startswith(b"t OK")
    connection.run("SELECT Other")
    for verb in ("COPY", "MOVE"):
        assert connection.run(f"{verb} 1 Gr&APw-n")[-1].startswith(b"t NO [OVERQUOTA]")
    office.store.write(lambda txn: quotas.set_folder_quota(txn, alice, fid, 0, now=EPOCH)).result()
    assert connection.run("MOVE 1 Gr&APw-n")[-1].startswith(b"t OK")


def test_a_hundred_thousand_uids_are_never_expanded(talk: Connect) -> None:
    connection = talk("alice")
    connection.append("INBOX", message("one"))
    connection.run("SELECT INBOX")
    assert connection.run("UID FETCH 1:4294967295 (UID)")[0] == b"* 1 FETCH (UID 1)"
    assert connection.run("UID SEARCH UID 1:4294967295")[0] == b"* SEARCH 1"
    assert connection.run("UID STORE 5:4294967295 +FLAGS (a)")[-1].startswith(b"t OK")


def test_mailbox_classes_are_listed_as_folders(talk: Connect) -> None:
    names = {reply.rpartition(b'"/" ')[2] for reply in talk("alice").run('LIST "" *')[:-1]}
    assert {b"INBOX", b"Calendar", b"Contacts", b'"Sent Items"', b'"Deleted Items"'} <= names


def test_recent_is_seen_by_the_first_session_alone(talk: Connect) -> None:
    first, second = talk("alice"), talk("alice")
    first.append("INBOX", message("one"))
    assert b"* 1 RECENT" in first.run("STATUS INBOX (RECENT)") + first.run("EXAMINE INBOX")
    assert b"* 1 RECENT" in second.run("SELECT INBOX")
    assert second.run("FETCH 1 FLAGS")[0] == b"* 1 FETCH (FLAGS (\\Recent))"
    assert b"* 0 RECENT" in first.run("SELECT INBOX")
    assert re.search(rb"RECENT 0", first.run("STATUS INBOX (RECENT)")[0])

"""Mail programs at the machine's ports."""

import http.client
import imaplib
import smtplib
import socket

import people
import pytest
from machine import Board, Qemu

pytestmark = pytest.mark.quick


def test_mail_between_people(office: Qemu | Board) -> None:
    people.submit(office, "lunch?", f"ben@{people.DOMAIN}")
    people.wait_for(office, "ben", "lunch?")


def test_strangers_may_not_relay(office: Qemu | Board) -> None:
    with smtplib.SMTP(*office.address(25), timeout=120) as client:
        client.ehlo("elsewhere.test")
        client.mail("friend@elsewhere.test")
        code, _ = client.rcpt("somebody@elsewhere.test")
    assert code >= 500


def test_no_password_without_tls(office: Qemu | Board) -> None:
    with imaplib.IMAP4(*office.address(143), timeout=120) as client:
        assert "LOGINDISABLED" in client.capabilities
        with pytest.raises(imaplib.IMAP4.error):
            client.login(f"anna@{people.DOMAIN}", people.PASSWORDS["anna"])


def test_the_web_tells_programs_where_mail_is(office: Qemu | Board) -> None:
    host, port = office.address(443)
    client = http.client.HTTPSConnection(host, port, context=people.trust_nobody(), timeout=120)
    client.request("GET", f"/mail/config-v1.1.xml?emailaddress=anna@{people.DOMAIN}")
    answer = client.getresponse()
    assert answer.status == 200
    assert b"incomingServer" in answer.read()
    client.request("GET", "/healthz")
    assert client.getresponse().status == 404, "for programs on the machine alone"
    client.close()


def test_nobody_logs_in_from_outside(office: Qemu | Board) -> None:
    if isinstance(office, Qemu):
        listening = office.shell.run("cat /proc/net/tcp /proc/net/tcp6")
        ports = {
            int(row.split()[1].rpartition(":")[2], 16) for row in listening.splitlines() if " 0A " in row
        }
        assert 22 not in ports
        return
    with pytest.raises(OSError), socket.create_connection((office.host, 22), 5):
        pass

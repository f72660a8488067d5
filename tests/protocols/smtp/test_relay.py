"""Port 25: who may send to whom, what is kept, over raw sockets."""

import smtplib
from dataclasses import replace

import pytest

from appliance.directory import entries
from appliance.directory.links import Link
from appliance.directory.model import Senders
from appliance.mailbox import folders, quotas
from appliance.mailbox.actor import SYSTEM
from appliance.protocols.smtp import replies
from appliance.store.queue import Notify, State
from tests.protocols.smtp.conftest import Served

MAIL = b"From: x@far.test\r\nSubject: Hello\r\n\r\nBody\r\n"


def line(reply: bytes) -> bytes:
    return reply.rstrip(b"\r\n")


def send(served: Served, recipients: list[str], mail: bytes = MAIL, sender: str = "x@far.test") -> bytes:
    raw = served.raw()
    assert raw.ask(f"MAIL FROM:<{sender}>") == line(replies.SENDER_OK)
    for recipient in recipients:
        assert raw.ask(f"RCPT TO:<{recipient}>") == line(replies.RECIPIENT_OK)
    assert raw.ask("DATA") == line(replies.DATA_GO)
    raw.send(mail + b".\r\n")
    return raw.reply()


def test_a_message_arrives_with_its_trace(served: Served) -> None:
    anna = served.office.user("anna@example.test")
    assert send(served, ["anna@example.test"]).startswith(b"250 2.0.0 OK: queued as ")
    (stored,) = served.office.mail(anna)
    assert stored.endswith(MAIL)
    trace = stored[: -len(MAIL)].decode()
    assert trace.startswith("Return-Path: <x@far.test>\r\nDelivered-To: anna@example.test\r\nReceived: from ")
    assert "client.test ([127.0.0.1])\r\n\tby mail.example.test with ESMTP id " in trace
    assert served.office.queue() == []


def test_several_ways_lead_to_one_copy(served: Served) -> None:
    office = served.office
    anna = office.user("anna@example.test", aliases=("a@example.test",))
    bert = office.user("bert@example.test")
    office.group("all@example.test", anna, bert)
    send(served, ["a@example.test", "anna+news@example.test", "all@example.test", "ANNA@EXAMPLE.TEST"])
    assert len(office.mail(anna)) == len(office.mail(bert)) == 1


def test_no_relaying_and_no_strangers(served: Served) -> None:
    office = served.office
    office.user("anna@example.test")
    office.user("off@example.test", enabled=False)
    raw = served.raw()
    assert raw.ask("MAIL FROM:<>") == line(replies.SENDER_OK)
    for address in ("far@far.test", "far%far.test@elsewhere.test", "x@[10.0.0.1]", '"a@far.test"@far.test'):
        assert raw.ask(f"RCPT TO:<{address}>") == line(replies.NO_RELAY)
    for address in ("nobody@example.test", "anna%far.test@example.test", '"anna@far.test"@example.test'):
        assert raw.ask(f"RCPT TO:<{address}>") == line(replies.NO_USER)
    assert raw.ask("RCPT TO:<off@example.test>") == line(replies.DISABLED)
    assert raw.ask("DATA") == line(replies.NO_VALID_RECIPIENTS)
    assert raw.ask("RCPT TO:<@relay.test:anna@example.test>") == line(replies.RECIPIENT_OK)


def test_postmaster_is_always_taken(served: Served) -> None:
    anna = served.office.user("anna@example.test")
    send(served, ["postmaster", "Postmaster@example.test", "postmaster@mail.example.test"])
    assert len(served.office.mail(anna)) == 1


def test_a_full_mailbox_is_told_at_rcpt(served: Served) -> None:
    office = served.office
    anna = office.user("anna@example.test")
    office.write(lambda txn: quotas.set_quota(txn, anna.mailbox, 1000))
    raw = served.raw()
    assert raw.ask("MAIL FROM:<x@far.test> SIZE=2000") == line(replies.SENDER_OK)
    assert raw.ask("RCPT TO:<anna@example.test>") == line(replies.MAILBOX_FULL_NOW)
    raw.ask("RSET", "MAIL FROM:<x@far.test>", "RCPT TO:<anna@example.test>", "DATA")
    raw.send(b"Subject: big\r\n\r\n" + b"x" * 2000 + b"\r\n.\r\n")
    assert raw.reply() == line(replies.MAILBOX_FULL)
    assert office.mail(anna) == []


def test_a_full_folder_is_told_at_rcpt(served: Served) -> None:
    office = served.office
    anna = office.user("anna@example.test")
    now = 133_500_000_000_000_000
    made = office.write(lambda txn: folders.create(txn, SYSTEM, anna.mailbox, ("Lists",), now=now))
    office.write(lambda txn: quotas.set_folder_quota(txn, anna.mailbox, made.fid, 1000, now=now))
    raw = served.raw()
    assert raw.ask("MAIL FROM:<x@far.test> SIZE=2000") == line(replies.SENDER_OK)
    assert raw.ask("RCPT TO:<anna+lists@example.test>") == line(replies.MAILBOX_FULL_NOW)
    assert raw.ask("RCPT TO:<anna@example.test>") == line(replies.RECIPIENT_OK)


def test_a_full_mailbox_beside_another_is_bounced(served: Served) -> None:
    office = served.office
    anna, bert = office.user("anna@example.test"), office.user("bert@example.test")
    office.write(lambda txn: quotas.set_quota(txn, anna.mailbox, 1000))
    mail = b"Subject: big\r\n\r\n" + b"x" * 2000 + b"\r\n"
    assert send(served, ["anna@example.test", "bert@example.test"], mail).startswith(b"250 ")
    assert (len(office.mail(anna)), len(office.mail(bert))) == (0, 1)
    (entry,) = office.queue()
    assert [(r.address, r.state, r.status) for r in entry.recipients] == [
        ("anna@example.test", State.FAILED, "5.2.2")
    ]


def test_external_members_go_to_the_queue(served: Served) -> None:
    office = served.office
    anna, far = office.user("anna@example.test"), office.contact("far@far.test")
    office.group("all@example.test", anna, far)
    raw = served.raw()
    raw.ask(
        "MAIL FROM:<x@far.test> RET=HDRS ENVID=a+2Bb", "RCPT TO:<all@example.test> NOTIFY=SUCCESS,FAILURE"
    )
    raw.ask("DATA")
    raw.send(MAIL + b".\r\n")
    assert raw.reply().startswith(b"250 ")
    (entry,) = office.queue()
    assert (entry.sender, entry.ret, entry.envid, entry.size) == (
        "x@far.test",
        "HDRS",
        "a+b",
        len(MAIL) + len(entry.prefix),
    )
    assert [(r.address, r.state, r.notify) for r in entry.recipients] == [
        ("far@far.test", State.PENDING, Notify.FAILURE),
        ("all@example.test", State.EXPANDED, Notify.SUCCESS | Notify.FAILURE),
    ]
    assert len(office.mail(anna)) == 1


def test_loops_are_found(served: Served) -> None:
    office = served.office
    anna = office.user("anna@example.test")
    hops = b"Received: from a by b\r\n" * 101
    assert send(served, ["anna@example.test"], hops + MAIL) == line(replies.TOO_MANY_HOPS)
    again = b"Delivered-To: Anna@example.test\r\n" + MAIL
    assert send(served, ["anna@example.test"], again) == line(replies.LOOP)
    assert send(served, ["anna@example.test"], hops[23:] + MAIL).startswith(b"250 ")
    assert len(office.mail(anna)) == 1


def test_sizes_declared_and_real(serve: object) -> None:
    served: Served = serve(max_size=10_000)  # type: ignore[operator]
    anna = served.office.user("anna@example.test")
    raw = served.raw()
    assert raw.ask("MAIL FROM:<x@far.test> SIZE=10001") == line(replies.TOO_BIG)
    raw.ask("MAIL FROM:<x@far.test> SIZE=10000", "RCPT TO:<anna@example.test>", "DATA")
    raw.send(b"Subject: a\r\n\r\n" + b"y" * 9_990 + b"\r\n.\r\n")
    assert raw.reply() == line(replies.TOO_BIG)
    raw.ask("MAIL FROM:<x@far.test>", "RCPT TO:<anna@example.test>", "DATA")
    raw.send(MAIL + b".\r\n")
    assert raw.reply().startswith(b"250 ")
    assert len(served.office.mail(anna)) == 1


def test_smtplib_sends_a_big_message(served: Served) -> None:
    anna = served.office.user("anna@example.test")
    body = b"".join(b"%08d a line of text, and a dot:\r\n.\r\n..\r\n" % i for i in range(60_000))
    mail = b"Subject: big\r\n\r\n" + body
    with smtplib.SMTP("127.0.0.1", served.relay, timeout=30) as client:
        assert client.sendmail("x@far.test", ["anna@example.test"], mail) == {}
    (stored,) = served.office.mail(anna)
    assert stored.endswith(mail)
    assert len(mail) > 2_000_000


def test_a_group_for_members_only_refuses_the_world(served: Served) -> None:
    office = served.office
    anna = office.user("anna@example.test")
    office.group("board@example.test", anna, senders=Senders.INTERNAL)
    raw = served.raw()
    raw.ask("MAIL FROM:<x@far.test>")
    assert raw.ask("RCPT TO:<board@example.test>") == line(replies.REFUSED_RECIPIENT)


@pytest.mark.parametrize("kind", [Link.SEND_AS, Link.SEND_ON_BEHALF])
def test_port_25_needs_no_rights_to_send(served: Served, kind: Link) -> None:
    anna, bert = served.office.user("anna@example.test"), served.office.user("bert@example.test")
    served.office.link(kind, anna, bert)
    assert send(served, ["anna@example.test"], sender="bert@example.test").startswith(b"250 ")


def test_a_list_with_an_owner_answers_for_its_members(served: Served) -> None:
    office = served.office
    anna, far = office.user("anna@example.test"), office.contact("far@far.test")
    group = office.group("all@example.test", anna, far)
    office.link(Link.MANAGED_BY, group, anna)
    office.contact("other@far.test")
    assert send(served, ["all@example.test"]).startswith(b"250 ")
    (entry,) = office.queue()
    assert (entry.sender, [r.address for r in entry.recipients]) == ("anna@example.test", ["far@far.test"])
    assert send(served, ["all@example.test"], sender="").startswith(b"250 ")
    assert office.queue()[1].sender == ""


def test_what_the_directory_said_is_forgotten_when_it_changes(served: Served) -> None:
    office = served.office
    anna = office.user("anna@example.test")
    raw = served.raw()
    raw.ask("MAIL FROM:<x@far.test>")
    for _ in range(2):
        assert raw.ask("RCPT TO:<anna@example.test>") == line(replies.RECIPIENT_OK)
    office.write(lambda txn: entries.update(txn, replace(anna, enabled=False)))
    assert raw.ask("RCPT TO:<anna@example.test>") == line(replies.DISABLED)
    raw.ask("DATA")
    raw.send(MAIL + b".\r\n")
    assert raw.reply() == line(replies.DISABLED)
    assert office.mail(anna) == []

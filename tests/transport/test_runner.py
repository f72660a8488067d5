"""The queue runner: retries, reports, routes, and what happens when things go wrong."""

import asyncio
import email
import email.message
import email.policy
from dataclasses import replace

import pytest

from appliance.mapi.times import TICKS_PER_DAY, TICKS_PER_MINUTE
from appliance.store import queue
from appliance.store.queue import Notify, State
from appliance.transport import client as client_module
from appliance.transport import dsn, smarthost
from appliance.transport.smarthost import Smarthost, TlsMode
from tests.transport.conftest import MAIL, Sending, to

MINUTES = TICKS_PER_MINUTE


def parse(raw: bytes) -> email.message.EmailMessage:
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(message, email.message.EmailMessage)
    return message


def status_of(message: email.message.Message) -> list[dict[str, str]]:
    """The blocks of a report's delivery-status part, as CPython's parser reads them."""
    assert message.get_content_type() == "multipart/report"
    assert message.get_param("report-type") == "delivery-status"
    part = message.get_payload(1)
    assert isinstance(part, email.message.Message)
    assert part.get_content_type() == "message/delivery-status"
    return [dict(block.items()) for block in part.get_payload() if block.items()]  # type: ignore[union-attr]


def test_mail_goes_out_and_leaves_the_queue(sending: Sending) -> None:
    async def test(s: Sending) -> None:
        remote = await s.remote("SIZE 1000000", "8BITMIME", domain="far.test")
        s.put("a@far.test", "b@far.test", prefix=b"Received: by us\r\n")
        await s.idle()
        assert remote.got, remote.lines
        (got,) = remote.got
        assert got.mail == f"MAIL FROM:<anna@example.test> SIZE={len(MAIL)} BODY=8BITMIME"
        assert got.rcpt == ["RCPT TO:<a@far.test>", "RCPT TO:<b@far.test>"]
        assert got.content == b"Received: by us\r\n" + MAIL
        assert s.office.queue() == []

    sending.run(test)


def test_partial_refusals_are_bounced_and_retried(sending: Sending) -> None:
    anna = sending.office.user("anna@example.test")

    async def test(s: Sending) -> None:
        remote = await s.remote(domain="far.test")
        remote.answers["RCPT TO:<no@"] = "550 5.1.1 no such user"
        remote.answers["RCPT TO:<later@"] = "451 4.2.1 try later"
        s.put("no@far.test", "later@far.test", "yes@far.test", envid="E1", ret="HDRS")
        await s.idle()
        assert [got.rcpt for got in remote.got] == [["RCPT TO:<yes@far.test>"]]
        (entry,) = s.office.queue()
        assert [r.address for r in entry.recipients] == ["later@far.test"]
        assert (entry.attempts, entry.last_answer) == (1, "451 4.2.1 try later")
        assert entry.next_attempt == s.clock.now() + 5 * MINUTES
        (raw,) = s.office.mail(anna)
        bounce = parse(raw)
        assert bounce["Return-Path"] == "<>"
        assert bounce["Auto-Submitted"] == "auto-replied"
        whole, of_no = status_of(bounce)
        assert whole["Original-Envelope-Id"] == "E1"
        assert of_no["Final-Recipient"] == "rfc822; no@far.test"
        assert (of_no["Action"], of_no["Status"]) == ("failed", "5.1.1")
        assert of_no["Diagnostic-Code"] == "smtp; 550 5.1.1 no such user"
        assert of_no["Remote-MTA"] == "dns; mx0.far.test"
        assert bounce.get_payload(2).get_content_type() == "text/rfc822-headers"  # type: ignore[union-attr]
        del remote.answers["RCPT TO:<later@"]
        await s.later(5 * MINUTES)
        assert remote.got[-1].rcpt == ["RCPT TO:<later@far.test>"]
        assert s.office.queue() == []

    sending.run(test)


def test_the_schedule_the_warning_and_the_end(sending: Sending) -> None:
    anna = sending.office.user("anna@example.test")

    async def test(s: Sending) -> None:
        remote = await s.remote(domain="far.test")
        remote.answers["MAIL"] = "421 4.3.2 not now"
        s.put("a@far.test", to("quiet@far.test", Notify.NEVER), to("loud@far.test", Notify.FAILURE))
        await s.idle()
        waits = []
        while s.office.queue():
            (entry,) = s.office.queue()
            waits.append((entry.next_attempt - s.clock.now()) // MINUTES)
            await s.later(entry.next_attempt - s.clock.now())
        assert waits[:8] == [5, 10, 20, 40, 60, 120, 240, 240]
        assert sum(waits) * MINUTES >= 5 * TICKS_PER_DAY
        warning, bounce = [parse(raw) for raw in s.office.mail(anna)]
        assert [block["Action"] for block in status_of(warning)[1:]] == ["delayed"]
        assert status_of(warning)[1]["Final-Recipient"] == "rfc822; a@far.test"
        assert "Will-Retry-Until" in status_of(warning)[1]
        failed = status_of(bounce)[1:]
        assert [(b["Final-Recipient"], b["Status"]) for b in failed] == [
            ("rfc822; a@far.test", "5.4.7"),
            ("rfc822; loud@far.test", "5.4.7"),
        ]
        assert bounce.get_payload(2).get_content_type() == "message/rfc822"  # type: ignore[union-attr]

    sending.run(test)


def test_an_untrusted_clock_bounces_nothing(sending: Sending) -> None:
    anna = sending.office.user("anna@example.test")

    async def test(s: Sending) -> None:
        remote = await s.remote(domain="far.test")
        remote.answers["RCPT"] = "550 5.1.1 no"
        s.clock.trusted = False
        s.put("a@far.test")
        await s.idle()
        await s.later(6 * TICKS_PER_DAY)
        (entry,) = s.office.queue()
        assert [r.state for r in entry.recipients] == [State.FAILED]
        assert s.office.mail(anna) == []
        s.clock.trusted = True
        await s.later(5 * MINUTES)
        assert len(s.office.mail(anna)) == 1
        assert s.office.queue() == []

    sending.run(test)


def test_a_jump_of_the_clock_moves_deadlines(sending: Sending) -> None:
    async def test(s: Sending) -> None:
        remote = await s.remote(domain="far.test")
        remote.answers["MAIL"] = "451 4.0.0 later"
        s.put("a@far.test")
        await s.idle()
        (before,) = s.office.queue()
        for jump in (300 * TICKS_PER_DAY, -300 * TICKS_PER_DAY):
            s.clock.wall += jump
            s.runner.wake()
            await asyncio.sleep(0)
            while s.office.queue()[0].arrived == before.arrived:
                await asyncio.sleep(0)
            (after,) = s.office.queue()
            assert after == replace(
                before, arrived=before.arrived + jump, next_attempt=before.next_attempt + jump
            )
            before = after
        assert len([line for line in remote.lines if line.startswith("MAIL")]) == 1

    sending.run(test)


def test_an_age_without_attempts_does_not_expire(sending: Sending) -> None:
    async def test(s: Sending) -> None:
        remote = await s.remote(domain="far.test")
        remote.answers["MAIL"] = "451 4.0.0 later"
        s.put("a@far.test", arrived=s.clock.now() - 400 * TICKS_PER_DAY)
        await s.idle()
        (entry,) = s.office.queue()
        assert entry.pending

    sending.run(test)


def test_success_is_reported_where_nobody_else_does(sending: Sending) -> None:
    anna = sending.office.user("anna@example.test")

    async def test(s: Sending) -> None:
        plain = await s.remote(domain="plain.test")
        dsn = await s.remote("DSN", "ENHANCEDSTATUSCODES", domain="dsn.test")
        every = (Notify.SUCCESS, Notify.DELAY)
        s.put(
            to("a@plain.test", *every, orcpt="rfc822;A@plain.test"),
            to("b@dsn.test", *every, orcpt="rfc822;x+y@dsn.test"),
            envid="id=1",
            ret="FULL",
        )
        await s.idle()
        assert plain.got[0].mail == "MAIL FROM:<anna@example.test>"
        assert dsn.got[0].mail == "MAIL FROM:<anna@example.test> RET=FULL ENVID=id+3D1"
        assert dsn.got[0].rcpt == ["RCPT TO:<b@dsn.test> NOTIFY=SUCCESS,DELAY ORCPT=rfc822;x+2By@dsn.test"]
        (report,) = [parse(raw) for raw in s.office.mail(anna)]
        (relayed,) = status_of(report)[1:]
        assert relayed["Action"] == "relayed"
        assert relayed["Original-Recipient"] == "rfc822; A@plain.test"
        assert report.get_payload(2).get_content_type() == "text/rfc822-headers"  # type: ignore[union-attr]
        assert s.office.queue() == []

    sending.run(test)


def test_nothing_is_said_to_the_null_sender(sending: Sending) -> None:
    async def test(s: Sending) -> None:
        remote = await s.remote(domain="far.test")
        remote.answers["RCPT"] = "550 5.1.1 no"
        s.put("a@far.test", sender="")
        await s.idle()
        assert s.office.queue() == []
        assert remote.lines[1] == "MAIL FROM:<>"

    sending.run(test)


def test_bounces_to_elsewhere_go_through_the_queue(sending: Sending) -> None:
    async def test(s: Sending) -> None:
        remote = await s.remote("8BITMIME", domain="far.test")
        remote.answers["RCPT TO:<no@"] = "550 5.1.1 no"
        s.put("no@far.test", sender="peter@far.test")
        await s.idle()
        (got,) = remote.got
        assert got.mail.startswith("MAIL FROM:<> ")
        assert got.rcpt == ["RCPT TO:<peter@far.test>"]
        assert MAIL in got.content

    sending.run(test)


def test_a_destination_that_hangs_delays_nobody(sending: Sending) -> None:
    async def test(s: Sending) -> None:
        hanging = await s.remote(domain="slow.test")
        hanging.answers["RCPT"] = "hang"
        good = await s.remote(domain="good.test")
        for i in range(30):
            s.put(f"{i}@slow.test")
        number = s.put("a@good.test", "b@slow.test")
        while len(good.got) < 1:
            await asyncio.sleep(0.001)
        while s.office.queue()[-1].recipients[0].state is State.PENDING:
            await asyncio.sleep(0.001)
        assert s.office.queue()[-1].id == number
        assert hanging.most_open <= 5

    sending.run(test)


def test_connections_are_reused_and_a_dead_host_answers_for_all(sending: Sending) -> None:
    async def test(s: Sending) -> None:
        remote = await s.remote(domain="far.test")
        for i in range(20):
            s.put(f"{i}@far.test")
        await s.idle()
        assert len(remote.got) == 20
        assert remote.connections <= 5
        dead = await s.remote(domain="dead.test")
        dead.answers[""] = "554 go away"
        for i in range(20):
            s.put(f"{i}@dead.test")
        await s.idle()
        assert dead.connections <= 5
        assert {entry.last_answer for entry in s.office.queue()} == {"554 go away"}
        assert all(entry.pending for entry in s.office.queue())

    sending.run(test)


@pytest.mark.slow
def test_an_idle_connection_does_not_hold_up_a_second_message(sending: Sending) -> None:
    async def test(s: Sending) -> None:
        remote = await s.remote(domain="far.test")
        s.put("a@far.test")
        await s.idle()
        assert remote.open == 1  # kept for a while
        remote.answers["RCPT TO:<slow@"] = "hang"
        s.put("slow@far.test")
        s.put("b@far.test")
        while len(remote.got) < 2:
            await asyncio.sleep(0.001)
        assert remote.got[1].rcpt == ["RCPT TO:<b@far.test>"]

    sending.run(test)


def test_a_report_that_cannot_be_made_is_made_later(
    sending: Sending, monkeypatch: pytest.MonkeyPatch
) -> None:
    anna = sending.office.user("anna@example.test")

    async def test(s: Sending) -> None:
        remote = await s.remote(domain="far.test")
        remote.answers["RCPT"] = "550 5.1.1 no"
        with monkeypatch.context() as patch:
            patch.setattr(dsn.Report, "render", lambda *_: 1 / 0)
            s.put("a@far.test")
            await s.idle()
        (entry,) = s.office.queue()
        assert [r.state for r in entry.recipients] == [State.FAILED]
        await s.later(5 * MINUTES)
        assert len(s.office.mail(anna)) == 1
        assert s.office.queue() == []

    sending.run(test)


def test_a_round_that_ended_meanwhile_is_not_begun_again(sending: Sending) -> None:
    """The queue is looked at in a snapshot, which may be older than the end of a round."""

    async def test(s: Sending) -> None:
        remote = await s.remote(domain="far.test")
        remote.answers["MAIL"] = "421 4.3.2 not now"
        number = s.put("a@far.test")
        await s.idle()
        await s.runner._begin(number)
        await s.idle()
        (entry,) = s.office.queue()
        assert entry.attempts == 1

    sending.run(test)


def test_the_second_host_is_tried(sending: Sending) -> None:
    async def test(s: Sending) -> None:
        first, second = await s.remote(), await s.remote()
        s.dns.domain("far.test", first, second)
        await first.close()
        s.remotes.remove(first)
        s.put("a@far.test")
        await s.idle()
        assert len(second.got) == 1

    sending.run(test)


@pytest.mark.parametrize(
    ("answer_to", "answer"),
    [
        ("MAIL", None),
        ("RCPT", None),
        ("DATA", None),
        (".", None),
        ("DATA", "451 4.3.0 no"),
        (".", "452 4.3.1 full"),
    ],
)
def test_whatever_breaks_is_tried_again(sending: Sending, answer_to: str, answer: str | None) -> None:
    async def test(s: Sending) -> None:
        remote = await s.remote(domain="far.test")
        remote.answers[answer_to] = answer
        s.put("a@far.test")
        await s.idle()
        (entry,) = s.office.queue()
        assert (entry.attempts, len(entry.pending)) == (1, 1)
        assert entry.last_answer
        remote.answers.clear()
        await s.later(5 * MINUTES)
        assert len(remote.got) == 1
        assert s.office.queue() == []

    sending.run(test)


def test_a_timeout_is_tried_again(sending: Sending) -> None:
    sending.patience = client_module.Patience(connect=5.0, command=0.05, content=0.05)

    async def test(s: Sending) -> None:
        remote = await s.remote(domain="far.test")
        remote.answers["MAIL"] = "hang"
        s.put("a@far.test")
        await s.idle()
        (entry,) = s.office.queue()
        assert entry.pending[0].status == "4.4.2"

    sending.run(test)


def test_local_recipients_in_the_queue_are_delivered(sending: Sending) -> None:
    office = sending.office
    anna, bert = office.user("anna@example.test"), office.user("bert@example.test")

    async def test(s: Sending) -> None:
        s.put("bert@example.test", to("bert+x@example.test", Notify.SUCCESS), "nobody@example.test")
        await s.idle()
        assert len(office.mail(bert)) == 1
        assert office.mail(bert)[0].endswith(MAIL)
        reports = [status_of(parse(raw)) for raw in office.mail(anna)]
        actions = sorted(block["Action"] for report in reports for block in report[1:])
        assert actions in (["delivered", "failed"], ["failed"])
        assert office.queue() == []

    sending.run(test)


def test_a_smarthost_takes_everything(sending: Sending) -> None:
    async def test(s: Sending) -> None:
        remote = await s.remote("AUTH PLAIN LOGIN", "SIZE")
        remote.answers["AUTH"] = "235 2.7.0 ok"
        host = Smarthost("127.0.0.1", remote.port, TlsMode.NONE, "us", "them")
        s.office.write(lambda txn: smarthost.put(txn, host))
        s.put("a@one.test", "b@two.test")
        await s.idle()
        (got,) = remote.got
        assert len(got.rcpt) == 2
        assert any(line.startswith("AUTH PLAIN ") for line in remote.lines)
        remote.answers["AUTH"] = "535 5.7.8 no"
        s.put("c@one.test")
        await asyncio.sleep(0)
        await s.later(1)
        assert s.office.write(smarthost.clear)

    sending.run(test)


def test_hold_drop_and_retry(sending: Sending) -> None:
    async def test(s: Sending) -> None:
        remote = await s.remote(domain="far.test")
        remote.answers["MAIL"] = "451 4.0.0 later"
        first, second = s.put("a@far.test"), s.put("b@far.test")
        await s.idle()
        s.office.write(lambda txn: queue.hold(txn, first))
        s.office.write(lambda txn: queue.remove(txn, second))
        remote.answers.clear()
        await s.later(TICKS_PER_DAY)
        assert remote.got == []
        s.office.write(lambda txn: queue.retry(txn, first, s.clock.now()))
        await s.later(1)
        assert len(remote.got) == 1
        assert s.office.queue() == []

    sending.run(test)


def test_content_is_brought_to_what_the_server_takes(sending: Sending) -> None:
    text = "Subject: Grüße\r\n".encode()
    eight = (
        b"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
        + "Grüße\r\n".encode()
    )

    async def test(s: Sending) -> None:
        old = await s.remote(domain="old.test")
        new = await s.remote("8BITMIME", "SMTPUTF8", "BINARYMIME", "CHUNKING", domain="new.test")
        s.put("a@old.test", "a@new.test", mail=eight, body="8BITMIME")
        await s.idle()
        assert new.got[0].content == eight
        assert old.got[0].content.isascii()
        assert parse(old.got[0].content).get_content().splitlines() == ["Grüße"]
        binary = b"Content-Type: application/x\r\nContent-Transfer-Encoding: binary\r\n\r\n\0\n\r.\n\xff"
        s.put("a@old.test", "a@new.test", mail=binary, body="BINARYMIME")
        await s.idle()
        assert new.got[1].binary
        assert new.got[1].content == binary
        assert parse(old.got[1].content).get_content() == b"\0\n\r.\n\xff"
        s.put("a@old.test", "a@new.test", mail=text + b"\r\nx\r\n", smtputf8=True, sender="")
        s.put("grün@old.test", "a@xn--mnchen-3ya.test", "grün@new.test", sender="")
        await s.idle()
        assert len(old.got) == 2
        assert len(new.got) == 4

    sending.run(test)

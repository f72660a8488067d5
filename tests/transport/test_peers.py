"""Postfix's own tools as peers: smtp-source sends to us, smtp-sink takes from us. aiosmtplib, in bulk."""

import asyncio
import shutil
import socket
import subprocess
from pathlib import Path

import aiosmtplib
import pytest

from appliance.directory import domains
from appliance.net.limits import Limits
from appliance.net.listener import Network
from appliance.protocols.smtp.server import relay_service
from appliance.protocols.smtp.service import SmtpService, SmtpSettings
from appliance.store.queue import Notify
from appliance.store.store import Store
from appliance.transport.routes import Endpoint
from tests.transport.conftest import MAIL, Sending, to
from tests.transport.office import HOSTNAME, Office

needs_postfix = pytest.mark.skipif(
    shutil.which("smtp-source") is None or shutil.which("smtp-sink") is None,
    reason="postfix is not installed",
)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def listen(store: Store) -> tuple[Network, int]:
    network = Network()
    service = relay_service(SmtpService(store, SmtpSettings(HOSTNAME)), Limits())
    return network, (await network.listen(service, "127.0.0.1", 0)).port


@needs_postfix
def test_smtp_source(sending: Sending) -> None:
    anna = sending.office.user("anna@example.test")

    async def test(s: Sending) -> None:
        network, port = await listen(s.store)
        words = [
            "smtp-source",
            "-s",
            "10",
            "-m",
            "100",
            "-l",
            "3000",
            "-f",
            "x@far.test",
            "-t",
            "anna@example.test",
        ]
        for more in ([], ["-d"]):
            done = await asyncio.create_subprocess_exec(
                *words, *more, f"127.0.0.1:{port}", stdout=subprocess.DEVNULL
            )
            assert await done.wait() == 0
        await network.drain(0.5)
        assert len(s.office.mail(anna)) == 200

    sending.run(test)


@needs_postfix
def test_smtp_sink(sending: Sending, tmp_path: Path) -> None:
    async def test(s: Sending) -> None:
        port = free_port()
        tmp_path.chmod(0o777)
        sink = await asyncio.create_subprocess_exec(
            "smtp-sink", "-u", "root", "-R", str(tmp_path), "-d", "%M.", f"127.0.0.1:{port}", "100"
        )
        try:
            s.dns.hosts["far.test"] = [Endpoint("far.test", "127.0.0.1", port)]
            while True:
                try:
                    socket.create_connection(("127.0.0.1", port), 1).close()
                    break
                except OSError:
                    await asyncio.sleep(0)
            for i in range(20):
                s.put(f"{i}@far.test")
            await s.idle()
            assert s.office.queue() == []
            dumps = [path.read_bytes() for path in tmp_path.iterdir() if path.is_file()]
            assert sum(dump.count(b"Subject: Out") for dump in dumps) == 20
        finally:
            sink.terminate()
            await sink.wait()

    sending.run(test)


def test_a_chain_of_two_of_us(sending: Sending, tmp_path: Path) -> None:
    """What our client sends, our server takes as it was: DATA, chunks, UTF-8, DSN parameters."""
    start = domains.Organization(("start.test",), "mail.start.test", "Start")
    sending.office.write(lambda txn: domains.put(txn, start))
    following = Store.create(tmp_path / "next")
    office = Office(following)
    anna = office.user("anna@example.test")
    far = office.contact("far@far.test")
    office.group("all@example.test", anna, far)

    async def test(s: Sending) -> None:
        network, port = await listen(following)
        s.dns.hosts["example.test"] = [Endpoint("example.test", "127.0.0.1", port)]
        big = MAIL + b".\r\n..\r\n" + b"x" * 70 + b"\r\n" * 100_000
        binary = b"Content-Transfer-Encoding: binary\r\n\r\n" + bytes(range(256)) * 1000
        s.put("anna@example.test", mail=big, sender="x@far.test")
        await s.idle()
        s.put("anna@example.test", mail=binary, body="BINARYMIME", sender="x@far.test")
        await s.idle()
        s.put(
            "anna@example.test",
            mail="Subject: Grüße\r\n\r\nx\r\n".encode(),
            smtputf8=True,
            sender="grün@far.test",
        )
        s.put(
            to("all@example.test", Notify.FAILURE, orcpt="rfc822;a+b@c.test"),
            envid="e=1",
            sender="x@far.test",
        )
        await s.idle()
        assert s.office.queue() == []
        await network.drain(0.5)

    sending.run(test)
    mails = office.mail(anna)
    assert [mail.count(b"\r\nReceived: from mail.example.test") for mail in mails] == [1] * 4
    assert mails[0].endswith(MAIL + b".\r\n..\r\n" + b"x" * 70 + b"\r\n" * 100_000)
    assert mails[1].endswith(bytes(range(256)) * 1000)
    (entry,) = office.queue()
    assert (entry.envid, entry.recipients[0].orcpt) == ("e=1", "rfc822;a+b@c.test")
    following.close()


def test_aiosmtplib(sending: Sending) -> None:
    anna = sending.office.user("anna@example.test")

    async def test(s: Sending) -> None:
        network, port = await listen(s.store)
        await asyncio.gather(
            *(
                aiosmtplib.send(
                    MAIL,
                    sender="x@far.test",
                    recipients=["anna@example.test"],
                    hostname="127.0.0.1",
                    port=port,
                )
                for _ in range(20)
            )
        )
        await network.drain(0.5)
        assert len(s.office.mail(anna)) == 20

    sending.run(test)

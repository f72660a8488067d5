"""Other processes on the same store, the end of the server under load, and a clock that is set."""

import smtplib
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from appliance.store.kv import FILE_NAME
from appliance.store.store import Store
from tests.badday.conftest import Fault, Faults
from tests.badday.mail import message, send, sound, subjects
from tests.served import ROOT, Served, address, command

pytestmark = pytest.mark.slow
HOLDER = """
import sys
from pathlib import Path
from appliance.store.store import Store
with Store.open(Path(sys.argv[1])).read():
    print("held", flush=True)
    sys.stdin.read()
"""
YEAR = 365 * 86400


def test_a_snapshot_held_elsewhere_costs_room_but_nothing_else(office: Path) -> None:
    """A hung process holds a snapshot: the server goes on, the file grows, and is used again afterwards."""
    path = office / FILE_NAME
    with Served(office) as server:
        holder = subprocess.Popen(
            [sys.executable, "-c", HOLDER, str(office)],
            cwd=ROOT,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        with holder:
            assert holder.stdout is not None
            assert holder.stdout.readline() == "held\n"
            start = path.stat().st_size
            for number in range(40):
                assert send(server, number, 20_000) == 250
            grown = path.stat().st_size
            assert grown - start < 40 * 20_000 * 8
            holder.kill()
        Store.open(office).close()  # as every command does: readers that died are cleared
        for number in range(40, 80):
            assert send(server, number, 5000) == 250
        assert path.stat().st_size - grown < grown - start
        assert subjects(server) == list(range(80))
        assert server.stop() == 0
    sound(office)


def test_commands_write_beside_the_server(office: Path, tmp_path: Path) -> None:
    letters = tmp_path / "letters.mbox"
    letters.write_bytes(
        b"".join(b"From a Thu Jan  1 00:00:00 2026\n%s\n" % message(n, 400_000) for n in range(100, 110))
    )
    answers: list[subprocess.CompletedProcess[str]] = []

    def commands() -> None:
        for number in range(3):
            answers.append(command(office, "user", "add", address(f"new{number}"), "--password", "secret 1"))
            answers.append(command(office, "import", address("ben"), str(letters)))

    with Served(office) as server:
        thread = threading.Thread(target=commands)
        thread.start()
        sent = 0
        while thread.is_alive() or not sent:
            assert send(server, sent, 30_000) == 250
            sent += 1
        thread.join()
        assert [answer.returncode for answer in answers] == [0] * 6, answers
        assert subjects(server) == list(range(sent))
        assert sorted(subjects(server, "ben")) == sorted([*range(100, 110)] * 3)
        with server.smtp() as client:
            client.ehlo()
            client.mail("a@b.example")
            assert client.rcpt(address("new2"))[0] == 250
        assert server.stop() == 0
    sound(office)


def test_told_to_end_under_load(office: Path) -> None:
    """SIGTERM: running commands finish, nothing that was answered is lost, exit code 0."""
    taken: list[int] = []
    faults: list[Exception] = []
    enough = threading.Semaphore(0)

    def load(first: int) -> None:
        number = first
        try:
            while True:
                with server.smtp() as client:
                    for _ in range(5):
                        number += 1
                        client.sendmail("a@b.example", address("anna"), message(number, 60_000))
                        taken.append(number)
                        enough.release()
        except (OSError, smtplib.SMTPException):
            pass
        except Exception as error:
            faults.append(error)

    with Served(office) as server:
        idle = [server.imap("ben") for _ in range(20)]
        threads = [threading.Thread(target=load, args=(start * 100_000,)) for start in range(8)]
        for thread in threads:
            thread.start()
        for _ in range(60):
            assert enough.acquire(timeout=60)
        code = server.stop()
        for thread in threads:
            thread.join()
        for client in idle:
            client.shutdown()
        assert code == 0
        assert faults == []
        assert "Traceback" not in server.logged()
    with Served(office) as server:
        found = subjects(server)
        assert len(set(found)) == len(found)
        assert set(taken) <= set(found)
        assert len(set(found) - set(taken)) <= 8
    sound(office)


def test_the_clock_is_set_while_serving(office: Path, faults: Faults) -> None:
    with Served(office, environment=faults.environment) as server, server.imap("anna") as idle:
        validities = []
        for step, jump in enumerate((0, 10 * YEAR, -20 * YEAR, 5 * YEAR, 0)):
            faults.set(Fault.CLOCK, jump)
            assert send(server, step) == 250
            assert idle.noop()[0] == "OK"
            with server.imap("anna") as client:
                assert client.create("Box")[0] == "OK"
                validities.append(int(client.status("Box", "(UIDVALIDITY)")[1][0].split()[-1].rstrip(b")")))  # type: ignore[union-attr]
                assert client.delete("Box")[0] == "OK"
        assert validities == sorted(set(validities))
        assert subjects(server) == list(range(5))
        assert server.stop() == 0
    sound(office)

"""The disk fills while mail comes in: refused for now, nothing half done, all well once there is room."""

from pathlib import Path

import pytest

from tests.badday.conftest import Fault, Faults
from tests.badday.mail import message, send, sound, subjects, until
from tests.served import Served

pytestmark = pytest.mark.slow
TEMPORARY = 452


def test_users_are_refused_at_the_reserve_and_may_delete(office: Path, faults: Faults) -> None:
    with Served(office, environment=faults.environment) as server:
        assert send(server, 1) == 250
        assert send(server, 2) == 250
        faults.set(Fault.TOLD, 0)
        until(lambda: send(server, 3) == TEMPORARY)
        with server.imap("anna") as client:
            client.select("INBOX")
            kind, said = client.append("INBOX", "", "", message(4))  # type: ignore[arg-type]
            assert (kind, said[0].split()[0]) == ("NO", b"[UNAVAILABLE]")
            assert client.create("Another")[0] == "NO"
            assert client.fetch("2", "BODY[TEXT]")[0] == "OK"
            assert client.store("1", "+FLAGS", "(\\Deleted)")[0] == "OK"
            assert client.expunge()[0] == "OK"
            assert client.uid("MOVE", "2", '"Deleted Items"')[0] == "OK"
        assert not {1, 2} & set(subjects(server))
        faults.mend()
        until(lambda: send(server, 5) == 250)
        assert subjects(server).count(5) == 1
        assert 4 not in subjects(server)
        assert server.stop() == 0
    sound(office)


@pytest.mark.parametrize("room", [0, 200_000])
def test_a_disk_that_is_full_without_saying_so(office: Path, faults: Faults, room: int) -> None:
    """statvfs promises room and the write does not get it: found out in the middle of a commit."""
    with Served(office, environment=faults.environment) as server:
        faults.set(Fault.TOLD, 1 << 29)
        faults.set(Fault.ROOM, room)
        answers = {number: send(server, number, 700_000) for number in range(1, 19)}
        assert set(answers.values()) <= {250, TEMPORARY}
        assert TEMPORARY in answers.values()
        assert server.process.poll() is None
        faults.mend()
        until(lambda: send(server, 19, 700_000) == 250)
        taken = [number for number, code in answers.items() if code == 250]
        found = subjects(server)
        assert sorted(found) == sorted([*taken, *[19] * found.count(19)])
        assert server.stop() == 0
    sound(office)

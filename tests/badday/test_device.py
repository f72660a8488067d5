"""The card fails: a sync gives an I/O error. The process ends and says so; what was answered is there."""

from pathlib import Path

import pytest

from tests.badday.conftest import Fault, Faults
from tests.badday.mail import send, sends, sound, subjects
from tests.served import Served

pytestmark = pytest.mark.slow


def test_a_failed_sync_ends_the_process(office: Path, faults: Faults) -> None:
    with Served(office, environment=faults.environment) as server:
        assert send(server, 1) == 250
        faults.set(Fault.SYNC, 1)
        with pytest.raises(Exception) as refused:  # 451, or the end of the connection
            assert send(server, 2) == 250
        assert not isinstance(refused.value, KeyboardInterrupt)
        assert server.process.wait(30) == 1
        assert "device failed" in server.logged()
        assert not sends(server)
    faults.mend()
    with Served(office, environment=faults.environment) as server:
        found = subjects(server)
        assert found.count(1) == 1
        assert found.count(2) <= 1
        assert send(server, 3) == 250
        assert server.stop() == 0
    sound(office)

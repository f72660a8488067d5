"""Between processes: datagrams, presence, systemd."""

import asyncio
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from appliance.net import systemd
from appliance.net.announce import Announcer, Receiver, run_directory
from appliance.net.running import Presence, present
from appliance.store.keys import SERVER, Table, pack
from appliance.store.kv import WriteTxn
from appliance.store.store import Store


def touch_many(txn: WriteTxn) -> None:
    txn.put(pack(SERVER, Table.SETTINGS, "x"), b"")
    for mailbox in range(3000):
        txn.touch(mailbox)


def test_commits_reach_other_processes_but_not_the_own(tmp_path: Path) -> None:
    data = tmp_path / ("deep" * 40) / "data"  # longer than a socket's address may be
    store = Store.create(data)

    async def run() -> None:
        heard: set[int] = set()
        done = asyncio.Event()

        def changed(mailboxes: frozenset[int]) -> None:
            heard.update(mailboxes)
            if len(heard) == 3000:
                done.set()

        receiver = Receiver(data, changed, lambda: None)
        dead = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        here = os.open(data / "run", os.O_RDONLY)
        dead.bind(f"/proc/self/fd/{here}/1.watch")
        dead.close()
        os.close(here)
        own, other = Announcer(store, receiver.name), Announcer(store)
        await asyncio.wrap_future(store.write(touch_many))
        await asyncio.wait_for(done.wait(), 10)
        assert own._peers() == []
        assert not (data / "run" / "1.watch").exists()
        own.close()
        other.close()
        receiver.close()
        assert list((data / "run").iterdir()) == []

    asyncio.run(run())
    store.close()


def test_presence_ends_with_the_process(tmp_path: Path) -> None:
    run_directory(tmp_path)
    code = (
        "import sys, pathlib; from appliance.net.running import Presence;"
        "p = Presence(pathlib.Path(sys.argv[1]), {'roles': ['web']});"
        "print('up', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout
        assert child.stdout.readline() == b"up\n"
        assert present(tmp_path) == [{"pid": child.pid, "roles": ["web"]}]
        child.kill()
        child.wait()
    assert present(tmp_path) == []
    assert list((tmp_path / "run").iterdir()) == []
    own = Presence(tmp_path, {"roles": []})
    own.close()
    assert present(tmp_path) == []


def test_the_service_manager_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not systemd.notify("READY=1")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "n"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "n"))
        assert systemd.notify("READY=1", "STATUS=x")
        assert manager.recv(100) == b"READY=1\nSTATUS=x"
    assert not systemd.notify("READY=1")


def test_the_watchdog_is_fed_twice_as_often_as_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    assert systemd.watchdog_interval() is None
    monkeypatch.setenv("WATCHDOG_USEC", "30000000")
    assert systemd.watchdog_interval() == 15.0
    monkeypatch.setenv("WATCHDOG_PID", "1")
    assert systemd.watchdog_interval() is None


def test_passed_sockets_are_taken_once() -> None:
    code = (
        "import os; from appliance.net import systemd; os.environ['LISTEN_PID'] = str(os.getpid());"
        "print([s.getsockname()[1] for s in systemd.passed_sockets()], systemd.passed_sockets())"
    )
    with socket.create_server(("127.0.0.1", 0)) as listening:
        os.set_inheritable(listening.fileno(), True)
        shell = f'exec "$0" -c "$1" 3<&{listening.fileno()}'
        done = subprocess.run(
            ["bash", "-c", shell, sys.executable, code],
            env={**os.environ, "LISTEN_FDS": "1"},
            pass_fds=[listening.fileno()],
            capture_output=True,
            text=True,
            timeout=30,
        )
        assert done.stdout == f"[{listening.getsockname()[1]}] []\n", done.stderr

"""Between the processes of one data directory: "these mailboxes changed", in a datagram after each commit.

Each process that serves binds a datagram socket in `DIR/run/`; each process that writes (servers and
commands) sends to all of them but its own. Nothing depends on a datagram's arrival: receivers also look at
everything every POLL seconds, and whatever a process caches is checked against the mailbox's number before
it is used, which is why a datagram carries the mailboxes alone.
"""

import asyncio
import contextlib
import logging
import os
import socket
import struct
import time
from collections.abc import Callable
from pathlib import Path

from appliance.store.store import Store

RUN_DIRECTORY = "run"
SUFFIX = ".watch"
POLL = 30.0
"""Seconds after which everything is looked at in any case."""

COARSE = 50_000_000
"""Nanoseconds within which two changes of a directory may bear the same time."""

MAX_MAILBOXES = 1024
"""Mailboxes in one datagram."""

_NUMBER = struct.Struct(">I")
_log = logging.getLogger(__name__)


def run_directory(data: Path) -> Path:
    """The directory of sockets and locks of running processes; made if need be."""
    directory = data / RUN_DIRECTORY
    directory.mkdir(mode=0o700, exist_ok=True)
    return directory


class Announcer:
    """Sends what this process commits to the other processes. Called on the writer thread."""

    def __init__(self, store: Store, own: str = "") -> None:
        self._directory = store.directory / RUN_DIRECTORY
        self._place = str(self._directory)  # each commit asks: a Path takes longer than the system
        self._own = own
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self._socket.setblocking(False)
        self._known: tuple[int, list[str]] = (0, [])
        self._here = -1
        self._end = store.watch(self.announce)

    def announce(self, mailboxes: frozenset[int]) -> None:
        """Tell the others; a socket whose process is gone is removed."""
        ordered = sorted(mailboxes)
        for path in self._peers():
            for begin in range(0, len(ordered), MAX_MAILBOXES):
                message = b"".join(_NUMBER.pack(m) for m in ordered[begin : begin + MAX_MAILBOXES])
                try:
                    self._socket.sendto(message, path)
                except ConnectionRefusedError:
                    with contextlib.suppress(OSError):
                        os.unlink(path)
                    break
                except OSError:  # full or vanished: the poll makes up for it
                    break

    def _peers(self) -> list[str]:
        try:
            changed = os.stat(self._place).st_mtime_ns
            if changed != self._known[0]:
                names = [name for name in os.listdir(self._directory) if name.endswith(SUFFIX)]
                if self._here < 0:
                    self._here = os.open(self._directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
                paths = [f"/proc/self/fd/{self._here}/{name}" for name in names if name != self._own]
                # what changes again within one tick of the kernel's clock keeps its time: look once more
                settled = time.time_ns() - changed > COARSE
                self._known = (changed if settled else 0, paths)
        except OSError:
            return []
        return self._known[1]

    def close(self) -> None:
        """Tell nobody any more."""
        self._end()
        self._socket.close()
        if self._here >= 0:
            os.close(self._here)


class Receiver:
    """Hears what other processes commit."""

    def __init__(
        self, data: Path, changed: Callable[[frozenset[int]], None], poll: Callable[[], None]
    ) -> None:
        """`changed` is told of mailboxes, `poll` is called every POLL seconds; both on the loop."""
        self._loop = asyncio.get_running_loop()
        self._changed, self._poll = changed, poll
        self.name = f"{os.getpid()}{SUFFIX}"
        self._path = run_directory(data) / self.name
        self._path.unlink(missing_ok=True)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
        self._socket.setblocking(False)
        here = os.open(self._path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:  # a path under /proc stays short however deep the data directory lies (108 bytes at most)
            self._socket.bind(f"/proc/self/fd/{here}/{self.name}")
        finally:
            os.close(here)
        self._loop.add_reader(self._socket.fileno(), self._read)
        self._timer = self._loop.call_later(POLL, self._tick)

    def _read(self) -> None:
        for _ in range(64):
            try:
                message = self._socket.recv(_NUMBER.size * MAX_MAILBOXES)
            except OSError:
                return
            if message and len(message) % _NUMBER.size == 0:
                self._changed(frozenset(number for (number,) in _NUMBER.iter_unpack(message)))

    def _tick(self) -> None:
        self._timer = self._loop.call_later(POLL, self._tick)
        self._poll()

    def close(self) -> None:
        """Listen no longer."""
        self._timer.cancel()
        self._loop.remove_reader(self._socket.fileno())
        self._socket.close()
        self._path.unlink(missing_ok=True)

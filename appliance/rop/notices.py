"""What a session is to be told: RopNotify responses that wait for the next Execute (MS-OXCNOTIF 3.1.5).

Notices gather in order, at most MAX_WAITING; beyond that the oldest go: a client that fell so far behind
reads its tables anew. A long poll sleeps on one future.
"""

import asyncio
from collections import deque

ROP_NOTIFY = 0x2A
MAX_WAITING = 1000


class Notices:
    """The queue of one session. On the loop's thread."""

    __slots__ = ("_closed", "_waiters", "_waiting")

    def __init__(self) -> None:
        self._waiting: deque[bytes] = deque(maxlen=MAX_WAITING)
        self._waiters: list[asyncio.Future[None]] = []
        self._closed = False

    def __len__(self) -> int:
        return len(self._waiting)

    def add(self, packed: bytes) -> None:
        """Queue a whole RopNotify response and wake who waits."""
        self._waiting.append(packed)
        self._wake()

    def take(self, room: int) -> bytes:
        """The oldest notices that fit into `room` bytes together; they are gone from here."""
        taken = bytearray()
        while self._waiting and len(taken) + len(self._waiting[0]) <= room:
            taken += self._waiting.popleft()
        return bytes(taken)

    async def wait(self, seconds: float) -> bool:
        """Whether anything waits, as soon as it does, at the latest after `seconds`, or at the end."""
        if self._waiting or self._closed:
            return bool(self._waiting)
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        try:
            async with asyncio.timeout(seconds):
                await waiter
        except TimeoutError:
            pass
        finally:
            if waiter in self._waiters:
                self._waiters.remove(waiter)
        return bool(self._waiting)

    def close(self) -> None:
        """Nothing comes any more."""
        self._closed = True
        self._wake()

    def _wake(self) -> None:
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

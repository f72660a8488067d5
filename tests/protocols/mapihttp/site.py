"""An endpoint whose requests do what a test wants, for tests of everything around them."""

import asyncio
import threading
from collections.abc import Iterator

from appliance.net.parts import Parts
from appliance.net.web import Route
from appliance.protocols.mapihttp.endpoint import Call, Endpoint, Failed, Kind, Opened, Turn
from appliance.protocols.mapihttp.headers import Fault, ResponseCode
from appliance.wire.fields import UInt32
from appliance.wire.record import Record

KEEP_ALIVE = 0.02
PATH = "/mapi/test"


class Ask(Record):
    """A request that says what is to happen."""

    what: UInt32


class Told(Record):
    """A response: status, code, and what was asked."""

    status_code: UInt32
    error_code: UInt32
    what: UInt32


ANSWER, WAIT, FAIL, FAULT, BREAK = range(5)


class Site:
    """Connect, Execute, NotificationWait, Disconnect. `Execute(WAIT)` runs until `go` is called."""

    def __init__(self) -> None:
        self.running = threading.Semaphore(0)
        self.closed = 0
        self.finished = 0
        self._gate: asyncio.Event
        self._loop: asyncio.AbstractEventLoop
        self.endpoint: Endpoint[int]

    def routes(self, parts: Parts) -> Iterator[Route]:
        self._loop, self._gate = asyncio.get_running_loop(), asyncio.Event()
        kinds: dict[str, Kind[int]] = {
            "Connect": Kind(Ask, Turn.OPENS, self.connect),
            "Execute": Kind(Ask, Turn.USES, self.execute),
            "NotificationWait": Kind(Ask, Turn.WAITS, self.execute),
            "Disconnect": Kind(Ask, Turn.ENDS, self.execute),
            "GetMailboxUrl": Kind(Ask, Turn.MAY_USE, self.execute),
        }
        self.endpoint = Endpoint(PATH, kinds, self.close, keep_alive=KEEP_ALIVE)
        yield Route("test", PATH + "/*", (), self.endpoint.handle, max_body=4096)

    def close(self, held: int) -> None:
        self.closed += 1

    def go(self) -> None:
        """Let what waits go on, from the test's thread."""
        self._loop.call_soon_threadsafe(self._gate.set)

    def on_loop(self, call: object) -> None:
        """Run something on the server's loop, and wait for it."""
        done = threading.Event()

        def run() -> None:
            call()  # type: ignore[operator]
            done.set()

        self._loop.call_soon_threadsafe(run)
        assert done.wait(20)

    async def connect(self, call: Call[int]) -> Opened[int]:
        request: Ask = call.request
        if request.what == FAIL:
            return Opened(Told(0, 0x3EB, FAIL))
        if request.what == BREAK:
            raise RuntimeError("a secret detail")
        return Opened(Told(0, 0, request.what), 7)

    async def execute(self, call: Call[int]) -> Record:
        request: Ask = call.request
        if request.what == WAIT:
            self.running.release()
            await self._gate.wait()
            self.finished += 1
        elif request.what == FAIL:
            raise Failed(0x6F7)
        elif request.what == FAULT:
            raise Fault(ResponseCode.ENDPOINT_DISABLED, "not <now>")
        elif request.what == BREAK:
            raise RuntimeError("a secret detail")
        return Told(0, 0, request.what)

"""A response under way: headers at once, meta-tags while the work is done, then the body.

    PROCESSING  PENDING ...  DONE  additional headers  empty line  body       (MS-OXCMAPIHTTP 2.2.7)

A `Reply` that is streamed sends its headers and PROCESSING before the work begins, and PENDING while it lasts
(3.2.5.2); one that is whole sends everything when the work is done. Work is not abandoned when the peer
leaves: what was begun is finished, only nobody is told.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from email.utils import formatdate

from appliance.net.web import Exchange
from appliance.protocols.mapihttp.headers import CONTENT_TYPE, FAULT_TYPE, Fault, ResponseCode, common, page

PENDING_PERIOD = 30.0
"""Seconds that clients are told to expect between keep-alives (2.2.3.3.5)."""

KEEP_ALIVE = 15.0
"""Seconds after which one is sent (3.2.2): nobody waits for longer than was said."""

PROCESSING, PENDING, DONE = b"PROCESSING\r\n", b"PENDING\r\n", b"DONE\r\n"


class Reply:
    """The response to one request. `expiration`: seconds that a context lives without requests."""

    def __init__(self, exchange: Exchange, expiration: float, keep_alive: float = KEEP_ALIVE) -> None:
        self._exchange, self._expiration, self._keep_alive = exchange, expiration, keep_alive
        self._began, self._started = time.monotonic(), time.time()
        self._streaming = False
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._writing: asyncio.Task[None] | None = None

    def _headers(self, cookies: tuple[str, ...]) -> list[tuple[str, str]]:
        headers = list(common(self._exchange, ResponseCode.SUCCESS, self._expiration, cookies))
        headers.append(("X-PendingPeriod", str(int(PENDING_PERIOD * 1000))))
        headers.append(("Content-Type", CONTENT_TYPE))
        return headers

    async def whole(self, body: bytes, cookies: tuple[str, ...]) -> None:
        """Send the whole response."""
        content = PROCESSING + self._last(ResponseCode.SUCCESS, body=body)
        headers = [*self._headers(cookies), ("Content-Length", str(len(content)))]
        await self._exchange.start(200, headers)
        await self._exchange.finish(content)

    async def stream(self, work: Callable[[], Awaitable[bytes]], cookies: tuple[str, ...]) -> None:
        """Send the response around `work`, which gives its body. Fault becomes the code behind DONE; what
        else it raises comes out here. A request that still runs when the server ends is told so."""
        await self._exchange.start(200, self._headers(cookies))
        await self._exchange.write(PROCESSING)
        self._tick()
        try:
            content = self._last(ResponseCode.SUCCESS, body=await work())
        except Fault as fault:
            content = self._last(fault.code, FAULT_TYPE, page(fault))
        except asyncio.CancelledError:
            await self._quiet()
            await self._exchange.finish(self._last(ResponseCode.ENDPOINT_SHUTTING_DOWN))
            raise
        await self._quiet()
        await self._exchange.finish(content)

    def _last(self, code: ResponseCode, content_type: str = "", body: bytes = b"") -> bytes:
        """DONE, the additional headers and the body (3.2.5.2)."""
        elapsed = int((time.monotonic() - self._began) * 1000)
        head = f"X-ResponseCode: {int(code)}\r\n"
        if content_type:
            head += f"Content-Type: {content_type}\r\n"
        head += f"X-ElapsedTime: {elapsed}\r\nX-StartTime: {formatdate(self._started, usegmt=True)}\r\n\r\n"
        return DONE + head.encode() + body

    # -- keep-alives ---------------------------------------------------------------------------------------

    def _tick(self) -> None:
        self._timer = self._loop.call_later(self._keep_alive, self._alive)

    def _alive(self) -> None:
        if self._writing is None or self._writing.done():
            self._writing = self._loop.create_task(self._exchange.write(PENDING))
        self._tick()

    async def _quiet(self) -> None:
        """No more keep-alives."""
        if self._timer is not None:
            self._timer.cancel()
        if self._writing is not None:
            await self._writing

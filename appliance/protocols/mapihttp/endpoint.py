"""One endpoint: from a request to its row, and what the row does with the client's context.

    verb, path, headers, request type, cookie  ->  the body  ->  context and ticket  ->  the row's function

Everything before the row's function answers with a `Fault`; the function itself gives a response body, or
raises `Failed` for a status that has the failure body (MS-OXCMAPIHTTP 2.2.4.1.3). What nobody foresaw is
logged; on a context it is UNKNOWN_FAILURE behind DONE and ends neither that nor the connection, elsewhere it
is status 500.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Generic, TypeVar

from appliance.directory.authenticate import Login
from appliance.net.web import Exchange, HttpError, Response
from appliance.protocols.mapihttp.bodies.common import Failure
from appliance.protocols.mapihttp.contexts import CONTEXT, Context, Contexts
from appliance.protocols.mapihttp.headers import Fault, Head, ResponseCode, cookies, refusal
from appliance.protocols.mapihttp.reply import KEEP_ALIVE, Reply
from appliance.wire.errors import DecodeError
from appliance.wire.record import Record

T = TypeVar("T")

PING = "PING"
RPC_X_BAD_STUB_DATA = 0x000006F7
"""StatusCode where a size is beyond what the operation allows (MS-OXCRPC 3.1.4.1, 3.1.4.2)."""

NO_AUXILIARY = bytes(4)
MAX_AUXILIARY = 0x1008
"""Bytes of an auxiliary buffer (MS-OXCRPC 3.1.4.1)."""

_log = logging.getLogger(__name__)


class Failed(Exception):
    """A request that failed as a whole: the failure body with this StatusCode."""

    def __init__(self, status: int) -> None:
        super().__init__(f"status 0x{status:08X}")
        self.status = status


class Turn(Enum):
    """What a request type does with a context."""

    MAY_USE = "may use"
    """It needs none, but takes the ticket of one that it names."""
    OPENS = "opens"
    USES = "uses"
    WAITS = "waits"
    """It uses one beside other requests (NotificationWait)."""
    ENDS = "ends"


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """A request on its way to its function. `held`: what the context keeps, None where there is none."""

    exchange: Exchange
    head: Head
    login: Login
    request: Any
    held: T | None


@dataclass(frozen=True, slots=True)
class Opened(Generic[T]):
    """What an opening request gave: its response, and what the new context keeps, None for no context."""

    response: Record
    held: T | None = None


@dataclass(frozen=True, slots=True)
class Kind(Generic[T]):
    """A row: the request type's body, what it does with contexts, its function. `run` gives the response's
    record, of OPENS an `Opened`."""

    request: type[Record]
    turn: Turn
    run: Callable[[Call[T]], Awaitable[Record | Opened[T]]]


class Endpoint(Generic[T]):
    """The handler of one path. `kinds` are its rows by request type."""

    def __init__(
        self,
        path: str,
        kinds: Mapping[str, Kind[T]],
        close: Callable[[T], None],
        *,
        keep_alive: float = KEEP_ALIVE,
    ) -> None:
        self._path, self._keep_alive = path, keep_alive
        # Some clients say BIND, which Exchange takes as well.
        self._kinds = {**kinds, **{name.upper(): kind for name, kind in kinds.items()}}
        self._loop = asyncio.get_running_loop()
        self.contexts: Contexts[T] = Contexts(path, close, self._loop.time)
        self._sweeping = False

    async def handle(self, exchange: Exchange) -> Response | None:
        """Answer one request."""
        try:
            await self._serve(exchange)
        except Fault as fault:
            return refusal(exchange, fault, self.contexts.lifetime, fault.cookies or self._cookies(exchange))
        return None

    def _cookies(self, exchange: Exchange) -> tuple[str, ...]:
        """The cookies of the context that a request names, if any: every response brings them (3.2.5.2)."""
        given = cookies(exchange.header_lines("Cookie"))
        context = self.contexts.named(given, exchange.login.user.id) if exchange.login else None
        return context.cookies if context else ()

    async def _serve(self, exchange: Exchange) -> None:
        head = Head.of(exchange)
        if exchange.path.rstrip("/").casefold() != self._path:
            raise Fault(ResponseCode.INVALID_PATH, "There is no endpoint at this path.")
        kind = self._kinds.get(head.request_type)
        if kind is None and head.request_type != PING:
            raise Fault(ResponseCode.INVALID_REQUEST_TYPE, "The endpoint has no such request type.")
        login = exchange.login
        assert login is not None
        reply = Reply(exchange, self.contexts.lifetime, self._keep_alive)
        if kind is not None and kind.turn not in (Turn.OPENS, Turn.MAY_USE):
            self.contexts.find(head.cookies, login.user.id)  # before its body is asked for
        body = await _body(exchange)
        if kind is None:
            await self._ping(head, login, body, reply)
            return
        if not body and kind.turn is Turn.ENDS:
            body = NO_AUXILIARY  # 3.1.5.4: no body; 2.2.4.3.1, 2.2.5.2.1: an auxiliary buffer
        call: Call[T] = Call(exchange, head, login, _parsed(kind.request, body), None)
        await _TURNS[kind.turn](self, kind, call, reply)

    # -- what each turn does -------------------------------------------------------------------------------

    async def _ping(self, head: Head, login: Login, body: bytes, reply: Reply) -> None:
        """MS-OXCMAPIHTTP 3.2.5.3: with a context its idle time begins anew."""
        if body:
            raise Fault(ResponseCode.INVALID_REQUEST_BODY, "PING has no body.")
        fresh: tuple[str, ...] = ()
        if CONTEXT in head.cookies:
            context = self.contexts.find(head.cookies, login.user.id)
            self.contexts.touch(context)
            fresh = context.cookies
        await reply.whole(b"", fresh)

    async def _opens(self, kind: Kind[T], call: Call[T], reply: Reply) -> None:
        """MS-OXCMAPIHTTP 3.2.5.1, 3.2.5.6: the context that the cookies name makes room for the new one,
        whatever its ticket."""
        former = self.contexts.named(call.head.cookies, call.login.user.id)
        if former is not None:
            self.contexts.destroy(former)
        opened = await self._run(kind, call)
        if not isinstance(opened, Opened):
            await reply.whole(opened.pack(), ())
            return
        fresh: tuple[str, ...] = ()
        if opened.held is not None:
            secure = call.exchange.peer.is_secure
            fresh = self.contexts.open(call.login.user.id, opened.held, secure=secure).cookies
            self._sweep_later()
        await reply.whole(opened.response.pack(), fresh)

    async def _uses(self, kind: Kind[T], call: Call[T], reply: Reply) -> None:
        context = self.contexts.find(call.head.cookies, call.login.user.id)
        ticket = self.contexts.begin(context, call.head.cookies)

        async def work() -> bytes:
            try:
                return await self._packed(kind, call, context)
            finally:
                ticket.give_back()

        try:
            await reply.stream(work, context.cookies)
        finally:
            ticket.give_back()

    async def _may_use(self, kind: Kind[T], call: Call[T], reply: Reply) -> None:
        if CONTEXT in call.head.cookies:
            await self._uses(kind, call, reply)
        else:
            response = await self._run(kind, call)
            assert isinstance(response, Record)
            await reply.whole(response.pack(), ())

    async def _waits(self, kind: Kind[T], call: Call[T], reply: Reply) -> None:
        context = self.contexts.find(call.head.cookies, call.login.user.id)
        self.contexts.begin_wait(context)
        try:
            await reply.stream(lambda: self._packed(kind, call, context), context.cookies)
        finally:
            self.contexts.end_wait(context)

    async def _ends(self, kind: Kind[T], call: Call[T], reply: Reply) -> None:
        context = self.contexts.find(call.head.cookies, call.login.user.id)
        ticket = self.contexts.begin(context, call.head.cookies)
        try:
            body = await self._packed(kind, call, context)
        finally:
            self.contexts.destroy(context)
            ticket.give_back()
        await reply.whole(body, context.cookies)

    # -- the function --------------------------------------------------------------------------------------

    async def _packed(self, kind: Kind[T], call: Call[T], context: Context[T]) -> bytes:
        """The response of a request on a context. Raises Fault."""
        held = Call(call.exchange, call.head, call.login, call.request, context.held)
        try:
            response = await self._run(kind, held)
        except Fault:
            raise
        except Exception:
            _log.exception("the request %s failed", call.head.request_type)
            raise Fault(ResponseCode.UNKNOWN_FAILURE, "The server failed.") from None
        return (response.response if isinstance(response, Opened) else response).pack()

    async def _run(self, kind: Kind[T], call: Call[T]) -> Record | Opened[T]:
        try:
            if len(getattr(call.request, "auxiliary", b"")) > MAX_AUXILIARY:
                raise Failed(RPC_X_BAD_STUB_DATA)
            return await kind.run(call)
        except Failed as failed:
            return Failure(failed.status)

    # -- time ----------------------------------------------------------------------------------------------

    def _sweep_later(self) -> None:
        if not self._sweeping:
            self._sweeping = True
            self._loop.call_later(self.contexts.lifetime, self._sweep)

    def _sweep(self) -> None:
        after = self.contexts.expire()
        self._sweeping = after is not None
        if after is not None:
            self._loop.call_later(after, self._sweep)


async def _body(exchange: Exchange) -> bytes:
    """The body of a request. Raises Fault where it is too long."""
    try:
        return await exchange.body()
    except HttpError as error:
        raise Fault(ResponseCode.TOO_LARGE, f"At most {exchange.max_body} bytes are taken.") from error


def _parsed(layout: type[Record], body: bytes) -> Record:
    try:
        return layout.parse(body)
    except DecodeError as error:
        raise Fault(ResponseCode.INVALID_REQUEST_BODY, str(error)) from None


_TURNS: Mapping[Turn, Callable[[Any, Kind[Any], Call[Any], Reply], Awaitable[None]]] = {
    Turn.OPENS: Endpoint._opens,
    Turn.MAY_USE: Endpoint._may_use,
    Turn.USES: Endpoint._uses,
    Turn.WAITS: Endpoint._waits,
    Turn.ENDS: Endpoint._ends,
}

"""The mailbox endpoint: Connect, Execute, Disconnect and NotificationWait over the ROP engine
(MS-OXCMAPIHTTP 2.2.4; the operations are those of MS-OXCRPC 3.1.4 and 3.3.4).

An operation that fails is answered in its own body, by ErrorCode; what RPC would refuse before the operation
is reached (sizes beyond bounds) has the failure body.
"""

import asyncio
from collections.abc import Iterable, Mapping

from appliance.directory.model import Entry, Right
from appliance.mailbox import public
from appliance.mapi import errors as ec
from appliance.mapi.errors import MapiError
from appliance.net.bridge import read_now
from appliance.net.parts import Parts
from appliance.protocols.mapihttp.bodies import emsmdb as bodies
from appliance.protocols.mapihttp.bodies.emsmdb import ExecuteFlags
from appliance.protocols.mapihttp.endpoint import (
    RPC_X_BAD_STUB_DATA,
    Call,
    Failed,
    Kind,
    Opened,
    Turn,
)
from appliance.rop import auxiliary, buffers
from appliance.rop.buffers import Wrapping
from appliance.rop.engine import Engine
from appliance.rop.session import Session
from appliance.wire.errors import DecodeError

POLLS_MAX, RETRY_COUNT, RETRY_DELAY = 60000, 6, 10000
"""What clients are told of polling and of trying again; times in milliseconds (MS-OXCRPC 3.1.4.1)."""

USE_ADMIN_PRIVILEGE = 0x00000001
"""Of ulFlags (MS-OXCRPC 3.1.4.1)."""

MAX_ROP_IN = 0x00040000
MAX_ROP_OUT = 0x00100000
"""Bytes of a response's ROP buffer; so many since ULTRA_LARGE_PACKED_DOWNLOAD_BUFFERS is offered (MS-OXCRPC
3.1.4.2)."""

PACKED_APART = 4
"""Payloads from which on compressing takes a thread of its own: about a millisecond each on a small board."""

WAIT = 300.0
"""Seconds after which a poll ends without news (MS-OXCMAPIHTTP 3.2.2)."""


class Mailbox:
    """The rows of the endpoint. `wait`: seconds of a poll."""

    def __init__(self, parts: Parts, engine: Engine, wait: float = WAIT) -> None:
        self._parts, self._engine, self._wait = parts, engine, wait
        self._polled: set[Session] = set()

    def kinds(self) -> Mapping[str, Kind[Session]]:
        """The rows by request type."""
        return {
            "Connect": Kind(bodies.ConnectRequest, Turn.OPENS, self.connect),
            "Execute": Kind(bodies.ExecuteRequest, Turn.USES, self.execute),
            "Disconnect": Kind(bodies.DisconnectRequest, Turn.ENDS, self.disconnect),
            "NotificationWait": Kind(bodies.NotificationWaitRequest, Turn.WAITS, self.notification_wait),
        }

    # -- Connect -------------------------------------------------------------------------------------------

    async def connect(self, call: Call[Session]) -> Opened[Session]:
        """EcDoConnectEx (MS-OXCRPC 3.1.4.1)."""
        request: bodies.ConnectRequest = call.request
        user = call.login.user
        try:
            session = self._session(call, request, user)
        except MapiError as error:
            return Opened(bodies.ConnectResponse(0, error.code, 0, 0, 0, "", ""))
        blocks = auxiliary.topology(self._session_info(), public_folders=self._has_public_folders())
        response = bodies.ConnectResponse(
            0,
            ec.ecNone,
            POLLS_MAX,
            RETRY_COUNT,
            RETRY_DELAY,
            "",
            user.display_name,
            _auxiliary(blocks),
        )
        return Opened(response, session)

    def _session(self, call: Call[Session], request: bodies.ConnectRequest, user: Entry) -> Session:
        _require_header(request.auxiliary)
        if not request.user_dn:
            raise MapiError(ec.ecAccessDenied)
        if request.flags & USE_ADMIN_PRIVILEGE and Right.ORGANIZATION_MANAGEMENT not in user.rights:
            raise MapiError(ec.ecLoginPerm)
        try:
            auxiliary.facts(request.auxiliary)
        except DecodeError:
            raise MapiError(ec.ecRpcFormat) from None
        return self._engine.connect(
            user,
            request.user_dn,
            code_page=request.default_code_page,
            locale=request.lcid_string,
            sort_locale=request.lcid_sort,
            client_version=call.head.client_version,
        )

    def _has_public_folders(self) -> bool:
        return read_now(self._parts.store, public.find) is not None

    def _session_info(self) -> str:
        return self._parts.organization.hostname

    # -- Execute -------------------------------------------------------------------------------------------

    async def execute(self, call: Call[Session]) -> bodies.ExecuteResponse:
        """EcDoRpcExt2 (MS-OXCRPC 3.1.4.2)."""
        request: bodies.ExecuteRequest = call.request
        assert call.held is not None
        if len(request.rop_buffer) > MAX_ROP_IN or request.max_rop_out > MAX_ROP_OUT:
            raise Failed(RPC_X_BAD_STUB_DATA)
        try:
            _require_header(request.auxiliary)
            auxiliary.facts(request.auxiliary)
            payloads = await self._run(call.held, request)
        except DecodeError:
            return _failed(ec.ecRpcFormat)
        except MapiError as error:
            return _failed(error.code)
        buffer = await _packed(payloads, _wrapping(request.flags))
        if len(buffer) > request.max_rop_out:
            return _failed(ec.ecBufferTooSmall)
        return bodies.ExecuteResponse(0, ec.ecNone, 0, buffer)

    async def _run(self, session: Session, request: bodies.ExecuteRequest) -> list[bytes]:
        if min(len(request.rop_buffer), request.max_rop_out) < buffers.HEADER_SIZE:
            raise MapiError(ec.ecRpcFailed)
        payloads = buffers.unpack(request.rop_buffer)
        if len(payloads) > 1:  # packed uploads are not offered (auxiliary.topology)
            raise MapiError(ec.ecRpcFormat)
        room = request.max_rop_out - buffers.HEADER_SIZE
        return await session.execute(payloads[0], room, chain=ExecuteFlags.CHAIN in request.flags)

    # -- Disconnect, NotificationWait ----------------------------------------------------------------------

    async def disconnect(self, call: Call[Session]) -> bodies.DisconnectResponse:
        """EcDoDisconnect (MS-OXCRPC 3.1.4.3); the context goes when this is over."""
        return bodies.DisconnectResponse(0, ec.ecNone)

    async def notification_wait(self, call: Call[Session]) -> bodies.NotificationWaitResponse:
        """EcDoAsyncWaitEx (MS-OXCRPC 3.3.4.1). Ends early when the peer leaves."""
        session = call.held
        assert session is not None
        if session in self._polled:
            return bodies.NotificationWaitResponse(0, ec.ecRejected, 0)
        self._polled.add(session)
        poll = asyncio.ensure_future(session.wait(self._wait))
        gone = asyncio.ensure_future(call.exchange.gone())
        try:
            await asyncio.wait((poll, gone), return_when=asyncio.FIRST_COMPLETED)
            pending = poll.done() and poll.result()
        finally:
            self._polled.discard(session)
            for each in (poll, gone):
                each.cancel()
        return bodies.NotificationWaitResponse(0, ec.ecNone, int(pending))


def _failed(code: int) -> bodies.ExecuteResponse:
    return bodies.ExecuteResponse(0, code, 0, b"")


def _require_header(data: bytes) -> None:
    """Raises ecRpcFailed for an auxiliary buffer too short for its header (MS-OXCRPC 3.1.4.1)."""
    if 0 < len(data) < buffers.HEADER_SIZE:
        raise MapiError(ec.ecRpcFailed)


async def _packed(payloads: list[bytes], wrapping: Wrapping) -> bytes:
    """The response's ROP buffer; many payloads are compressed beside the loop's thread."""
    if len(payloads) < PACKED_APART or Wrapping.COMPRESS not in wrapping:
        return buffers.pack(payloads, wrapping)
    return await asyncio.get_running_loop().run_in_executor(None, buffers.pack, payloads, wrapping)


def _wrapping(flags: ExecuteFlags) -> Wrapping:
    wrapping = Wrapping.PLAIN
    if ExecuteFlags.NO_COMPRESSION not in flags:
        wrapping |= Wrapping.COMPRESS
    if ExecuteFlags.NO_XOR_MAGIC not in flags:
        wrapping |= Wrapping.OBFUSCATE
    return wrapping


def _auxiliary(blocks: Iterable[auxiliary.Block]) -> bytes:
    """An auxiliary buffer for a client that has not said what it reads: neither compressed nor obfuscated."""
    return buffers.pack([auxiliary.join(blocks)])

"""A client of the ROP engine without transport: packs requests, unpacks responses, knows its handles."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from appliance.directory.model import Entry
from appliance.mapi import errors as ec
from appliance.rop import batch
from appliance.rop.batch import NO_HANDLE
from appliance.rop.engine import MAX_BUFFER, Engine
from appliance.rop.model import Empty, Handles, Rop
from appliance.rop.notify.data import Notify
from appliance.rop.ops import logon
from appliance.rop.session import Session
from appliance.wire.cursor import Reader
from appliance.wire.record import Record

NOTIFY, PENDING, TOO_SMALL = 0x2A, 0x6E, 0xFF
WHOLE_FAILURES = (0x4E, 0x54, 0x9D)
"""ROPs whose failures have the same body as their successes."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One request of a batch: the row, the body, the slots of its handle indexes in wire order."""

    rop: Rop
    request: Record
    slots: tuple[int, ...] = (0,)
    logon_id: int = 0

    def pack(self) -> bytes:
        return bytes([self.rop.id, self.logon_id, *self.slots]) + self.request.pack()


@dataclass(frozen=True, slots=True)
class Reply:
    """One response: the row's id, the handle index, the ReturnValue, the body where it succeeded, else what
    follows as bytes."""

    id: int
    index: int
    code: int
    body: Any = None
    handle: int = NO_HANDLE

    @property
    def name(self) -> str:
        return ec.name_of(self.code)


@dataclass(slots=True)
class Result:
    """What an Execute gave: replies, the handle table afterwards, RopNotify responses."""

    replies: list[Reply] = field(default_factory=list)
    handles: list[int] = field(default_factory=list)
    notices: list[Notify] = field(default_factory=list)
    pending: bool = False
    given_back: bytes = b""
    size_needed: int = 0


def unpack(data: bytes, asks: Sequence[Ask]) -> Result:
    """A response buffer, as the answers to `asks`. Nothing may be left over."""
    size = int.from_bytes(data[:2], "little")
    tail = data[size:]
    result = Result(handles=[int.from_bytes(tail[at : at + 4], "little") for at in range(0, len(tail), 4)])
    reader = Reader(data, 2, size)
    expected = [ask for ask in asks if not ask.rop.silent]
    while reader.remaining:
        id = reader.u8()
        if id == TOO_SMALL:
            result.size_needed = reader.u16()
            result.given_back = reader.rest()
        elif id == NOTIFY:
            result.notices.append(Notify.decode(reader))
        elif id == PENDING:
            reader.u16()
            result.pending = True
        else:
            ask = expected[len(result.replies)]
            assert id == ask.rop.answer_id
            index, code = reader.u8(), reader.u32()
            body: Any = None
            if ec.is_warning(code) or id in WHOLE_FAILURES:
                body = ask.rop.response.decode(reader)
            else:
                if code == ec.ecDstNullObject and ask.rop.handles is Handles.SOURCE_DEST:
                    assert reader.u32() == ask.slots[1]
                if ask.rop.failure is not None:
                    body = type(ask.rop.failure).decode(reader)
            handle = result.handles[index] if index < len(result.handles) else NO_HANDLE
            result.replies.append(Reply(id, index, code, body, handle))
    return result


class Client:
    """A session of `user` with an engine that lives in `loop`."""

    def __init__(self, user: Entry, engine: Engine, loop: asyncio.AbstractEventLoop, **connect: Any) -> None:
        self.loop, self.engine = loop, engine
        settings = {"code_page": 1252, "locale": 1033, "sort_locale": 1033, "client_version": (16, 0, 4266)}
        self.session: Session = self.engine.connect(user, user.legacy_dn, **{**settings, **connect})
        self.user = user

    def close(self) -> None:
        self.session.close()

    def wait(self, seconds: float = 30.0) -> bool:
        """Whether a notification waits, within that time."""
        return self.loop.run_until_complete(self.session.wait(seconds))

    def raw(self, data: bytes, limit: int = MAX_BUFFER, *, chain: bool = False) -> list[bytes]:
        """Execute a buffer as it is."""
        return self.loop.run_until_complete(self.session.execute(data, limit, chain=chain))

    def batch(self, asks: Sequence[Ask], handles: Sequence[int] = (), limit: int = MAX_BUFFER) -> Result:
        """Execute several requests; `handles` is filled up with empty slots."""
        slots = 1 + max((slot for ask in asks for slot in ask.slots), default=-1)
        table = [*handles, *[NO_HANDLE] * (slots - len(handles))]
        (data,) = self.raw(batch.pack(b"".join(ask.pack() for ask in asks), table), limit)
        return unpack(data, asks)

    def ask(
        self,
        rop: Rop,
        request: Record | None = None,
        *,
        on: int = NO_HANDLE,
        dest: int = NO_HANDLE,
        logon_id: int = 0,
    ) -> Reply:
        """Execute one request on a handle; `dest` is the destination's, or the response handle."""
        slots = {"": (), "i": (0,), "o": (1,), "io": (0, 1), "sd": (0, 1), "ri": (1, 0)}[rop.handles.value]
        two = rop.handles in (Handles.SOURCE_DEST, Handles.RESPONSE_IN)
        second = (on if dest == NO_HANDLE else dest) if two else NO_HANDLE
        result = self.batch([Ask(rop, request or Empty(), slots, logon_id)], [on, second])
        assert not result.given_back, "the response did not fit"
        return result.replies[0] if result.replies else Reply(rop.id, 0, 0)

    def do(self, rop: Rop, request: Record | None = None, **where: int) -> Reply:
        """As `ask`; the ROP must succeed."""
        reply = self.ask(rop, request, **where)
        assert ec.is_warning(reply.code), reply.name
        return reply

    def logon(self, owner: Entry | None = None, *, logon_id: int = 0) -> int:
        """Log on to a private mailbox, one's own by default; the handle."""
        name = (owner or self.user).legacy_dn.encode() + b"\0"
        flags = logon.OpenFlags.HOME_LOGON | logon.OpenFlags.USE_PER_MDB_REPLID_MAPPING
        request = logon.Request(logon.LogonFlags.PRIVATE, flags, 0, name)
        return self.do(logon.ROP, request, logon_id=logon_id).handle

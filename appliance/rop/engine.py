"""Runs batches of ROPs (MS-OXCROPS 3.2.5): checks what is legal, opens transactions, writes responses.

Each ROP sees what the ROPs before it did. Those that read follow each other in one snapshot, on the loop's
thread while they are quick and in a reader thread when one may take long. One that writes is one function of
the writer, durable before the next ROP begins; it changes the session only afterwards: it may run twice.

Room: a response is never cut. When the next one might not fit, the rest of the requests goes back with
RopBufferTooSmall, unprocessed, so every ROP leaves room for that.
"""

import asyncio
import os
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial

from appliance.directory import entries
from appliance.directory.model import Entry
from appliance.mapi import errors as ec
from appliance.mapi.errors import MapiError
from appliance.mapi.times import from_unix_ns
from appliance.net import bridge
from appliance.rop import deadline
from appliance.rop.batch import HEADER, NO_HANDLE, Batch, Call, pack
from appliance.rop.buffers import HEADER_SIZE, MAX_PAYLOADS
from appliance.rop.codes import code_of
from appliance.rop.context import RopContext
from appliance.rop.model import Access, Answer, Handles, On, Rop, RopFailure
from appliance.rop.notify.hub import Hub, Watch
from appliance.rop.objects import Object
from appliance.rop.orders import Orders
from appliance.rop.session import Session
from appliance.store.kv import ReadTxn, WriteTxn
from appliance.store.store import Store
from appliance.store.tables.arrangement import Arrangements
from appliance.wire.cursor import Writer
from appliance.wire.record import Record

MAX_BUFFER = 0x7FFF
"""Bytes of one ROP buffer at most: what one extended buffer carries (MS-OXCRPC 3.1.4.2.1.2)."""

PRELUDE = 6
"""Bytes of a response before its body: RopId, handle index, ReturnValue."""

ROP_PENDING, ROP_BUFFER_TOO_SMALL = 0x6E, 0xFF
ROP_QUERY_ROWS = 0x15
RESIDUE, ROWS_RESIDUE = 8 << 10, 32 << 10
"""Room that there must be for a further chained buffer (MS-OXCRPC 3.1.4.2.1.2.2)."""

SLICE = 0.003
"""Seconds that ROPs keep the loop's thread before others have their turn."""

_READS = frozenset({Access.NONE, Access.READ, Access.SCAN})


class Engine:
    """One for each process. `table` is the table of ROPs by id, `watch` tells of commits (see `Hub`),
    `arrangements` are the sorted tables that all sessions share, `orders` makes those that the store is to
    keep."""

    def __init__(self, store: Store, table: Mapping[int, Rop], watch: Watch) -> None:
        self.store, self.table = store, table
        self.hub = Hub(store, watch)
        self.arrangements = Arrangements()
        self.orders = Orders(store)
        self.patience = deadline.LIMIT
        """Seconds that a ROP may run apart."""
        self._origin = int.from_bytes(os.urandom(6), "big") << 8

    def connect(
        self,
        user: Entry,
        legacy_dn: str,
        *,
        code_page: int,
        locale: int,
        sort_locale: int,
        client_version: tuple[int, int, int],
    ) -> Session:
        """A new session for who logged on as `user` and says to be `legacy_dn`. Raises MapiError
        ecUnknownUser for a name that nobody has, ecAccessDenied for another's (MS-OXCRPC 3.1.4.1)."""
        with self.store.read() as txn:
            named = entries.by_legacy_dn(txn, legacy_dn)
        if named is None:
            raise MapiError(ec.ecUnknownUser)
        if named.id != user.id:
            raise MapiError(ec.ecAccessDenied)
        self._origin += 1
        return Session(
            self,
            user,
            origin=self._origin,
            code_page=code_page,
            locale=locale,
            sort_locale=sort_locale,
            client_version=client_version,
        )

    async def execute(self, session: Session, data: bytes, limit: int, *, chain: bool) -> list[bytes]:
        """See `Session.execute`."""
        async with session.lock:
            if session.closed:
                raise MapiError(ec.ecNullObject)
            session.loop = asyncio.get_running_loop()
            public = {id for id, logon in session.logons.items() if not logon.is_private}
            batch = Batch.parse(data, self.table, public)
            run = _Run(session, batch, min(limit, MAX_BUFFER))
            await run.all()
            buffers = [run.finish()]
            left = limit - len(buffers[0])
            while chain and run.next is not None and len(buffers) < MAX_PAYLOADS:
                left -= HEADER_SIZE
                if left < (ROWS_RESIDUE if run.next.rop.id == ROP_QUERY_ROWS else RESIDUE):
                    break
                if run.next.rop.access is Access.APART:
                    # All that are left in one go: a thread is changed to and from once, not for each.
                    work = partial(_chained_apart, session, run.next, batch.handles, left, len(buffers))
                    return buffers + await asyncio.get_running_loop().run_in_executor(None, work)
                run = _Run(session, Batch([run.next], batch.handles, b""), min(left, MAX_BUFFER))
                await run.all()
                if run.failed:
                    break
                buffers.append(run.finish())
                left -= len(buffers[-1])
            return buffers


def _chained_apart(session: Session, call: Call, handles: list[int], left: int, before: int) -> list[bytes]:
    """The further buffers of a ROP that runs apart; `left`: bytes for the first of them, `before`: how many
    there are already."""
    buffers: list[bytes] = []
    following: Call | None = call
    while following is not None and before + len(buffers) < MAX_PAYLOADS and left >= RESIDUE:
        run = _Run(session, Batch([following], handles, b""), min(left, MAX_BUFFER))
        run.apart()
        if run.failed:
            break
        buffers.append(run.finish(notify=False))
        left -= len(buffers[-1]) + HEADER_SIZE
        following = run.next
    return buffers


@dataclass(slots=True)
class _Done:
    """What became of one ROP: the context that it left, and its response."""

    context: RopContext | None
    code: int
    body: bytes
    answer: Record | None = None


class _Full(Exception):
    """The next response does not fit. `needed`: bytes that it would take."""

    def __init__(self, needed: int) -> None:
        super().__init__(needed)
        self.needed = needed


def _released(rop: Rop) -> int:
    """What a ROP answers for a handle that was released. Tables, and ROPs to which an object of another kind
    is none, have a code of their own (MS-OXCTABL 3.2.5.15, MS-OXCMSG 3.2.5)."""
    return ec.ecNullObject if rop.on is On.TABLE or rop.wrong == ec.ecNullObject else ec.ecInvalidObject


class _Run:
    """One buffer of requests on its way to one of responses."""

    def __init__(self, session: Session, batch: Batch, limit: int) -> None:
        self._session, self._batch = session, batch
        self._calls = batch.calls
        self._at = 0
        self._now, self._fresh = from_unix_ns(time.time_ns()), int.from_bytes(os.urandom(16), "big")
        self._out = bytearray()
        self._limit = limit - HEADER - 4 * len(batch.handles)
        self._over = False
        self._judged: tuple[Call, Access] | None = None
        """What the next call needs, where that was found out already."""
        self._made: RopContext | None = None
        """The context that it was asked with."""
        self.failed = False
        self.next: Call | None = None
        if self._rest(0) > self._limit:
            raise MapiError(ec.ecBufferTooSmall)

    def finish(self, *, notify: bool = True) -> bytes:
        """The responses, notifications (on the loop's thread only) and the handle table."""
        session = self._session
        if notify and not self._over:
            self._out += session.notices.take(self._limit - len(self._out) - 3)
            if session.notices:
                self._out += bytes([ROP_PENDING, 0, 0])
        return pack(bytes(self._out), self._batch.handles)

    async def all(self) -> None:
        """Run the calls, in order, as far as there is room."""
        store = self._session.engine.store
        while self._at < len(self._calls) and not self._over:
            access = self._access()
            if access is Access.WRITE:
                await self._write(store)
            elif access is Access.APART:
                await asyncio.get_running_loop().run_in_executor(None, self._apart)
            elif access is Access.SCAN:
                await asyncio.get_running_loop().run_in_executor(None, self._reads, True)
            else:
                self._reads(False)
                await asyncio.sleep(0)

    def apart(self) -> None:
        """Run one call that runs apart, in the thread that it may take."""
        self._step(None)

    # -- how a call is run -------------------------------------------------------------------------------

    def _access(self) -> Access:
        """What the next call needs; a call that is not legal needs nothing."""
        call = self._calls[self._at]
        need = call.rop.access
        if isinstance(need, Access):
            return need
        if self._judged is not None and self._judged[0] is call:
            return self._judged[1]
        try:
            made = self._context(call)
            access = need(made, call.request)
        except (MapiError, _Full):
            return Access.NONE
        self._judged, self._made = (call, access), made
        return access

    def _reads(self, threaded: bool) -> None:
        """Calls in one snapshot, up to one that writes, or one that belongs into another thread."""
        store = self._session.engine.store
        started = time.monotonic()
        with ExitStack() as stack:
            txn: ReadTxn | None = None
            while self._at < len(self._calls) and not self._over:
                access = self._access()
                if access not in _READS or access is (Access.NONE if threaded else Access.SCAN):
                    return
                if access is not Access.NONE and txn is None:
                    txn = stack.enter_context(store.read())
                self._step(txn)
                if time.monotonic() - started > (1.0 if threaded else SLICE):
                    return

    def _apart(self) -> None:
        with deadline.limited(self._session.engine.patience):
            self._step(None)

    def _step(self, txn: ReadTxn | None) -> None:
        call = self._calls[self._at]
        try:
            done = self._attempt(call, txn, None)
        except _Full as full:
            self._give_back(full)
            return
        self._take(call, done)

    async def _write(self, store: Store) -> None:
        call = self._calls[self._at]

        def run(txn: WriteTxn) -> _Done:
            return self._do(call, self._context(call, txn, txn))

        try:
            done = await bridge.write(store, run, weight=call.end - call.start, reserve=call.rop.reserve)
        except _Full as full:
            self._give_back(full)
            return
        except Exception as error:
            done = self._failure(call, error)
        self._take(call, done)

    def _attempt(self, call: Call, txn: ReadTxn | None, writing: WriteTxn | None) -> _Done:
        try:
            return self._do(call, self._context(call, txn, writing))
        except _Full:
            raise
        except Exception as error:
            return self._failure(call, error)

    def _do(self, call: Call, context: RopContext) -> _Done:
        """Run a legal call; its response, which fits. Raises what it raises, and _Full."""
        rop = call.rop
        if context.budget < min(rop.room, self._limit - PRELUDE):
            raise _Full(rop.room)
        given = rop.run(context, call.request)
        answer, code = (given.body, given.code) if isinstance(given, Answer) else (given, ec.ecNone)
        writer = Writer()
        if answer is not None:
            answer.encode(writer)
        if len(writer.buf) > context.budget:
            raise _Full(len(writer.buf))
        if context.output is not None:
            self._session.require_room()
        return _Done(context, code, bytes(writer.buf), answer)

    def _failure(self, call: Call, error: Exception) -> _Done:
        code = code_of(error)
        if code == ec.ecBufferTooSmall and self._out:
            raise _Full(MAX_BUFFER)
        given = error.body if isinstance(error, RopFailure) else call.rop.failure
        body = given.pack() if given is not None else b""
        if code == ec.ecDstNullObject and call.other is not None:  # MS-OXCROPS 2.2.4.6.3: DestHandleIndex
            body = call.other.to_bytes(4, "little") + body
        return _Done(None, code, body)

    # -- handles and room --------------------------------------------------------------------------------

    def _context(
        self,
        call: Call,
        txn: ReadTxn | None = None,
        writing: WriteTxn | None = None,
    ) -> RopContext:
        """The context of a call. Raises MapiError for handles that it may not have."""
        made, self._made = self._made, None
        if made is not None and writing is None:  # made for this call, to find out what it needs
            return made.given(txn)
        rop = call.rop
        found = self._object(call.input, call.logon_id, _released(rop))
        if found is not None and not int(found.kind) & rop.on_bits:
            raise MapiError(rop.wrong)
        other = self._destination(call) if rop.dest_bits else None
        if other is not None and not int(other.kind) & rop.dest_bits:
            raise MapiError(ec.ecNotSupported)
        if call.output is not None and call.output >= len(self._batch.handles):
            raise MapiError(ec.ecNullObject)
        # Each call has its own, the same in a second run; nobody guesses one who does not know another.
        fresh = ((self._fresh + self._at) % (1 << 128)).to_bytes(16, "big")
        budget = self._limit - len(self._out) - PRELUDE - self._rest(self._at + 1)
        return RopContext(
            self._session,
            call.logon_id,
            found,
            other,
            now=self._now,
            fresh=fresh,
            budget=budget,
            index=call.input or 0,
            txn=txn,
            writing=writing,
        )

    def _object(self, slot: int | None, logon_id: int, released: int) -> Object | None:
        if slot is None:
            return None
        try:
            handle = self._batch.handles[slot]
        except IndexError:
            raise MapiError(ec.ecNullObject) from None
        return self._session.find(handle, logon_id, released)

    def _destination(self, call: Call) -> Object | None:
        """The destination, which may belong to another logon of the session."""
        if call.rop.handles is not Handles.SOURCE_DEST:
            return self._object(call.other, call.logon_id, _released(call.rop))
        slot, handles = call.other, self._batch.handles
        found = self._session.get(handles[slot]) if slot is not None and slot < len(handles) else None
        if found is None:
            raise MapiError(ec.ecDstNullObject)
        return found

    def _rest(self, at: int) -> int:
        """Bytes by which the requests from `at` on would be given back."""
        if at >= len(self._calls):
            return 0
        return 3 + self._calls[-1].end - self._calls[at].start

    def _give_back(self, full: _Full) -> None:
        """RopBufferTooSmall (2.2.15.1): the rest of the requests, as they came."""
        needed = min(0xFFFF, len(self._out) + full.needed + PRELUDE + HEADER + 4 * len(self._batch.handles))
        rest = self._batch.rest(self._calls[self._at])
        self._out += bytes([ROP_BUFFER_TOO_SMALL]) + needed.to_bytes(2, "little") + rest
        self._over = self.failed = True

    def _take(self, call: Call, done: _Done) -> None:
        """A ROP is over: its handle, its effects, its response."""
        self._at += 1
        self._judged = self._made = None
        handles = self._batch.handles
        output = call.output
        if output is not None and output < len(handles):
            handles[output] = NO_HANDLE
        if done.context is not None:
            if done.context.output is not None and output is not None:
                handles[output] = self._session.add(done.context.output)
            for effect in done.context.effects:
                effect()
            if call.rop.follow is not None and done.answer is not None and self._at == len(self._calls):
                request = call.rop.follow(call.request, done.answer)
                if request is not None:
                    self.next = Call(call.rop, call.logon_id, call.indexes, request, call.start, call.end)
        else:
            self.failed = True
            if call.rop.ends:
                self._at = len(self._calls)
        if call.rop.silent:
            if call.input is not None and call.input < len(handles):
                handles[call.input] = NO_HANDLE
            return
        self._out += bytes([call.rop.answer_id, call.answered]) + done.code.to_bytes(4, "little") + done.body

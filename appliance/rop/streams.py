"""Open streams: a property's bytes behind a handle (MS-OXCPRPT 2.2.14, 3.2.5.11).

What is written is the object's at once (3.2.5.13): small values are set with each write, big ones wait in the
object (`pending`) until it is saved or asked to take them. A folder or logon gets its value when the stream
is committed or released. Clones share the bytes and have a position of their own.
"""

import logging
import time
from concurrent.futures import Future

from appliance.mailbox.errors import Refused
from appliance.mapi import codepages
from appliance.mapi import errors as ec
from appliance.mapi import types as t
from appliance.mapi.errors import MapiError
from appliance.mapi.times import from_unix_ns
from appliance.mapi.types import type_of
from appliance.rop.bytesvalue import MAX_SIZE, StreamBytes, Transcoded, stored_text
from appliance.rop.codes import code_of
from appliance.rop.context import RopContext
from appliance.rop.model import Access, On
from appliance.rop.objects import Object
from appliance.rop.properties import Keeping, Propertied, Wide, bag_tag
from appliance.store.drafts import INLINE
from appliance.store.errors import StoreError
from appliance.store.kv import WriteTxn

_log = logging.getLogger(__name__)

MAX_STREAMS = 500
"""Streams of a session, at most."""

STREAMED = frozenset({t.PtypBinary, t.PtypString, t.PtypString8, t.PtypObject})
"""Types whose values can be streamed."""


class Value:
    """What a stream and its clones share: the bytes, and whose property they are."""

    def __init__(self, ctx: RopContext, owner: Propertied, tag: int) -> None:
        self.session, self.owner, self.tag = ctx.session, owner, tag
        self.keeper = owner if isinstance(owner, Keeping) else None
        self.store = ctx.store
        self.users = 0
        self.encoding = ""
        if type_of(tag) == t.PtypString:
            self.encoding = "utf-16-le"
        elif type_of(tag) == t.PtypString8:
            self.encoding = codepages.codec_of(owner.form(ctx).page)
        self.bytes = StreamBytes(ctx.store, None)

    def load(self, ctx: RopContext) -> bool:
        """Begin with the property's value; whether there is one."""
        found = self.owner.value(ctx, bag_tag(self.tag))
        if found is None:
            return False
        base = Transcoded(found, self.encoding) if self.encoding else found
        self.bytes = StreamBytes(self.store, base)
        return True

    def take(self) -> Wide:
        """The value as the owner keeps it. May block unless it is small."""
        return stored_text(self.bytes, self.encoding, self.store) if self.encoding else self.bytes.taken()

    def written(self, ctx: RopContext) -> None:
        """The bytes changed. Small ones are given to the owner, others wait there."""
        if self.keeper is None:
            return
        if not self.bytes.is_small:
            self.keeper.pending[self.tag] = self
            return
        self.keeper.pending.pop(self.tag, None)
        if ctx.has_txn:
            self.owner.put_value(ctx, bag_tag(self.tag), self.take())
        else:
            with ctx.read() as txn:
                self.owner.put_value(ctx.reading(txn), bag_tag(self.tag), self.take())
        self.bytes.dirty = False

    def settle(self, ctx: RopContext) -> None:
        """Give the owner what waits. A value that the owner holds is taken apart; one that is stored at once
        in a ROP that writes, where it must be small. Raises ecTooBig."""
        if not self.bytes.dirty:
            return
        if self.keeper is None:
            if not self.bytes.is_small:
                raise MapiError(ec.ecTooBig)
            self.owner.put_value(ctx, bag_tag(self.tag), self.take())
            ctx.emit(self._stored)
            return
        value = self.take()
        with ctx.read() as txn:
            self.owner.put_value(ctx.reading(txn), bag_tag(self.tag), value)
        self.keeper.pending.pop(self.tag, None)
        self._stored()

    def _stored(self) -> None:
        self.bytes.dirty = False

    def leave(self) -> None:
        """A handle on it is gone; with the last one a folder's value is stored, and what nobody waits for is
        forgotten."""
        self.users -= 1
        if self.users or (self.keeper is not None and self.keeper.pending.get(self.tag) is self):
            return
        if self.keeper is None and self.bytes.dirty and self.bytes.is_small:
            self._store_last()
        self.bytes.close()

    def store_now(self, ctx: RopContext) -> None:
        """Set the property of an object that is written at once; runs apart. Raises ecTooBig."""
        if not self.bytes.is_small:
            raise MapiError(ec.ecTooBig)
        value, owner, tag = self.take(), self.owner, bag_tag(self.tag)
        ctx.write(lambda txn: owner.put_value(ctx.at(txn), tag, value))
        self._stored()

    def _store_last(self) -> None:
        """Set the property of an object that is written at once, after the last handle is gone."""
        value, now = self.take(), from_unix_ns(time.time_ns())
        owner, tag, session = self.owner, bag_tag(self.tag), self.session

        def put(txn: WriteTxn) -> None:
            ctx = RopContext(
                session,
                owner.logon.id,
                owner if isinstance(owner, Object) else None,
                None,
                now=now,
                fresh=bytes(16),
                budget=0,
                txn=txn,
                writing=txn,
            )
            owner.put_value(ctx, tag, value)

        self.store.write(put).add_done_callback(_note)


def _note(done: "Future[None]") -> None:
    """Whoever released the stream cannot be told any more."""
    error = done.exception()
    if isinstance(error, Exception):
        _log.info("a released stream was not stored: %s", ec.name_of(code_of(error)))


class Stream(Object):
    """A handle on a value, with its own position."""

    kind = On.STREAM
    __slots__ = ("logon", "position", "value", "writable")

    def __init__(self, value: Value, *, writable: bool, position: int = 0) -> None:
        self.logon = value.owner.logon
        self.value, self.writable, self.position = value, writable, position
        value.users += 1

    @property
    def size(self) -> int:
        """Bytes of the value."""
        return self.value.bytes.size

    def require_writable(self) -> None:
        """Raises ecStorageAccessDenied (MS-OXCPRPT 3.2.5.13)."""
        if not self.writable:
            raise MapiError(ec.ecStorageAccessDenied)

    def reading(self) -> Access:
        """What a read needs."""
        return Access.NONE if self.value.bytes.in_memory else Access.APART

    def changing(self, size: int) -> Access:
        """What a change needs that leaves up to `size` bytes."""
        if not self.value.bytes.is_small or max(size, self.size) > INLINE:
            return Access.APART
        return Access.READ if self.value.keeper is not None else Access.APART

    def read(self, length: int) -> bytes:
        """Bytes from the position on, which moves."""
        data = self.value.bytes.read(self.position, length)
        self.position += len(data)
        return data

    def write(self, ctx: RopContext, data: bytes) -> None:
        """Put bytes at the position, which moves. Raises ecStorageAccessDenied, ecTooBig."""
        self.require_writable()
        if self.position + len(data) > MAX_SIZE:
            raise MapiError(ec.ecTooBig)
        self.value.bytes.write(self.position, data)
        self.position += len(data)
        self.value.written(ctx)

    def resize(self, ctx: RopContext, size: int) -> None:
        """Set the size. Raises ecStorageAccessDenied."""
        self.require_writable()
        self.value.bytes.resize(size)
        self.value.written(ctx)

    def committing(self) -> Access:
        """What `commit` needs."""
        if not self.value.bytes.dirty:
            return Access.NONE
        return Access.APART if self.value.keeper is not None else Access.WRITE

    def commit(self, ctx: RopContext) -> None:
        """Set the property (MS-OXCPRPT 3.2.5.15)."""
        self.value.settle(ctx)

    def commit_apart(self, ctx: RopContext) -> None:
        """As `commit`, of a ROP that runs apart."""
        if self.value.keeper is not None:
            self.value.settle(ctx)
        else:
            self.value.store_now(ctx)

    @property
    def is_owed(self) -> bool:
        """Whether the last handle on what was written to a folder or logon is about to go."""
        value = self.value
        return value.keeper is None and value.users == 1 and value.bytes.dirty

    def store_owed(self, ctx: RopContext) -> None:
        """Set the property with the last handle (3.2.5.13); whoever releases it is told of no failure. Runs
        apart if there is anything to do."""
        if not self.is_owed:
            return
        try:
            self.value.store_now(ctx)
        except (MapiError, Refused, StoreError) as error:
            _log.info("a released stream was not stored: %s", ec.name_of(code_of(error)))

    def close(self) -> None:
        """As `Object`."""
        self.value.leave()

"""RopSynchronizationImportDeletes: messages or folders that a client deleted (MS-OXCROPS 2.2.13.5,
MS-OXCFXICS 2.2.3.2.4.5, 3.2.5.9.4.5)."""

from enum import IntFlag
from typing import Annotated

from appliance.mailbox import sync
from appliance.mapi import errors as ec
from appliance.mapi.errors import MapiError
from appliance.rop.context import RopContext
from appliance.rop.ics.collector import Collector
from appliance.rop.ics.values import TAGGED_VALUES, Tagged
from appliance.rop.model import Access, Empty, On, Rop
from appliance.store.kv import WriteTxn
from appliance.wire.fields import U8, Flags
from appliance.wire.record import Record

SOURCE_KEYS = 0x00001102
"""The one property of the request: a multi-value of source keys."""


class ImportDeleteFlags(IntFlag):
    """MS-OXCFXICS 2.2.3.2.4.5.1"""

    NONE = 0
    HIERARCHY = 0x01
    HARD_DELETE = 0x02


_KNOWN = int(ImportDeleteFlags.HIERARCHY | ImportDeleteFlags.HARD_DELETE)


class Request(Record):
    """2.2.13.5.1"""

    import_delete_flags: Annotated[ImportDeleteFlags, Flags(ImportDeleteFlags, U8)]
    property_values: Annotated[Tagged, TAGGED_VALUES]


def run(ctx: RopContext, request: Request) -> Empty:
    """Refuses before anything is deleted. Raises ecInvalidParam for unknown flags and for ids that are none,
    ecNotSupported for a collector of the other kind."""
    collector = ctx.input(Collector)
    flags = request.import_delete_flags
    if int(flags) & ~_KNOWN:
        raise MapiError(ec.ecInvalidParam)
    if collector.contents is bool(flags & ImportDeleteFlags.HIERARCHY):
        raise MapiError(ec.ecNotSupported)
    keys = dict(request.property_values).get(SOURCE_KEYS)
    if len(request.property_values) != 1 or not isinstance(keys, tuple):
        raise MapiError(ec.ecInvalidParam)
    listed = [key for key in keys if isinstance(key, bytes)]
    if collector.contents:
        _messages(ctx, collector, listed, hard=bool(flags & ImportDeleteFlags.HARD_DELETE))
    else:
        _folders(ctx, collector, listed)
    return Empty()


def _messages(ctx: RopContext, collector: Collector, keys: list[bytes], *, hard: bool) -> None:
    mailbox, actor, now, fid = ctx.logon.mailbox, ctx.actor, ctx.now, collector.fid
    with ctx.read() as txn:
        there, absent = sync.plan_deletes(txn, actor, mailbox, fid, keys)
    for start in range(0, len(there), sync.STEP):
        some = there[start : start + sync.STEP]

        def step(txn: WriteTxn, some: list[int] = some) -> None:
            sync.delete_messages(txn, actor, mailbox, fid, some, hard=hard, now=now)

        ctx.write(step, reserve=True)
    if absent:
        ctx.write(lambda txn: sync.record_absent(txn, mailbox, fid, absent), reserve=True)


def _folders(ctx: RopContext, collector: Collector, keys: list[bytes]) -> None:
    mailbox, actor, now, root = ctx.logon.mailbox, ctx.actor, ctx.now, collector.fid
    with ctx.read() as txn:
        found, absent = sync.plan_folder_deletes(txn, actor, mailbox, keys)
    for fid in found:

        def step(txn: WriteTxn, fid: int = fid) -> bool:
            return sync.delete_folder(txn, actor, mailbox, fid, now=now)

        while not ctx.write(step, reserve=True):
            pass
    if absent:
        ctx.write(lambda txn: sync.record_absent(txn, mailbox, root, absent), reserve=True)


ROP = Rop(0x74, On.COLLECTOR, Access.APART, Request, Empty, run, reserve=True)

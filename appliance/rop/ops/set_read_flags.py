"""RopSetReadFlags: the read state of messages of a folder (MS-OXCROPS 2.2.6.10, MS-OXCMSG 2.2.3.10,
3.2.5.10).

It is done when it is answered, also for clients that would wait (3.2.5.10: RopProgress is a MAY)."""

from typing import Annotated

from appliance.mailbox import messages
from appliance.mailbox.messages import STEP, ReadChange, ReadFlag
from appliance.mapi import errors as ec
from appliance.mapi.ids import SHORT_ID
from appliance.rop.context import RopContext
from appliance.rop.model import Access, On, Rop
from appliance.rop.objects import Folder
from appliance.store import contents
from appliance.store.kv import WriteTxn
from appliance.wire.fields import BOOL, LOOSE_BOOL, U8, Array, Flags
from appliance.wire.record import Record


class Request(Record):
    """2.2.6.10.1. No ids mean every message of the folder."""

    want_asynchronous: Annotated[bool, LOOSE_BOOL]
    read_flags: Annotated[ReadFlag, Flags(ReadFlag, U8)]
    message_ids: Annotated[tuple[int, ...], Array(SHORT_ID, 2, least=8)]


class Response(Record):
    """2.2.6.10.2: whether some messages could not be changed."""

    partial_completion: Annotated[bool, BOOL]


def need(_ctx: RopContext, request: Request) -> Access:
    """Many messages are changed in steps."""
    return Access.WRITE if 0 < len(request.message_ids) <= STEP else Access.APART


def run(ctx: RopContext, request: Request) -> Response:
    """Raises ecNotFound, ecAccessDenied."""
    if 0 < len(request.message_ids) <= STEP:
        change = _step(ctx, ctx.writing, request, request.message_ids)
        return Response(change.partial)
    folder = ctx.input(Folder)
    mids = list(request.message_ids)
    if not mids:
        with ctx.read() as txn:
            mids = [row.mid for row in contents.rows(txn, folder.logon.mailbox, folder.fid)]
    partial = False
    for start in range(0, len(mids), STEP):
        part = mids[start : start + STEP]
        change = ctx.write(lambda txn, part=part: _step(ctx, txn, request, part))  # type: ignore[misc]
        partial = partial or (change.partial and bool(request.message_ids))
    return Response(partial)


def _step(
    ctx: RopContext, txn: WriteTxn, request: Request, mids: "tuple[int, ...] | list[int]"
) -> ReadChange:
    folder = ctx.input(Folder)
    return messages.set_read(
        txn, ctx.actor, folder.logon.mailbox, folder.fid, mids, request.read_flags, now=ctx.now
    )


ROP = Rop(
    0x66,
    On.FOLDER,
    need,
    Request,
    Response,
    run,
    failure=Response(partial_completion=False),
    wrong=ec.ecNullObject,
)

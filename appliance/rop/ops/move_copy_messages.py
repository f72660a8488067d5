"""RopMoveCopyMessages: messages from a folder to another (MS-OXCROPS 2.2.4.6, MS-OXCFOLD 2.2.1.6,
3.2.5.6)."""

from functools import partial
from typing import Annotated

from appliance.mailbox import chosen
from appliance.mapi import errors as ec
from appliance.mapi.errors import MapiError
from appliance.mapi.ids import SHORT_ID
from appliance.rop.context import RopContext
from appliance.rop.model import Access, Handles, On, Rop
from appliance.rop.objects import Folder
from appliance.rop.stepwise import NOTHING_DONE, PartialCompletion, Progress, pieces
from appliance.store import folders
from appliance.store.folders import FolderKind
from appliance.wire.fields import LOOSE_BOOL, Array
from appliance.wire.record import Record


class Request(Record):
    """2.2.4.6.1"""

    message_ids: Annotated[tuple[int, ...], Array(SHORT_ID, 2, least=8)]
    want_asynchronous: Annotated[bool, LOOSE_BOOL]
    want_copy: Annotated[bool, LOOSE_BOOL]


def run(ctx: RopContext, request: Request) -> PartialCompletion:
    """Messages that are not there are left out. Raises ecSearchFolder for a destination that is one,
    ecAccessDenied, ecQuotaExceeded."""
    source, target = ctx.input(Folder), ctx.other(Folder)
    with ctx.read() as txn:
        kind = folders.get(txn, target.logon.mailbox, target.fid).kind
    if kind is FolderKind.SEARCH:
        raise MapiError(ec.ecSearchFolder)
    progress = Progress()
    for mids in pieces(request.message_ids, chosen.STEP):
        transfer = partial(
            chosen.transfer,
            actor=ctx.actor,
            source=(source.logon.mailbox, source.fid),
            mids=mids,
            target=(target.logon.mailbox, target.fid),
            copy=request.want_copy,
            now=ctx.now,
        )
        progress.step(lambda: ctx.write(transfer) == 0)  # noqa: B023
    return progress.answer()


ROP = Rop(
    0x33,
    On.FOLDER,
    Access.APART,
    Request,
    PartialCompletion,
    run,
    Handles.SOURCE_DEST,
    dest=On.FOLDER,
    failure=NOTHING_DONE,
)

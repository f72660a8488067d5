"""RopMoveFolder (MS-OXCROPS 2.2.4.7, MS-OXCFOLD 2.2.1.7, 3.2.5.7)."""

from functools import partial
from typing import Annotated

from appliance.mailbox import tree
from appliance.mapi import errors as ec
from appliance.mapi.errors import MapiError
from appliance.mapi.ids import SHORT_ID
from appliance.rop.context import RopContext
from appliance.rop.model import Access, Handles, On, Rop
from appliance.rop.objects import Folder
from appliance.rop.ops.copy_folder import copy_branch, require_child
from appliance.rop.ops.empty_folder import delete_branch
from appliance.rop.stepwise import NOTHING_DONE, PartialCompletion, Progress
from appliance.rop.texts import chosen_text, text_of
from appliance.wire.fields import LOOSE_BOOL
from appliance.wire.record import Record


class Request(Record):
    """2.2.4.7.1. `new_folder_name`: 8-bit strings are bytes in the session's code page."""

    want_asynchronous: Annotated[bool, LOOSE_BOOL]
    use_unicode: Annotated[bool, LOOSE_BOOL]
    folder_id: Annotated[int, SHORT_ID]
    new_folder_name: Annotated[str | bytes, chosen_text(lambda request: request.use_unicode)]


def run(ctx: RopContext, request: Request) -> PartialCompletion:
    """An empty name keeps the old. Raises ecNotFound, ecDuplicateName, ecAccessDenied, ecRootFolder;
    into another mailbox the folder is copied and then deleted."""
    source, target = ctx.input(Folder), ctx.other(Folder)
    name = text_of(ctx, request.new_folder_name)
    mailbox, fid = source.logon.mailbox, request.folder_id
    with ctx.read() as txn:
        require_child(txn, mailbox, source.fid, fid)
        tree.require_movable(txn, ctx.actor, mailbox, fid)
        same = target.logon.mailbox == mailbox
        if same and tree.lies_within(txn, mailbox, target.fid, fid):
            raise MapiError(ec.ecRootFolder)
    progress = Progress()
    if same:
        move = partial(
            tree.move, actor=ctx.actor, mailbox=mailbox, fid=fid, parent=target.fid, name=name, now=ctx.now
        )
        progress.step(lambda: bool(ctx.write(move)))
        return progress.answer()
    copy_branch(ctx, progress, (mailbox, fid), (target.logon.mailbox, target.fid), name, recursive=True)
    if not progress.answer().partial_completion:
        progress.attempt(partial(delete_branch, ctx, mailbox, fid, hard=True))
    return progress.answer()


ROP = Rop(
    0x35,
    On.FOLDER,
    Access.APART,
    Request,
    PartialCompletion,
    run,
    Handles.SOURCE_DEST,
    dest=On.FOLDER,
    failure=NOTHING_DONE,
)

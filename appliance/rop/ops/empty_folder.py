"""RopEmptyFolder, RopHardDeleteMessagesAndSubfolders (MS-OXCROPS 2.2.4.9, 2.2.4.10, MS-OXCFOLD 2.2.1.9,
2.2.1.10, 3.2.5.9, 3.2.5.10)."""

from functools import partial
from typing import Annotated

from appliance.mailbox import tree
from appliance.mapi import errors as ec
from appliance.mapi.errors import MapiError
from appliance.rop.context import RopContext
from appliance.rop.model import Access, On, Rop
from appliance.rop.objects import Folder
from appliance.rop.stepwise import NOTHING_DONE, PartialCompletion, Progress
from appliance.store import folders
from appliance.store.folders import FolderKind
from appliance.wire.fields import LOOSE_BOOL
from appliance.wire.record import Record


class Request(Record):
    """2.2.4.9.1, 2.2.4.10.1"""

    want_asynchronous: Annotated[bool, LOOSE_BOOL]
    want_delete_associated: Annotated[bool, LOOSE_BOOL]


def _run(ctx: RopContext, request: Request, *, hard: bool) -> PartialCompletion:
    folder, actor, now = ctx.input(Folder), ctx.actor, ctx.now
    mailbox, fid = folder.logon.mailbox, folder.fid
    with ctx.read() as txn:
        if folders.get(txn, mailbox, fid).kind is not FolderKind.GENERIC:
            raise MapiError(ec.ecNotSupported)
        below = [each.fid for each in folders.children(txn, mailbox, fid)]
    progress = Progress()
    empty = partial(
        tree.empty_step,
        actor=actor,
        mailbox=mailbox,
        fid=fid,
        now=now,
        associated=request.want_delete_associated,
        hard=hard,
    )

    def messages() -> bool:
        while not ctx.write(empty, reserve=True):
            pass
        return True

    progress.step(messages)
    for each in below:
        progress.attempt(partial(delete_branch, ctx, mailbox, each, hard=hard))
    return progress.answer()


def delete_branch(ctx: RopContext, mailbox: int, fid: int, *, hard: bool) -> bool:
    """Delete a folder and all in it, softly where that is possible and wanted."""
    actor, now = ctx.actor, ctx.now
    soft = partial(tree.soft_delete, actor=actor, mailbox=mailbox, fid=fid, now=now)
    if not hard and ctx.write(soft, reserve=True):
        return True
    purge = partial(tree.purge_step, actor=actor, mailbox=mailbox, fid=fid, now=now)
    while not ctx.write(purge, reserve=True):
        pass
    return True


def soft(ctx: RopContext, request: Request) -> PartialCompletion:
    """Special subfolders stay, and make the completion a partial one. Raises ecNotSupported for the root and
    for search folders, ecAccessDenied."""
    return _run(ctx, request, hard=False)


def hard(ctx: RopContext, request: Request) -> PartialCompletion:
    """The same, for good."""
    return _run(ctx, request, hard=True)


SOFT = Rop(0x58, On.FOLDER, Access.APART, Request, PartialCompletion, soft, failure=NOTHING_DONE)
HARD = Rop(0x92, On.FOLDER, Access.APART, Request, PartialCompletion, hard, failure=NOTHING_DONE)
ROPS = (SOFT, HARD)

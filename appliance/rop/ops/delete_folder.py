"""RopDeleteFolder (MS-OXCROPS 2.2.4.3, MS-OXCFOLD 2.2.1.3, 3.2.5.3)."""

from enum import IntFlag
from functools import partial
from typing import Annotated

from appliance.mailbox import tree
from appliance.mapi import errors as ec
from appliance.mapi.errors import MapiError
from appliance.mapi.ids import SHORT_ID
from appliance.rop.context import RopContext
from appliance.rop.model import Access, On, Rop
from appliance.rop.objects import Folder
from appliance.rop.ops.empty_folder import delete_branch
from appliance.rop.stepwise import NOTHING_DONE, PartialCompletion, Progress
from appliance.store import folders
from appliance.store.folders import Folder as FolderRow
from appliance.store.folders import FolderFlag, FolderKind
from appliance.wire.fields import U8, Flags
from appliance.wire.record import Record


class DeleteFolderFlags(IntFlag):
    """MS-OXCFOLD 2.2.1.3.1."""

    DEL_MESSAGES = 0x01
    DEL_FOLDERS = 0x04
    DELETE_HARD_DELETE = 0x10


class Request(Record):
    """2.2.4.3.1"""

    delete_folder_flags: Annotated[DeleteFolderFlags, Flags(DeleteFolderFlags, U8)]
    folder_id: Annotated[int, SHORT_ID]


def run(ctx: RopContext, request: Request) -> PartialCompletion:
    """A folder that is not empty stays unless the flags say otherwise: that is a partial completion. Unknown
    flags are ignored, as since Exchange 2010. Raises ecNotFound, ecNotSupported for the root,
    ecAccessDenied."""
    above, flags = ctx.input(Folder), request.delete_folder_flags
    mailbox = above.logon.mailbox
    with ctx.read() as txn:
        folder = folders.find(txn, mailbox, request.folder_id)
        if folder is not None and folder.kind is FolderKind.ROOT:
            raise MapiError(ec.ecNotSupported)
        if folder is None or _parent(folder, flags) != above.fid:
            raise MapiError(ec.ecNotFound)
        tree.require_movable(txn, ctx.actor, mailbox, folder.fid)
        real = folder.kind is FolderKind.GENERIC
        if real and folder.total and not flags & DeleteFolderFlags.DEL_MESSAGES:
            return PartialCompletion(True)
        if folder.subfolders and not flags & DeleteFolderFlags.DEL_FOLDERS:
            return PartialCompletion(True)
    progress = Progress()
    hard = bool(flags & DeleteFolderFlags.DELETE_HARD_DELETE or folder.flags & FolderFlag.DELETED)
    progress.step(partial(delete_branch, ctx, mailbox, folder.fid, hard=hard))
    return progress.answer()


def _parent(folder: FolderRow, flags: DeleteFolderFlags) -> int:
    """Out of which folder it is deleted: who deletes for good finds the soft-deleted where they stood."""
    if flags & DeleteFolderFlags.DELETE_HARD_DELETE:
        return tree.former_parent(folder) or folder.parent
    return folder.parent


ROP = Rop(0x1D, On.FOLDER, Access.APART, Request, PartialCompletion, run, failure=NOTHING_DONE)

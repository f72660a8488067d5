"""RopCopyFolder: a folder with its messages, and on request all below it (MS-OXCROPS 2.2.4.8, MS-OXCFOLD
2.2.1.8, 3.2.5.8)."""

from functools import partial
from typing import Annotated

from appliance.mailbox import chosen, tree
from appliance.mapi import errors as ec
from appliance.mapi.errors import MapiError
from appliance.mapi.ids import SHORT_ID
from appliance.rop.context import RopContext
from appliance.rop.model import Access, Handles, On, Rop
from appliance.rop.objects import Folder
from appliance.rop.stepwise import NOTHING_DONE, PartialCompletion, Progress, pieces
from appliance.rop.texts import chosen_text, text_of
from appliance.store import folders
from appliance.store.folders import FolderKind
from appliance.store.kv import ReadTxn
from appliance.wire.fields import LOOSE_BOOL
from appliance.wire.record import Record

Where = tuple[int, int]
"""(mailbox, FID)"""


class Request(Record):
    """2.2.4.8.1. `new_folder_name`: 8-bit strings are bytes in the session's code page."""

    want_asynchronous: Annotated[bool, LOOSE_BOOL]
    want_recursive: Annotated[bool, LOOSE_BOOL]
    use_unicode: Annotated[bool, LOOSE_BOOL]
    folder_id: Annotated[int, SHORT_ID]
    new_folder_name: Annotated[str | bytes, chosen_text(lambda request: request.use_unicode)]


def run(ctx: RopContext, request: Request) -> PartialCompletion:
    """An empty name is the folder's. Raises ecNotFound, ecDuplicateName, ecAccessDenied, ecRootFolder."""
    source, target = ctx.input(Folder), ctx.other(Folder)
    name = text_of(ctx, request.new_folder_name)
    mailbox, fid = source.logon.mailbox, request.folder_id
    with ctx.read() as txn:
        require_child(txn, mailbox, source.fid, fid)
        same = target.logon.mailbox == mailbox
        if same and request.want_recursive and tree.lies_within(txn, mailbox, target.fid, fid):
            raise MapiError(ec.ecRootFolder)
    progress = Progress()
    to = (target.logon.mailbox, target.fid)
    copy_branch(ctx, progress, (mailbox, fid), to, name, recursive=request.want_recursive)
    return progress.answer()


def require_child(txn: ReadTxn, mailbox: int, parent: int, fid: int) -> None:
    """Raises ecNotFound for a folder that is not in its source. One that was deleted softly is still found in
    that out of which it was: so it comes back."""
    folder = folders.find(txn, mailbox, fid)
    if folder is None or parent not in (folder.parent, tree.former_parent(folder)):
        raise MapiError(ec.ecNotFound)


def copy_branch(
    ctx: RopContext, progress: Progress, source: Where, target: Where, name: str, *, recursive: bool
) -> None:
    """Copy a folder into another. What is refused below the folder itself is left out."""
    made: list[int] = []

    def make(source: Where, target: Where, name: str) -> bool:
        like = partial(
            tree.copy_folder, actor=ctx.actor, source=source, target=target, name=name, now=ctx.now
        )
        made.append(ctx.write(like))
        return True

    with ctx.read() as txn:
        below = list(tree.branch(txn, *source)) if recursive else []
        generic = folders.get(txn, *source).kind is FolderKind.GENERIC
    progress.step(partial(make, source, target, name))
    places = {source[1]: made[0]}
    if generic:
        progress.step(partial(_copy_messages, ctx, source, (target[0], made[0])))
    for folder in below:
        if folder.parent not in places:
            continue
        count = len(made)
        progress.attempt(
            partial(make, (source[0], folder.fid), (target[0], places[folder.parent]), folder.name)
        )
        if len(made) > count:
            places[folder.fid] = made[-1]
            if folder.kind is FolderKind.GENERIC:
                progress.attempt(partial(_copy_messages, ctx, (source[0], folder.fid), (target[0], made[-1])))


def _copy_messages(ctx: RopContext, source: Where, target: Where) -> bool:
    with ctx.read() as txn:
        mids = chosen.mids_in(txn, *source)
    whole = True
    for some in pieces(mids, chosen.STEP):
        copy = partial(
            chosen.transfer,
            actor=ctx.actor,
            source=source,
            mids=some,
            target=target,
            copy=True,
            now=ctx.now,
        )
        whole &= ctx.write(copy) == 0
    return whole


ROP = Rop(
    0x36,
    On.FOLDER,
    Access.APART,
    Request,
    PartialCompletion,
    run,
    Handles.SOURCE_DEST,
    dest=On.FOLDER,
    failure=NOTHING_DONE,
)

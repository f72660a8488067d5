"""RopCreateFolder: make a folder, or open the one of that name (MS-OXCROPS 2.2.4.2, MS-OXCFOLD 2.2.1.2,
3.2.5.2)."""

from typing import Annotated

from appliance.mailbox import rights, tree
from appliance.mapi import errors as ec
from appliance.mapi.errors import MapiError
from appliance.mapi.ids import SHORT_ID
from appliance.rop.context import RopContext
from appliance.rop.folder_properties import FolderObject
from appliance.rop.model import Access, Handles, On, Rop
from appliance.rop.objects import Folder
from appliance.rop.texts import chosen_text, text_of
from appliance.store import folders
from appliance.store.folders import FolderKind
from appliance.store.permissions import Right
from appliance.wire.fields import BOOL, LOOSE_BOOL, Bool, UInt8, When
from appliance.wire.record import Record


class Request(Record):
    """2.2.4.2.1. 8-bit strings are bytes in the session's code page."""

    folder_type: UInt8
    use_unicode_strings: Annotated[bool, LOOSE_BOOL]
    open_existing: Annotated[bool, LOOSE_BOOL]
    reserved: UInt8
    display_name: Annotated[str | bytes, chosen_text(lambda request: request.use_unicode_strings)]
    comment: Annotated[str | bytes, chosen_text(lambda request: request.use_unicode_strings)]


class Response(Record):
    """2.2.4.2.2. `is_existing_folder` is never set: not in a private mailbox (MS-OXCFOLD 2.2.1.2.2), and
    since Exchange 2010 not among public folders either (<3>). What follows it is known to clients alone."""

    folder_id: Annotated[int, SHORT_ID]
    is_existing_folder: Bool
    has_rules: Annotated[bool | None, When(BOOL, lambda response: response.is_existing_folder)] = None
    is_ghosted: Annotated[bool | None, When(BOOL, lambda response: response.is_existing_folder)] = None


def run(ctx: RopContext, request: Request) -> Response:
    """Raises ecInvalidParam for a type or name that is none, ecDuplicateName, ecAccessDenied, ecNotFound
    below a deleted folder, ecNotSupported for a search folder among the public ones."""
    above, txn = ctx.input(Folder), ctx.writing
    logon, mailbox = above.logon, above.logon.mailbox
    name, comment = text_of(ctx, request.display_name), text_of(ctx, request.comment)
    if request.folder_type not in (FolderKind.GENERIC, FolderKind.SEARCH):
        raise MapiError(ec.ecInvalidParam)
    if not name or len(name) > folders.MAX_NAME:
        raise MapiError(ec.ecInvalidParam)
    if request.folder_type == FolderKind.SEARCH and not logon.is_private:
        raise MapiError(ec.ecNotSupported)
    if tree.is_deleted(txn, mailbox, above.fid):
        raise MapiError(ec.ecNotFound)
    known = folders.lookup(txn, mailbox, above.fid, name)
    if known is None:
        kind = FolderKind(request.folder_type)
        made = tree.create(txn, ctx.actor, mailbox, above.fid, name, now=ctx.now, kind=kind, comment=comment)
        ctx.put(FolderObject(logon, made.fid))
        return Response(made.fid, False)
    if not request.open_existing:
        raise MapiError(ec.ecDuplicateName)
    rights.require(txn, ctx.actor, mailbox, known, Right.FOLDER_VISIBLE)
    ctx.put(FolderObject(logon, known))
    return Response(known, False)


ROP = Rop(0x1C, On.FOLDER, Access.WRITE, Request, Response, run, Handles.IN_OUT)

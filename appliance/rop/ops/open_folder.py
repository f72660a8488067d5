"""RopOpenFolder: a handle for a folder by its FID (MS-OXCROPS 2.2.4.1, MS-OXCFOLD 2.2.1.1, 3.2.5.1)."""

from enum import IntFlag
from typing import Annotated

from appliance.mailbox import rights, tree
from appliance.mapi import errors as ec
from appliance.mapi.errors import MapiError
from appliance.mapi.ids import SHORT_ID
from appliance.rop.context import RopContext
from appliance.rop.folder_properties import FolderObject
from appliance.rop.model import Access, Handles, On, Rop
from appliance.store import folders, rules
from appliance.store.permissions import Right
from appliance.wire.fields import U8, Bool, Flags
from appliance.wire.record import Record


class OpenModeFlags(IntFlag):
    """MS-OXCFOLD 2.2.1.1.1. Other bits mean nothing."""

    OPEN_SOFT_DELETED = 0x04


class Request(Record):
    """2.2.4.1.1"""

    folder_id: Annotated[int, SHORT_ID]
    open_mode_flags: Annotated[OpenModeFlags, Flags(OpenModeFlags, U8)]


class Response(Record):
    """2.2.4.1.2; the ghosted form belongs to stores with replicas, of which there are none."""

    has_rules: Bool
    is_ghosted: Bool


def run(ctx: RopContext, request: Request) -> Response:
    """Raises ecNotFound for a folder that is not there, that is none of the actor's business, or that was
    deleted and is not asked for as such."""
    logon, txn = ctx.logon, ctx.txn
    folder = folders.get(txn, logon.mailbox, request.folder_id)
    rights.require(txn, ctx.actor, logon.mailbox, folder.fid, Right.FOLDER_VISIBLE)
    deleted = tree.is_deleted(txn, logon.mailbox, folder.fid)
    if deleted and not request.open_mode_flags & OpenModeFlags.OPEN_SOFT_DELETED:
        raise MapiError(ec.ecNotFound)
    ctx.put(FolderObject(logon, folder.fid, deleted))
    return Response(has_rules=rules.has_any(txn, logon.mailbox, folder.fid), is_ghosted=False)


ROP = Rop(0x02, On.LOGON | On.FOLDER, Access.READ, Request, Response, run, Handles.IN_OUT)

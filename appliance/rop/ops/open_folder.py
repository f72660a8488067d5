"""RopOpenFolder: a handle for a folder by its FID (MS-OXCROPS 2.2.4.1, MS-OXCFOLD 2.2.1.1, 3.2.5.1)."""

from enum import IntFlag
from typing import Annotated

from appliance.mailbox import rights
from appliance.mapi.ids import SHORT_ID
from appliance.rop.context import RopContext
from appliance.rop.model import Access, Handles, On, Rop
from appliance.rop.objects import Folder
from appliance.store import folders
from appliance.store.permissions import Right
from appliance.wire.fields import U8, Bool, Flags
from appliance.wire.record import Record


class OpenModeFlags(IntFlag):
    """MS-OXCFOLD 2.2.1.1.1."""

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
    """Raises ecNotFound for a folder that is not there, or that is none of the actor's business."""
    logon = ctx.logon
    folder = folders.get(ctx.txn, logon.mailbox, request.folder_id)
    rights.require(ctx.txn, ctx.actor, logon.mailbox, folder.fid, Right.FOLDER_VISIBLE)
    ctx.put(Folder(logon, folder.fid))
    return Response(has_rules=False, is_ghosted=False)


ROP = Rop(0x02, On.LOGON | On.FOLDER, Access.READ, Request, Response, run, Handles.IN_OUT)

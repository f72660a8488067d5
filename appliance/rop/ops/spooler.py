"""RopSetSpooler, RopSpoolerLockMessage, RopGetTransportFolder, RopTransportNewMail: what clients that bring
transports of their own tell a server (MS-OXCROPS 2.2.7.4, 2.2.7.5, 2.2.7.7, 2.2.7.8; MS-OXOMSG 2.2.5).

The server sends what is submitted at once, so that there is no queue of messages for a spooler to work on;
locks are kept for the session, and what a spooler finished is treated as it asks.
"""

from enum import IntEnum
from typing import Annotated

from appliance.mailbox import rights
from appliance.mapi import errors as ec
from appliance.mapi.errors import MapiError
from appliance.mapi.ids import SHORT_ID
from appliance.rop.context import RopContext
from appliance.rop.model import Access, Empty, On, Rop
from appliance.store import contents
from appliance.store.mailboxes import Special
from appliance.store.permissions import Right
from appliance.wire.fields import U8, Ascii, UInt32
from appliance.wire.record import Record


class LockState(IntEnum):
    """MS-OXOMSG 2.2.5.3.1."""

    LOCK = 0x00
    UNLOCK = 0x01
    FINISHED = 0x02


class LockRequest(Record):
    """2.2.7.5.1"""

    message_id: Annotated[int, SHORT_ID]
    lock_state: Annotated[int, U8]


class NewMailRequest(Record):
    """2.2.7.7.1"""

    message_id: Annotated[int, SHORT_ID]
    folder_id: Annotated[int, SHORT_ID]
    message_class: Ascii
    message_flags: UInt32


class FolderResponse(Record):
    """2.2.7.8.2"""

    folder_id: Annotated[int, SHORT_ID]


def set_spooler(_ctx: RopContext, _request: Empty) -> None:
    """RopSetSpooler: taken note of."""


def lock(ctx: RopContext, request: LockRequest) -> None:
    """RopSpoolerLockMessage. Raises ecInvalidParam for an unknown state, ecNotFound for a message that is not
    in the Outbox or the queue."""
    if request.lock_state > LockState.FINISHED:
        raise MapiError(ec.ecInvalidParam)
    logon = ctx.logon
    for fid in (Special.OUTBOX, Special.SPOOLER_QUEUE):
        if contents.find(ctx.txn, logon.mailbox, fid, request.message_id) is not None:
            rights.require(ctx.txn, ctx.actor, logon.mailbox, fid, Right.READ_ANY)
            return
    contents.get(ctx.txn, logon.mailbox, Special.OUTBOX, request.message_id)


def get_folder(ctx: RopContext, _request: Empty) -> FolderResponse:
    """RopGetTransportFolder: where clients' transports put what they are about to send."""
    rights.require(ctx.txn, ctx.actor, ctx.logon.mailbox, Special.OUTBOX, Right.FOLDER_VISIBLE)
    return FolderResponse(Special.OUTBOX)


def new_mail(ctx: RopContext, request: NewMailRequest) -> None:
    """RopTransportNewMail: the message lies there. Raises ecNotFound."""
    logon = ctx.logon
    rights.require(ctx.txn, ctx.actor, logon.mailbox, request.folder_id, Right.READ_ANY)
    contents.get(ctx.txn, logon.mailbox, request.folder_id, request.message_id)


ROPS = (
    Rop(0x47, On.LOGON, Access.NONE, Empty, Empty, set_spooler),
    Rop(0x48, On.LOGON, Access.READ, LockRequest, Empty, lock),
    Rop(0x51, On.LOGON, Access.READ, NewMailRequest, Empty, new_mail),
    Rop(0x6D, On.LOGON, Access.READ, Empty, FolderResponse, get_folder),
)

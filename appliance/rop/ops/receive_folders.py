"""RopGetReceiveFolder, RopSetReceiveFolder, RopGetReceiveFolderTable: where the messages of a class go
(MS-OXCROPS 2.2.3.2 to 2.2.3.4, MS-OXCSTOR 2.2.1.2 to 2.2.1.4, 3.2.5.2 to 3.2.5.4)."""

from typing import Annotated

from appliance.mailbox import rights
from appliance.mapi import errors as ec
from appliance.mapi.errors import MapiError
from appliance.mapi.ids import SHORT_ID, short_to_wire
from appliance.rop.context import RopContext
from appliance.rop.model import Access, Empty, On, Rop
from appliance.rop.objects import Logon
from appliance.store import folders, receive_folders
from appliance.store.errors import StoreError
from appliance.store.kv import ReadTxn
from appliance.store.mailboxes import Special
from appliance.store.permissions import Right
from appliance.wire.fields import NUL_BYTES, NulText, Remaining, UInt32
from appliance.wire.record import Record

UNCHANGEABLE = ("IPM", "REPORT.IPM")
"""Classes whose receive folder no client sets (3.2.5.3)."""

STANDARD_ROW = b"\0"


class GetRequest(Record):
    """2.2.3.2.1"""

    message_class: Annotated[bytes, NUL_BYTES]


class GetResponse(Record):
    """2.2.3.2.2"""

    folder_id: Annotated[int, SHORT_ID]
    explicit_message_class: Annotated[str, NulText()]


class SetRequest(Record):
    """2.2.3.3.1"""

    folder_id: Annotated[int, SHORT_ID]
    message_class: Annotated[bytes, NUL_BYTES]


class TableResponse(Record):
    """2.2.3.4.2: property rows of PidTagFolderId, PidTagMessageClass (8-bit) and
    PidTagLastModificationTime."""

    row_count: UInt32
    rows: Remaining


def _private(ctx: RopContext) -> Logon:
    logon = ctx.input(Logon)
    if not logon.is_private:
        raise MapiError(ec.ecNotSupported)
    return logon


def _class_of(raw: bytes) -> str:
    """The message class of a request. Raises ecInvalidParam."""
    try:
        text = raw.decode("ascii")
        receive_folders.require_valid(text)
    except (UnicodeDecodeError, StoreError):
        raise MapiError(ec.ecInvalidParam) from None
    return text


def get(ctx: RopContext, request: GetRequest) -> GetResponse:
    """RopGetReceiveFolder. Raises ecInvalidParam, and ecNotSupported on public folders."""
    logon = _private(ctx)
    found = receive_folders.find(ctx.txn, logon.mailbox, _class_of(request.message_class))
    return GetResponse(found.fid, found.message_class)


def put(ctx: RopContext, request: SetRequest) -> None:
    """RopSetReceiveFolder. Raises ecInvalidParam, ecAccessDenied for classes that stay, ecError for no class
    and no folder, ecNotFound for the folder, ecNotSupported on public folders."""
    logon = _private(ctx)
    name, fid = _class_of(request.message_class), request.folder_id
    if not name and not fid:
        raise MapiError(ec.ecError)
    if name.upper() in UNCHANGEABLE:
        raise MapiError(ec.ecAccessDenied)
    rights.require(ctx.writing, ctx.actor, logon.mailbox, Special.INBOX, Right.FOLDER_OWNER)
    if fid:
        receive_folders.put(ctx.writing, logon.mailbox, name, fid, now=ctx.now)
    else:
        receive_folders.delete(ctx.writing, logon.mailbox, name)
    ctx.writing.touch(logon.mailbox)


def table(ctx: RopContext, _request: Empty) -> TableResponse:
    """RopGetReceiveFolderTable. Raises ecNotSupported on public folders."""
    logon = _private(ctx)
    rows = [_row(ctx.txn, logon.mailbox, row) for row in receive_folders.table(ctx.txn, logon.mailbox)]
    return TableResponse(len(rows), b"".join(rows))


def _row(txn: ReadTxn, mailbox: int, row: receive_folders.ReceiveFolder) -> bytes:
    # A default was set when the mailbox was made.
    modified = row.modified or folders.get(txn, mailbox, Special.INBOX).created
    text = row.message_class.encode("ascii") + b"\0"
    return STANDARD_ROW + short_to_wire(row.fid) + text + modified.to_bytes(8, "little")


ROPS = (
    Rop(0x26, On.LOGON, Access.WRITE, SetRequest, Empty, put),
    Rop(0x27, On.LOGON, Access.READ, GetRequest, GetResponse, get, room=8 + receive_folders.MAX_CLASS),
    Rop(0x68, On.LOGON, Access.READ, Empty, TableResponse, table),
)

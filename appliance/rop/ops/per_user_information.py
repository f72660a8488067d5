"""What a user has read in public folders (MS-OXCROPS 2.2.3.10 to 2.2.3.13, MS-OXCSTOR 3.2.5.10 to 3.2.5.13).

On a logon to public folders the four ROPs speak of the read state itself; on a private one of the copies that
the client keeps in the mailbox for itself. Sets travel as IDSETs with replica GUIDs, in pieces.
"""

from typing import Annotated

from appliance.mailbox import rights
from appliance.mapi import errors as ec
from appliance.mapi.errors import MapiError
from appliance.mapi.ids import LONG_TERM_ID, LongTermId, make_id
from appliance.mapi.idset import IdSet, Replica
from appliance.rop.context import RopContext
from appliance.rop.model import Access, Empty, On, Rop
from appliance.rop.objects import Logon, Upload
from appliance.store import folders, mailboxes, peruser, replids
from appliance.store.errors import LimitReached
from appliance.store.kv import ReadTxn, WriteTxn
from appliance.store.permissions import Right
from appliance.store.peruser import PerUser
from appliance.wire.errors import DecodeError
from appliance.wire.fields import GUID, LOOSE_BOOL, U8, Array, Bytes16, Int32, Reserved, UInt16, When
from appliance.wire.record import Record

MAX_DATA = 4096
"""Bytes of one piece, at most, and where the client leaves it to the server."""


class IdsRequest(Record):
    """2.2.3.10.1, 2.2.3.11.2"""

    database_guid: Annotated[bytes, GUID]


class IdsResponse(Record):
    """2.2.3.10.2"""

    long_term_ids: Annotated[tuple[LongTermId, ...], Array(LONG_TERM_ID, 2)]


class GuidRequest(Record):
    """2.2.3.11.1"""

    long_term_id: Annotated[LongTermId, LONG_TERM_ID]


class ReadRequest(Record):
    """2.2.3.12.1"""

    folder_id: Annotated[LongTermId, LONG_TERM_ID]
    reserved: Annotated[int, Reserved(U8)]
    data_offset: Int32
    max_data_size: UInt16


class ReadResponse(Record):
    """2.2.3.12.2"""

    has_finished: Annotated[bool, LOOSE_BOOL]
    data: Bytes16


class PublicWriteRequest(Record):
    """2.2.3.13.1 on public folders."""

    folder_id: Annotated[LongTermId, LONG_TERM_ID]
    has_finished: Annotated[bool, LOOSE_BOOL]
    data_offset: Int32
    data: Bytes16


def _begins(request: "WriteRequest") -> bool:
    return request.data_offset == 0


class WriteRequest(Record):
    """2.2.3.13.1 on a private mailbox: the first piece names the replica."""

    folder_id: Annotated[LongTermId, LONG_TERM_ID]
    has_finished: Annotated[bool, LOOSE_BOOL]
    data_offset: Int32
    data: Bytes16
    replica_guid: Annotated[bytes | None, When(GUID, _begins)] = None


def _private(ctx: RopContext) -> Logon:
    logon = ctx.input(Logon)
    if not logon.is_private:
        raise MapiError(ec.ecNotSupported)
    rights.require(ctx.txn, ctx.actor, logon.mailbox, mailboxes.Special.ROOT, Right.FOLDER_OWNER)
    return logon


def ids(ctx: RopContext, request: IdsRequest) -> IdsResponse:
    """RopGetPerUserLongTermIds: the folders of a replica that the client keeps sets of, as many as fit.
    Raises ecNotSupported on public folders."""
    found = peruser.of_replica(ctx.txn, _private(ctx).mailbox, request.database_guid)
    return IdsResponse(tuple(found[: max(0, ctx.budget - 2) // 24]))


def guid(ctx: RopContext, request: GuidRequest) -> IdsRequest:
    """RopGetPerUserGuid. Raises ecNotFound, and ecNotSupported on public folders."""
    state = peruser.read(ctx.txn, _private(ctx).mailbox, request.long_term_id)
    if state is None:
        raise MapiError(ec.ecNotFound)
    return IdsRequest(state.replica_guid)


def read(ctx: RopContext, request: ReadRequest) -> ReadResponse:
    """RopReadPerUserInformation: a piece of the set, nothing where there is none. Raises ecError for an
    offset that is not in it."""
    data = _data(ctx, request.folder_id)
    offset = request.data_offset
    if not 0 <= offset <= len(data):
        raise MapiError(ec.ecError)
    size = min(request.max_data_size or MAX_DATA, MAX_DATA, max(0, ctx.budget - 3))
    piece = data[offset : offset + size]
    return ReadResponse(offset + len(piece) == len(data), piece)


def _data(ctx: RopContext, folder: LongTermId) -> bytes:
    logon = ctx.input(Logon)
    if logon.is_private:
        state = peruser.read(ctx.txn, _private(ctx).mailbox, folder)
        return state.data if state is not None else b""
    fid = _public_folder(ctx.txn, ctx, logon, folder)
    known = peruser.read_set(ctx.txn, logon.mailbox, fid, ctx.actor.user) if fid else IdSet()
    guids: dict[Replica, Replica] = {
        replica: found
        for replica, _ in known.items()
        if isinstance(replica, int) and (found := replids.guid_of(ctx.txn, logon.mailbox, replica))
    }
    return known.mapped(guids).pack() if known else b""


def _public_folder(txn: ReadTxn, ctx: RopContext, logon: Logon, folder: LongTermId) -> int:
    """The FID of a public folder that the user may see, 0 where there is none."""
    replica = replids.find(txn, logon.mailbox, folder.guid)
    fid = make_id(replica, folder.counter) if replica is not None else 0
    if not fid or folders.find(txn, logon.mailbox, fid) is None:
        return 0
    rights.require(txn, ctx.actor, logon.mailbox, fid, Right.FOLDER_VISIBLE)
    return fid


def need(_ctx: RopContext, request: WriteRequest) -> Access:
    """Only the last piece writes."""
    return Access.WRITE if request.has_finished else Access.READ


def write(ctx: RopContext, request: WriteRequest | PublicWriteRequest) -> None:
    """RopWritePerUserInformation. Raises ecError for a piece that goes on with nothing, ecCorruptData for
    bytes that are no set, ecNotFound for the folder, ecMaxObjsExceeded."""
    logon = ctx.input(Logon)
    before, offset = logon.upload, request.data_offset
    if before is None or before.folder != request.folder_id or len(before.data) != offset:
        logon.upload = None  # given up, whether or not this one begins anew; doing so twice is no harm
        if offset:
            raise MapiError(ec.ecError)
        named = request.replica_guid if isinstance(request, WriteRequest) else None
        before = Upload(request.folder_id, named or bytes(16), b"")
    upload = Upload(before.folder, before.replica_guid, before.data + request.data)
    if len(upload.data) > peruser.MAX_STATE:
        raise MapiError(ec.ecMaxObjsExceeded)
    if not request.has_finished:
        ctx.emit(lambda: logon.keep(upload))
        return
    ctx.emit(lambda: logon.keep(None))
    try:
        known = IdSet.parse(upload.data, by_guid=True)
    except DecodeError:
        raise MapiError(ec.ecCorruptData) from None
    if logon.is_private:
        _private(ctx)
        peruser.write(ctx.writing, logon.mailbox, PerUser(upload.folder, upload.replica_guid, upload.data))
        ctx.writing.touch(logon.mailbox)
    else:
        _store(ctx.writing, ctx, logon, upload.folder, known)


def _store(txn: WriteTxn, ctx: RopContext, logon: Logon, folder: LongTermId, known: IdSet) -> None:
    fid = _public_folder(txn, ctx, logon, folder)
    if not fid:
        raise MapiError(ec.ecNotFound)
    try:
        numbers: dict[Replica, Replica] = {
            guid: replids.assign(txn, logon.mailbox, guid)
            for guid, _ in known.items()
            if isinstance(guid, bytes)
        }
    except LimitReached:
        raise MapiError(ec.ecParameterOverflow) from None
    peruser.put_set(txn, logon.mailbox, fid, ctx.actor.user, known.mapped(numbers))


ROPS = (
    Rop(0x60, On.LOGON, Access.READ, IdsRequest, IdsResponse, ids),
    Rop(0x61, On.LOGON, Access.READ, GuidRequest, IdsRequest, guid),
    Rop(0x63, On.LOGON, Access.READ, ReadRequest, ReadResponse, read),
    Rop(0x64, On.LOGON, need, WriteRequest, Empty, write, request_public=PublicWriteRequest),
)

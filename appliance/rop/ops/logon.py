"""RopLogon: open a private mailbox or the public folders (MS-OXCROPS 2.2.3.1, MS-OXCSTOR 3.2.5.1)."""

from enum import IntFlag
from typing import Annotated

from appliance.directory import entries, links
from appliance.directory.links import Link
from appliance.directory.model import Entry, Right
from appliance.mailbox import public
from appliance.mailbox.actor import Actor
from appliance.mailbox.properties import stores
from appliance.mapi import codepages
from appliance.mapi import errors as ec
from appliance.mapi.errors import MapiError
from appliance.mapi.ids import SHORT_ID
from appliance.mapi.times import to_datetime
from appliance.rop.context import RopContext
from appliance.rop.logon_properties import LogonObject
from appliance.rop.model import Access, Handles, On, Rop
from appliance.store import mailboxes
from appliance.store.kv import ReadTxn
from appliance.store.mailboxes import PublicSpecial, Special
from appliance.wire.fields import U8, U32, U64, CountedBytes, FixedBytes, Flags, SizedArray, UInt16, When
from appliance.wire.record import Record, as_codec

REPLICA_ID = 1


class LogonFlags(IntFlag):
    """MS-OXCSTOR 2.2.1.1.1."""

    PRIVATE = 0x01
    UNDERCOVER = 0x02
    GHOSTED = 0x04
    SPOOLER_PROCESS = 0x08


class OpenFlags(IntFlag):
    """MS-OXCSTOR 2.2.1.1.1."""

    USE_ADMIN_PRIVILEGE = 0x00000001
    PUBLIC = 0x00000002
    HOME_LOGON = 0x00000004
    TAKE_OWNERSHIP = 0x00000008
    ALTERNATE_SERVER = 0x00000100
    IGNORE_HOME_MDB = 0x00000200
    NO_MAIL = 0x00000400
    USE_PER_MDB_REPLID_MAPPING = 0x01000000
    SUPPORT_PROGRESS = 0x20000000


class ResponseFlags(IntFlag):
    """MS-OXCSTOR 2.2.1.1.3."""

    RESERVED = 0x01
    OWNER_RIGHT = 0x02
    SEND_AS_RIGHT = 0x04
    OOF = 0x10


_KNOWN_LOGON = 0x0F
_KNOWN_OPEN = 0x2100070F
_RETURNED = LogonFlags.PRIVATE | LogonFlags.UNDERCOVER | LogonFlags.GHOSTED
"""What a response repeats (MS-OXCSTOR 2.2.1.1.3)."""

PRIVATE_FOLDERS = (
    Special.ROOT,
    Special.DEFERRED_ACTION,
    Special.SPOOLER_QUEUE,
    Special.IPM_SUBTREE,
    Special.INBOX,
    Special.OUTBOX,
    Special.SENT,
    Special.TRASH,
    Special.COMMON_VIEWS,
    Special.SCHEDULE,
    Special.FINDER,
    Special.VIEWS,
    Special.SHORTCUTS,
)
"""FolderIds of a private logon, in order (MS-OXCSTOR 2.2.1.1.3)."""

PUBLIC_FOLDERS = (
    PublicSpecial.ROOT,
    PublicSpecial.IPM_SUBTREE,
    PublicSpecial.NON_IPM_SUBTREE,
    PublicSpecial.EFORMS_REGISTRY,
    PublicSpecial.FREE_BUSY,
    PublicSpecial.OFFLINE_ADDRESS_BOOK,
    0,
    PublicSpecial.FREE_BUSY,
    PublicSpecial.OFFLINE_ADDRESS_BOOK,
    0,
    0,
    0,
    0,
)
"""FolderIds of a public logon, in order (MS-OXCSTOR 2.2.1.1.4)."""


class Request(Record):
    """2.2.3.1.1"""

    logon_flags: Annotated[LogonFlags, Flags(LogonFlags, U8)]
    open_flags: Annotated[OpenFlags, Flags(OpenFlags, U32)]
    store_state: Annotated[int, U32]
    essdn: Annotated[bytes, CountedBytes(2)]


class LogonTime(Record):
    """2.2.3.1.2.1: UTC; Sunday is day 0."""

    seconds: Annotated[int, U8]
    minutes: Annotated[int, U8]
    hour: Annotated[int, U8]
    day_of_week: Annotated[int, U8]
    day: Annotated[int, U8]
    month: Annotated[int, U8]
    year: UInt16

    @classmethod
    def of(cls, filetime: int) -> "LogonTime":
        """The structure of a FILETIME."""
        at = to_datetime(filetime)
        weekday = at.isoweekday() % 7
        return cls(at.second, at.minute, at.hour, weekday, at.day, at.month, at.year)


class Private(Record):
    """What follows LogonFlags and FolderIds for a private mailbox (2.2.3.1.2)."""

    response_flags: Annotated[ResponseFlags, Flags(ResponseFlags, U8)]
    mailbox_guid: Annotated[bytes, FixedBytes(16)]
    replica_id: UInt16
    replica_guid: Annotated[bytes, FixedBytes(16)]
    logon_time: LogonTime
    gwart_time: Annotated[int, U64]
    store_state: Annotated[int, U32]


class Public(Record):
    """What follows LogonFlags and FolderIds for the public folders (2.2.3.1.3)."""

    replica_id: UInt16
    replica_guid: Annotated[bytes, FixedBytes(16)]
    per_user_guid: Annotated[bytes, FixedBytes(16)]


def _is_private(response: "Response") -> bool:
    return bool(response.logon_flags & LogonFlags.PRIVATE)


def _is_public(response: "Response") -> bool:
    return not _is_private(response)


class Response(Record):
    """2.2.3.1.2, 2.2.3.1.3"""

    logon_flags: Annotated[LogonFlags, Flags(LogonFlags, U8)]
    folder_ids: Annotated[tuple[int, ...], SizedArray(SHORT_ID, lambda _response: 13)]
    private: Annotated[Private | None, When(as_codec(Private), _is_private)] = None
    public: Annotated[Public | None, When(as_codec(Public), _is_public)] = None


def run(ctx: RopContext, request: Request) -> Response:
    """Log on. Raises ecUnknownUser, ecMailboxDisabled, ecLoginPerm, ecLoginFailure, ecError."""
    if request.logon_flags & ~_KNOWN_LOGON or request.open_flags & ~_KNOWN_OPEN:
        raise MapiError(ec.ecError)
    if not codepages.is_known(ctx.session.code_page):
        raise MapiError(ec.ecUnknownCodePage)
    if request.logon_flags & LogonFlags.PRIVATE:
        return _private(ctx, request)
    return _public(ctx, request)


def _actor(ctx: RopContext, *, admin: bool) -> Actor:
    user = ctx.session.user
    return Actor(user=user.id, mailbox=user.mailbox, session=ctx.session.origin, admin=admin)


def _owner(txn: ReadTxn, request: Request) -> Entry:
    """Whose mailbox is meant."""
    try:
        name = request.essdn.rstrip(b"\0").decode("ascii")
    except UnicodeDecodeError:
        raise MapiError(ec.ecUnknownUser) from None
    owner = entries.by_legacy_dn(txn, name)
    if owner is None or not owner.mailbox:
        raise MapiError(ec.ecUnknownUser)
    if not owner.enabled:
        raise MapiError(ec.ecUnknownUser)
    return owner


def _require_mapping(ctx: RopContext, request: Request, mailbox: int) -> None:
    """Further logons to other mailboxes have replica ids and names of their own (MS-OXCSTOR 3.2.5.1.1)."""
    first = next((logon for logon in ctx.session.logons.values() if logon.is_private), None)
    foreign = first is not None and first.mailbox != mailbox
    if foreign and not request.open_flags & OpenFlags.USE_PER_MDB_REPLID_MAPPING:
        raise MapiError(ec.ecInvalidParam)


def _private(ctx: RopContext, request: Request) -> Response:
    owner = _owner(ctx.txn, request)
    user = ctx.session.user
    wants_admin = bool(request.open_flags & OpenFlags.USE_ADMIN_PRIVILEGE)
    if wants_admin and owner.id != user.id and not user.rights & Right.ORGANIZATION_MANAGEMENT:
        raise MapiError(ec.ecLoginPerm)
    _require_mapping(ctx, request, owner.mailbox)
    actor = _actor(ctx, admin=wants_admin and bool(user.rights & Right.ORGANIZATION_MANAGEMENT))
    is_owner = actor.admin or actor.mailbox == owner.mailbox
    identity = mailboxes.identity(ctx.txn, owner.mailbox)
    logon = LogonObject(
        ctx.logon_id,
        owner.mailbox,
        identity.kind,
        actor,
        guid=identity.guid,
        replica_guid=identity.replica_guid,
        owner=owner.id,
        is_owner=is_owner,
    )
    ctx.put(logon)
    flags = ResponseFlags.RESERVED
    if is_owner:
        flags |= ResponseFlags.OWNER_RIGHT | ResponseFlags.SEND_AS_RIGHT
    elif links.has(ctx.txn, Link.SEND_AS, owner.id, user.id):
        flags |= ResponseFlags.SEND_AS_RIGHT
    if stores.is_out_of_office(ctx.txn, owner.mailbox):
        flags |= ResponseFlags.OOF
    private = Private(
        response_flags=flags,
        mailbox_guid=identity.guid,
        replica_id=REPLICA_ID,
        replica_guid=identity.replica_guid,
        logon_time=LogonTime.of(ctx.now),
        gwart_time=0,
        store_state=0,
    )
    return Response(request.logon_flags & _RETURNED, PRIVATE_FOLDERS, private=private)


def _public(ctx: RopContext, request: Request) -> Response:
    if not request.open_flags & OpenFlags.PUBLIC:
        raise MapiError(ec.ecError)
    mailbox = public.find(ctx.txn)
    if mailbox is None or request.open_flags & OpenFlags.ALTERNATE_SERVER:
        raise MapiError(ec.ecLoginFailure)
    identity = mailboxes.identity(ctx.txn, mailbox)
    logon = LogonObject(
        ctx.logon_id,
        mailbox,
        identity.kind,
        _actor(ctx, admin=False),
        guid=identity.guid,
        replica_guid=identity.replica_guid,
        owner=0,
        is_owner=False,
    )
    ctx.put(logon)
    public_part = Public(REPLICA_ID, identity.replica_guid, bytes(16))
    return Response(request.logon_flags & _RETURNED, PUBLIC_FOLDERS, public=public_part)


ROP = Rop(0xFE, On.NOTHING, Access.READ, Request, Response, run, Handles.OUT, room=166)

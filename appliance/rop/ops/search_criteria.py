"""RopSetSearchCriteria, RopGetSearchCriteria: what a search folder looks for (MS-OXCROPS 2.2.4.4, 2.2.4.5,
MS-OXCFOLD 2.2.1.4, 2.2.1.5, 3.2.5.4, 3.2.5.5)."""

import time
from enum import IntFlag
from functools import partial
from typing import Annotated

from appliance.mailbox import rights
from appliance.mapi import errors as ec
from appliance.mapi import restrictions
from appliance.mapi.errors import MapiError
from appliance.mapi.ids import SHORT_ID
from appliance.mapi.values import extended_form
from appliance.rop.context import RopContext
from appliance.rop.model import Access, Empty, On, Rop
from appliance.rop.objects import Folder
from appliance.rop.tables import restriction_of
from appliance.store import folders, search_folders
from appliance.store.edit import editing
from appliance.store.errors import NotFound
from appliance.store.folders import FolderKind
from appliance.store.kv import ReadTxn, WriteTxn
from appliance.store.permissions import Right
from appliance.store.search_folders import Definition, Plan, SearchFlag
from appliance.transport.housekeeping import look
from appliance.wire.fields import LOOSE_BOOL, U32, Array, Bytes16, Flags, UInt8
from appliance.wire.record import Record

PATIENCE = 1.0
"""Seconds that the first population may take of the ROP's time; the rest is done in the background."""


class SetFlags(IntFlag):
    """SearchFlags of the request (MS-OXCFOLD 2.2.1.4.1)."""

    STOP_SEARCH = 0x00000001
    RESTART_SEARCH = 0x00000002
    RECURSIVE_SEARCH = 0x00000004
    SHALLOW_SEARCH = 0x00000008
    FOREGROUND_SEARCH = 0x00000010
    BACKGROUND_SEARCH = 0x00000020
    CONTENT_INDEXED_SEARCH = 0x00010000
    NON_CONTENT_INDEXED_SEARCH = 0x00020000
    STATIC_SEARCH = 0x00040000


_KNOWN = 0x0007003F
_EITHER_OR = (
    SetFlags.STOP_SEARCH | SetFlags.RESTART_SEARCH,
    SetFlags.RECURSIVE_SEARCH | SetFlags.SHALLOW_SEARCH,
    SetFlags.CONTENT_INDEXED_SEARCH | SetFlags.NON_CONTENT_INDEXED_SEARCH,
)


class GetFlags(IntFlag):
    """SearchFlags of the response (MS-OXCFOLD 2.2.1.5.2)."""

    SEARCH_RUNNING = 0x00000001
    SEARCH_REBUILD = 0x00000002
    SEARCH_RECURSIVE = 0x00000004
    SEARCH_COMPLETE = 0x00001000
    SEARCH_PARTIAL = 0x00002000
    SEARCH_STATIC = 0x00010000
    TWIR_TOTALLY = 0x08000000


class SetRequest(Record):
    """2.2.4.4.1"""

    restriction_data: Bytes16
    folder_ids: Annotated[tuple[int, ...], Array(SHORT_ID, 2, least=8)]
    search_flags: Annotated[SetFlags, Flags(SetFlags, U32)]


class GetRequest(Record):
    """2.2.4.5.1"""

    use_unicode: Annotated[bool, LOOSE_BOOL]
    include_restriction: Annotated[bool, LOOSE_BOOL]
    include_folders: Annotated[bool, LOOSE_BOOL]


class GetResponse(Record):
    """2.2.4.5.2"""

    restriction_data: Bytes16
    logon_id: UInt8
    folder_ids: Annotated[tuple[int, ...], Array(SHORT_ID, 2)]
    search_flags: Annotated[GetFlags, Flags(GetFlags, U32)]


def _search_folder(ctx: RopContext, txn: ReadTxn, right: Right) -> Folder:
    folder = ctx.input(Folder)
    rights.require(txn, ctx.actor, folder.logon.mailbox, folder.fid, right)
    if folders.get(txn, folder.logon.mailbox, folder.fid).kind is not FolderKind.SEARCH:
        raise MapiError(ec.ecNotSearchFolder)
    return folder


def set_criteria(ctx: RopContext, request: SetRequest) -> None:
    """What the request leaves out stays as it was. Raises ecNotSearchFolder, ecInvalidParam for flags that
    there are not or that contradict each other, ecNotInitialized while there are no folders to search,
    ecSearchFolderScopeViolation, ecTooComplex, ecNotFound for a folder that is not there."""
    flags = request.search_flags
    with ctx.read() as txn:
        folder = _search_folder(ctx, txn, Right.FOLDER_OWNER)
        mailbox, fid = folder.logon.mailbox, folder.fid
        known = search_folders.find(txn, mailbox, fid)
    if flags & ~_KNOWN or any(flags & both == both for both in _EITHER_OR):
        raise MapiError(ec.ecInvalidParam)
    if flags & SetFlags.RECURSIVE_SEARCH and not folder.logon.is_private:
        raise MapiError(ec.ecNotSupported)
    scope = request.folder_ids or (known.scope if known is not None else ())
    if not scope:
        raise MapiError(ec.ecNotInitialized)
    restriction = _restriction(ctx, request.restriction_data, known)
    if flags & SetFlags.STOP_SEARCH:
        if known is not None and not known.flags & SearchFlag.POPULATED:
            ctx.write(partial(search_folders.stop, mailbox=mailbox, fid=fid))
        return
    _require_scope(ctx, mailbox, fid, scope)
    kept = SearchFlag.RECURSIVE if flags & SetFlags.RECURSIVE_SEARCH else SearchFlag.NONE
    if flags & SetFlags.STATIC_SEARCH:
        kept |= SearchFlag.STATIC
    ctx.write(
        partial(
            search_folders.define, mailbox=mailbox, fid=fid, restriction=restriction, scope=scope, flags=kept
        )
    )
    _populate(ctx, mailbox, fid)


def _restriction(ctx: RopContext, data: bytes, known: Definition | None) -> bytes:
    """The criteria in the form in which they are kept."""
    if data:
        return restrictions.pack(restriction_of(data, ctx.form), extended_form())
    if known is None:
        raise MapiError(ec.ecInvalidParam)  # MS-OXCFOLD 2.2.1.4.1: not for the first search
    return known.restriction


def _require_scope(ctx: RopContext, mailbox: int, fid: int, scope: tuple[int, ...]) -> None:
    with ctx.read() as txn:
        if fid in scope:
            raise MapiError(ec.ecSearchFolderScopeViolation)
        for each in scope:
            rights.require(txn, ctx.actor, mailbox, each, Right.FOLDER_VISIBLE)
            if folders.find(txn, mailbox, each) is None:
                raise NotFound(f"folder {each:#x}")


def _populate(ctx: RopContext, mailbox: int, fid: int) -> None:
    """Fill the folder, as far as patience goes."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        with ctx.read() as txn:
            step = search_folders.plan(txn, mailbox, fid, look)
        if step is None or ctx.write(partial(_apply, mailbox=mailbox, step=step, now=ctx.now)):
            return


def _apply(txn: WriteTxn, mailbox: int, step: Plan, now: int) -> bool:
    with editing(txn, mailbox, now=now) as edit:
        return search_folders.apply(edit, step)


def get_criteria(ctx: RopContext, request: GetRequest) -> GetResponse:
    """Raises ecNotSearchFolder, ecNotInitialized for a folder that was never told what to look for."""
    folder = _search_folder(ctx, ctx.txn, Right.FOLDER_VISIBLE)
    known = search_folders.find(ctx.txn, folder.logon.mailbox, folder.fid)
    if known is None:
        raise MapiError(ec.ecNotInitialized)
    data = b""
    if request.include_restriction and known.restriction:
        parsed = restrictions.parse(known.restriction, extended_form())
        data = restrictions.pack(parsed if request.use_unicode else restrictions.in_8_bits(parsed), ctx.form)
    scope = known.scope if request.include_folders else ()
    return GetResponse(data, ctx.logon_id, scope, _flags(known))


def _flags(known: Definition) -> GetFlags:
    flags = GetFlags.TWIR_TOTALLY
    if not known.flags & SearchFlag.POPULATED:
        stopped = known.flags & SearchFlag.STOPPED
        flags |= GetFlags.SEARCH_PARTIAL if stopped else GetFlags.SEARCH_RUNNING | GetFlags.SEARCH_REBUILD
    else:
        flags |= GetFlags.SEARCH_COMPLETE
        if not known.flags & (SearchFlag.STATIC | SearchFlag.STOPPED):
            flags |= GetFlags.SEARCH_RUNNING
    if known.flags & SearchFlag.RECURSIVE:
        flags |= GetFlags.SEARCH_RECURSIVE
    if known.flags & SearchFlag.STATIC:
        flags |= GetFlags.SEARCH_STATIC
    return flags


SET = Rop(0x30, On.FOLDER, Access.APART, SetRequest, Empty, set_criteria)
GET = Rop(0x31, On.FOLDER, Access.READ, GetRequest, GetResponse, get_criteria)
ROPS = (SET, GET)

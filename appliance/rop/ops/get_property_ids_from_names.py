"""RopGetPropertyIdsFromNames: the ids of named properties (MS-OXCROPS 2.2.8.1, MS-OXCPRPT 2.2.12,
3.2.5.10)."""

from enum import IntFlag
from typing import Annotated

from appliance.mapi import errors as ec
from appliance.mapi.errors import MapiError
from appliance.mapi.names import PS_MAPI, PropertyName
from appliance.mapi.rows import PROPERTY_NAME
from appliance.rop.context import RopContext
from appliance.rop.model import Access, Answer, On, Rop
from appliance.rop.objects import Logon, Object
from appliance.store import names
from appliance.store.errors import LimitReached
from appliance.store.kv import ReadTxn
from appliance.wire.fields import U8, U16, Array, Flags
from appliance.wire.record import Record

MAX_NAMES = 4096
LEAST_NAME = 17
"""Bytes of a name, at least."""


class NameFlags(IntFlag):
    """MS-OXCPRPT 2.2.12.1"""

    CREATE = 0x02


class Request(Record):
    """2.2.8.1.1"""

    flags: Annotated[NameFlags, Flags(NameFlags, U8)]
    names: Annotated[tuple[PropertyName | None, ...], Array(PROPERTY_NAME, 2, MAX_NAMES, LEAST_NAME)]


class Response(Record):
    """2.2.8.1.2: 0 for a name without id."""

    ids: Annotated[tuple[int, ...], Array(U16, 2)]


def need(ctx: RopContext, request: Request) -> Access:
    """New ids are written."""
    if not request.names and isinstance(ctx.input(Object), Logon):
        return Access.SCAN
    return Access.WRITE if request.flags & NameFlags.CREATE and _has_new(ctx, request) else Access.READ


def _has_new(ctx: RopContext, request: Request) -> bool:
    with ctx.read() as txn:
        return any(name is not None and names.find(txn, name) is None for name in request.names)


def run(ctx: RopContext, request: Request) -> Response | Answer:
    """No names mean every one, on a logon. ecWarnWithErrors when some have no id; raises ecMAPIOOM when there
    are no ids left."""
    if not request.names and isinstance(ctx.input(Object), Logon):
        return Response(tuple(number for number, _ in names.all_names(ctx.txn))[: (ctx.budget - 2) // 2])
    create = bool(request.flags & NameFlags.CREATE)
    found = tuple(_id(ctx, ctx.txn, name, create) for name in request.names)
    return Response(found) if all(found) else Answer(Response(found), ec.ecWarnWithErrors)


def _id(ctx: RopContext, txn: ReadTxn, name: PropertyName | None, create: bool) -> int:
    if name is None:
        return 0
    known = names.find(txn, name)
    if known is not None or not create:
        return known or 0
    if not _may_exist(name):
        return 0
    try:
        return names.assign(ctx.writing, name)
    except LimitReached:
        raise MapiError(ec.ecMAPIOOM) from None


def _may_exist(name: PropertyName) -> bool:
    """Whether a name may get an id (MS-OXCPRPT 3.2.5.10)."""
    which = name.lid_or_name
    return name.guid != PS_MAPI and (isinstance(which, int) or 0 < len(which) <= names.MAX_STRING)


ROP = Rop(0x56, On.LOGON | On.FOLDER | On.MESSAGE | On.ATTACHMENT, need, Request, Response, run, room=2)

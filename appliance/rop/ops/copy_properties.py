"""RopCopyProperties, RopCopyTo: copy from one object to another of its kind (MS-OXCROPS 2.2.8.11, 2.2.8.12,
MS-OXCPRPT 2.2.10, 2.2.11, 3.2.5.7, 3.2.5.8).

It is done when it is answered, also for clients that would wait. Moving deletes nothing from the source,
which the specification leaves to the server (3.2.5.7).
"""

from enum import IntFlag
from typing import Annotated

from appliance.mapi import errors as ec
from appliance.mapi.errors import MapiError
from appliance.mapi.rows import MAX_COLUMNS
from appliance.rop.context import RopContext
from appliance.rop.model import Access, Handles, On, Rop
from appliance.rop.objects import Folder, Object
from appliance.rop.properties import Copying, Problems, bag_tag, propertied
from appliance.wire.fields import LOOSE_BOOL, U8, U32, Array, Flags
from appliance.wire.record import Record


class CopyFlags(IntFlag):
    """MS-OXCPRPT 2.2.10.1"""

    MOVE = 0x01
    NO_OVERWRITE = 0x02


_KNOWN = 0x03


class PropertiesRequest(Record):
    """2.2.8.11.1"""

    want_asynchronous: Annotated[bool, LOOSE_BOOL]
    copy_flags: Annotated[CopyFlags, Flags(CopyFlags, U8)]
    tags: Annotated[tuple[int, ...], Array(U32, 2, MAX_COLUMNS)]


class ToRequest(Record):
    """2.2.8.12.1"""

    want_asynchronous: Annotated[bool, LOOSE_BOOL]
    want_subobjects: Annotated[bool, LOOSE_BOOL]
    copy_flags: Annotated[CopyFlags, Flags(CopyFlags, U8)]
    excluded: Annotated[tuple[int, ...], Array(U32, 2, MAX_COLUMNS)]


def need(ctx: RopContext, _request: Record) -> Access:
    """What the source says."""
    return propertied(ctx).copying(ctx.other(Object))


def _require_legal(ctx: RopContext, flags: CopyFlags) -> None:
    both = CopyFlags.MOVE | CopyFlags.NO_OVERWRITE
    if flags & ~_KNOWN or flags & both == both:
        raise MapiError(ec.ecInvalidParam)
    source, target = ctx.input(Object), ctx.other(Object)
    if source.kind is not target.kind:
        raise MapiError(ec.ecNotSupported)


def properties(ctx: RopContext, request: PropertiesRequest) -> Problems:
    """Raises ecInvalidParam for unknown flags, ecNotSupported for moves of a folder's properties (3.2.5.7),
    and what `Propertied.copy_to` raises."""
    _require_legal(ctx, request.copy_flags)
    if ctx.input(Object).kind is On.FOLDER and request.copy_flags & CopyFlags.MOVE:
        raise MapiError(ec.ecNotSupported)
    wanted = Copying(
        only=tuple(bag_tag(tag) for tag in request.tags),
        overwrite=not request.copy_flags & CopyFlags.NO_OVERWRITE,
    )
    return Problems.of(request.tags, propertied(ctx).copy_to(ctx, ctx.other(Object), wanted))


def to(ctx: RopContext, request: ToRequest) -> Problems:
    """Raises ecInvalidParam for unknown flags, ecNotSupported for public folders (MS-OXCPRPT 3.2.5.8), and
    what `Propertied.copy_to` raises."""
    _require_legal(ctx, request.copy_flags)
    if any(
        isinstance(each, Folder) and not each.logon.is_private
        for each in (ctx.input(Object), ctx.other(Object))
    ):
        raise MapiError(ec.ecNotSupported)
    wanted = Copying(
        only=None,
        excluded=frozenset(bag_tag(tag) for tag in request.excluded),
        overwrite=not request.copy_flags & CopyFlags.NO_OVERWRITE,
        subobjects=request.want_subobjects,
    )
    propertied(ctx).copy_to(ctx, ctx.other(Object), wanted)
    return Problems(())


_ON = On.FOLDER | On.MESSAGE | On.ATTACHMENT
COPY_PROPERTIES = Rop(
    0x67,
    _ON | On.LOGON,
    need,
    PropertiesRequest,
    Problems,
    properties,
    Handles.SOURCE_DEST,
    dest=_ON | On.LOGON,
)
COPY_TO = Rop(0x39, _ON, need, ToRequest, Problems, to, Handles.SOURCE_DEST, dest=_ON)
ROPS = (COPY_PROPERTIES, COPY_TO)

"""RopRegisterNotification: be told of events (MS-OXCROPS 2.2.14.1, MS-OXCNOTIF 2.2.1.2.1, 3.1.5.1)."""

from typing import Annotated

from appliance.mapi import errors as ec
from appliance.mapi.errors import MapiError
from appliance.mapi.ids import SHORT_ID
from appliance.rop.context import RopContext
from appliance.rop.model import Access, Empty, Handles, On, Rop
from appliance.rop.notify.data import Type
from appliance.rop.notify.subscription import Subscription
from appliance.wire.fields import LOOSE_BOOL, U8, U16, Flags, When
from appliance.wire.record import Record

_KNOWN = 0x05FE


def _is_extended(request: "Request") -> bool:
    return bool(request.types & Type.EXTENDED)


def _is_scoped(request: "Request") -> bool:
    return not request.want_whole_store


class Request(Record):
    """2.2.14.1.1"""

    types: Annotated[Type, Flags(Type, U16)]
    reserved: Annotated[int | None, When(U8, _is_extended)]
    want_whole_store: Annotated[bool, LOOSE_BOOL]
    folder_id: Annotated[int | None, When(SHORT_ID, _is_scoped)] = None
    message_id: Annotated[int | None, When(SHORT_ID, _is_scoped)] = None


def run(ctx: RopContext, request: Request) -> None:
    """Raises ecInvalidParam for kinds of events that there are not."""
    if request.types & ~_KNOWN:
        raise MapiError(ec.ecInvalidParam)
    made = Subscription(
        ctx.session,
        ctx.logon,
        request.types,
        whole=request.want_whole_store,
        fid=request.folder_id or 0,
        mid=request.message_id or 0,
    )
    ctx.put(made)
    ctx.emit(made.begin)


ROP = Rop(0x29, On.LOGON | On.FOLDER | On.MESSAGE, Access.NONE, Request, Empty, run, Handles.IN_OUT)

"""RopCreateMessage: a handle for a new message (MS-OXCROPS 2.2.6.2, MS-OXCMSG 2.2.3.2, 3.2.5.2)."""

from typing import Annotated

from appliance.mailbox import messages
from appliance.mapi import errors as ec
from appliance.mapi import tags
from appliance.mapi.ids import SHORT_ID
from appliance.mapi.types import Bag
from appliance.rop.context import RopContext
from appliance.rop.messages import Message, code_page
from appliance.rop.model import Access, Handles, On, Rop
from appliance.wire.fields import BOOL, LOOSE_BOOL, UInt16, When
from appliance.wire.record import Record


class Request(Record):
    """2.2.6.2.1"""

    code_page_id: UInt16
    folder_id: Annotated[int, SHORT_ID]
    associated: Annotated[bool, LOOSE_BOOL]


class Response(Record):
    """2.2.6.2.2. The id is given when the message is saved."""

    has_message_id: Annotated[bool, BOOL]
    message_id: Annotated[int | None, When(SHORT_ID, lambda response: response.has_message_id)] = None


def run(ctx: RopContext, request: Request) -> Response:
    """Raises ecNotFound, ecAccessDenied, ecNotSupported for a search folder, ecUnknownCodePage."""
    logon = ctx.logon
    page = code_page(ctx, request.code_page_id)
    messages.require_place(ctx.txn, ctx.actor, logon.mailbox, request.folder_id)
    ctx.put(
        Message.created(logon, request.folder_id, page, associated=request.associated, initial=initial(ctx))
    )
    return Response(has_message_id=False)


def initial(ctx: RopContext) -> Bag:
    """What a message begins with beside what every new one has (MS-OXCMSG 3.2.5.2)."""
    by = messages.author(ctx.txn, ctx.actor)
    bag: Bag = {
        tags.PidTagCreationTime: ctx.now,
        tags.PidTagLastModificationTime: ctx.now,
        tags.PidTagLocalCommitTime: ctx.now,
        tags.PidTagSearchKey: ctx.fresh,
        tags.PidTagMessageLocaleId: ctx.session.locale,
        tags.PidTagLocaleId: ctx.session.locale,
    }
    if by.entry_id:
        bag[tags.PidTagCreatorName] = bag[tags.PidTagLastModifierName] = by.name
        bag[tags.PidTagCreatorEntryId] = bag[tags.PidTagLastModifierEntryId] = by.entry_id
    return bag


ROP = Rop(
    0x06,
    On.LOGON | On.FOLDER,
    Access.READ,
    Request,
    Response,
    run,
    Handles.IN_OUT,
    wrong=ec.ecNullObject,
)

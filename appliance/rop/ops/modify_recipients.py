"""RopModifyRecipients: add, change and delete recipients (MS-OXCROPS 2.2.6.5, MS-OXCMSG 2.2.3.5, 3.2.5.5)."""

from contextlib import ExitStack
from typing import Annotated

from appliance.mapi import errors as ec
from appliance.mapi.rows import MAX_COLUMNS
from appliance.mapi.types import Bag
from appliance.rop.context import RopContext
from appliance.rop.messages import Message, owning
from appliance.rop.model import Empty, On, Rop
from appliance.rop.recipients import bag_of, read_row
from appliance.wire.fields import U32, Array, CountedBytes, UInt8
from appliance.wire.record import Record, as_codec

LEAST_ROW = 7
"""Bytes of a ModifyRecipientRow without its RecipientRow."""


class ModifyRecipientRow(Record):
    """2.2.6.5.1.1. An empty row deletes the recipient."""

    row_id: Annotated[int, U32]
    recipient_type: UInt8
    row: Annotated[bytes, CountedBytes(2)]


class Request(Record):
    """2.2.6.5.1"""

    columns: Annotated[tuple[int, ...], Array(U32, 2, MAX_COLUMNS)]
    rows: Annotated[tuple[ModifyRecipientRow, ...], Array(as_codec(ModifyRecipientRow), 2, least=LEAST_ROW)]


def run(ctx: RopContext, request: Request) -> None:
    """All or nothing. Raises ecInvalidParam for a row that is none, ecAccessDenied."""
    message = ctx.input(Message)
    message.require_writable(ctx)
    own_dn = ctx.session.user.legacy_dn
    with ExitStack() as stack:
        txn = ctx.txn if ctx.has_txn else stack.enter_context(ctx.read())
        bags: list[tuple[int, Bag | None]] = []
        for each in request.rows:
            bag = None
            if each.row:
                row = read_row(each.row, request.columns, message.page)
                bag = bag_of(txn, row, request.columns, each.recipient_type, own_dn)
            bags.append((each.row_id, bag))
    overlay = message.own_content(ctx)
    for number, bag in bags:
        overlay.put_recipient(number, bag)
    message.require_size()


ROP = Rop(0x0E, On.MESSAGE, owning, Request, Empty, run, wrong=ec.ecNullObject)

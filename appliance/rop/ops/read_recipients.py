"""RopReadRecipients: recipients from a row id on (MS-OXCROPS 2.2.6.6, MS-OXCMSG 2.2.3.6, 3.2.5.6)."""

from typing import Annotated

from appliance.mapi import errors as ec
from appliance.mapi.errors import MapiError
from appliance.rop.context import RopContext
from appliance.rop.messages import Message
from appliance.rop.model import Access, On, Rop
from appliance.rop.recipients import MAX_ROWS, columns, kind_of, pack_row
from appliance.wire.fields import U16, U32, CountedBytes, Reserved, SizedArray, UInt8, UInt16
from appliance.wire.record import Record, as_codec

ROW_HEAD = 11
"""Bytes of a ReadRecipientRow before its RecipientRow."""


class ReadRecipientRow(Record):
    """2.2.6.6.2.1"""

    row_id: Annotated[int, U32]
    recipient_type: UInt8
    code_page: UInt16
    reserved: Annotated[int, Reserved(U16)]
    row: Annotated[bytes, CountedBytes(2)]


class Request(Record):
    """2.2.6.6.1"""

    row_id: Annotated[int, U32]
    reserved: Annotated[int, U16]


class Response(Record):
    """2.2.6.6.2"""

    row_count: UInt8
    rows: Annotated[
        tuple[ReadRecipientRow, ...],
        SizedArray(as_codec(ReadRecipientRow), lambda response: response.row_count),
    ]


def run(ctx: RopContext, request: Request) -> Response:
    """Row id 0 means the first recipient, whatever its number. Raises ecNotFound for a row that is not there,
    ecBufferTooSmall when not even one fits."""
    message = ctx.input(Message)
    recipients = message.look(ctx.txn).recipients()
    if not recipients or (request.row_id and request.row_id not in recipients):
        raise MapiError(ec.ecNotFound)
    found = columns(recipients.values())
    left = ctx.budget - 1
    rows: list[ReadRecipientRow] = []
    for number, bag in recipients.items():
        if number < request.row_id:
            continue
        packed = pack_row(bag, found, message.page)
        left -= ROW_HEAD + len(packed)
        if left < 0 or len(rows) == MAX_ROWS - 1:
            break
        rows.append(ReadRecipientRow(number, kind_of(bag), message.page, 0, packed))
    if not rows:
        raise MapiError(ec.ecBufferTooSmall)
    return Response(len(rows), tuple(rows))


ROP = Rop(0x0F, On.MESSAGE, Access.READ, Request, Response, run, room=1, wrong=ec.ecNullObject)

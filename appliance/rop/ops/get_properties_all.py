"""RopGetPropertiesAll: every property of an object with its value (MS-OXCROPS 2.2.8.4, MS-OXCPRPT
3.2.5.2)."""

from typing import Annotated

from appliance.mapi import errors as ec
from appliance.mapi.errors import MapiError
from appliance.mapi.rows import PropertyError
from appliance.mapi.types import PtypErrorCode, Value
from appliance.mapi.values import Form, write_tagged
from appliance.rop.cells import LARGE, tagged
from appliance.rop.context import RopContext
from appliance.rop.model import Access, On, Rop
from appliance.rop.properties import propertied
from appliance.wire.cursor import Writer
from appliance.wire.errors import EncodeError
from appliance.wire.fields import REST, U16
from appliance.wire.record import Record

HEAD = 2
"""Bytes of PropertyValueCount."""


class Request(Record):
    """2.2.8.4.1. The size limit is ignored (MS-OXCPRPT 3.2.5.2)."""

    property_size_limit: Annotated[int, U16]
    want_unicode: Annotated[int, U16]


class Response(Record):
    """2.2.8.4.2: that many TaggedPropertyValue structures."""

    count: Annotated[int, U16]
    values: Annotated[bytes, REST]


def run(ctx: RopContext, request: Request) -> Response:
    """A value that is too big for the response stands there as an error, ecMAPIOOM."""
    found = propertied(ctx)
    form = found.form(ctx)
    pieces = [
        _piece(tag, value, form) for tag, value in tagged(found.view(ctx), unicode=bool(request.want_unicode))
    ]
    room = ctx.budget - HEAD
    while sum(map(len, pieces)) > room:
        place = max(range(len(pieces)), key=lambda each: len(pieces[each]))
        if len(pieces[place]) <= LARGE:
            raise MapiError(ec.ecBufferTooSmall)
        tag = int.from_bytes(pieces[place][:4], "little")
        pieces[place] = _piece(tag, PropertyError(ec.ecMAPIOOM), form)
    return Response(len(pieces), b"".join(pieces))


def _piece(tag: int, value: Value | PropertyError, form: Form) -> bytes:
    writer = Writer()
    if not isinstance(value, PropertyError):
        try:
            write_tagged(writer, tag, value, form)
        except EncodeError:
            value = PropertyError(ec.ecMAPIOOM)
            writer = Writer()
    if isinstance(value, PropertyError):
        write_tagged(writer, tag & 0xFFFF0000 | PtypErrorCode, value.code, form)
    return bytes(writer.buf)


ROP = Rop(
    0x08, On.LOGON | On.FOLDER | On.MESSAGE | On.ATTACHMENT, Access.SCAN, Request, Response, run, room=HEAD
)

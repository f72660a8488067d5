"""RopGetAddressTypes and RopOptionsData: the kinds of addresses that the server sends to (MS-OXCROPS 2.2.7.3,
2.2.7.9; MS-OXOMSG 2.2.4.3, 2.2.4.4)."""

from typing import Annotated

from appliance.mapi import errors as ec
from appliance.mapi.errors import MapiError
from appliance.rop.context import RopContext
from appliance.rop.model import Access, Empty, On, Rop
from appliance.wire.fields import LOOSE_BOOL, U8, Ascii, Bytes16, Const, CountedBytes, NulText, UInt16, When
from appliance.wire.record import Record

TYPES = ("EX", "SMTP")


class TypesResponse(Record):
    """2.2.7.3.2: the strings follow each other, each ended by a zero byte."""

    count: UInt16
    types: Bytes16


class OptionsRequest(Record):
    """2.2.7.9.1"""

    address_type: Ascii
    want_win32: Annotated[bool, LOOSE_BOOL]


class OptionsResponse(Record):
    """2.2.7.9.2"""

    reserved: Annotated[int, Const(1, U8)]
    options: Bytes16
    help_file: Annotated[bytes, CountedBytes(2)]
    help_file_name: Annotated[str | None, When(NulText(), lambda response: response.help_file)] = None


def types(_ctx: RopContext, _request: Empty) -> TypesResponse:
    """RopGetAddressTypes."""
    return TypesResponse(len(TYPES), b"".join(name.encode() + b"\0" for name in TYPES))


def options(_ctx: RopContext, request: OptionsRequest) -> OptionsResponse:
    """RopOptionsData: the types have no options. Raises ecNotFound for an unknown type."""
    if request.address_type.upper() not in TYPES:
        raise MapiError(ec.ecNotFound)
    return OptionsResponse(1, b"", b"")


ROPS = (
    Rop(0x49, On.LOGON, Access.NONE, Empty, TypesResponse, types),
    Rop(0x6F, On.LOGON, Access.NONE, OptionsRequest, OptionsResponse, options),
)

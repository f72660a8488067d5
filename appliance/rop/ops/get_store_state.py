"""RopGetStoreState: not implemented, as the specification asks (MS-OXCROPS 2.2.3.5, MS-OXCSTOR 3.2.5.5)."""

from appliance.mapi import errors as ec
from appliance.mapi.errors import MapiError
from appliance.rop.context import RopContext
from appliance.rop.model import Access, Empty, On, Rop
from appliance.wire.fields import UInt32
from appliance.wire.record import Record


class Response(Record):
    """2.2.3.5.2, which nobody sends."""

    store_state: UInt32


def run(_ctx: RopContext, _request: Empty) -> None:
    """Raises ecNotImplemented."""
    raise MapiError(ec.ecNotImplemented)


ROP = Rop(0x7B, On.LOGON, Access.NONE, Empty, Response, run)

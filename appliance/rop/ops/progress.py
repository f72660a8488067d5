"""RopProgress: not implemented (MS-OXCROPS 2.2.8.13, MS-OXCPRPT 3.2.5.20): every operation is over when it is
answered, so that there is none to ask after. Requests are read, so that the ROPs around them are served."""

from appliance.mapi import errors as ec
from appliance.mapi.errors import MapiError
from appliance.rop.context import RopContext
from appliance.rop.model import Access, On, Rop
from appliance.wire.fields import UInt8, UInt32
from appliance.wire.record import Record


class Request(Record):
    """2.2.8.13.1"""

    want_cancel: UInt8


class Response(Record):
    """2.2.8.13.2, which nobody sends."""

    logon_id: UInt8
    completed_task_count: UInt32
    total_task_count: UInt32


def run(_ctx: RopContext, _request: Request) -> None:
    """Raises ecNotImplemented."""
    raise MapiError(ec.ecNotImplemented)


ROP = Rop(0x50, On.ANY, Access.NONE, Request, Response, run)

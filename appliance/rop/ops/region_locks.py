"""RopLockRegionStream and RopUnlockRegionStream: not implemented, as in all current servers (MS-OXCROPS
2.2.9.10, 2.2.9.11, MS-OXCPRPT 3.2.5.21, 3.2.5.22).
Their requests are read, so that the ROPs around them are served."""

from appliance.mapi import errors as ec
from appliance.mapi.errors import MapiError
from appliance.rop.context import RopContext
from appliance.rop.model import Access, Empty, On, Rop
from appliance.wire.fields import UInt32, UInt64
from appliance.wire.record import Record


class Request(Record):
    """2.2.9.10.1, 2.2.9.11.1"""

    region_offset: UInt64
    region_size: UInt64
    lock_flags: UInt32


def run(_ctx: RopContext, _request: Request) -> None:
    """Raises ecNotImplemented."""
    raise MapiError(ec.ecNotImplemented)


LOCK = Rop(0x5B, On.STREAM, Access.NONE, Request, Empty, run)
UNLOCK = Rop(0x5C, On.STREAM, Access.NONE, Request, Empty, run)
ROPS = (LOCK, UNLOCK)

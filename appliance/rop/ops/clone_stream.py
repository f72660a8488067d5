"""RopCloneStream: another handle on the same bytes (MS-OXCROPS 2.2.9.13, MS-OXCPRPT 2.2.27, 3.2.5.24)."""

from appliance.rop.context import RopContext
from appliance.rop.model import Access, Empty, Handles, On, Rop
from appliance.rop.streams import Stream


def run(ctx: RopContext, _request: Empty) -> None:
    """It begins at the position of the other, and goes its own way."""
    stream = ctx.input(Stream)
    ctx.put(Stream(stream.value, writable=stream.writable, position=stream.position))


ROP = Rop(0x3B, On.STREAM, Access.NONE, Empty, Empty, run, Handles.IN_OUT)

"""RopCommitStream: set the property to the stream's bytes (MS-OXCROPS 2.2.9.5, MS-OXCPRPT 2.2.18,
3.2.5.15)."""

from appliance.rop.context import RopContext
from appliance.rop.model import Access, Empty, On, Rop
from appliance.rop.streams import Stream


def need(ctx: RopContext, _request: Empty) -> Access:
    """See `Stream.committing`."""
    return ctx.input(Stream).committing()


def run(ctx: RopContext, _request: Empty) -> None:
    """Nothing happens for a stream that nobody wrote to. Raises what setting the property raises."""
    ctx.input(Stream).commit(ctx)


ROP = Rop(0x5D, On.STREAM, need, Empty, Empty, run)

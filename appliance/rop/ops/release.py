"""RopRelease: forget a handle, and with a logon's all that was opened on it (MS-OXCROPS 2.2.15.3)."""

from appliance.rop.context import RopContext
from appliance.rop.model import Access, Empty, On, Rop
from appliance.rop.objects import Object
from appliance.rop.streams import Stream


def need(ctx: RopContext, _request: Empty) -> Access:
    """A folder's stream stores what was written to it."""
    gone = ctx.input(Object)
    return Access.APART if isinstance(gone, Stream) and gone.is_owed else Access.NONE


def run(ctx: RopContext, _request: Empty) -> None:
    """What the object still held unsaved is gone, but for what was written to a folder's stream (MS-OXCPRPT
    3.2.5.13)."""
    gone = ctx.input(Object)
    if isinstance(gone, Stream):
        gone.store_owed(ctx)
    ctx.emit(lambda: ctx.session.release(ctx.session.handle_of(gone)))


ROP = Rop(0x01, On.ANY, need, Empty, Empty, run, silent=True)

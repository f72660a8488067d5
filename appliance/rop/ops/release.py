"""RopRelease: forget a handle, and with a logon's all that was opened on it (MS-OXCROPS 2.2.15.3)."""

from appliance.rop.context import RopContext
from appliance.rop.model import Access, Empty, On, Rop
from appliance.rop.objects import Object


def run(ctx: RopContext, _request: Empty) -> None:
    """What the object still held unsaved is gone."""
    gone = ctx.input(Object)
    ctx.emit(lambda: ctx.session.release(ctx.session.handle_of(gone)))


ROP = Rop(0x01, On.ANY, Access.NONE, Empty, Empty, run, silent=True)

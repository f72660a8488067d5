"""RopSynchronizationOpenCollector: a context for uploads into a folder (MS-OXCROPS 2.2.13.7, MS-OXCFXICS
2.2.3.2.4.1)."""

from typing import Annotated

from appliance.rop.context import RopContext
from appliance.rop.ics.collector import Collector
from appliance.rop.model import Access, Empty, Handles, On, Rop
from appliance.rop.objects import Folder
from appliance.store import folders
from appliance.wire.fields import LOOSE_BOOL
from appliance.wire.record import Record


class Request(Record):
    """2.2.13.7.1"""

    is_contents_collector: Annotated[bool, LOOSE_BOOL]


def run(ctx: RopContext, request: Request) -> Empty:
    """Raises ecNotFound for a folder that has gone."""
    folder = ctx.input(Folder)
    folders.get(ctx.txn, ctx.logon.mailbox, folder.fid)
    ctx.put(Collector(ctx.logon, folder.fid, contents=request.is_contents_collector))
    return Empty()


ROP = Rop(0x7E, On.FOLDER, Access.READ, Request, Empty, run, Handles.IN_OUT)
